"""What a charter promises about how well it works, as data: for its page and for whoever reckons with it."""

from __future__ import annotations

from typing import Any

from watchglass.charter.limits import Quality, QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.quality_words import limit_words
from watchglass.charter.reckoning import Trust, notices, trusts
from watchglass.core.time import DAY


def promised(charter: Charter) -> dict[str, Any] | None:
    """All that a charter promises about how well it works, with how soon that would show: plain values, for everybody.

    None where it promises nothing. Shares are numbers from 0 to 1 here.
    """
    quality, review = charter.quality, charter.safeguards.review
    if quality is None:
        return None
    trust = {each.analytic: each for each in trusts(quality)}
    checks = review.seeded_checks
    return {
        "alpha": quality.alpha / 1000,
        "alpha_each": quality.alpha_each,
        "fewest": quality.fewest,
        "analytics": [_promised(charter, quality, limits, trust.get(limits.name)) for limits in quality.limits],
        "without_limits": [each.name for each in charter.analytics if charter.limits_of(each.name) is None],
        "matures_ms": review.matures_ms,
        "second_read": None if review.second_read is None else review.second_read / 1000,
        "second_read_at_least_per_reviewer_month": review.second_read_at_least_per_reviewer_month,
        "seeded_checks": None if checks is None else checks.share / 1000,
        "seeded_checks_at_least_per_reviewer_month": 0 if checks is None else checks.at_least_per_reviewer_month,
    }


def _promised(charter: Charter, quality: Quality, limits: QualityLimits, trust: Trust | None) -> dict[str, Any]:
    return {
        "analytic": limits.name,
        "expected_alerts_per_week": limits.expected_alerts_per_week,
        "strata": list(limits.strata),
        "limits": [
            {
                "limit": each.limit,
                "value": getattr(limits, each.limit) / 1000,
                "words": limit_words(charter, limits, each.limit),
                "notices": {"bad": each.bad / 1000, "alerts": each.alerts, "weeks": _rounded(each.weeks)},
            }
            for each in notices(quality)
            if each.analytic == limits.name
        ],
        "trial": None
        if trust is None
        else {"days": (limits.trial_ms or 0) / DAY, "alerts": trust.alerts, "weeks": _rounded(trust.weeks)},
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
