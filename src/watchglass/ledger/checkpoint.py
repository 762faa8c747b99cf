"""Checkpoints (c2sp.org/tlog-checkpoint): a signed note whose text is origin, size and root of a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import note as notes
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from watchglass.ledger.note import Note

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: ``size`` entries under ``root`` (32 bytes).

    ``extensions`` are further lines that a foreign log may have signed; this program's own logs never write any.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or any(letter < " " for letter in self.origin):
            raise BadInput("A checkpoint's origin is one line of text.", fix="Name the log, as example.org/log.")
        if not 0 <= self.size <= MAX_SIZE:
            raise BadInput(f"A log cannot have {self.size} entries.", fix="Fetch the checkpoint again.")
        if len(self.root) != HASH_BYTES:
            raise BadInput(f"A root hash has 32 bytes, not {len(self.root)}.", fix="Fetch the checkpoint again.")
        if any(not line or "\n" in line for line in self.extensions):
            raise BadInput("An extension line of a checkpoint is empty.", fix="Fetch the checkpoint again.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise BadInput("An empty log has only one possible root.", fix="Fetch the checkpoint again.")

    @property
    def text(self) -> str:
        """The note text that is signed, with its last newline."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64(self.root), *self.extensions))

    @classmethod
    def parse_text(cls, text: str) -> Checkpoint:
        """Read a checkpoint's note text, strictly.

        Raises:
            BadInput: the text is not origin, size, root and perhaps extension lines.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:  # noqa: PLR2004  (three lines and what follows the last newline)
            raise BadInput(
                "A checkpoint has three lines: origin, size, root.", fix="Fetch the checkpoint again, unchanged."
            )
        return cls(lines[0], parse_size(lines[1]), unb64(lines[2], length=HASH_BYTES), tuple(lines[3:-1]))

    def sign(self, signers: Sequence[SignerKey]) -> bytes:
        """The signed checkpoint as bytes."""
        return notes.sign_note(self.text, signers)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint together with the note that carries it."""

    checkpoint: Checkpoint
    note: Note


def parse_size(text: str) -> int:
    """A decimal number as C2SP writes it: ASCII digits, no leading zeroes.

    Raises:
        BadInput: it is anything else.
    """
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > len(str(MAX_SIZE)):
        raise BadInput(f"{text[:30]!r} is not a size.", fix="Fetch the file again, unchanged.")
    return int(text)


def parse(data: bytes) -> SignedCheckpoint:
    """Read a signed checkpoint without checking any signature.

    Raises:
        BadInput: the bytes are not a checkpoint.
    """
    note = notes.parse_note(data)
    return SignedCheckpoint(Checkpoint.parse_text(note.text), note)


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey]) -> SignedCheckpoint:
    """Read a checkpoint that the log itself signed: one of ``keys`` that is named like the origin must have signed.

    Raises:
        BadInput: the bytes are not a checkpoint.
        DidNotVerify: a known key's signature fails, or no key of the log's own name signed.
    """
    note = notes.open_note(data, keys)
    checkpoint = Checkpoint.parse_text(note.text)
    if not any(verified.key.name == checkpoint.origin and verified.seconds is None for verified in note.verified):
        raise DidNotVerify(
            f"No trusted key of the log {checkpoint.origin} signed this checkpoint.",
            fix="Check that the trust file is for this log.",
            origin=checkpoint.origin,
        )
    return SignedCheckpoint(checkpoint, note)
