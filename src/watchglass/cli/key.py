"""``watchglass key new``: a person's or a body's own key, on their own machine."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.bootstrap import new_key, read_openings_key, read_signing_key
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput
from watchglass.ledger.keys import SignerKey


def add(groups: Any) -> None:
    group = groups.add_parser("key", help="make a signing key for a person or a body")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    new = commands.add_parser("new", help="make a key; nobody but you can read the file")
    new.add_argument("file", type=Path, help="the file to write")
    new.add_argument("--name", required=True, help="who you are, in one word with dots: privacy-board.example")
    new.add_argument(
        "--kind",
        choices=("signing", "openings"),
        default="signing",
        help="signing (Ed25519), or openings (X25519: oversight opens sealed records with it)",
    )
    new.add_argument("--no-passphrase", action="store_true", help="do not ask for a passphrase (demo and trial)")
    new.set_defaults(run=_new, render=_render)


def passphrase(*, confirm: bool = False) -> str:
    """Ask on the terminal for a passphrase.

    Raises:
        BadInput: there is no terminal to ask on, or the two entries differ.
    """
    if not sys.stdin.isatty():
        raise BadInput("There is no terminal to ask for the passphrase.", fix="Run this where you can type.")
    word = getpass.getpass("Passphrase for this key: ")
    if confirm and getpass.getpass("Once more: ") != word:
        raise BadInput("The two passphrases differ.", fix="Try again.")
    return word


def signing_key(file: Path) -> SignerKey:
    """The signing key in ``file``; asks for its passphrase where it has one."""
    return read_signing_key(file, passphrase=passphrase() if _is_encrypted(file) else None)


def openings_key(file: Path) -> X25519PrivateKey:
    """The openings key in ``file``; asks for its passphrase where it has one."""
    return read_openings_key(file, passphrase=passphrase() if _is_encrypted(file) else None)


def _is_encrypted(file: Path) -> bool:
    try:
        return b"BEGIN ENCRYPTED PRIVATE KEY" in file.read_bytes()
    except OSError:
        return False  # reading it as a key says what is wrong


def _new(args: argparse.Namespace) -> Result:
    secret = None if args.no_passphrase else passphrase(confirm=True)
    public = new_key(args.file, args.name, args.kind, secret)
    return {"file": str(args.file), "name": args.name, "kind": args.kind, "public": public}


def _render(result: Result) -> None:
    print(f"Wrote {result['file']}. Keep it and its passphrase; nobody can make it again.")
    print("The public half, for the charter:")
    print(result["public"])
