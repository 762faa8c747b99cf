"""Decide, do, record: one file per act, one transaction, and no act without its record (law 1)."""
