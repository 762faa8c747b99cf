"""Secrets on the disk and on the command line: who can read them, what is shown, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

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
