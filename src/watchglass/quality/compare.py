"""Groups side by side: a share or a rate of each, intervals that hold together, and how far apart the groups are.

One machinery for an audit set's misses by size, for alerts per camera-hour by area and for a table of police stops.

*Differentials* are formed as NIST does for face recognition. NISTIR 8280 (Grother, Ngan and Hanaoka, "Face Recognition
Vendor Test Part 3: Demographic Effects", 2019) states how many times one group's error rate is another's. NISTIR 8429
(Grother, "Part 8: Summarizing Demographic Differentials", 2022) sums the groups up in one number: the worst group's
rate over the geometric mean of all, ``worst_over_mean`` here; 1 is parity.

*Intervals* are simultaneous: with m groups each has the level ``1 - alpha / m`` (Bonferroni), so that all of them hold
together with probability ``1 - alpha``, whatever the groups have to do with each other. Each is exact (Clopper and
Pearson 1934 for shares, Garwood 1936 for counts) at the *effective* size, which makes up for things that were not seen
independently: several people in one picture, one person in many pictures (Korn and Graubard, "Confidence intervals for
proportions with small expected number of positive counts estimated from survey data", Survey Methodology 24 (1998),
193-201). A differential's interval is what the groups' intervals leave possible, so it holds whenever they do,
however the worst group was found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.statistics.intervals import clopper_pearson, garwood, ratio_of_rates, ratio_of_shares, z_of

FEWEST: Final = 20
"""Below so many things (pictures, hours), a group is "not enough data"."""

FEWEST_UNITS: Final = 10
"""Below so many independent pictures or stretches of video too: how much they differ cannot be told from fewer."""

ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in one group.

    Attributes:
        happened: how often (misses, false boxes, alerts).
        of: among how many things, or in how much exposure (pictures, camera-hours).
        spread: the design effect: by how much more the outcome varies than if each thing had been seen independently.
        units: how many independent units (pictures, stretches of video, days) it rests on; None: each thing is one.
    """

    happened: int
    of: float
    spread: float = 1.0
    units: int | None = None

    def __post_init__(self) -> None:
        if self.happened < 0 or not math.isfinite(self.of) or self.of < 0:
            raise BadInput(f"{self.happened} of {self.of} cannot be.", fix="Count what happened, and among how many.")
        if not math.isfinite(self.spread) or self.spread < 1:
            raise BadInput("A spread below 1 would make an interval too short.", fix="Give 1 or more.")


def clustered(units: Iterable[tuple[int, float]], *, share: bool) -> Tally:
    """The tally of units that are independent of each other, though what is within one is not.

    The variance of the ratio of sums is linearised (Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.3),
    and divided by what independent things would have. It is never taken to be below theirs. Where nothing or everything
    happened no variance can be seen: each unit then counts once.

    Args:
        units: (how often it happened, among how many) of each picture or stretch; those with none among are left out.
        share: whether it can happen once to each thing (misses); otherwise it is a count in an exposure.
    """
    pairs = [(k, n) for k, n in units if n > 0]
    count, happened, of = len(pairs), sum(k for k, _ in pairs), float(sum(n for _, n in pairs))
    if not count:
        return Tally(0, 0.0, units=0)
    rate = happened / of
    alone = rate * (1 - rate) if share else rate
    if alone <= 0:
        return Tally(happened, of, max(1.0, of / count), count)
    if count == 1:
        return Tally(happened, of, max(1.0, of), 1)
    squares = sum((k - rate * n) ** 2 for k, n in pairs) * count / (count - 1)
    return Tally(happened, of, max(1.0, squares / (of * alone)), count)


