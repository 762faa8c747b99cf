"""How often something is tried with drawn values: ``make test`` tries a part, ``make test-deep`` all of it."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("WATCHGLASS_THOROUGH"))
FEWEST = 20


def tries(all_of_them: int, few: int | None = None) -> int:
    """How many of ``all_of_them``: a quarter of them and no fewer than twenty, or ``few``."""
    if THOROUGH:
        return all_of_them
    return few or min(all_of_them, max(FEWEST, all_of_them // 4))
