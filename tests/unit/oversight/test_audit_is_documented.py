"""What the audit promises to look at is what its document says, and no promise is named twice."""

from __future__ import annotations

import re
from pathlib import Path

from small_log import Small

from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.report import State

TEXT = (Path(__file__).parents[3] / "docs/explanation/what-the-audit-proves.md").read_text("utf-8")


def test_the_document_names_every_promise_under_its_depth_and_no_other() -> None:
    report = Small().begin().audit(deep=True)
    structure, _, rest = TEXT.partition("## What openings prove besides")
    openings, _, rest = rest.partition("Not made by this version")
    told = {"structure": _names(structure), "openings": _names(openings)}
    for depth, names in told.items():
        made = [each.promise for each in report.findings if each.depth == depth and each.state is not State.PENDING]
        assert names == made or sorted(names) == sorted(made)
    pending = [each.promise for each in report.findings if each.state is State.PENDING]
    assert all(f"`{name}`" in rest for name in pending)
    assert len({each.promise for each in report.findings}) == len(report.findings)


def _names(text: str) -> list[str]:
    return re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)


def test_the_document_says_what_is_allowed_before_anybody_is_accused() -> None:
    for row, value in {
        "clocks of house and witnesses | 5 minutes": tolerances.CLOCKS_APART == 5 * MINUTE,
        "signed act | 1 hour": tolerances.SIGNER_HOURS == 1,
        "what the camera saw | 5 minutes": tolerances.CAPTURED_BEFORE == 5 * MINUTE,
        "its record | 1 minute": tolerances.MOMENT == MINUTE,
        "| 2 seconds, and 1": (tolerances.STOPS_WITHIN, tolerances.NOTES_IT_WITHIN) == (2 * SECOND, SECOND),
        "on its way | 5 minutes": tolerances.LODGED_REACHES == 5 * MINUTE,
        "retention | a day and an hour": tolerances.RETENTION_RUNS == DAY + HOUR,
        "are people | 3 days": tolerances.CUSTODIANS_TAKE == 3 * DAY,
        "a heartbeat | 30 seconds": tolerances.BEAT_LATE == 30 * SECOND,
    }.items():
        assert row in TEXT, row
        assert value, row
