"""Who is watched, and who is acted on: areas side by side, and hours.

Pure functions of rows. A row is one source in one hour of the day (over any span of days): how long it was watched,
what was alerted, what reviewers confirmed, what was found on the spot. An area is a place; there are no people here.

What is watched is known exactly, so it has no interval: camera-hours are counted, not sampled. What is alerted and
confirmed is what came up in that time and could have been a little more or less: rates and shares have intervals that
hold together (``compare``). More watching gives more records, and more records look like more to watch; so alerts are
always set against camera-hours, never compared bare.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.quality.areas import Areas
from watchglass.quality.compare import ALPHA, FEWEST, Comparison, Tally, clustered, rates, shares

HOURS: Final = 24
PARTS: Final = {"0-6": range(6), "6-12": range(6, 12), "12-18": range(12, 18), "18-24": range(18, 24)}
"""Of the day, by the hours in them."""

UNPLACED: Final = "(no area)"
PER_RESIDENTS: Final = 1000
SIMULATED: Final = 2000

By = Literal["area", "hour"]


@dataclass(frozen=True, slots=True)
class Row:
    """One source in one hour of the day.

    Attributes:
        source: its name in the charter.
        hour: of the day there, 0 to 23.
        alerts: raised.
        confirmed: of them, confirmed by reviewers.
        camera_hours: for how long it was watched, as heartbeats show.
        closed: of the confirmed ones, with an outcome entered.
        found: of these, where what was alerted was found on the spot.
        block: the day or week that the row is of; "" where rows are sums. With blocks, alerts that come in bursts widen
            the intervals as they must.
    """

    source: str
    hour: int
    alerts: int
    confirmed: int
    camera_hours: float
    closed: int = 0
    found: int = 0
    block: str = ""

    def __post_init__(self) -> None:
        where = f"{self.source} at {self.hour}"
        if not 0 <= self.hour < HOURS:
            raise BadInput(f"{where}: an hour of the day is 0 to 23.", fix="Write the hour where the camera is.")
        if not (math.isfinite(self.camera_hours) and self.camera_hours >= 0):
            raise BadInput(f"{where}: {self.camera_hours} camera-hours cannot be.", fix="Write a number from 0 on.")
        if not 0 <= self.found <= self.closed <= self.confirmed <= self.alerts:
            raise BadInput(
                f"{where}: of {self.alerts} alerts {self.confirmed} were confirmed, {self.closed} closed and "
                f"{self.found} found.",
                fix="Each is a part of the one before.",
            )
        if self.alerts and not self.camera_hours:
            raise BadInput(f"{where}: alerts without camera-hours.", fix="Say for how long it was watched.")


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much one area is watched: exact.

    Attributes:
        area: its name; ``UNPLACED`` for sources that the file of areas does not name.
        sources: how many.
        camera_hours: in all.
        share: of all camera-hours, 0..1.
        population: residents; None where the file does not say.
        share_of_people: of all residents of areas whose population is known.
        per_residents: camera-hours per ``PER_RESIDENTS`` residents.
    """

    area: str
    sources: int
    camera_hours: float
    share: float
    population: int | None
    share_of_people: float | None
    per_residents: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "area": self.area,
            "sources": self.sources,
            "camera_hours": round(self.camera_hours, 3),
            "share": round(self.share, 6),
            "population": self.population,
            "share_of_people": None if self.share_of_people is None else round(self.share_of_people, 6),
            "per_1000_residents": None if self.per_residents is None else round(self.per_residents, 6),
        }


@dataclass(frozen=True, slots=True)
class Concentration:
    """How unevenly something is spread.

    Attributes:
        lorenz: (share of what it is set against, share of it), the least dense area first, from (0, 0) to (1, 1).
        gini: twice the area between that line and the diagonal: 0 where all areas have the same density.
        by_chance: the middle 95 % of that number if all areas had the same true rate; None where nothing is sampled.
        top: the densest area.
        top_share: its share of it; ``top_expected`` what its exposure alone would give.
        low, high: the interval of ``top_share``, which holds whichever area came out on top; None where nothing is
            sampled.
    """

    lorenz: tuple[tuple[float, float], ...]
    gini: float
    by_chance: tuple[float, float] | None
    top: str
    top_share: float
    top_expected: float
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "lorenz": [[round(x, 6), round(y, 6)] for x, y in self.lorenz],
            "gini": round(self.gini, 6),
            "by_chance": None if self.by_chance is None else [round(v, 6) for v in self.by_chance],
            "top": self.top,
            "top_share": round(self.top_share, 6),
            "top_expected": round(self.top_expected, 6),
            "interval": None if self.low is None or self.high is None else [round(self.low, 6), round(self.high, 6)],
        }