@dataclass(frozen=True, slots=True)
class Group:
    """One group.

    Attributes:
        name: as in the table.
        happened, of: what was counted.
        units: on how many independent units it rests.
        value: the share or the rate; None where there are not enough data.
        low, high: its interval, which holds together with those of the other groups; None where there are not enough.
    """

    name: str
    happened: int
    of: float
    units: int | None
    value: float | None
    low: float | None
    high: float | None

    @property
    def enough(self) -> bool:
        """Whether a value may be shown."""
        return self.value is not None

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and the model card; rounded to six digits."""
        return {
            "name": self.name,
            "happened": self.happened,
            "of": _whole(self.of),
            "units": self.units,
            "value": _rounded(self.value),
            "interval": None if self.low is None else [_rounded(self.low), _rounded(self.high)],
            "enough": self.enough,
        }


@dataclass(frozen=True, slots=True)
class Between:
    """One number for the distance between groups.

    Attributes:
        value: None where it has none (a ratio to a group in which nothing happened).
        low, high: what the groups' intervals leave possible; ``high`` is None where there is no bound.
        first, second: the groups that it compares; ``second`` is empty where that is the mean.
    """

    value: float | None
    low: float
    high: float | None
    first: str
    second: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "value": _rounded(self.value),
            "interval": [_rounded(self.low), _rounded(self.high)],
            "first": self.first,
            "second": self.second,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups side by side.

    Attributes:
        groups: all of them, also those without enough data.
        alpha: with probability ``1 - alpha`` every interval here holds.
        worst_over_mean: the highest value over the geometric mean of all (NISTIR 8429); None with fewer than two groups
            that have enough data, as the others.
        worst_over_best: the highest over the lowest.
        gap: the highest less the lowest.
    """

    groups: tuple[Group, ...]
    alpha: float
    worst_over_mean: Between | None
    worst_over_best: Between | None
    gap: Between | None

    @property
    def differs(self) -> bool | None:
        """Whether chance alone is ruled out as the reason of all differences; None where nothing can be compared.

        False is no proof that the groups are alike: there may be too few data to see that they are not.
        """
        return None if self.gap is None else self.gap.low > 0

    def group(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "groups": [group.as_json() for group in self.groups],
            "together": 1 - self.alpha,
            "worst_over_mean": None if self.worst_over_mean is None else self.worst_over_mean.as_json(),
            "worst_over_best": None if self.worst_over_best is None else self.worst_over_best.as_json(),
            "gap": None if self.gap is None else self.gap.as_json(),
            "differs": self.differs,
        }


def shares(tallies: Mapping[str, Tally], *, alpha: float = ALPHA, fewest: int = FEWEST) -> Comparison:
    """Of the things in each group, how many it happened to.

    Raises:
        BadInput: it happened more often than there are things, or a level that is none.
    """
    for name, tally in tallies.items():
        if tally.happened > tally.of:
            raise BadInput(
                f"In the group {name!r} it happened {tally.happened} times among {_whole(tally.of)}.",
                fix="Count a part of a whole, or compare rates.",
            )
    return _compare(tallies, alpha, fewest, _share)


def rates(tallies: Mapping[str, Tally], *, alpha: float = ALPHA, fewest: float = FEWEST) -> Comparison:
    """How often it happened in each group per unit of exposure (a picture, a camera-hour)."""
    return _compare(tallies, alpha, fewest, _rate)


def _share(tally: Tally, alpha: float) -> tuple[float, float, float]:
    value = tally.happened / tally.of
    _, n = _effective(tally, alpha)
    low, high = clopper_pearson(value * n, n, alpha)
    return value, low, high


def _rate(tally: Tally, alpha: float) -> tuple[float, float, float]:
    spread = tally.spread * _wider(tally.units, alpha)
    low, high = garwood(tally.happened / spread, alpha)
    return tally.happened / tally.of, low * spread / tally.of, high * spread / tally.of


def _wider(units: int | None, alpha: float) -> float:
    """What it costs that the spread itself was estimated, from so many units: (t / z) squared."""
    if units is None:
        return 1.0
    z = z_of(alpha)
    return (student(z, units - 1) / z) ** 2


def student(z: float, degrees: int) -> float:
    """The quantile of Student's t that belongs to the normal quantile ``z``, within a percent from nine degrees on.

    Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    """
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / degrees + g2 / degrees**2 + g3 / degrees**3 + g4 / degrees**4


