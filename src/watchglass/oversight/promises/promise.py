"""What every promise is: it sees entries, remembers plain values, and says in the end what it found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from watchglass.oversight.entry import Entry, hour_text
from watchglass.oversight.report import MOST_BREACHES, Breach, Depth, Finding, State
from watchglass.oversight.world import End, World

OPERATOR: Final = "The operator can answer for it."
OVERSIGHT: Final = "Oversight can answer for it."
AUTHORITY: Final = "The authority can answer for it."
REVIEWERS: Final = "The operator, whose reviewers decide, can answer for it."
CUSTODIAN: Final = "The custodian whose office it is can answer for it."
WITNESS: Final = "The witness can answer for it."
SIGNER: Final = "Whoever holds the office in whose name it was signed, and the operator who took it, can answer for it."

ALWAYS: Final = ("checked", "total", "first", "breaches")


class Promise(ABC):
    """One promise.

    Subclasses say what they are, look at entries of ``acts``, and keep what they need in attributes named in ``keeps``,
    as plain values (numbers, texts, bytes, lists, tuples, sets, dictionaries of these).

    Attributes:
        checked: how many things were looked at. total, breaches: how many were wrong, and the first of them.
        first: the size of the log when the first breach was established; None while there is none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    depth: ClassVar[Depth] = "structure"
    acts: ClassVar[frozenset[str] | None] = frozenset()
    """The acts that it sees; None: every one."""
    keeps: ClassVar[tuple[str, ...]] = ()
    waits: ClassVar[bool] = False
    """It can be broken by nothing happening: then ``ends`` alone names it."""

    def __init__(self) -> None:
        self.checked = 0
        self.total = 0
        self.first: int | None = None
        self.breaches: list[Breach] = []

    # ---- for subclasses ----------------------------------------------------------------------------------------------

    def see(self, entry: Entry, world: World) -> None:  # noqa: B027  # some promises judge only the end
        """Look at an entry; genuine, and after the world has taken it."""

    def ends(self, world: World, end: End) -> None:  # noqa: B027  # some promises judge only entries
        """Name what is broken because the log ends here. Must change nothing but ``breach`` and ``checked``."""

    @abstractmethod
    def how(self, world: World, end: End) -> str:
        """How it was checked, with counts: one or two sentences."""

    def unseen(self, world: World, end: End) -> str | None:
        """Why it cannot be told at this depth or from this data; None where it can."""
        del world, end
        return None

    def breach(
        self, what: str, by: str, world: World, *entries: Entry | int, hour: int | None = None, instead: str = ""
    ) -> None:
        """Name a breach.

        Args:
            what: the middle of a sentence, which goes on from "Entry 7 (2026-11-23T14Z) …".
            by: who can answer for it, as a sentence.
            entries: those that show it, the one that broke it first. hour: of that one, where only its number is given.
            instead: what the sentence begins with where no entry does.
        """
        self.total += 1
        if self.first is None:
            self.first = world.size
        if len(self.breaches) >= MOST_BREACHES:
            return
        numbers = tuple(each if isinstance(each, int) else each.index for each in entries)
        first = entries[0] if entries else None
        number = first.hour if isinstance(first, Entry) else hour
        told = None if number is None else hour_text(number)
        begin = instead or f"Entry {numbers[0]}" + (f" ({told})" if told else "")
        others = [number for number in numbers if instead or number != numbers[0]]
        see = f" See entr{'y' if len(others) == 1 else 'ies'} {_listed(others)}." if others else ""
        self.breaches.append(Breach(self.name, f"{begin} {what}.{see} {by}", numbers, told))

    # ---- for the audit -----------------------------------------------------------------------------------------------

    def finish(self, world: World, end: End) -> Finding:
        """The finding, as the log stands. What follows may still be seen afterwards."""
        kept = self.checked, self.total, self.first, list(self.breaches)
        try:
            self.ends(world, end)
            return self._finding(world, end)
        finally:
            self.checked, self.total, self.first, self.breaches = kept

    def broken_by(self, size: int, world: World, end: End) -> bool:
        """Whether it was broken already by the first ``size`` entries, as of ``end``."""
        if self.first is not None and self.first < size:
            return True
        if not self.waits:
            return False
        kept = self.checked, self.total, self.first, list(self.breaches)
        try:
            self.ends(world, end)
            return self.total > kept[1]
        finally:
            self.checked, self.total, self.first, self.breaches = kept

    def memory(self) -> dict[str, object]:
        """Plain values, for ``recall``."""
        return {name: getattr(self, name) for name in (*ALWAYS, *self.keeps)}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Take up what ``memory`` gave."""
        for name in (*ALWAYS, *self.keeps):
            setattr(self, name, kept[name])

    def _finding(self, world: World, end: End) -> Finding:
        why = self.unseen(world, end)
        if self.total:
            state, sentence = State.BROKEN, self.how(world, end)
        elif why is not None:
            state, sentence = State.UNSEEN, why
        else:
            state, sentence = State.KEPT, self.how(world, end)
        return Finding(
            self.name, self.title, sentence, self.depth, state, self.checked, tuple(self.breaches), self.total
        )


def count(number: int, one: str, more: str = "") -> str:
    """``1 entry``, ``2 entries``, ``12,000 alerts``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _listed(numbers: Sequence[int]) -> str:
    most = 8
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown if len(numbers) <= most else f"{shown} and {len(numbers) - most} more"