@dataclass(frozen=True, slots=True)
class Watched:
    """Who is watched.

    Attributes:
        exposure: by area, in the order of the file of areas.
        concentration: of camera-hours over residents; None with fewer than two areas whose population is known.
        alerts, confirmed: per camera-hour, by area.
        per_resident: alerts per resident in that time, by area; None as above.
        spread: of alerts over camera-hours; None where there are none.
    """

    exposure: tuple[Exposure, ...]
    concentration: Concentration | None
    alerts: Comparison
    confirmed: Comparison
    per_resident: Comparison | None
    spread: Concentration | None

    def as_json(self) -> dict[str, Any]:
        return {
            "exposure": [one.as_json() for one in self.exposure],
            "concentration": None if self.concentration is None else self.concentration.as_json(),
            "alerts_per_camera_hour": self.alerts.as_json(),
            "confirmed_per_camera_hour": self.confirmed.as_json(),
            "alerts_per_resident": None if self.per_resident is None else self.per_resident.as_json(),
            "alerts_over_camera_hours": None if self.spread is None else self.spread.as_json(),
        }


@dataclass(frozen=True, slots=True)
class ActedOn:
    """Who is acted on: of the alerts how many were confirmed, and of those with an outcome how many were found."""

    by: By
    confirmed: Comparison
    found: Comparison

    def as_json(self) -> dict[str, Any]:
        return {"by": self.by, "confirmed": self.confirmed.as_json(), "found": self.found.as_json()}


def watched(
    rows: Sequence[Row],
    areas: Areas | None = None,
    *,
    random: np.random.Generator | None = None,
    alpha: float = ALPHA,
    fewest: int = FEWEST,
) -> Watched:
    """How much each area is watched, what came of it, and how unevenly.

    Args:
        rows: at least one with camera-hours.
        areas: without it each source is an area of its own.
        random: for ``Concentration.by_chance``, from above; None leaves it out.
        alpha: as in ``compare``.
        fewest: camera-hours (alerts per camera-hour) or residents that an area needs.

    Raises:
        BadInput: nothing was watched.
    """
    total = math.fsum(row.camera_hours for row in rows)
    if total <= 0:
        raise BadInput("Nothing was watched.", fix="Give rows with camera-hours.")
    exposure = _exposure(rows, areas, total)
    residents = {one.area: one.population for one in exposure if one.population is not None}
    alerts = _tallies(rows, areas, "area", lambda row: row.alerts, lambda row: row.camera_hours, share=False)
    sure = _tallies(rows, areas, "area", lambda row: row.confirmed, lambda row: row.camera_hours, share=False)
    counted = {name: Tally(tally.happened, float(residents[name]), tally.spread, tally.units)
               for name, tally in alerts.items() if name in residents}  # fmt: skip
    known = {one.area: one.camera_hours for one in exposure if one.population is not None}
    compared = len(residents) > 1
    return Watched(
        exposure,
        _concentration(known, residents) if compared and sum(known.values()) > 0 else None,
        rates(alerts, alpha=alpha, fewest=fewest),
        rates(sure, alpha=alpha, fewest=fewest),
        rates(counted, alpha=alpha, fewest=fewest) if compared else None,
        _spread(alerts, random, alpha),
    )


def acted_on(
    rows: Sequence[Row], areas: Areas | None = None, *, by: By = "area", alpha: float = ALPHA, fewest: int = FEWEST
) -> ActedOn:
    """Confirmed of alerted and found of closed, by area or by part of the day."""
    confirmed = _tallies(rows, areas, by, lambda row: row.confirmed, lambda row: row.alerts, share=True)
    found = _tallies(rows, areas, by, lambda row: row.found, lambda row: row.closed, share=True)
    return ActedOn(by, shares(confirmed, alpha=alpha, fewest=fewest), shares(found, alpha=alpha, fewest=fewest))


def area_of(source: str, areas: Areas | None) -> str:
    return source if areas is None else areas.of_source.get(source, UNPLACED)


def part_of(hour: int) -> str:
    """The part of the day that an hour is in."""
    return next(name for name, hours in PARTS.items() if hour in hours)


def _groups(rows: Sequence[Row], areas: Areas | None, by: By) -> dict[str, list[Row]]:
    if by == "hour":
        return {name: [row for row in rows if row.hour in hours] for name, hours in PARTS.items()}
    names = areas.names if areas is not None else ()
    groups: dict[str, list[Row]] = {name: [] for name in names}
    for row in rows:
        groups.setdefault(area_of(row.source, areas), []).append(row)
    return groups


