"""Act: enough witnesses cosigned a checkpoint. What it covers was there by then; what follows this record was not."""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, attest, do
from watchglass.records.outbox import Reader, Transaction

ACT: Final = "checkpoint_witnessed"
_NOTED: Final = "witnessed.noted"
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_ELSE: Final = "SELECT 1 FROM entry WHERE idx >= ? AND idx < ? AND act != ? LIMIT 1"
_WAITS: Final = (
    "SELECT 1 FROM entry WHERE idx >= ? AND idx < ? AND act IN"
    " ('charter_approved', 'suspension_lifted', 'release_requested', 'release_granted') LIMIT 1"
)
"""What takes effect only once witnesses have seen it (law 12)."""


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


def noted_size(reader: Reader) -> int:
    """How many entries the newest checkpoint covers that the log itself records as cosigned; 0 if it records none."""
    row = reader.one("SELECT value FROM setting WHERE key = ?", _NOTED)
    return int(row["value"]) if row else 0


def waits(reader: Reader, before: int, size: int) -> bool:
    """Whether one of the entries from ``before`` to ``size`` takes effect only once witnesses have seen it."""
    return reader.one(_WAITS, before, size) is not None
