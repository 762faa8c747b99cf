"""A small control room for tests: facts by their shortest names, on days that are easy to reckon with."""

from __future__ import annotations

from typing import Any

from watchglass.access.misuse import Access, Approval, Case, Facts, Incident, Shift, Signal, What, misuse_signals
from watchglass.core.time import DAY, HOUR, MINUTE

T0 = 20_700 * DAY
END = T0 + 200 * DAY


def at(day: float, hour: float = 12.0) -> int:
    return T0 + int(day * DAY) + int(hour * HOUR)


def clip(name: str, person: str, when: int, source: str = "square", **more: Any) -> Access:
    return Access(name, person, when, What.CLIP_VIEW, source, **more)


def request(name: str, person: str, when: int, source: str = "square", **more: Any) -> Access:
    return Access(name, person, when, What.RELEASE_REQUEST, source, when - HOUR, when - HOUR + 10 * MINUTE, **more)


def case(name: str, person: str, opened: int, closed: int | None = None) -> Case:
    return Case(name, opened, frozenset({person}), closed)


def alert(name: str, raised: int, settled: int | None = None, source: str = "square") -> Incident:
    return Incident(name, source, raised, settled)


def shifts(person: str, days: int = 200, begin: float = 8.0, hours: float = 8.0) -> tuple[Shift, ...]:
    return tuple(Shift(person, at(day, begin), at(day, begin + hours)) for day in range(days))


def answer(name: str, requester: str, approver: str, asked: int, took: int, *, yes: bool = True) -> Approval:
    return Approval(name + approver, name, requester, approver, asked, asked + took, yes)


def facts(*values: Any, until: int = END, since: int = T0) -> Facts:
    """Facts of every kind, each put where it belongs by its type."""
    place = {
        "Access": "accesses", "Case": "cases", "Shift": "shifts", "Dispatch": "dispatches", "Incident": "incidents",
        "Verdict": "verdicts", "Approval": "approvals", "GlassBreak": "breaks", "Outcome": "outcomes",
        "Review": "reviews", "Disposition": "dispositions",
    }  # fmt: skip
    sorted_out: dict[str, tuple[Any, ...]] = {}
    for value in values:
        for each in value if isinstance(value, tuple) else (value,):
            name = place[type(each).__name__]
            sorted_out[name] = (*sorted_out.get(name, ()), each)
    return Facts(since, until, **sorted_out)


def signals(*values: Any, kind: str, **more: Any) -> list[Signal]:
    """The signals of one kind."""
    return [signal for signal in misuse_signals(facts(*values, **more)) if signal.kind == kind]
