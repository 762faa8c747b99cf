from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from three_custodians import ANY_TWO, KEYS, NAMES, PRIVATE, context, sealed, shares_of

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.header import Header, Wrapped
from watchglass.evidence.shares import (
    Shares,
    check_share,
    combine,
    key_commitment,
    recover,
    share_hash,
    share_hashes,
    split,
    unpack,
    unwrap_shares,
    wrap,
)
from watchglass.evidence.subsets import Subset, permitted_subsets

ONE, TWO = sealed(1), sealed(2)
PAIR = ("dpo", "oversight")
MINE = {shares.custodian: shares for shares in shares_of(ONE, *NAMES)}
GIVEN = {name: MINE[name].by_subset[PAIR] for name in PAIR}


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def bad_share(given: Mapping[str, bytes], header: Header = ONE.header) -> str:
    """Who is named."""
    with pytest.raises(DidNotVerify, match="is not the one that was sealed") as caught:
        combine(header, PAIR, given)
    assert caught.value.details["segment"] == header.segment
    assert caught.value.fix
    return str(caught.value.details["custodian"])


def test_a_corrupt_share_is_named_by_its_custodian() -> None:
    assert combine(ONE.header, PAIR, GIVEN)
    assert bad_share({**GIVEN, "oversight": flip(GIVEN["oversight"])}) == "oversight"
    assert bad_share({**GIVEN, "dpo": flip(GIVEN["dpo"])}) == "dpo"
    assert bad_share({**GIVEN, "dpo": GIVEN["dpo"][:-1]}) == "dpo"
    assert bad_share({**GIVEN, "dpo": GIVEN["dpo"] + b"\0"}) == "dpo"


def test_a_swapped_share_is_named() -> None:
    """One's share for another's; one's share of another set. XOR itself would not mind the first."""
    assert bad_share({"dpo": GIVEN["oversight"], "oversight": GIVEN["dpo"]}) == "dpo"
    assert bad_share({**GIVEN, "oversight": MINE["oversight"].by_subset["control-room", "oversight"]}) == "oversight"


def test_a_share_of_another_segment_is_named() -> None:
    other = shares_of(TWO, "oversight")[0]
    assert bad_share({**GIVEN, "oversight": other.by_subset[PAIR]}) == "oversight"
    with pytest.raises(DidNotVerify, match="are of segment 0000000000000002") as caught:
        recover(ONE.header, [MINE["dpo"], other])
    assert caught.value.details["custodian"] == "oversight"


def test_a_missing_share_is_named_and_who_may_not_open_cannot() -> None:
    with pytest.raises(BadInput, match="share of oversight is missing"):
        combine(ONE.header, PAIR, {"dpo": GIVEN["dpo"]})
    with pytest.raises(BadInput, match="not a permitted set"):
        combine(ONE.header, ("dpo",), GIVEN)
    with pytest.raises(BadInput, match="not a permitted set"):
        combine(ONE.header, ("control-room", "dpo", "oversight"), GIVEN)
    with pytest.raises(BadInput, match="missing is control-room, or oversight"):
        recover(ONE.header, [MINE["dpo"]])
    with pytest.raises(BadInput, match="No shares at all do not open segment"):
        recover(ONE.header, [])


def test_with_one_custodian_gone_others_still_open() -> None:
    keys = {recover(ONE.header, [MINE[a], MINE[b]]) for a, b in ANY_TWO}
    assert len(keys) == 1
    assert recover(ONE.header, MINE.values()) in keys


def rebuilt(wrong: Subset) -> Header:
    """A header by a faulty or lying recorder: one pair's shares, of right hashes, rebuild another key."""
    key, entropy = b"k" * 32, SeededEntropy("liar")
    shares = split(key, ANY_TWO, entropy)
    shares[wrong] = split(b"x" * 32, (wrong,), entropy)[wrong]
    about = context(9)
    return Header(
        context=about,
        length=1,
        chunk=1 << 20,
        nonce=b"1234567",
        key_commitment=key_commitment(key, about),
        wrapped=wrap(about, ANY_TWO, shares, KEYS),
        subsets=ANY_TWO,
        hashes=tuple(
            tuple(share_hash(about.sha256, each, name, part) for name, part in zip(each, shares[each], strict=True))
            for each in ANY_TWO
        ),
        break_glass=None,
    )


def test_right_shares_that_rebuild_another_key_are_caught_by_the_commitment() -> None:
    header = rebuilt(PAIR)
    mine = {name: unwrap_shares(header, name, PRIVATE[name]) for name in NAMES}
    assert recover(header, [mine["control-room"], mine["dpo"]]) == b"k" * 32
    with pytest.raises(DidNotVerify, match="another than the one that was committed to") as caught:
        recover(header, [mine["dpo"], mine["oversight"]])
    assert "oversight" in caught.value.fix


