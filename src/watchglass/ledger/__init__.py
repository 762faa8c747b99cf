"""The ledger room: bytes in, proofs out. It knows nothing of what the entries mean."""
