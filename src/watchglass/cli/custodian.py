"""``watchglass custodian``: what somebody who keeps keys to sealed originals does on their own machine."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from watchglass.bootstrap import custody
from watchglass.cli.offices import common, confirm, confirmable, keygen, office, render_ledger, render_receipt
from watchglass.cli.output import Result, say


def add(groups: Any) -> None:
    group = groups.add_parser("custodian", help="keep keys to sealed originals: requests, holds, a key each month")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)

    line = "The line for the charter (`safeguards: custodians:`):"
    keygen(commands, "make your identity key; the charter pins its public half", line)

    rotate = commands.add_parser("rotate", help="make this month's key, sign it and publish it")
    common(rotate)
    rotate.add_argument("--month", metavar="YYYY-MM", help="this month (the default) or the next")
    rotate.set_defaults(run=_rotate, render=_render_rotate)

    inbox = commands.add_parser("inbox", help="the requests and holds that wait for you, each verified; and your keys")
    common(inbox)
    inbox.set_defaults(run=_inbox, render=_render_inbox)

    approve = commands.add_parser("approve", help="verify a request, and seal your shares anew to its case's key")
    common(approve)
    approve.add_argument("request", help="the request's id, or how it begins")
    confirmable(approve)
    approve.set_defaults(run=_approve, render=_render_approve)

    refuse = commands.add_parser("refuse", help="refuse a request, with a reason")
    common(refuse)
    refuse.add_argument("request", help="the request's id, or how it begins")
    refuse.add_argument("--reason", required=True, help="why; the investigator and oversight read it")
    refuse.set_defaults(run=_refuse, render=_render_refuse)

    keep = commands.add_parser("keep-hold", help="seal your shares of what is held to a key of the hold")
    common(keep)
    keep.add_argument("hold", help="the hold's id, or how it begins")
    keep.set_defaults(run=_keep, render=_render_keep)

    destroy = commands.add_parser("destroy-period", help="record that a month's key is gone, and destroy it")
    common(destroy)
    destroy.add_argument("month", metavar="YYYY-MM", help="a month that is over")
    confirmable(destroy)
    destroy.set_defaults(run=_destroy, render=_render_destroy)


DESTROYED = {
    "What will happen": "That your key of {month} is gone is signed, recorded and shown to everyone; once that is "
    "accepted, its file is overwritten and removed. The house refuses while originals of that month are within their "
    "retention, or held without your having kept the hold.",
    "Who will see it": "Everybody: your name as the charter has it, and the month.",
    "What cannot be undone": "All of it. Where no permitted set of custodians is left, what was sealed in {month} can "
    "never be opened again. Copies of the key that you made elsewhere, backups, and what a disk keeps of old blocks "
    "are not reached by this: destroy them too.",
}


def _rotate(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return custody.rotate(here, args.month)


def _inbox(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return custody.inbox(here)


def _approve(args: argparse.Namespace) -> Result:
    with office(args) as here:
        waiting = custody.waiting(here, args.request)
        if not args.yes:
            _say_request(waiting, say)
        confirm(args, custody.consequences(waiting), "Approve?")
        return custody.approve(here, waiting["id"], seen=waiting["leaf_hash"])


def _refuse(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return custody.refuse(here, args.request, args.reason)


def _keep(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return custody.keep_hold(here, args.hold)


def _destroy(args: argparse.Namespace) -> Result:
    confirm(args, {title: text.format(month=args.month) for title, text in DESTROYED.items()}, "Destroy it?")
    with office(args) as here:
        return custody.destroy_period(here, args.month)


# ---- for people ----------------------------------------------------------------------------------------------------


def _render_rotate(result: Result) -> None:
    print(
        f"The key of {result['custodian']} for {result['period']} is published; its private half is {result['file']}."
    )
    render_receipt(result)


def _render_inbox(result: Result) -> None:
    print(f"You are the custodian {result['custodian']}.")
    render_ledger(result)
    for request in result["requests"]:
        print()
        if not request["verified"]:
            print(f"Request {request['id']} did not verify. {request['problem']}\nWhat to do: {request['fix']}")
            continue
        _say_request(request)
        print(f"  State:    {request['state']}" + _answers(request))
    if not result["requests"]:
        print("No request waits.")
    for hold in result["holds"]:
        if not hold["verified"]:
            print(f"\nHold {hold['id']} did not verify. {hold['problem']}\nWhat to do: {hold['fix']}")
            continue
        done = "kept" if hold["kept"] else f"not kept yet: watchglass custodian keep-hold … {hold['id']}"
        print(f"\nHold {hold['id']} by {hold['ordered_by']}: {hold['source']}, {hold['from']} to {hold['to']}; {done}")
    print()
    for key in result["keys"]:
        print(f"Key of {key['period']}: {_state(key)}")


def _state(key: Mapping[str, Any]) -> str:
    words = ["published" if key["published"] else "not published", "here" if key["here"] else "not in this folder"]
    if key["destroyed"]:
        words.append("recorded as destroyed")
    if key["this_month"] and not key["published"]:
        words.append("until it is, nothing is sealed to you: watchglass custodian rotate")
    return "; ".join(words)


def _answers(request: Mapping[str, Any]) -> str:
    said = [f"{each['custodian']} {'approved' if each['approved'] else 'refused'}" for each in request["answers"]]
    return f" ({', '.join(said)})" if said else ""


def _say_request(request: Mapping[str, Any], out: Callable[[str], None] = print) -> None:
    case = request["case"]
    rows = {
        "Asked": f"{request['source']}, {request['from']} to {request['to']} ({request['seconds']} s)",
        "For": f"case {case['number']} under {case['authority']}",
        "Why": request["reason"],
        "Purpose": request["purpose"],
        "By": f"{request['asked_by']}, whose key oversight enrolled",
        "Valid": f"until {request['valid_until']}",
    }
    out(f"Request {request['id']}")
    for title, text in rows.items():
        out(textwrap.fill(text, 100, initial_indent=f"  {title + ':':<9} ", subsequent_indent=" " * 12))


def _render_approve(result: Result) -> None:
    print(f"Approved: your shares of {result['resealed']} segments were sealed anew to the key of the case.")
    render_receipt(result)


def _render_refuse(result: Result) -> None:
    print(f"Refused request {result['id']}.")
    render_receipt(result)


def _render_keep(result: Result) -> None:
    print(f"Kept: your shares of {result['kept']} segments are sealed to {result['file']}.")
    print("Keep that file until the hold is lifted; the month's key may be destroyed now.")
    render_receipt(result)


def _render_destroy(result: Result) -> None:
    print(f"The key of {result['period']} is destroyed in this folder: overwritten, then removed.")
    print("Copies elsewhere, backups, and what a disk keeps of old blocks are not reached by this.")
    render_receipt(result)
