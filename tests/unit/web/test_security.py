"""The wall and the guard, the sessions and the sign-in, through the real application."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import DATA, OURS, PASSWORD, Portal, make_portal

from watchglass.access.roles import Role
from watchglass.acts.accounts import change_roles, close_account
from watchglass.core.digest import sha256
from watchglass.core.time import HOUR, MINUTE
from watchglass.web.portal import session
from watchglass.web.portal.security import CSP, MAX_BODY, Address, client, local_path
from watchglass.web.portal.session import ABSOLUTE, IDLE


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("security"))
    yield made
    made.street.house.close()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = make_portal(tmp_path)
    yield made
    made.street.house.close()


# ---- the wall ------------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_headers(shared: Portal) -> None:
    for path in ("/", "/review", "/nope", "/static/staff.css", "/login", "/index.json"):
        headers = shared.someone().get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert "strict-transport-security" not in headers
    assert "'unsafe-inline'" not in CSP
    assert CSP.startswith("default-src 'none'")


def test_only_staff_pages_forbid_every_cache(shared: Portal) -> None:
    reviewer = shared.person("reviewer")
    assert reviewer.get("/review").headers["cache-control"] == "no-store"
    assert reviewer.get("/review/alerts/x/still.png").headers["cache-control"] == "no-store"
    assert shared.someone().get("/login").headers["cache-control"] == "no-store"
    assert shared.someone().get("/").headers["cache-control"] == "no-cache"
    assert "immutable" in shared.someone().get("/static/staff.css?v=1").headers["cache-control"]


def test_another_host_name_is_refused_against_dns_rebinding(shared: Portal) -> None:
    assert shared.someone("http://evil.example").get("/").status_code == 403
    assert shared.someone("http://localhost.evil.example:8600").get("/").status_code == 403
    assert shared.someone("http://127.0.0.1:8600").get("/").status_code == 200
    assert shared.someone("http://[::1]:8600").get("/").status_code == 200


def test_https_brings_hsts_and_a_cookie_that_is_bound_to_the_host(tmp_path: Path) -> None:
    portal = make_portal(tmp_path, address=Address(frozenset({"portal.example"}), https=True))
    visitor = portal.someone("https://portal.example")
    answer = visitor.send(
        "POST",
        "/login",
        data={"name": "clerk", "password": PASSWORD},
        headers={"origin": "https://portal.example"},
    )
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert cookie.startswith("__Host-watchglass=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    portal.street.house.close()


def test_a_body_that_is_too_large_is_refused_whatever_its_header_says(shared: Portal) -> None:
    big = b"x" * (MAX_BODY + 1)
    whole = shared.someone().send("POST", "/api/v1/signed-acts", content=big)
    assert (whole.status_code, whole.json()["error"]) == (413, "TooLarge")

    async def bit_by_bit():  # no content-length
        for _ in range(20):
            yield b"x" * (MAX_BODY // 10)

    chunked = shared.someone().send("POST", "/api/v1/signed-acts", content=bit_by_bit())
    assert (chunked.status_code, chunked.json()["error"]) == (413, "TooLarge")


def test_a_fault_shows_a_number_and_keeps_the_details_in_the_log(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("the secret detail")

    reviewer = portal.person("reviewer")
    monkeypatch.setattr(portal.street.house.clock, "now", broken, raising=False)
    monkeypatch.setattr(type(portal.street.house.store), "read", lambda _self: broken())
    page = reviewer.get("/")  # whose frame cannot be drawn either
    assert page.status_code == 500
    assert page.text.startswith("Something went wrong")
    assert "secret detail" not in page.text
    answer = reviewer.get("/api/v1/standing")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.json()["number"] in caplog.text
    assert "the secret detail" in caplog.text


def test_head_is_get_without_the_body(shared: Portal) -> None:
    answer = shared.someone().send("HEAD", "/healthz")
    assert (answer.status_code, answer.content) == (200, b"")
    assert shared.person("reviewer").send("HEAD", "/review/events").status_code in {404, 405}


def test_static_files_stay_in_their_folder(shared: Portal) -> None:
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
    ):
        assert shared.someone().get(path).status_code == 404, path


def test_addresses_count_by_household() -> None:
    assert client({"client": ("192.0.2.7", 1)}) == "192.0.2.7"
    assert client({"client": ("2001:db8::1", 1)}) == client({"client": ("2001:db8::ffff", 1)})
    assert client({"client": ("2001:db8:0:1::1", 1)}) != client({"client": ("2001:db8::1", 1)})
    assert client({"client": None}) == "-"


def test_signing_in_sends_nobody_elsewhere() -> None:
    assert local_path("/review?x=1") == "/review?x=1"
    for text in ("//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb", "javascript:1"):
        assert local_path(text) == "/", text


# ---- the guard -----------------------------------------------------------------------------------------------------


def test_no_cookie_before_signing_in(shared: Portal) -> None:
    visitor = shared.someone()
    for path in ("/", "/login", "/charter", "/ledger", "/review"):
        assert "set-cookie" not in visitor.get(path).headers
    assert visitor.sign_in("reviewer", "wrong words entirely").status_code == 401
    assert not visitor.client.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "https://localhost"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://localhost"},
        {"sec-fetch-site": "none", "origin": "http://localhost"},
    ],
)
def test_other_sites_cannot_post_not_even_a_sign_in(shared: Portal, headers: dict[str, str]) -> None:
    reviewer = shared.person("reviewer")
    sent = {"csrf": reviewer.csrf, "name": "clerk", "password": PASSWORD}
    for path in ("/login", "/account", "/logout"):
        answer = reviewer.send("POST", path, data=sent, headers={**DATA, **headers})
        assert (answer.status_code, answer.json()["error"]) == (403, "Unacceptable"), path


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(shared: Portal) -> None:
    answer = shared.someone().send(
        "POST", "/login", data={"name": "clerk", "password": PASSWORD}, headers={"origin": "http://localhost"}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "ä"])
def test_a_form_without_the_sessions_token_does_nothing(shared: Portal, token: str) -> None:
    reviewer = shared.person("reviewer")
    answer = reviewer.send("POST", "/logout", data={"csrf": token}, headers={**DATA, **OURS})
    assert (answer.status_code, answer.json()["error"]) == (403, "Unacceptable")
    assert reviewer.get("/review").status_code == 200


def test_another_sessions_token_is_worth_nothing(shared: Portal) -> None:
    reviewer, responder = shared.person("reviewer"), shared.person("responder")
    answer = reviewer.send("POST", "/logout", data={"csrf": responder.csrf}, headers={**DATA, **OURS})
    assert answer.status_code == 403


def test_a_token_in_a_body_of_another_kind_does_not_count(shared: Portal) -> None:
    reviewer = shared.person("reviewer")
    body = f"csrf={reviewer.csrf}".encode()
    answer = reviewer.send("POST", "/logout", content=body, headers={**DATA, **OURS, "content-type": "text/plain"})
    assert answer.status_code == 403
    assert reviewer.get("/review").status_code == 200


def test_strangers_are_shown_the_way_in_and_programs_are_told(shared: Portal) -> None:
    visitor = shared.someone()
    page = visitor.get("/review?x=1")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/review%3Fx%3D1")
    data = visitor.get("/review.json")
    assert (data.status_code, data.json()["error"]) == (401, "NotSignedIn")
    assert visitor.get("/review/events").status_code == 401
    assert visitor.post("/review/alerts/x/verdict").status_code == 401


# ---- sessions ------------------------------------------------------------------------------------------------------


def test_the_database_holds_the_tokens_hash_and_never_the_token(portal: Portal) -> None:
    reviewer = portal.person("reviewer")
    token = reviewer.client.cookies["watchglass"]
    assert len(token) >= 43  # 256 bits in base64
    rows = portal.street.house.store.read().all("SELECT * FROM session")
    assert [bytes(row["token_hash"]) for row in rows] == [sha256(token.encode())]
    files = [file for file in portal.street.house.layout.root.rglob("*") if file.is_file()]
    assert not any(token.encode() in file.read_bytes() for file in files)


def test_each_sign_in_gets_a_fresh_token_and_ends_the_one_before(portal: Portal) -> None:
    browser = portal.someone()
    browser.sign_in("reviewer")
    first = browser.client.cookies["watchglass"]
    browser.sign_in("reviewer")
    assert browser.client.cookies["watchglass"] != first
    thief = portal.someone()
    thief.client.cookies.set("watchglass", first)
    assert thief.get("/review.json").status_code == 401


def test_an_idle_session_ends_and_a_used_one_lasts_its_shift(portal: Portal) -> None:
    browser, clock = portal.person("reviewer"), portal.street.clock
    for _ in range(ABSOLUTE // (IDLE - MINUTE) - 1):
        clock.advance(IDLE - MINUTE)
        assert browser.get("/review.json").status_code == 200
    clock.advance(ABSOLUTE)
    assert browser.get("/review.json").status_code == 401
    fresh = portal.someone()
    fresh.sign_in("reviewer")
    clock.advance(IDLE + MINUTE)
    assert fresh.get("/review.json").status_code == 401


def test_a_used_session_ends_after_its_shift_too(portal: Portal) -> None:
    browser, clock = portal.person("reviewer"), portal.street.clock
    for _ in range(ABSOLUTE // (HOUR // 2)):
        assert browser.get("/review.json").status_code == 200
        clock.advance(HOUR // 2)
    assert browser.get("/review.json").status_code == 401


def test_signing_out_ends_the_session_on_the_server(portal: Portal) -> None:
    browser = portal.person("reviewer")
    token = browser.client.cookies["watchglass"]
    assert browser.post("/logout").status_code == 303
    thief = portal.someone()
    thief.client.cookies.set("watchglass", token)
    assert thief.get("/review.json").status_code == 401


def test_closing_an_account_or_changing_its_roles_ends_its_sessions(portal: Portal) -> None:
    acting = portal.street.house.acting
    reviewer, rosa = portal.person("reviewer"), portal.person("rosa")
    close_account(acting, None, "reviewer")
    change_roles(acting, None, "rosa", [Role.RESPONDER])
    assert reviewer.get("/review.json").status_code == 401
    assert rosa.get("/review.json").status_code == 401
    assert portal.someone().sign_in("reviewer").status_code == 401


def test_a_forged_cookie_is_nobody(shared: Portal) -> None:
    for value in ("x", "0" * 43, "%00", "'; DROP TABLE session; --"):
        forger = shared.someone()
        assert forger.get("/review.json", {"cookie": f"watchglass={value}"}).status_code == 401


# ---- signing in ----------------------------------------------------------------------------------------------------


def test_unknown_names_and_wrong_passwords_look_the_same(shared: Portal) -> None:
    known = shared.someone(address="203.0.113.1").sign_in("reviewer", "wrong words entirely")
    unknown = shared.someone(address="203.0.113.1").sign_in("nobody-here", "wrong words entirely")
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace("reviewer", "X") == unknown.text.replace("nobody-here", "X")


def test_unknown_names_cost_as_much_hashing_as_known_ones(shared: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = session.check_password
    monkeypatch.setattr(session, "check_password", lambda stored, given: (checked.append(stored), real(stored, given)))
    shared.someone(address="203.0.113.2").sign_in("nobody-here", "wrong words entirely")
    shared.someone(address="203.0.113.2").sign_in("reviewer", "wrong words entirely")
    parameters = [stored.rsplit("$", 2)[0] for stored in checked]
    assert parameters == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


def test_guessing_is_slowed_for_known_and_unknown_names_alike(shared: Portal) -> None:
    for name in ("operator", "nobody-there"):
        guesser = shared.someone(address="203.0.113.77")
        answers = [guesser.sign_in(name, "x" * 300).status_code for _ in range(9)]
        assert answers == [401] * 8 + [429], name
    assert shared.someone(address="203.0.113.78").sign_in("operator").status_code == 303  # nobody is locked out


def test_one_address_cannot_try_many_names(shared: Portal) -> None:
    guesser = shared.someone(address="203.0.113.79")
    answers = [guesser.post("/login", {"name": f"n{n}", "password": "x" * 300}).status_code for n in range(41)]
    assert answers == [401] * 40 + [429]


def test_the_log_holds_no_name_and_no_password(shared: Portal, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        shared.someone(address="203.0.113.80").sign_in("my password in the wrong field", "another secret here")
    assert "a sign-in from 203.0.113.80 failed" in caplog.text
    assert "wrong field" not in caplog.text
    assert "another secret" not in caplog.text


def test_who_is_signed_in_is_sent_to_their_own_place(shared: Portal) -> None:
    places = {
        "reviewer": "/review",
        "responder": "/respond",
        "shift-lead": "/review",
        "operator": "/sources",
        "oversight": "/oversight",
        "administrator": "/accounts",
        "privacy-officer": "/figures",
        "clerk": "/account",
    }
    for name, place in places.items():
        assert shared.person(name).get("/login").headers["location"] == place
