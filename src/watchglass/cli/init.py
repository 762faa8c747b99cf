"""``watchglass init``: a new deployment, or a 14-day trial on one's own premises."""

from __future__ import annotations

import argparse
import secrets
import shutil
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from watchglass.access.passwords import first_password, hash_password
from watchglass.access.roles import Role
from watchglass.acts.accounts import open_account
from watchglass.bootstrap import (
    MODEL,
    House,
    Layout,
    SystemClock,
    make_deployment,
    new_key,
    picture_size,
    read_signing_key,
    shipped,
    sign_statement,
)
from watchglass.charter.decide import TRIAL_DAYS
from watchglass.charter.parse import parse
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput
from watchglass.core.time import moment
from watchglass.demo import STREET
from watchglass.records.act_spec import Lane
from watchglass.records.statement import SignedStatement
from watchglass.runtime.layout import DEFAULT_LISTEN

_DRAFT: Final = files("watchglass.cli") / "charter-draft.yaml"
_TRIAL: Final = files("watchglass.cli") / "charter-trial.yaml"
_ME: Final = "me"
_EVERY_PART: Final = (
    Role.REVIEWER,
    Role.RESPONDER,
    Role.SHIFT_LEAD,
    Role.OPERATOR,
    Role.OVERSIGHT,
    Role.ADMINISTRATOR,
)


def add(groups: Any) -> None:
    command = groups.add_parser("init", help="make a new deployment, or a 14-day trial on your own premises")
    command.add_argument("directory", type=Path, metavar="DIR", help="a new directory")
    command.add_argument("--origin", help="the ledger's name for ever, as a web name you own: safety.example.org")
    command.add_argument("--listen", default=DEFAULT_LISTEN, help=f"host:port of the portal (default {DEFAULT_LISTEN})")
    command.add_argument(
        "--trial",
        action="store_true",
        help=f"own premises, one person's keys, {TRIAL_DAYS} days, no recording, nothing leaves this machine",
    )
    command.add_argument("--video", type=Path, help="a trial's camera: a video file (default: the demo's street)")
    command.set_defaults(run=_run, render=_render)


def _run(args: argparse.Namespace) -> Result:
    if args.trial:
        return _trial(args)
    if args.video:
        raise BadInput("--video is for a trial.", fix="Name the source in the charter instead.")
    if not args.origin or args.origin.startswith(("demo.", "trial.")):
        raise BadInput(
            "A deployment needs its ledger's name, which does not begin with demo. or trial.",
            fix=f"Add --origin safety.example.org, or try it first: watchglass init {args.directory} --trial",
        )
    layout, vkey = make_deployment(args.directory, args.origin, args.listen)
    layout.charter.write_text(_filled(_DRAFT.read_text("utf-8"), {"MODEL": MODEL, "HASH": shipped().sha256}), "utf-8")
    return {"directory": str(layout.root), "origin": args.origin, "log_vkey": vkey, "trial": False}


def _trial(args: argparse.Namespace) -> Result:
    if args.origin:
        raise BadInput("A trial gets a name of its own.", fix="Leave --origin out.")
    video: Path | None = args.video
    if video is not None and not video.is_file():
        raise BadInput(f"There is no file {video}.", fix="Give a video file, or leave --video out to use the demo's.")
    width, height = picture_size(video or Path(str(STREET)))
    origin = f"trial.{secrets.token_hex(4)}.example"
    people = Layout(args.directory).people
    if people.exists():
        raise BadInput(f"{people} is there already.", fix="Choose a new directory, or remove what is left of the old.")
    layout, vkey = make_deployment(args.directory, origin, args.listen)
    people.mkdir(mode=0o700)
    name = "camera" + (video.suffix if video else ".mp4")
    shutil.copyfile(str(video or STREET), layout.media / name)
    key = new_key(people / "signing.key", f"me.{origin}", "signing", None)
    openings = new_key(people / "openings.key", f"me.{origin}", "openings", None)
    today = moment(SystemClock().now()).date()
    values = {
        "MODEL": MODEL,
        "HASH": shipped().sha256,
        "KEY": key,
        "OPENINGS": openings,
        "FILE": name,
        "WIDTH": str(width),
        "HEIGHT": str(height),
        "FROM": today.isoformat(),
        "UNTIL": (today + timedelta(days=TRIAL_DAYS - 1)).isoformat(),
    }
    text = _filled(_TRIAL.read_text("utf-8"), values).encode()
    layout.charter.write_bytes(text)
    with House(layout.root) as house:
        house.publish(
            text, [_approve(house, text, role, people / "signing.key") for role in ("authority", "oversight")]
        )
        password = first_password(house.entropy)
        open_account(house.acting, None, _ME, _EVERY_PART, hash_password(password, house.entropy))
        house.sequencer.tick((Lane.PROMPT, Lane.BATCH))
    return {
        "directory": str(layout.root),
        "origin": origin,
        "log_vkey": vkey,
        "trial": True,
        "until": values["UNTIL"],
        "name": _ME,
        "password": password,
        "people": str(people),
    }


def _approve(house: House, text: bytes, role: str, key: Path) -> SignedStatement:
    """One person signs as both; a trial's origin and its banner say so."""
    charter = parse(text)
    return sign_statement(
        "charter_approved",
        role=role,
        key=read_signing_key(key),
        origin=house.origin,
        charter=None,
        clear={
            "name": charter.charter,
            "version": charter.version,
            "sha256": charter.digest,
            "as_role": role,
            "seen": None,
        },
        committed={},
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _render(result: Result) -> None:
    directory = result["directory"]
    if result["trial"]:
        print(f"A trial until {result['until']}, in {directory}; your keys are in {result['people']}.")
        print(f"Start it:    watchglass run {directory}")
        print(f"Sign in as:  {result['name']}   password: {result['password']}   (shown only now)")
        print("It looks at your own premises, keeps pictures in memory only, and cannot be renewed.")
        return
    print(f"A deployment in {directory}. Its log's key, for trust files and witnesses:")
    print(f"  {result['log_vkey']}")
    print("Next:")
    print("  1. The authority and oversight each make a key on their own machine: watchglass key new FILE --name NAME")
    print("     Oversight also makes an openings key: watchglass key new FILE --name NAME --kind openings")
    print("     A witness outside: watchglass witness new DIR --name NAME")
    print(f"  2. Fill in {directory}/charter.yaml, then: watchglass charter check {directory}/charter.yaml")
    print(f"  3. Both sign: watchglass charter sign FILE --as ROLE --key KEY --origin {result['origin']}")
    print(f"  4. watchglass charter publish {directory} FILE --approval A --approval B")
    print(f"  5. watchglass user add {directory} NAME --role operator --generate   (and so on)")
    print(f"  6. watchglass run {directory}")
