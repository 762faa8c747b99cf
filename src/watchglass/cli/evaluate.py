"""``watchglass eval``: how well it sees, against truth. Needs a checkout and the data that WATCHGLASS_DATA names."""

from __future__ import annotations

import argparse
from typing import Any

from watchglass.cli.bench import load, measured, render
from watchglass.cli.output import Result


def add(groups: Any) -> None:
    command = groups.add_parser("eval", help="measure how well it sees against truth (needs a checkout and data)")
    command.add_argument("--quick", action="store_true", help="a part of the data, with wider intervals")
    command.set_defaults(run=_run, render=render)


def _run(args: argparse.Namespace) -> Result:
    return measured("eval", load("evaluate").figures, quick=args.quick)
