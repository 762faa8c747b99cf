"""The Merkle tree of RFC 6962 (section 2.1) over SHA-256: hashes, roots, proofs and their checks.

A tree is given by its leaf hashes (32 bytes each). The tree of RFC 6962 splits at the largest power of two below n,
which is the same as pairing neighbours level by level and letting an odd last node rise unchanged; the second form
is what runs here, because it is a plain loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from watchglass.core.errors import BadInput, DidNotVerify

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256

NodeReader = Callable[[int, int], bytes]
"""``(level, index) -> hash`` of the perfect subtree of 2^level leaves that begins at leaf index·2^level."""


def leaf_hash(entry: bytes) -> bytes:
    """``SHA-256(00 ‖ entry)``: 32 bytes."""
    return _sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each entry, in order."""
    sha256 = _sha256
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """``SHA-256(01 ‖ left ‖ right)``: 32 bytes."""
    return _sha256(b"\x01" + left + right).digest()


def pair_up(nodes: Sequence[bytes]) -> list[bytes]:
    """The next level of full nodes above ``nodes``; an odd last node is left out."""
    sha256 = _sha256
    return [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(nodes[::2], nodes[1::2], strict=False)  # an odd last node has no partner
    ]


def levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree over ``hashes``, leaves first, root last; an odd last node rises unchanged."""
    level = list(hashes)
    tree = [level]
    while len(level) > 1:
        above = pair_up(level)
        if len(level) & 1:
            above.append(level[-1])
        tree.append(above)
        level = above
    return tree


def root(hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf ``hashes``: 32 bytes; ``SHA-256("")`` of an empty tree."""
    return levels(hashes)[-1][0] if hashes else EMPTY_ROOT


