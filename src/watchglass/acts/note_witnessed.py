"""Act: enough witnesses cosigned a checkpoint. What it covers was there by then; what follows this record was not."""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, attest, do
from watchglass.records.outbox import Transaction

ACT: Final = "checkpoint_witnessed"
_NOTED: Final = "witnessed.noted"
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_ELSE: Final = "SELECT 1 FROM entry WHERE idx >= ? AND idx < ? AND act != ? LIMIT 1"


def note_witnessed(acting: Acting, size: int, note: bytes) -> bool:
    """Record the cosigned checkpoint, unless nothing but such records came since the last one.

    Without that, a log would grow for ever by saying that it grew.

    Args:
        size: how many entries it covers.
        note: it with the cosignatures, as signed bytes.

    Returns:
        Whether there was anything to record.
    """

    def act(tx: Transaction) -> bool:
        row = tx.one("SELECT value FROM setting WHERE key = ?", _NOTED)
        before = int(row["value"]) if row else 0
        if size <= before or tx.one(_ELSE, before, size, ACT) is None:
            return False
        attest(acting, tx, ACT, by=None, under=None, clear={"note": note.decode("utf-8")})
        tx.execute(_SET, _NOTED, str(size))
        return True

    return do(acting, act).value
