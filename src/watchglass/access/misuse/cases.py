"""Accesses for a case that was not there, was over, was somebody else's, or was opened only afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import MOSAIC, ORIGINALS, Access
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.core.time import DAY, HOUR


def wrong_case(
    explainer: Explainer, person: str, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """What one person did for cases that do not explain it, unless an alert or a dispatch does.

    Args:
        accesses: all of this person.
    """
    found: dict[Kind, list[Mark[Access]]] = {kind: [] for kind in _WINDOWS}
    for access in accesses:
        if access.case is not None and access.what in MOSAIC | ORIGINALS:
            told = _wrong(explainer, access)
            if told is not None and not explainer.assigned(access, told[1]):
                kind, judged = told
                found[kind].append(Mark(access.id, judged, access))
    limits = explainer.thresholds
    for kind, marks in found.items():

        def says(_: int, together: Sequence[Mark[Access]], kind: Kind = kind) -> str | None:
            return _says(explainer, kind, person, [mark.value for mark in together])

        name = _WINDOWS[kind]
        window: int = 1 if name is None else getattr(limits, name)
        yield from patterns(kind, person, marks, says, window_ms=window, earlier=earlier, until_ms=until_ms)


_WINDOWS: dict[Kind, str | None] = {
    Kind.CASE_ABSENT: None,
    Kind.CASE_CLOSED: None,
    Kind.CASE_OF_OTHERS: "others_window_ms",
    Kind.CASE_AFTER_ACCESS: "after_window_ms",
}


def _wrong(explainer: Explainer, access: Access) -> tuple[Kind, int] | None:
    """What is wrong with the case of an access, and when that is known; None where nothing is."""
    limits = explainer.thresholds
    known = max(access.at_ms, access.named_ms or 0)
    if explainer.request_of(access) is not None or known > access.at_ms + limits.wait_ms:
        # the request was judged, and how long it may be used is the charter's to say; or the access was judged without
        return None
    case = explainer.cases.get(access.case or "")
    if case is None or case.opened_ms > known + limits.wait_ms:
        return Kind.CASE_ABSENT, known + limits.wait_ms
    if case.closed_ms is not None and access.at_ms > case.closed_ms + limits.closed_ms:
        return Kind.CASE_CLOSED, known
    if access.person not in case.members:
        return Kind.CASE_OF_OTHERS, max(known, case.opened_ms)
    if case.opened_ms > access.at_ms:
        return Kind.CASE_AFTER_ACCESS, max(known, case.opened_ms)
    return None


def _says(explainer: Explainer, kind: Kind, person: str, found: Sequence[Access]) -> str | None:
    limits, last = explainer.thresholds, found[-1]
    what = f"{person} looked at or asked for {last.source or 'footage'} on {day(last.at_ms)}"
    if kind is Kind.CASE_ABSENT:
        return f"{what} for the case {last.case}, which is not in the records."
    case = explainer.cases[last.case or ""]
    if kind is Kind.CASE_CLOSED:
        late = (last.at_ms - (case.closed_ms or 0)) / DAY
        return f"{what} for the case {case.id}, which had been closed {late:.1f} days before."
    if kind is Kind.CASE_OF_OTHERS:
        return (
            None
            if len(found) < limits.others_times
            else (
                f"{person} looked at or asked for footage {len(found)} times within {limits.others_window_ms // DAY} "
                f"days for cases of others, the last time on {day(last.at_ms)}."
            )
        )
    worst = max(found, key=lambda each: (explainer.cases[each.case or ""].opened_ms - each.at_ms, each.id))
    late_ms = explainer.cases[worst.case or ""].opened_ms - worst.at_ms
    if late_ms > limits.after_ms:
        what = f"{person} looked at or asked for {worst.source or 'footage'} on {day(worst.at_ms)}"
        return f"{what}, and the case {worst.case} that explains it was opened {late_ms / HOUR:.0f} hours later."
    return (
        None
        if len(found) < limits.after_times
        else (
            f"{person} looked first and opened the case afterwards {len(found)} times within "
            f"{limits.after_window_ms // DAY} days, the last time on {day(last.at_ms)}."
        )
    )
