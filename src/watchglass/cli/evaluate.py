"""``watchglass eval``: how well it sees, against truth. Needs a checkout and the data that WATCHGLASS_DATA names."""

from __future__ import annotations

import argparse
import functools
from typing import Any

from watchglass.cli.bench import load, measured, render
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput


def add(groups: Any) -> None:
    command = groups.add_parser("eval", help="measure how well it sees against truth (needs a checkout and data)")
    command.add_argument("--quick", action="store_true", help="a part of the data, with wider intervals")
    command.add_argument(
        "--only", action="append", default=[], metavar="PART", help="measure this part alone; may be given again"
    )
    command.set_defaults(run=_run, render=render)


def _run(args: argparse.Namespace) -> Result:
    module = load("evaluate")
    unknown = [part for part in args.only if part not in module.PARTS]
    if unknown:
        raise BadInput(
            f"The evaluation has no part {unknown[0]!r}.", fix=f"Use one or more of: {', '.join(module.PARTS)}."
        )
    return measured("eval", functools.partial(module.figures, only=args.only), quick=args.quick)
