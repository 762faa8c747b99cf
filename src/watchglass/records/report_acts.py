"""The acts by which what others noted down is matched with alerts: what was taken in, and what a person set aside.

Which log it was is told in the open; how many rows there were, and of which rules, is committed, for a log with one row
tells that something happened. That a row was set aside, or put back, is told in the open each time, so that anybody can
count it. No record holds the minute or the place of a row.
"""

from __future__ import annotations

from typing import Final

from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane
from watchglass.records.fields import HASH, NAME, Choice, ListOf, OrNull, Text, Whole

_ROWS: Final = Whole(0, 100_000)
_ACCOUNT: Final = OrNull(Text(100))
_WHO: Final = HOUSE | {"operator", "shift-lead"}
_OVERSIGHT: Final = "Oversight, from the opening."
LOG: Final = Choice(("dispatch", "complaints", "caretaker"))

REPORT_ACTS: Final = (
    ActSpec(
        "reports_taken_in",
        Basis.ATTESTED,
        Lane.BATCH,
        _WHO,
        "Rows of a log that others keep were taken in, to be matched with alerts: of each only its minute, source and "
        "kind. How many were new, were known already or were left out, and how much of the file was dropped unread.",
        _OVERSIGHT,
        clear={"log": LOG},
        committed={
            "rows": _ROWS,
            "known": _ROWS,
            "left_out": _ROWS,
            "dropped_columns": _ROWS,
            "dropped_values": Whole(0, 100_000_000),
            "analytics": ListOf(NAME, 200, as_set=True),
            "file_sha256": HASH,
            "account": _ACCOUNT,
        },
    ),
    ActSpec(
        "report_set_aside",
        Basis.ATTESTED,
        Lane.BATCH,
        _WHO,
        "A person said of one row that the camera does not see that spot, or took that back. Published figures are "
        "told both with it and without it.",
        _OVERSIGHT,
        clear={"log": LOG, "to": Choice(("aside", "back"))},
        committed={"row": Whole(1, 1_000_000_000), "analytic": NAME, "account": _ACCOUNT},
        refs_to=("reports_taken_in",),
    ),
)