def against(
    tallies: Mapping[str, Tally], reference: str, *, share: bool, alpha: float = ALPHA, fewest: float = FEWEST
) -> tuple[Between, ...]:
    """How many times the reference's share or rate each other group's is, with intervals that hold together.

    For a reference that was chosen before anybody looked. The intervals are Koopman's for shares and exact ones for
    rates, each at ``alpha`` over the number of groups that are compared with it: shorter than what the groups' own
    intervals leave possible.

    Raises:
        BadInput: the reference is no group, or has too few data.
    """
    chosen = tallies.get(reference)
    if chosen is None or not _enough(chosen, fewest):
        raise BadInput(f"There are not enough data of {reference!r} to compare with.", fix="Choose another reference.")
    others = {name: t for name, t in tallies.items() if name != reference and _enough(t, fewest)}
    result = []
    for name, tally in others.items():
        level = alpha / len(others)
        first, second = (_effective(t, level) for t in (tally, chosen))
        low, high = (ratio_of_shares if share else ratio_of_rates)(first, second, level)
        value = (tally.happened / tally.of) / (chosen.happened / chosen.of) if chosen.happened else None
        result.append(Between(value, low, None if math.isinf(high) else high, name, reference))
    return tuple(result)


def _effective(tally: Tally, alpha: float) -> tuple[float, float]:
    spread = tally.spread * _wider(tally.units, alpha)
    return tally.happened / spread, tally.of / spread


def _enough(tally: Tally, fewest: float) -> bool:
    return tally.of >= fewest and (tally.units is None or tally.units >= FEWEST_UNITS)


_Measure = Callable[[Tally, float], tuple[float, float, float]]


def _compare(tallies: Mapping[str, Tally], alpha: float, fewest: float, measure: _Measure) -> Comparison:
    if not 0 < alpha < 1:
        raise BadInput(f"{alpha} is no level.", fix="Use 0.05 for intervals that hold together in 19 cases of 20.")
    if fewest <= 0:
        raise BadInput("A value from nothing cannot be shown.", fix="Ask for at least one.")
    enough = {name for name, tally in tallies.items() if _enough(tally, fewest)}
    groups = []
    for name, tally in tallies.items():
        shown = measure(tally, alpha / len(enough)) if name in enough else (None, None, None)
        groups.append(Group(name, tally.happened, tally.of, tally.units, *shown))
    known = [group for group in groups if group.enough]
    if len(known) < 2:  # noqa: PLR2004 # a comparison is of two
        return Comparison(tuple(groups), alpha, None, None, None)
    return Comparison(tuple(groups), alpha, *_between(known))


def _between(known: list[Group]) -> tuple[Between, Between, Between]:
    """Worst over mean, worst over best, worst less best, with all that the groups' intervals leave possible."""
    values = [(_sure(g.value), _sure(g.low), _sure(g.high)) for g in known]
    worst = max(known, key=lambda g: _sure(g.value))
    best = min(known, key=lambda g: _sure(g.value))
    most, least = _sure(worst.value), _sure(best.value)
    highest_low, lowest_high = max(low for _, low, _ in values), min(high for _, _, high in values)
    highest_high, lowest_low = max(high for _, _, high in values), min(low for _, low, _ in values)
    over_best = Between(
        most / least if least > 0 else None,
        max(1.0, highest_low / lowest_high) if lowest_high > 0 else 1.0,
        highest_high / lowest_low if lowest_low > 0 else None,
        worst.name,
        best.name,
    )
    gap = Between(most - least, max(0.0, highest_low - lowest_high), highest_high - lowest_low, worst.name, best.name)
    return _over_mean(values, worst.name), over_best, gap


def _over_mean(values: list[tuple[float, float, float]], worst: str) -> Between:
    """The worst group over the geometric mean.

    It is least where all others are as near to the highest lower bound as their intervals let them be, and most where
    one group is at its upper bound and the others at their lower ones.
    """
    seen = [value for value, _, _ in values]
    floor = max(low for _, low, _ in values)
    low = floor / _mean([min(floor, high) for _, _, high in values]) if floor > 0 else 1.0
    highest: float | None = 0.0
    for i, (_, _, high) in enumerate(values):
        mean = _mean([high if j == i else other for j, (_, other, _) in enumerate(values)])
        highest = None if mean == 0 or highest is None else max(highest, high / mean)
    mean = _mean(seen)
    return Between(max(seen) / mean if mean > 0 else None, max(1.0, low), highest, worst)


def _mean(values: list[float]) -> float:
    """The geometric mean; 0 where one is 0."""
    if min(values) <= 0:
        return 0.0
    return math.exp(math.fsum(math.log(v) for v in values) / len(values))


def _sure(value: float | None) -> float:
    assert value is not None
    return value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else round(value, 3)
