from __future__ import annotations

import dataclasses
import hashlib
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from three_custodians import ANY_TWO, GLASS, KEYS, NAMES, PLAIN, PRIVATE, context, sealed, shares_of

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.envelope import (
    Opener,
    Sealed,
    assemble,
    check_recorded,
    open_range,
    open_sealed,
    seal,
)
from watchglass.evidence.header import CHUNK, LEAST_CHUNK, TAG_BYTES, read_header
from watchglass.evidence.shares import SealingKeys, key_commitment, recover, unwrap_glass
from watchglass.evidence.subsets import permitted_subsets

ONE = sealed(1)
KEY = recover(ONE.header, shares_of(ONE, "dpo", "oversight"))


def refuses(data: bytes, key: bytes = KEY) -> DidNotVerify:
    with pytest.raises(DidNotVerify) as caught:
        open_sealed(data, key)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("pair", ANY_TWO)
def test_each_permitted_pair_opens_it(pair: tuple[str, ...]) -> None:
    key = recover(ONE.header, shares_of(ONE, *pair))
    assert key == KEY
    assert open_sealed(ONE.data, key) == PLAIN


def test_the_object_is_what_the_record_says() -> None:
    assert hashlib.sha256(ONE.data).digest() == ONE.sha256
    assert read_header(ONE.data) == ONE.header
    assert ONE.header.size == len(ONE.data)
    assert bytes(ONE.data).startswith(ONE.header.framed)
    assert check_recorded(ONE.data, sha256=ONE.sha256, key_commitment=ONE.key_commitment) == ONE.header
    assert PLAIN[:64] not in bytes(ONE.data)
    assert KEY not in bytes(ONE.data)
    with pytest.raises(TypeError):
        ONE.data[0] = 0


@pytest.mark.parametrize("size", [1, LEAST_CHUNK - 1, LEAST_CHUNK, LEAST_CHUNK + 1, 2 * LEAST_CHUNK, CHUNK + 7])
@pytest.mark.parametrize("chunk", [LEAST_CHUNK, CHUNK])
def test_every_length_comes_back(size: int, chunk: int) -> None:
    plain = SeededEntropy("sizes").bytes(size)
    one = seal(plain, context(), KEYS, ANY_TWO, SeededEntropy("s"), chunk=chunk)
    assert one.header.chunks == -(-size // chunk)
    assert open_sealed(one.data, recover(one.header, shares_of(one, "dpo", "oversight"))) == plain


def test_pieces_and_the_whole_are_sealed_alike() -> None:
    """Packets come one by one, of any length; whether they were joined before shows nowhere."""
    cuts = [0, 1, 2, 3000, LEAST_CHUNK, LEAST_CHUNK, 3 * LEAST_CHUNK - 1, len(PLAIN)]
    views = [memoryview(PLAIN[a:b]) for a, b in pairwise(cuts)]
    assert assemble(ONE.header, KEY, views).data == ONE.data
    one = seal(iter(views), context(), KEYS, ANY_TWO, SeededEntropy("pieces"), chunk=LEAST_CHUNK)
    assert open_sealed(one.data, recover(one.header, shares_of(one, "dpo", "oversight"))) == PLAIN


def test_memory_that_is_used_again_holds_one_segment_after_the_other() -> None:
    memory = bytearray(10)
    for number, plain in enumerate((PLAIN, PLAIN * 2, b"short")):
        one = seal(plain, context(number), KEYS, ANY_TWO, SeededEntropy("m"), chunk=LEAST_CHUNK, into=memory)
        assert len(one.data) == one.header.size <= len(memory)
        assert hashlib.sha256(one.data).digest() == one.sha256
        assert open_sealed(one.data, recover(one.header, shares_of(one, "dpo", "oversight"))) == plain
        kept = bytes(one.data)
        del one
        assert bytes(memory).startswith(kept)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0, 0),
        (0, len(PLAIN) - 1),
        (LEAST_CHUNK - 1, LEAST_CHUNK),
        (LEAST_CHUNK, 2 * LEAST_CHUNK - 1),
        (len(PLAIN) - 1, len(PLAIN) - 1),
    ],
)
def test_any_part_opens_alone(first: int, last: int) -> None:
    assert open_range(ONE.data, KEY, first, last) == PLAIN[first : last + 1]


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (5, 4), (0, len(PLAIN)), (len(PLAIN), len(PLAIN))])
def test_a_part_that_is_not_there_is_refused(first: int, last: int) -> None:
    with pytest.raises(BadInput, match="has no bytes"):
        open_range(ONE.data, KEY, first, last)


