"""A whole release in memory: a charter in a witnessed log, a case, a request, two approvals, a grant, two segments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from three_custodians import NOON, ORIGIN, PRIVATE, context, sealed

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.header import Header
from watchglass.evidence.manifest import Link
from watchglass.evidence.release import Request, read_request
from watchglass.ledger import merkle, note
from watchglass.ledger import policy as policies
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey
from watchglass.ledger.proof import Proof
from watchglass.records.opening import Opened, parse_plaintext
from watchglass.records.recorder import Recorder
from watchglass.records.statement import SignedStatement, sign
from watchglass.records.vocabulary import spec_of

TEMPLATE: Final = Path(__file__).parents[2] / "spec/charters/sealed/harbour-square.yaml"
LOG: Final = SignerKey.from_seed(ORIGIN, b"l" * 32)
WITNESS: Final = SignerKey.from_seed("w.example", b"w" * 32, KeyType.COSIGNATURE_V1)
TRUST: Final = policies.parse(f"log {LOG.verifier}\nwitness w {WITNESS.verifier}\nquorum w\n".encode())
UNWATCHED: Final = policies.parse(f"log {LOG.verifier}\nquorum none\n".encode())

AUTHORITY: Final = SignerKey.from_seed("exampleton.example/authority", b"a" * 32)
BOARD: Final = SignerKey.from_seed("privacy-board.example/oversight", b"o" * 32)
DPO: Final = SignerKey.from_seed("dpo.exampleton.example/custodian", b"d" * 32)
ROOM: Final = SignerKey.from_seed("control-room.exampleton.example/custodian", b"r" * 32)
IDENTITIES: Final = {"control-room": ROOM, "dpo": DPO, "oversight": BOARD}
INVESTIGATOR: Final = SignerKey.from_seed("investigator.example", b"i" * 32)
STRANGER: Final = SignerKey.from_seed("stranger.example", b"s" * 32)
CASE_KEY: Final = X25519PrivateKey.from_private_bytes(SeededEntropy("case").bytes(32))
ENROLLED: Final = {"investigator": [INVESTIGATOR.verifier]}
CUSTODIANS: Final = [key.verifier for key in IDENTITIES.values()]
HOUR_MS: Final = 3_600_000
NOW: Final = NOON + HOUR_MS
PURPOSE: Final = "restricted-area"


@cache
def the_charter() -> Charter:
    """The harbour charter with keys that tests can sign with."""
    text = TEMPLATE.read_text("utf-8")
    for old, key in (
        ("exampleton.example/authority+5efd49c8+AQ7V2OFEKQDxr61JEvOUIYiSDMZ5Ry0bnNEe+6BHxBrF", AUTHORITY),
        ("privacy-board.example/oversight+ef13e35a+AdUmyMDv0BkkJmmkf5EKnsXy9jfTOGLHJlE/8kYzW1Kk", BOARD),
        ("dpo.exampleton.example/custodian+0eccfc64+AfB+TDPgvCf+oEFUf7/xXmZs3tuHNCgkrz6AWczGv+Nv", DPO),
        ("control-room.exampleton.example/custodian+439499a8+AWGr66ZaxYtdpXPLyGIG5BGZI554JFnNn2b575jp4Khp", ROOM),
    ):
        assert old in text
        text = text.replace(old, str(key.verifier))
    return parse(text.encode())


RECORDER: Final = Recorder(
    origin=ORIGIN,
    clock=VirtualClock(NOW),
    entropy=SeededEntropy("recorder"),
    oversight=X25519PrivateKey.from_private_bytes(b"p" * 32).public_key(),
)


def asked(**changed: Any) -> dict[str, Any]:
    """What a request commits to."""
    return {
        "request": "00000000000000aa",
        "source": "steps-cam",
        "from_ms": NOON + 5_000,
        "to_ms": NOON + 25_000,
        "case": "00000000000000cc",
        "opened": b64(b"\0" * 32),
        "reason": "A fall from the steps at noon.",
        "recipient": b64(CASE_KEY.public_key().public_bytes_raw()),
        "until_ms": NOW + 24 * HOUR_MS,
        **changed,
    }


def signed(
    act: str, key: SignerKey, role: str, committed: Mapping[str, Any], *, now: int = NOW, **more: Any
) -> SignedStatement:
    given: dict[str, Any] = {"charter": the_charter().sha256, "purpose": PURPOSE, **more}
    return sign(
        act,
        role=role,
        key=key,
        origin=ORIGIN,
        now=now,
        entropy=SeededEntropy(f"{act} {role} {key.name}"),
        committed=committed,
        **given,
    )


def requested(key: SignerKey = INVESTIGATOR, **changed: Any) -> SignedStatement:
    return signed("release_requested", key, "investigator", asked(**changed))


class SmallLog:
    """Entries, and proofs of them under a checkpoint that log and witness signed."""

    def __init__(self) -> None:
        self.entries: list[bytes] = [b"something before"]

    def add(self, data: bytes) -> int:
        self.entries.append(data)
        return len(self.entries) - 1

    def signed_act(self, statement: SignedStatement) -> bytes:
        data = RECORDER.signed(statement).data
        self.add(data)
        return data

    def checkpoint(self, *, witness: SignerKey | None = WITNESS, at_ms: int = NOW) -> bytes:
        one = Checkpoint(LOG.name, len(self.entries), merkle.root(merkle.leaf_hashes(self.entries)))
        lines = [] if witness is None else [note.sign_text(one.text, witness, seconds=at_ms // 1000)]
        return note.add_signatures(one.sign([LOG]), lines)

    def path(self, index: int) -> tuple[bytes, ...]:
        read = merkle.reader_of(merkle.leaf_hashes(self.entries))
        return tuple(merkle.inclusion_proof(read, index, len(self.entries)))

    def proof(self, data: bytes, **how: Any) -> Proof:
        index = self.entries.index(data)
        return Proof(index, self.path(index), self.checkpoint(**how))

    def link(self, data: bytes, opened: Mapping[str, Opened] | None = None) -> Link:
        index = self.entries.index(data)
        return Link(data, index, self.path(index), opened or {})


def read(statement: SignedStatement, leaf: bytes, keys: Mapping[str, list[VerifierKey]] = ENROLLED) -> Request:
    return read_request(statement, leaf, origin=ORIGIN, keys=keys)


def attested(log: SmallLog, act: str, committed: Mapping[str, Any], **more: Any) -> tuple[bytes, dict[str, Opened]]:
    """An attested record, and what opens it: the house knows that when it makes the record."""
    values = {**dict.fromkeys(spec_of(act).committed), "minute": "2026-11-23T13:00Z", **committed}
    given: dict[str, Any] = {"charter": the_charter().sha256, "purpose": PURPOSE, "committed": values, **more}
    made = RECORDER.attested(act, role="house", **given)
    assert made.opening is not None
    log.add(made.data)
    return made.data, parse_plaintext(made.opening)


SEGMENTS: Final = {one.header.segment: one for one in (sealed(0), sealed(1), sealed(2))}
HEADERS: Final[dict[str, Header]] = {name: one.header for name, one in SEGMENTS.items()}
__all__ = ["PRIVATE", "context"]