def all_inclusion_proofs(hashes: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """The root and every leaf's inclusion proof at once: (32 bytes, one tuple of hashes per leaf).

    Paths are built from the root down, so that leaves share the work of what lies above them.
    """
    if not hashes:
        return EMPTY_ROOT, []
    tree = levels(hashes)
    paths: list[tuple[bytes, ...]] = [()]
    for level in reversed(tree[:-1]):
        last = len(level) - 1
        paths = [
            (level[node ^ 1], *paths[node >> 1]) if node ^ 1 <= last else paths[node >> 1] for node in range(last + 1)
        ]
    return tree[-1][0], paths


def range_hash(read: NodeReader, start: int, end: int) -> bytes:
    """The Merkle tree hash of leaves ``start`` to ``end`` (exclusive), from the hashes of perfect subtrees.

    ``start`` must be a multiple of the smallest power of two that is at least ``end - start``, as it is for every
    node of an RFC 6962 tree.
    """
    if start == end:
        return EMPTY_ROOT
    parts = []
    while start < end:
        size = 1 << ((end - start).bit_length() - 1)
        level = size.bit_length() - 1
        parts.append(read(level, start >> level))
        start += size
    return fold(parts)


def fold(parts: Sequence[bytes]) -> bytes:
    """The root above a row of perfect subtrees, largest first (at least one)."""
    total = parts[-1]
    for left in reversed(parts[:-1]):
        total = node_hash(left, total)
    return total


def inclusion_proof(read: NodeReader, index: int, size: int) -> list[bytes]:
    """The audit path (RFC 6962, 2.1.1) of leaf ``index`` in the tree of ``size`` leaves, leaf to root.

    Raises:
        BadInput: there is no such leaf.
    """
    if not 0 <= index < size:
        raise BadInput(
            f"Entry {index} is not in a log of {size} entries.", fix="Choose an index from 0 to the size minus 1."
        )
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(read, middle, end))
            end = middle
        else:
            proof.append(range_hash(read, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(read: NodeReader, old: int, new: int) -> list[bytes]:
    """The proof (RFC 6962, 2.1.2) that the tree of ``old`` leaves is a prefix of the tree of ``new`` leaves.

    Empty where ``old`` is 0 or equals ``new``.

    Raises:
        BadInput: ``old`` is larger than ``new``, or negative.
    """
    if not 0 <= old <= new:
        raise BadInput(
            f"There is no consistency proof from size {old} to size {new}.", fix="Give the smaller size first."
        )
    if old in (0, new):
        return []
    proof = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_hash(read, middle, end))
            end = middle
        else:
            proof.append(range_hash(read, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(range_hash(read, start, end))
    return proof[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> None:
    """Check that ``leaf`` (a leaf hash) is entry ``index`` of the tree of ``size`` leaves with ``root_hash``.

    The algorithm is RFC 9162, 2.1.3.2.

    Raises:
        DidNotVerify: it is not, or the proof has the wrong length.
    """
    if not 0 <= index < size:
        raise _bad_proof(f"Entry {index} cannot be in a tree of {size} entries.", index=index, size=size)
    node, last = index, size - 1
    total = leaf
    for sibling in proof:
        if last == 0:
            raise _bad_proof("The inclusion proof is too long.", index=index, size=size)
        if node & 1 or node == last:
            total = node_hash(sibling, total)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            total = node_hash(total, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise _bad_proof("The inclusion proof is too short.", index=index, size=size)
    if total != root_hash:
        raise _bad_proof(
            f"Entry {index} is not what the tree of {size} entries holds there.",
            index=index,
            size=size,
            expected=root_hash.hex(),
            found=total.hex(),
        )


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (``old``, ``old_root``) is a prefix of the tree (``new``, ``new_root``).

    The algorithm is RFC 9162, 2.1.4.2, with the two cases that need no proof: equal sizes, and an empty old tree.

    Raises:
        DidNotVerify: it is not, or the proof has the wrong length.
    """
    if not 0 <= old <= new:
        raise _bad_proof(f"A log of {new} entries cannot continue one of {old}.", old=old, new=new)
    if old in (0, new):
        if proof:
            raise _bad_proof("A consistency proof is given where none is needed.", old=old, new=new)
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise _fork(old, new, old_root, new_root)
        return
    # A perfect old tree is a node of the new one, so the proof leaves it out.
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        raise _bad_proof("The consistency proof is too short.", old=old, new=new)
    if _fold_both(old, new, hashes) != (old_root, new_root):
        raise _fork(old, new, old_root, new_root)


def _fold_both(old: int, new: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of the old and the new tree that a consistency proof leads to (RFC 9162, 2.1.4.2, steps 3 to 6)."""
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    total_old = total_new = hashes[0]
    for part in hashes[1:]:
        if last == 0:
            raise _bad_proof("The consistency proof is too long.", old=old, new=new)
        if node & 1 or node == last:
            total_old = node_hash(part, total_old)
            total_new = node_hash(part, total_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            total_new = node_hash(total_new, part)
        node, last = node >> 1, last >> 1
    if last:
        raise _bad_proof("The consistency proof is too short.", old=old, new=new)
    return total_old, total_new


class Frontier:
    """The right edge of a growing tree: enough to append leaves in batches and to give the root at any time.

    Holds one hash for each bit that is set in the size, so it costs memory of O(log n).
    """

    __slots__ = ("_pending", "size")

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """Start from nothing, or from ``size`` and its perfect subtrees, largest first."""
        if size < 0 or size.bit_count() != len(subtrees):
            raise BadInput(
                f"A tree of {size} leaves has not {len(subtrees)} perfect subtrees.",
                fix="Give one hash for each bit that is set in the size.",
            )
        self.size = size
        self._pending: list[bytes | None] = [None] * size.bit_length()
        remaining = iter(subtrees)
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                self._pending[level] = next(remaining)

    def append(self, hashes: Sequence[bytes]) -> None:
        """Add leaf ``hashes`` at the right."""
        nodes = list(hashes)
        self.size += len(nodes)
        level = 0
        while nodes:
            if level == len(self._pending):
                self._pending.append(None)
            waiting = self._pending[level]
            if waiting is not None:
                nodes.insert(0, waiting)
            self._pending[level] = nodes.pop() if len(nodes) & 1 else None
            nodes = pair_up(nodes)
            level += 1

    def subtrees(self) -> list[bytes]:
        """The perfect subtrees, largest first: one hash for each bit that is set in the size."""
        return [node for node in reversed(self._pending) if node is not None]

    def root(self) -> bytes:
        """The Merkle tree hash at the present size: 32 bytes."""
        parts = self.subtrees()
        return fold(parts) if parts else EMPTY_ROOT

    def copy(self) -> Frontier:
        """An independent frontier at the same size."""
        return Frontier(self.size, self.subtrees())


def reader_of(hashes: Sequence[bytes]) -> NodeReader:
    """A ``NodeReader`` over leaf hashes in memory."""
    tree = [list(hashes)]
    while len(tree[-1]) > 1:
        tree.append(pair_up(tree[-1]))

    def read(level: int, index: int) -> bytes:
        return tree[level][index]

    return read


def _split(size: int) -> int:
    """The largest power of two below ``size`` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _bad_proof(message: str, **details: str | int) -> DidNotVerify:
    return DidNotVerify(
        message, fix="Ask the log for a new proof; if it fails again, show both to oversight.", **details
    )


def _fork(old: int, new: int, old_root: bytes, new_root: bytes) -> DidNotVerify:
    return DidNotVerify(
        f"The log of {new} entries does not continue the log of {old} entries: its past was rewritten.",
        fix="Keep both checkpoints: together they are evidence. Show them to oversight and to the witnesses.",
        old=old,
        new=new,
        old_root=old_root.hex(),
        new_root=new_root.hex(),
    )
