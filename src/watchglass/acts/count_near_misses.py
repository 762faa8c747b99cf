"""Act: once a day it is recorded how many moments came near an alert and were none, each with the number drawn for it.

So nobody can leave out afterwards what was drawn, or take what was not: those below their chance are the samples.
"""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, attest
from watchglass.charter.model import Charter
from watchglass.core.time import DAY
from watchglass.records.outbox import Transaction

COUNTED: Final = "near_misses_counted_until"
_MOST: Final = 5_000
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def count_near_misses(acting: Acting, charter: Charter) -> bool:
    """Record what came near until the last midnight (UTC), whether or not there was anything; once a day.

    Returns:
        Whether it was the time for it.
    """
    midnight, reader = acting.clock.now() // DAY * DAY, acting.store.read()
    row = reader.one("SELECT value FROM setting WHERE key = ?", COUNTED)
    if row is not None and int(row["value"]) >= midnight:
        return False
    asked = charter.safeguards.samples is not None
    if not asked and reader.one("SELECT 1 FROM near_miss WHERE told = 0 LIMIT 1") is None:
        return False

    def act(tx: Transaction) -> None:
        yesterday = [(midnight - DAY, each.name) for each in charter.analytics if asked and each.kind != "camera_fault"]
        found = tx.all("SELECT DISTINCT day_ms, analytic FROM near_miss WHERE told = 0 AND day_ms < ?", midnight)
        for day, analytic in sorted({*yesterday, *((each["day_ms"], each["analytic"]) for each in found)}):
            rows = tx.all(
                "SELECT number, below, band FROM near_miss WHERE told = 0 AND day_ms = ? AND analytic = ? ORDER BY id",
                day,
                analytic,
            )
            draws = [{name: each[name] for name in ("number", "below", "band")} for each in rows]
            for begin in range(0, max(1, len(draws)), _MOST):
                committed = {"day": day, "draws": draws[begin : begin + _MOST]}
                clear = {"analytic": analytic}
                attest(acting, tx, "near_misses_counted", by=None, under=charter, clear=clear, committed=committed)
        tx.execute("UPDATE near_miss SET told = 1 WHERE told = 0 AND day_ms < ?", midnight)
        tx.execute(_SET, COUNTED, str(midnight))

    acting.store.commit(act)
    return True
