"""What watching costs, reckoned from prices that the charter states and from what was measured. Pure.

A camera's share of the machine is the processor time that looking at it takes, over all that the machine has. What is
bought and stands idle is not a camera's, so the whole machine's cost is always shown beside it.

What looking at everything would have cost is reckoned from the same measurements: pictures that were not decoded, times
what decoding one has taken here; and pictures that the detector did not see, times what one look of it has taken here.

Means come from consecutive blocks of time, because neighbouring minutes are alike: the interval is Student's over the
blocks' means (batch means; Law, Simulation Modeling and Analysis, 9.5.3), at 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from watchglass.charter.model import Costs
from watchglass.review.frequency import FEWEST
from watchglass.statistics.intervals import Z95

MONTH_DAYS: Final = 365.25 / 12
FEWEST_BLOCKS: Final = 8
"""Fewer stretches of time say more about chance than about the camera."""

BLOCKS: Final = 10
LEAST_SECONDS: Final = 600
FEWEST_DECODED: Final = 500
FEWEST_LOOKS: Final = 100
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Use:
    """What one source took in one stretch of time: seconds heard, frames, and milliseconds of one core.

    Attributes:
        cores: how many the machine has.
    """

    seconds: int
    frames: int
    decoded: int
    inferences: int
    cpu_ms: int
    decode_ms: int
    detect_ms: int
    cores: int

    def __add__(self, other: Use) -> Use:
        return Use(
            self.seconds + other.seconds,
            self.frames + other.frames,
            self.decoded + other.decoded,
            self.inferences + other.inferences,
            self.cpu_ms + other.cpu_ms,
            self.decode_ms + other.decode_ms,
            self.detect_ms + other.detect_ms,
            max(self.cores, other.cores),
        )


NOTHING: Final = Use(0, 0, 0, 0, 0, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, from ``n`` stretches or cases."""

    value: float
    low: float
    high: float
    n: int

    def times(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.n)


def estimate(values: Sequence[float], fewest: int = FEWEST_BLOCKS) -> Estimate | None:
    """The mean of ``values``, which may not be below zero; None where there are not enough.

    Student's quantile by Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5), good to a hundredth from seven
    degrees of freedom on.
    """
    n = len(values)
    if n < max(fewest, _PAIR):
        return None
    mean = sum(values) / n
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    free, z = n - 1, Z95
    student = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    reach = student * spread / math.sqrt(n)
    return Estimate(mean, max(0.0, mean - reach), mean + reach, n)


