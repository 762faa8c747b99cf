"""``watchglass quality state`` and ``propose-resumption``: how analytics stand to their limits, and running again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from watchglass.bootstrap import connect, orders, sign_statement
from watchglass.cli.key import signing_key
from watchglass.cli.output import Result, say
from watchglass.cli.standing import standing_of
from watchglass.core.digest import unb64
from watchglass.core.errors import Problem


def add(commands: Any) -> None:
    """Add both commands."""
    state = commands.add_parser("state", help="how each analytic stands to its published limits")
    state.add_argument("where", help="the portal's address, or the deployment's directory while it does not run")
    state.set_defaults(run=_state, render=_render_state)
    propose = commands.add_parser(
        "propose-resumption", help="the authority states what was changed, so that oversight may let it run again"
    )
    propose.add_argument(
        "where",
        help="the portal's address, or the deployment's directory while it does not run, or a file with what "
        "/api/v1/standing answered (then --output keeps what was signed, for a machine without a network)",
    )
    propose.add_argument("-o", "--output", type=Path, help="keep the signed act in this file instead of handing it in")
    propose.add_argument("--analytic", required=True, help="which analytic its limit had stopped")
    propose.add_argument(
        "--what-changed", required=True, help="what was changed since; everybody reads it on the register"
    )
    propose.add_argument("--key", type=Path, required=True, help="the authority's signing key")
    propose.add_argument("--virtual-time", type=int, help=argparse.SUPPRESS)
    propose.set_defaults(run=_propose, render=_render_propose)


def _state(args: argparse.Namespace) -> Result:
    with connect(args.where) as house:
        told = house.standing()
    return {"origin": told["origin"], "analytics": told.get("quality") or []}


def _render_state(result: Result) -> None:
    if not result["analytics"]:
        print("The charter in force states no limits, so nothing stops an analytic by itself.")
    for each in result["analytics"]:
        since = f" since {each['since']}" if each["since"] else ""
        print(f"{each['analytic']}: {each['says']}{since}. {each['because']}")
        stop = each["stop"]
        if stop and stop["resumed"]:
            print("    Oversight lets it run again; that waits for witnesses.")
        elif stop:
            proposed = "the authority has proposed it" if stop["proposals"] else "nobody has proposed it yet"
            print(f"    Until oversight lets it run again: {proposed}. People do meanwhile: {each['people_do']}")


def _propose(args: argparse.Namespace) -> Result:
    key = signing_key(args.key)
    standing = standing_of(args.where)
    charter = standing["charter"]
    if charter is None:
        raise Problem("This deployment has no charter yet.", fix="There is nothing to resume.")
    order = orders.proposal(standing.get("quality") or (), args.analytic, args.what_changed)
    statement = sign_statement(
        order.act,
        role="authority",
        key=key,
        origin=standing["origin"],
        charter=unb64(charter["sha256"], length=32),
        clear=order.clear,
        committed=order.committed,
        refs=order.refs,
        virtual_time=args.virtual_time,
    )
    if args.output is not None:
        args.output.write_bytes(statement.encode())
        return {"act": order.act, **order.clear, "statement": str(args.output)}
    with connect(args.where) as house:
        return {"act": order.act, **order.clear, **house.hand_in(statement)}


def _render_propose(result: Result) -> None:
    if "statement" in result:
        print(f"Signed and kept in {result['statement']}. Hand it in within the hour: watchglass oversight hand-in.")
        return
    say("Signed on this machine, accepted and recorded.")
    print(f"Oversight can let it run again: watchglass oversight resume … --analytic {result['analytic']}")
