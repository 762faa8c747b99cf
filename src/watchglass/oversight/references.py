"""Which entry a leaf hash names. Only acts that others may refer to are kept, each as one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.records.vocabulary import ACTS

REFERABLE: Final = (*sorted({act for spec in ACTS.values() for act in spec.refs_to} | {"case_opened"}),)
"""Acts that an entry may name: in its `refs`, or in what an opening shows of it."""
_PLACE: Final[Mapping[str, int]] = {act: place for place, act in enumerate(REFERABLE)}
STEP: Final = 64


class References:
    """Leaf hashes of referable acts. ``kept`` maps each to 64 * index + the place of its act in ``REFERABLE``."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept: dict[bytes, int] = {}

    def add(self, digest: bytes, index: int, act: str) -> None:
        """Take an entry; of two with one hash the first stays."""
        place = _PLACE.get(act)
        if place is not None:
            self.kept.setdefault(digest, index * STEP + place)

    def find(self, digest: bytes) -> tuple[int, str] | None:
        """The index and the act of an earlier entry that others may refer to."""
        number = self.kept.get(digest)
        return None if number is None else (number // STEP, REFERABLE[number % STEP])

    def index(self, digest: bytes, act: str) -> int | None:
        """The index of an earlier entry, if it is of that act."""
        number = self.kept.get(digest)
        return number // STEP if number is not None and number % STEP == _PLACE[act] else None
