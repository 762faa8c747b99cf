"""Sets the demo's stage: keys, log, charter, people, and the 28 days; or finds it as it was left."""

from __future__ import annotations

import csv
import json
import secrets
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from watchglass.access.passwords import hash_password
from watchglass.acts.accounts import open_account
from watchglass.bootstrap import (
    House,
    Layout,
    LocalWitness,
    SystemClock,
    VirtualClock,
    make_deployment,
    new_key,
    open_witness,
    shipped,
)
from watchglass.bootstrap.rostering import COLUMNS
from watchglass.core.errors import BadInput, Problem, WatchglassError
from watchglass.core.time import DAY, HOUR, moment
from watchglass.demo import CHARTER, STREET
from watchglass.demo.custody import INVESTIGATOR, NAMES, Custody, Hands, months_of
from watchglass.demo.history import DAYS, History, look_at_the_clip
from watchglass.demo.orders import Orders
from watchglass.demo.people import ACCOUNTS, People, as_someone, make_people
from watchglass.ledger.keys import VerifierKey
from watchglass.records.act_spec import Lane
from watchglass.records.statement import SignedStatement

ORIGIN: Final = "demo.watchglass.example"
_MARK: Final = "ready.json"
_BEGUN: Final = "being-set-up"
"""Lies beside the people's keys until everything is ready: what it marks may be cleared away, and nothing else."""
ROSTER: Final = "roster.csv"
NEWCOMER: Final = "Noor Haddad (invented)"
_WITNESS_PORT: Final = 100
_PORTS: Final = 200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that is ready to run."""

    layout: Layout
    witness_port: int
    log_vkey: str
    password: str

    @property
    def trust(self) -> Path:
        return self.layout.people / "trust"

    @property
    def witness_folder(self) -> Path:
        return self.layout.people / "witness"

    @property
    def oversight(self) -> str:
        """Oversight's first key, as outsiders remember it beside their trust file."""
        return self.trust.with_name("trust.oversight").read_text("utf-8").strip()

    @property
    def roster(self) -> Path:
        """Oversight's own list of people, beside its keys."""
        return self.layout.people / "oversight" / ROSTER

    @property
    def oversight_key(self) -> Path:
        return self.layout.people / "oversight" / "signing.key"


def find_or_set(state: Path, port: int, say: Say, progress: Callable[[float], None]) -> Stage:
    """The stage at ``state``: as it was left, or made anew.

    Raises:
        BadInput: the directory holds something else, or a demo that was cut off while it was made.
    """
    layout = Layout(state)
    mark = layout.people / _MARK
    if mark.is_file():
        say("Going on with the demo as it was left.")
        kept = json.loads(mark.read_text("utf-8"))
        return Stage(layout, kept["witness_port"], kept["log_vkey"], kept["password"])
    if (layout.people / _BEGUN).is_file():
        say("The last start was cut off while it was setting up; starting afresh.")
        if layout.settings.is_file() and f"origin: {ORIGIN}\n" in layout.settings.read_text("utf-8"):
            _nobody_runs(layout)
            shutil.rmtree(state)
        shutil.rmtree(layout.people)
    if layout.people.exists():
        raise BadInput(
            f"{layout.people} holds somebody's keys, and not a demo's.", fix="Choose another directory with --state."
        )
    if state.exists() and any(state.iterdir()):
        raise BadInput(f"{state} is not empty and holds no demo.", fix="Choose another directory with --state.")
    return _set(layout, port, say, progress)


def _nobody_runs(layout: Layout) -> None:
    """Check that no other process is setting this demo up at this moment.

    Raises:
        BadInput: one is.
    """
    try:
        House(layout.root).close()
    except BadInput as error:
        if "pid" in error.details:
            raise
    except WatchglassError:
        return  # half made, as it should be


