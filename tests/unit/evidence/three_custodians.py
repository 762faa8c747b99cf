"""Three custodians, their keys of the month, and segments sealed for two of them: real keys, real seals."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.envelope import Sealed, seal
from watchglass.evidence.header import LEAST_CHUNK, Context, read_header
from watchglass.evidence.shares import SealingKeys, Shares, unwrap_shares
from watchglass.evidence.subsets import Subsets, permitted_subsets

NOON: Final = 1_795_435_200_000
"""2026-11-23 12:00 UTC."""
ORIGIN: Final = "demo.example.org/log"
CHARTER: Final = b"c" * 32
NAMES: Final = ("control-room", "dpo", "oversight")
PRIVATE: Final = {
    name: X25519PrivateKey.from_private_bytes(SeededEntropy(f"{name} 2026-11").bytes(32)) for name in NAMES
}
KEYS: Final = SealingKeys("2026-11", {name: key.public_key() for name, key in PRIVATE.items()})
ANY_TWO: Final = permitted_subsets(NAMES, 2)
GLASS: Final = X25519PrivateKey.from_private_bytes(SeededEntropy("glass").bytes(32))
PLAIN: Final = SeededEntropy("video").bytes(3 * LEAST_CHUNK + 100)
"""Four chunks, the last of 100 bytes."""


def context(number: int = 1, *, source: str = "steps-cam", charter: bytes = CHARTER) -> Context:
    """Ten seconds, ``number`` times ten after noon."""
    begin = NOON + 10_000 * number
    return Context(
        origin=ORIGIN,
        source=source,
        segment=f"{number:016x}",
        from_ms=begin,
        to_ms=begin + 10_000,
        charter=charter,
        purpose="restricted-area",
        retention="sealed",
        period="2026-11",
        keep_until_ms=begin + 10_000 + 72 * 3_600_000,
    )


def sealed(number: int = 1, *, subsets: Subsets = ANY_TWO, plaintext: bytes = PLAIN) -> Sealed:
    return seal(
        plaintext,
        context(number),
        KEYS,
        subsets,
        SeededEntropy(f"seal {number}"),
        break_glass=GLASS.public_key(),
        chunk=LEAST_CHUNK,
    )


def shares_of(one: Sealed, *names: str) -> list[Shares]:
    header = read_header(one.data)
    return [unwrap_shares(header, name, PRIVATE[name]) for name in names]
