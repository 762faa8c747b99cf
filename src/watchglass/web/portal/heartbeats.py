"""How steadily a source was watched: its heartbeats, and where they are missing. Public."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.acts.watched_times import CELL_MS, CELLS, Watched, watched
from watchglass.oversight.dark import MEANS, Watch
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

WIDTH: Final = 768
ROW: Final = 10
"""A day is a row so high, in a drawing so wide; a cell of a quarter of an hour is eight wide."""
GAP: Final = 2
NAMES: Final = {
    Watch.SEEN: "watched",
    Watch.BLIND: "blind",
    Watch.IDLE: "at rest",
    Watch.STOPPED: "stopped",
    Watch.DARK: "dark",
    Watch.UNTOLD: "nobody can tell",
    Watch.PENDING: "not due yet",
}


@twin(router, "/register/sources/{name}/heartbeats")
def heartbeats(request: Request, name: str) -> Response:
    """Today and the last 28 days of one source: watched, dark, stopped, blind; in words, drawn, and entry by entry."""
    house = request.app.state.house
    charter, now = house.standing().charter, house.clock.now()
    source = next((item for item in charter.sources if item.name == name), None) if charter else None
    if charter is None or source is None:
        raise NotFound
    found = watched(house.store.read(), charter, name, now)
    data = {
        "now_ms": now,
        "place": source.place.name,
        "watched": found,
        "_cells": list(_drawn(found)),
        "_box": {"width": WIDTH, "height": len(found.by_day) * ROW},
        "_names": NAMES,
        "_means": MEANS,
        "_states": [state for state in NAMES if any(state is cell[2] for day in found.by_day for cell in day.cells)],
    }
    return page(request, "public/heartbeats.html", data)


def _drawn(found: Watched) -> Iterator[tuple[int, int, int, str, str]]:
    """(x, y, width, state, "made" where it is of the demo's made history or "") of every run of cells.

    The newest day is at the bottom.
    """
    wide = WIDTH // CELLS
    for row, day in enumerate(found.by_day):
        made = min(max(0, (found.made_until_ms - day.day_ms) // CELL_MS), CELLS)
        for first, count, state in day.cells:
            border = min(max(first, made), first + count)
            for begin, end, how in ((first, border, "made"), (border, first + count, "")):
                if end > begin:
                    yield begin * wide, row * ROW, (end - begin) * wide, state.value, how
