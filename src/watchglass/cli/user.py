"""``watchglass user add``: the first accounts, made on the machine itself while it does not run."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from watchglass.access.passwords import first_password, good_enough, hash_password
from watchglass.access.roles import Role
from watchglass.acts.accounts import open_account
from watchglass.bootstrap import House
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput


def add(groups: Any) -> None:
    group = groups.add_parser("user", help="add people who may sign in")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    new = commands.add_parser("add", help="open an account; later ones are opened in the portal")
    new.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    new.add_argument("name", help="the sign-in name")
    new.add_argument(
        "--role", action="append", required=True, choices=[role.value for role in Role if role is not Role.PUBLIC]
    )
    how = new.add_mutually_exclusive_group()
    how.add_argument("--password-file", type=Path, help="read the password from the first line of this file")
    how.add_argument("--generate", action="store_true", help="make a first password and print it once")
    new.set_defaults(run=_add, render=_render)


def _add(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        password = _password(args, house)
        hashed = hash_password(good_enough(password, args.name), house.entropy)
        done = open_account(house.acting, None, args.name, [Role(role) for role in args.role], hashed)
    shown = {"password": password} if args.generate else {}
    return {"name": args.name, "roles": args.role, **shown, "receipt": done.receipts[0].as_json()}


def _password(args: argparse.Namespace, house: House) -> str:
    if args.generate:
        return first_password(house.entropy)
    if args.password_file:
        try:
            lines = args.password_file.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise BadInput(f"{args.password_file} cannot be read: {why}.", fix="Check its name.") from error
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise BadInput("There is no terminal to ask for the password.", fix="Use --password-file or --generate.")
    first = getpass.getpass(f"Password for {args.name}: ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("The two passwords differ.", fix="Try again.")
    return first


def _render(result: Result) -> None:
    print(f"Opened the account {result['name']} with: {', '.join(result['roles'])}. It is recorded.")
    if "password" in result:
        print(f"First password, shown only now: {result['password']}")
