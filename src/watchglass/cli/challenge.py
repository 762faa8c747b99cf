"""``watchglass oversight challenge`` and ``publish-audit``: what oversight stages, and what its audits found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchglass.bootstrap import SystemClock, SystemEntropy, challenging, connect, lodging, publishing
from watchglass.bootstrap.opened import read_openings
from watchglass.bootstrap.orders import Order
from watchglass.charter.noticed import ANALYTICS
from watchglass.cli.key import openings_key, signing_key
from watchglass.cli.offices import moment_of
from watchglass.cli.output import Render, Result
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import iso
from watchglass.ledger.keys import VerifierKey

Common = Callable[[argparse.ArgumentParser], None]
Sign = Callable[[argparse.Namespace, Order], Result]


def add(commands: Any, common: Common, sign: Sign, say: Render) -> None:
    """Put the commands into the group ``oversight``.

    Args:
        common: adds where the deployment is and whose key signs. sign: signs an order and hands it in. say: tells it.
    """
    publish = commands.add_parser("publish-audit", help="sign what your audit found, for everybody to read")
    common(publish)
    publish.add_argument("--report", type=Path, required=True, help="what `watchglass audit … --json` printed")
    publish.add_argument(
        "--without-state",
        action="store_true",
        help="do not make what a year can begin with, where the audit ran without --carry",
    )
    publish.set_defaults(run=lambda args: sign(args, challenging.published(_report(args))), render=say)

    group = commands.add_parser("challenge", help="stage an incident unannounced, and check that its traces appear")
    steps = group.add_subparsers(dest="step", metavar="STEP", required=True)
    _add_plan(steps)
    check = steps.add_parser("check", help="look through the log: was it noticed?")
    check.add_argument("file", type=Path, help="the challenge that `plan` wrote")
    check.add_argument("--ledger", required=True, metavar="DIR_OR_URL", help="the ledger's directory or address")
    check.add_argument("--trust", type=Path, required=True, metavar="FILE", help="trust file")
    check.add_argument("--openings", type=Path, required=True, help="the openings page's file, or a folder of them")
    check.add_argument("--openings-key", type=Path, required=True, help="oversight's openings key")
    check.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="DIR_OR_URL",
        help="where entries were archived that the ledger no longer serves. May be repeated",
    )
    check.set_defaults(run=_check, render=_say_check)
    tell = steps.add_parser("tell", help="tell everybody what came of it, signed")
    common(tell)
    tell.add_argument("--file", type=Path, required=True, help="the challenge, after `check`")
    tell.add_argument("--note", default="", help="what else oversight wants to keep of it; sealed")
    tell.set_defaults(run=lambda args: sign(args, challenging.read(args.file).told(args.note)), render=say)


def _report(args: argparse.Namespace) -> Any:
    report = _json(args.report)
    return report if args.without_state else publishing.carried(report)


def _add_plan(steps: Any) -> None:
    plan = steps.add_parser("plan", help="write down what will be staged, and lodge its hash with a witness")
    plan.add_argument("where", help="the portal's address")
    plan.add_argument("-o", "--output", type=Path, required=True, help="keep the challenge in this file; tell nobody")
    plan.add_argument("--key", type=Path, required=True, help="oversight's signing key")
    plan.add_argument("--source", required=True, help="the charter's source in whose view it will happen")
    plan.add_argument(
        "--kind",
        required=True,
        choices=sorted(each.kind for each in ANALYTICS),
        metavar="KIND",
        help="what kind of incident",
    )
    plan.add_argument("--from", dest="since", required=True, metavar="TIME", help="2026-11-23T14:05Z")
    plan.add_argument("--to", required=True, metavar="TIME", help="2026-11-23T14:10Z")
    plan.add_argument(
        "--lodge", action="append", required=True, metavar="WITNESS_URL", help="with this witness; may be repeated"
    )
    plan.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="that witness's key, if the charter names none"
    )
    plan.set_defaults(run=_plan, render=_say_plan)


def _plan(args: argparse.Namespace) -> Result:
    key = signing_key(args.key)
    since, until = moment_of(args.since, "--from"), moment_of(args.to, "--to")
    if args.output.exists():
        raise BadInput(f"{args.output} is there already.", fix="Choose another file for each challenge.")
    with connect(args.where) as house:
        standing = house.standing()
    charter = standing["charter"]
    if charter is None:
        raise Problem("This deployment has no charter yet.", fix="There is nothing to challenge.")
    planned = challenging.plan(standing["origin"], args.source, args.kind, since, until, SystemEntropy())
    more = [VerifierKey.parse(text) for text in args.witness]
    keys = [lodging.witness_at(url, charter.get("witnesses", ()), more) for url in args.lodge]
    challenging.write(args.output, planned)
    taken = [
        lodging.lodge_challenge(url, witness, key, planned.origin, planned.sha256)
        for url, witness in zip(args.lodge, keys, strict=True)
    ]
    challenging.write(args.output, planned.lodged(taken))
    return {
        "challenge": planned.sha256.hex(),
        "file": str(args.output),
        "from": iso(since),
        "to": iso(until),
        "lodged": [each.as_json() for each in taken],
    }


def _check(args: argparse.Namespace) -> Result:
    opened = read_openings(args.openings, openings_key(args.openings_key))
    challenge = challenging.read(args.file)
    found = challenging.look(challenge, args.ledger, args.trust, opened, SystemClock().now(), args.archive)
    challenging.write(args.file, found)
    return {"ok": found.result == challenging.NOTICED, "result": found.result, "alert_leaf": found.alert_leaf}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file} is not JSON.", fix="Save what `watchglass audit … --json` prints, whole.") from error


def _say_plan(result: Result) -> None:
    for each in result["lodged"]:
        print(f"Lodged with {each['witness']} at {each['at']}: only a hash, {result['challenge']}.")
    print(f"What will be staged is in {result['file']}. Show it to nobody before {result['to']}.")
    print("Afterwards take the openings, and let `watchglass oversight challenge check` look.")


def _say_check(result: Result) -> None:
    if result["result"] == challenging.NOTICED:
        print(f"It was noticed: leaf {result['alert_leaf']}.")
    else:
        print("It was missed: no alert of that source and kind in that time is in the log.")
    print("Tell it with `watchglass oversight challenge tell`.")
