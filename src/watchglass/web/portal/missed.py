"""What was missed, as the public page and the staff's page tell it: staged drills, samples, reports from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from watchglass.acts import public_drills, public_reports, public_samples
from watchglass.charter.model import Charter
from watchglass.records.outbox import Reader
from watchglass.web.portal.tables import Cell, Columns


def missed(reader: Reader, charter: Charter, until_ms: int) -> dict[str, Any]:
    """What each way of looking for it found, by rule; None where the charter asks for none and nothing was found.

    Args:
        until_ms: where counting ends.
    """
    return {
        "drills": public_drills.drilled(reader, charter, until_ms),
        "samples": public_samples.sampled(reader, charter, until_ms),
        "reports": public_reports.reported(reader, charter, until_ms),
    }


def _samples(found: Any) -> Iterator[Sequence[Cell]]:
    """A row for each band of each rule; what is told of a rule stands in each of its rows, or in one without a band."""
    for rule in found["samples"].rules if found["samples"] else ():
        missed, quiet, week = rule.missed, rule.quiet, rule.a_week or (None, None)
        about: tuple[Cell, ...] = (
            *((missed.point, missed.low, missed.high) if missed else (None, None, None)),
            *(quiet.yes + quiet.no + quiet.unclear, quiet.yes, rule.weeks, *week, rule.known, rule.seen),
        )
        for band in rule.strata:
            counts = (band.counted, band.taken, band.yes, band.no, band.unclear, band.waiting)
            yield (rule.name, band.band, band.below / 1e9, *counts, *about)
        if not rule.strata:
            yield (rule.name, None, None, 0, 0, 0, 0, 0, 0, *about)


_SAMPLES: Final = Columns(
    (
        "rule", "band", "drawn_share", "near_misses", "taken", "yes", "no", "unclear", "waiting",
        "missed", "missed_low", "missed_high", "quiet_looked_at", "quiet_yes", "quiet_weeks",
        "missed_a_week_low", "missed_a_week_high", "known_shown", "known_seen",
    ),
    lambda data: _samples(data["missed"]),
)  # fmt: skip


def _drills(found: Any) -> Iterator[Sequence[Cell]]:
    """A row for each drill of each rule, the newest first."""
    for rule in found["drills"].rules if found["drills"] else ():
        for run in rule.runs:
            told = "afterwards" if run.afterwards else "there"
            yield rule.name, run.day, run.light, run.result, run.cause, told, run.index


_DRILLS: Final = Columns(
    ("rule", "day", "light", "result", "cause", "told", "entry"), lambda data: _drills(data["missed"])
)


def _reports(found: Any) -> Iterator[Sequence[Cell]]:
    """A row for each rule and log."""
    told = found["reports"]
    for rule in told.rules if told else ():
        for each in rule.logs:
            counts = each.counts
            numbers = (counts.fates.get(fate, 0) for fate in public_reports.FATES)
            worst, best = counts.worst, counts.best
            ends = (worst.k, worst.n, worst.low, worst.high, best.k, best.n, best.low, best.high)
            yield (rule.name, each.log, counts.reported, *numbers, *ends)


_REPORTS: Final = Columns(
    (
        *("rule", "log", "reported", *public_reports.FATES),
        *("worst_k", "worst_n", "worst_low", "worst_high", "best_k", "best_n", "best_low", "best_high"),
    ),
    lambda data: _reports(data["missed"]),
)

TABLES: Final[dict[str, Columns]] = {"drills": _DRILLS, "samples": _SAMPLES, "reports": _REPORTS}
"""The tables of these, by their name in the address: of both pages."""
