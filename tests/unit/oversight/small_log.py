"""A log of a few entries in memory, made with the real recorder and real signatures, and audited.

There are no lanes and no rounds here: an entry enters when it is made. ``witness`` lets the witness cosign what is
there and writes the record of it. Every committed field has a sample value unless a test gives another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from limited import without_limits
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.time import HOUR, MINUTE, SECOND, minute_of, moment, month_of
from watchglass.demo import CHARTER
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger import note as notes
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.merkle import leaf_hash, root
from watchglass.ledger.policy import Policy
from watchglass.ledger.policy import parse as parse_policy
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import Breach, Finding, Report
from watchglass.records.act_spec import ALLOWED_BY
from watchglass.records.leaf import Leaf
from watchglass.records.opening import WrappedKey, unseal
from watchglass.records.outbox import PreparedLeaf
from watchglass.records.recorder import Recorder
from watchglass.records.statement import SignedStatement, sign
from watchglass.records.vocabulary import ACTS

NOON: Final = 1_795_435_200_000
"""2026-11-23T12:00Z, a Monday."""
RUN: Final = "0123456789abcdef"
LEDGER: Final = "ledger: {checkpoint_every: 10s, batch_every: 1m, merge_within: 10m, heartbeat_every: 10s}"
HASH: Final = b64(sha256(b"something"))
REQUESTED: Final = "requested"
ORIGIN: Final = "small.example/log"

_ANY: Final[Mapping[str, Any]] = {
    "account": "robin",
    "alert": "00000000000000aa",
    "alerts": 0,
    "authority": "Order 7 of a court",
    "bytes": 5,
    "case": "00000000000000ca",
    "count": 1,
    "custodian": "dpo",
    "decoded": 5,
    "dropped": 0,
    "follow_up_by_ms": NOON,
    "from_ms": NOON - MINUTE,
    "handed_to": None,
    "read": 1,
    "draw": None,
    "again": None,
    "conditions": None,
    "calibration": None,
    "hold": "00000000000000ff",
    "masked_per_mille": 3,
    "note": "",
    "number": "A 7",
    "person": "ines",
    "probability": None,
    "reason": "not-there",
    "request": "00000000000000bb",
    "score": None,
    "seconds_ms": 900,
    "seen": {"size": 5, "root": HASH},
    "segment": "00000000000000cc",
    "segments": 1,
    "sentence": "Something.",
    "kind": "intrusion",
    "source": "street",
    "to_ms": NOON - MINUTE + 10 * SECOND,
    "until_ms": NOON + 24 * HOUR,
    "verdict": "reject",
    "finding": "explained",
    "what_changed": "The zone.",
    "why": "1 person",
    "zone": None,
    "report": "Somebody had fallen.",
    "salt": "00000000000000dd",
    "alert_leaf": None,
    ALLOWED_BY: {"policy": HASH, "rules": ["everybody"]},
}


@dataclass
class LiarsClock:
    """It tells whatever time it was told, as a dishonest house's does."""

    at: int

    def now(self) -> int:
        return self.at

    def set(self, ms: int) -> None:
        self.at = ms


@dataclass
class Made:
    """One entry."""

    index: int
    data: bytes
    hash: bytes


