"""A portal that lies to those who sign: each lie is named by the client, and nothing is handed on or opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guarded import enrol
from signers_world import Signers, served, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock, custody, seeking
from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import HOUR, SECOND
from watchglass.evidence.custody import Bundle
from watchglass.evidence.header import read_header
from watchglass.ledger.keys import SignerKey
from watchglass.records.statement import SignedStatement
from world import NOON

Lie = Callable[[str, dict[str, Any]], None]
"""Given what was asked for (``standing``, ``inbox``, …) and the answer, which it changes."""


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path, clock=VirtualClock(NOON)) as made:
        made.film()
        yield made


@contextmanager
def lying(people: Signers, lie: Lie, *, octets: Callable[[bytes], bytes] = lambda data: data) -> Iterator[str]:
    """The real portal behind one that changes what it answers.

    Args:
        octets: changes the bytes of sealed segments.
    """
    client = httpx.Client(base_url=people.url, timeout=30)

    def forward(request: Request, body: bytes) -> Response:
        answer = client.request(request.method, request.url.path, content=body, headers={"accept": "application/json"})
        data = answer.content
        if "json" in answer.headers.get("content-type", "") and answer.is_success:
            value = answer.json()
            what = json.loads(body).get("what", "act") if body else request.url.path.rpartition("/")[2]
            lie(what, value)
            data = json.dumps(value).encode()
        elif request.url.path == "/api/v1/segments":
            data = octets(data)
        return Response(data, answer.status_code, media_type=answer.headers.get("content-type"))

    async def anything(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(forward, request, body)

    app = Starlette(routes=[Route("/{path:path}", anything, methods=["GET", "POST"])])
    try:
        with served(app) as url:
            yield url
    finally:
        client.close()


def _statement(value: dict[str, Any]) -> SignedStatement:
    return SignedStatement.parse(canonical.encode(value))


def _json(statement: SignedStatement) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(statement.encode())
    return value


# ---- to a custodian --------------------------------------------------------------------------------------------------


def _another_case_key(people: Signers) -> Lie:
    """The request is signed for the true key; the portal's case names the attacker's."""
    key = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            value["requests"][0]["case"]["statement"]["opening"]["fields"]["case_key"]["value"] = key

    return lie


def _another_recipient(people: Signers) -> Lie:
    key = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            value["requests"][0]["statement"]["opening"]["fields"]["recipient"]["value"] = key

    return lie


def _a_wider_scope(people: Signers) -> Lie:
    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            value["requests"][0]["statement"]["opening"]["fields"]["from_ms"]["value"] -= 10 * SECOND

    return lie


def _another_requester(people: Signers) -> Lie:
    """The same request, signed by somebody whom oversight never enrolled."""
    stranger = SignerKey.generate("stranger.example", SeededEntropy("stranger"))

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            before = _statement(value["requests"][0]["statement"])
            again = people.scene.sign(
                "release_requested", "investigator", before.values, key=stranger, purpose=before.leaf.purpose
            )
            value["requests"][0]["statement"] = _json(again)

    return lie


def _an_enrolled_forger(people: Signers) -> Lie:
    """The same request for another key, signed by an enrolled colleague: yet the log holds another record."""
    other = SignerKey.generate("other.example", SeededEntropy("other"))
    enrol(people.scene.world, "investigator", "Otto Other", other)
    people.settle()
    key = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            before = _statement(value["requests"][0]["statement"])
            again = people.scene.sign(
                "release_requested", "investigator", {**before.values, "recipient": key}, key=other,
                purpose=before.leaf.purpose,
            )  # fmt: skip
            value["requests"][0]["statement"] = _json(again)

    return lie


def _another_charter(people: Signers) -> Lie:
    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "standing":
            value["charter"]["sha256"] = b64(bytes(32))

    return lie


def _another_custodian(people: Signers) -> Lie:
    stranger = SignerKey.generate("dpo.example", SeededEntropy("stranger"))

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "standing":
            value["guard"]["custodians"]["dpo"] = str(stranger.verifier)

    return lie


def _another_sealing_key(people: Signers) -> Lie:
    key = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "standing":
            value["guard"]["sealing_keys"][0]["key"] = key

    return lie


def _another_id(people: Signers) -> Lie:
    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            value["requests"][0]["id"] = "0" * 16

    return lie


def _no_case(people: Signers) -> Lie:
    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "inbox":
            value["requests"][0]["case"] = None

    return lie


def _another_origin(people: Signers) -> Lie:
    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "standing":
            value["origin"] = "demo.other.example"

    return lie


LIES: dict[str, tuple[Callable[[Signers], Lie], str]] = {
    "another case key": (_another_case_key, "'case_key'"),
    "another recipient": (_another_recipient, "'recipient'"),
    "a wider scope": (_a_wider_scope, "'from_ms'"),
    "another requester": (_another_requester, "stranger.example for no investigator"),
    "an enrolled forger": (_an_enrolled_forger, "another record than the one that was shown as the request"),
    "another charter": (_another_charter, "shows another charter"),
    "another custodian": (_another_custodian, "another key for the custodian dpo"),
    "another sealing key": (_another_sealing_key, "another sealing key of control-room"),
    "another id": (_another_id, "No request|another id"),
    "no case": (_no_case, "shows no case"),
    "another origin": (_another_origin, "is of the log demo.other.example"),
}


@pytest.mark.parametrize("why", LIES)
def test_a_custodian_hands_nothing_on_and_hears_what_differs(people: Signers, why: str) -> None:
    make, words = LIES[why]
    people.adopt("dpo")
    number = people.request()
    with lying(people, make(people)) as url:
        with pytest.raises(WatchglassError, match=words) as caught:
            custody.approve(people.office("dpo", url), number)
        assert isinstance(caught.value, DidNotVerify | Problem)
        assert caught.value.fix
    people.settle()
    assert people.scene.world.records("release_approved") == []
    custody.approve(people.office("dpo"), number)  # the same machine and request, by an honest portal
    people.settle()
    assert len(people.scene.world.records("release_approved")) == 1


def test_what_does_not_verify_stands_in_the_inbox_as_such(people: Signers) -> None:
    people.adopt("dpo")
    people.request()
    with lying(people, _a_wider_scope(people)) as url:
        (shown,) = custody.inbox(people.office("dpo", url))["requests"]
    assert not shown["verified"]
    assert "from_ms" in shown["problem"]
    assert "consequences" not in shown


def test_segments_that_were_not_asked_for_are_not_sealed_anew(people: Signers) -> None:
    people.adopt("dpo")
    number = people.request(from_ms=people.scene.now - 9 * SECOND)
    reader = people.scene.world.house.store.read()
    first = reader.all("SELECT * FROM segment ORDER BY from_ms")[0]

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "segments":
            header, leaf = b64(bytes(first["header"])), b64(bytes(first["leaf_hash"]))
            value["segments"].append({"id": first["id"], "header": header, "leaf_hash": leaf, "opened": None})

    with lying(people, lie) as url, pytest.raises(BadInput, match="which was not asked for"):
        custody.approve(people.office("dpo", url), number)

    def swapped(what: str, value: dict[str, Any]) -> None:
        if what == "segments":
            value["segments"][0]["leaf_hash"] = b64(bytes(first["leaf_hash"]))

    with lying(people, swapped) as url, pytest.raises(DidNotVerify, match="not the one that the leaf committed to"):
        custody.approve(people.office("dpo", url), number)


def test_a_clock_that_was_set_back_is_named(people: Signers) -> None:
    people.adopt("dpo")
    number = people.request()
    office = people.office("dpo")
    office.clock = VirtualClock(people.scene.now - HOUR)
    with pytest.raises(DidNotVerify, match="its clock was set back"):
        custody.approve(office, number)


def test_a_log_that_no_witness_cosigned_or_that_was_rewritten_is_not_accepted(people: Signers, tmp_path: Path) -> None:
    people.adopt("dpo")
    number = people.request()
    custody.inbox(people.office("dpo"))
    seen = people.machine("dpo") / "trust.seen"
    assert people.scene.world.house.origin.encode() in seen.read_bytes()
    assert (people.machine("dpo") / "trust.oversight").read_text().strip() == str(
        people.scene.world.keys["oversight"].verifier
    )
    (people.machine("dpo") / "trust.oversight").write_text(f"{people.scene.keys['dpo'].verifier}\n")
    with pytest.raises(DidNotVerify, match="remembers"):
        custody.approve(people.office("dpo"), number)


def test_somebody_who_is_no_custodian_is_told_so(people: Signers) -> None:
    with pytest.raises(Refused, match="for no custodian"):
        custody.inbox(people.office("investigator"))


def test_a_receipt_of_another_log_is_not_taken(people: Signers) -> None:
    def lie(what: str, value: dict[str, Any]) -> None:
        if "receipt" in value:
            value["leaf"] = value["leaf"].replace("case_opened", "case_closed")

    with lying(people, lie) as url, pytest.raises(WatchglassError):
        seeking.open_case(
            people.office("investigator", url), purpose=people.scene.purpose, number="1", authority="2", reason="3",
            until_ms=people.scene.now + HOUR,
        )  # fmt: skip


# ---- to an investigator ----------------------------------------------------------------------------------------------


def _opened(people: Signers, number: str, lie: Lie, **more: Any) -> list[seeking.Piece]:
    with lying(people, lie, **more) as url:
        office = people.office("investigator", url)
        return list(seeking.opened(office, seeking.release(office, number)))


def _two_taken(people: Signers) -> tuple[str, str]:
    """Two releases of the same case key's owner, both taken."""
    first, second = people.taken(), people.request()
    for name in ("oversight", "dpo"):
        custody.approve(people.office(name), second)
    people.settle()
    seeking.take(people.office("investigator"), second)
    people.settle()
    return first, second


