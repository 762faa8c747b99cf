"""One good example of every act, and a recorder to make it with."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.core.digest import b64
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey
from watchglass.records.act_spec import ActSpec, Basis, Need
from watchglass.records.fields import (
    DATE,
    HASH,
    IDENTIFIER,
    LINE,
    MINUTE,
    MONTH,
    NAME,
    ORIGIN,
    VKEY,
    X25519,
    Choice,
    FieldType,
    ListOf,
    MapOf,
    Members,
    OrNull,
    Text,
    Whole,
)
from watchglass.records.recorder import Recorder

NOON: Final = 1_795_435_200_000
LOG: Final = "demo.example.org/log"
CHARTER: Final = b"c" * 32
KEY: Final = SignerKey.generate("oversight.example.org", SeededEntropy("oversight"))
PRIVATE: Final = X25519PrivateKey.from_private_bytes(SeededEntropy("openings").bytes(32))

_SAMPLES: Final[dict[int, Any]] = {
    id(DATE): "2026-11-23",
    id(HASH): b64(b"h" * 32),
    id(IDENTIFIER): "0123456789abcdef",
    id(LINE): "City archive, archive@city.example",
    id(MINUTE): "2026-11-23T12:00Z",
    id(MONTH): "2026-11",
    id(NAME): "steps-cam",
    id(ORIGIN): LOG,
    id(VKEY): str(KEY.verifier),
    id(X25519): b64(PRIVATE.public_key().public_bytes_raw()),
}


def sample(kind: FieldType) -> Any:  # noqa: PLR0911  (a case for each type)
    """A value of a type."""
    if id(kind) in _SAMPLES:
        return _SAMPLES[id(kind)]
    match kind:
        case Text():
            return "Grüße “aus” dem Haus\n"[: kind.most]
        case Choice():
            return kind.among[0]
        case Whole():
            return max(kind.least, min(kind.most, 517))
        case ListOf():
            return [sample(kind.item)]
        case MapOf():
            return {"model": sample(kind.item)}
        case Members():
            return {name: sample(inner) for name, inner in kind.members.items()}
        case OrNull():
            return sample(kind.item)
    raise AssertionError(kind)


def example(spec: ActSpec) -> dict[str, Any]:
    """The arguments that make a leaf of an act."""
    clear = {name: sample(kind) for name, kind in spec.clear.items()}
    if "scope" in clear:
        clear["scope"] = "analytic"
    return {
        "role": min(spec.roles),
        "charter": None if spec.charter is Need.NEVER else CHARTER,
        "purpose": "crowd-safety" if spec.purpose is Need.ALWAYS else None,
        "clear": clear,
        "committed": {name: sample(kind) for name, kind in spec.committed.items() if name != "minute"},
        "refs": [bytes([place]) * 32 for place, _ in enumerate(spec.refs_to)],
    }


def recorder(seed: str = "recorder", now: int = NOON) -> Recorder:
    return Recorder(origin=LOG, clock=VirtualClock(now), entropy=SeededEntropy(seed), oversight=PRIVATE.public_key())


def is_signed(spec: ActSpec) -> bool:
    return spec.basis is Basis.SIGNED