def test_shares_unwrap_with_ones_own_key_of_the_month_only() -> None:
    with pytest.raises(BadInput, match="sealed to the key") as caught:
        unwrap_shares(ONE.header, "dpo", PRIVATE["oversight"])
    assert caught.value.details["custodian"] == "dpo"
    assert "2026-11" in caught.value.fix
    with pytest.raises(BadInput, match="holds nothing for mayor"):
        unwrap_shares(ONE.header, "mayor", X25519PrivateKey.generate())


def with_wrapped(name: str, sealed_bytes: bytes, key: str | None = None) -> Header:
    wrapped = Wrapped(key or ONE.header.wrapped[name].key, sealed_bytes)
    return dataclasses.replace(ONE.header, wrapped={**ONE.header.wrapped, name: wrapped})


def test_wrapped_shares_that_were_changed_swapped_or_replayed_are_named() -> None:
    changed = with_wrapped("dpo", flip(ONE.header.wrapped["dpo"].sealed))
    replayed = with_wrapped("dpo", TWO.header.wrapped["dpo"].sealed)
    for header in (changed, replayed):
        with pytest.raises(DidNotVerify, match="do not unwrap") as caught:
            unwrap_shares(header, "dpo", PRIVATE["dpo"])
        assert caught.value.details["custodian"] == "dpo"
        assert unwrap_shares(header, "oversight", PRIVATE["oversight"]).custodian == "oversight"
    theirs = with_wrapped("dpo", ONE.header.wrapped["oversight"].sealed, ONE.header.wrapped["oversight"].key)
    with pytest.raises(DidNotVerify, match="do not unwrap"):
        unwrap_shares(theirs, "dpo", PRIVATE["oversight"])


def test_a_recorder_that_wraps_another_share_than_it_hashes_is_found_by_the_custodian() -> None:
    entropy = SeededEntropy("two faces")
    shares = split(b"k" * 32, ANY_TWO, entropy)
    wrapped = wrap(context(1), ANY_TWO, shares, KEYS)
    header = dataclasses.replace(ONE.header, wrapped=wrapped)
    with pytest.raises(DidNotVerify, match="share of dpo for control-room and dpo") as caught:
        unwrap_shares(header, "dpo", PRIVATE["dpo"])
    assert caught.value.details["subset"] == "control-room,dpo"


def test_packed_shares_of_a_wrong_length_are_refused() -> None:
    packed = MINE["dpo"].packed
    assert unpack(ONE.header, "dpo", packed) == MINE["dpo"]
    for wrong in (packed[:-1], packed + bytes(32), b""):
        with pytest.raises(DidNotVerify, match="not their shares") as caught:
            unpack(ONE.header, "dpo", wrong)
        assert caught.value.details["custodian"] == "dpo"
    with pytest.raises(DidNotVerify):
        unpack(ONE.header, "mayor", b"")
    with pytest.raises(BadInput, match="no permitted set"):
        check_share(ONE.header, ("dpo", "mayor"), "mayor", bytes(32))


def test_the_hash_of_a_share_is_as_written() -> None:
    about = {"context": b64(ONE.header.context.sha256), "custodian": "dpo", "subset": list(PAIR)}
    wanted = sha256(b"watchglass/share/v1\n" + canonical.encode(about) + GIVEN["dpo"])
    assert ONE.header.share_hash(PAIR, "dpo") == wanted
    assert share_hashes(ONE.header.context.sha256, PAIR, GIVEN.values())[0] == wanted


def test_what_is_less_than_a_whole_set_tells_nothing() -> None:
    """Each single share is fresh randomness, or the key hidden under it: over many splits every bit is a coin."""
    subset = permitted_subsets(["a", "b", "c"], 3)[0]
    ones = [0] * 3
    entropy = SeededEntropy("coins")
    for _ in range(300):
        for place, share in enumerate(split(bytes(32), (subset,), entropy)[subset]):
            ones[place] += int.from_bytes(share, "big").bit_count()
    assert all(abs(count / (300 * 256) - 0.5) < 0.01 for count in ones)


def test_shares_for_a_set_that_they_lack_are_refused() -> None:
    empty = Shares(ONE.header.segment, ONE.header.context.sha256, "oversight", {})
    with pytest.raises(DidNotVerify) as caught:
        recover(ONE.header, [MINE["dpo"], empty])
    assert caught.value.details["custodian"] == "oversight"
