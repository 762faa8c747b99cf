"""The views of one source that are kept apart: daylight and infrared, and each preset of a turning camera."""

from __future__ import annotations

from typing import Final

DAY: Final = "day"
"""The first view of a source, and all that it has where a camera neither turns nor sees in the dark."""
