"""How near something came to a rule's threshold that it did not reach: told once, when it is over.

A rule says at each look how near each happening is, from 0 to 1, by a measure of its own (``Card.near``). What came
half of the way or more and never the whole is a near-miss, at the moment at which it was nearest. What became an alert
is none; nor is what a gap in looking cut off, for nobody knows how it went on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HALF: Final = 0.5
LIMIT: Final = 0.75
"""Of a rule that asks for an amount and a time: the amount is reached, the time has not begun."""
_NEARLY: Final = 0.8
OVER_MS: Final = 5_000


@dataclass(slots=True)
class Happening:
    """One thing that comes near, for as long as it lasts.

    Attributes:
        serial: tells it from others of the same rule. at_ms, closeness: when it was nearest, and how near.
        told: it reached the threshold.
    """

    serial: int
    at_ms: int
    closeness: float
    seen_ms: int
    told: bool = False


class Nearing:
    """What comes near the threshold of one rule.

    Args:
        over_ms: a happening is over when nothing was seen of it for so long.
    """

    def __init__(self, over_ms: int = OVER_MS) -> None:
        self._over_ms = over_ms
        self._open: dict[int, Happening] = {}
        self._serial = 0

    def __iter__(self) -> Iterator[Happening]:
        """What goes on now and was not told."""
        return (each for each in self._open.values() if not each.told)

    def saw(self, at_ms: int, closeness: float, happening: int = 0, *, goes_on: bool = False) -> None:
        """Say how near a happening is.

        Args:
            at_ms: capture time.
            closeness: 0..1; 1 and more is the threshold itself.
            happening: which of those at the same time; the rule's own number for it.
            goes_on: it is not over, however far it is now.
        """
        one = self._open.get(happening)
        if one is None:
            if closeness < HALF:
                return
            self._serial += 1
            one = self._open[happening] = Happening(self._serial, at_ms, min(closeness, 1.0), at_ms)
        elif closeness < HALF and not goes_on:
            return
        one.seen_ms = at_ms
        one.told = one.told or closeness >= 1
        if closeness > one.closeness:
            one.at_ms, one.closeness = at_ms, closeness

    def told(self, happening: int = 0) -> None:
        """It became an alert, so it is no near-miss."""
        if happening in self._open:
            self._open[happening].told = True

    def over(self, at_ms: int) -> tuple[Happening, ...]:
        """The near-misses that are over at ``at_ms``, each once."""
        gone = [key for key, each in self._open.items() if at_ms - each.seen_ms > self._over_ms]
        ended = [self._open.pop(key) for key in gone]
        return tuple(each for each in ended if not each.told)

    def reset(self) -> None:
        """Forget what goes on: nobody sees how it ends."""
        self._open.clear()


def share_of(held: float, needed: float) -> float:
    """How much of what is needed there is; what needs nothing is never near, it is there or not."""
    return held / needed if needed > 0 else 0.0


def up_to(ratio: float, held: float) -> float:
    """How near a rule is that asks for an amount for a time.

    Args:
        ratio: the amount over the one asked for: half of the way at 80 % of it.
        held: for how much of the time it has been reached.
    """
    if ratio < 1:
        return HALF + (LIMIT - HALF) * (ratio - _NEARLY) / (1 - _NEARLY) if ratio >= _NEARLY else 0.0
    return LIMIT + (1 - LIMIT) * held
