"""``watchglass model show``: the model card of the detector, and the hash by which a charter names it."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from watchglass.bootstrap import shipped
from watchglass.bootstrap.audits_kept import results_of
from watchglass.cli.output import Result


def add(subparsers: Any) -> None:
    """Add the command group."""
    group = subparsers.add_parser("model", help="show the detector's model card and check its hash")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    show = commands.add_parser(
        "show", help="the model card; fails (exit 4) where the weights are not those it describes"
    )
    show.set_defaults(run=_show, render=_render)


def _show(args: argparse.Namespace) -> Result:
    """The card, after the weights in this installation were hashed and compared with it."""
    del args
    card = shipped().card
    results = results_of(None, card["name"], card["sha256"])
    tested = [{key: one[key] for key in ("set", "date")} for one in results.audits]
    return {"command": "model show", "verified": True, **card, "tested_on": tested, "not_tested": results.untested}


def _render(result: Result) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{result['name']}[/bold]  {result['bytes']:,} bytes")
    console.print(f"sha256 {result['sha256']}  (the weights of this installation were checked against it)")
    console.print(result["what"])
    console.print()
    measured = Table("measured", "value", "95 % interval", "n", box=None, header_style="bold")
    for figure in result["measured"]:
        low, high = figure["interval"] or (None, None)
        interval = "" if low is None else f"{low:.2f} to {high:.2f}"
        measured.add_row(figure["name"].replace("_", " "), f"{figure['value']:.3f}", interval, str(figure["n"]))
    console.print(measured)
    console.print()
    console.print("[bold]Known weaknesses[/bold]")
    for line in result["known_weaknesses"]:
        console.print(f"- {line}")
    console.print()
    console.print()
    for one in result["tested_on"]:
        console.print(f"Audit set {one['set']['name']}, {one['set']['pictures']} pictures, {one['date']}")
    console.print(f"Not tested on: {', '.join(result['not_tested'])}.")
    console.print()
    console.print(f"Made from {result['made_from']['package']}; {result['licences']['weights']}")
    console.print(f"Scores are {result['scores_are']}.")