def test_a_chunk_opens_from_its_bytes_alone_and_in_its_own_place_only() -> None:
    opener = Opener(ONE.header, KEY)
    piece = ONE.data[ONE.header.span(1)]
    assert opener.chunk(1, piece) == PLAIN[LEAST_CHUNK : 2 * LEAST_CHUNK]
    for wrong in (0, 2, 3):
        with pytest.raises(DidNotVerify) as caught:
            opener.chunk(wrong, piece)
        assert (caught.value.details["chunk"], caught.value.details["segment"]) == (wrong, ONE.header.segment)
    with pytest.raises(DidNotVerify):
        opener.chunk(1, b"")
    with pytest.raises(BadInput, match="has no chunk 4"):
        opener.chunk(4, piece)


def chunks_of(one: Sealed) -> list[bytes]:
    return [bytes(one.data[one.header.span(index)]) for index in range(one.header.chunks)]


def test_chunks_in_another_order_do_not_open() -> None:
    first, second, third, last = chunks_of(ONE)
    assert refuses(ONE.header.framed + second + first + third + last).details["chunk"] == 0
    assert refuses(ONE.header.framed + first + third + second + last).details["chunk"] == 1
    assert refuses(ONE.header.framed + first + first + third + last).details["chunk"] == 1


def test_a_segment_that_is_cut_or_appended_to_does_not_open() -> None:
    whole = bytes(ONE.data)
    for data in (
        whole[: ONE.header.span(3).start],
        whole[: ONE.header.span(1).start],
        whole[:-1],
        whole[: ONE.header.start],
        whole + b"\0",
        whole + chunks_of(ONE)[3],
    ):
        error = refuses(data)
        assert "cut, or something was appended" in error.message
        assert error.details["expected"] == len(whole)
        with pytest.raises(DidNotVerify, match="cut, or something"):
            open_range(data, KEY, 0, 10)


def test_a_cut_segment_with_a_header_that_says_so_does_not_open() -> None:
    """Who can write the store can write a shorter length too; the header is bound to each chunk."""
    shorter = dataclasses.replace(ONE.header, length=2 * LEAST_CHUNK)
    assert refuses(shorter.framed + b"".join(chunks_of(ONE)[:2])).details["chunk"] == 0


def test_two_segments_under_one_key_cannot_be_exchanged() -> None:
    """Never made by ``seal``; but if it were, neither chunks nor headers could be moved between the two."""
    other = dataclasses.replace(
        ONE.header, nonce=b"another", key_commitment=key_commitment(KEY, ONE.header.context), length=len(PLAIN)
    )
    two = assemble(other, KEY, [memoryview(PLAIN[::-1])])
    assert open_sealed(two.data, KEY) == PLAIN[::-1]
    assert refuses(ONE.header.framed + bytes(two.data[two.header.start :])).details["chunk"] == 0
    assert refuses(two.header.framed + bytes(ONE.data[ONE.header.start :])).details["chunk"] == 0
    mixed = chunks_of(ONE)[:1] + chunks_of(two)[1:]
    assert refuses(ONE.header.framed + b"".join(mixed)).details["chunk"] == 1
    same_nonce = dataclasses.replace(ONE.header, break_glass=None)
    three = assemble(same_nonce, KEY, [memoryview(PLAIN)])
    assert refuses(ONE.header.framed + bytes(three.data[three.header.start :])).details["chunk"] == 0


def test_the_header_of_another_segment_does_not_open_it() -> None:
    two = sealed(2)
    swapped = two.header.framed + bytes(ONE.data[ONE.header.start :])
    assert "not the key" in refuses(swapped).message
    assert refuses(swapped, recover(two.header, shares_of(two, "dpo", "oversight"))).details["chunk"] == 0


def test_another_key_is_told_before_anything_is_opened() -> None:
    for key in (bytes(32), KEY[:-1] + bytes([KEY[-1] ^ 1]), b"", KEY + b"\0"):
        error = refuses(bytes(ONE.data), key)
        assert "not the key" in error.message
        assert error.details == {"segment": ONE.header.segment}


