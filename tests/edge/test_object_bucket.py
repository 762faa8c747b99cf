"""Ciphertext in a bucket, against real servers that speak S3 in processes of their own."""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from s3_store import ACCESS, BUCKET, SECRET, Line, Server, line_to, serving

from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.edge.bucket import ObjectBucket

BODY = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("nanio", tmp_path_factory.mktemp("nanio")) as started:
        yield started


@pytest.fixture
def bucket(server: Server, request: pytest.FixtureRequest) -> ObjectBucket:
    return server.bucket(prefix=f"watchglass/{abs(hash(request.node.name)):x}")


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with line_to(server) as made:
        yield made


def test_what_was_written_is_read_whole_and_in_parts_until_it_is_destroyed(bucket: ObjectBucket) -> None:
    began = time.time() * 1000 - 2000  # the store tells whole seconds
    bucket.write("5f00", BODY)
    bucket.write("5f01", b"more")
    assert bucket.read("5f00") == BODY
    for offset, length in ((0, 10), (100, 5000), (len(BODY) - 3, 10), (len(BODY), 1), (10**9, 5), (5, 0)):
        assert bucket.read_part("5f00", offset, length) == BODY[offset : offset + length]
    assert bucket.names() == ("5f00", "5f01")
    assert all(began <= written <= time.time() * 1000 + 2000 for _, written in bucket.kept())
    bucket.destroy("5f00")
    bucket.destroy("5f00")
    for act in (lambda: bucket.read("5f00"), lambda: bucket.read_part("5f00", 0, 1)):
        with pytest.raises(BadInput, match="There is no sealed segment 5f00"):
            act()
    assert bucket.names() == ("5f01",)


def test_every_page_of_a_long_list_is_read(bucket: ObjectBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass.edge.bucket._PAGE", 2)
    names = [f"{number:04x}" for number in range(7)]
    for name in names:
        bucket.write(name, b"x")
    assert bucket.names() == tuple(names)


def test_an_object_never_changes_but_may_be_written_again(bucket: ObjectBucket) -> None:
    bucket.write("a", b"the first")
    bucket.write("a", b"the first")
    with pytest.raises(Problem, match="Another sealed segment"):
        bucket.write("a", b"another")
    assert bucket.read("a") == b"the first"


def test_a_store_cannot_fill_our_memory(bucket: ObjectBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.write("a", BODY)
    monkeypatch.setattr("watchglass.edge.bucket.MOST_OCTETS", len(BODY) - 1)
    with pytest.raises(Problem, match="102,400 bytes long: not what was stored"):
        bucket.read("a")
    monkeypatch.setattr("watchglass.edge.bucket.MOST_OCTETS", len(BODY))
    assert bucket.read("a") == BODY


def test_of_two_writers_at_once_the_store_lets_one_in(tmp_path: Path) -> None:
    """The line hides what lies there from whoever asks first, so that only the store's own condition is left."""

    def hide(method: str, status: int, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        return (404, {}, b"") if method == "HEAD" else (status, headers, body)

    with serving("localbucket", tmp_path) as server, line_to(server) as line:
        line.down = hide
        server.bucket().write("a", b"the first")
        late = server.bucket(line.port)
        with pytest.raises(Problem, match="Another sealed segment"):
            late.write("a", b"another")
        late.write("a", b"the first")
        assert ("PUT", f"/{BUCKET}/watchglass/abc/a.sealed") in line.seen
        assert server.bucket().read("a") == b"the first"


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "A", ".hidden", "a.sealed", "x" * 81, "a\0b", "-a", "_probe", "a?b"]
)
def test_a_name_cannot_leave_the_prefix(bucket: ObjectBucket, name: str) -> None:
    for act in (bucket.read, bucket.destroy, lambda bad: bucket.write(bad, b""), lambda b: bucket.read_part(b, 0, 1)):
        with pytest.raises(BadInput, match="name of a sealed segment"):
            act(name)


def test_two_deployments_in_one_bucket_do_not_see_each_other(server: Server) -> None:
    one, two = server.bucket(prefix="both/one"), server.bucket(prefix="both/two")
    one.write("a", b"ours")
    two.write("a", b"theirs")
    above = server.bucket(prefix="both")
    assert (one.names(), two.names(), above.names()) == (("a",), ("a",), ())
    two.destroy("a")
    assert one.read("a") == b"ours"


def test_what_was_damaged_on_the_way_is_not_stored(server: Server, line: Line) -> None:
    line.up = lambda method, body: bytes([body[0] ^ 1]) + body[1:] if method == "PUT" else body
    bucket = server.bucket(line.port, prefix="damaged")
    with pytest.raises(CannotRecord, match="could not be stored"):
        bucket.write("a", BODY)
    assert bucket.names() == ()
    line.up = lambda _method, body: body
    bucket.write("a", BODY)
    assert bucket.read("a") == BODY


def test_a_store_whose_tags_are_no_md5_is_read_again_and_believed(server: Server, line: Line) -> None:
    line.down = lambda _m, status, headers, body: (status, {**headers, "etag": '"of-its-own-kind"'}, body)
    bucket = server.bucket(line.port, prefix="tags")
    bucket.write("a", BODY)
    assert [method for method, _ in line.seen] == ["HEAD", "PUT", "GET"]
    assert bucket.read("a") == BODY


def test_an_answer_that_was_lost_leaves_the_object_and_the_next_try_finds_it(server: Server, line: Line) -> None:
    bucket = server.bucket(line.port, prefix="lost")
    line.down = lambda m, status, headers, body: (500, {}, b"") if m == "PUT" else (status, headers, body)
    with pytest.raises(CannotRecord, match=r"trouble of its own \(500\)"):
        bucket.write("a", BODY)
    line.down = lambda _method, status, headers, body: (status, headers, body)
    puts = len(line.seen)
    bucket.write("a", BODY)
    assert "PUT" not in [method for method, _ in line.seen[puts:]]
    assert bucket.read("a") == BODY


Act = Callable[[ObjectBucket], object]
ACTS: dict[str, Act] = {
    "write": lambda bucket: bucket.write("new", b"x"),
    "read": lambda bucket: bucket.read("there"),
    "part": lambda bucket: bucket.read_part("there", 0, 1),
    "destroy": lambda bucket: bucket.destroy("there"),
    "list": lambda bucket: bucket.names(),
    "check": lambda bucket: bucket.check(),
    "versions": lambda bucket: bucket.keeps_versions(),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize(
    ("more", "says", "fix"),
    [
        ({"access_key": "nobody"}, "access key|may not do this", "store-access|get, put and delete"),
        ({"secret_key": "a-wrong-key-of-the-test"}, "secret key is wrong|may not do this", "store-secret|get, put"),
        ({"bucket": "elsewhere"}, "no bucket “elsewhere”|no sealed segment", "Make the bucket|restore"),
        ({"endpoint": "http://127.0.0.1:1"}, "does not answer", "endpoint"),
        ({"endpoint": "https://127.0.0.1:1"}, "does not answer", "endpoint"),
        ({"endpoint": "https://store.invalid"}, "does not answer", "endpoint"),
    ],
    ids=["access key", "secret key", "bucket", "port", "tls", "name"],
)
def test_what_is_wrong_is_named_with_its_way_out_and_without_a_secret(
    server: Server, act: Act, more: dict[str, str], says: str, fix: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.bucket().write("there", b"x")
    bucket = server.bucket(**more)
    with caplog.at_level(logging.DEBUG):
        if more.get("bucket") and act is ACTS["destroy"]:
            with pytest.raises(CannotRecord, match="no bucket"):
                act(bucket)
            return
        with pytest.raises((CannotRecord, BadInput), match=says) as error:
            act(bucket)
    assert re.search(fix, error.value.fix)
    told = repr(error.value.as_json()) + str(bucket) + repr(bucket) + caplog.text + repr(bucket._at)
    for secret in (SECRET, more.get("secret_key", SECRET), ACCESS, more.get("access_key", ACCESS)):
        assert secret not in told
    assert error.value.__cause__ is None
    assert server.bucket().read("there") == b"x"


def test_clocks_that_differ_are_told_apart_from_a_wrong_key(server: Server, line: Line) -> None:
    line.worn = lambda headers: {**headers, "x-amz-date": "20261123T000000Z"}
    with pytest.raises(CannotRecord, match="clock") as error:
        server.bucket(line.port).check()
    assert "NTP" in error.value.fix
    assert error.value.details["code"] == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "AccessDenied", "may not do this"),
        (301, "PermanentRedirect", "another region"),
        (400, "AuthorizationHeaderMalformed", "another region"),
        (507, "XMinioStorageFull", "no room"),
        (503, "SlowDown", "busy"),
        (503, "", "trouble of its own"),
        (418, "Teapot", r"the store refuses \(Teapot\)"),
    ],
)
def test_what_other_stores_answer_is_understood_too(
    server: Server, line: Line, status: int, code: str, says: str
) -> None:
    body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode() if code else b""
    line.down = lambda _method, _status, _headers, _body: (status, {"Content-Type": "application/xml"}, body)
    with pytest.raises(CannotRecord, match=says) as error:
        server.bucket(line.port).check()
    assert SECRET not in repr(error.value.as_json())


