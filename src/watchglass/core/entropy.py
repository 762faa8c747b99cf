"""Randomness that the edge hands in (law 8)."""

from __future__ import annotations

from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes; a seeded one stands in for it in tests and in the demo's schedule."""

    def bytes(self, n: int) -> bytes:
        """``n`` fresh bytes."""
        ...
