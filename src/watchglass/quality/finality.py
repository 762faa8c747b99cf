"""When an alert is final, and what it was then.

A limit may only be tested with values that never change, taken in the order in which the alerts were raised. So each
alert gets one final value: once nobody can undo or add anything that is still owed (the undo window of the last verdict
is over, a second read that was drawn has been made, and a third one where those two disagreed), or at the latest when
it *matures*. What is open or without an answer then is ``undecided``, and counts as the worst case wherever a limit
asks for right ones. A correction that comes later changes what is published and goes to oversight; it changes no final.

Seeded checks are no alerts: they never become final, and must not be given here.

Everything is milliseconds since 1970; no time is read here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final as Fixed
from typing import Literal

from watchglass.core.errors import BadInput

Answer = Literal["confirm", "reject", "unsure"]
Place = Literal[1, 2, 3]
"""Which read of an alert: the first, the second (blind), the third (where those two disagreed)."""


class Value(StrEnum):
    """What an alert was, for ever."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"


_MEANS: Fixed[dict[str, Value]] = {"confirm": Value.RIGHT, "reject": Value.WRONG, "unsure": Value.UNDECIDED}


@dataclass(frozen=True, slots=True)
class Reading:
    """One person's verdict that stands: those taken back are not given.

    Attributes:
        read: 1, 2 or 3. at_ms: when it was given.
    """

    read: Place
    value: Answer
    at_ms: int


@dataclass(frozen=True, slots=True)
class Awaited:
    """An alert as far as people have judged it.

    Attributes:
        number: its place among the alerts, in the order in which they were raised.
        due_ms: when a person must have decided.
        second_drawn: whether a second read was drawn for it; None: that is not known yet, for the draw comes after the
            first verdict.
        readings: the verdicts that stand, in any order; at most one of each read.
    """

    number: int
    raised_ms: int
    due_ms: int
    readings: tuple[Reading, ...] = ()
    second_drawn: bool | None = False

    def __post_init__(self) -> None:
        if len({each.read for each in self.readings}) != len(self.readings):
            raise BadInput(
                "An alert was read twice in the same place.", fix="Give only verdicts that stand, one of each read."
            )


@dataclass(frozen=True, slots=True)
class Final:
    """An alert that is final. ``at_ms``: since when."""

    number: int
    value: Value
    at_ms: int


def final_of(alert: Awaited, *, now_ms: int, matures_ms: int, undo_ms: int) -> Final | None:
    """The final value of ``alert``; None while something may still come.

    A verdict that could still be undone when the alert matures came too late, and is left out.
    """
    matured = alert.raised_ms + matures_ms
    counted = {each.read: each for each in alert.readings if each.at_ms + undo_ms <= matured}
    settled = _settled_ms(counted, alert.second_drawn, undo_ms)
    if settled is not None and settled <= now_ms:
        return Final(alert.number, value_of(counted.values()), settled)
    if matured <= now_ms:
        return Final(alert.number, value_of(counted.values()), matured)
    return None


def value_of(readings: Iterable[Reading]) -> Value:
    """What the readings amount to: two that agree, or the third where they do not; without one: undecided.

    A single reading counts as it is: how many are read twice is watched elsewhere.
    """
    by = {each.read: each.value for each in readings}
    first, second, third = by.get(1), by.get(2), by.get(3)
    if first is None:
        return Value.UNDECIDED
    if second is None or second == first:
        return _MEANS[first]
    return Value.UNDECIDED if third is None else _MEANS[third]


def in_time(alert: Awaited, *, now_ms: int, undo_ms: int) -> bool | None:
    """Whether a person had decided by the time that the charter gives; None while that may still change.

    A verdict that was taken back is none: then the next one counts.
    """
    first = next((each for each in alert.readings if each.read == 1), None)
    if first is not None and first.at_ms + undo_ms <= now_ms:
        return first.at_ms <= alert.due_ms
    return False if alert.due_ms + undo_ms < now_ms and (first is None or first.at_ms > alert.due_ms) else None


def _settled_ms(readings: dict[Place, Reading], second_drawn: bool | None, undo_ms: int) -> int | None:
    """When everything that is owed had been read and could not be undone any more; None: it has not."""
    first, second, third = readings.get(1), readings.get(2), readings.get(3)
    if first is None:
        return None
    needed = [first]
    if second is not None:
        needed.append(second)
        if second.value != first.value:
            if third is None:
                return None
            needed.append(third)
    elif second_drawn is not False:
        return None
    return max(each.at_ms for each in needed) + undo_ms
