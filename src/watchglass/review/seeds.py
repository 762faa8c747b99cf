"""Seeded checks: past alerts whose answer is known, shown again among the others to see how people judge.

What may serve: an alert about which enough is known (two people agreed about it, or it was found on the spot), whose
picture is there for some time yet, at about the hour of the day at which it was noticed. When: at random moments, never
while much waits or something is overdue, for real alerts come first. To whom: to nobody who has seen it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.charter.reviewing import SeededChecks
from watchglass.core.time import HOUR, MINUTE
from watchglass.review.model import Outcome, VerdictValue
from watchglass.review.reads import WHOLE, Judged, alike, owed

YOUNGEST_MS: Final = 20 * HOUR
"""What is younger is still remembered by whoever heard of it."""
LASTS_MS: Final = 2 * HOUR
"""Its picture must be there for so long yet: nobody may be asked about what is being destroyed."""
MOST_TIMES: Final = 2
MOST_WAITING: Final = 8
"""While more alerts wait than this, nothing is shown again."""
MEAN_MS: Final = 20 * MINUTE
"""How long, on average, what is owed waits for its moment."""
FOUND: Final = frozenset({Outcome.FOUND_HELPED, Outcome.FOUND_NO_HELP_NEEDED})


@dataclass(frozen=True, slots=True)
class Settled:
    """A past alert whose answer is known.

    Attributes:
        truth: ``confirm`` or ``reject``. picture_until_ms: when retention destroys what it shows.
        times: how often it served already.
    """

    alert: str
    analytic: str
    raised_ms: int
    truth: VerdictValue
    picture_until_ms: int
    times: int = 0

    def serves(self, now_ms: int) -> bool:
        """Whether it may be shown again now."""
        return (
            self.times < MOST_TIMES
            and now_ms - self.raised_ms >= YOUNGEST_MS
            and self.picture_until_ms - now_ms >= LASTS_MS
            and alike(self.raised_ms, now_ms)
        )


def truth_of(judged: Judged, outcome: Outcome | None) -> VerdictValue | None:
    """What an alert was, where enough is known about it; None where it is one person's word.

    That nothing was found proves nothing: whoever it was may have gone. A third person's word after two that differ is
    one person's word too, but two of the three agree then; where all three differ, nothing is known.
    """
    said = [value for value in (judged.first, judged.second, judged.third) if value is not None]
    for value in (VerdictValue.CONFIRM, VerdictValue.REJECT):
        if said.count(value) > 1:
            return value
    return VerdictValue.CONFIRM if outcome in FOUND and said == [VerdictValue.CONFIRM] else None


def checks_owed(checks: SeededChecks, alerts: int, shown: int, answered: Iterable[int], now_ms: int) -> bool:
    """Whether a check should come soon.

    Args:
        alerts, shown: how many alerts were noticed, and how many checks shown, in the last 30 days.
        answered: how many checks each of those on duty has answered in this calendar month.
    """
    if shown * 1000 < alerts * checks.share:
        return True
    least = owed(checks.at_least_per_reviewer_month, now_ms)
    return any(number < least for number in answered)


def now_is_the_moment(number: int, passed_ms: int, mean_ms: int = MEAN_MS) -> bool:
    """Whether what is owed comes now: with the same chance in every moment, so that nobody can expect it.

    Args:
        number: drawn, from 0 to a million. passed_ms: since this was asked the last time.
    """
    return number * mean_ms < WHOLE * passed_ms


def pick(settled: Sequence[Settled], now_ms: int, coin: int, number: int) -> Settled | None:
    """One that serves now: true and false ones as often, where there are both; among those any alike.

    Args:
        coin, number: drawn.
    """
    able = [each for each in settled if each.serves(now_ms)]
    wanted = VerdictValue.CONFIRM if coin % 2 else VerdictValue.REJECT
    among = [each for each in able if each.truth is wanted] or able
    return among[number % len(among)] if among else None
