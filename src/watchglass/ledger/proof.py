"""Proofs that stand alone (c2sp.org/tlog-proof@v1): an entry's place in a log, under a checkpoint, checked offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import merkle
from watchglass.ledger.policy import Accepted, Policy
from watchglass.ledger.tiles import CHECKPOINT, TileReader, node_reader, read_entry

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_PROOF_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof with the checkpoint that it leads to. Nothing in it is trusted before ``check``.

    ``extra`` is opaque and never authenticated.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if self.index < 0 or len(self.path) > MAX_HASHES:
            raise BadInput("This proof cannot be of any log.", fix="Ask for the proof again.")

    def encode(self) -> bytes:
        """The text form."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [b64(part) for part in self.path]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Proof:
        """Read the text form.

        Raises:
            BadInput: the bytes are not a tlog-proof.
        """
        head, blank, note = data.partition(b"\n\n")
        if not blank or len(data) > MAX_PROOF_BYTES:
            raise BadInput("This is not a tlog-proof.", fix="Give the file that `watchglass ledger prove` wrote.")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise BadInput("This is not a tlog-proof.", fix="Give the file unchanged.") from error
        if lines.pop(0) != HEADER:
            raise BadInput(
                f"A tlog-proof begins with {HEADER}.", fix="Give the file that `watchglass ledger prove` wrote."
            )
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = unb64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise BadInput("The proof does not say which entry it is for.", fix="Ask for the proof again.")
        index = checkpoints.parse_size(lines.pop(0).removeprefix("index "))
        path = tuple(unb64(line, length=merkle.HASH_BYTES) for line in lines)
        checkpoints.parse(note)
        return cls(index, path, note, extra)

    def check(self, leaf: bytes, policy: Policy, *, seen: Mapping[str, bytes] | None = None) -> Accepted:
        """Check that the entry with the leaf hash ``leaf`` is in a log that ``policy`` trusts.

        Args:
            leaf: RFC 6962 leaf hash of the entry.
            policy: The trust file.
            seen: The last checkpoint of each log that the trust file remembers, by origin; where the size is the same,
                so must be the root.

        Raises:
            DidNotVerify: the checkpoint is not accepted or contradicts the remembered one, or the entry is not there.
        """
        accepted = policy.accept(self.checkpoint)
        checkpoint = accepted.signed.checkpoint
        remembered = (seen or {}).get(checkpoint.origin)
        if remembered is not None:
            before = checkpoints.open_checkpoint(remembered, policy.keys).checkpoint
            if before.size == checkpoint.size:
                merkle.check_consistency(before.size, checkpoint.size, before.root, checkpoint.root, ())
        merkle.check_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
        return accepted


def prove(reader: TileReader, index: int) -> tuple[bytes, Proof]:
    """Entry ``index`` of the log behind ``reader`` and its proof under the present checkpoint.

    The proof is checked against the checkpoint's root before it is given out.

    Raises:
        Archived: the entry is not here any more; ``prove_place`` still proves its place.
        BadInput: there is no such entry, or the log lacks a file.
        DidNotVerify: the log's tiles do not lead to its own checkpoint.
    """
    size, proof = _path(reader, index)
    entry = read_entry(reader, index, size)
    _check(merkle.leaf_hash(entry), size, proof)
    return entry, proof


def prove_place(reader: TileReader, index: int) -> tuple[bytes, Proof]:
    """The leaf hash of entry ``index``, as the log's tiles have it, and its proof: for an entry that was archived.

    Raises as ``prove`` does.
    """
    size, proof = _path(reader, index)
    leaf = node_reader(reader, size)(0, index)
    _check(leaf, size, proof)
    return leaf, proof


def _path(reader: TileReader, index: int) -> tuple[int, Proof]:
    """The log's size, and the path from entry ``index`` to its root."""
    data = reader.read(CHECKPOINT)
    if data is None:
        raise BadInput("There is no checkpoint here, so this is not a log.", fix="Give a ledger's directory.")
    checkpoint = checkpoints.parse(data).checkpoint
    path = merkle.inclusion_proof(node_reader(reader, checkpoint.size), index, checkpoint.size)
    return checkpoint.size, Proof(index, tuple(path), data)


def _check(leaf: bytes, size: int, proof: Proof) -> None:
    root = checkpoints.parse(proof.checkpoint).checkpoint.root
    try:
        merkle.check_inclusion(leaf, proof.index, size, proof.path, root)
    except DidNotVerify as error:
        raise DidNotVerify(
            f"The files of this log do not prove its entry {proof.index}: something on the disk was changed.",
            fix="Run `watchglass ledger verify` on it to find the first bad file.",
            index=proof.index,
        ) from error
