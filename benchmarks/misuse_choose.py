"""Choose thresholds on seeds of their own; ``watchglass bench misuse`` reports on others. ``python misuse_choose.py``.

Starting from the defaults, one threshold after the other: of the values of its grid, those that find as many insiders
(the careful one not counted) as the value that finds most; of these the soonest on average, a tenth given; of these the
one with the fewest false signals in honest years; of equal ones the loosest, which stands first. What is chosen is
printed, and typed into ``thresholds.py`` by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from misuse_insiders import INSIDERS
from misuse_measure import SEEDS_TO_CHOOSE, false_signals, found
from watchglass.access.misuse import DEFAULT, Thresholds
from watchglass.core.time import HOUR

GRID: Final[dict[str, tuple[Any, ...]]] = {
    "unexplained_views": (3, 4),
    "repeat_days": (3, 4, 5),
    "repeat_chance": (0.01, 0.001),
    "across_days": (4, 6),
    "shift_margin_ms": (2 * HOUR, 3 * HOUR),
    "baseline_share": (0.02, 0.01),
    "vague_times": (3, 4),
    "copied_times": (4, 6),
    "after_ms": (12 * HOUR, 24 * HOUR),
    "after_times": (2, 3),
    "glass_times": (2, 3),
    "outcome_times": (3, 5),
    "wait_ms": (72 * HOUR, 24 * HOUR),
}

CHOSEN_BY: Final = tuple(name for name in INSIDERS if name != "careful")


@dataclass(frozen=True)
class Tried:
    """What thresholds give on the seeds to choose: insiders found, how soon (mean days), signals of honest years."""

    found: int
    days: float
    false: int


def tried(limits: Thresholds, say: Callable[[str], None], words: str) -> Tried:
    """How many insiders are found, and how many signals honest years give, with these thresholds."""
    each = [found(seed, insider, limits).days for seed in SEEDS_TO_CHOOSE for insider in CHOSEN_BY]
    days = [one for one in each if one is not None]
    false = sum(false_signals(seed, limits).total() for seed in SEEDS_TO_CHOOSE)
    result = Tried(len(days), sum(days) / max(1, len(days)), false)
    say(f"{words:32} found {result.found} of {len(each)} after {result.days:.1f} days, false {false}")
    return result


def choose(say: Callable[[str], None]) -> Thresholds:
    limits, known = DEFAULT, dict[Thresholds, Tried]()
    for name, values in GRID.items():
        results = {}
        for value in values:
            other = replace(limits, **{name: value})
            known[other] = known.get(other) or tried(other, say, f"{name} = {value}")
            results[value] = known[other]
        most = max(result.found for result in results.values())
        kept = {value: result for value, result in results.items() if result.found == most}
        soonest = min(result.days for result in kept.values())
        soon = [value for value, result in kept.items() if result.days <= 1.1 * soonest]
        limits = replace(limits, **{name: min(soon, key=lambda value: results[value].false)})
        say(f"  chosen: {name} = {getattr(limits, name)}")
    return limits


if __name__ == "__main__":
    choose(lambda words: print(words, file=sys.stdout, flush=True))
