"""What the commands of every signer share: where they sign, with which keys, and against which trust file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from watchglass.bootstrap import Keyring, Office, SystemEntropy
from watchglass.cli.key import passphrase
from watchglass.cli.output import Result, say
from watchglass.core.errors import BadInput
from watchglass.core.time import millis


def common(command: argparse.ArgumentParser) -> None:
    """Where, keys, trust file."""
    command.add_argument("where", help="the portal's address, or the deployment's directory while it does not run")
    keys(command)
    command.add_argument(
        "--trust", type=Path, required=True, metavar="FILE", help="your trust file: log and witnesses, from oversight"
    )
    command.add_argument("--virtual-time", type=int, help=argparse.SUPPRESS)


def keys(command: argparse.ArgumentParser) -> None:
    """The folder of keys."""
    command.add_argument("--keys", type=Path, required=True, metavar="DIR", help="the folder of your keys")


def keygen(commands: Any, about: str, line: str) -> None:
    """The command that makes an identity key.

    Args:
        about: its help. line: what is to be done with the line that it prints.
    """
    command = commands.add_parser("keygen", help=about)
    keys(command)
    command.add_argument("--name", required=True, help="who you are, in one word with dots: dpo.example")
    command.add_argument("--no-passphrase", action="store_true", help="do not ask for a passphrase (demo and trial)")
    command.set_defaults(run=_keygen, render=partial(_render_keygen, line))


def _keygen(args: argparse.Namespace) -> Result:
    secret = None if args.no_passphrase else passphrase(confirm=True)
    signer = Keyring.make(args.keys, args.name, secret, SystemEntropy())
    return {"keys": str(args.keys), "name": args.name, "public": str(signer.verifier)}


def _render_keygen(line: str, result: Result) -> None:
    print(f"Wrote {result['keys']}/identity.key. Keep it and its passphrase; nobody can make it again.")
    print(line)
    print(result["public"])


def confirmable(command: argparse.ArgumentParser) -> None:
    """An act that cannot be undone asks first."""
    command.add_argument("--yes", action="store_true", help="do not ask again before it is done")


def office(args: argparse.Namespace) -> Office:
    """The signer's office behind the arguments. Use it as a context manager."""
    ring = Keyring(args.keys, lambda _file: passphrase())
    return Office(args.where, ring, args.trust, virtual_time=args.virtual_time)


def confirm(args: argparse.Namespace, words: Mapping[str, str], question: str) -> None:
    """Say what will happen, who will see it and what cannot be undone; then ask.

    Raises:
        BadInput: the person says no, or nobody is there to ask and ``--yes`` was not given.
    """
    for title, text in words.items():
        say(f"{title}: {text}")
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(
            "Nobody is here to say yes, so nothing was done.", fix="Run it where you can type, or add --yes."
        )
    say(f"{question} Type yes:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise BadInput("You did not say yes, so nothing was done.", fix="Run it again when you have decided.")


def moment_of(text: str, option: str) -> int:
    """The milliseconds of ``2026-11-23T14:05Z`` or with an offset, ``2026-11-23T15:05+01:00``.

    Raises:
        BadInput: it is no time, or does not say in which zone.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text} is not a time.", fix="Write it like 2026-11-23T14:05Z.") from error
    if when.tzinfo is None:
        raise BadInput(
            f"{option} {text} does not say in which time zone.", fix="Add Z for UTC, or an offset such as +01:00."
        )
    return millis(when)


def end_of(text: str, option: str) -> int:
    """The end of a day (``2026-12-31``, UTC), or a time as ``moment_of`` reads it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return moment_of(text, option)
    return millis(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1))


def render_receipt(result: Result) -> None:
    """Say what was recorded, and until when it must show."""
    if "recorded_by" in result:
        print(f"Recorded. It shows in the public ledger by {result['recorded_by']}. Leaf {result['leaf_hash']}")


def render_ledger(told: Mapping[str, Any]) -> None:
    """Say which ledger was read, and who watches it."""
    ledger, charter = told["ledger"], told["charter"]
    print(
        f"{ledger['origin']}: {ledger['size']:,} entries read; the charter in force is {charter['name']}, version "
        f"{charter['version']}, until {charter['until']}."
    )
    for witness in ledger["witnesses"]:
        print(f"Cosigned by {witness['name']} at {witness['time']}.")
    if ledger["notice"]:
        print(f"Deployment: {ledger['deployment']}. {ledger['notice']}")
    if ledger["fetched_again"]:
        print("The copies of it on this machine did not fit: they were thrown away, and all of it was fetched again.")
    if ledger["oversight_remembered"]:
        print("First time here: oversight's key was remembered. Compare it with what oversight itself tells you.")
