"""What a charter promises about how well it works, and how its reviewers are checked, in words for residents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from watchglass.charter.limits import AGAIN_WITHIN_MS, LimitName, QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.phrases import capital, duration, full_stop, in_natural, listed, plain, said

_WHOLE: Final = 1000


def quality_words(charter: Charter) -> Iterator[str]:
    """The limits of each analytic, what happens where one is crossed, and what has no limit at all."""
    quality = charter.quality
    if quality is None:
        yield "These rules do not say how often it may be wrong, and nothing stops it by itself, however often it is."
        return
    for limits in quality.limits:
        yield _limits(charter, limits)
    if any(limits.trial_ms is not None for limits in quality.limits):
        yield (
            "On trial, alerts go to the people who decide and no further, until enough of them were right to show that "
            "the limit is kept. If the time is over before that, it stops."
        )
    free = [f"“{said(analytic.name)}”" for analytic in charter.analytics if charter.limits_of(analytic.name) is None]
    if free:
        one = len(free) == 1
        has = "has no limit: nothing stops it by itself" if one else "have no limits: nothing stops them by itself"
        yield f"{capital(listed(free))} {has}, however often {'it is' if one else 'they are'} wrong."
    yield (
        "The limits are checked each time when it is settled whether an alert was right. What stays without an answer "
        "counts as wrong."
    )
    yield (
        "Whatever crosses a limit stops by itself, at once. It runs again when the authority says what was changed and "
        f"the board outside agrees; after a second stop within {duration(AGAIN_WITHIN_MS)}, only under new rules."
    )
    stop = charter.safeguards.on_suspension
    if stop is not None:
        yield f"While it is stopped, people do this instead: {full_stop(stop.people_do)}"
    yield (
        "Chance alone can stop what keeps its limits. If everything always kept them, the chance that any of it was "
        f"ever stopped would be at most {in_natural(quality.alpha)}."
    )
    yield f"How often it was right is shown once there are {quality.fewest} settled alerts; before, nobody can tell."


def review_words(charter: Charter) -> Iterator[str]:
    """Second reads and known alerts."""
    review = charter.safeguards.review
    if review.second_read is not None:
        fewest = review.second_read_at_least_per_reviewer_month
        least = f", and at least {fewest} of each person's decisions in a month" if fewest else ""
        part = in_natural(review.second_read)
        some = "All decisions are" if review.second_read == _WHOLE else f"Of the decisions, {part} are drawn by lot and"
        yield (
            f"{some} made again by a second person who does not know the first answer{least}. Where "
            "the two differ, a third person decides."
        )
    checks = review.seeded_checks
    if checks is not None:
        fewest = checks.at_least_per_reviewer_month
        least = f", at least {fewest} a month for each person" if fewest else ""
        yield (
            f"Of the alerts that they see, {in_natural(checks.share)} are old ones whose answer is known{least}. They "
            "show whether people still look closely. Nobody acts on them, and the person is told afterwards."
        )


def limit_words(charter: Charter, limits: QualityLimits, limit: LimitName) -> str:
    """What one stated limit asks, as the end of a sentence: ``at least 6 of 10 alerts must be right``."""
    return _WORDS[limit](charter, limits)


def _limits(charter: Charter, limits: QualityLimits) -> str:
    asked = "; ".join(limit_words(charter, limits, limit) for limit in limits.stated)
    trial = f". It begins on trial, for {duration(limits.trial_ms)} at most" if limits.trial_ms is not None else ""
    return f"“{said(limits.name)}”: {asked}{trial}."


def _disparity(_charter: Charter, limits: QualityLimits) -> str:
    times = plain((limits.disparity_at_most or 0) / 1000)
    return f"it may be wrong at most {times} times as often at night as by day, and the other way round"


_WORDS: Final[dict[LimitName, Callable[[Charter, QualityLimits], str]]] = {
    "precision_at_least": lambda _, limits: (
        f"at least {in_natural(limits.precision_at_least or 0)} alerts must be right"
    ),
    "false_alerts_per_week": lambda _, limits: (
        f"at most {plain((limits.false_alerts_per_week or 0) / 1000)} false alerts a week"
    ),
    "reviewed_in_time_at_least": lambda charter, limits: (
        f"at least {in_natural(limits.reviewed_in_time_at_least or 0)} alerts must be decided within "
        f"{duration(charter.safeguards.review.within_ms)}"
    ),
    "undecided_at_most": lambda _, limits: (
        f"at most {in_natural(limits.undecided_at_most or 0)} alerts may stay without a clear answer"
    ),
    "disparity_at_most": _disparity,
    "recall_at_least": lambda _, limits: (
        f"it must notice at least {in_natural(limits.recall_at_least or 0)} staged drills "
        f"({limits.drills_planned} are planned)"
    ),
}
