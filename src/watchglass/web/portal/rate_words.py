"""Rates, limits and times in words, for people who read no statistics."""

from __future__ import annotations

import math
from typing import Final

from watchglass.acts.public_quality import Limit, Rule
from watchglass.acts.reading import Delay
from watchglass.core.time import MINUTE, SECOND
from watchglass.quality.compare import Comparison
from watchglass.quality.disparity import PARTS
from watchglass.quality.rates import FEWEST_DAYS, Near, Nearness, Rate
from watchglass.quality.seen import BRIGHT, DARK, LARGE, SMALL

MONTH_DAYS: Final = 30
NEAR_WORDS: Final = {
    Near.FEW: "Not enough data yet to say.",
    Near.CLEAR: "Kept, and not by chance alone.",
    Near.NEAR: "Kept so far; chance could hide that it is not.",
    Near.OVER: "Beyond it so far; that can still be chance.",
    Near.BEYOND: "Beyond it. It stops as soon as its test, which is looked at after every alert, is sure.",
}
BY_WORDS: Final = {
    "light": "By the light (whether the sun was up)",
    "lighting": "By how bright the picture was",
    "view": "By what the camera showed it in",
    "size": "By how large what was followed looked (median height)",
    "in_view": "By how many people and things were in view",
    "conditions": "By whether the camera met the conditions that the rules state for it",
}
GROUP_WORDS: Final = {
    "light": {"day": "By day", "night": "By night"},
    "lighting": {
        "dark": f"Dark (below {DARK:.0f} of 255)",
        "dim": f"Dim (below {BRIGHT:.0f})",
        "bright": f"Bright ({BRIGHT:.0f} and more)",
    },
    "view": {"colour": "In colour", "infrared": "In infrared"},
    "size": {
        "small": f"Small (below {SMALL:.0f} pixels)",
        "middle": f"Middle (below {LARGE:.0f})",
        "large": f"Large ({LARGE:.0f} and more)",
    },
    "conditions": {"met": "Met", "not met": "Not met"},
    "in_view": {"one": "One", "two to four": "Two to four", "five or more": "Five or more"},
}

HOUR_WORDS: Final = {name: f"{name.replace('-', ' to ')} o'clock" for name in PARTS}


def false_words(rate: Rate | None) -> str:
    """How often it was wrong in a day of watching."""
    if rate is None:
        return "How often it is wrong in a day cannot be told: no heartbeats say for how long it was watched."
    days = _days(rate.days)
    if rate.value is None or rate.low is None or rate.high is None:
        return f"Not enough data yet: it was watching for {days}. A rate is shown from {FEWEST_DAYS:.0f} days on."
    if not rate.happened:
        return f"In {days} of watching none was wrong: likely fewer than {_number(rate.high * MONTH_DAYS)} in 30 days."
    what = "alert was" if rate.happened == 1 else "alerts were"
    unit, scale = ("a day", 1) if rate.value >= 1 else ("in 30 days", MONTH_DAYS)
    return (
        f"In {days} of watching, {rate.happened} {what} wrong or left without an answer: about "
        f"{_number(rate.value * scale)} {unit}, likely between {_number(rate.low * scale)} and "
        f"{_number(rate.high * scale)}."
    )


def degraded_words(share: float | None) -> str:
    """For how much of the time a camera did not meet its conditions."""
    if share is None:
        return "For how long its camera did not meet the conditions that the rules state cannot be told."
    if not share:
        return "Its camera met the conditions that the rules state for it, all the time that it was watching."
    parts = max(1, round(100 * share))
    return (
        f"For about {parts} of 100 parts of the time that it was watching, its camera did not meet the conditions that "
        "the rules state for it. Alerts of that time say so, and the limits count them like all others."
    )


def delay_words(what: str, delay: Delay) -> str:
    """How long something took: half of the time, and nearly always."""
    if delay.median_ms is None or delay.low_ms is None or delay.high_ms is None:
        return f"Not enough data yet: {delay.n} were {what}. A time is shown from {Delay.FEWEST} on."
    most = f" 95 of 100 were within {_time(delay.p95_ms)}." if delay.p95_ms is not None else ""
    return (
        f"Half of {delay.n} were {what} within {_time(delay.median_ms)}, likely between {_time(delay.low_ms)} and "
        f"{_time(delay.high_ms)}.{most}"
    )


def seen_words(limit: Nearness) -> str:
    """What was seen of a limit, with its interval."""
    what = {
        "precision_at_least": "were wrong or left without an answer",
        "reviewed_in_time_at_least": "were not decided in time",
        "undecided_at_most": "were left without a clear answer",
    }.get(limit.limit)
    if what is not None:
        said = f"{limit.k} of {limit.n:.0f} {what}"
        if limit.low is None or limit.high is None:
            return f"{said}."
        return f"{said}; likely between {percent_down(limit.low)} and {percent_up(limit.high)} of 100."
    if limit.limit == "false_alerts_per_week":
        said = f"{limit.k} in {_days(limit.n * 7)}"
        if limit.seen is None or limit.low is None or limit.high is None:
            return f"{said}."
        return f"{said}: {_number(limit.seen)} a week, likely between {_number(limit.low)} and {_number(limit.high)}."
    if limit.seen is None or limit.low is None:
        return "In one of the two there are too few alerts, or none was wrong."
    ends = f"at least {_number(limit.low)}" if limit.high is None else _between(limit.low, limit.high)
    return f"{_number(limit.seen)} times as often; likely {ends} times."


def near_words(limit: Limit) -> str:
    """How near a limit is."""
    return NEAR_WORDS[limit.seen.near]


def differ_words(found: Comparison) -> str:
    """What groups side by side show, and what they do not."""
    if found.differs is None:
        return "There is nothing to compare yet."
    if found.differs:
        return "They differ by more than chance explains."
    return "No difference beyond chance can be seen; that is no proof that there is none."


def summary(rules: tuple[Rule, ...]) -> str:
    """How many rules stand how, in one sentence."""
    states = [rule.stands["state"] if rule.stands else "none" for rule in rules]
    words = {
        "within": ("keeps its limits", "keep their limits", ""),
        "trial": ("is", "are", "on trial"),
        "unknown": ("has", "have", "too few alerts lately to tell"),
        "suspended": ("is", "are", "suspended by a limit"),
        "none": ("has", "have", "no published limit"),
    }
    parts = [
        f"{n} {words[state][0 if n == 1 else 1]} {words[state][2]}".strip()
        for state in words
        if (n := states.count(state))
    ]
    if not parts:
        return "No rule looks here."
    told = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
    return f"Of {len(rules)} rules here, {told}." if len(rules) > 1 else f"One rule looks here: {told}."


def percent_down(share: float) -> int:
    return math.floor(100 * share + 1e-9)


def percent_up(share: float) -> int:
    return math.ceil(100 * share - 1e-9)


def _between(low: float, high: float) -> str:
    return f"between {_number(low)} and {_number(high)}"


def _days(days: float) -> str:
    return f"{days:.0f} camera-day{'' if round(days) == 1 else 's'}"


def _number(value: float) -> str:
    """Two digits that say something, and never more: 0.041, 2.1, 14."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{float(f'{value:.1g}'):g}"  # noqa: PLR2004 (digits that say something)


def _time(ms: int) -> str:
    """``18 seconds``, ``4 minutes``; in seconds up to two minutes."""
    if ms < 2 * MINUTE:
        seconds = round(ms / SECOND)
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{round(ms / MINUTE)} minutes"