@dataclass
class Small:
    """The log, everybody's keys, and the charter that stands.

    Attributes:
        edits: of the charter's text, before it is first published. origin: of the log.
    """

    origin: str = ORIGIN
    edits: Sequence[tuple[str, str]] = ()
    entries: list[bytes] = field(default_factory=list)
    sealed: dict[bytes, tuple[bytes, WrappedKey]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = LiarsClock(NOON)
        self.entropy = SeededEntropy(f"small {self.origin}")
        names = (
            "authority", "oversight", "custodian-control-room", "custodian-dpo", "custodian-oversight",
            "investigator", "shift-lead", "recorder",
        )  # fmt: skip
        self.keys = {name: SignerKey.generate(f"{name}.example", self.entropy) for name in names}
        self.log = SignerKey.generate(self.origin, self.entropy)
        self.eye = SignerKey.generate("witness.example", self.entropy, KeyType.COSIGNATURE_V1)
        self.private = X25519PrivateKey.from_private_bytes(self.entropy.bytes(32))
        self.recorder = Recorder(origin=self.origin, clock=self.clock, entropy=self.entropy)
        self.charter: Charter | None = None
        self.beats: dict[str, tuple[int, bytes | None, int]] = {}
        self.kind = "demo" if self.origin.startswith("demo.") else "production"
        if self.origin.startswith("trial."):
            self.kind = "trial"

    # ---- time --------------------------------------------------------------------------------------------------------

    def pass_time(self, ms: int) -> None:
        self.clock.set(self.clock.now() + ms)

    # ---- entries -----------------------------------------------------------------------------------------------------

    def add(self, data: bytes) -> Made:
        """An entry of any bytes."""
        self.entries.append(data)
        return Made(len(self.entries) - 1, data, leaf_hash(data))

    def _prepared(self, leaf: PreparedLeaf) -> Made:
        if leaf.sealed is not None and leaf.key is not None:
            self.sealed[leaf.leaf_hash] = (leaf.sealed, leaf.key)
        return self.add(leaf.data)

    def attest(
        self,
        act: str,
        *,
        clear: Mapping[str, Any] | None = None,
        refs: Sequence[Made] = (),
        role: str = "house",
        actor: str | None = None,
        purpose: str | None = None,
        charter: Charter | str | None = "stands",
        **committed: Any,
    ) -> Made:
        """What the house states."""
        under = self.charter if charter == "stands" else charter
        assert not isinstance(under, str)
        leaf = self.recorder.attested(
            act,
            role=role,
            actor=actor or ("house" if role == "house" else "p-abcdefghijkl"),
            charter=under.sha256 if under is not None and act not in _NO_CHARTER else None,
            purpose=purpose,
            clear=clear,
            committed=self._committed(act, committed),
            refs=[each.hash for each in refs],
        )
        return self._prepared(leaf)

    def statement(
        self,
        act: str,
        who: str,
        *,
        role: str | None = None,
        clear: Mapping[str, Any] | None = None,
        refs: Sequence[Made] = (),
        purpose: str | None = None,
        key: SignerKey | None = None,
        charter: Charter | str | None = "stands",
        **committed: Any,
    ) -> SignedStatement:
        """What somebody signs on their own machine."""
        under = self.charter if charter == "stands" else charter
        assert not isinstance(under, str)
        return sign(
            act,
            role=role or who.split("-", 1)[0] if who.startswith("custodian") else role or who,
            key=key or self.keys[who],
            origin=self.origin,
            now=self.clock.now(),
            entropy=self.entropy,
            charter=under.sha256 if under is not None else None,
            purpose=purpose,
            clear=clear,
            committed=self._committed(act, committed),
            refs=[each.hash for each in refs],
        )

    def sign(self, act: str, who: str, **more: Any) -> Made:
        """The same, recorded."""
        return self.record(self.statement(act, who, **more))

    def record(self, statement: SignedStatement) -> Made:
        return self._prepared(self.recorder.signed(statement))

    def _committed(self, act: str, given: Mapping[str, Any]) -> dict[str, Any]:
        fields = ACTS[act].committed
        if act == "retention_applied":
            given = {"before": minute_of(self.clock.now()), **given}
        found = {name: given[name] if name in given else _ANY.get(name, HASH) for name in fields if name != "minute"}
        if "minute" in fields:
            found["minute"] = given.get("minute", minute_of(self.clock.now()))
        return found

    # ---- what happens often ------------------------------------------------------------------------------------------

    def text(self, version: int = 1, *edits: tuple[str, str]) -> str:
        """The charter's text: the demo's, with these keys."""
        text = without_limits(CHARTER.read_text("utf-8"))
        public = b64(self.private.public_key().public_bytes_raw())
        values = {
            "AUTHORITY_KEY": str(self.keys["authority"].verifier),
            "OVERSIGHT_KEY": str(self.keys["oversight"].verifier),
            "OPENINGS_KEY": public,
            "WITNESS_KEY": str(self.eye.verifier),
            "WITNESS_URL": "https://witness.example",
            "MODEL_HASH": "sha256:" + "ab" * 32,
            "FROM": moment(NOON).date().isoformat(),
            "UNTIL": "2027-11-30",
            "GLASS_KEY": b64(X25519PrivateKey.from_private_bytes(b"g" * 32).public_key().public_bytes_raw()),
            **{
                f"{name.upper()}_CUSTODIAN": str(self.keys[f"custodian-{name}"].verifier)
                for name in ("control-room", "dpo", "oversight")
            },
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        for old, new in ((LEDGER, LEDGER.replace(", heartbeat_every: 10s", "")), *self.edits, *edits):
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.replace("version: 1\n", f"version: {version}\n", 1)

    def publish(self, text: str, *, by: Mapping[str, SignerKey] | None = None, stands: bool = True) -> Made:
        """A charter, with the approvals of those who sign; the number of its publication."""
        charter, before = parse(text.encode()), self.charter
        self.recorder.seal_to(X25519PublicKey.from_public_bytes(self.private.public_key().public_bytes_raw()))
        clear = {"name": charter.charter, "version": charter.version, "sha256": charter.digest}
        made = self.attest("charter_published", clear={**clear, "text": text}, charter=before)
        for role, key in (by or {role: self.keys[role] for role in ("authority", "oversight")}).items():
            approves = {**clear, "as_role": role, "seen": None}
            self.sign("charter_approved", role, clear=approves, key=key, charter=before)
        if stands:
            self.charter = charter
        return made

    def witness(self, *, seconds: int | None = None, hide: bool = False) -> tuple[Checkpoint, bytes]:
        """The witness cosigns what is there, and the log records it; its checkpoint and note."""
        checkpoint = Checkpoint(self.origin, len(self.entries), root([leaf_hash(each) for each in self.entries]))
        at = self.clock.now() // SECOND if seconds is None else seconds
        lines = (notes.sign_text(checkpoint.text, self.log), notes.sign_text(checkpoint.text, self.eye, seconds=at))
        note = notes.Note(checkpoint.text, lines).encode()
        if not hide:
            self.attest("checkpoint_witnessed", clear={"note": note.decode()})
        return checkpoint, note

    def begin(self) -> Small:
        """The log's beginning, the first charter, seen by the witness, and a run."""
        clear = {"origin": self.origin, "deployment": self.kind, "software": "watchglass-1"}
        self.attest("log_opened", clear=clear)
        self.publish(self.text())
        if self.kind != "trial":
            self.witness()
        self.start()
        return self

    def start(self, run: str = RUN, **otherwise: Any) -> Made:
        assert self.charter is not None
        models = {"nanodet-416-int8": b64(bytes.fromhex("ab" * 32))}
        clear = {"run": run, "software": "watchglass-1", "models": models, "sources": ["street"], **otherwise}
        return self.attest("run_started", clear=clear)

    def stop(self, cause: str = "asked", run: str = RUN) -> Made:
        return self.attest("run_stopped", clear={"run": run, "cause": cause})

    def alert(self, analytic: str = "on-the-lawn", kind: str = "intrusion", purpose: str = "lawn", **more: Any) -> Made:
        return self.attest("alert_raised", clear={"analytic": analytic, "kind": kind}, purpose=purpose, **more)

    def decide(self, alert: Made, purpose: str = "lawn", **more: Any) -> Made:
        more = {"role": "reviewer", **more}
        return self.attest("alert_decided", refs=[alert], purpose=purpose, **more)

    def scope(self, analytic: str | None = None) -> dict[str, Any]:
        return {"scope": "all" if analytic is None else "analytic", "analytic": analytic}

    def suspend(self, analytic: str | None = None, **more: Any) -> Made:
        return self.sign("suspension_ordered", "oversight", clear=self.scope(analytic), reason="A test.", **more)

    def obey(self, order: Made, analytic: str | None = None, within_ms: int = 900) -> Made:
        return self.attest("suspension_obeyed", clear={**self.scope(analytic), "within_ms": within_ms}, refs=[order])

    def lift(self, order: Made, analytic: str | None = None, **more: Any) -> Made:
        return self.sign("suspension_lifted", "oversight", clear=self.scope(analytic), refs=[order], **more)

    def enrol(self, who: str, **more: Any) -> Made:
        vkey, month = str(self.keys[who].verifier), month_of(self.clock.now())
        clear = {"enrolled_role": who, "vkey": vkey, "month": month, **more.pop("clear", {})}
        return self.sign("key_enrolled", "oversight", clear=clear, **{"person": who, **more})

    def name_recorder(self, run: str = RUN) -> Made:
        vkey = str(self.keys["recorder"].verifier)
        return self.attest("recorder_named", clear={"run": run, "vkey": vkey, "sources": ["street"]})

    def beat(self, seconds: int = 10, running: Sequence[str] = ("on-the-lawn",), **otherwise: Any) -> Made:
        """The next heartbeat, after so many seconds."""
        sequence, previous, begin = self.beats.get("street", (-1, None, self.clock.now() // SECOND))
        self.clock.set((begin + seconds) * SECOND)
        clear = {
            "source": "street",
            "run": RUN,
            "sequence": sequence + 1,
            "previous": b64(previous) if previous is not None else None,
            "from_s": begin,
            "to_s": begin + seconds,
            "software": "watchglass-1",
            "models": {"nanodet-416-int8": b64(bytes.fromhex("ab" * 32))},
            "running": sorted(running),
            "received": 25 * seconds,
        }
        otherwise.setdefault("segments", b64(root([])))
        hidden = {name: otherwise.pop(name) for name in ("alerts", "segments", "key") if name in otherwise}
        made = self.sign("heartbeat", "recorder", clear={**clear, **otherwise}, **hidden)
        self.beats["street"] = (clear["sequence"], made.hash, clear["to_s"])
        return made

    # ---- the audit ---------------------------------------------------------------------------------------------------

    def policy(self) -> Policy:
        text = f"log {self.log.verifier}\nwitness w {self.eye.verifier} https://w.example\nquorum w\n"
        return parse_policy(text.encode())

    def auditor(self, **more: Any) -> Auditor:
        given = {"policy": self.policy(), "oversight": self.keys["oversight"].verifier, "now_ms": self.clock.now()}
        return Auditor(self.origin, **{**given, **more})

    def read(self, auditor: Auditor, first: int = 0) -> Auditor:
        for index, data in enumerate(self.entries[first:], first):
            auditor.see(index, data, leaf_hash(data))
        return auditor

    def ending(self) -> tuple[Checkpoint, tuple[tuple[str, int], ...]]:
        checkpoint = Checkpoint(self.origin, len(self.entries), root([leaf_hash(each) for each in self.entries]))
        return checkpoint, (("w", self.clock.now() // SECOND),)

    def audit(self, *, deep: bool = False, **more: Any) -> Report:
        openings = {"openings": Everything(self)} if deep else {}
        return self.read(self.auditor(**openings, **more)).finish(*self.ending())

    def broken(self, *, deep: bool = False, **more: Any) -> dict[str, list[int]]:
        """For each broken promise the entry that its first breach names first; -1 where it names none."""
        report = self.audit(deep=deep, **more)
        return {each.promise: [(one.entries or (-1,))[0] for one in each.breaches] for each in report.broken}

    def finding(self, promise: str, **more: Any) -> Finding:
        return self.audit(**more).by_promise[promise]

    def breach(self, promise: str, **more: Any) -> Breach:
        """The one breach of one promise."""
        (found,) = self.finding(promise, **more).breaches
        return found


class Everything:
    """Openings of every entry of a small log."""

    def __init__(self, small: Small) -> None:
        self.small = small

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        found = self.small.sealed.get(digest)
        return None if found is None else unseal(leaf, *found, self.small.private, origin=self.small.origin)


_NO_CHARTER: Final = frozenset(name for name, spec in ACTS.items() if spec.charter.value == "never")
