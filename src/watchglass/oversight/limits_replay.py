"""What published limits say of alerts as openings tell them: the tests of the house, run again by somebody else.

An opening tells the minute, the house knew the moment. Where that leaves open what an alert was when it became final,
two tests run side by side: a *mild* one, for which it was right, and a *strict* one, for which it was wrong. A stop
that the mild one calls for had to come; one that the strict one does not call for had no cause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, NamedTuple

from watchglass.charter.model import Charter
from watchglass.core.time import MINUTE, SECOND
from watchglass.quality.daylight import stratum_of
from watchglass.quality.finality import Reading, Value, value_of
from watchglass.quality.judging import IN_TIME, Counted, Testing, TestName, alpha_of, follow, take

UNDO_MS: Final = 10 * SECOND
"""How long a verdict can be taken back."""
SLACK_MS: Final = 2 * MINUTE
"""What minutes leave open, and the two seconds within which a limit acts."""


class Seen(NamedTuple):
    """An alert as an opening tells it; plain values, for they are kept from audit to audit.

    Attributes:
        at: its index in the log. minute_ms: when it was raised. charter: SHA-256.
        readings: (value, minute) of the verdicts that stand, by the number of the read.
        drawn: whether another judgement was drawn for it.
        open: False where its opening, or that of one of its verdicts, is gone: nobody can tell any more.
    """

    at: int
    leaf: bytes
    minute_ms: int
    source: str
    charter: bytes
    readings: Mapping[int, tuple[str, int]]
    drawn: bool
    open: bool


class Begun(NamedTuple):
    """A record by which an analytic runs again after a stop: when, and by which limit it had been stopped."""

    minute_ms: int
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """A test after one alert: both runs.

    Attributes:
        at: the alert's place in the list. final_ms: by when all up to here that the test counts were surely final.
        sure: False while the test rests on an alert of which nobody can tell any more.
    """

    at: int
    mild: Testing
    strict: Testing
    final_ms: int
    sure: bool
    epoch: int


def replay(
    name: TestName,
    analytic: str,
    alerts: Sequence[Seen],
    resumed: Sequence[Begun],
    charter_of: Callable[[bytes], Charter | None],
    skip: Collection[int] = (),
    waits: Callable[[Seen], int] = lambda _alert: 0,
) -> list[Step]:
    """The test called ``name`` over an analytic's alerts, in the order of the log, step by step.

    Args:
        resumed: the records by which it ran again, in their order.
        charter_of: a charter of the log by its SHA-256; None where it cannot be read, and nothing is judged.
        skip: indices of alerts of staged drills, which count only for whether they were looked at in time.
        waits: until when a test had to wait to know whether an alert is one of those.
    """
    known: dict[bytes, Charter] = {}
    mild: Testing | None = None
    strict: Testing | None = None
    steps: list[Step] = []
    sure, final_ms, epoch = True, 0, 0
    for place, alert in enumerate(alerts):
        charter = known.get(alert.charter) or charter_of(alert.charter)
        if charter is None:
            return steps
        known[alert.charter] = charter
        if name != IN_TIME:
            final_ms = max(final_ms, waits(alert))
            if alert.at in skip:
                continue
        now = sum(each.minute_ms <= alert.minute_ms for each in resumed)
        if now != epoch:
            why = {each.why for each in resumed[epoch:now]}
            if mild is not None and strict is not None and mild.crossed != strict.crossed and name not in why:
                return steps  # whether the house began anew here, minutes do not tell
            mild, strict, epoch = _stopped(mild, name, why), _stopped(strict, name, why), now
        find = known.__getitem__
        mild = follow(mild, name, charter, analytic, epoch, find)
        strict = follow(strict, name, charter, analytic, epoch, find)
        if mild is None or strict is None:
            sure, final_ms = True, 0
            continue
        if strict.first is None:
            sure, final_ms = True, 0
        sure = sure and alert.open
        final_ms = max(final_ms, surely_final(alert, charter, name))
        alpha = alpha_of(charter, name)
        best, worst = outcomes(alert, charter, epoch, place)
        mild, strict = take(mild, best, alpha), take(strict, worst, alpha)
        steps.append(Step(place, mild, strict, final_ms, sure, epoch))
    return steps


def _stopped(testing: Testing | None, name: TestName, why: Iterable[str]) -> Testing | None:
    """The limit by which the house had stopped it starts anew there, so it does here."""
    return replace(testing, crossed=True) if testing is not None and name in why else testing


def outcomes(alert: Seen, charter: Charter, epoch: int, number: int) -> tuple[Counted, Counted]:
    """What the alert may have been for a test: the mildest and the strictest."""
    review = charter.safeguards.review
    matured = alert.minute_ms + review.matures_ms
    early, late = [], []
    for read, (value, at) in alert.readings.items():
        reading = Reading(read, value, at)  # type: ignore[arg-type]  # of a record that was checked
        if at + MINUTE + UNDO_MS <= matured:
            early.append(reading)
        elif at + UNDO_MS <= matured + MINUTE:
            late.append(reading)
    certain = value_of(early)
    values = [certain, value_of([*early, *late])] if late else [certain]
    if not alert.open:
        values = [Value.RIGHT, Value.UNDECIDED]
    order = (Value.RIGHT, Value.WRONG, Value.UNDECIDED)
    values.sort(key=order.index)
    timely = _timely(alert, review.within_ms)
    source = next((each for each in charter.sources if each.name == alert.source), None)
    stratum = stratum_of(source, alert.minute_ms) if source is not None else "day"
    return (
        Counted(number, alert.minute_ms, epoch, stratum, values[0], timely[0]),
        Counted(number, alert.minute_ms, epoch, stratum, values[-1], timely[1]),
    )


def _timely(alert: Seen, within_ms: int) -> tuple[bool, bool]:
    """Whether a person may have decided in time, and whether they surely did."""
    if not alert.open:
        return True, False
    first = alert.readings.get(1)
    if first is None:
        return False, False
    late = first[1] - alert.minute_ms - within_ms
    return late < MINUTE, late <= -MINUTE


def surely_final(alert: Seen, charter: Charter, name: TestName) -> int:
    """By when the alert was final in what the test asks for, at the latest."""
    review = charter.safeguards.review
    matured = alert.minute_ms + MINUTE + review.matures_ms
    first, second, third = (alert.readings.get(read) for read in (1, 2, 3))
    if name == IN_TIME:
        due = alert.minute_ms + MINUTE + review.within_ms + UNDO_MS
        return due if first is None else min(matured, max(due, first[1] + MINUTE + UNDO_MS))
    if first is None or (alert.drawn and second is None):
        return matured
    owed = [first, second, third] if second is not None else [first]
    if second is not None and second[0] == first[0]:
        owed = [first, second]
    if None in owed:
        return matured
    return min(matured, max(each[1] for each in owed if each is not None) + MINUTE + UNDO_MS)


def tests_of(steps: Iterable[Step]) -> list[list[Step]]:
    """The steps of each test by itself: one ends where another model or rule, or a tighter limit, begins it anew.

    A crossing that was needless, because another rule had come by then, says nothing of the test that came after.
    """
    return [list(group) for _, group in groupby(steps, key=lambda step: (step.epoch, step.mild.first))]


def crossing(steps: Iterable[Step], *, mild: bool) -> Step | None:
    """The first step at which one of the two runs had crossed."""
    return next((step for step in steps if (step.mild if mild else step.strict).crossed), None)
