"""How analytics stand to their published limits, read beside a house that may be running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from watchglass.acts.charter_text import charter_of
from watchglass.acts.judged import about
from watchglass.edge.store.database import open_reader
from watchglass.runtime.layout import Layout


def limits_of(root: Path) -> list[dict[str, Any]]:
    """As ``/api/v1/standing`` tells it, under the newest charter that was published; empty where there is none.

    Raises:
        BadInput: its database is of an older version.
    """
    database = Layout(root).database
    if not database.exists():
        return []
    reader = open_reader(database)
    try:
        row = reader.one("SELECT text FROM charter_version ORDER BY version DESC LIMIT 1")
        return about(reader, charter_of(bytes(row["text"]))) if row else []
    finally:
        reader.close()
