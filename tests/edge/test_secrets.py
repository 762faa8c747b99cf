"""Secrets on the disk and on the command line: who can read them, what is shown, what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from watchglass.cli.main import main
from watchglass.core.errors import BadInput
from watchglass.edge.secrets import LARGEST, SecretFolder

ADDRESS = "rtsp://viewer:p%40ss@camera.example/main"


@pytest.fixture
def folder(tmp_path: Path) -> SecretFolder:
    return SecretFolder(tmp_path / "keys" / "secrets")


def test_a_secret_is_kept_where_only_its_owner_can_read_it(folder: SecretFolder, tmp_path: Path) -> None:
    folder.set("harbour-camera", ADDRESS + "\n")
    assert folder.get("harbour-camera") == ADDRESS
    path = tmp_path / "keys" / "secrets"
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "harbour-camera").stat().st_mode & 0o777 == 0o600
    folder.set("harbour-camera", "rtsp://other")
    assert folder.get("harbour-camera") == "rtsp://other"
    assert [p.name for p in path.iterdir()] == ["harbour-camera"]


def test_a_folder_that_others_may_enter_is_closed_to_them(folder: SecretFolder, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets"
    path.mkdir(mode=0o755, parents=True)
    folder.set("one", "x")
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_missing_secret_says_how_to_set_it(folder: SecretFolder, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no secret “gate”") as caught:
        folder.get("gate")
    assert f"watchglass secret set {tmp_path} gate" in caught.value.fix
    with pytest.raises(BadInput, match="There is no secret “gate”"):
        folder.remove("gate")


def test_names_are_listed_without_what_is_in_them_and_removed(folder: SecretFolder) -> None:
    assert folder.names() == ()
    folder.set("b_2", "two")
    folder.set("a-1", "one")
    assert folder.names() == ("a-1", "b_2")
    folder.remove("a-1")
    assert folder.names() == ("b_2",)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_can_read_is_refused(folder: SecretFolder, tmp_path: Path, mode: int) -> None:
    folder.set("a", "x")
    (tmp_path / "keys" / "secrets" / "a").chmod(mode)
    with pytest.raises(BadInput, match="Other people") as caught:
        folder.get("a")
    assert "chmod 600" in caught.value.fix


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/passwd", "A", "-a", "a-", ".hidden", "é", "a" * 65, "a\n"])
def test_names_that_are_none(folder: SecretFolder, name: str) -> None:
    for what in (folder.get, folder.remove, lambda each: folder.set(each, "x")):
        with pytest.raises(BadInput, match="cannot be the name"):
            what(name)


@pytest.mark.parametrize("value", ["", "\n", "two\nlines", "bell\a", "x" * (LARGEST + 1)])
def test_values_that_are_none(folder: SecretFolder, value: str) -> None:
    with pytest.raises(BadInput, match="empty, too long or more than one line"):
        folder.set("a", value)
    assert folder.names() == ()


def test_a_file_that_is_no_text_is_refused_without_being_shown(folder: SecretFolder, tmp_path: Path) -> None:
    folder.set("a", "x")
    (tmp_path / "keys" / "secrets" / "a").write_bytes(b"\xff\xfesecret")
    with pytest.raises(BadInput, match="is not text") as caught:
        folder.get("a")
    assert "secret\xff" not in str(caught.value)


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    made = tmp_path / "harbour"
    made.mkdir()
    (made / "deployment.yaml").write_text("origin: harbour.example.org\n", "utf-8")
    return made


def run(*words: object) -> int:
    return main([*map(str, words), "--json"])


def test_on_the_command_line_a_secret_comes_from_a_pipe_and_is_never_shown(
    deployment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(ADDRESS + "\n"))
    assert run("secret", "set", deployment, "gate") == 0
    assert SecretFolder(deployment / "keys" / "secrets").get("gate") == ADDRESS
    assert run("secret", "list", deployment) == 0
    told = capsys.readouterr()
    assert '"names": ["gate"]' in told.out
    assert run("secret", "remove", deployment, "gate") == 0
    assert run("secret", "remove", deployment, "gate") == 2
    assert run("secret", "list", deployment) == 0
    told_later = capsys.readouterr()
    assert '"names": []' in told_later.out
    for text in (told.out, told.err, told_later.out, told_later.err):
        assert "p%40ss" not in text


def test_a_secret_is_never_an_argument(deployment: Path) -> None:
    assert run("secret", "set", deployment, "gate", ADDRESS) == 2
    assert SecretFolder(deployment / "keys" / "secrets").names() == ()


def test_a_secret_belongs_to_a_deployment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x"))
    assert run("secret", "set", tmp_path, "gate") == 2
    assert "not a Watchglass deployment" in capsys.readouterr().out
    assert not (tmp_path / "keys").exists()


def test_bytes_that_are_no_text_are_refused(deployment: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "watchglass", "secret", "set", str(deployment), "gate"],
        input=b"\xff\xfe\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"is not text" in done.stderr
