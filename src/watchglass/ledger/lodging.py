r"""Lodging something with a witness: it keeps the bytes, says when it got them, and shows both to everybody.

What was lodged cannot be denied later, neither by the house that should have obeyed it nor by whoever lodged it. The
witness's receipt is a signed note over ``watchglass/lodged/v1\n<origin>\n<base64 SHA-256 of the body>\n<seconds>\n``.
It is signed by the witness's own Ed25519 key, but as a plain note (type 01): a cosignature (type 04) says something
about a checkpoint, and this is none. c2sp.org/tlog-cosignature asks for exactly such a separation.

A challenge is a signed note too, by oversight: ``watchglass/challenge/v1\n<origin>\n<base64 of 32 bytes>\n``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import note as notes
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey
from watchglass.ledger.merkle import HASH_BYTES

MAX_BODY_BYTES: Final = 200_000
"""As large as the largest file of a signed act."""
MOST_LODGED: Final = 10_000
"""Things that a witness keeps for one log; only oversight's key can lodge any."""
CHALLENGE: Final = "watchglass/challenge/v1"
_RECEIPT: Final = "watchglass/lodged/v1"


def speaking_key(witness: VerifierKey) -> VerifierKey:
    """The key with which a witness signs what is no checkpoint: the same one, as type 01."""
    return VerifierKey(witness.name, KeyType.ED25519, witness.public)


def _check_origin(origin: str) -> str:
    if not origin or origin.isdigit() or any(letter < "!" for letter in origin):
        raise BadInput(f"{origin[:60]!r} is not a log's origin.", fix="Name the log, as example.org/log.")
    return origin


@dataclass(frozen=True, slots=True)
class Lodged:
    """What a witness's receipt says.

    Attributes:
        origin: the log that the lodged thing is about.
        sha256: of the lodged bytes.
        seconds: when the witness got them, POSIX time by its clock.
    """

    origin: str
    sha256: bytes
    seconds: int

    def __post_init__(self) -> None:
        _check_origin(self.origin)
        if len(self.sha256) != HASH_BYTES or not 0 < self.seconds <= checkpoints.MAX_SIZE:
            raise BadInput("A receipt names 32 bytes and a time.", fix="Ask the witness for it again.")

    @classmethod
    def of(cls, origin: str, body: bytes, seconds: int) -> Lodged:
        """The receipt for exactly ``body``."""
        return cls(origin, sha256(body), seconds)

    @property
    def text(self) -> str:
        """The text that the witness signs."""
        return f"{_RECEIPT}\n{self.origin}\n{b64(self.sha256)}\n{self.seconds}\n"

    def sign(self, witness: SignerKey) -> bytes:
        """The receipt as a note, signed by ``witness`` (a cosigning key) as plain text."""
        return notes.sign_note(self.text, [witness.speaking])


def open_receipt(note: bytes, witnesses: Iterable[VerifierKey], *, body: bytes | None = None) -> Lodged:
    """What a receipt says, if one of ``witnesses`` signed it.

    Args:
        witnesses: cosigning keys, as charters and trust files name them.
        body: what it must be a receipt for, where that is at hand.

    Raises:
        BadInput: it is no receipt. DidNotVerify: none of them signed it, or it is for something else.
    """
    text = notes.open_note(note, [speaking_key(key) for key in witnesses]).text
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != _RECEIPT or lines[4]:  # noqa: PLR2004  (four lines and what follows the last)
        raise BadInput("This note is not a receipt for something lodged.", fix="Give the note that the witness sent.")
    lodged = Lodged(lines[1], unb64(lines[2], length=HASH_BYTES), checkpoints.parse_size(lines[3]))
    if body is not None and sha256(body) != lodged.sha256:
        raise DidNotVerify(
            "The witness's receipt is for something else than what was lodged.",
            fix="Keep both, and lodge it with another witness.",
            field="sha256",
        )
    return lodged


@dataclass(frozen=True, slots=True)
class Challenge:
    """Oversight's announcement of an incident that it stages: only a hash, until it tells.

    Attributes:
        origin: the log in which its traces must appear.
        sha256: 32 bytes that commit to what will be staged.
    """

    origin: str
    sha256: bytes

    def __post_init__(self) -> None:
        _check_origin(self.origin)
        if len(self.sha256) != HASH_BYTES:
            raise BadInput("A challenge is a hash of 32 bytes.", fix="Give the SHA-256 of what will be staged.")

    def sign(self, oversight: SignerKey) -> bytes:
        """It as a note that can be lodged."""
        if oversight.kind is not KeyType.ED25519:
            raise BadInput("A witness's key does not sign challenges.", fix="Sign with oversight's key.")
        return notes.sign_note(f"{CHALLENGE}\n{self.origin}\n{b64(self.sha256)}\n", [oversight])


def open_challenge(note: bytes, oversight: Iterable[VerifierKey]) -> Challenge:
    """The challenge in ``note``, if one of the ``oversight`` keys signed it.

    Raises:
        BadInput: it is no challenge. DidNotVerify: none of the keys signed it.
    """
    lines = notes.open_note(note, oversight).text.split("\n")
    if len(lines) != 4 or lines[0] != CHALLENGE or lines[3]:  # noqa: PLR2004  (three lines and what follows the last)
        raise BadInput("This note is not a challenge.", fix="Lodge what oversight signed.")
    return Challenge(lines[1], unb64(lines[2], length=HASH_BYTES))
