"""When something that failed is tried again: ever later, and never all at once."""

from __future__ import annotations

from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.core.time import SECOND

FIRST_MS: Final = 1 * SECOND
LONGEST_MS: Final = 30 * SECOND
STEADY_MS: Final = 10 * SECOND
_BYTES: Final = 4


class Backoff:
    """Exponential backoff with full jitter: a wait drawn evenly between nothing and a bound that doubles.

    Cameras that one switch took with it come back together; drawn waits keep them from being asked together.

    Args:
        entropy: draws the waits.

    Attributes:
        due_ms: when the next try is due.
    """

    def __init__(self, entropy: Entropy) -> None:
        self.due_ms = 0
        self._entropy = entropy
        self._failures = 0
        self._began_ms: int | None = None

    def begun(self, now_ms: int) -> None:
        """It works, at least for now."""
        if self._began_ms is None:
            self._began_ms = now_ms

    def failed(self, now_ms: int) -> None:
        """It does not work (any more). What had worked for ten seconds begins with short waits again."""
        if self._began_ms is not None and now_ms - self._began_ms >= STEADY_MS:
            self._failures = 0
        self._began_ms = None
        bound = min(LONGEST_MS, FIRST_MS << min(self._failures, 16))
        self._failures += 1
        share = int.from_bytes(self._entropy.bytes(_BYTES)) / 256**_BYTES
        self.due_ms = now_ms + round(bound * share)

    def again(self) -> None:
        """The next try is due at once: nothing failed."""
        self.due_ms = 0
        self._began_ms = None
