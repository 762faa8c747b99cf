"""``watchglass secret``: passwords of cameras and keys of receivers, which the published charter only names."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap import Layout, SecretFolder
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput

_MOST: Final = 65_536


def add(groups: Any) -> None:
    group = groups.add_parser("secret", help="keep the passwords of cameras and the keys of receivers")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    new = commands.add_parser("set", help="keep a secret, read from the terminal or from a pipe, never from the line")
    new.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    new.add_argument("name", help="the name that the charter uses")
    new.set_defaults(run=_set, render=_render_set)
    known = commands.add_parser("list", help="show the names of the secrets; never what they are")
    known.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    known.set_defaults(run=_list, render=_render_list)
    old = commands.add_parser("remove", help="remove a secret")
    old.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    old.add_argument("name", help="its name")
    old.set_defaults(run=_remove, render=_render_remove)


def _folder(args: argparse.Namespace) -> SecretFolder:
    layout = Layout(args.directory)
    if not layout.settings.is_file():
        raise BadInput(f"{args.directory} is not a Watchglass deployment.", fix="Give the directory that `init` made.")
    return SecretFolder(layout.secrets)


def _set(args: argparse.Namespace) -> Result:
    folder = _folder(args)
    replaced = args.name in folder.names()
    folder.set(args.name, _asked(args.name))
    return {"name": args.name, "replaced": replaced}


def _asked(name: str) -> str:
    """From a pipe the whole of it; from a terminal a line that is not shown."""
    if sys.stdin.isatty():
        return getpass.getpass(f"The secret {name}: ")
    try:
        return sys.stdin.read(_MOST)
    except UnicodeDecodeError as error:
        raise BadInput(f"The secret “{name}” is not text.", fix="Give one line of UTF-8 text.") from error


def _list(args: argparse.Namespace) -> Result:
    return {"names": list(_folder(args).names())}


def _remove(args: argparse.Namespace) -> Result:
    _folder(args).remove(args.name)
    return {"name": args.name, "removed": True}


def _render_set(result: Result) -> None:
    print(f"{'Replaced' if result['replaced'] else 'Kept'} the secret {result['name']}.")
    print("A deployment that runs reads it when it is started again.")


def _render_list(result: Result) -> None:
    for name in result["names"]:
        print(name)
    if not result["names"]:
        print("There is no secret.")


def _render_remove(result: Result) -> None:
    print(f"Removed the secret {result['name']}.")
