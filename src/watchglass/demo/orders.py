"""What stops and runs again in the demo's 28 days, and who signs for it: a simulator, like its cases.

=====  ==================================================================================================
  n    the labels say of each alert in the closed bays that it was wrong; the published limit stops the analytic by
       itself, which is nobody's doing here
 n+2   the authority says what it changed: nothing in the rule, and nothing in the clip
 n+3   oversight signs that it may run again, on trial; so the same limit stops it again. From then on nobody signs,
       because only a new version of the charter lets it run
 17.4  oversight stops another analytic by its own order, and lifts that on day 18.2
=====  ==================================================================================================

Whoever signs does it through the real client in a process of their own, from what stands at that moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from watchglass.acts.judge import note_limit_obeyed
from watchglass.acts.judged import Stop, stops
from watchglass.bootstrap import House
from watchglass.core.digest import unb64
from watchglass.core.time import DAY
from watchglass.demo.custody import SIMULATED, Moment
from watchglass.demo.originals import charter_in
from watchglass.demo.people import People, as_someone
from watchglass.records.act_spec import Lane
from watchglass.records.statement import SignedStatement

BY_HAND: Final = "entrance-only"
"""What oversight stops by its own order."""
BY_HAND_DAYS: Final = (17.4, 18.2)
PROPOSED_AFTER: Final = 2 * DAY
RESUMED_AFTER: Final = 3 * DAY


@dataclass(frozen=True, slots=True)
class Orders:
    """Authority and oversight, and the house that takes in what they sign as it would from a network."""

    house: House
    people: People

    def schedule(self, begin: int) -> Iterator[Moment]:
        """Oversight's own order, and the end of it."""
        stop, go = (begin + round(days * DAY) for days in BY_HAND_DAYS)
        yield stop, partial(self._suspend, stop)
        yield go, partial(self._lift, go)

    def obeyed(self) -> None:
        """A limit has stopped something. No worker runs on the virtual clock, so nothing of it runs any more."""
        for stop in stops(self.house.store.read()):
            if stop.obeyed_ms is None:
                note_limit_obeyed(self.house.acting, charter_in(self.house), stop.leaf_hash, within_ms=0)

    def hour(self, now_ms: int) -> None:
        """An hour is full: what a limit has stopped may be due to be proposed, or to be resumed."""
        found = stops(self.house.store.read())
        if found and found[-1].resumed is None:  # the first one; after another, nobody may sign
            self._again(found[-1], now_ms)

    def _again(self, stop: Stop, now_ms: int) -> None:
        proposed = self.house.store.read().one("SELECT 1 FROM resumption WHERE stop = ?", stop.leaf_hash)
        if proposed is None and now_ms >= stop.stopped_ms + PROPOSED_AFTER:
            said = SIMULATED + "the tape along the bays was drawn tight. The rule is as it was."
            self._sign("authority", stop.analytic, now_ms, "quality", "propose-resumption", "--what-changed", said)
        elif proposed is not None and now_ms >= stop.stopped_ms + RESUMED_AFTER:
            why = SIMULATED + "we looked at the tape on the spot."
            self._sign("oversight", stop.analytic, now_ms, "oversight", "resume", "--reason", why)

    def _suspend(self, at: int) -> None:
        why = SIMULATED + "lorries were sent away for a day, and the drive was left open for people on foot."
        leaf_hash = self._sign("oversight", BY_HAND, at, "oversight", "suspend", "--reason", why)
        self.house.note_obeyed(leaf_hash, within_ms=0)

    def _lift(self, at: int) -> None:
        why, changed = SIMULATED + "the day is over.", SIMULATED + "lorries turn in again."
        self._sign("oversight", BY_HAND, at, "oversight", "resume", "--reason", why, "--what-changed", changed)

    def _sign(self, role: str, analytic: str, at: int, *words: str) -> bytes:
        """Sign in a process of one's own, hand it in, and let the witness cosign it; the record's leaf hash."""
        folder = self.people.folder / role
        standing, output = folder / "standing.json", folder / "order.json"
        standing.write_text(json.dumps(self.house.describe()), "utf-8")
        command, verb, *why = words
        as_someone(
            command, verb, str(standing), "--key", str(self.people.key_of(role)), "--analytic", analytic, *why,
            "--output", str(output), "--virtual-time", str(at),
        )  # fmt: skip
        done = self.house.hand_in(SignedStatement.parse(output.read_bytes()))
        self.house.sequencer.tick((Lane.PROMPT,))
        return unb64(done["leaf_hash"])
