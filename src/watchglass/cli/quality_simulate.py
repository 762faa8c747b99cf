"""``watchglass quality simulate``: what a charter's limits do, by simulation; it needs no deployment."""

from __future__ import annotations

import argparse
import functools
from typing import Any

from watchglass.cli.bench import measured, render
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput
from watchglass.quality.simulate import SEED, figures


def add(commands: Any) -> None:
    """Put the command into the group ``quality``."""
    simulate = commands.add_parser(
        "simulate", help="how often limits are unjust, how soon they notice, and what the naive ways would do"
    )
    simulate.add_argument("--quick", action="store_true", help="under a minute, with wider intervals")
    simulate.add_argument("--seed", type=int, default=SEED, help="of chance; the same seed gives the same figures")
    simulate.set_defaults(run=_simulate, render=render)


def _simulate(args: argparse.Namespace) -> Result:
    if args.seed < 0:
        raise BadInput(f"{args.seed} is not a seed.", fix="Give a whole number from 0 on.")
    return measured("quality simulate", functools.partial(figures, seed=args.seed), quick=args.quick)
