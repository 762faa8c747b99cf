"""Properties of the ledger room that must hold for every tree, entry, note and request."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import merkle, note, policy, receipt, tiles, witness
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey
from watchglass.ledger.proof import Proof
from watchglass.ledger.verify import verify_log

LOG = SignerKey.from_seed("log.example", b"l" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)
TRUST = policy.parse(f"log {LOG.verifier}\nquorum none\n".encode())
HASHES = merkle.leaf_hashes([b"%d" % i for i in range(700)])
READ = merkle.reader_of(HASHES)

sizes = st.integers(1, len(HASHES))
hashes32 = st.binary(min_size=32, max_size=32)
entries = st.lists(st.binary(max_size=20), min_size=1, max_size=600)
names = st.text(min_size=1, max_size=12).filter(lambda t: "+" not in t and not any(c.isspace() or c < " " for c in t))


class Memory:
    def __init__(self, log_entries: list[bytes], cuts: list[int]) -> None:
        growth, self.files = Growth(), {}
        for end in [*sorted({min(c, len(log_entries)) for c in cuts}), len(log_entries)]:
            growth.append(log_entries[growth.size : end])
            self.files.update(growth.files())
            growth.written()
        self.files["checkpoint"] = Checkpoint(LOG.name, growth.size, growth.root()).sign([LOG])

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self) -> list[str]:
        return [path for path in self.files if path != "checkpoint"]


@given(size=sizes, data=st.data())
@settings(deadline=None)
def test_inclusion_proofs_hold_and_no_changed_one_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(READ, index, size)
    root = merkle.range_hash(READ, 0, size)
    assert root == merkle.root(HASHES[:size])
    merkle.check_inclusion(HASHES[index], index, size, proof, root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        changed = bytearray(proof[at])
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DidNotVerify):
            merkle.check_inclusion(HASHES[index], index, size, [*proof[:at], bytes(changed), *proof[at + 1 :]], root)
        with pytest.raises(DidNotVerify):
            merkle.check_inclusion(HASHES[index], index, size, proof[:at] + proof[at + 1 :], root)
    wrong = data.draw(st.integers(0, size - 1))
    assume(wrong != index)
    with pytest.raises(DidNotVerify):
        merkle.check_inclusion(HASHES[index], wrong, size, proof, root)


@given(a=sizes, b=sizes, data=st.data())
@settings(deadline=None)
def test_consistency_proofs_hold_and_no_changed_one_does(a: int, b: int, data: st.DataObject) -> None:
    old, new = sorted((a, b))
    proof = merkle.consistency_proof(READ, old, new)
    old_root, new_root = merkle.root(HASHES[:old]), merkle.root(HASHES[:new])
    merkle.check_consistency(old, new, old_root, new_root, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        with pytest.raises(DidNotVerify):
            merkle.check_consistency(old, new, old_root, new_root, [*proof[:at], bytes(32), *proof[at + 1 :]])
    fork = [*HASHES[: old - 1], bytes(32)]
    with pytest.raises(DidNotVerify):
        merkle.check_consistency(old, new, merkle.root(fork), new_root, proof)


@given(entries, st.lists(st.integers(0, 600), max_size=4))
@settings(max_examples=tries(40), deadline=None)
def test_a_log_grown_in_any_steps_verifies(log_entries: list[bytes], cuts: list[int]) -> None:
    log = Memory(log_entries, cuts)
    verified = verify_log(log, TRUST)
    assert verified.checkpoint.root == merkle.root(merkle.leaf_hashes(log_entries))
    assert verified.files == len(log.files)


@given(entries, st.lists(st.integers(0, 600), max_size=3), st.data())
@settings(max_examples=tries(60), deadline=None)
def test_any_damage_to_any_file_is_found(log_entries: list[bytes], cuts: list[int], data: st.DataObject) -> None:
    log = Memory(log_entries, cuts)
    path = data.draw(st.sampled_from(sorted(log.files)))
    good = log.files[path]
    bad = data.draw(
        st.one_of(
            st.integers(0, len(good) - 1).map(lambda at: good[:at]),
            st.integers(0, len(good) * 8 - 1).map(
                lambda bit: good[: bit // 8] + bytes([good[bit // 8] ^ 1 << bit % 8]) + good[bit // 8 + 1 :]
            ),
            st.binary(min_size=1, max_size=4).map(lambda tail: good + tail),
            st.binary(max_size=40),
        )
    )
    assume(bad != good)
    log.files[path] = bad
    with pytest.raises(DidNotVerify):
        verify_log(log, TRUST)


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
@settings(deadline=None)
def test_tile_paths_are_read_back(level: int, index: int, width: int) -> None:
    tile = tiles.Tile(level, index, width)
    assert tiles.Tile.parse(tile.path) == tile


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
@settings(deadline=None)
def test_bundles_are_read_back(bundle: list[bytes]) -> None:
    assert tiles.decode_bundle(tiles.encode_bundle(bundle), len(bundle)) == bundle


@given(names, st.text().map(lambda t: "".join(c for c in t if c == "\n" or c >= " ") + "\n"))
@settings(deadline=None)
def test_notes_are_read_back(name: str, text: str) -> None:
    assume(text.encode("utf-8", "ignore").decode() == text)
    assume(name.encode("utf-8", "ignore").decode() == name)
    signer = SignerKey.from_seed(name, b"s" * 32)
    data = note.sign_note(text, [signer])
    opened = note.open_note(data, [VerifierKey.parse(str(signer.verifier))])
    assert (opened.text, opened.encode()) == (text, data)


_BATCH = receipt.issue(HASHES[:9], issued_ms=1, merge_by_ms=2, signer=LOG)
_CHECKPOINT = Checkpoint(LOG.name, 9, merkle.root(HASHES[:9])).sign([LOG])
FORMS = (
    (_CHECKPOINT, note.parse_note, lambda read: read.encode(), BadInput),
    (Proof(4, _BATCH[4].path, _CHECKPOINT, b"x").encode(), Proof.parse, lambda read: read.encode(), BadInput),
    (_BATCH[4].encode(), receipt.parse, lambda read: read.encode(), BadInput),
    (
        witness.Request(4, _BATCH[4].path, _CHECKPOINT).encode(),
        witness.Request.parse,
        lambda read: read.encode(),
        witness.NotCosigned,
    ),
    (str(LOG.verifier).encode(), lambda data: VerifierKey.parse(data.decode("utf-8", "replace")), None, BadInput),
    (f"log {LOG.verifier}\nquorum none\n".encode(), policy.parse, None, BadInput),
)


@given(st.sampled_from(FORMS), st.integers(0, 2_000), st.integers(0, 3), st.binary(max_size=3))
@settings(max_examples=tries(400), deadline=None)
def test_damaged_forms_are_refused_or_written_back_exactly(form, at: int, cut: int, put: bytes) -> None:
    """A strict reader has one form for each value: whatever it accepts, it writes back byte for byte."""
    good, read, write, refusal = form
    at %= len(good)
    bad = good[:at] + put + good[at + cut :]
    try:
        value = read(bad)
    except refusal:
        return
    if write is not None:
        assert write(value) == bad


@given(st.lists(hashes32, min_size=1, max_size=300), st.data())
@settings(max_examples=tries(40), deadline=None)
def test_every_receipt_of_a_batch_checks_and_for_its_leaf_only(batch: list[bytes], data: st.DataObject) -> None:
    receipts = receipt.issue(batch, issued_ms=1, merge_by_ms=2, signer=LOG)
    at = data.draw(st.integers(0, len(batch) - 1))
    receipt.check(receipt.parse(receipts[at].encode()), batch[at], LOG.verifier)
    other = data.draw(hashes32)
    assume(other != batch[at])
    with pytest.raises(DidNotVerify):
        receipt.check(receipts[at], other, LOG.verifier)


@given(st.lists(sizes, min_size=1, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
@settings(max_examples=tries(60), deadline=None)
def test_a_witness_never_goes_back_and_never_cosigns_two_trees(wanted: list[int], forks: list[bool]) -> None:
    other = merkle.leaf_hashes([b"0", *(b"x%d" % i for i in range(1, len(HASHES)))])
    reads = {False: READ, True: merkle.reader_of(other)}
    latest: Checkpoint | None = None
    cosigned: list[Checkpoint] = []
    for size, fork in zip(wanted, forks, strict=False):
        known = latest.size if latest else 0
        checkpoint = Checkpoint(LOG.name, size, merkle.range_hash(reads[fork], 0, size))
        proof = merkle.consistency_proof(reads[fork], known, size) if known <= size else []
        request = witness.Request(known, tuple(proof), checkpoint.sign([LOG]))
        try:
            latest = witness.advance(latest, request, checkpoint)
        except witness.NotCosigned:
            continue
        cosigned.append(latest)
    assert cosigned, "the first request of a new log is always fine"
    for before, after in pairwise(cosigned):
        assert before.size <= after.size
    for hashes in (HASHES, other):
        if cosigned[-1].root == merkle.root(hashes[: cosigned[-1].size]):
            assert all(one.root == merkle.root(hashes[: one.size]) for one in cosigned)
