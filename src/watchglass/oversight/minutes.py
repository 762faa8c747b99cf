"""Minutes as openings tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from watchglass.core.time import millis


@lru_cache(maxsize=4_096)
def minute_ms(text: str) -> int:
    """The first moment (ms) of a minute that was checked (`2026-11-23T14:05Z`)."""
    return millis(datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC))
