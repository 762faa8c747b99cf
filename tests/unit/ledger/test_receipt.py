"""Receipts: one signature a batch, and a promise that can be held against the operator."""

from __future__ import annotations

import json

import pytest

from watchglass.core import canonical
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import receipt
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.merkle import leaf_hashes

LOG = SignerKey.from_seed("log.example", b"l" * 32)
OTHER = SignerKey.from_seed("other.example", b"o" * 32)
HASHES = leaf_hashes([f"{i}".encode() for i in range(11)])
RECEIPTS = receipt.issue(HASHES, issued_ms=1_000, merge_by_ms=61_000, signer=LOG)


def test_every_leaf_of_a_batch_has_its_own_receipt_under_one_signature() -> None:
    assert len({r.sig for r in RECEIPTS}) == 1
    for leaf, one in zip(HASHES, RECEIPTS, strict=True):
        again = receipt.parse(one.encode())
        assert again == one
        receipt.check(again, leaf, LOG.verifier)
    assert receipt.issue([], issued_ms=0, merge_by_ms=0, signer=LOG) == []


def test_a_receipt_is_for_its_leaf_and_its_log_only() -> None:
    with pytest.raises(DidNotVerify):
        receipt.check(RECEIPTS[3], HASHES[4], LOG.verifier)
    with pytest.raises(DidNotVerify):
        receipt.check(RECEIPTS[3], HASHES[3], OTHER.verifier)


@pytest.mark.parametrize("name", ["issued", "merge_by", "size", "origin", "root", "key", "sig"])
def test_no_part_can_be_changed(name: str) -> None:
    value = json.loads(RECEIPTS[3].encode())
    other = json.loads(receipt.issue(HASHES[:5], issued_ms=900, merge_by_ms=99_000, signer=OTHER)[3].encode())
    value[name] = other[name]
    changed = receipt.parse(canonical.encode(value))
    with pytest.raises(DidNotVerify):
        receipt.check(changed, HASHES[3], LOG.verifier)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"more": 1},
        {"size": "11"},
        {"size": 0},
        {"index": -1},
        {"path": "x"},
        {"path": [""]},
        {"sig": ""},
        {"merge_by": 999},
    ],
)
def test_other_forms_are_refused(change: dict[str, object]) -> None:
    value = json.loads(RECEIPTS[3].encode()) | change
    with pytest.raises(BadInput):
        receipt.parse(canonical.encode(value))
    with pytest.raises(BadInput):
        receipt.parse(json.dumps(value).encode())


def test_a_promise_is_kept_open_or_broken() -> None:
    one, leaf = RECEIPTS[3], HASHES[3]

    def merged(*, into: set[bytes], at: int) -> receipt.Merge:
        return receipt.check_merged(one, leaf, LOG.verifier, merged=into, as_of_ms=at)

    assert merged(into={leaf}, at=99_000) is receipt.Merge.KEPT
    assert merged(into=set(), at=61_000) is receipt.Merge.NOT_YET_DUE
    with pytest.raises(DidNotVerify, match="it is not there") as caught:
        merged(into=set(), at=61_001)
    assert "oversight" in caught.value.fix


def test_a_witness_gives_no_receipts() -> None:
    witness = SignerKey.from_seed("w.example", b"w" * 32, KeyType.COSIGNATURE_V1)
    with pytest.raises(BadInput):
        receipt.issue(HASHES, issued_ms=0, merge_by_ms=0, signer=witness)
