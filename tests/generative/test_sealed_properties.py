"""What must hold of every sealed segment, whatever is sealed, and whatever is done to its bytes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.custody import Bundle, Kind, Terms, open_bundle, reseal
from watchglass.evidence.envelope import Opener, check_recorded, open_range, open_sealed, seal
from watchglass.evidence.header import LEAST_CHUNK, PREFIX, Context, read_header
from watchglass.evidence.shares import SealingKeys, combine, recover, split, unwrap_shares
from watchglass.evidence.subsets import permitted_subsets

NAMES = ("a", "b", "c")
PRIVATE = {name: X25519PrivateKey.from_private_bytes(name.encode() * 32) for name in NAMES}
KEYS = SealingKeys("2026-11", {name: key.public_key() for name, key in PRIVATE.items()})
SUBSETS = permitted_subsets(NAMES, 2)
PLAIN = SeededEntropy("plain").bytes(2 * LEAST_CHUNK + 50)
ABOUT = Context(
    origin="demo.example.org/log",
    source="steps-cam",
    segment="0123456789abcdef",
    from_ms=1_795_435_200_000,
    to_ms=1_795_435_210_000,
    charter=b"c" * 32,
    purpose="restricted-area",
    retention="sealed",
    period="2026-11",
    keep_until_ms=1_795_535_210_000,
)
ONE = seal(PLAIN, ABOUT, KEYS, SUBSETS, SeededEntropy("one"), chunk=LEAST_CHUNK)
WHOLE = bytes(ONE.data)
KEY = recover(ONE.header, [unwrap_shares(ONE.header, name, PRIVATE[name]) for name in ("a", "b")])


def opens(data: bytes) -> bytes:
    """What a reader does: look at the header, unwrap, rebuild the key, open."""
    header = read_header(data)
    key = recover(header, [unwrap_shares(header, name, PRIVATE[name]) for name in NAMES])
    return open_sealed(data, key)


def refuses(data: bytes) -> None:
    with pytest.raises((BadInput, DidNotVerify)) as caught:
        opens(data)
    assert caught.value.fix
    with pytest.raises((BadInput, DidNotVerify)):
        open_sealed(data, KEY)
    with pytest.raises((BadInput, DidNotVerify)):
        check_recorded(data, sha256=ONE.sha256, key_commitment=ONE.key_commitment)


def test_each_byte_of_what_frames_the_segment_counts() -> None:
    """Magic, length and header: every byte. Each chunk: its first, a middle and its last byte, and its tag."""
    assert opens(WHOLE) == PLAIN
    places = list(range(PREFIX)) + list(range(PREFIX, ONE.header.start))
    for index in range(ONE.header.chunks):
        span = ONE.header.span(index)
        places += [span.start, (span.start + span.stop) // 2, *range(span.stop - 17, span.stop)]
    for place in places:
        refuses(WHOLE[:place] + bytes([WHOLE[place] ^ 0x01]) + WHOLE[place + 1 :])


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_any_byte_that_is_changed_is_noticed(place: int, by: int) -> None:
    refuses(WHOLE[:place] + bytes([WHOLE[place] ^ by]) + WHOLE[place + 1 :])


@given(st.integers(0, len(WHOLE) - 1))
@settings(deadline=None)
def test_wherever_it_is_cut_it_does_not_open(end: int) -> None:
    refuses(WHOLE[:end])


@given(st.binary(min_size=1, max_size=40), st.integers(0, len(WHOLE)))
@settings(deadline=None)
def test_whatever_is_put_in_it_does_not_open(more: bytes, place: int) -> None:
    refuses(WHOLE[:place] + more + WHOLE[place:])


@given(st.permutations(range(3)))
@settings(deadline=None)
def test_chunks_open_in_one_order_only(order: list[int]) -> None:
    data = ONE.header.framed + b"".join(WHOLE[ONE.header.span(index)] for index in order)
    if order == [0, 1, 2]:
        assert opens(data) == PLAIN
    else:
        refuses(data)


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, len(PLAIN) - 1))
@settings(deadline=None)
def test_every_part_is_that_part(one: int, other: int) -> None:
    first, last = sorted((one, other))
    assert open_range(WHOLE, KEY, first, last) == PLAIN[first : last + 1]


@given(st.lists(st.binary(max_size=3 * LEAST_CHUNK), min_size=1, max_size=6).filter(any), st.integers(0, 2))
@settings(deadline=None, max_examples=tries(30))
def test_what_is_sealed_in_pieces_comes_back_whole(pieces: list[bytes], seed: int) -> None:
    one = seal(pieces, ABOUT, KEYS, SUBSETS, SeededEntropy(f"{seed}"), chunk=LEAST_CHUNK)
    assert opens(bytes(one.data)) == b"".join(pieces)
    opener = Opener(one.header, recover(one.header, [unwrap_shares(one.header, n, PRIVATE[n]) for n in ("b", "c")]))
    whole = b"".join(opener.chunk(at, one.data[one.header.span(at)]) for at in range(one.header.chunks))
    assert whole == b"".join(pieces)


@given(st.integers(1, 6), st.data(), st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=tries(60))
def test_xor_of_a_whole_set_is_the_key_and_of_less_is_not(n: int, data: st.DataObject, key: bytes) -> None:
    names = [f"c{number}" for number in range(n)]
    subsets = permitted_subsets(names, data.draw(st.integers(1, n)))
    made = split(key, subsets, SeededEntropy(key))
    for subset in subsets:
        total = 0
        for share in made[subset]:
            total ^= int.from_bytes(share, "big")
        assert total.to_bytes(32, "big") == key
        if len(subset) > 1:
            assert key not in made[subset]


@given(st.sampled_from(SUBSETS), st.integers(0, 1), st.integers(0, 31), st.integers(1, 255))
@settings(deadline=None)
def test_a_corrupt_share_is_always_named(subset: tuple[str, ...], who: int, place: int, by: int) -> None:
    mine = {name: unwrap_shares(ONE.header, name, PRIVATE[name]).by_subset[subset] for name in subset}
    bad = bytearray(mine[subset[who]])
    bad[place] ^= by
    with pytest.raises(DidNotVerify) as caught:
        combine(ONE.header, subset, {**mine, subset[who]: bytes(bad)})
    assert caught.value.details["custodian"] == subset[who]


RECIPIENT = X25519PrivateKey.from_private_bytes(b"r" * 32)
BUNDLE = reseal(
    Terms(Kind.RELEASE, b"q" * 32, b"c" * 32, RECIPIENT.public_key().public_bytes_raw(), "a"),
    [unwrap_shares(ONE.header, "a", PRIVATE["a"])],
)


@given(st.integers(0, len(BUNDLE.encoded) - 1), st.integers(1, 255))
@settings(deadline=None, max_examples=tries(300))
def test_any_byte_of_a_bundle_that_is_changed_is_noticed(place: int, by: int) -> None:
    data = BUNDLE.encoded[:place] + bytes([BUNDLE.encoded[place] ^ by]) + BUNDLE.encoded[place + 1 :]
    with pytest.raises((BadInput, DidNotVerify)):
        open_bundle(
            Bundle.parse(data),
            RECIPIENT,
            {ONE.header.segment: ONE.header},
            kind=Kind.RELEASE,
            request=b"q" * 32,
            charter=b"c" * 32,
        )