def test_an_approval_that_is_replayed_or_swapped_opens_nothing(people: Signers) -> None:
    first, second = _two_taken(people)
    old = people.office("investigator").ask("release", first)["approvals"]

    def replayed(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            value["approvals"] = old

    with pytest.raises(DidNotVerify, match="is not of this request"):
        _opened(people, second, replayed)

    def only_bundles(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            for row, before in zip(value["approvals"], old, strict=True):
                row["bundle"] = before["bundle"]

    with pytest.raises(DidNotVerify, match="bundle_sha256"):
        _opened(people, second, only_bundles)


def test_a_release_from_which_something_is_missing_or_that_is_another_opens_nothing(people: Signers) -> None:
    first, second = _two_taken(people)

    def one_less(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            value["approvals"].pop()

    with pytest.raises(DidNotVerify, match="leaves out an approval"):
        _opened(people, second, one_less)

    def another(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            value["request"] = people.office("investigator").ask("release", first)["request"]

    with pytest.raises(DidNotVerify, match="another request than the one that was signed on this machine"):
        _opened(people, second, another)
    assert len(_opened(people, second, lambda _what, _value: None)) == 3


@pytest.mark.parametrize("cut", ["short", "long", "flipped", "another"])
def test_a_segment_that_was_cut_or_changed_is_not_opened(people: Signers, cut: str) -> None:
    number = people.taken()

    def octets(data: bytes) -> bytes:
        match cut:
            case "short":
                return data[:-1]
            case "long":
                return data + b"\0"
            case "flipped":
                return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]
        stored = people.scene.world.house.store.read().all("SELECT header, path FROM segment ORDER BY from_ms DESC")
        path = people.scene.world.layout.sealed / f"{stored[0]['path']}"
        found = next(path.parent.glob(f"{stored[0]['path']}*"))
        return bytes(stored[0]["header"]) + found.read_bytes()

    with pytest.raises(DidNotVerify, match="as it was recorded: a byte of it was changed"):
        _opened(people, number, lambda _what, _value: None, octets=octets)


def test_a_bundle_whose_shares_are_wrong_names_the_custodian(people: Signers) -> None:
    number = people.taken()

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            rows = value["segments"]
            rows[0]["header"], rows[1]["header"] = rows[1]["header"], rows[0]["header"]

    with pytest.raises(DidNotVerify, match=r"under another id|another"):
        _opened(people, number, lie)
    answer = people.office("investigator").ask("release", number)
    bundle = Bundle.parse(unb64(answer["approvals"][0]["bundle"]))
    assert {each.segment for each in bundle.segments} == {
        read_header(unb64(row["header"])).segment for row in answer["segments"]
    }
