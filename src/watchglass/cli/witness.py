"""``watchglass witness``: make a witness and let it watch logs."""

from __future__ import annotations

import argparse
import ipaddress
import socket
from pathlib import Path
from typing import Any

import uvicorn

from watchglass.bootstrap import evidence_in, new_witness, open_witness
from watchglass.cli.output import say
from watchglass.cli.serving import bind
from watchglass.core.errors import BadInput, Problem
from watchglass.ledger.keys import VerifierKey
from watchglass.web.witness.app import make_app

DEFAULT_LISTEN = "127.0.0.1:8700"
_HIGHEST_PORT = 65_535


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the group to the command line."""
    group = subparsers.add_parser("witness", help="watch a ledger and cosign it, so that its past cannot change")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)

    new = commands.add_parser("new", help="make a witness with a fresh key")
    new.add_argument("directory", type=Path, metavar="DIR", help="where it will remember what it cosigned")
    new.add_argument("--name", required=True, help="its name, as witness.example.org")
    new.set_defaults(run=run_new, render=render_new)

    serve = commands.add_parser("serve", help="answer add-checkpoint requests")
    serve.add_argument("directory", type=Path, metavar="DIR", help="the directory that `witness new` made")
    serve.add_argument("--listen", default=DEFAULT_LISTEN, metavar="HOST:PORT", help=f"default {DEFAULT_LISTEN}")
    serve.add_argument("--log", action="append", required=True, metavar="VKEY", help="a log to watch; may be repeated")
    serve.add_argument("--key", type=Path, metavar="FILE", help="the witness's key, if it lies elsewhere")
    serve.add_argument(
        "--oversight", action="append", default=[], metavar="VKEY", help="take what this key lodges; may be repeated"
    )
    serve.set_defaults(run=run_serve)

    evidence = commands.add_parser("evidence", help="show the checkpoints that contradicted each other")
    evidence.add_argument("directory", type=Path, metavar="DIR", help="the directory that `witness new` made")
    evidence.set_defaults(run=run_evidence, render=render_evidence)


def run_new(args: argparse.Namespace) -> dict[str, Any]:
    """Make the witness's directory and key."""
    key = new_witness(args.directory, args.name)
    return {"ok": True, "directory": str(args.directory), "key": str(key)}


def render_new(result: dict[str, Any]) -> None:
    """Say it for people."""
    print(f"The witness in {result['directory']} has the key")
    print(result["key"])
    print("Give this line to the log's operator and to everybody who keeps a trust file.")


def run_serve(args: argparse.Namespace) -> dict[str, Any]:
    """Serve until stopped."""
    host, port = _address(args.listen)
    logs, oversight = ([VerifierKey.parse(text) for text in texts] for texts in (args.log, args.oversight))
    witness = open_witness(args.directory, logs, oversight=oversight, key_file=args.key)
    with witness.alone(), _listen(host, port) as listener:
        shown = f"http://{_bracketed(host)}:{listener.getsockname()[1]}"
        say(f"{witness.key.name} watches {', '.join(witness.origins)} at {shown} (Ctrl-C stops it).")
        if not _is_loopback(host):
            say("Others can reach this address. That is what a witness is for; keep its key on this machine only.")
        config = uvicorn.Config(make_app(witness), log_level="warning", lifespan="off", server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
    return {"ok": True, "key": str(witness.key), "address": shown, "stopped": True}


def run_evidence(args: argparse.Namespace) -> dict[str, Any]:
    """Every contradiction that the witness kept, with both checkpoints, checked again."""
    found = [(name, fork.check()) for name, fork in evidence_in(args.directory)]
    return {
        "ok": not found,
        "directory": str(args.directory),
        "evidence": [
            {
                "name": name,
                "kind": fork.kind.value,
                "origin": fork.origin,
                "sentence": fork.sentence,
                "known": fork.known.decode(),
                "shown": fork.shown.decode(),
            }
            for name, fork in found
        ],
    }


def render_evidence(result: dict[str, Any]) -> None:
    """Say it for people."""
    if not result["evidence"]:
        print(f"Nothing that the witness in {result['directory']} saw contradicts what it had cosigned.")
    for each in result["evidence"]:
        print(each["sentence"])
        print(f"\nKnown before:\n\n{each['known']}\nShown to it:\n\n{each['shown']}")
        print(f"Both are in {result['directory']}/evidence/{each['name']}.json, signed by the log itself.")
        print("Send that file to oversight and to everybody who keeps a trust file.\n")


def _listen(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as error:
        raise Problem(
            f"{host}:{port} cannot be listened on: {error.strerror}.", fix="Choose another port with --listen."
        ) from error


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT):
        raise BadInput(f"{text!r} is not HOST:PORT.", fix=f"Use an address like {DEFAULT_LISTEN}.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
