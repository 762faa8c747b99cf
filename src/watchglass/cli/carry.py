"""``watchglass ledger carry``: what an audit remembers of a log's first entries, which a year begins with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from watchglass.bootstrap import carrying
from watchglass.cli.output import Result


def add(commands: Any) -> None:
    """Add the command."""
    carry = commands.add_parser(
        "carry", help="make what an audit remembers of a log's first entries: with that a year begins"
    )
    carry.add_argument("where", metavar="DIR_OR_URL", help="the ledger's directory or its address")
    carry.add_argument("--size", type=int, metavar="N", help="of how many entries; without it, of all")
    carry.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="write it here")
    carry.add_argument("--trust", type=Path, metavar="FILE", help="trust file, to check who signed the log")
    carry.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="DIR_OR_URL",
        help="where entries were archived that the ledger no longer serves. May be repeated",
    )
    carry.set_defaults(run=_run, render=_render)


def _run(args: argparse.Namespace) -> Result:
    progress = _progress if sys.stderr.isatty() and not args.json else None
    made = carrying.make(args.where, args.size, trust_file=args.trust, archives=args.archive, progress=progress)
    return {"ok": True, **carrying.write(made, args.output)}


def _progress(done: int, size: int) -> None:
    print(f"\r{done:,} of {size:,} entries verified", end="", file=sys.stderr, flush=True)


def _render(result: Result) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"{result['origin']}: the first {result['size']:,} entries, root {result['root']}")
    if result["began"] is not None:
        year = result["began"]
        print(f"Entries before {year} are archived: it goes on from the state with which {year} began.")
    print(f"State of the form {result['form']}, {result['bytes']:,} bytes, in {result['file']}")
    print(f"SHA-256: {result['sha256']}")
