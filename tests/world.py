"""A small real deployment for tests: real keys, a real witness, a published and cosigned charter, one account a role.

``make_house`` makes it in a fraction of a second. Nothing in it is imitated: the acts, the store, the log, the witness
and the signatures are the product's. Only the passwords are not (a hash that opens nothing), because argon2 is slow on
purpose; give ``password`` where somebody must sign in.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from limited import without_limits
from watchglass.access.authorise import authorise
from watchglass.access.passwords import hash_password
from watchglass.access.policies import policies_of
from watchglass.access.roles import GRANTS, Grant, May, Person, Role
from watchglass.acts.accounts import open_account, person
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.raise_alert import raise_alert
from watchglass.bootstrap import (
    House,
    Layout,
    LocalWitness,
    SeededEntropy,
    VirtualClock,
    deployment_of,
    make_deployment,
    new_key,
    new_witness,
    open_witness,
    read_openings_key,
    read_signing_key,
    shipped,
)
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.permit import Decide, Permit, RaiseAlert, Request
from watchglass.core.digest import unb64
from watchglass.core.errors import DidNotVerify, Problem
from watchglass.core.time import Clock, moment
from watchglass.demo import CHARTER
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.tiles import FULL, decode_bundle, entries_path
from watchglass.perception.messages import Incident
from watchglass.records.act_spec import Lane
from watchglass.records.leaf import Leaf
from watchglass.records.opening import WrappedKey, unseal, unwrap
from watchglass.records.statement import SignedStatement, sign
from watchglass.review.model import Alert, Verdict, VerdictValue

ORIGIN = "demo.test.example"
NOON = 1_795_435_200_000  # 2026-11-23T12:00:00Z, a Monday
NO_PASSWORD = "!"
PNG = b"\x89PNG\r\n\x1a\n not a picture, and nobody looks"


REVIEW_MS = 120_000
"""How long a person has to decide, in the world's charter."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as oversight sees it: the leaf that everybody can read, and what was sealed."""

    leaf: Leaf
    data: bytes
    fields: Mapping[str, Any]

    @property
    def hash(self) -> bytes:
        return self.leaf.hash()


