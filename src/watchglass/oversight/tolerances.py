"""How much the audit allows before it accuses, in one place. Milliseconds, unless a name says otherwise.

A public leaf tells no more than its hour, and its place in the log only when it was merged. So a breach is named only
where *every* moment that the leaf can stand for breaks the promise. The openings tell the minute; with them only what
stands here is allowed.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

CLOCKS_APART: Final = 5 * MINUTE
"""How far the house's clock and a witness's may differ."""
SIGNER_HOURS: Final = 1
"""Hours by which the hour in a signed act may differ from the house's: what the house itself accepts."""
MERGE_BEFORE_A_CHARTER: Final = 2 * HOUR
"""Within what time entries are merged while no charter says it."""
MOMENT: Final = MINUTE
"""What was decided a moment before a change may be recorded a moment after it."""
STOPS_WITHIN: Final = 2 * SECOND
"""An order to stop is obeyed within this."""
NOTES_IT_WITHIN: Final = SECOND
"""That it was obeyed is looked at twice a second, and may be noted so much later."""
CAPTURED_BEFORE: Final = 5 * MINUTE
"""An incident may reach the house so long after the camera saw it; its hours are judged by when the camera did."""
LODGED_REACHES: Final = 5 * MINUTE
"""How long an order that was lodged with a witness may take to the house."""
RETENTION_RUNS: Final = 25 * HOUR
"""Retention is applied at least once a day, and needs a moment for it."""
CUSTODIANS_TAKE: Final = 3 * DAY
"""How long custodians, who are people, may take to destroy the key of a month that nobody needs any more."""
BEAT_LATE: Final = 30 * SECOND
"""So much longer than the charter's interval one may be, and a time without any: a recorder may take that to start."""
FOLLOW_UP_HANDED_IN: Final = 30 * SECOND
"""What two machines' clocks may differ by when the end of a time is reckoned."""
