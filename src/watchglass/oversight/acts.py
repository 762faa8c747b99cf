"""Which acts the running house lets happen only while the charter in force says so."""

from __future__ import annotations

from typing import Final

RUNS: Final = frozenset(
    {
        "alert_raised",
        "segment_sealed",
        "backdrop_confirmed",
        "backdrop_renewed",
        "release_requested",
        "release_granted",
        "glass_broken",
    }
)
"""What `charter.decide` lets nobody do before a charter's first day, after its last, or while everything is stopped."""
WHILE_IN_FORCE: Final = RUNS | {"run_started", "recorder_named"}
"""What is done under the charter of that day. (Heartbeats have an interval of their own.)"""
BY_THE_ONE_THAT_STANDS: Final = WHILE_IN_FORCE | {
    "key_enrolled",
    "sealing_key_published",
    "period_destroyed",
    "case_opened",
    "case_closed",
    "release_approved",
    "release_refused",
    "release_taken",
    "glass_followed_up",
    "hold_ordered",
    "hold_kept",
    "hold_lifted",
    "suspension_ordered",
    "suspension_lifted",
    "retention_applied",
    "misuse_settled",
}
"""What names the charter that stands, not an earlier one. What finishes an alert may name the alert's."""
