from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from watchglass.core.errors import BadInput, Problem
from watchglass.edge.clips import ClipFiles


def test_what_was_written_is_read_until_it_is_destroyed(tmp_path: Path):
    clips = ClipFiles(tmp_path / "clips")
    clips.write("5f00", b"sealed")
    clips.write("5f01", b"more")
    assert clips.read("5f00") == b"sealed"
    assert clips.names() == ("5f00", "5f01")
    assert clips.destroy("5f00")
    assert not clips.destroy("5f00")
    with pytest.raises(BadInput) as error:
        clips.read("5f00")
    assert "retention" in error.value.fix.lower()
    assert clips.names() == ("5f01",)


def test_a_second_write_replaces_the_first_wholly(tmp_path: Path):
    clips = ClipFiles(tmp_path)
    clips.write("a", b"a long one")
    clips.write("a", b"short")
    assert clips.read("a") == b"short"


def test_only_the_owner_may_read(tmp_path: Path):
    clips = ClipFiles(tmp_path / "clips")
    clips.write("a", b"x")
    assert stat.S_IMODE((tmp_path / "clips").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "clips" / "a.clip").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", ".hidden", "a.clip", "x" * 81, "a\0b", "-a"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str):
    clips = ClipFiles(tmp_path)
    for act in (clips.read, clips.destroy, lambda bad: clips.write(bad, b"")):
        with pytest.raises(BadInput):
            act(name)


def test_a_crash_while_writing_leaves_the_old_clip_and_is_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clips = ClipFiles(tmp_path)
    clips.write("a", b"old")

    def power_fails(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(os, "fsync", power_fails)
        with pytest.raises(KeyboardInterrupt):
            clips.write("a", b"new")
    assert clips.read("a") == b"old"
    assert clips.names() == ("a",)
    assert ClipFiles(tmp_path).sweep() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.clip"]


def test_a_full_disk_is_said_and_leaves_the_old_clip(tmp_path: Path):
    """A link to /dev/full stands in for a disk without room: every write to it fails with ENOSPC."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    clips = ClipFiles(tmp_path)
    clips.write("a", b"old")
    (tmp_path / "a.part").symlink_to("/dev/full")
    with pytest.raises(Problem, match="No space left"):
        clips.write("a", b"new")
    assert clips.read("a") == b"old"
    assert not (tmp_path / "a.part").is_symlink()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    clips = ClipFiles(tmp_path / "clips")
    (tmp_path / "clips").rmdir()
    with pytest.raises(Problem) as error:
        clips.write("a", b"x")
    assert "clips folder" in error.value.fix
