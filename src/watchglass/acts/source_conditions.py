"""Act: a source does not meet a condition of its charter, or meets it again; what its pictures were like by the hour.

What is kept by the hour is for staff only, and for ``KEPT_MS``: how many things were followed in an hour tells how many
people there were (law 10).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.model import Charter
from watchglass.core.time import DAY, HOUR
from watchglass.quality.conditions import Name, in_words, stated_by
from watchglass.records.outbox import Reader, Transaction

KEPT_MS: Final = 62 * DAY
"""How long hours are kept."""

_OPEN: Final = "SELECT * FROM source_condition WHERE over_ms IS NULL AND source = ? ORDER BY condition"


@dataclass(frozen=True, slots=True)
class Failing:
    """A condition that a source does not meet, since when; ``over_ms`` where it meets it again."""

    source: str
    condition: str
    measured: int
    allowed: int
    since_ms: int
    over_ms: int | None
    leaf_hash: bytes

    @property
    def words(self) -> str:
        """What is wrong, with numbers: for staff."""
        return in_words(self.condition, self.measured, self.allowed)


@dataclass(frozen=True, slots=True)
class Hour:
    """What the pictures of a source were like in an hour, or in a part of it; None where nothing was measured.

    Attributes:
        asked_ms: how long it should have been looked at. up_ms: how long of that pictures came.
        looks: minutes with a picture that was looked at; the means are over them.
        bright, sharp, zones: means; ``…_least`` and ``…_most`` of a minute.
        clock_ms: its clock against this machine's, where it was furthest off.
        frames: that came in. lost: work that was lost. followed: things. inferences: looks of the detector.
    """

    source: str
    hour_ms: int
    asked_ms: int = 0
    up_ms: int = 0
    looks: int = 0
    bright: float | None = None
    bright_least: float | None = None
    bright_most: float | None = None
    sharp: float | None = None
    sharp_least: float | None = None
    sharp_most: float | None = None
    zones: float | None = None
    zones_least: float | None = None
    clock_ms: int | None = None
    frames: int = 0
    lost: int = 0
    followed: int = 0
    inferences: int = 0

    def and_more(self, more: Hour) -> Hour:
        """This hour with a further part of it."""

        def mean(a: float | None, b: float | None) -> float | None:
            if a is None or b is None:
                return b if a is None else a
            return (a * self.looks + b * more.looks) / max(1, self.looks + more.looks)

        def best(choose: Any, a: float | None, b: float | None) -> Any:
            known = [each for each in (a, b) if each is not None]
            return choose(known) if known else None

        return replace(
            self,
            asked_ms=self.asked_ms + more.asked_ms,
            up_ms=self.up_ms + more.up_ms,
            looks=self.looks + more.looks,
            bright=mean(self.bright, more.bright),
            bright_least=best(min, self.bright_least, more.bright_least),
            bright_most=best(max, self.bright_most, more.bright_most),
            sharp=mean(self.sharp, more.sharp),
            sharp_least=best(min, self.sharp_least, more.sharp_least),
            sharp_most=best(max, self.sharp_most, more.sharp_most),
            zones=mean(self.zones, more.zones),
            zones_least=best(min, self.zones_least, more.zones_least),
            clock_ms=best(lambda each: max(each, key=abs), self.clock_ms, more.clock_ms),
            frames=self.frames + more.frames,
            lost=self.lost + more.lost,
            followed=self.followed + more.followed,
            inferences=self.inferences + more.inferences,
        )


# ---- conditions ----------------------------------------------------------------------------------------------------


def failing(reader: Reader, source: str) -> tuple[Failing, ...]:
    """The conditions that a source does not meet now."""
    return tuple(_failing(row) for row in reader.all(_OPEN, source))


def spells(reader: Reader, source: str, since_ms: int, until_ms: int) -> tuple[Failing, ...]:
    """Every time that a source did not meet a condition, between two moments, the newest first."""
    rows = reader.all(
        "SELECT * FROM source_condition WHERE source = ? AND since_ms < ? AND (over_ms IS NULL OR over_ms > ?) "
        "ORDER BY since_ms DESC LIMIT 1000",
        source,
        until_ms,
        since_ms,
    )
    return tuple(_failing(row) for row in rows)


def degraded_ms(found: Iterable[Failing], since_ms: int, until_ms: int) -> int:
    """For how long any of them lasted between two moments."""
    total, reached = 0, since_ms
    for begin, end in sorted((each.since_ms, each.over_ms or until_ms) for each in found):
        end_ms = min(end, until_ms)
        total += max(0, end_ms - max(begin, reached))
        reached = max(reached, end_ms)
    return total


def degrade(acting: Acting, charter: Charter, source: str, condition: Name, measured: int, allowed: int) -> Done[bytes]:
    """Record that a source does not meet a condition, from now on.

    Args:
        measured, allowed: in thousandths; the clock in milliseconds.

    Raises:
        BadInput: it does not meet it already.
    """

    def act(tx: Transaction) -> bytes:
        values = {"measured": measured, "allowed": allowed}
        clear = {"source": source, "condition": condition}
        leaf = attest(acting, tx, "source_degraded", by=None, under=charter, clear=clear, committed=values)
        tx.insert("source_condition", {"leaf_hash": leaf, **clear, **values, "since_ms": acting.clock.now()})
        return leaf

    return do(acting, act)


def recover(
    acting: Acting,
    charter: Charter,
    source: str,
    condition: str,
    because: Literal["measured", "charter"] = "measured",
) -> Done[bool]:
    """Record that a source meets a condition again; whether it had failed it."""

    def act(tx: Transaction) -> bool:
        row = tx.one(
            "SELECT leaf_hash FROM source_condition WHERE source = ? AND condition = ? AND over_ms IS NULL",
            source,
            condition,
        )
        if row is None:
            return False
        clear = {"source": source, "condition": condition, "because": because}
        refs = [bytes(row["leaf_hash"])]
        leaf = attest(acting, tx, "source_recovered", by=None, under=charter, clear=clear, refs=refs)
        tx.execute(
            "UPDATE source_condition SET over_ms = ?, over_leaf_hash = ? WHERE leaf_hash = ?",
            acting.clock.now(),
            leaf,
            refs[0],
        )
        return True

    return do(acting, act)


def not_stated(reader: Reader, charter: Charter) -> list[Failing]:
    """What is told of sources that the charter asks no longer, or does not have any more."""
    asked = {source.name: source.conditions for source in charter.sources}
    rows = reader.all("SELECT * FROM source_condition WHERE over_ms IS NULL")
    return [_failing(row) for row in rows if not stated_by(asked.get(row["source"]), row["condition"])]


# ---- hours ---------------------------------------------------------------------------------------------------------


def keep_hours(tx: Transaction, hours: Iterable[Hour]) -> None:
    """Add parts of hours to what is kept of them."""
    for part in hours:
        row = tx.one("SELECT * FROM source_hour WHERE source = ? AND hour_ms = ?", part.source, part.hour_ms)
        whole = part if row is None else _hour(row).and_more(part)
        if row is not None:
            tx.execute("DELETE FROM source_hour WHERE source = ? AND hour_ms = ?", part.source, part.hour_ms)
        tx.insert("source_hour", {name: getattr(whole, name) for name in _FIELDS})


def forget_hours(tx: Transaction, now_ms: int) -> None:
    """Destroy hours when their time has come."""
    tx.execute("DELETE FROM source_hour WHERE hour_ms < ?", now_ms - KEPT_MS)


def hours_of(reader: Reader, source: str, since_ms: int, until_ms: int) -> tuple[Hour, ...]:
    """What is kept of a source between two moments, the oldest hour first."""
    rows = reader.all(
        "SELECT * FROM source_hour WHERE source = ? AND hour_ms >= ? AND hour_ms < ? ORDER BY hour_ms",
        source,
        since_ms - since_ms % HOUR,
        until_ms,
    )
    return tuple(_hour(row) for row in rows)


_FIELDS: Final = tuple(Hour.__slots__)


def _hour(row: Any) -> Hour:
    return Hour(**{name: row[name] for name in _FIELDS})


def _failing(row: Any) -> Failing:
    return Failing(
        source=row["source"],
        condition=row["condition"],
        measured=row["measured"],
        allowed=row["allowed"],
        since_ms=row["since_ms"],
        over_ms=row["over_ms"],
        leaf_hash=bytes(row["leaf_hash"]),
    )
