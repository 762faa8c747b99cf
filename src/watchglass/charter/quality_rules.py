"""What lint looks for in limits: whether each could ever act, how soon, and what is not promised at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.hours import Hours
from watchglass.charter.limits import LimitName, QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.phrases import in_natural, plain
from watchglass.charter.reckoning import Reckoned, Trust, notices, trusts, wrong_together
from watchglass.charter.rules import Hit, Rule
from watchglass.core.errors import BadInput

_AT: Final = ("quality",)
_SLOW_WEEKS: Final = 13
_A_DAY: Final = 24 * 60
_NOON: Final = range(10 * 60, 15 * 60)
_MIDNIGHT: Final = (*range(22 * 60, _A_DAY), *range(2 * 60))


def nothing_promised(charter: Charter) -> Iterator[Hit]:
    for analytic in charter.analytics:
        if charter.limits_of(analytic.name) is None and analytic.kind != "camera_fault":
            told = f"{analytic.name!r} has no limits: nobody promises how often it is right, and nothing stops it by "
            yield ("analytics", analytic.name), f"{told}itself, however often it is wrong."


def acts_in_time(charter: Charter) -> Iterator[Hit]:
    holds = _weeks_in_force(charter)
    for reckoned in _reckoned(charter):
        never = f"{_limit(charter, reckoned)} of {reckoned.analytic!r} could never act"
        if reckoned.limit == "recall_at_least":
            continue
        if reckoned.weeks is None:
            yield _path(reckoned), f"{never}, however long it waits."
        elif reckoned.weeks > holds:
            yield _path(reckoned), f"{never}: {_would(charter, reckoned)} The charter holds for {_weeks(holds)}."


def acts_late(charter: Charter) -> Iterator[Hit]:
    for reckoned in _acting(charter):
        if reckoned.weeks is not None and reckoned.weeks > _SLOW_WEEKS:
            late = f"{_limit(charter, reckoned)} of {reckoned.analytic!r} acts late: after about"
            yield _path(reckoned), f"{late} {_weeks(reckoned.weeks)}."


def how_soon(charter: Charter) -> Iterator[Hit]:
    for reckoned in _acting(charter):
        told = f"{_limit(charter, reckoned)} of {reckoned.analytic!r}: {_would(charter, reckoned)}"
        yield _path(reckoned), told


def earns_trust(charter: Charter) -> Iterator[Hit]:
    for trust in _trusted(charter):
        longest = _longest_trial(charter, trust)
        if trust.weeks is None or trust.weeks > longest:
            told = f"{trust.analytic!r} could never pass its trial of {_weeks(longest)}: {_needs(trust)}"
            yield (*_AT, trust.analytic, "trial"), told


def how_much_trust(charter: Charter) -> Iterator[Hit]:
    for trust in _trusted(charter):
        if trust.weeks is not None and trust.weeks <= _longest_trial(charter, trust):
            told = f"On trial nothing that {trust.analytic!r} tells goes further than to reviewers. {_needs(trust)}"
            yield (*_AT, trust.analytic, "trial"), told


def enough_drills(charter: Charter) -> Iterator[Hit]:
    for reckoned in _reckoned(charter):
        limits = _limits(charter, reckoned.analytic)
        if reckoned.limit != "recall_at_least" or charter.quality is None:
            continue
        fewest = max(reckoned.alerts or 0, charter.quality.fewest)
        if reckoned.alerts is None or (limits.drills_planned or 0) < fewest:
            takes = f"it takes {fewest:,} staged drills to notice that twice as many are missed"
            told = f"{_limit(charter, reckoned)} of {reckoned.analytic!r} could never act: {takes}"
            yield _path(reckoned), f"{told}, and {limits.drills_planned} are planned."


def sees_both(charter: Charter) -> Iterator[Hit]:
    for analytic in charter.analytics:
        limits, hours = charter.limits_of(analytic.name), analytic.hours
        if limits is None or limits.disparity_at_most is None or hours is None:
            continue
        seen = _minutes(hours)
        never = "by day" if seen.isdisjoint(_NOON) else "at night" if seen.isdisjoint(_MIDNIGHT) else ""
        if never:
            told = f"{analytic.name!r} runs {hours} and hardly ever {never}, so day and night cannot be compared."
            yield (*_AT, analytic.name, "strata"), told


def more_than_expected(charter: Charter) -> Iterator[Hit]:
    for limits in charter.quality.limits if charter.quality else ():
        borne, expected = limits.false_alerts_per_week, limits.expected_alerts_per_week
        if borne is not None and borne >= 1000 * expected:
            told = f"{plain(borne / 1000)} false alerts a week are borne of {limits.name!r}, and only {plain(expected)}"
            yield (*_AT, limits.name, "false_alerts_per_week"), f"{told} alerts a week are expected at all."


def judged_once(charter: Charter) -> Iterator[Hit]:
    if charter.quality is not None and charter.safeguards.review.second_read is None:
        yield (
            ("safeguards", "review"),
            "Limits count what reviewers say, each alert judged by one person; nobody checks whether that is right.",
        )


def unchecked(charter: Charter) -> Iterator[Hit]:
    review = charter.safeguards.review
    if charter.quality is not None and review.seeded_checks is None:
        yield (
            ("safeguards", "review"),
            "A reviewer who always says yes keeps every limit, and no known alert among the others would show it.",
        )


# ---- in words --------------------------------------------------------------------------------------------------


def _reckoned(charter: Charter) -> tuple[Reckoned, ...]:
    return notices(charter.quality) if charter.quality is not None else ()


def _trusted(charter: Charter) -> tuple[Trust, ...]:
    return trusts(charter.quality) if charter.quality is not None else ()


def _weeks_in_force(charter: Charter) -> float:
    return ((charter.in_force.until - charter.in_force.since).days + 1) / 7


def _longest_trial(charter: Charter, trust: Trust) -> float:
    return min(trust.trial_weeks, _weeks_in_force(charter))


def _acting(charter: Charter) -> Iterator[Reckoned]:
    """The limits that can act while the charter is in force."""
    holds = _weeks_in_force(charter)
    return (each for each in _reckoned(charter) if each.weeks is not None and each.weeks <= holds)


def _path(reckoned: Reckoned) -> tuple[str, ...]:
    return (*_AT, reckoned.analytic, reckoned.limit)


def _limits(charter: Charter, analytic: str) -> QualityLimits:
    limits = charter.limits_of(analytic)
    if limits is None:  # pragma: no cover  (it was reckoned from there)
        raise BadInput(f"{analytic!r} has no limits.", fix="Name one that has.")
    return limits


def _limit(charter: Charter, reckoned: Reckoned) -> str:
    value = getattr(_limits(charter, reckoned.analytic), reckoned.limit)
    return f"`{reckoned.limit}: {value / 1000:g}`"


_BAD: Final[dict[LimitName, str]] = {
    "precision_at_least": "wrong in {bad} alerts, where {borne} are borne,",
    "reviewed_in_time_at_least": "late in {bad} alerts, where {borne} are borne,",
    "undecided_at_most": "left open in {bad} alerts, where {borne} are borne,",
}


def _would(charter: Charter, reckoned: Reckoned) -> str:
    """How soon a detector twice as bad would be noticed, with what that is."""
    limits = _limits(charter, reckoned.analytic)
    borne = limits.tested(reckoned.limit)
    soon = _weeks(reckoned.weeks or 0)
    if reckoned.limit == "false_alerts_per_week":
        return f"twice as many, {plain(reckoned.bad / 1000)} a week, would be noticed after about {soon}."
    counted = f"about {soon}: {reckoned.alerts:,} alerts, at {plain(limits.expected_alerts_per_week)} a week."
    if reckoned.limit == "disparity_at_most":
        return (
            f"{plain(reckoned.bad / 1000)} times as often would be noticed after {counted} That is reckoned with as "
            f"many alerts by day as at night, and {in_natural(wrong_together(limits))} wrong."
        )
    words = _BAD[reckoned.limit].format(bad=in_natural(reckoned.bad), borne=in_natural(borne))
    return f"{words} would be noticed after {counted}"


def _needs(trust: Trust) -> str:
    good = f"If it is wrong in {in_natural(trust.good)} alerts, half as often as it may be,"
    if trust.alerts is None or trust.weeks is None:
        return f"{good} no number of alerts would show it."
    return f"{good} it earns trust after about {trust.alerts:,} alerts: {_weeks(trust.weeks)}."


def _weeks(weeks: float) -> str:
    """``less than a week``, ``2.5 weeks``, ``31 weeks``."""
    if weeks < 1:
        return "less than a week"
    shown = f"{weeks:,.1f}".removesuffix(".0")
    return f"{shown} week{'' if shown == '1' else 's'}"


def _minutes(hours: Hours) -> set[int]:
    length = (hours.end - hours.start) % _A_DAY or _A_DAY
    return {(hours.start + minute) % _A_DAY for minute in range(length)}


QUALITY_RULES: Final = (
    Rule(
        "quality-acts",
        "error",
        "Each limit can act while the charter is in force.",
        "EU AI Act Art. 15(1)",
        "Loosen nothing for this: watch something that alerts more often, give it longer in force, or leave the limit "
        "out, so that nobody relies on it.",
        acts_in_time,
        "warning",
    ),
    Rule(
        "quality-late",
        "warning",
        "Each limit acts within a quarter of a year.",
        "EU AI Act Art. 72",
        "State fewer limits, so that each has more of alpha; or add `false_alerts_per_week`, which acts sooner.",
        acts_late,
        "notice",
    ),
    Rule(
        "quality-soon",
        "notice",
        "How soon each limit would notice a detector twice as bad.",
        "EU AI Act Art. 15(3)",
        "Nothing to do, if that is soon enough. It is reckoned, with the alerts that you expect.",
        how_soon,
    ),
    Rule(
        "quality-trial",
        "error",
        "A good detector can pass its trial.",
        "EU AI Act Art. 9",
        "Give the trial longer, ask for a precision that it exceeds by more, or state fewer limits.",
        earns_trust,
        "warning",
    ),
    Rule(
        "quality-trust",
        "notice",
        "How many alerts it takes to earn trust.",
        "EU AI Act Art. 9",
        "Nothing to do, if the people who wait for it know this.",
        how_much_trust,
    ),
    Rule(
        "quality-drills",
        "error",
        "A limit on what is missed has enough staged drills.",
        "EU AI Act Art. 15(1)",
        "Plan as many drills, or leave the limit out; then what was missed is published as far as it is known.",
        enough_drills,
    ),
    Rule(
        "quality-strata",
        "error",
        "What is compared can both be seen.",
        "EU AI Act Art. 10(2)(f)",
        "Remove `disparity_at_most` and `strata`, or let it run by day and at night.",
        sees_both,
    ),
    Rule(
        "quality-borne",
        "warning",
        "Fewer false alerts are borne than alerts are expected.",
        "GDPR Art. 5(1)(d); LED Art. 4(1)(d)",
        "Lower `false_alerts_per_week`, or correct `expected_alerts_per_week`.",
        more_than_expected,
    ),
    Rule(
        "quality-second-read",
        "warning",
        "Some alerts are judged by two people who do not know of each other.",
        "EU AI Act Art. 14(4)(b)",
        "Add `second_read: 10%` under `safeguards.review`.",
        judged_once,
        "notice",
    ),
    Rule(
        "quality-seeded",
        "warning",
        "Reviewers are checked with alerts whose answer is known.",
        "EU AI Act Art. 14(4)(b)",
        "Add `seeded_checks: {share: 2%, at_least_per_reviewer_month: 10}` under `safeguards.review`.",
        unchecked,
        "notice",
    ),
)
"""Of a charter that states limits."""

NO_LIMITS: Final = Rule(
    "quality-none",
    "warning",
    "It is said how well each analytic must work.",
    "EU AI Act Art. 15(3)",
    "Add its limits under `quality`; see docs/how-to/set-quality-limits.md.",
    nothing_promised,
    "notice",
)
