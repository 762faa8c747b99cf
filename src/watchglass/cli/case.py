"""``watchglass case``: ask for sealed originals within a case, and open what was granted; on one's own machine."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap import join_video, seeking
from watchglass.cli.key import openings_key
from watchglass.cli.offices import (
    common,
    confirm,
    confirmable,
    end_of,
    keygen,
    moment_of,
    office,
    render_receipt,
)
from watchglass.cli.output import Result, say
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import iso

_PLAYERS: Final = (("mpv", "--force-window", "-"), ("ffplay", "-i", "-"), ("vlc", "-"))

OPENED: Final = {
    "What will happen": "The original video is opened on this machine.",
    "Who will see it": "You, and whoever looks at this screen or reads the files that you write.",
    "What cannot be undone": "That you took it is in the public ledger, and stays there. What is written to a disk can "
    "be copied; retention does not reach it.",
}
BROKEN: Final = {
    "What will happen": "The emergency rule of the charter is used: at once, without custodians. It is recorded before "
    "anything is given out, and oversight is told now.",
    "Who will see it": "You see the original video. The public sees that the emergency rule was used; oversight sees "
    "by whom, for what and for which minutes.",
    "What cannot be undone": "The record stays. You must explain it in time: `watchglass case follow-up`.",
}


def add(groups: Any) -> None:
    group = groups.add_parser("case", help="ask for sealed originals within a case, and open what was granted")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)

    line = "Give this line to oversight, who enrols it for one role and one month:"
    keygen(commands, "make your key of the month, for oversight to enrol", line)

    new = commands.add_parser("open", help="open a case with its legal authority; its key is made here")
    common(new)
    new.add_argument("--purpose", required=True, help="the charter's purpose that it is for")
    new.add_argument("--number", required=True, help="your own reference of the case")
    new.add_argument("--authority", required=True, help="the warrant, order or article that it rests on")
    new.add_argument("--reason", required=True, help="what it is about")
    new.add_argument("--until", required=True, help="the last day on which it is open: 2026-12-31")
    new.set_defaults(run=_open, render=_render_open)

    close = commands.add_parser("close", help="close a case: nothing more can be asked for within it")
    common(close)
    close.add_argument("case", help="the case's id, or how it begins")
    close.add_argument("--result", required=True, help="what came of it; oversight reads it")
    close.set_defaults(run=_close, render=_render_close)

    request = commands.add_parser("request", help="ask the custodians for one source, from a time to a time")
    common(request)
    request.add_argument("case", help="the case's id, or how it begins")
    _scope(request)
    request.set_defaults(run=_request, render=_render_request)

    status = commands.add_parser("status", help="your cases, requests and emergencies")
    common(status)
    status.set_defaults(run=_status, render=_render_status)

    _add_opening(commands)


def _add_opening(commands: Any) -> None:
    take = commands.add_parser("take", help="take what was granted to this machine; that is recorded")
    common(take)
    take.add_argument("request", help="the request's id, or how it begins")
    take.set_defaults(run=_take, render=_render_take)

    release = commands.add_parser("open-release", help="open what you took: into a folder, or straight into a player")
    common(release)
    release.add_argument("request", help="the request's id, or how it begins")
    target = release.add_mutually_exclusive_group(required=True)
    target.add_argument("--into", type=Path, metavar="DIR", help="write each opened piece into this folder")
    target.add_argument(
        "--play", action="store_true", help="play it from memory (mpv, ffplay or vlc); nothing is written"
    )
    release.add_argument("--glass-key", type=Path, metavar="FILE", help="the emergency key, for an emergency")
    confirmable(release)
    release.set_defaults(run=_release, render=_render_release)

    glass = commands.add_parser("break-glass", help="open at once by the charter's emergency rule; oversight is told")
    common(glass)
    glass.add_argument("--purpose", required=True, help="the charter's purpose that it is for")
    _scope(glass)
    confirmable(glass)
    glass.set_defaults(run=_glass, render=_render_glass)

    follow = commands.add_parser("follow-up", help="say what was seen and done in an emergency")
    common(follow)
    follow.add_argument("request", help="the emergency's id, or how it begins")
    follow.add_argument("--report", required=True, help="what was seen and done; oversight reads it")
    follow.add_argument("--case", help="your own reference of the case that came of it, if one did")
    follow.set_defaults(run=_follow, render=_render_follow)


def _scope(command: argparse.ArgumentParser) -> None:
    command.add_argument("--source", required=True, help="the charter's source")
    command.add_argument("--from", dest="since", required=True, metavar="TIME", help="2026-11-23T14:05Z")
    command.add_argument("--to", required=True, metavar="TIME", help="2026-11-23T14:10Z")
    command.add_argument("--reason", required=True, help="why just this; custodians and oversight read it")


def _open(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.open_case(
            here,
            purpose=args.purpose,
            number=args.number,
            authority=args.authority,
            reason=args.reason,
            until_ms=end_of(args.until, "--until"),
        )


def _close(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.close_case(here, args.case, args.result)


def _request(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.request(here, args.case, **_asked(args))


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "source": args.source,
        "from_ms": moment_of(args.since, "--from"),
        "to_ms": moment_of(args.to, "--to"),
        "reason": args.reason,
    }


def _status(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.status(here)


def _take(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.take(here, args.request)


def _release(args: argparse.Namespace) -> Result:
    player = _player() if args.play else None
    if args.into is not None and args.into.exists() and (not args.into.is_dir() or any(args.into.iterdir())):
        raise BadInput(f"{args.into} is not an empty folder.", fix="Give a new folder with --into.")
    glass = None if args.glass_key is None else openings_key(args.glass_key)
    confirm(args, OPENED, "Open it?")
    with office(args) as here:
        found = seeking.release(here, args.request)
        if player is not None:
            video = join_video(
                ((piece.header.context.from_ms, piece.plaintext) for piece in seeking.opened(here, found, glass)),
                piped=True,
            )
            say(f"Release {found.number}. Every look is yours to answer for.")
            subprocess.run(player, input=video, check=False)  # noqa: S603 (a player found on this machine)
            return {**found.as_json(), "played": player[0]}
        files = seeking.write_opened(here, found, args.into, glass)
        return {**found.as_json(), "files": [str(file) for file in files]}


def _player() -> list[str]:
    for player in _PLAYERS:
        if shutil.which(player[0]):
            return list(player)
    raise Problem(
        "There is no player on this machine: mpv, ffplay or vlc.", fix="Install one, or use --into DIR, or the desk."
    )


def _glass(args: argparse.Namespace) -> Result:
    asked = _asked(args)
    confirm(args, BROKEN, "Break the glass?")
    with office(args) as here:
        return seeking.break_glass(here, purpose=args.purpose, **asked)


def _follow(args: argparse.Namespace) -> Result:
    with office(args) as here:
        return seeking.follow_up(here, args.request, report=args.report, case=args.case)


# ---- for people ----------------------------------------------------------------------------------------------------


def _render_open(result: Result) -> None:
    print(f"Case {result['case']} ({result['number']}) is open until {result['until']}.")
    print(f"Its key is {result['file']}, and nowhere else: without it nothing that is released for it opens.")
    render_receipt(result)


def _render_close(result: Result) -> None:
    print(f"Case {result['case']} ({result['number']}) is closed.")
    render_receipt(result)


def _render_request(result: Result) -> None:
    print(f"Asked {result['asked']} for {result['source']}, {result['from']} to {result['to']}.")
    print(f"Request {result['request']}, valid until {result['valid_until']}. See `watchglass case status`.")
    render_receipt(result)


def _render_status(result: Result) -> None:
    for case in result["cases"]:
        ended = "closed" if case["closed_ms"] else f"open until {iso(case['until_ms'])}"
        print(f"Case {case['id']}  {case['number']}  {ended}")
        for request in case["requests"]:
            _say_request(request)
    for request in result["emergencies"]:
        done = "explained" if request["followed_ms"] else "NOT EXPLAINED YET: watchglass case follow-up"
        print(f"Emergency, {done}")
        _say_request(request)
    if not result["cases"] and not result["emergencies"]:
        print("You have no cases.")


def _say_request(request: Mapping[str, Any]) -> None:
    scope = f"{request['source']}, {iso(request['from_ms'])} to {iso(request['to_ms'])}"
    print(f"  {request['id']}  {scope}: {_state(request)}")


def _state(request: Mapping[str, Any]) -> str:
    refused = [f"{each['custodian']} refused: {each['reason']}" for each in request["refused_by"]]
    approved = f"approved by {', '.join(request['approved_by'])}" if request["approved_by"] else "nobody approved yet"
    if request["taken_ms"]:
        state = "taken"
    elif request["may_be_taken"]:
        state = "granted: take it"
    elif request["granted"]:
        state = "granted, not cosigned yet"
    else:
        state = approved
    return "; ".join([f"{state}, valid until {iso(request['until_ms'])}", *refused])


def _render_take(result: Result) -> None:
    print(f"Taken. Open it with `watchglass case open-release` until {result['valid_until']}.")
    render_receipt(result)


def _render_release(result: Result) -> None:
    print(f"Release {result['release']}: {result['source']}, {result['shows_from']} to {result['shows_to']}.")
    for gap in result["gaps"]:
        print(f"Nothing was recorded from {gap['from']} to {gap['to']}; a player shows the last picture meanwhile.")
    by = "nobody: the emergency rule was used" if result["emergency"] else ", ".join(result["approved_by"])
    print(f"Approved by {by}.")
    if result["unrecorded"]:
        print(
            f"The ledger does not show yet what was sealed in {len(result['unrecorded'])} of {result['segments']} "
            "pieces: records of pieces come in batches. Until it does, nothing proves that these are what was recorded."
        )
    else:
        print("Every piece is what was sealed and recorded.")
    for file in result.get("files", ()):
        print(file)


def _render_glass(result: Result) -> None:
    print(f"The glass is broken: {result['request']}. Open it: `watchglass case open-release … --glass-key FILE`.")
    print(f"Explain it by {result['follow_up_by']}: `watchglass case follow-up`.")
    render_receipt(result)


def _render_follow(result: Result) -> None:
    print(f"Explained: {result['request']}.")
    render_receipt(result)
