"""RFC 6962 against a second, literal implementation of its text, and against the published vector."""

from __future__ import annotations

import hashlib
import json

import pytest

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import merkle


def literal_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + literal_root(hashes[:k]) + literal_root(hashes[k:])).digest()


def literal_path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*literal_path(m, hashes[:k]), literal_root(hashes[k:])]
    return [*literal_path(m - k, hashes[k:]), literal_root(hashes[:k])]


def leaves(n: int) -> list[bytes]:
    return merkle.leaf_hashes([f"entry {i}".encode() for i in range(n)])


def test_the_published_root_of_70_000_leaves() -> None:
    entries = (json.dumps({"seq": i, "act": "x"}, separators=(",", ":")).encode() for i in range(70_000))
    assert b64(merkle.root(merkle.leaf_hashes(entries))) == "/EKYYq6VLY+pFnn/ovs2vgbNMe/AESe6s1L9ixzl3sY="


def test_an_empty_tree_and_a_single_leaf() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").digest()
    assert merkle.root([merkle.leaf_hash(b"")]).hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65])
def test_roots_and_paths_are_those_of_the_rfc(n: int) -> None:
    hashes = leaves(n)
    root, paths = merkle.all_inclusion_proofs(hashes)
    assert root == literal_root(hashes) == merkle.root(hashes)
    read = merkle.reader_of(hashes)
    for index in range(n):
        assert list(paths[index]) == literal_path(index, hashes) == merkle.inclusion_proof(read, index, n)
        merkle.check_inclusion(hashes[index], index, n, paths[index], root)


def test_every_pair_of_sizes_up_to_40_is_consistent_and_no_other_root_is() -> None:
    hashes = leaves(40)
    read = merkle.reader_of(hashes)
    for new in range(41):
        for old in range(new + 1):
            proof = merkle.consistency_proof(read, old, new)
            old_root, new_root = merkle.root(hashes[:old]), merkle.root(hashes[:new])
            merkle.check_consistency(old, new, old_root, new_root, proof)
            if old:
                with pytest.raises(DidNotVerify):
                    merkle.check_consistency(old, new, bytes(32), new_root, proof)
                with pytest.raises(DidNotVerify):
                    merkle.check_consistency(old, new, old_root, bytes(32), proof)
            with pytest.raises(DidNotVerify):
                merkle.check_consistency(old, new, old_root, new_root, [*proof, bytes(32)])
            if proof:
                with pytest.raises(DidNotVerify):
                    merkle.check_consistency(old, new, old_root, new_root, proof[:-1])


def test_an_empty_log_is_the_beginning_of_every_log_but_only_with_its_own_root() -> None:
    root = merkle.root(leaves(5))
    merkle.check_consistency(0, 5, merkle.EMPTY_ROOT, root, [])
    with pytest.raises(DidNotVerify):
        merkle.check_consistency(0, 5, bytes(32), root, [])
    with pytest.raises(DidNotVerify):
        merkle.check_consistency(6, 5, root, root, [])


def test_an_inclusion_proof_holds_for_nothing_else() -> None:
    hashes = leaves(11)
    root, paths = merkle.all_inclusion_proofs(hashes)
    good = paths[6]
    for leaf, index, size, path in [
        (hashes[5], 6, 11, good),
        (hashes[6], 5, 11, good),
        (hashes[6], 6, 12, good[:-1]),
        (hashes[6], 6, 11, (*good, bytes(32))),
        (hashes[6], 6, 11, (bytes(32), *good[1:])),
        (hashes[6], 11, 11, good),
        (hashes[6], -1, 11, good),
    ]:
        with pytest.raises(DidNotVerify):
            merkle.check_inclusion(leaf, index, size, path, root)


def test_a_frontier_gives_the_root_at_every_size_and_resumes() -> None:
    hashes = leaves(100)
    frontier = merkle.Frontier()
    assert frontier.root() == merkle.EMPTY_ROOT
    for step in range(1, 14):
        frontier.append(hashes[frontier.size : frontier.size + step])
        assert frontier.root() == merkle.root(hashes[: frontier.size])
        again = merkle.Frontier(frontier.size, frontier.subtrees())
        again.append(hashes[frontier.size :])
        assert again.root() == merkle.root(hashes)
        frontier = frontier.copy()


def test_impossible_questions_are_refused() -> None:
    read = merkle.reader_of(leaves(3))
    for question in (
        lambda: merkle.inclusion_proof(read, 3, 3),
        lambda: merkle.consistency_proof(read, 4, 3),
        lambda: merkle.Frontier(3, [bytes(32)]),
    ):
        with pytest.raises(BadInput):
            question()
