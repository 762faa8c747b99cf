"""Signed webhooks: an independent verifier accepts them, and no receiver can hold up or lead astray the sender."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from telling import SECRET, Answer, Receiver, certificate, drips, floods, hangs, says, status
from watchglass.core.errors import BadInput
from watchglass.core.time import SECOND, Clock
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.notify import webhook as module
from watchglass.edge.notify.letter import Letter, Undelivered
from watchglass.edge.notify.webhook import Webhook, check_url, parse_secret, signature

LETTER = Letter("0123456789abcdef", "on-the-lawn", '{"words":"Grüße"}'.encode())


def sender(receiver: Receiver, secret: str = SECRET, clock: Clock | None = None) -> Webhook:
    return Webhook(receiver.url, lambda: secret, clock or SystemClock())


def test_the_signature_is_the_published_example() -> None:
    """From the test vectors of the Svix and Standard Webhooks libraries."""
    letter = Letter("msg_p5jXN8AQM9LWM0D4loKWxJek", "", b'{"test": 2432232314}')
    said = signature(parse_secret(SECRET), letter, 1_614_265_330)
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_independent_verifier_accepts_what_arrives_and_nothing_else() -> None:
    with Receiver() as receiver:
        sender(receiver).send(LETTER)
    (got,) = receiver.got
    assert got.head == b"POST /hook HTTP/1.1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == LETTER.id
    assert Verifier(SECRET).verify(got.body, got.headers) == json.loads(LETTER.body)
    forged: list[tuple[bytes, dict[str, str]]] = [
        (got.body.replace(b"words", b"sword"), {}),
        (got.body, {"webhook-id": "0123456789abcdee"}),
        (got.body, {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}),
        (got.body, {"webhook-signature": "v1,AAAA"}),
    ]
    for body, changed in forged:
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(body, {**got.headers, **changed})
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "QUFB" * 8).verify(got.body, got.headers)


def test_a_replay_is_told_by_its_age() -> None:
    clock = VirtualClock(SystemClock().now() - 301 * SECOND)
    with Receiver() as receiver:
        sender(receiver, clock=clock).send(LETTER)
        with pytest.raises(WebhookVerificationError, match="too old"):
            Verifier(SECRET).verify(receiver.got[0].body, receiver.got[0].headers)
        sender(receiver).send(LETTER)  # the same letter again: signed anew, with the same id
    assert [got.headers["webhook-id"] for got in receiver.got] == [LETTER.id] * 2
    Verifier(SECRET).verify(receiver.got[1].body, receiver.got[1].headers)


def test_with_two_secrets_a_receiver_may_know_either() -> None:
    new = "whsec_" + "QUFB" * 8
    with Receiver() as receiver:
        sender(receiver, f"{new} {SECRET}").send(LETTER)
    (got,) = receiver.got
    for secret in (new, SECRET):
        Verifier(secret).verify(got.body, got.headers)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(301, "location: http://127.0.0.1:1/elsewhere"), "points elsewhere"),
        (status(307, "location: http://169.254.169.254/"), "points elsewhere"),
        (status(400), "It answered 400"),
        (status(401), "It answered 401"),
        (status(500), "It answered 500"),
        (says("I am no web server at all\r\n\r\n"), "cannot be reached"),
        (says(""), "cannot be reached"),
        (says("HTTP/1.1 200 OK\r\nx: " + "y" * 2_000_000), "cannot be reached"),
    ],
    ids=["301", "307", "400", "401", "500", "garbage", "nothing", "endless-header"],
)
def test_what_is_not_delivered_says_so(answer: Answer, said: str) -> None:
    with Receiver([answer]) as receiver, pytest.raises(Undelivered, match=said) as caught:
        sender(receiver).send(LETTER)
    assert SECRET.removeprefix("whsec_") not in repr(caught.value.as_json())
    assert len(receiver.got) == 1
    assert not caught.value.final


def test_gone_is_final_and_who_asks_for_time_gets_it() -> None:
    with Receiver([status(410), status(429, "retry-after: 7"), status(503, "retry-after: Tomorrow")]) as receiver:
        found = []
        for _ in range(3):
            with pytest.raises(Undelivered) as caught:
                sender(receiver).send(LETTER)
            found.append((caught.value.final, caught.value.after_ms))
    assert found == [(True, None), (False, 7 * SECOND), (False, None)]


@pytest.mark.parametrize("answer", [hangs, drips], ids=["silent", "dripping"])
def test_who_never_finishes_is_left(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 1.0)
    with Receiver([answer]) as receiver, pytest.raises(Undelivered, match="no answer within"):
        sender(receiver).send(LETTER)


@pytest.mark.parametrize("answer", [floods, says("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\x00\xff")])
def test_an_endless_or_broken_body_is_never_read(answer: Answer) -> None:
    with Receiver([answer]) as receiver:
        sender(receiver).send(LETTER)
    assert len(receiver.got) == 1


def test_nobody_there() -> None:
    with Receiver() as receiver:
        pass
    with pytest.raises(Undelivered, match="cannot be reached"):
        sender(receiver).send(LETTER)


def test_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(cert, key)
    with Receiver(tls=theirs) as receiver:
        with pytest.raises(Undelivered, match="cannot be reached"):
            sender(receiver).send(LETTER)
        assert receiver.got == []
        trust = ssl.create_default_context(cafile=str(cert))
        Webhook(receiver.url, lambda: SECRET, SystemClock(), trust=trust).send(LETTER)
        assert len(receiver.got) == 1


def test_the_environment_leads_nobody_astray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login spy password spy\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Receiver() as spy, Receiver() as receiver:
        monkeypatch.setenv("HTTP_PROXY", spy.url)
        monkeypatch.setenv("ALL_PROXY", spy.url)
        sender(receiver).send(LETTER)
    assert len(receiver.got) == 1
    assert "authorization" not in receiver.got[0].headers
    assert spy.got == []


@pytest.mark.parametrize(
    "secret",
    ["", "   ", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_short", "whsec_!!!!", "whsec_" + "QUFB" * 30],
)
def test_a_secret_that_is_none_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_secret(secret)
    assert len(secret) < 8 or secret not in repr(caught.value.as_json())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://alarm.example.org/hook", "unencrypted"),
        ("http://8.8.8.8/hook", "unencrypted"),
        ("http://[2001:4860:4860::8888]/hook", "unencrypted"),
        ("https://me:secret@alarm.example.org/hook", "password"),
        ("ftp://alarm.example.org/hook", "not an address"),
        ("https:///hook", "not an address"),
    ],
)
def test_addresses_that_no_notice_may_go_to(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://alarm.example.org/hook",
        "http://127.0.0.1:9/hook",
        "http://[::1]/hook",
        "http://10.2.3.4/hook",
        "http://192.168.1.7/hook",
        "http://receiver:8080/hook",
        "http://desk.lan/hook",
        "http://localhost/hook",
    ],
)
def test_addresses_that_they_may(url: str) -> None:
    assert check_url(url) == url


def test_time_is_the_houses() -> None:
    now = SystemClock().now() + 3 * SECOND
    ask: Callable[[], str] = lambda: SECRET  # noqa: E731
    with Receiver() as receiver:
        Webhook(receiver.url, ask, VirtualClock(now)).send(LETTER)
    assert receiver.got[0].headers["webhook-timestamp"] == str(now // SECOND)
    assert abs(time.time() - now / SECOND) < 300
