"""A finished leaf of every act, and another that begins likewise, as the real recorder writes them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from small_log import NOON, ORIGIN

from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey
from watchglass.records.act_spec import ActSpec, Basis, Need
from watchglass.records.fields import Choice, FieldType, ListOf, MapOf, Members, OrNull, Pattern, Text, Whole
from watchglass.records.recorder import Recorder
from watchglass.records.statement import sign
from watchglass.records.vocabulary import ACTS

KEY = SignerKey.generate("someone.example", SeededEntropy("someone"))
_TEXTS = (
    "name",
    b64(sha256(b"h")),
    "0123456789abcdef",
    str(KEY.verifier),
    "2026-11-23T12:00Z",
    "2026-11",
    "2026-11-23",
    "small.example/log",
)


def sample(kind: FieldType) -> Any:  # noqa: PLR0911  (a case for each type)
    """A value of a type."""
    match kind:
        case Text():
            return "Grüße “aus”\n"[: kind.most]
        case Choice():
            return kind.among[0]
        case Whole():
            return kind.least
        case ListOf():
            return [sample(kind.item)]
        case MapOf():
            return {"model": sample(kind.item)}
        case Members():
            return {name: sample(inner) for name, inner in kind.members.items()}
        case OrNull():
            return None
    return next(text for text in _TEXTS if _fits(kind, text))


def _fits(kind: FieldType, text: str) -> bool:
    if isinstance(kind, Pattern):
        return kind.expression.fullmatch(text) is not None
    try:
        kind.check(text, "x")
    except BadInput:
        return False
    return True


def _leaf(spec: ActSpec, recorder: Recorder, seed: str) -> bytes:
    values: dict[str, Any] = {
        "role": min(spec.roles),
        "charter": None if spec.charter is Need.NEVER else sha256(b"charter"),
        "purpose": "safety" if spec.purpose is Need.ALWAYS else None,
        "clear": {name: sample(kind) for name, kind in spec.clear.items()},
        "committed": {name: sample(kind) for name, kind in spec.committed.items() if name != "minute"},
        "refs": [sha256(f"{seed}{place}".encode()) for place in range(len(spec.refs_to))],
    }
    if spec.basis is Basis.ATTESTED:
        return recorder.attested(spec.name, **values).data
    statement = sign(spec.name, key=KEY, origin=ORIGIN, now=NOON, entropy=SeededEntropy(seed), **values)
    return recorder.signed(statement).data


@lru_cache(maxsize=1)
def examples() -> tuple[bytes, ...]:
    """Two leaves of every act."""
    oversight = X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    entropy = SeededEntropy("leaves")
    recorder = Recorder(origin=ORIGIN, clock=VirtualClock(NOON), entropy=entropy, oversight=oversight)
    return tuple(_leaf(spec, recorder, seed) for spec in ACTS.values() for seed in ("one", "two"))
