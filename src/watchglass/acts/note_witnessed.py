"""Act: enough witnesses cosigned a checkpoint. What it covers was there by then; what follows this record was not.

It is written in the very transaction that makes the checkpoint count as cosigned. So whatever waits for witnesses (law
12) and is recorded later stands behind it in the log, and outsiders can see that it waited.
"""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, attest
from watchglass.records.outbox import Transaction

ACT: Final = "checkpoint_witnessed"
WAITED_FOR: Final = (
    "charter_published",
    "charter_approved",
    "release_requested",
    "release_approved",
    "release_granted",
    "suspension_lifted",
    "analytic_resumed",
)
"""Others wait until these are cosigned: that they are is recorded without delay."""
_NOTED: Final = "witnessed.noted"
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_ELSE: Final = "SELECT 1 FROM entry WHERE idx >= ? AND idx < ? AND act != ? LIMIT 1"
_WAITED: Final = (
    f"SELECT 1 FROM entry WHERE idx >= ? AND idx < ? AND act IN ({', '.join('?' * len(WAITED_FOR))}) LIMIT 1"  # noqa: S608  # constant text
)


def note_witnessed(acting: Acting, tx: Transaction, size: int, note: bytes, *, spacing_ms: int = 0) -> bool:
    """Record the cosigned checkpoint, unless nothing but such records came since the last one.

    Without that, a log would grow for ever by saying that it grew.

    Args:
        size: how many entries it covers.
        note: it with the cosignatures, as signed bytes.
        spacing_ms: how long between two such records, as long as nobody waits for what they say.

    Returns:
        Whether there was anything to record.
    """
    row = tx.one("SELECT value FROM setting WHERE key = ?", _NOTED)
    before, at_ms = map(int, str(row["value"]).split()) if row else (0, 0)
    if size <= before or tx.one(_ELSE, before, size, ACT) is None:
        return False
    now = acting.clock.now()
    if now - at_ms < spacing_ms and tx.one(_WAITED, before, size, *WAITED_FOR) is None:
        return False
    attest(acting, tx, ACT, by=None, under=None, clear={"note": note.decode("utf-8")})
    tx.execute(_SET, _NOTED, f"{size} {now}")
    return True
