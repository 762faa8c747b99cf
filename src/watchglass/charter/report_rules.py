"""What lint looks for in reports from outside: what they can tell, and what they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.model import Charter
from watchglass.charter.phrases import duration
from watchglass.charter.rules import Hit, Rule
from watchglass.core.time import MINUTE

_AT: Final = ("safeguards", "reports")
_WIDE_MS: Final = 30 * MINUTE


def wide(charter: Charter) -> Iterator[Hit]:
    reports = charter.safeguards.reports
    if reports is not None and reports.within_ms > _WIDE_MS:
        told = f"A report and an alert that are {duration(reports.within_ms)} apart would count as the same, so chance"
        yield (*_AT, "within"), f"{told} matches flatter what was noticed."


def what_is_learnt(charter: Charter) -> Iterator[Hit]:
    reports = charter.safeguards.reports
    if reports is None:
        return
    quality = charter.quality
    fewest = quality.fewest if quality is not None else 20
    yield (
        _AT,
        (
            f"Below {fewest} reports of a rule within {duration(reports.kept_ms)} no share is shown. What nobody "
            "reported is in no log, and what was reported because of an alert tells nothing; only staged drills do."
        ),
    )


REPORT_RULES: Final = (
    Rule(
        "reports-wide",
        "warning",
        "A report and an alert that count as the same are not far apart.",
        "EU AI Act Art. 15(3)",
        "Let `reports.within` be as short as the log's own clock allows, for example 10m.",
        wide,
    ),
    Rule(
        "reports-learnt",
        "notice",
        "What reports from outside can tell.",
        "EU AI Act Art. 15(3)",
        "Nothing to do; plan staged drills too if you promise how much is noticed.",
        what_is_learnt,
    ),
)
"""Of a charter that has alerts compared with what others note down."""