def _set(layout: Layout, port: int, say: Say, progress: Callable[[float], None]) -> Stage:
    layout.people.mkdir(mode=0o700, parents=True)
    (layout.people / _BEGUN).touch()
    say("Making keys for the log, the authority, oversight and a witness ...")
    people = make_people(layout.people, ORIGIN)
    made, vkey = make_deployment(layout.root, ORIGIN, f"127.0.0.1:{port}")
    shutil.copyfile(str(STREET), made.media / STREET.name)
    witness_port = _free_port(port + _WITNESS_PORT)
    password = secrets.token_urlsafe(6)
    now = SystemClock().now()
    begin = now - now % HOUR - DAYS * DAY
    clock = VirtualClock(begin)
    stage = Stage(layout, witness_port, vkey, password)
    _write_trust(stage, people)
    with House(layout.root, clock=clock) as house, Hands(people, ORIGIN, months_of(begin, now)) as hands:
        witness = LocalWitness(open_witness(people.witness_folder, [VerifierKey.parse(house.log_vkey)], clock=clock))
        say("The charter: written, signed by authority and oversight in processes of their own, published ...")
        live = _judged(_charter(people, hands, begin, witness_port))
        _publish(house, witness, people, _for_history(live))
        accounts = _accounts(house, password)
        history = History(
            house,
            clock,
            accounts,
            Custody(house, hands, stage.trust),
            Orders(house, people),
        )
        history.confirm_the_backdrop()
        say("The pipeline looks at the clip once ...")
        seen = look_at_the_clip(house, begin)
        say(f"It found {len(seen.incidents)} incidents. 28 days pass through the real acts, on a virtual clock ...")
        history.play(seen, SystemClock().now(), progress)
        _publish(house, witness, people, live.replace("version: 1\n", "version: 2\n", 1))
        made.charter.write_text(_next_draft(live), "utf-8")
    _write_roster(people, hands)
    mark = {"witness_port": witness_port, "log_vkey": vkey, "password": password}
    (layout.people / _MARK).write_text(json.dumps(mark), "utf-8")
    (layout.people / _MARK).chmod(0o600)
    (layout.people / _BEGUN).unlink()
    return stage


def _charter(people: People, hands: Hands, begin: int, witness_port: int) -> str:
    since = moment(begin).date()
    values = {
        "AUTHORITY_KEY": people.authority_key,
        "OVERSIGHT_KEY": people.oversight_key,
        "OPENINGS_KEY": people.openings_key,
        "WITNESS_KEY": people.witness_key,
        "WITNESS_URL": f"http://127.0.0.1:{witness_port}",
        "MODEL_HASH": f"sha256:{shipped().sha256}",
        "FROM": since.isoformat(),
        "UNTIL": (since + timedelta(days=365)).isoformat(),
        "GLASS_KEY": hands.glass,
        **{f"{name.upper()}_CUSTODIAN": vkey for name, vkey in hands.custodians.items()},
    }
    text = CHARTER.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _judged(text: str) -> str:
    """With second judgements, checks, samples of what was not alerted, drills, a log, and what pictures must be like.

    In the charter's own file all that would stand in the way of whoever copies it.
    """
    checks = "seeded_checks: {share: 2%, at_least_per_reviewer_month: 10}"
    twice = f"second_read: 10%, second_read_at_least_per_reviewer_month: 10, {checks}"
    sampled = "  samples: {near_misses: 10%, very_near_misses: 30%, kept: 7d}\n"
    reported = "  reports: {from: [dispatch], of: [on-the-lawn, gathering], within: 10m, kept: 60d}\n"
    for plain, more in (
        ("  review: {within: 2m}\n", f"  review: {{within: 2m, {twice}}}\n{sampled}{reported}"),
        ("  on-the-lawn: {expected", "  on-the-lawn: {recall_at_least: 0.5, drills_planned: 330, expected"),
        ("    view:\n", "    conditions: {brightness: [30, 230]}\n    view:\n"),
    ):
        if plain not in text:
            raise Problem(f"The demo's charter has lost a line: {plain.strip()}", fix="Restore demo/charter.yaml.in.")
        text = text.replace(plain, more)
    return text


