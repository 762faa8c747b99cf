"""What reviewers read of themselves, and what those who lead them read of all together.

Only what is closed counts (``close_reads``): until then a figure that moved would tell that an alert had been a check.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.acts.reading import history_until
from watchglass.core.time import DAY
from watchglass.records.outbox import Reader, Row
from watchglass.review.bias import Answer, Figures, figures, shift_of, together
from watchglass.review.model import VerdictValue

DAYS: Final = 90
_RECENT: Final = 50
_MOST: Final = 5_000

_ANSWERS: Final = (
    "SELECT verdict.*, shown_again.truth, alert.kind, alert.source, alert.at_ms FROM verdict "
    "JOIN shown_again ON shown_again.alert = verdict.alert JOIN alert ON alert.id = verdict.alert "
    "WHERE shown_again.why = 'check' AND closed_ms IS NOT NULL AND withdrawn_ms IS NULL AND verdict.decided_ms > ?1 "
    "AND verdict.decided_ms <= ?2 AND (?3 IS NULL OR account = ?3) ORDER BY verdict.decided_ms DESC LIMIT ?4"
)
_PAIRS: Final = (
    "SELECT one.value AS one, two.value AS two, one.account AS who, two.account AS other "
    "FROM reads JOIN verdict AS one ON one.alert = reads.alert "
    "AND one.withdrawn_ms IS NULL JOIN shown_again ON of_alert = reads.alert AND why = 'second' "
    "JOIN verdict AS two ON two.alert = shown_again.alert AND two.withdrawn_ms IS NULL "
    "WHERE reads.closed_ms IS NOT NULL AND one.decided_ms > ?1 AND one.decided_ms <= ?2 "
    "AND (?3 IS NULL OR ?3 IN (one.account, two.account)) ORDER BY one.decided_ms DESC LIMIT ?4"
)


@dataclass(frozen=True, slots=True)
class Check:
    """A check that a person has answered, told afterwards."""

    alert: str
    kind: str
    source: str
    at_ms: int
    decided_ms: int
    value: VerdictValue
    truth: VerdictValue

    DERIVED: ClassVar = ("right",)

    @property
    def right(self) -> bool:
        return self.value is self.truth


@dataclass(frozen=True, slots=True)
class Mine:
    """One person's own figures of the last 90 days, and the last checks. ``made``: of the demo's made history."""

    days: int
    verdicts: int
    figures: Figures
    checks: tuple[Check, ...]
    made: bool


def mine(reader: Reader, account: int, now_ms: int) -> Mine:
    """A reviewer's own figures; nobody else may ask for them."""
    since, until, made = _span(reader, now_ms, account)
    rows = reader.all(_ANSWERS, since, until, account, _MOST)
    row = reader.one(
        "SELECT count(*) AS n FROM verdict WHERE account = ? AND withdrawn_ms IS NULL AND decided_ms > ? "
        "AND decided_ms <= ?",
        account,
        since,
        until,
    )
    pairs = _pairs(reader.all(_PAIRS, since, until, account, _MOST))
    found = figures(_answers(reader, rows), pairs, people=1)
    return Mine(DAYS, int(row["n"]) if row else 0, found, tuple(_check(row) for row in rows[:_RECENT]), made)


@dataclass(frozen=True, slots=True)
class Group:
    """All reviewers' figures together. ``figures``: None where too few people answered checks. ``made``: as above."""

    days: int
    figures: Figures | None
    made: bool


def group(reader: Reader, now_ms: int) -> Group:
    """What several people together show; nothing of fewer than five."""
    since, until, made = _span(reader, now_ms, None)
    rows = reader.all(_ANSWERS, since, until, None, _MOST)
    twice = reader.all(_PAIRS, since, until, None, _MOST)
    judges = len({row[key] for row in twice for key in ("who", "other")})
    return Group(DAYS, together(_answers(reader, rows), _pairs(twice), judges=judges), made)


def _span(reader: Reader, now_ms: int, account: int | None) -> tuple[int, int, bool]:
    """From when to when; live answers never pool with the demo's made ones, which stand in until there are any."""
    since, border = now_ms - DAYS * DAY, history_until(reader)
    if not border or reader.all(_ANSWERS, max(since, border), now_ms, account, 1):
        return max(since, border), now_ms, False
    return since, border, bool(reader.all(_ANSWERS, since, border, account, 1))


def _pairs(rows: Sequence[Row]) -> list[tuple[VerdictValue, VerdictValue]]:
    return [(VerdictValue(row["one"]), VerdictValue(row["two"])) for row in rows]


def _answers(reader: Reader, rows: Sequence[Row]) -> list[Answer]:
    times: dict[int, list[int]] = defaultdict(list)
    if rows:
        first = min(row["decided_ms"] for row in rows) - DAY
        for row in reader.all("SELECT account, decided_ms FROM verdict WHERE decided_ms > ?", first):
            times[row["account"]].append(row["decided_ms"])
    return [
        Answer(
            row["account"],
            VerdictValue(row["truth"]),
            VerdictValue(row["value"]),
            row["decided_ms"],
            shift_of(times[row["account"]], row["decided_ms"]),
            max(1, row["waiting"] or 1),
        )
        for row in rows
    ]


def _check(row: Row) -> Check:
    return Check(
        row["alert"],
        row["kind"],
        row["source"],
        row["at_ms"],
        row["decided_ms"],
        VerdictValue(row["value"]),
        VerdictValue(row["truth"]),
    )