def test_what_was_recorded_is_this_object_and_no_other() -> None:
    two = sealed(2)
    with pytest.raises(DidNotVerify, match="as it was recorded"):
        check_recorded(two.data, sha256=ONE.sha256, key_commitment=ONE.key_commitment)
    with pytest.raises(DidNotVerify, match="as it was recorded"):
        check_recorded(ONE.data, sha256=ONE.sha256, key_commitment=two.key_commitment)
    with pytest.raises(DidNotVerify, match="as it was recorded"):
        check_recorded(bytes(ONE.data) + b"\0", sha256=ONE.sha256, key_commitment=ONE.key_commitment)
    with pytest.raises(BadInput, match="not a sealed segment"):
        check_recorded(b"nothing", sha256=ONE.sha256, key_commitment=ONE.key_commitment)


def test_the_break_glass_key_opens_it_and_no_other_does() -> None:
    assert unwrap_glass(ONE.header, GLASS) == KEY
    with pytest.raises(BadInput, match="break-glass key"):
        unwrap_glass(ONE.header, PRIVATE["dpo"])
    without = dataclasses.replace(ONE.header, break_glass=None)
    with pytest.raises(BadInput, match="without a break-glass key"):
        unwrap_glass(without, GLASS)
    with pytest.raises(DidNotVerify, match="does not unwrap"):
        unwrap_glass(dataclasses.replace(sealed(2).header, break_glass=ONE.header.break_glass), GLASS)


def test_the_rule_is_enforced_by_what_exists() -> None:
    one = sealed(3, subsets=permitted_subsets(NAMES, 2, ["oversight"]))
    with pytest.raises(BadInput) as caught:
        recover(one.header, shares_of(one, "dpo", "control-room"))
    assert "missing is oversight" in caught.value.message
    for pair in (("dpo", "oversight"), ("control-room", "oversight")):
        assert open_sealed(one.data, recover(one.header, shares_of(one, *pair))) == PLAIN


def test_what_cannot_be_sealed_is_refused() -> None:
    entropy = SeededEntropy("refused")
    with pytest.raises(BadInput, match="this one has 0"):
        seal(b"", context(), KEYS, ANY_TWO, entropy)
    with pytest.raises(BadInput, match="this one has 0"):
        seal([b"", b""], context(), KEYS, ANY_TWO, entropy)
    with pytest.raises(BadInput, match="sealing keys of 2026-10"):
        seal(PLAIN, context(), SealingKeys("2026-10", KEYS.public), ANY_TWO, entropy)
    with pytest.raises(BadInput, match="dpo has published no") as caught:
        seal(PLAIN, context(), SealingKeys("2026-11", {"oversight": KEYS.public["oversight"]}), ANY_TWO[2:], entropy)
    assert caught.value.details["custodian"] == "dpo"
    with pytest.raises(BadInput, match="power of two"):
        seal(PLAIN, context(), KEYS, ANY_TWO, entropy, chunk=5000)
    with pytest.raises(BadInput, match="power of two"):
        seal(PLAIN, context(), KEYS, ANY_TWO, entropy, chunk=LEAST_CHUNK // 2)
    low = X25519PublicKey.from_public_bytes(bytes(32))
    with pytest.raises(BadInput, match="not a proper X25519 key") as caught:
        seal(PLAIN, context(), SealingKeys("2026-11", {**KEYS.public, "dpo": low}), ANY_TWO, entropy)
    assert caught.value.details["custodian"] == "dpo"
    with pytest.raises(BadInput, match="the same sealing key"):
        SealingKeys("2026-11", {"dpo": KEYS.public["dpo"], "oversight": KEYS.public["dpo"]})


def test_nothing_is_sealed_alike_twice() -> None:
    entropy = SeededEntropy("twice")
    first, second = (seal(PLAIN, context(), KEYS, ANY_TWO, entropy) for _ in range(2))
    assert first.key_commitment != second.key_commitment
    assert first.header.nonce != second.header.nonce
    assert first.data[-64:] != second.data[-64:]


def test_a_secret_shows_in_no_repr() -> None:
    shares = shares_of(ONE, "dpo")[0]
    secret = next(iter(shares.by_subset.values()))
    assert secret.hex() not in repr(shares)
    assert repr(secret) not in repr(shares)
    assert b64(KEY) not in repr(ONE)
    assert len(ONE.data) == ONE.header.start + len(PLAIN) + 4 * TAG_BYTES
