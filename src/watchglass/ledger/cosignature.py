"""A witness's timestamped cosignature (c2sp.org/tlog-cosignature, Ed25519 type 04).

The signature is ``u64be seconds ‖ Ed25519`` over the lines ``cosignature/v1`` and ``time <seconds>`` and the note text.
"""

from __future__ import annotations

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.keys import SIGNATURE_BYTES, KeyType, SignerKey, VerifierKey

_TIME_BYTES = 8
_LATEST = 2**63 - 1


def message(text: str, seconds: int) -> bytes:
    """The bytes that a witness signs for the note ``text`` at POSIX time ``seconds``."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def sign(text: str, signer: SignerKey, seconds: int) -> bytes:
    """The 72-byte timestamped signature of ``signer`` over a checkpoint's note ``text``.

    Raises:
        BadInput: the key is not a witness's (type 04), or the time is impossible.
    """
    if signer.kind is not KeyType.COSIGNATURE_V1:
        raise BadInput(
            f"The key of {signer.name} is not a witness's key.", fix="Make one with `watchglass witness new`."
        )
    if not 0 < seconds <= _LATEST:
        raise BadInput(f"{seconds} is not a time that a cosignature can carry.", fix="Set this machine's clock.")
    return seconds.to_bytes(_TIME_BYTES, "big") + signer.sign(message(text, seconds))


def verify(text: str, key: VerifierKey, signature: bytes) -> int:
    """Check a timestamped signature by ``key`` over the note ``text`` and give its POSIX seconds.

    Raises:
        DidNotVerify: the signature has another length, carries an impossible time, or was not made by the key.
    """
    if len(signature) != _TIME_BYTES + SIGNATURE_BYTES:
        raise DidNotVerify(
            f"The cosignature by {key.name} has {len(signature)} bytes instead of 72.",
            fix="Fetch the checkpoint again.",
            key=str(key),
        )
    seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
    if not 0 < seconds <= _LATEST:
        raise DidNotVerify(
            f"The cosignature by {key.name} carries an impossible time.", fix="Fetch it again.", key=str(key)
        )
    key.verify(message(text, seconds), signature[_TIME_BYTES:])
    return seconds
