"""Receipts (law 12): what the log signs at once, and what is proof against it if it does not keep it.

One signature covers a whole batch: it signs the Merkle root over the batch's leaf hashes, when it was issued, and by
when every leaf of it will be in a public checkpoint. Each receipt adds its own path to that root.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import iso
from watchglass.ledger.keys import SIGNATURE_BYTES, KeyType, SignerKey, VerifierKey
from watchglass.ledger.merkle import HASH_BYTES, all_inclusion_proofs, check_inclusion

MAX_PATH = 63
_FIELDS = {"v", "origin", "issued", "merge_by", "size", "root", "index", "path", "key", "sig"}


@dataclass(frozen=True, slots=True)
class Batch:
    """What was signed once for all receipts of a batch. Times are milliseconds since the epoch."""

    origin: str
    issued_ms: int
    merge_by_ms: int
    root: bytes
    size: int
    key: VerifierKey
    sig: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(letter < " " for letter in self.origin):
            raise BadInput("A receipt names the log it is for, on one line.", fix="Use the receipt as it was given.")
        if not 0 <= self.issued_ms <= self.merge_by_ms:
            raise BadInput("A receipt cannot be due before it is issued.", fix="Use the receipt as it was given.")
        if self.size < 1 or len(self.root) != HASH_BYTES or len(self.sig) != SIGNATURE_BYTES:
            raise BadInput("This receipt is damaged.", fix="Use the receipt as it was given, whole.")

    @property
    def message(self) -> bytes:
        """The bytes that the log signs."""
        return message(self.origin, self.issued_ms, self.merge_by_ms, self.size, self.root)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A promise about one leaf: leaf ``index`` of ``batch``, with the ``path`` from it to the batch's root."""

    batch: Batch
    index: int
    path: tuple[bytes, ...]

    @property
    def origin(self) -> str:
        """The log that promised."""
        return self.batch.origin

    @property
    def issued_ms(self) -> int:
        """When it promised, in milliseconds since the epoch."""
        return self.batch.issued_ms

    @property
    def merge_by_ms(self) -> int:
        """By when the leaf must be in a public checkpoint, in milliseconds since the epoch."""
        return self.batch.merge_by_ms

    @property
    def batch_root(self) -> bytes:
        """The Merkle root over the batch: 32 bytes."""
        return self.batch.root

    @property
    def size(self) -> int:
        """How many leaves the batch has."""
        return self.batch.size

    @property
    def key(self) -> VerifierKey:
        """The key that the receipt claims to be signed with."""
        return self.batch.key

    @property
    def sig(self) -> bytes:
        """Ed25519 over the batch's message: 64 bytes."""
        return self.batch.sig

    def as_json(self) -> dict[str, object]:
        """The receipt as a JSON-ready object."""
        return {
            "v": 1,
            "origin": self.origin,
            "issued": self.issued_ms,
            "merge_by": self.merge_by_ms,
            "size": self.size,
            "root": b64(self.batch_root),
            "index": self.index,
            "path": [b64(part) for part in self.path],
            "key": str(self.key),
            "sig": b64(self.sig),
        }

    def encode(self) -> bytes:
        """The canonical JSON of the receipt: what a person keeps as a file."""
        return canonical.encode(self.as_json())


class Merge(StrEnum):
    """What became of the promise."""

    KEPT = "kept"
    NOT_YET_DUE = "not_yet_due"


def message(origin: str, issued_ms: int, merge_by_ms: int, size: int, root: bytes) -> bytes:
    """The bytes that the log signs for a batch, in a domain of their own: no checkpoint and no leaf looks like this."""
    return (
        f"watchglass/receipt/v1\n{origin}\nissued {issued_ms}\nmerge_by {merge_by_ms}\nsize {size}\n{b64(root)}\n"
    ).encode()


