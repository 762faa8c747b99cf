from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from a_release import CASE_KEY, HEADERS, SEGMENTS
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from three_custodians import CHARTER, PLAIN, PRIVATE, sealed, shares_of

from watchglass.core import canonical
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.custody import Bundle, Kind, Terms, open_bundle, reseal
from watchglass.evidence.envelope import open_sealed
from watchglass.evidence.shares import Shares, recover, unwrap_shares

REQUEST = b"r" * 32
RECIPIENT = CASE_KEY.public_key().public_bytes_raw()


def terms(custodian: str = "dpo", **changed: Any) -> Terms:
    return dataclasses.replace(Terms(Kind.RELEASE, REQUEST, CHARTER, RECIPIENT, custodian), **changed)


def bundle(custodian: str = "dpo", **changed: Any) -> Bundle:
    shares = [unwrap_shares(header, custodian, PRIVATE[custodian]) for header in HEADERS.values()]
    return reseal(terms(custodian, **changed), shares)


def opened(given: Bundle, key: X25519PrivateKey = CASE_KEY, **changed: Any) -> dict[str, Shares]:
    expected: dict[str, Any] = {"kind": Kind.RELEASE, "request": REQUEST, "charter": CHARTER, **changed}
    return open_bundle(given, key, HEADERS, **expected)


def refused(given: Bundle, field: str, key: X25519PrivateKey = CASE_KEY, **changed: Any) -> str:
    with pytest.raises(DidNotVerify) as caught:
        opened(given, key, **changed)
    assert caught.value.details["custodian"] == given.terms.custodian
    assert caught.value.details["field"] == field
    return caught.value.message


def test_two_bundles_open_every_segment_on_the_requesters_machine() -> None:
    given = [opened(Bundle.parse(bundle(name).encoded)) for name in ("dpo", "oversight")]
    for name, one in SEGMENTS.items():
        assert open_sealed(one.data, recover(one.header, [each[name] for each in given])) == PLAIN


def test_one_bundle_alone_opens_nothing() -> None:
    given = opened(bundle())
    with pytest.raises(BadInput, match="missing is"):
        recover(sealed(1).header, [given[sealed(1).header.segment]])


def test_a_bundle_for_another_request_charter_key_or_end_is_refused() -> None:
    assert "another request" in refused(bundle(request=b"x" * 32), "request")
    assert "another charter" in refused(bundle(charter=b"x" * 32), "charter")
    other = X25519PrivateKey.from_private_bytes(b"o" * 32)
    assert "another key" in refused(bundle(), "recipient", other)
    assert "another key" in refused(bundle(recipient=other.public_key().public_bytes_raw()), "recipient")
    assert "something else" in refused(bundle(kind=Kind.HOLD), "kind")


@pytest.mark.parametrize("name", ["request", "charter", "kind", "custodian"])
def test_what_a_bundle_was_given_for_cannot_be_changed_afterwards(name: str) -> None:
    """Its terms are text that anybody can rewrite; HPKE's info is what holds them."""
    to: Any = {"kind": Kind.HOLD, "custodian": "oversight"}.get(name, b"x" * 32)
    forged = Bundle(dataclasses.replace(terms(), **{name: to}), bundle().segments)
    expected = {} if name == "custodian" else {name: to}
    assert "another request, key or segment" in refused(forged, "sealed", **expected)


def test_shares_in_a_bundle_cannot_be_moved_between_segments_or_replayed() -> None:
    good = bundle()
    first, second, third = good.segments
    swapped = Bundle(
        good.terms,
        (dataclasses.replace(first, sealed=second.sealed), dataclasses.replace(second, sealed=first.sealed), third),
    )
    assert "another request, key or segment" in refused(swapped, "sealed")
    elsewhere = Bundle(good.terms, (dataclasses.replace(first, context=second.context), second, third))
    assert "another segment than" in refused(elsewhere, "context")
    changed = Bundle(good.terms, (dataclasses.replace(first, sealed=first.sealed[:-1] + b"\0"), second, third))
    assert refused(changed, "sealed")
    short = Bundle(good.terms, (dataclasses.replace(first, sealed=b""), second, third))
    assert refused(short, "sealed")


def test_a_custodian_who_hands_on_other_shares_is_named() -> None:
    header = sealed(1).header
    honest = shares_of(sealed(1), "dpo")[0]
    lie = dataclasses.replace(honest, by_subset={subset: bytes(32) for subset in honest.by_subset})
    with pytest.raises(DidNotVerify, match="share of dpo") as caught:
        opened(reseal(terms(), [lie]))
    assert (caught.value.details["custodian"], caught.value.details["segment"]) == ("dpo", header.segment)
    fewer = dataclasses.replace(honest, by_subset=dict(list(honest.by_subset.items())[:1]))
    with pytest.raises(DidNotVerify, match="not their shares"):
        opened(reseal(terms(), [fewer]))


def test_a_bundle_of_a_segment_that_is_not_here_says_so() -> None:
    with pytest.raises(BadInput, match="which is not here") as caught:
        opened(reseal(terms(), shares_of(sealed(7), "dpo")))
    assert caught.value.details["segment"] == sealed(7).header.segment


def test_nobody_hands_on_anothers_shares_and_nothing_goes_to_an_improper_key() -> None:
    with pytest.raises(BadInput, match="oversight's, not dpo's"):
        reseal(terms(), shares_of(sealed(1), "oversight"))
    with pytest.raises(BadInput, match="not a proper X25519 key"):
        reseal(terms(recipient=bytes(32)), shares_of(sealed(1), "dpo"))
    with pytest.raises(BadInput, match="32 bytes"):
        terms(recipient=b"short")


def test_what_is_held_opens_after_the_months_key_died() -> None:
    """Each custodian seals their own shares to a hold key of their own; with these a later release works the same."""
    release = []
    for name in ("dpo", "oversight"):
        hold = X25519PrivateKey.from_private_bytes(sha256(name.encode()))
        held = bundle(name, kind=Kind.HOLD, recipient=hold.public_key().public_bytes_raw())
        kept = open_bundle(held, hold, HEADERS, kind=Kind.HOLD, request=REQUEST, charter=CHARTER)
        release.append(opened(reseal(terms(name), kept.values())))
    for name, one in SEGMENTS.items():
        assert open_sealed(one.data, recover(one.header, [each[name] for each in release])) == PLAIN


def test_a_bundle_is_parsed_strictly_and_its_hash_is_of_its_bytes() -> None:
    good = bundle()
    assert Bundle.parse(good.encoded) == good
    assert good.sha256 == sha256(good.encoded)
    value = json.loads(good.encoded)
    bad: list[Any] = [
        {**value, "watchglass_bundle": 2},
        {**value, "more": 1},
        {name: each for name, each in value.items() if name != "charter"},
        {**value, "kind": "loan"},
        {**value, "request": "x"},
        {**value, "custodian": "a b"},
        {**value, "segments": value["segments"][::-1]},
        {**value, "segments": value["segments"][:1] * 2},
        {**value, "segments": [{**value["segments"][0], "more": 1}]},
        [],
    ]
    for each in bad:
        with pytest.raises(BadInput):
            Bundle.parse(canonical.encode(each) + b"\n")
    for data in (b"", b"\n", good.encoded[:-1], good.encoded + b"\n", b" " + good.encoded):
        with pytest.raises(BadInput):
            Bundle.parse(data)