def _for_history(live: str) -> str:
    """Version 1 takes records in every hour; version 2 every minute, so that a visitor need not wait an hour.

    Its heartbeats come once an hour, so that the demo is soon ready; the live ones come every ten seconds.
    """
    quick = "ledger: {checkpoint_every: 10s, batch_every: 1m, merge_within: 10m, heartbeat_every: 10s}"
    if quick not in live:
        raise Problem("The demo's charter has lost its ledger line.", fix="Restore demo/charter.yaml.in.")
    slow = "ledger: {checkpoint_every: 60s, batch_every: 1h, merge_within: 2h, heartbeat_every: 1h}"
    return live.replace(quick, slow)


def _next_draft(live: str) -> str:
    """Version 3, which nobody has signed: in one thing it protects more, in another less."""
    now = "retention: {sealed: 3d, reviewer_clips: 7d, alerts: 1y}"
    if now not in live:
        raise Problem("The demo's charter has lost its retention line.", fix="Restore demo/charter.yaml.in.")
    text = live.replace("version: 1\n", "version: 3\n", 1)
    return text.replace(now, "retention: {sealed: 4d, reviewer_clips: 5d, alerts: 1y}")


def _write_roster(people: People, hands: Hands) -> None:
    """Oversight's own list: the two who are enrolled, and a newcomer who has made a key and waits."""
    month = hands.months[-2]
    folder = people.folder / "newcomer"
    folder.mkdir(mode=0o700)
    vkey = new_key(folder / "identity.key", f"newcomer.{month}.{ORIGIN}", "signing", None)
    rows = [(NAMES[role], role, hands.enrolled[role, month]) for role in NAMES]
    with (people.folder / "oversight" / ROSTER).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows, (NEWCOMER, INVESTIGATOR, vkey)])


def _publish(house: House, witness: LocalWitness, people: People, text: str) -> None:
    """Both sign on their own; the house publishes; the witness cosigns, and only then it comes into force."""
    file = house.layout.charter
    file.write_text(text, "utf-8")
    at = str(house.clock.now())

    def approve(role: str) -> SignedStatement:
        output = people.folder / role / "charter.approval"
        as_someone(
            "charter", "sign", str(file), "--as", role, "--key", str(people.key_of(role)), "--origin", ORIGIN,
            "-o", str(output), "--virtual-time", at,
        )  # fmt: skip
        return SignedStatement.parse(output.read_bytes())

    with ThreadPoolExecutor() as both:
        house.publish(text.encode(), list(both.map(approve, ("authority", "oversight"))))
    house.sequencer.watched_by({witness.name: witness})
    house.sequencer.tick((Lane.PROMPT,))
    if house.standing().published != "cosigned":
        raise Problem("The demo's witness did not cosign.", fix="Remove the demo's directories and start again.")


def _accounts(house: House, password: str) -> dict[str, int]:
    hashed = hash_password(password, house.entropy)
    return {name: open_account(house.acting, None, name, [role], hashed).value for name, role in ACCOUNTS.items()}


def _write_trust(stage: Stage, people: People) -> None:
    """What an outsider of the demo trusts: the log's key, one witness, and oversight's first key."""
    name = people.witness_key.split("+", 1)[0]
    stage.trust.write_text(
        f"log {stage.log_vkey}\nwitness {name} {people.witness_key} http://127.0.0.1:{stage.witness_port}\n"
        f"quorum {name}\n",
        "utf-8",
    )
    stage.trust.with_name("trust.oversight").write_text(f"{people.oversight_key}\n", "utf-8")


def _free_port(first: int) -> int:
    """The first port from ``first`` on that nobody listens on."""
    for port in range(first, first + _PORTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Problem(f"No port from {first} on is free for the demo's witness.", fix="Choose another --port.")
