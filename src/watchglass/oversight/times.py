"""What witnesses prove about times.

A cosigned checkpoint proves that its entries were there by then. A record of one (`checkpoint_witnessed`) proves that
whatever follows it in the log was merged after that. Between the two lies every entry. Only witnesses that the trust
file names count; without a trust file those that the log's own charters pin, and the report says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import SECOND
from watchglass.ledger import cosignature
from watchglass.ledger import note as notes
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, VerifierKey

MOST_SIGNATURES: Final = 16
"""Of one note that are verified: a charter names no more witnesses."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint with the times of the witnesses that cosigned it; none where no known one did.

    Attributes:
        forged: names of known witnesses whose signature on it is wrong.
    """

    checkpoint: Checkpoint
    times: tuple[tuple[str, int], ...]
    forged: tuple[str, ...]

    @property
    def earliest_ms(self) -> int:
        """The earliest of the times."""
        return min(seconds for _, seconds in self.times) * SECOND

    @property
    def latest_ms(self) -> int:
        """The latest of them."""
        return max(seconds for _, seconds in self.times) * SECOND


def read_note(data: bytes, witnesses: Iterable[VerifierKey]) -> Seen:
    """The checkpoint in a note, and which of ``witnesses`` cosigned it.

    Raises:
        BadInput: it is not a checkpoint.
    """
    note = notes.parse_note(data)
    checkpoint = Checkpoint.parse_text(note.text)
    known = [key for key in witnesses if key.kind is KeyType.COSIGNATURE_V1]
    times: dict[str, int] = {}
    forged: list[str] = []
    claims = [(line, key) for line in note.signatures for key in known if line.is_by(key)]
    for line, key in claims[:MOST_SIGNATURES]:
        try:
            times.setdefault(key.name, cosignature.verify(note.text, key, line.signature))
        except (DidNotVerify, BadInput):
            forged.append(key.name)
    return Seen(checkpoint, tuple(times.items()), tuple(forged))


class Times:
    """The bracket of the entry that is being read.

    Attributes:
        after_ms: this entry was merged after that; 0 where nothing proves it.
        marks: how many cosigned checkpoints the log has recorded so far. covered: the size of the largest of them.
        places, afters: where a later ``after_ms`` began to hold, and which: both ever larger.
        sizes, befores: sizes of recorded checkpoints, and by when they were there: both ever larger.
    """

    __slots__ = ("after_ms", "afters", "befores", "covered", "marks", "places", "sizes")

    def __init__(self) -> None:
        self.after_ms = 0
        self.marks = 0
        self.covered = 0
        self.places: list[int] = []
        self.afters: list[int] = []
        self.sizes: list[int] = []
        self.befores: list[int] = []

    def mark(self, index: int, seen: Seen) -> None:
        """An entry recorded a checkpoint that known witnesses cosigned."""
        self.marks += 1
        if seen.earliest_ms > self.after_ms:
            self.after_ms = seen.earliest_ms
            self.places.append(index)
            self.afters.append(seen.earliest_ms)
        if seen.checkpoint.size > self.covered:
            self.covered = seen.checkpoint.size
            if not self.befores or seen.latest_ms > self.befores[-1]:
                self.sizes.append(self.covered)
                self.befores.append(seen.latest_ms)

    def merged_after(self, index: int) -> int:
        """The latest time of which is proved that an entry was merged after it; 0 where nothing is."""
        place = bisect_right(self.places, index)
        return self.afters[place - 1] if place else 0

    def there_by(self, index: int) -> int | None:
        """By when an entry was there, as the first recorded checkpoint that covers it shows; None: none does."""
        place = bisect_right(self.sizes, index)
        return self.befores[place] if place < len(self.sizes) else None

    def was_there(self, size: int) -> int:
        """The latest time at which a recorded checkpoint of at most ``size`` entries was cosigned; 0 where none was."""
        place = bisect_right(self.sizes, size)
        return self.befores[place - 1] if place else 0


def as_of(cosigned: Sequence[tuple[str, int]]) -> int | None:
    """The latest time at which a witness saw the whole log, in milliseconds; None where none did."""
    return max((seconds for _, seconds in cosigned), default=0) * SECOND or None
