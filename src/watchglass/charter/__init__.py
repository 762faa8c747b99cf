"""The charter: what may be done, why, and under which safeguards. Only the charter says yes (law 2)."""
