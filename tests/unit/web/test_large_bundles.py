"""How large what is handed in may be: bundles of shares more than anything else, and not more than fits in one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from a_portal import Portal, make_portal
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.core.errors import BadInput
from watchglass.evidence.custody import LARGEST_BUNDLE, MOST_SEGMENTS, Bundle, Kind, Resealed, Terms, reseal
from watchglass.evidence.shares import Shares
from watchglass.web.portal.routes import LARGEST_BUNDLE_BODY, MAX_BODY, RULES

RECIPIENT = X25519PrivateKey.from_private_bytes(b"r" * 32).public_key().public_bytes_raw()


def terms(kind: Kind = Kind.RELEASE) -> Terms:
    return Terms(kind, b"q" * 32, b"c" * 32, RECIPIENT, "dpo")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("large"))
    yield made
    made.street.house.close()


def test_only_bundles_and_logs_of_others_may_be_large() -> None:
    """Anybody may send a bundle; a log that others keep takes somebody who is signed in."""
    assert [rule.path for rule in RULES if rule.largest != MAX_BODY] == ["/api/v1/bundles", "/reports"]


def test_a_large_bundle_is_read_and_one_that_is_too_large_is_not(portal: Portal) -> None:
    someone, body = portal.someone(), b"x" * (MAX_BODY + 1)
    assert someone.send("POST", "/api/v1/bundles", content=body).json()["error"] == "BadInput"  # it was read
    refused = someone.send("POST", "/api/v1/signed-acts", content=body).json()
    assert (refused["error"], refused["message"][:24]) == ("TooLarge", "This is more than 256 kB")

    async def bit_by_bit() -> AsyncIterator[bytes]:  # no content-length
        for _ in range(20):
            yield b"x" * (LARGEST_BUNDLE_BODY // 10)

    for large in (b"x" * (LARGEST_BUNDLE_BODY + 1), bit_by_bit()):
        refused = someone.send("POST", "/api/v1/bundles", content=large).json()
        assert (refused["error"], refused["message"][:26]) == ("TooLarge", "This is more than 8,448 kB")


def bundle(segments: int, shares: int) -> Bundle:
    """As many bytes as so many segments with so many shares of one custodian take."""
    sealed = bytes(48 + 32 * shares)
    return Bundle(terms(), tuple(Resealed(f"{number:016x}", b"c" * 32, sealed) for number in range(segments)))


@pytest.mark.parametrize(("segments", "shares"), [(3_600, 32), (8_640, 2)])
def test_what_a_charter_can_ask_for_fits(segments: int, shares: int) -> None:
    """An hour in pieces of a second with all the shares that a charter may ask for; a day in pieces of ten, 2 of 3."""
    assert len(bundle(segments, shares).encoded) <= LARGEST_BUNDLE


def some(count: int, each: int) -> list[Shares]:
    by_subset = {(f"c{number}", "dpo"): bytes(32) for number in range(each)}
    return [Shares(f"{number:016x}", b"c" * 32, "dpo", by_subset) for number in range(count)]


@pytest.mark.parametrize(("count", "each"), [(MOST_SEGMENTS + 1, 1), (50, 4_096)])
def test_what_does_not_fit_is_refused_before_anything_is_signed(count: int, each: int) -> None:
    with pytest.raises(BadInput, match="nothing was signed") as caught:
        reseal(terms(), some(count, each))
    assert "ask again for less at a time" in caught.value.fix
    with pytest.raises(BadInput) as caught:
        reseal(terms(Kind.HOLD), some(count, each))
    assert "order shorter holds" in caught.value.fix


def test_what_fits_is_read_back(tmp_path: Path) -> None:
    made = reseal(terms(), some(3, 40))
    assert Bundle.parse(made.encoded) == made
    with pytest.raises(BadInput, match="too large"):
        Bundle.parse(b" " * (LARGEST_BUNDLE + 1))