def issue(hashes: Sequence[bytes], *, issued_ms: int, merge_by_ms: int, signer: SignerKey) -> list[Receipt]:
    """One receipt for each leaf hash of a batch, in order, with a single signature by the log's key.

    Raises:
        BadInput: the key is not a log's (type 01), or the times are in the wrong order.
    """
    if signer.kind is not KeyType.ED25519:
        raise BadInput("A receipt is signed with the log's own key.", fix="Use the log's key (type 01).")
    if not hashes:
        return []
    root, paths = all_inclusion_proofs(hashes)
    size = len(paths)
    signature = signer.sign(message(signer.name, issued_ms, merge_by_ms, size, root))
    batch = Batch(signer.name, issued_ms, merge_by_ms, root, size, signer.verifier, signature)
    return [Receipt(batch, index, path) for index, path in enumerate(paths)]


def parse(data: bytes) -> Receipt:
    """Read a receipt's canonical JSON; nothing is checked against a key yet.

    Raises:
        BadInput: the bytes are not a receipt.
    """
    value = canonical.decode(data)
    if not isinstance(value, dict) or set(value) != _FIELDS or value["v"] != 1:
        raise BadInput("This is not a receipt of version 1.", fix="Give the receipt's file as it was handed out.")
    numbers = [_number(value, name) for name in ("issued", "merge_by", "size", "index")]
    issued, merge_by, size, index = numbers
    path = value["path"]
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise BadInput("This receipt's path is damaged.", fix="Use the receipt as it was given, whole.")
    batch = Batch(
        _text(value["origin"]),
        issued,
        merge_by,
        unb64(_text(value["root"]), length=HASH_BYTES),
        size,
        VerifierKey.parse(_text(value["key"])),
        unb64(_text(value["sig"]), length=SIGNATURE_BYTES),
    )
    return Receipt(batch, index, tuple(unb64(_text(part), length=HASH_BYTES) for part in path))


def check(receipt: Receipt, leaf: bytes, key: VerifierKey) -> None:
    """Check that the log behind ``key`` promised to merge the leaf with this leaf hash.

    Raises:
        DidNotVerify: another key or log, a wrong signature, or a leaf that the receipt is not for.
    """
    if receipt.key != key or receipt.origin != key.name:
        raise DidNotVerify(
            f"This receipt is by {receipt.key} for {receipt.origin}, not by {key}.",
            fix="Use the trust file of the log that gave the receipt.",
            origin=receipt.origin,
        )
    key.verify(receipt.batch.message, receipt.sig)
    check_inclusion(leaf, receipt.index, receipt.size, receipt.path, receipt.batch_root)


def check_merged(receipt: Receipt, leaf: bytes, key: VerifierKey, *, merged: Container[bytes], as_of_ms: int) -> Merge:
    """Check that the promise was kept.

    Args:
        receipt: The promise.
        leaf: The leaf hash it was given for.
        key: The log's key, from the trust file.
        merged: Every leaf hash of a *verified* log, as of ``as_of_ms``.
        as_of_ms: A moment at which that log was complete, best a witness's cosignature time.

    Returns:
        Whether the leaf is in the log, or its time has not come yet.

    Raises:
        DidNotVerify: the receipt is not genuine; or it is, its time has passed and the leaf is not there: then the
            receipt and the checkpoint together are proof against the operator.
    """
    check(receipt, leaf, key)
    if leaf in merged:
        return Merge.KEPT
    if as_of_ms <= receipt.merge_by_ms:
        return Merge.NOT_YET_DUE
    raise DidNotVerify(
        f"The log {receipt.origin} promised on {iso(receipt.issued_ms)} to show this record by "
        f"{iso(receipt.merge_by_ms)}, and on {iso(as_of_ms)} it is not there.",
        fix="Keep the receipt, the record and the checkpoint: together they prove a broken promise. Give them to "
        "oversight.",
        origin=receipt.origin,
        leaf=b64(leaf),
        merge_by=receipt.merge_by_ms,
        as_of=as_of_ms,
    )


def _number(value: dict[str, Any], name: str) -> int:
    number = value[name]
    if type(number) is not int or number < 0:
        raise BadInput(f"{name} in this receipt is not a number.", fix="Use the receipt as it was given.")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadInput("A part of this receipt is not text.", fix="Use the receipt as it was given.")
    return value
