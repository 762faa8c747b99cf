"""What is said about each field of quality and review that changes, and how it weighs: loosening is widening."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from watchglass.charter.limits import LimitName, Quality, QualityLimits
from watchglass.charter.phrases import duration, in_natural, listed, plain, said
from watchglass.charter.reviewing import Review, Samples, SeededChecks
from watchglass.charter.weighing import Told, Weight, more_is_wider, neither, wider


def floor(old: Any, new: Any) -> Weight:
    """Of what must be reached at least: none is looser than any, and less is looser."""
    return "narrowing" if new is not None and (old is None or new > old) else "widening"


def ceiling(old: Any, new: Any) -> Weight:
    """Of what may be reached at most: none is looser than any, and more is looser."""
    return "narrowing" if new is not None and (old is None or new < old) else "widening"


_DIRECTION: Final = {
    "precision_at_least": floor,
    "false_alerts_per_week": ceiling,
    "reviewed_in_time_at_least": floor,
    "undecided_at_most": ceiling,
    "disparity_at_most": ceiling,
    "recall_at_least": floor,
}


def tightened(limit: LimitName, old: int | None, new: int | None) -> bool:
    """Whether a limit asks more than before; a new one does, and one that is gone does not."""
    return old != new and _DIRECTION[limit](old, new) == "narrowing"


def _part(value: int | None) -> str:
    return "no limit" if value is None else in_natural(value)


def _number(value: int | None) -> str:
    return "no limit" if value is None else plain(value / 1000)


def _times(value: int | None) -> str:
    return "no limit" if value is None else f"{plain(value / 1000)} times"


def _known_ones(checks: SeededChecks | None) -> str:
    if checks is None:
        return "no longer checked with alerts whose answer is known"
    least = f", at least {checks.at_least_per_reviewer_month} a month" if checks.at_least_per_reviewer_month else ""
    return f"now checked with alerts whose answer is known: {in_natural(checks.share)}{least}"


def _limit_words(limits: QualityLimits) -> Iterable[str]:
    for limit in limits.stated:
        told = QUALITY[QualityLimits][limit]
        yield f"{_SHORT[limit]} {told.show(getattr(limits, limit))}"


_SHORT: Final[dict[LimitName, str]] = {
    "precision_at_least": "right at least",
    "false_alerts_per_week": "false alerts a week at most",
    "reviewed_in_time_at_least": "decided in time at least",
    "undecided_at_most": "undecided at most",
    "disparity_at_most": "day and night apart by at most",
    "recall_at_least": "staged drills noticed at least",
}


def limits_said(limits: QualityLimits) -> str:
    """All limits of an analytic in one breath."""
    return listed([*_limit_words(limits)])


def quality_said(quality: Quality | None) -> str:
    """Which analytics have limits."""
    if quality is None:
        return "No limits for how well it works are stated any more: nothing stops it by itself."
    names = listed([f"“{said(limits.name)}”" for limits in quality.limits])
    return f"Limits for how well it works are now stated, and crossing one stops it: for {names}."


QUALITY: Final[dict[type, dict[str, Told]]] = {
    Quality: {
        "alpha": Told(
            wider,
            "The chance that a limit stops something that keeps it is now at most {new}, not {old}.",
            in_natural,
        ),
        "fewest": Told(neither, "A rate is now shown from {new} alerts on, not from {old}."),
    },
    QualityLimits: {
        "expected_alerts_per_week": Told(
            neither, "{who} is now expected to alert {new} times a week, not {old} times.", plain
        ),
        "precision_at_least": Told(floor, "So many alerts of {who} must now be right: {new}; before: {old}.", _part),
        "false_alerts_per_week": Told(
            ceiling, "So many false alerts a week of {who} are now borne: {new}; before: {old}.", _number
        ),
        "reviewed_in_time_at_least": Told(
            floor, "So many alerts of {who} must now be decided in time: {new}; before: {old}.", _part
        ),
        "undecided_at_most": Told(
            ceiling, "So many alerts of {who} may now stay without an answer: {new}; before: {old}.", _part
        ),
        "strata": Told(
            neither,
            "What is compared about {who} is now: {new}; before: {old}.",
            lambda strata: listed([*strata]) or "nothing",
        ),
        "disparity_at_most": Told(
            ceiling, "So much more often {who} may now be wrong by day or by night: {new}; before: {old}.", _times
        ),
        "trial_ms": Told(
            lambda _old, new: "widening" if new is None else "maintenance",
            "{who} may now be on trial {new}; before: {old}.",
            lambda ms: "not at all" if ms is None else f"for {duration(ms)}",
        ),
        "recall_at_least": Told(floor, "{who} must now notice so many staged drills: {new}; before: {old}.", _part),
        "drills_planned": Told(
            floor, "So many drills are now planned for {who}: {new}; before: {old}.",
            lambda number: "none" if number is None else str(number),
        ),
    },
    Review: {
        "within_ms": Told(more_is_wider, "A person must now decide within {new}, not within {old}.", duration),
        "second_read": Told(
            floor,
            "So many decisions are now made again by a second person: {new}; before: {old}.",
            lambda value: "none" if value is None else in_natural(value),
        ),
        "second_read_at_least_per_reviewer_month": Told(
            floor, "So many decisions of each reviewer are now made again in a month: {new}; before: {old}."
        ),
        "seeded_checks": Told(
            lambda _old, new: "widening" if new is None else "narrowing", "Reviewers are {new}.", _known_ones
        ),
        "matures_ms": Told(neither, "An alert now counts after {new} at the latest, not after {old}.", duration),
    },
    Samples: {
        "near_misses": Told(
            more_is_wider,
            "Of what came near a rule's threshold, so much is now looked at: {new}; before: {old}.",
            in_natural,
        ),
        "very_near_misses": Told(
            more_is_wider,
            "Of what came very near a rule's threshold, so much is now looked at: {new}; before: {old}.",
            lambda value: "as of what came near" if value is None else in_natural(value),
        ),
        "quiet_a_day": Told(
            more_is_wider,
            "So many quiet moments are now looked at for each 24 hours that an analytic runs: {new}; before: {old}.",
        ),
        "kept_ms": Told(
            more_is_wider, "Samples of what was not alerted are now kept for {new}, not for {old}.", duration
        ),
    },
    SeededChecks: {
        "share": Told(
            floor, "So many of the alerts that reviewers see are now known: {new}; before: {old}.", in_natural
        ),
        "at_least_per_reviewer_month": Told(
            floor, "Each reviewer is now checked with so many known alerts a month: {new}; before: {old}."
        ),
    },
}  # fmt: skip
