"""When somebody looked: outside every shift of theirs, or after a long silence and at an hour unlike their own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import Access, What
from watchglass.access.misuse.signal import Earlier, Kind, Signal
from watchglass.core.time import DAY, HOUR


def sessions(accesses: Sequence[Access], gap_ms: int) -> Iterator[tuple[Access, ...]]:
    """One person's accesses, cut where nothing was done for ``gap_ms`` or longer."""
    current: list[Access] = []
    for access in accesses:
        if current and access.at_ms - current[-1].at_ms >= gap_ms:
            yield tuple(current)
            current = []
        current.append(access)
    if current:
        yield tuple(current)


def off_shift(
    explainer: Explainer, person: str, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """One signal for each session with accesses outside every shift, overtime allowed for, that no dispatch explains.

    Not where somebody decided alerts in it: they worked a shift that the roster does not have. Only where there is a
    roster. Somebody without a shift in it is off shift always.

    Args:
        accesses: all of this person, in time.
    """
    if not explainer.rostered:
        return
    for session, judged in _judged(explainer, accesses, earlier, until_ms):
        outside = [
            access
            for access in session
            if access.what is not What.OPENINGS_TAKEN
            and not explainer.on_shift(person, access.at_ms)
            and not explainer.called(person, access.at_ms)
        ]
        if outside and explainer.decided(person, session, judged) < explainer.thresholds.worked_verdicts:
            hours = explainer.thresholds.shift_margin_ms / HOUR
            yield Signal(
                Kind.OFF_SHIFT,
                person,
                f"{person} was at work with pictures or cases {_times(len(outside))} more than {hours:g} hours outside "
                f"any shift, from {day(outside[0].at_ms)} on, and no dispatch called them in.",
                _ids(outside),
                judged,
            )


def isolated_session(
    explainer: Explainer, person: str, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Small sessions between two long silences, at an hour at which this person is hardly ever there.

    Not where all of it was assigned: an alert in the queue, a dispatch. Where little is known of somebody's hours
    nothing is said.

    Args:
        accesses: all of this person, in time.
    """
    limits = explainer.thresholds
    times = [access.at_ms for access in accesses]
    for session, judged in _judged(explainer, accesses, earlier, until_ms):
        things = {access.alert or access.id for access in session}  # to look again at one thing makes a visit no busier
        if len(things) > limits.isolated_most or all(explainer.assigned(access, judged) for access in session):
            continue
        begun = session[0].at_ms
        before = times[bisect_left(times, begun - limits.baseline_ms) : bisect_left(times, begun)]
        if len(before) < limits.baseline_least:
            continue
        near = sum(_apart(each, begun) <= limits.baseline_hours * HOUR for each in before)
        if near / len(before) >= limits.baseline_share:
            continue
        yield Signal(
            Kind.ISOLATED_SESSION,
            person,
            f"{person} was there for {_times(len(session), 'access', 'accesses')} on {day(begun)}, after and before at "
            f"least {limits.session_gap_ms // HOUR} hours of silence, at an hour at which {near} of their last "
            f"{len(before)} accesses were.",
            _ids(session),
            judged,
        )


def _judged(
    explainer: Explainer, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[tuple[tuple[Access, ...], int]]:
    """Sessions that are over and were not judged in an earlier run."""
    gap = explainer.thresholds.session_gap_ms
    for session in sessions(accesses, gap):
        judged = session[-1].at_ms + gap
        if earlier.until_ms < judged <= until_ms:
            yield session, judged


def _apart(one_ms: int, other_ms: int) -> int:
    """How far apart two moments are on the clock, at most half a day."""
    apart = abs(one_ms - other_ms) % DAY
    return min(apart, DAY - apart)


def _ids(accesses: Sequence[Access]) -> tuple[str, ...]:
    return tuple(sorted(access.id for access in accesses))


def _times(count: int, one: str = "time", more: str = "times") -> str:
    return f"{count} {one if count == 1 else more}"
