"""Where a deployment lies, and its few settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchglass.bootstrap import House, make_deployment
from watchglass.core.errors import BadInput
from watchglass.runtime.layout import InBucket, Layout, parse_listen, read_settings, write_settings


@pytest.mark.parametrize(
    ("text", "value"), [("127.0.0.1:8600", ("127.0.0.1", 8600)), ("[::1]:1", ("::1", 1)), ("h:65535", ("h", 65535))]
)
def test_host_and_port(text: str, value: tuple[str, int]) -> None:
    assert parse_listen(text) == value


@pytest.mark.parametrize("text", ["", "8600", ":8600", "h:", "h:0", "h:65536", "h:-1", "h:²", "h:8 ", "h:x"])
def test_what_is_not_host_and_port(text: str) -> None:
    with pytest.raises(BadInput, match="host:port"):
        parse_listen(text)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "origin: 3", "listen: 127.0.0.1:1", "origin: a.example\nport: 3", "origin: [", "origin: a\nlisten: x"],
)
def test_settings_that_are_not_understood(tmp_path: Path, text: str) -> None:
    layout = Layout(tmp_path)
    layout.settings.write_text(text)
    with pytest.raises(BadInput):
        read_settings(layout)


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    write_settings(layout, "trial.x.example", "[::1]:8601")
    settings = read_settings(layout)
    assert (settings.origin, settings.host, settings.port, settings.deployment) == (
        "trial.x.example", "::1", 8601, "trial",
    )  # fmt: skip


def test_a_trial_listens_on_this_machine_only(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.settings.write_text("origin: trial.x.example\nlisten: 0.0.0.0:8600\n")
    with pytest.raises(BadInput, match="this machine only"):
        read_settings(layout)


@pytest.mark.parametrize(
    ("origin", "listen"),
    [("a.example", "nonsense"), ("with space", "h:1"), ("", "h:1"), ("trial.a.example", "0.0.0.0:1")],
)
def test_a_deployment_that_cannot_be_made_leaves_nothing(tmp_path: Path, origin: str, listen: str) -> None:
    with pytest.raises(BadInput):
        make_deployment(tmp_path / "d", origin, listen)
    assert not (tmp_path / "d").exists()
    make_deployment(tmp_path / "d", "a.example", "127.0.0.1:8600")  # so the right one can follow


def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "letter.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        make_deployment(tmp_path / "d", "a.example", "127.0.0.1:1")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput):
        make_deployment(tmp_path / "file", "a.example", "127.0.0.1:1")
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["letter.txt"]


def test_the_peoples_folder_lies_beside_whatever_the_directory_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path / "d")
    for root in (Path(), Path("../d"), tmp_path / "d"):
        assert Layout(root).people.resolve() == tmp_path / "d.people"


def test_a_deployment_with_another_logs_key_does_not_open(tmp_path: Path) -> None:
    layout, _ = make_deployment(tmp_path / "d", "a.example", "127.0.0.1:8600")
    House(layout.root).close()
    layout.settings.write_text("origin: b.example\n")
    with pytest.raises(BadInput, match=r"a\.example"):
        House(layout.root)
    with pytest.raises(BadInput, match="not a Watchglass deployment"):
        House(tmp_path / "elsewhere")


_SEALED = {
    "store": "s3",
    "endpoint": "https://store.example.org",
    "bucket": "originals",
    "region": "eu-central-1",
    "prefix": "city/north",
    "access_key_secret": "store-access",
    "secret_key_secret": "store-secret",
}


def _with(tmp_path: Path, sealed: object) -> Layout:
    layout = Layout(tmp_path)
    layout.settings.write_text(json.dumps({"origin": "a.example", "sealed": sealed}))
    return layout


def test_where_sealed_originals_go(tmp_path: Path) -> None:
    assert read_settings(_with(tmp_path, {"store": "files"})).sealed is None
    found = read_settings(_with(tmp_path, _SEALED)).sealed
    assert found == InBucket(
        "https://store.example.org", "originals", "store-access", "store-secret", "eu-central-1", "city/north"
    )
    less = {key: value for key, value in _SEALED.items() if key not in {"region", "prefix"}}
    found = read_settings(_with(tmp_path, less)).sealed
    assert found is not None
    assert (found.region, found.prefix) == ("us-east-1", "watchglass")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"store": "gcs"}, "store: files"),
        ({"acces_key_secret": "x"}, "acces_key_secret"),
        ({"endpoint": None}, "sealed.endpoint"),
        ({"bucket": 7}, "sealed.bucket"),
        ({"bucket": "Under_score"}, "sealed.bucket"),
        ({"bucket": "../x"}, "sealed.bucket"),
        ({"region": "eu central"}, "sealed.region"),
        ({"prefix": "/x"}, "sealed.prefix"),
        ({"prefix": "a/../b"}, "sealed.prefix"),
        ({"access_key_secret": "AKIAIOSFODNN7EXAMPLE"}, "sealed.access_key_secret"),
        ({"secret_key_secret": "wJalrXUtnFEMI/K7MDENG"}, "sealed.secret_key_secret"),
        ({"endpoint": "http://store.example.org"}, "in the open"),
        ({"endpoint": "http://8.8.8.8:9000"}, "in the open"),
        ({"endpoint": "http://0.0.0.0:9000"}, "in the open"),
        ({"endpoint": "ftp://store.example.org"}, "not the address"),
        ({"endpoint": "https://me:secret@store.example.org"}, "not the address"),
        ({"endpoint": "https://store.example.org/originals"}, "not the address"),
        ({"endpoint": "https://store.example.org:0"}, "not the address"),
        ({"endpoint": "https://[::1"}, "not the address"),
        ({"endpoint": "store.example.org"}, "not the address"),
    ],
)
def test_a_place_for_originals_that_is_not_understood(tmp_path: Path, edit: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as error:
        read_settings(_with(tmp_path, {**_SEALED, **edit}))
    for value in edit.values():
        if isinstance(value, str) and len(value) > 15 and "secret" in str(edit):
            assert value not in error.value.message + error.value.fix


@pytest.mark.parametrize("sealed", [None, "files", ["s3"], {}, {"store": "files", "bucket": "originals"}])
def test_sealed_is_files_or_a_bucket(tmp_path: Path, sealed: object) -> None:
    with pytest.raises(BadInput, match="store: files"):
        read_settings(_with(tmp_path, sealed))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.7", "[fd00::7]"])
def test_near_stores_may_be_spoken_to_in_the_open(tmp_path: Path, host: str) -> None:
    found = read_settings(_with(tmp_path, {**_SEALED, "endpoint": f"http://{host}:9000"})).sealed
    assert found is not None
