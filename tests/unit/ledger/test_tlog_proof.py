"""tlog-proof@v1: made from a log, read back, checked offline, and refused in any other form."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import policy
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import leaf_hash, leaf_hashes, root
from watchglass.ledger.proof import Proof, prove

LOG = SignerKey.from_seed("log.example", b"l" * 32)
TRUST = policy.parse(f"log {LOG.verifier}\nquorum none\n".encode())
ENTRIES = [f"entry {i}".encode() for i in range(300)]


class Memory:
    def __init__(self, size: int) -> None:
        growth = Growth()
        growth.append(ENTRIES[:size])
        self.files = dict(growth.files())
        self.files["checkpoint"] = Checkpoint(LOG.name, size, growth.root()).sign([LOG])

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 300), (255, 300), (256, 300), (299, 300), (6, 7)])
def test_a_proof_travels_as_text(index: int, size: int) -> None:
    entry, proof = prove(Memory(size), index)
    assert entry == ENTRIES[index]
    again = Proof.parse(proof.encode())
    assert again == proof
    accepted = again.check(leaf_hash(entry), TRUST)
    assert accepted.signed.checkpoint.size == size


def test_extra_is_carried_and_not_trusted() -> None:
    _, proof = prove(Memory(5), 2)
    extra = Proof(proof.index, proof.path, proof.checkpoint, b"anything")
    assert Proof.parse(extra.encode()).extra == b"anything"
    assert extra.encode().split(b"\n")[1] == b"extra YW55dGhpbmc="


def test_a_proof_of_something_else_fails() -> None:
    entry, proof = prove(Memory(300), 7)
    with pytest.raises(DidNotVerify):
        proof.check(leaf_hash(b"entry 8"), TRUST)
    with pytest.raises(DidNotVerify):
        Proof(8, proof.path, proof.checkpoint).check(leaf_hash(entry), TRUST)
    other = policy.parse(f"log {SignerKey.from_seed('log.example', b'x' * 32).verifier}\nquorum none\n".encode())
    with pytest.raises(DidNotVerify):
        proof.check(leaf_hash(entry), other)


def test_a_proof_from_a_fork_of_the_remembered_size_fails() -> None:
    entry, proof = prove(Memory(300), 7)
    fork = leaf_hashes([*ENTRIES[:299], b"another"])
    seen = {LOG.name: Checkpoint(LOG.name, 300, root(fork)).sign([LOG])}
    with pytest.raises(DidNotVerify, match="rewritten"):
        proof.check(leaf_hash(entry), TRUST, seen=seen)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2"),
        (b"index 7", b"index 07"),
        (b"index 7", b"index -7"),
        (b"index 7", b"indexes 7"),
        (b"index 7\n", b"index 7\nextra AAAA\n"),
        (b"index 7\n", b"index 7\nAAAA\n"),
        (b"index 7\n", b"index 7\n\n"),
        (b"index 7\n", b"index 7\n" + b"A" * 43 + b"=\n" * 64),
        ("—".encode(), b"-"),
    ],
)
def test_other_forms_are_refused(old: bytes, new: bytes) -> None:
    data = prove(Memory(300), 7)[1].encode()
    assert old in data
    with pytest.raises(BadInput):
        Proof.parse(data.replace(old, new, 1))


def test_a_log_that_was_changed_on_disk_gives_no_proof() -> None:
    memory = Memory(300)
    memory.files["tile/entries/000"] = memory.files["tile/entries/000"].replace(b"entry 7", b"entry X", 1)
    with pytest.raises(DidNotVerify, match="entry 7"):
        prove(memory, 7)
    with pytest.raises(BadInput):
        prove(memory, 300)