@dataclass
class World:
    """A house with everybody's keys at hand. Use it as a context manager, or ``close`` it.

    Attributes:
        text: the text of the newest charter that was published.
        keys: the signing keys of ``authority`` and ``oversight``.
        openings: oversight's private openings key.
    """

    folder: Path
    house: House
    clock: Clock
    keys: dict[str, SignerKey]
    openings: X25519PrivateKey
    witness: LocalWitness
    witness_key: VerifierKey
    text: str
    people: dict[Role, Person] = field(default_factory=dict)
    watched: bool = True
    _alerts: int = 0
    _entropy: SeededEntropy = field(default_factory=lambda: SeededEntropy("signers"))

    # ---- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.house.close()

    def reopen(self) -> House:
        """Close the house and open it again, as after a stop."""
        self.house.close()
        self.house = House(self.house.layout.root, clock=self.clock)
        self.witnessed()
        return self.house

    @property
    def layout(self) -> Layout:
        return self.house.layout

    # ---- charters ----------------------------------------------------------------------------------------------------

    def approvals(self, text: str, roles: Sequence[str] = ("authority", "oversight")) -> list[SignedStatement]:
        """What each of ``roles`` signs over exactly ``text``."""
        charter = parse(text.encode())
        return [
            self.sign(
                "charter_approved",
                role,
                {
                    "name": charter.charter,
                    "version": charter.version,
                    "sha256": charter.digest,
                    "as_role": role,
                    "seen": None,
                },
                {},
                charter=None,
            )
            for role in roles
        ]

    def publish(self, text: str | None = None, *, cosign: bool = True) -> Charter:
        """Both sign ``text``, the house publishes it, and the witness cosigns it."""
        text = self.text if text is None else text
        self.house.publish(text.encode(), self.approvals(text))
        self.text = text
        self.witnessed(watch=cosign)
        self.house.sequencer.tick((Lane.PROMPT,))
        return parse(text.encode())

    def edited(self, *edits: tuple[str, str], version: int | None = None) -> str:
        """The charter's text with ``edits``, as the next version."""
        text = self.text
        number = parse(text.encode()).version
        for old, new in ((f"version: {number}\n", f"version: {version or number + 1}\n"), *edits):
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    def witnessed(self, *, watch: bool = True) -> None:
        """Let the witness in this process watch the log; otherwise it is down, as witnesses sometimes are."""
        self.house.sequencer.watched_by({self.witness.name: self.witness if watch else _Down()})

    def settle(self) -> None:
        """Let everything that is recorded become public, and cosigned where somebody watches."""
        self.house.sequencer.tick(tuple(Lane))

    # ---- who may what ------------------------------------------------------------------------------------------------

    def open_accounts(self, password: str | None = None) -> None:
        """One account a role, named like it."""
        hashed = NO_PASSWORD if password is None else hash_password(password, SeededEntropy("salt"))
        for role in Role:
            if role is not Role.PUBLIC:
                self.add(role.value, role, hashed=hashed)

    def add(self, name: str, role: Role, *, hashed: str = NO_PASSWORD) -> Person:
        """Open an account; the first of each role is the one that ``grant`` takes."""
        number = open_account(self.house.acting, None, name, [role], hashed).value
        someone = person(self.house.store.read(), number)
        assert someone is not None
        return self.people.setdefault(role, someone) if role not in self.people else someone

    def grant(self, may: May, by: Role | Person | None = None) -> Grant:
        """The grant of ``may`` to ``by``, or to the first role that has it."""
        if by is None:
            by = next(role for role in Role if may in GRANTS[role])
        under = policies_of(self.house.standing().charter)
        return authorise(self.people[by] if isinstance(by, Role) else by, may, under=under)

    def standing(self) -> Standing:
        return self.house.standing()

    def permit(self, request: Request) -> Permit:
        """The charter's yes."""
        return decide(self.house.standing(), request, self.clock.now())

    # ---- what happens ------------------------------------------------------------------------------------------------

    def new_alert(self, analytic: str = "on-the-lawn", **more: Any) -> Incident:
        """An incident that could be raised."""
        self._alerts += 1
        values: dict[str, Any] = {
            "id": f"{self._alerts:016x}",
            "source": "street",
            "analytic": analytic,
            "kind": "intrusion",
            "zone": "lawn",
            "at_ms": self.clock.now() - 400,
            "score": 0.713,
            "probability": 0.82,
            "why": "1 person inside 'lawn' for 1.2 s",
            "facts": {"people": 1},
            "boxes": ((10, 20, 30, 60, 0),),
            "still": PNG,
        }
        return Incident(**{**values, **more})

    def raise_alert(self, analytic: str = "on-the-lawn", **more: Any) -> Alert:
        """An alert, through the real act."""
        permit = self.permit(RaiseAlert(analytic))
        return raise_alert(
            self.house.acting, permit, self.new_alert(analytic, **more), review_within_ms=REVIEW_MS
        ).value

    def decide(self, alert: Alert, value: VerdictValue = VerdictValue.CONFIRM, **more: Any) -> Verdict:
        """A verdict, through the real act."""
        by = more.pop("by", Role.REVIEWER)
        permit = self.permit(Decide(alert.analytic))
        return decide_alert(self.house.acting, self.grant(May.DECIDE_ALERT, by), permit, alert.id, value, **more).value

    def sign(
        self,
        act: str,
        role: str,
        clear: Mapping[str, object],
        committed: Mapping[str, object],
        *,
        refs: Sequence[bytes] = (),
        purpose: str | None = None,
        charter: bytes | str | None = "in force",
        key: SignerKey | None = None,
        now: int | None = None,
        origin: str | None = None,
    ) -> SignedStatement:
        """Sign an act with the key of ``role``, as its holder would on a machine of their own."""
        if charter == "in force":
            standing = self.house.standing().charter
            charter = standing.sha256 if standing else None
        assert not isinstance(charter, str)
        return sign(
            act,
            role=role,
            key=key or self.keys[role],
            origin=origin or self.house.origin,
            now=self.clock.now() if now is None else now,
            entropy=self._entropy,
            charter=charter,
            purpose=purpose,
            clear=clear,
            committed=committed,
            refs=tuple(refs),
        )

    def suspend(self, analytic: str | None = None) -> bytes:
        """Oversight orders one analytic, or everything, to stop; the order's leaf hash."""
        statement = self.sign("suspension_ordered", "oversight", _scope(analytic), {"reason": "A test."})
        return unb64(self.house.hand_in(statement)["leaf_hash"], length=32)

    def lift(self, order: bytes, analytic: str | None = None) -> SignedStatement:
        """Oversight's statement that what it stopped may run again."""
        why = {"reason": "It was looked at.", "what_changed": "The zone."}
        return self.sign("suspension_lifted", "oversight", _scope(analytic), why, refs=[order])

    # ---- what is in the log ------------------------------------------------------------------------------------------

    def records(self, act: str | None = None) -> list[Record]:
        """Every record, in the public log or still waiting for it, opened with oversight's key where that opens it."""
        reader = self.house.store.read()
        # First: in a running house a record may move into the log in between, and is found in both then.
        waiting = reader.all("SELECT leaf, sealed FROM outbox ORDER BY seq")
        keys = {
            bytes(row["key_id"]): WrappedKey(bytes(row["key_id"]), row["hour"], bytes(row["wrapped"]))
            for row in reader.all("SELECT key_id, hour, wrapped FROM opening_key")
        }
        sealed = {bytes(row["leaf_hash"]): bytes(row["sealed"]) for row in reader.all("SELECT * FROM opening")}
        found: dict[bytes, bytes | None] = dict.fromkeys(self.entries())
        found |= {bytes(row["leaf"]): bytes(row["sealed"]) if row["sealed"] else None for row in waiting}
        records = []
        for data, beside in found.items():
            leaf = Leaf.parse(data)
            if act in (None, leaf.act):
                blob = beside or sealed.get(leaf.hash())
                key = keys.get(blob[:16]) if blob else None
                records.append(Record(leaf, data, self._opened(leaf, blob, key) if blob and key else {}))
        return records

    def _opened(self, leaf: Leaf, sealed: bytes, key: WrappedKey) -> Mapping[str, Any]:
        """The fields; nothing where the hour's key was wrapped to another openings key than ``openings``."""
        try:
            unwrap(key, self.openings, origin=self.house.origin)
        except DidNotVerify:
            return {}
        return unseal(leaf, sealed, key, self.openings, origin=self.house.origin)

    def entries(self) -> list[bytes]:
        """Every entry of the published log."""
        size, found = self.house.sequencer.head.size, []
        for first in range(0, size, FULL):
            width = min(FULL, size - first)
            data = self.house.tiles.read(entries_path(first // FULL, width))
            assert data is not None
            found += decode_bundle(data, width)
        return found

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table as it stands, so that a test can show that nothing of an act happened."""
        reader = self.house.store.read()
        tables = [row["name"] for row in reader.all("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: [tuple(row) for row in reader.all(f"SELECT * FROM {name}")] for name in sorted(tables)}

    def files(self) -> dict[str, bytes]:
        """The clips on the disk."""
        return {path.name: path.read_bytes() for path in sorted(self.layout.clips.glob("*"))}

    def break_the_log(self, act: str | None = None) -> None:
        """From now on the database refuses every record, or those of ``act``: a real failure, inside SQLite."""
        when = "" if act is None else f"WHEN NEW.act = '{act}'"
        self._beside(
            f"CREATE TRIGGER broken BEFORE INSERT ON outbox {when} BEGIN SELECT RAISE(ABORT, 'the log is broken'); END"
        )

    def mend_the_log(self) -> None:
        """Let records in again."""
        self._beside("DROP TRIGGER broken")

    def fill_the_disk(self) -> None:
        """From now on the database may not grow: SQLite itself reports a full disk to whatever needs another page."""
        connection = self.house.store._connection
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {used}")

    def free_the_disk(self) -> None:
        """There is room again."""
        self.house.store._connection.execute("PRAGMA max_page_count = 4294967294")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program holds the database's lock; the house waits for it 20 ms instead of its five seconds."""
        self.house.store._connection.execute("PRAGMA busy_timeout = 20")
        with closing(sqlite3.connect(self.layout.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()

    def _beside(self, sql: str) -> None:
        """Change the schema, as no part of the product ever does."""
        with closing(sqlite3.connect(self.layout.database)) as connection:
            connection.execute(sql)
            connection.commit()

    def trust_file(self, path: Path) -> Path:
        """A trust file that asks for the witness."""
        path.write_text(
            f"log {self.house.log_vkey}\nwitness w {self.witness_key} http://127.0.0.1:1\nquorum w\n", "utf-8"
        )
        return path


class _Down:
    """A witness that does not answer."""

    def cosign(self, request: object) -> bytes:
        raise Problem("The witness does not answer.", fix="Start it.")


def _scope(analytic: str | None) -> dict[str, object]:
    return {"scope": "all" if analytic is None else "analytic", "analytic": analytic}


def make_house(
    folder: Path,
    *,
    clock: Clock | None = None,
    origin: str = ORIGIN,
    edits: Sequence[tuple[str, str]] = (),
    charter: bool = True,
    password: str | None = None,
    listen: str = "127.0.0.1:8600",
    media: Path | None = None,
    days: int | None = None,
) -> World:
    """A deployment below ``folder``: keys, log, witness, the demo's charter in force, one account a role.

    Args:
        clock: a virtual one at ``NOON`` by default; give a ``SystemClock`` where workers run.
        origin: ``demo.``, ``trial.`` or neither in front.
        edits: (old, new) pairs in the charter's text.
        charter: publish it, and open the accounts. Otherwise only the empty deployment is there.
        password: everybody's, where somebody must sign in; takes as long as argon2 does.
        days: how long the charter holds; 200, or 14 in a trial.
        media: a video that the charter's source ``street`` plays.
    """
    clock = clock or VirtualClock(NOON)
    people = folder / "people"
    people.mkdir(parents=True)
    public = {role: new_key(people / f"{role}.key", f"{role}.{origin}", "signing", None) for role in _SIGNERS}
    openings = new_key(people / "openings.key", f"oversight.{origin}", "openings", None)
    witness_key = new_witness(people / "witness", f"witness.{origin}")
    layout, _ = make_deployment(folder / "deployment", origin, listen)
    if media is not None:
        shutil.copyfile(media, layout.media / "street.mp4")
    house = House(layout.root, clock=clock)
    witness = open_witness(people / "witness", [VerifierKey.parse(house.log_vkey)], clock=clock)
    trial = deployment_of(origin) == "trial"
    since = moment(clock.now()).date()
    text = without_limits(CHARTER.read_text("utf-8"))
    values = {
        "AUTHORITY_KEY": public["authority"],
        "OVERSIGHT_KEY": public["oversight"],
        "OPENINGS_KEY": openings,
        "WITNESS_KEY": str(witness_key),
        "WITNESS_URL": "http://127.0.0.1:1",
        "MODEL_HASH": f"sha256:{shipped().sha256}",
        "FROM": since.isoformat(),
        "UNTIL": (since + timedelta(days=(days or (14 if trial else 200)) - 1)).isoformat(),
    }
    text = SEALING.sub("  retention: {reviewer_clips: 7d, alerts: 1y}\n", text)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    world = World(
        folder=folder,
        house=house,
        clock=clock,
        keys={role: read_signing_key(people / f"{role}.key") for role in _SIGNERS},
        openings=read_openings_key(people / "openings.key"),
        witness=LocalWitness(witness),
        witness_key=witness_key,
        text=text,
    )
    if charter:
        world.publish(cosign=not trial)
        world.open_accounts(password)
    return world


_SIGNERS = ("authority", "oversight")
SEALING = re.compile(r"^  record:.*?(?=^  review:)", re.MULTILINE | re.DOTALL)
"""What the demo's charter says of originals: worlds record none, unless they are ``guarded``."""


def read_json(text: str) -> dict[str, Any]:
    """The one JSON object that ``text`` is; fails where there is anything else."""
    value = json.loads(text)
    assert isinstance(value, dict)
    return value
