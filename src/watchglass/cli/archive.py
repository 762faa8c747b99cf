"""``watchglass ledger archive``: entries of past years go to a folder, and are no longer served."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from watchglass.bootstrap import archiving, office
from watchglass.cli.output import Result


def add(commands: Any) -> None:
    """Add the command."""
    archive = commands.add_parser(
        "archive", help="move the entries of past years to a folder; their hashes stay, and who keeps them is recorded"
    )
    archive.add_argument("directory", type=Path, metavar="DEPLOYMENT", help="the deployment, while it does not run")
    archive.add_argument("--before", type=int, required=True, metavar="YEAR", help="a year that began in the ledger")
    archive.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new folder, on another disk")
    archive.add_argument(
        "--kept-by", required=True, metavar="TEXT", help="who has them then and how to get them: a line for everybody"
    )
    archive.set_defaults(run=_run, render=_render)

    adopt = commands.add_parser(
        "adopt", help="on a signer's machine: take over entries that the ledger has archived, to read all of it again"
    )
    adopt.add_argument("archive", metavar="DIR_OR_URL", help="the archive, from whoever keeps it")
    adopt.add_argument("--keys", type=Path, required=True, metavar="FOLDER", help="the signer's folder of keys")
    adopt.add_argument("--trust", type=Path, required=True, metavar="FILE", help="trust file")
    adopt.set_defaults(run=_adopt, render=_render_adopted)


def _run(args: argparse.Namespace) -> Result:
    progress = _progress if sys.stderr.isatty() and not args.json else None
    return archiving.archive(args.directory, args.before, args.to, args.kept_by, progress=progress)


def _progress(done: int, size: int) -> None:
    print(f"\r{done:,} of {size:,} entries", end="", file=sys.stderr, flush=True)


def _render(result: Result) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"{result['origin']}: entries before {result['before']:,} are archived in {result['folder']}.")
    print(f"The copy was verified up to {result['size']:,} entries.")
    print(f"{result['bundles_removed']:,} files were removed from the ledger, {result['bytes_removed']:,} bytes.")
    print(f"Entry {result['record']} says who has them: {result['kept_by']}")
    print("Copy the folder to a second place before you trust it to one disk.")
    if result["notice"]:
        print(result["notice"])


def _adopt(args: argparse.Namespace) -> Result:
    return office.adopt(args.archive, args.keys, args.trust)


def _render_adopted(result: Result) -> None:
    first, last = result["from_entry"], result["size"] - 1
    print(f"Entries {first:,} to {last:,} of {result['origin']} were verified.")
    print(f"Their full files are in {result['keys']} now.")
    print("They are hashed again, up to a cosigned checkpoint, each time that something is signed here.")
