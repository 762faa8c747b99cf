"""What stands in a deployment, before something is signed about it: asked for, or carried here in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from watchglass.bootstrap import connect
from watchglass.core.errors import BadInput


def standing_of(where: str) -> dict[str, Any]:
    """What stands, from the portal, the deployment, or a file that was carried here.

    Raises:
        BadInput: the file does not hold what the portal answers.
    """
    file = Path(where)
    if not file.is_file():
        with connect(where) as house:
            return house.standing()
    try:
        value = json.loads(file.read_bytes())
        return {
            "origin": value["origin"],
            "charter": value["charter"],
            "suspensions": value["suspensions"],
            "quality": value.get("quality") or [],
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{where} does not hold what /api/v1/standing answers.", fix="Save that answer again, unchanged."
        ) from error
