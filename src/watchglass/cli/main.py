"""The ``watchglass`` command: every group in its own file, each loaded only when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from watchglass import __version__
from watchglass.cli.output import Parser, finish, usage_error
from watchglass.core.errors import BadInput

GROUPS: Final = {
    "demo": ("demo", "see the whole thing work on a real street, in about a minute"),
    "init": ("init", "make a new deployment, or a 14-day trial on your own premises"),
    "paint": ("paint", "copy a video file without anybody in it"),
    "charter": ("charter", "check, explain, compare, sign and publish what the system may do"),
    "run": ("run", "run a deployment: cameras, queue, portal, ledger"),
    "status": ("status", "show where a deployment's sealed originals go, and how each analytic stands to its limits"),
    "ledger": ("ledger", "verify from outside what was done; make and check proofs"),
    "audit": ("audit", "derive again, from outside, whether a deployment kept its promises"),
    "oversight": ("oversight", "suspend, resume, enrol keys, open sealed records: on oversight's own machine"),
    "custodian": ("custodian", "keep keys to sealed originals: requests, holds, a key each month"),
    "case": ("case", "ask for sealed originals within a case, and open what was granted"),
    "evidence": ("evidence", "export what was released with a signed manifest; verify an export"),
    "desk": ("desk", "your own pages for requests, cases, keys and holds, on this machine only"),
    "witness": ("witness", "watch a ledger and cosign it, so that its past cannot change"),
    "notice": ("notice", "what destinations outside were not told, and why; send again, send a test"),
    "user": ("user", "add people who may sign in"),
    "secret": ("secret", "keep the passwords of cameras and the keys of receivers, outside the charter"),
    "key": ("key", "make a signing key for a person or a body"),
    "model": ("model", "show the detector's model card and check its hash"),
    "quality": ("quality", "how well it works, and whom it fails: audit sets, disparity, what limits do"),
    "plugin": ("plugin", "list other people's rules, their cards and hashes"),
    "bench": ("bench", "measure how fast it is (needs a checkout)"),
    "eval": ("evaluate", "measure how well it sees against truth (needs a checkout and data)"),
}
"""Command -> (module in ``watchglass.cli``, what it does)."""


def parser(only: str | None = None) -> Parser:
    """The whole parser; with ``only``, just that group's commands, so that others need not be imported."""
    top = Parser(
        prog="watchglass",
        description="Public-safety AI that the public can check.",
        epilog="Every command takes --json. Exit codes: 0 fine, 1 found a problem, 2 bad input or usage, "
        "3 refused by the charter, 4 did not verify.",
    )
    top.add_argument("--version", action="version", version=f"watchglass {__version__}")
    groups = top.add_subparsers(dest="group", metavar="COMMAND", required=True, parser_class=Parser)
    for name, (module, sentence) in GROUPS.items():
        if only in (None, name):
            importlib.import_module(f"watchglass.cli.{module}").add(groups)
        else:
            groups.add_parser(name, help=sentence)
    _add_json(top)
    return top


def _add_json(top: Parser) -> None:
    """Give every leaf command its ``--json``."""
    pending = [top]
    while pending:
        current = pending.pop()
        children = [a.choices for a in current._actions if isinstance(a.choices, dict)]  # noqa: SLF001 (argparse has no public way to walk its subparsers)
        if children:
            pending.extend(child for choices in children for child in choices.values() if isinstance(child, Parser))
        elif not any("--json" in action.option_strings for action in current._actions):  # noqa: SLF001 # no public list
            current.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the console script's entry point."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    group = next((word for word in words if not word.startswith("-")), None)
    try:
        if group is not None and group not in GROUPS:
            near = get_close_matches(group, GROUPS, n=1)
            hint = f"Did you mean `watchglass {near[0]}`? " if near else ""
            raise BadInput(f"There is no command “{group}”.", fix=f"{hint}`watchglass --help` lists them all.")
        args = parser(group or "").parse_args(words)
    except BadInput as error:
        return usage_error(error, as_json=as_json)
    try:
        return finish(args)
    except BrokenPipeError:  # whoever read this has read enough (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
