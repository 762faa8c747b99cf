"""What everyone may know of samples: how many near-misses there were, what people saw in those drawn, what follows.

Like all public counts these end at the last midnight (UTC), answers included: nobody can watch a number move, and no
answer shows at once whether it was about an old alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.acts.shown import FIRST
from watchglass.charter.model import Charter
from watchglass.core.time import DAY
from watchglass.quality.sampled import (
    FEWEST,
    WEEK_S,
    Band,
    Missed,
    Quiet,
    Stratum,
    horvitz_thompson,
    missed_a_week,
    missed_near,
    noticed_at_most,
)
from watchglass.records.outbox import Reader

DAYS: Final = 90
"""How far back samples count at most; they count as long as their answers are kept, with alerts."""
_ANSWERED: Final = "CASE WHEN judged_ms < ?4 THEN answer END"


@dataclass(frozen=True, slots=True)
class SampledRule:
    """What samples tell of one rule.

    Attributes:
        strata: its near-misses by band and chance. missed: how many of them were incidents; None: not enough data.
        plain: the estimate by the meant chances alone. right: alerts found right in the same time.
        noticed_at_most: share, 0..1, of the incidents that came near or over the threshold; None: nothing follows.
        quiet: settled moments drawn whatever they show. a_week: (low, high) missed in a camera-week; None: none yet.
        known, seen: old alerts that were real and were shown among them, and how many people saw as such.
    """

    name: str
    fewest: int
    strata: tuple[Stratum, ...]
    missed: Missed | None
    plain: float | None
    right: int
    noticed_at_most: float | None
    quiet: Quiet
    a_week: tuple[float, float] | None
    known: int
    seen: int

    @property
    def counted(self) -> int:
        """All near-misses."""
        return sum(each.counted for each in self.strata)

    @property
    def looked_at(self) -> int:
        """Near-misses of which somebody could tell."""
        return sum(each.yes + each.no for each in self.strata)

    @property
    def weeks(self) -> float:
        """How much quiet time was looked at, in camera-weeks."""
        return self.quiet.seconds / WEEK_S


@dataclass(frozen=True, slots=True)
class Sampled:
    """What samples tell of all rules, from ``since_ms`` until ``until_ms``."""

    since_ms: int
    until_ms: int
    rules: tuple[SampledRule, ...]


def sampled(reader: Reader, charter: Charter, until_ms: int) -> Sampled | None:
    """What samples tell; None where the charter asks for none and none was taken."""
    until = until_ms // DAY * DAY
    kept = charter.safeguards.retention.alerts_ms // DAY - 2  # what is older may have lost its answers
    since = until - max(0, min(DAYS, kept)) * DAY
    asked = charter.safeguards.samples is not None
    if not asked and reader.one("SELECT 1 FROM near_miss LIMIT 1") is None and not _any(reader):
        return None
    fewest = charter.quality.fewest if charter.quality is not None else FEWEST
    rules = [each.name for each in charter.analytics if each.kind != "camera_fault"]
    return Sampled(since, until, tuple(_rule(reader, name, fewest, since, until) for name in rules))


def _any(reader: Reader) -> bool:
    return reader.one("SELECT 1 FROM sample LIMIT 1") is not None


def _rule(reader: Reader, name: str, fewest: int, since: int, until: int) -> SampledRule:
    strata = tuple(_strata(reader, name, since, until))
    missed = missed_near(strata, fewest)
    quiet = _quiet(reader, name, since, until)
    row = reader.one(
        "SELECT count(*) AS n FROM alert JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL "  # noqa: S608 (constant text)
        "LEFT JOIN reads ON reads.alert = alert.id AND reads.closed_ms <= ?3 "
        "WHERE alert.analytic = ?1 AND alert.raised_ms >= ?2 AND alert.raised_ms < ?3 AND verdict.decided_ms < ?3 "
        f"AND coalesce(reads.value, verdict.value) = 'confirm' AND {FIRST}",
        name,
        since,
        until,
    )
    right = int(row["n"]) if row else 0
    known = reader.one(
        "SELECT count(*) AS n, count(*) FILTER (WHERE answer = 'yes') AS seen FROM sample WHERE analytic = ?1 "
        "AND kind = 'known' AND truth = 'confirm' AND judged_ms >= ?2 AND judged_ms < ?3",
        name,
        since,
        until,
    )
    return SampledRule(
        name=name,
        fewest=fewest,
        strata=strata,
        missed=missed,
        plain=horvitz_thompson(strata) if missed is not None else None,
        right=right,
        noticed_at_most=noticed_at_most(right, missed) if missed is not None else None,
        quiet=quiet,
        a_week=missed_a_week(quiet),
        known=int(known["n"]) if known else 0,
        seen=int(known["seen"]) if known else 0,
    )


def _strata(reader: Reader, name: str, since: int, until: int) -> list[Stratum]:
    counted = {
        (row["band"], row["below"]): int(row["n"])
        for row in reader.all(
            "SELECT band, below, count(*) AS n FROM near_miss WHERE analytic = ? AND day_ms >= ? AND day_ms < ? "
            "GROUP BY band, below",
            name,
            since,
            until,
        )
    }
    said = _said(reader, name, "near", since, until)
    found = []
    for (band, below), number in sorted(counted.items()):
        told = said.get((band, below), (0, 0, 0, 0, 0.0))[:4]
        found.append(Stratum(band, below, max(number, sum(told)), *told))
    return found


def _quiet(reader: Reader, name: str, since: int, until: int) -> Quiet:
    found = _said(reader, name, "quiet", since, until).values()
    yes, no, unclear, seconds = (sum(each[place] for each in found) for place in (0, 1, 2, 4))
    return Quiet(int(yes), int(no), int(unclear), float(seconds))


def _said(
    reader: Reader, name: str, kind: str, since: int, until: int
) -> dict[tuple[Band | None, int], tuple[int, int, int, int, float]]:
    """Of each band and chance: yes, no, unclear (or nobody looked in time), waiting; and seconds of what is settled."""
    rows = reader.all(
        f"SELECT band, below, {_ANSWERED} AS said, judged_ms IS NULL AND kept_until_ms < ?4 AS late, seconds "  # noqa: S608 (constant text)
        "FROM sample WHERE analytic = ?1 AND kind = ?2 AND at_ms >= ?3 AND at_ms < ?4",
        name,
        kind,
        since,
        until,
    )
    found: dict[tuple[Band | None, int], tuple[int, int, int, int, float]] = {}
    for row in rows:
        yes, no, unclear, waits, seconds = found.get((row["band"], row["below"]), (0, 0, 0, 0, 0.0))
        said, late = row["said"], bool(row["late"])
        settled = said is not None or late
        found[row["band"], row["below"]] = (
            yes + (said == "yes"),
            no + (said == "no"),
            unclear + (said == "cannot-tell" or (said is None and late)),
            waits + (not settled),
            seconds + (row["seconds"] if settled else 0.0),
        )
    return found