def _tallies(
    rows: Sequence[Row],
    areas: Areas | None,
    by: By,
    happened: Callable[[Row], int],
    of: Callable[[Row], float],
    *,
    share: bool,
) -> dict[str, Tally]:
    result = {}
    for name, group in _groups(rows, areas, by).items():
        if any(row.block for row in group):
            units: dict[str, tuple[int, float]] = {}
            for row in group:
                k, n = units.get(row.block, (0, 0.0))
                units[row.block] = (k + happened(row), n + of(row))
            result[name] = clustered(units.values(), share=share)
        else:
            result[name] = Tally(sum(map(happened, group)), math.fsum(map(of, group)))
    return result


def _exposure(rows: Sequence[Row], areas: Areas | None, total: float) -> tuple[Exposure, ...]:
    people = sum(areas.population.values()) if areas is not None else 0
    result = []
    for name, group in _groups(rows, areas, "area").items():
        hours = math.fsum(row.camera_hours for row in group)
        residents = areas.population.get(name) if areas is not None else None
        result.append(
            Exposure(
                name, len({row.source for row in group}), hours, hours / total, residents,
                residents / people if residents is not None else None,
                hours / residents * PER_RESIDENTS if residents is not None else None,
            )
        )  # fmt: skip
    return tuple(result)


# ---- concentration ---------------------------------------------------------------------------------------------------


def lorenz(amounts: Mapping[str, float], against: Mapping[str, float]) -> tuple[tuple[float, float], ...]:
    """The Lorenz curve of ``amounts`` over ``against``, from (0, 0) to (1, 1); areas by rising density.

    Raises:
        BadInput: either is nothing in all, or an area has an amount and nothing that it is set against.
    """
    if sum(amounts.values()) <= 0 or sum(against.values()) <= 0:
        raise BadInput("Nothing cannot be spread.", fix="Give areas with something in them.")
    if any(amounts[name] > 0 and against[name] <= 0 for name in amounts):
        raise BadInput("An area has an amount and no exposure.", fix="Leave it out, or give its exposure.")
    names = [name for name in amounts if against[name] > 0]
    names.sort(key=lambda name: amounts[name] / against[name])
    xs, ys = np.cumsum([against[n] for n in names]), np.cumsum([amounts[n] for n in names])
    return ((0.0, 0.0), *zip((xs / xs[-1]).tolist(), (ys / ys[-1]).tolist(), strict=True))


def gini(curve: Iterable[tuple[float, float]]) -> float:
    """One less twice the area below a Lorenz curve (C. Gini 1914), in 0..1."""
    points = list(curve)
    below = math.fsum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in itertools.pairwise(points))
    return max(0.0, 1 - 2 * below)


def _concentration(amounts: Mapping[str, float], against: Mapping[str, float]) -> Concentration:
    curve = lorenz(amounts, against)
    top = max(amounts, key=lambda name: amounts[name] / against[name])
    share, expected = amounts[top] / sum(amounts.values()), against[top] / sum(against.values())
    return Concentration(curve, gini(curve), None, top, share, expected, None, None)


def _spread(alerts: Mapping[str, Tally], random: np.random.Generator | None, alpha: float) -> Concentration | None:
    """Of alerts over camera-hours, among areas that are watched."""
    known = {name: tally for name, tally in alerts.items() if tally.of > 0}
    total = sum(tally.happened for tally in known.values())
    if len(known) < 2 or not total:  # noqa: PLR2004 # a spread is over two
        return None
    seen = _concentration({n: float(t.happened) for n, t in known.items()}, {n: t.of for n, t in known.items()})
    # Which area comes out on top is chance too: the level is split over all of them.
    widest = max(tally.spread for tally in known.values())
    whole = {name: Tally(tally.happened, float(total), widest) for name, tally in known.items()}
    top = shares(whole, alpha=alpha, fewest=1).group(seen.top)
    assert top is not None
    chance = None if random is None else _by_chance(known, total, widest, random)
    return Concentration(seen.lorenz, seen.gini, chance, seen.top, seen.top_share, seen.top_expected, top.low, top.high)


def _by_chance(
    known: Mapping[str, Tally], total: int, spread: float, random: np.random.Generator
) -> tuple[float, float]:
    """The middle 95 % of the Gini coefficient if the same number of alerts came by exposure alone.

    Few alerts over many areas are uneven by chance: without this, a Gini coefficient of sparse counts says little
    (Bernasco and Steenbeek, "More places than crimes", Journal of Quantitative Criminology 33 (2017), 451-467).
    """
    hours = np.array([tally.of for tally in known.values()])
    times = max(1, round(total / spread))
    draws = random.multinomial(times, hours / hours.sum(), SIMULATED)
    share = hours / hours.sum()
    ginis = []
    for draw in draws:
        order = np.argsort(draw / hours, kind="stable")
        y = np.concatenate([[0.0], np.cumsum(draw[order]) / times])
        ginis.append(1 - float((share[order] * (y[1:] + y[:-1])).sum()))
    low, high = np.quantile(ginis, [0.025, 0.975])
    return max(0.0, float(low)), float(high)