def test_a_store_that_takes_the_connection_and_says_nothing_is_given_up(server: Server) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        bucket = server.bucket(deaf.getsockname()[1], whole_s=0.5)
        with pytest.raises(CannotRecord, match="does not answer"):
            bucket.write("a", BODY)


def test_a_bucket_that_keeps_versions_is_known_by_its_answer(server: Server, line: Line) -> None:
    bucket = server.bucket(line.port, prefix="versions")
    assert bucket.keeps_versions() is False
    for version, known in (("null", False), ("3HL4kqtJlcpXroDTDmJ", True)):
        line.down = lambda _m, status, headers, body, v=version: (status, {**headers, "x-amz-version-id": v}, body)
        assert bucket.keeps_versions() is known
    assert not list((server.folder / BUCKET / "versions").glob("*"))


def test_the_environment_cannot_send_it_elsewhere(
    bucket: ObjectBucket, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_UNSIGNED_PAYLOAD": "true",
        "AWS_SESSION_TOKEN": "of-somebody-else",
        "AWS_ACCESS_KEY_ID": "of-somebody-else",
        "AWS_BUCKET": "elsewhere",
        "AWS_CONDITIONAL_PUT": "disabled",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    }.items():
        monkeypatch.setitem(os.environ, name, value)
    with line_to(server) as line:
        seen: dict[str, str] = {}

        def look(headers: dict[str, str]) -> dict[str, str]:
            seen.update({key.lower(): value for key, value in headers.items()})
            return headers

        line.worn = look
        made = server.bucket(line.port, prefix="environment")
        made.write("a", b"x")
        assert made.read("a") == b"x"
    assert ACCESS in seen["authorization"]
    assert "x-amz-security-token" not in seen
