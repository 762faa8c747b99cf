"""``watchglass oversight``: what oversight does on its own machine, with its own key (law 11)."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchglass.access.misuse import Finding
from watchglass.bootstrap import SystemEntropy, archived, connect, lodging, offline, open_bundle, orders, sign_statement
from watchglass.bootstrap.orders import Order
from watchglass.cli import challenge, misuse
from watchglass.cli.key import openings_key, signing_key
from watchglass.cli.offices import end_of, moment_of
from watchglass.cli.output import Result, say
from watchglass.cli.standing import standing_of
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import iso
from watchglass.ledger.keys import VerifierKey
from watchglass.records.statement import SignedStatement


def add(groups: Any) -> None:
    group = groups.add_parser(
        "oversight", help="suspend, resume, enrol keys, open sealed records: on oversight's own machine"
    )
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    suspend = commands.add_parser("suspend", help="order everything, or one analytic, to stop within two seconds")
    _common(suspend)
    _scope(suspend)
    _lodging(suspend)
    suspend.add_argument("--reason", required=True, help="why; sealed, so that only oversight can read it")
    suspend.set_defaults(run=_suspend, render=_say)
    resume = commands.add_parser("resume", help="let what was suspended run again, once witnesses have cosigned that")
    _common(resume)
    _scope(resume)
    _lodging(resume)
    resume.add_argument("--reason", required=True, help="why it may run again")
    resume.add_argument(
        "--what-changed",
        default="",
        help="what was changed since it was suspended; where a limit stopped it, the authority has stated that",
    )
    resume.set_defaults(run=_resume, render=_say)
    enrol = commands.add_parser("enrol", help="enrol one person's signing key for one role and one month")
    _common(enrol)
    enrol.add_argument("--vkey", required=True, help="the public half that the person's `key new` printed")
    enrol.add_argument("--role", required=True, help="for which role")
    enrol.add_argument("--month", required=True, help="2026-12")
    enrol.add_argument("--person", required=True, help="who it is, as in your sealed roster")
    enrol.set_defaults(run=_enrol, render=_say)
    _add_holds(commands)
    settle = commands.add_parser("settle", help="say what you made of a signal of misuse")
    _common(settle)
    settle.add_argument("--signal", required=True, help="its id, as the page or `oversight misuse` shows it")
    settle.add_argument("--finding", required=True, choices=[each.value for each in Finding], help="what it was")
    settle.add_argument("--note", default="", help="why you think so; sealed, so that only oversight can read it")
    settle.set_defaults(run=_settle, render=_say)
    carry = commands.add_parser("hand-in", help="hand in an act that was signed on another machine")
    carry.add_argument("where", help="the portal's address, or the deployment's directory while it does not run")
    carry.add_argument("statement", type=Path, help="the file that was signed")
    carry.set_defaults(run=_carry, render=_say)
    opened = commands.add_parser("open", help="open the sealed records that the portal's openings page gave you")
    opened.add_argument("bundle", type=Path, help="the file from the openings page")
    opened.add_argument("--ledger", required=True, help="the ledger's directory or address")
    opened.add_argument("--key", type=Path, required=True, help="oversight's openings key")
    opened.add_argument("--index", type=int, help="only this entry")
    opened.set_defaults(run=_open, render=_render_open)
    _add_export(commands)
    misuse.add(commands)
    challenge.add(commands, _common, _sign, _say)


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export", help="everything that an audit reads, into a folder: ledger, trust file, sealed details"
    )
    export.add_argument("where", help="the portal's address, or the deployment's directory while it does not run")
    export.add_argument("folder", type=Path, metavar="DIR", help="the folder; again, and it fetches only what is new")
    export.add_argument("--trust", type=Path, required=True, metavar="FILE", help="your trust file")
    export.add_argument("--key", type=Path, required=True, help="oversight's signing key")
    export.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="DIR_OR_URL",
        help="where entries were archived that the ledger no longer serves; they are copied too. May be repeated",
    )
    export.set_defaults(run=_export, render=_say_export)


def _export(args: argparse.Namespace) -> Result:
    return offline.export(args.where, args.folder, args.trust, signing_key(args.key), archives=args.archive)


def _say_export(result: Result) -> None:
    new = result["size"] - result["before"]
    print(f"{result['size']:,} entries of {result['origin']} are in {result['folder']}; {new:,} of them are new.")
    print(f"{result['openings']:,} sealed details were taken, which the ledger shows: {result['openings_file']}")
    for line in archived.words(result["archived"]):
        print(line)
    for year in result["states_missing"]:
        print(f"The portal does not serve the state with which {year} began: ask the operator for it.")
    print("README.txt there has the commands that audit it without a network.")
    if result["notice"]:
        print(result["notice"])


def _add_holds(commands: Any) -> None:
    hold = commands.add_parser("hold", help="order that some sealed originals be kept beyond their retention")
    _common(hold)
    _role(hold)
    hold.add_argument("--source", required=True, help="the charter's source")
    hold.add_argument("--from", dest="since", required=True, metavar="TIME", help="2026-11-23T14:05Z")
    hold.add_argument("--to", required=True, metavar="TIME", help="2026-11-23T14:10Z")
    hold.add_argument("--until", required=True, help="the last day on which it stands: 2027-02-28")
    hold.add_argument("--reason", required=True, help="why; sealed: only oversight and the custodians can read it")
    hold.set_defaults(run=_hold, render=_say_hold)
    lift = commands.add_parser("lift-hold", help="let what was held be destroyed again; by whoever ordered it")
    _common(lift)
    _role(lift)
    lift.add_argument("hold", help="the hold's id, which `oversight hold` printed")
    lift.add_argument("--leaf", required=True, help="the leaf of the order, which `oversight hold` printed")
    lift.add_argument("--reason", required=True, help="why it is lifted")
    lift.set_defaults(run=_lift_hold, render=_say)


def _role(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="role", choices=("oversight", "authority"), default="oversight", help="whose key it is"
    )


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "where",
        help="the portal's address, or the deployment's directory while it does not run, or a file with what "
        "/api/v1/standing answered (then --output keeps what was signed, for a machine without a network)",
    )
    command.add_argument("-o", "--output", type=Path, help="keep the signed act in this file instead of handing it in")
    command.add_argument("--key", type=Path, required=True, help="oversight's signing key")
    command.add_argument("--virtual-time", type=int, help=argparse.SUPPRESS)


def _scope(command: argparse.ArgumentParser) -> None:
    scope = command.add_mutually_exclusive_group(required=True)
    scope.add_argument("--analytic", help="the analytic's name")
    scope.add_argument("--all", action="store_true", help="everything")


def _lodging(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--lodge",
        action="append",
        default=[],
        metavar="WITNESS_URL",
        help="lodge it with this witness instead of handing it in: the house fetches it there, and nobody can say that "
        "it never came. Everybody can read it there, the reason too. May be repeated; needs --output",
    )
    command.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="that witness's key, if the charter names none"
    )


def _suspend(args: argparse.Namespace) -> Result:
    return _sign(args, orders.suspension(args.analytic, args.reason))


def _resume(args: argparse.Namespace) -> Result:
    told = standing_of(args.where)
    by_limit = [each["analytic"] for each in orders.stopped_by_limit(told.get("quality") or ())]
    ordered = [each["analytic"] for each in told["suspensions"] if not each["lifted"]]
    if args.analytic in by_limit and args.analytic not in ordered:
        return _sign(args, orders.resumption_of_limit(told["quality"], args.analytic, args.reason))
    if not args.what_changed:
        raise BadInput("Say what was changed since it was suspended.", fix="Add --what-changed.")
    return _sign(args, orders.resumption(told["suspensions"], args.analytic, args.reason, args.what_changed))


def _enrol(args: argparse.Namespace) -> Result:
    return _sign(args, orders.enrolment(person=args.person, role=args.role, month=args.month, vkey=args.vkey))


def _hold(args: argparse.Namespace) -> Result:
    number = SystemEntropy().bytes(8).hex()
    committed: dict[str, object] = {
        "hold": number,
        "source": args.source,
        "from_ms": moment_of(args.since, "--from"),
        "to_ms": moment_of(args.to, "--to"),
        "reason": args.reason,
        "until_ms": end_of(args.until, "--until"),
    }
    return {"hold": number, **_sign(args, Order("hold_ordered", {}, committed), role=args.role)}


def _lift_hold(args: argparse.Namespace) -> Result:
    refs = (unb64(args.leaf, length=32),)
    lifting = Order("hold_lifted", {}, {"hold": args.hold, "reason": args.reason}, refs)
    return _sign(args, lifting, role=args.role)


def _settle(args: argparse.Namespace) -> Result:
    return _sign(args, orders.settlement(signal=args.signal, finding=args.finding, note=args.note))


def _sign(args: argparse.Namespace, order: Order, *, role: str = "oversight") -> Result:
    key = signing_key(args.key)
    standing = standing_of(args.where)
    charter = standing["charter"]
    if charter is None:
        raise Problem("This deployment has no charter yet.", fix="There is nothing to suspend or to enrol for.")
    statement = sign_statement(
        order.act,
        role=role,
        key=key,
        origin=standing["origin"],
        charter=unb64(charter["sha256"], length=32),
        clear=order.clear,
        committed=order.committed,
        refs=order.refs,
        virtual_time=args.virtual_time,
    )
    if getattr(args, "lodge", None):
        return {"act": order.act, **order.clear, **_lodge(args, charter, statement)}
    if args.output is not None:
        args.output.write_bytes(statement.encode())
        return {"act": order.act, **order.clear, "statement": str(args.output)}
    return {"act": order.act, **order.clear, **_hand_in(args.where, statement)}


def _lodge(args: argparse.Namespace, charter: Mapping[str, Any], statement: SignedStatement) -> dict[str, Any]:
    """Lodge it with every witness that was named; one that took it is enough."""
    if args.output is None:
        raise BadInput(
            "What is lodged must be kept too: with the receipts it proves that it was ordered.",
            fix="Add --output FILE.",
        )
    more = [VerifierKey.parse(text) for text in args.witness]
    keys = [lodging.witness_at(url, charter.get("witnesses", ()), more) for url in args.lodge]
    body = statement.encode()
    args.output.write_bytes(body)
    taken, failed = lodging.lodge_with_all(args.lodge, keys, statement.leaf.act, statement.origin, body)
    if not taken:
        raise failed[0][1]
    folder = args.output.with_name(f"{args.output.name}.lodged")
    lodging.keep(folder, taken)
    return {
        "ok": not failed,
        "statement": str(args.output),
        "receipts": str(folder),
        "lodged": [each.as_json() for each in taken],
        "failed": [{"url": url, "error": error.message} for url, error in failed],
    }


def _hand_in(where: str, statement: SignedStatement) -> dict[str, Any]:
    with connect(where) as house:
        return house.hand_in(statement)


def _carry(args: argparse.Namespace) -> Result:
    try:
        statement = SignedStatement.parse(args.statement.read_bytes())
    except OSError as error:
        raise BadInput(f"{args.statement} cannot be read: {error.strerror}.", fix="Check its name.") from error
    return {"act": statement.leaf.act, **_hand_in(args.where, statement)}


def _open(args: argparse.Namespace) -> Result:
    if args.index is not None and args.index < 0:
        raise BadInput("An entry's number is not negative.", fix="Numbers begin with 0.")
    entries = open_bundle(args.bundle, args.ledger, openings_key(args.key), args.index)
    return {"opened": len(entries), "entries": entries}


def _say(result: Result) -> None:
    if "receipts" in result:  # a challenge that is told says itself how it was lodged
        for each in result["lodged"]:
            print(f"Lodged with {each['witness']} at {each['at']}. The house fetches it there within seconds.")
        for each in result["failed"]:
            print(f"Not lodged at {each['url']}: {each['error']}")
        print(f"The order is in {result['statement']}, the receipts are in {result['receipts']}. Keep both.")
        return
    if "statement" in result:
        print(f"Signed and kept in {result['statement']}. Hand it in within the hour: watchglass oversight hand-in.")
        return
    say("Signed on this machine, accepted and recorded.")
    receipt = result.get("receipt")
    if isinstance(receipt, dict):
        print(f"Receipt: in the public ledger by {iso(int(receipt['merge_by']))}. Leaf {result.get('leaf_hash', '')}")


def _say_hold(result: Result) -> None:
    _say(result)
    print(f"Hold {result['hold']}. Custodians keep it with `watchglass custodian keep-hold`; until they have, the keys")
    print("of that month cannot be destroyed. To lift it you need its id and the leaf above.")


def _render_open(result: Result) -> None:
    for entry in result["entries"]:
        print(f"{entry['index']:>8}  {entry['hour']}  {entry['act']}")
        for field, value in entry["fields"].items():
            print(f"            {field}: {value}")
    print(f"{result['opened']} records opened; each matches its commitment in the ledger.")