def blocks(uses: Sequence[Use]) -> list[Use]:
    """Consecutive stretches put together until there are ten to nineteen, as even as they come."""
    size = max(1, len(uses) // BLOCKS)
    whole = [uses[at : at + size] for at in range(0, len(uses), size)]
    if len(whole) > 1 and len(whole[-1]) < size / 2:
        whole[-2:] = [[*whole[-2], *whole[-1]]]
    return [_sum(each) for each in whole]


def _sum(uses: Iterable[Use]) -> Use:
    total = NOTHING
    for use in uses:
        total += use
    return total


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What the same pictures would have taken, had all been decoded, and had the detector looked at each.

    Attributes:
        decode_ms, detect_ms: one picture's, as measured here.
        decoded, detected: times of what it took.
    """

    decode_ms: float
    detect_ms: float
    decoded: float
    detected: float


@dataclass(frozen=True, slots=True)
class CameraCost:
    """What one camera takes and costs a month; None where there is not enough data yet.

    Attributes:
        cores: processor time a second, in cores. share: of the machine.
        hardware, energy, total: money a month.
        otherwise: times of that, had everything been looked at.
    """

    source: str
    place: str
    hours: float
    cores: Estimate | None
    share: Estimate | None
    hardware: Estimate | None
    energy: Estimate | None
    total: Estimate | None
    otherwise: Otherwise | None


def machine_month(costs: Costs) -> tuple[float, float | None]:
    """What the whole machine costs a month: itself, and its electricity where that is known."""
    energy = None if costs.watts is None else costs.watts / 1000 * 24 * MONTH_DAYS * costs.kwh_price
    return costs.hardware_per_year / 12, energy


def camera_cost(source: str, place: str, uses: Sequence[Use], costs: Costs | None) -> CameraCost:
    """What one camera takes, stretch by stretch in their order, and what that costs where there are prices."""
    whole = _sum(uses)
    empty = CameraCost(source, place, round(whole.seconds / 3600, 2), None, None, None, None, None, None)
    if whole.seconds < LEAST_SECONDS:
        return empty
    parts = [use.cpu_ms / 1000 / use.seconds for use in blocks([use for use in uses if use.seconds])]
    around = estimate(parts)
    if around is None:
        return empty
    mean = whole.cpu_ms / 1000 / whole.seconds
    cores = replace(around, value=mean, low=min(around.low, mean), high=max(around.high, mean))
    share = cores.times(1 / whole.cores)
    taken = replace(empty, cores=cores, share=share, otherwise=otherwise(whole))
    if costs is None:
        return taken
    hardware, energy = machine_month(costs)
    return replace(
        taken,
        hardware=share.times(hardware),
        energy=None if energy is None else share.times(energy),
        total=share.times(hardware + (energy or 0.0)),
    )


def otherwise(use: Use) -> Otherwise | None:
    """What everything would have taken; None where decoding or detecting was hardly ever measured."""
    if use.decoded < FEWEST_DECODED or use.inferences < FEWEST_LOOKS or not (use.decode_ms and use.detect_ms):
        return None
    decode, detect = use.decode_ms / use.decoded, use.detect_ms / use.inferences
    all_decoded = use.cpu_ms + max(0, use.frames - use.decoded) * decode
    all_detected = all_decoded + max(0, use.frames - use.inferences) * detect
    return Otherwise(round(decode, 2), round(detect, 1), all_decoded / use.cpu_ms, all_detected / use.cpu_ms)


@dataclass(frozen=True, slots=True)
class ReviewCost:
    """What people's time costs.

    Attributes:
        alerts, confirmed: in the days looked at.
        minutes: a reviewer's for one alert, at most; None where there is not enough data.
        month: money a month.
        each: money for a confirmed alert, cameras and people together; None where there is not enough data.
    """

    days: int
    alerts: int
    decided: int
    confirmed: int
    minutes: Estimate | None
    month: Estimate | None
    each: Estimate | None

    FEWEST: ClassVar = FEWEST


def review_cost(
    times_ms: Sequence[int],
    alerts: int,
    confirmed: int,
    days: int,
    cameras: Sequence[CameraCost],
    costs: Costs,
    *,
    again: int = 0,
) -> ReviewCost:
    """The cost of deciding, and of one alert that a person confirmed.

    Args:
        times_ms: how long each decision took at most.
        alerts, confirmed: how many there were in ``days``.
        cameras: what cameras cost; without one of them the cost of an alert is not known.
        again: how many alerts were judged once more in ``days``, which costs as much time each.
    """
    minutes = estimate([time / 60_000 for time in times_ms], FEWEST)
    empty = ReviewCost(days, alerts, len(times_ms), confirmed, minutes, None, None)
    if minutes is None:
        return empty
    month = minutes.times(costs.reviewer_minute * (alerts + again) / days * MONTH_DAYS)
    machine = [camera.total for camera in cameras]
    totals = [total for total in machine if total is not None]
    if confirmed < FEWEST or len(totals) < len(machine) or not machine:
        return replace(empty, month=month)
    a_month = confirmed / days * MONTH_DAYS
    low, value, high = (
        (sum(getattr(total, part) for total in totals) + getattr(month, part)) / a_month
        for part in ("low", "value", "high")
    )
    return replace(empty, month=month, each=Estimate(value, low, high, confirmed))
