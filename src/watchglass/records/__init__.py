"""The typed vocabulary of what acts write: leaves, commitments, sealed openings, signed statements."""
