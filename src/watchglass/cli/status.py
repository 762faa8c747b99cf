"""``watchglass status``, and a short line for each source while something runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from watchglass.bootstrap import House
from watchglass.bootstrap.limits_told import limits_of
from watchglass.bootstrap.originals import look_at
from watchglass.cli.output import Result

_EVERY_S: Final = 1.0
_PLAIN_EVERY_S: Final = 15.0


def add(groups: Any) -> None:
    command = groups.add_parser(
        "status", help="show where sealed originals go, and how each analytic stands to its limits"
    )
    command.add_argument("directory", type=Path, metavar="DIR", help="the deployment; it may be running")
    command.set_defaults(run=_status, render=_render)


def _status(args: argparse.Namespace) -> Result:
    settings, found = look_at(args.directory)
    return {
        "ok": found.trouble is None,
        "origin": settings.origin,
        "deployment": settings.deployment,
        "sealed_originals": {
            "place": found.place,
            "answers": found.trouble is None,
            "trouble": found.trouble,
            "fix": found.fix or None,
        },
        "limits": limits_of(args.directory),
    }


def _render(result: Result) -> None:
    sealed = result["sealed_originals"]
    print(f"{result['origin']} ({result['deployment']})")
    print(f"Sealed originals go to {sealed['place']}")
    print("It answers." if sealed["answers"] else f"{sealed['trouble']}\nWhat to do: {sealed['fix']}")
    for each in result["limits"]:
        print(f"{each['analytic']}: {each['says']}. {each['because']}")


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
