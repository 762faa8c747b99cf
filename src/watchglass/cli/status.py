"""A short line for each source while something runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from watchglass.bootstrap import House

_EVERY_S: Final = 1.0
_PLAIN_EVERY_S: Final = 15.0


def rows(house: House) -> list[tuple[str, str, str, str, str]]:
    """Source, frames a second, share of the time the gate was open, alerts waiting, ledger size."""
    waiting = {
        row["source"]: row["n"]
        for row in house.store.read().all(
            "SELECT source, count(*) AS n FROM alert WHERE state = 'waiting' GROUP BY source"
        )
    }
    health = house.live.health()
    size = house.sequencer.head.size
    lines = []
    for name, line in sorted(health.items()):
        state = f"fault: {line.fault}" if line.fault else f"{line.fps_in:.1f} frames/s"
        lines.append(
            (
                name,
                state,
                f"gate open {line.open_share:.0%}",
                f"{waiting.get(name, 0)} alerts waiting",
                f"ledger {size} entries",
            )
        )
    return lines


def watch(house: House, over: Callable[[], bool], *, quiet: bool) -> None:
    """Show the lines until ``over``; on a terminal they stay in place, elsewhere they come every fifteen seconds."""
    if quiet or not sys.stderr.isatty():
        _plain(house, over, quiet=quiet)
        return
    with Live(console=Console(stderr=True), refresh_per_second=2, transient=True) as live:
        while not over():
            table = Table(box=None, show_header=False, pad_edge=False)
            for line in rows(house):
                table.add_row(*line)
            live.update(table)
            time.sleep(_EVERY_S)


def _plain(house: House, over: Callable[[], bool], *, quiet: bool) -> None:
    due = time.monotonic() + _PLAIN_EVERY_S
    while not over():
        time.sleep(0.1)
        if not quiet and time.monotonic() >= due:
            due += _PLAIN_EVERY_S
            for line in rows(house):
                print("  ".join(line), file=sys.stderr, flush=True)
