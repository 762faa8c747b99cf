"""``watchglass plugin list|show``: other people's rules on this machine, their cards, the hashes that charters pin."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console

from watchglass.bootstrap import installed_plug_ins, plug_ins_refused
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput


def add(subparsers: Any) -> None:
    """Add the command group."""
    group = subparsers.add_parser("plugin", help="list plug-ins and show their cards and hashes; none of them is run")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="every plug-in of this installation, and whether plug-ins can run here")
    listed.set_defaults(run=_list, render=_render_list)
    show = commands.add_parser("show", help="one plug-in: its card, its hash, its source")
    show.add_argument("name")
    show.add_argument("--source", action="store_true", help="print its source too")
    show.set_defaults(run=_show, render=_render_show)


def _list(args: argparse.Namespace) -> Result:
    del args
    rows = []
    for name, found in sorted(installed_plug_ins().items()):
        if isinstance(found, BadInput):
            rows.append({"name": name, "error": found.message, "fix": found.fix})
        else:
            rows.append({"name": name, "package": found.package, "sha256": found.sha256, "rule": found.card.rule})
    return {"command": "plugin list", "plug_ins": rows, "refused_here": plug_ins_refused()}


def _show(args: argparse.Namespace) -> Result:
    found = installed_plug_ins().get(args.name)
    if found is None:
        raise BadInput(f"There is no plug-in called {args.name!r}.", fix="`watchglass plugin list` shows all.")
    if isinstance(found, BadInput):
        raise found
    card = found.card
    return {
        "command": "plugin show",
        "name": found.name,
        "package": found.package,
        "sha256": found.sha256,
        "rule": card.rule,
        "needs": card.needs,
        "sees": list(card.sees),
        "settings": [
            {
                "key": p.key,
                "unit": p.unit,
                "default": s.default,
                "lowest": s.lowest,
                "highest": s.highest,
                "means": p.means,
            }
            for p, s in zip(card.parameters, found.settings, strict=True)
        ],
        "evidence": card.evidence,
        "fails": list(card.fails),
        "sources": dict(found.sources) if args.source else sorted(found.sources),
    }


def _render_list(result: Result) -> None:
    console = Console(highlight=False)
    for row in result["plug_ins"]:
        console.print(f"[bold]{row['name']}[/bold]  {row.get('package', '')}")
        console.print(
            f"  {row['error']} {row['fix']}" if "error" in row else f"  {row['rule']}\n  sha256:{row['sha256']}"
        )
    if not result["plug_ins"]:
        console.print("No plug-in is installed.")
    if result["refused_here"]:
        console.print(f"Plug-ins cannot run on this machine: {result['refused_here']}.")


def _render_show(result: Result) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{result['name']}[/bold]  {result['package']}")
    console.print(f"sha256:{result['sha256']}")
    console.print(result["rule"])
    console.print(f"It is given: {', '.join(result['sees'])}. Never pictures. It needs: {result['needs']}.")
    for row in result["settings"]:
        default = "must be set" if row["default"] is None else f"without it {row['default']:g}"
        console.print(
            f"  {row['key']}: {row['means']} ({row['unit']}, {row['lowest']:g} to {row['highest']:g}, {default})"
        )
    console.print(f"Evidence: {result['evidence']}")
    for line in result["fails"]:
        console.print(f"- {line}")
    if isinstance(result["sources"], dict):
        for name, text in result["sources"].items():
            console.print(f"\n--- {name}", markup=False)
            console.print(text, markup=False)
