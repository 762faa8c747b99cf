"""A desk lets in one browser of this machine, once, and only its own pages may do anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from signers_world import Signers, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock
from watchglass.core.errors import BadInput, Problem
from watchglass.web.desk.app import Desk
from watchglass.web.desk.theatre import MOST_BYTES, Shown, Theatre, ranged
from watchglass.web.desk.wall import CSP, LARGEST_BODY, Session
from world import NOON

PORT = 8601
BASE = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path / "place", clock=VirtualClock(NOON)) as made:
        yield made


@pytest.fixture
def desk(people: Signers, tmp_path: Path) -> Desk:
    people.adopt("dpo")
    return Desk(people.office("dpo"), Session.fresh(PORT, SeededEntropy("desk")), exports=tmp_path / "exports")


class Browser:
    """A browser that keeps cookies."""

    def __init__(self, desk: Desk, base: str) -> None:
        transport = httpx.ASGITransport(desk.app(), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=base)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.client.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.client.post(path, **more))


def browser(desk: Desk, base: str = BASE) -> Browser:
    return Browser(desk, base)


def inside(desk: Desk) -> Browser:
    """A browser that came in by the printed address."""
    client = browser(desk)
    assert client.get("/", params={"token": desk.session.token}).status_code == 303
    return client


OURS = {"origin": BASE, "sec-fetch-site": "same-origin"}


def test_the_printed_address_works_once_and_gives_a_strict_cookie(desk: Desk) -> None:
    token = desk.session.token
    assert browser(desk).get("/").status_code == 403
    assert browser(desk).get("/", params={"token": "0" * 64}).status_code == 403
    client = browser(desk)
    answer = client.get("/", params={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token not in answer.headers["set-cookie"]
    assert client.get("/").status_code == 200
    assert browser(desk).get("/", params={"token": token}).status_code == 403
    other = browser(desk)
    other.client.cookies.set(desk.session.cookie, "0" * 64)
    assert other.get("/").status_code == 403


@pytest.mark.parametrize(
    "base", ["http://evil.example:8601", "http://127.0.0.1", "http://127.0.0.1:8602", "http://192.168.1.7:8601"]
)
def test_it_answers_to_no_other_name(desk: Desk, base: str) -> None:
    client = browser(desk, base)
    assert client.get("/", params={"token": desk.session.token}).status_code == 403
    assert client.get("/static/desk.css").status_code == 403
    assert desk.session.token  # it was not used up either


def test_every_answer_forbids_scripts_frames_and_keeping(desk: Desk) -> None:
    client = inside(desk)
    for path in ("/", "/keys", "/nowhere", "/static/desk.css", "/requests/0000000000000000"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in CSP
    assert "script" not in CSP  # so `default-src 'none'` holds for them
    assert client.get("/static/../app.py").status_code == 404


def test_only_our_own_forms_do_anything(people: Signers, desk: Desk) -> None:
    client, csrf = inside(desk), desk.session.csrf
    before = people.scene.world.state()
    month = {"month": "2026-12"}
    for headers, fields in (
        ({}, {"csrf": csrf, **month}),
        ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, {"csrf": csrf, **month}),
        ({"origin": BASE, "sec-fetch-site": "same-site"}, {"csrf": csrf, **month}),
        ({"origin": "http://127.0.0.1:9999"}, {"csrf": csrf, **month}),
        (OURS, month),
        (OURS, {"csrf": "0" * 64, **month}),
    ):
        assert client.post("/keys/publish", data=fields, headers=headers).status_code == 403
    big = client.post("/keys/publish", data={"csrf": csrf, "month": "x" * LARGEST_BODY}, headers=OURS)
    assert big.status_code == 400
    assert browser(desk).post("/keys/publish", data={"csrf": csrf, **month}, headers=OURS).status_code == 403
    assert people.scene.world.state() == before
    done = client.post("/keys/publish", data={"csrf": csrf, **month}, headers=OURS)
    assert done.status_code == 303
    assert "Your key is published" in client.get(done.headers["location"]).text


def test_what_goes_wrong_is_said_with_what_to_do(people: Signers, desk: Desk) -> None:
    client, csrf = inside(desk), desk.session.csrf
    number = people.request_of_film()
    refused = client.post(f"/requests/{number}/refuse", data={"csrf": csrf, "reason": " "}, headers=OURS)
    assert (refused.status_code, "why you refuse" in refused.text) == (400, True)
    seen = {"csrf": csrf, "seen": "A" * 43 + "="}
    other = client.post(f"/requests/{number}/approve", data=seen, headers=OURS)
    assert (other.status_code, "another request now" in other.text) == (409, True)
    assert client.get("/cases").status_code == 403
    page = client.get("/cases").text
    assert "may not read" in page
    assert client.get("/nowhere").status_code == 404
    gone = client.post("/keys/2026-10/destroy", data={"csrf": csrf, "month": "2026-11"}, headers=OURS)
    assert (gone.status_code, "nothing was done" in gone.text) == (400, True)


def test_a_hostile_request_is_shown_as_text(people: Signers, desk: Desk) -> None:
    nasty = "<script>alert(1)</script>\"'>"
    number = people.request_of_film(reason=nasty)
    page = inside(desk).get(f"/requests/{number}").text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_is_opened_is_held_in_memory_and_let_go() -> None:
    theatre = Theatre()
    theatre.show("a", Shown(b"0123456789", {}))
    assert theatre.open_now() == ["a"]
    with pytest.raises(BadInput, match="gigabyte"):
        theatre.show("b", Shown(_Large(), {}))
    theatre.close("a")
    theatre.close("a")
    with pytest.raises(Problem, match="not open"):
        theatre.get("a")


class _Large(bytes):
    def __len__(self) -> int:
        return MOST_BYTES


@pytest.mark.parametrize(
    ("asked", "status", "body", "told"),
    [
        (None, 200, b"0123456789", None),
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
    ],
)
def test_a_player_may_ask_for_a_part(asked: str | None, status: int, body: bytes, told: str | None) -> None:
    answer = ranged(b"0123456789", asked)
    assert (answer.status_code, bytes(answer.body)) == (status, body)
    assert answer.headers.get("content-range") == told
