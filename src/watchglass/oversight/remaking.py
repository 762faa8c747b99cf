"""The states with which years begin, made again from the entries: a second audit beside the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.oversight.audit import Auditor
from watchglass.oversight.carried import Carried
from watchglass.oversight.hashes import Hashes

Source = Callable[[int, int], Iterable[tuple[int, bytes, bytes]]]
"""The entries of ``[first, until)``: index, bytes, leaf hash. BadInput: they are not there."""
_DEEPEST: Final = 3
"""A year within a year within a year: deeper ones come of nothing but lies."""


class Remaker:
    """Makes states, and remembers their hashes. Years follow each other, so each entry is read once more at most twice.

    Args:
        source: where the entries come from.
        begin: a state that was checked already, and the leaf hashes of its entries; entries before it are not read,
            and states of fewer entries not made.
        within: the one at work, in the midst of whose years this one makes an earlier one.

    Attributes:
        problem: why the last state could not be made that nobody got.
    """

    def __init__(
        self,
        origin: str,
        source: Source,
        *,
        begin: tuple[Carried, Hashes] | None = None,
        within: Remaker | None = None,
    ) -> None:
        self._origin = origin
        self._source = source
        self._begin = begin
        self._made: dict[int, bytes] = {} if begin is None else {begin[0].size: begin[0].sha256}
        self._auditor: Auditor | None = None
        self._inner: Remaker | None = None
        self._deep = 0
        if within is not None:
            self._made, self._deep = within._made, within._deep + 1  # noqa: SLF001  # another one of these
        self._at_work = False
        self.problem: WatchglassError | None = None

    def __call__(self, size: int) -> bytes | None:
        """The hash of the state that the first ``size`` entries leave; None where they cannot be read."""
        try:
            return self._hash(size)
        except WatchglassError as error:
            self.problem = error
            return None

    def state(self, size: int) -> bytes:
        """The state itself: what ``Auditor.carried`` gives.

        Raises:
            BadInput: the entries are not there, or the state is too large.
        """
        if self._begin is not None and size < self._begin[0].size:
            raise BadInput(
                f"The entries before {self._begin[0].size} are not here.", fix="Audit where all of them are."
            )
        auditor = self._auditor
        if auditor is None or auditor.size > size:
            auditor = self._auditor = self._new()
        self._at_work = True
        try:
            for index, data, leaf in self._source(auditor.size, size):
                auditor.see(index, data, leaf)
        finally:
            self._at_work = False
        if auditor.size != size:
            raise BadInput(f"There are {auditor.size} entries, not {size}.", fix="Ask for a smaller size.")
        data = auditor.carried()
        self._made[size] = sha256(data)
        return data

    def _hash(self, size: int) -> bytes:
        if size not in self._made:
            if self._at_work:
                self._within(size)
            else:
                self.state(size)
        return self._made[size]

    def _within(self, size: int) -> None:
        """A year that began before the one that is being made here."""
        if self._deep >= _DEEPEST:
            raise BadInput("The years of this log lie in one another.", fix="Show this log to oversight.")
        if self._inner is None:
            self._inner = Remaker(self._origin, self._source, begin=self._begin, within=self)
        self._inner.state(size)

    def _new(self) -> Auditor:
        if self._begin is None:
            return Auditor.unaided(self._origin, remake=self)
        begin, hashes = self._begin
        copy = Hashes([bytearray(level) for level in hashes.levels])
        return Auditor.from_carried(begin, copy, self._origin, policy=None, oversight=None, now_ms=0, remake=self)
