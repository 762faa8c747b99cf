"""No record stands in the log twice."""

from __future__ import annotations

from typing import Final

import numpy as np

from watchglass.ledger.merkle import HASH_BYTES
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.report import MOST_BREACHES
from watchglass.oversight.world import End, World

_WORDS: Final = HASH_BYTES // 8


class Once(Promise):
    name = "once"
    title = "No record stands in the log twice."

    def ends(self, world: World, end: End) -> None:
        del end
        self.checked = world.size
        words = np.frombuffer(bytes(world.hashes.levels[0]), dtype="<u8").reshape(-1, _WORDS)
        order = np.lexsort((np.arange(len(words)), *words.T))
        ordered = words[order]
        same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1)) if world.size > 1 else np.empty(0, np.int64)
        for at in same[:MOST_BREACHES].tolist():
            self.breach(
                "is word for word the same as an earlier one", OPERATOR, world, int(order[at + 1]), int(order[at])
            )
        self.total += max(0, len(same) - MOST_BREACHES)

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"The hashes of {count(self.checked, 'entry', 'entries')} were compared with each other."
