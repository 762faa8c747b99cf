"""Signed notes (c2sp.org/signed-note): text, a blank line, and signature lines ``— name base64(keyid ‖ signature)``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import cosignature
from watchglass.ledger.keys import KEY_ID_BYTES, KeyType, SignerKey, VerifierKey, check_name

__all__ = [
    "KeyType",
    "Note",
    "Signature",
    "SignerKey",
    "Verified",
    "VerifierKey",
    "add_signatures",
    "check_text",
    "open_note",
    "parse_note",
    "replace_signatures",
    "sign_note",
    "sign_text",
    "signature_lines",
]

MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 128
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: a claim, until a key has checked it."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise BadInput(f"The signature line of {self.name} is too short.", fix="Fetch the note again, whole.")

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {b64(self.key_id + self.signature)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line *claims* to be by ``key``; this says nothing about whether it is."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Verified:
    """A key whose signature on the note was checked; ``seconds`` is the POSIX time of a cosignature, else None."""

    key: VerifierKey
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read. ``verified`` is empty unless ``open_note`` filled it."""

    text: str
    signatures: tuple[Signature, ...]
    verified: tuple[Verified, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)

    def encode(self) -> bytes:
        """The bytes of the note."""
        return f"{self.text}\n{signature_lines(self.signatures)}".encode()


def check_text(text: str) -> None:
    """Refuse a text that a note cannot carry.

    Raises:
        BadInput: it does not end with a newline, or holds control characters.
    """
    if not text.endswith("\n"):
        raise BadInput("A note's text ends with a newline.", fix="Add the newline before signing.")
    if any(letter < " " and letter != "\n" for letter in text):
        raise BadInput("A note's text holds no control characters.", fix="Remove tabs and carriage returns.")


def sign_text(text: str, signer: SignerKey, *, seconds: int | None = None) -> Signature:
    """One signature line over ``text``; a witness's key (type 04) also needs the POSIX time in ``seconds``."""
    check_text(text)
    if signer.kind is KeyType.COSIGNATURE_V1:
        if seconds is None:
            raise BadInput("A cosignature needs its time.", fix="Give the POSIX seconds at which it is made.")
        signature = cosignature.sign(text, signer, seconds)
    else:
        signature = signer.sign(text.encode())
    return Signature(signer.name, signer.verifier.key_id, signature)


def sign_note(text: str, signers: Sequence[SignerKey]) -> bytes:
    """The note: ``text`` with a signature line by each of ``signers`` (type 01)."""
    return Note(text, tuple(sign_text(text, signer) for signer in signers)).encode()


def signature_lines(signatures: Iterable[Signature]) -> str:
    """Signature lines as text, as a witness answers them."""
    return "".join(str(signature) for signature in signatures)


def parse_signature_lines(text: str) -> tuple[Signature, ...]:
    """Read one or more signature lines.

    Raises:
        BadInput: a line is not of the form ``— name base64``, or there are none or too many.
    """
    if not text.endswith("\n"):
        raise BadInput("The last signature line is cut off.", fix="Fetch the note again, whole.")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise BadInput(f"A note with {len(lines)} signatures is not read.", fix="Remove the ones nobody needs.")
    signatures = []
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise BadInput(f"{line[:60]!r} is not a signature line.", fix="Fetch the note again, unchanged.")
        raw = unb64(encoded)
        signatures.append(Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:]))
    return tuple(signatures)


def parse_note(data: bytes) -> Note:
    """Read a note without checking any signature; trust nothing in it yet.

    Raises:
        BadInput: the bytes are not a note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise BadInput(f"A note of {len(data)} bytes is not read.", fix="Check that this is the right file.")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("These bytes are not a signed note: not UTF-8.", fix="Fetch the note again.") from error
    end = whole.rfind("\n\n")
    if end < 0:
        raise BadInput("This is not a signed note: no blank line before signatures.", fix="Fetch the note again.")
    return Note(whole[: end + 1], parse_signature_lines(whole[end + 2 :]))


def open_note(data: bytes, keys: Iterable[VerifierKey]) -> Note:
    """The note, if at least one of ``keys`` signed it; signatures by other keys are ignored.

    Raises:
        BadInput: the bytes are not a note.
        DidNotVerify: a line by one of ``keys`` does not verify, or none of ``keys`` signed.
    """
    note = parse_note(data)
    trusted = list(keys)
    verified = [
        Verified(key, _verify(note.text, key, signature.signature))
        for signature in note.signatures
        for key in trusted
        if signature.is_by(key)
    ]
    if not verified:
        raise DidNotVerify(
            "None of the trusted keys signed this note.",
            fix="Check that the trust file is for this log, or fetch the note again.",
            signed_by=", ".join(sorted({signature.name for signature in note.signatures})),
        )
    return Note(note.text, note.signatures, tuple(verified))


def add_signatures(data: bytes, signatures: Iterable[Signature]) -> bytes:
    """The note with further signature lines; lines that it has already are not repeated."""
    note = parse_note(data)
    fresh = tuple(signature for signature in signatures if signature not in note.signatures)
    return Note(note.text, note.signatures + fresh).encode()


def replace_signatures(data: bytes, signatures: Iterable[Signature]) -> bytes:
    """The note with further signature lines, which take the place of older ones by the same keys."""
    note = parse_note(data)
    fresh = tuple(signatures)
    renewed = {(signature.name, signature.key_id) for signature in fresh}
    kept = tuple(old for old in note.signatures if (old.name, old.key_id) not in renewed)
    return Note(note.text, kept + fresh).encode()


def _verify(text: str, key: VerifierKey, signature: bytes) -> int | None:
    if key.kind is KeyType.COSIGNATURE_V1:
        return cosignature.verify(text, key, signature)
    key.verify(text.encode(), signature)
    return None
