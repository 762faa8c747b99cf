"""What the public reads about costs: measured use, the charter's prices, and how both make a figure.

Like all public counts these are of whole days (UTC): a figure that follows the minute or the hour would tell when
somebody was there. In the demo, whose camera is a recording, minutes count as soon as they are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.acts.public_facts import MONTH_DAYS, Month, month
from watchglass.charter.decide import Standing
from watchglass.charter.model import Costs
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, MINUTE
from watchglass.records.outbox import Reader, Row
from watchglass.review.costs import (
    FEWEST_BLOCKS,
    CameraCost,
    ReviewCost,
    Use,
    camera_cost,
    machine_month,
    review_cost,
)

_SUMS: Final = "frames, decoded, inferences, cpu_ms, decode_ms, detect_ms, cores"
_DAYS: Final = (
    f"SELECT day_ms AS at_ms, heard_ms, {_SUMS} FROM source_day WHERE source = ? AND day_ms >= ? AND day_ms < ?"  # noqa: S608 (constant text)
)
_MINUTES: Final = (
    f"SELECT at_ms, heard_ms, {_SUMS} FROM source_minute WHERE source = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms"  # noqa: S608 (constant text)
)
_DECIDED: Final = (
    "SELECT verdict.account, verdict.decided_ms, alert.raised_ms FROM verdict JOIN alert ON alert.id = verdict.alert "
    "WHERE verdict.decided_ms >= ? AND verdict.decided_ms < ? ORDER BY verdict.account, verdict.decided_ms"
)


@dataclass(frozen=True, slots=True)
class CostFacts:
    """Everything on the page of costs. Money is in the charter's currency.

    Attributes:
        prices: as the charter states them; None where it states none.
        machine, machine_energy: what the whole machine costs a month.
        whole_days: only whole days count. until_ms: where they end. cameras, review: what they gave.
        alerts: what people decided in the days before.
    """

    prices: Costs | None
    machine: float | None
    machine_energy: float | None
    cores: int
    whole_days: bool
    until_ms: int
    cameras: tuple[CameraCost, ...]
    review: ReviewCost | None
    alerts: Month


def cost_facts(reader: Reader, standing: Standing, now_ms: int) -> CostFacts:
    """The costs of every camera of the charter in ``standing``, and of deciding.

    Raises:
        Refused: there is no charter.
    """
    charter = standing.charter
    if charter is None:
        raise Refused("There is no charter.", fix="Write, sign and publish one: `watchglass charter publish`.")
    whole_days = standing.deployment != "demo"
    until = now_ms - now_ms % (DAY if whole_days else MINUTE)
    prices = charter.costs
    uses = {source.name: uses_of(reader, source.name, until, whole_days=whole_days) for source in charter.sources}
    cameras = tuple(
        camera_cost(source.name, source.place.name, uses[source.name], prices) for source in charter.sources
    )
    counted = month(reader, now_ms)
    times = review_times(reader, counted.since_ms, counted.until_ms)
    again = shown_between(reader, counted.since_ms, counted.until_ms)
    hardware, energy = machine_month(prices) if prices else (None, None)
    return CostFacts(
        prices=prices,
        machine=hardware,
        machine_energy=energy,
        cores=max((use.cores for each in uses.values() for use in each), default=1),
        whole_days=whole_days,
        until_ms=until,
        cameras=cameras,
        review=review_cost(times, counted.alerts, counted.right, MONTH_DAYS, cameras, prices, again=again)
        if prices
        else None,
        alerts=counted,
    )


def uses_of(reader: Reader, source: str, until_ms: int, *, whole_days: bool) -> list[Use]:
    """What a source took, day by day; or by the minute, where minutes count and there are not enough days yet."""
    since = until_ms - MONTH_DAYS * DAY
    minutes = list(reader.all(_MINUTES, source, since, until_ms))
    days: dict[int, Use] = {}
    for row in [*reader.all(_DAYS, source, since, until_ms), *minutes]:
        day = row["at_ms"] - row["at_ms"] % DAY
        days[day] = days[day] + _use(row) if day in days else _use(row)
    if whole_days or len(days) >= FEWEST_BLOCKS:
        return [days[day] for day in sorted(days)]
    return [_use(row) for row in minutes]


def _use(row: Row) -> Use:
    return Use(
        round(row["heard_ms"] / 1000),
        row["frames"],
        row["decoded"],
        row["inferences"],
        row["cpu_ms"],
        row["decode_ms"],
        row["detect_ms"],
        row["cores"],
    )


def shown_between(reader: Reader, since_ms: int, until_ms: int) -> int:
    """How often something was put before people again: work like any other, of which nothing new was noticed."""
    row = reader.one(
        "SELECT count(*) AS n FROM shown_again WHERE shown_ms >= ? AND shown_ms < ?",
        since_ms,
        until_ms,
    )
    return int(row["n"]) if row else 0


def review_times(reader: Reader, since_ms: int, until_ms: int) -> list[int]:
    """How long each decision took at most: since the alert came, or since the same person decided the one before.

    Nobody measures people at work here; this is what the records show anyway, and more than the time really needed.
    """
    times: list[int] = []
    before: dict[int, int] = {}
    for row in reader.all(_DECIDED, since_ms, until_ms):
        begun = max(row["raised_ms"], before.get(row["account"], 0))
        times.append(max(0, row["decided_ms"] - begun))
        before[row["account"]] = row["decided_ms"]
    return times
