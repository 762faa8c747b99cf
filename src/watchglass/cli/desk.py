"""``watchglass desk serve``: a signer's pages, on loopback, from their own machine."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn

from watchglass.bootstrap import Keyring, Office, SystemEntropy, rostering
from watchglass.cli.key import openings_key, passphrase
from watchglass.cli.offices import common
from watchglass.cli.output import Result, say
from watchglass.cli.serving import address_of, listen
from watchglass.core.errors import BadInput
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session

_LOOPBACK = "127.0.0.1"


def add(groups: Any) -> None:
    group = groups.add_parser("desk", help="your own pages for whatever you decide and sign, on this machine only")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    serve = commands.add_parser("serve", help="serve them on loopback, and print the address that opens them once")
    common(serve)
    serve.add_argument("--key", type=Path, metavar="FILE", help="your signing key, if it is not DIR/identity.key")
    serve.add_argument("--port", type=int, default=0, help="a port of this machine; without it any free one")
    serve.add_argument("--host", default=_LOOPBACK, help=f"only {_LOOPBACK}: a desk answers to nobody else")
    serve.add_argument("--exports", type=Path, default=Path("exports"), metavar="DIR", help="where exports are written")
    serve.add_argument("--glass-key", type=Path, metavar="FILE", help="the emergency key, if you hold it")
    serve.add_argument("--roster", type=Path, metavar="FILE", help="oversight's list of who may be enrolled (CSV)")
    serve.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> Result:
    if args.host != _LOOPBACK:
        raise BadInput(
            f"A desk listens on {_LOOPBACK} only, not on {args.host}.",
            fix="Open it on the machine that holds your keys. There is no other way, on purpose.",
        )
    ring = Keyring(args.keys, lambda _file: passphrase(), identity=args.key)
    glass = None if args.glass_key is None else openings_key(args.glass_key)
    if args.roster is not None:
        rostering.read_roster(args.roster)  # what is wrong with it is said now, and not first on a page
    ring.identity()  # the passphrase is asked for here, in the terminal, and never on a page
    with (
        Office(args.where, ring, args.trust, virtual_time=args.virtual_time) as office,
        listen(_LOOPBACK, args.port) as listener,
    ):
        session = Session.fresh(listener.getsockname()[1], SystemEntropy())
        desk = Desk(office, session, exports=args.exports, glass=glass, roster=args.roster)
        address = address_of(listener)
        say(f"Open this address in a browser on this machine. It works once:\n\n  {address}/?token={session.token}\n")
        say("Ctrl-C stops the desk; what is open in it is gone then.")
        config = uvicorn.Config(
            desk.app(), log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="off"
        )
        with suppress(KeyboardInterrupt):  # Ctrl-C is how a desk is closed
            uvicorn.Server(config).run(sockets=[listener])
    return {"ok": True, "address": address, "stopped": True}
