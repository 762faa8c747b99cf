from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.core.errors import BadInput, CannotRecord, Problem, WatchglassError
from watchglass.edge.objects import CLIPS, SEGMENTS, Kind, ObjectFiles

KINDS = pytest.mark.parametrize("kind", [CLIPS, SEGMENTS], ids=["clips", "segments"])
WRITABLE = "abcdefghijklmnopqrstuvwxyz0123456789-_"


@KINDS
def test_what_was_written_is_read_until_it_is_destroyed(tmp_path: Path, kind: Kind):
    files = ObjectFiles(tmp_path / "objects", kind)
    files.write("5f00", b"sealed")
    files.write("5f01", b"more")
    assert files.read("5f00") == b"sealed"
    assert files.names() == ("5f00", "5f01")
    assert files.destroy("5f00")
    assert not files.destroy("5f00")
    with pytest.raises(BadInput, match=kind.noun) as error:
        files.read("5f00")
    assert "retention" in error.value.fix.lower()
    assert files.names() == ("5f01",)


@KINDS
def test_an_object_never_changes_but_may_be_written_again(tmp_path: Path, kind: Kind):
    files = ObjectFiles(tmp_path, kind)
    files.write("a", b"the first")
    files.write("a", b"the first")
    with pytest.raises(Problem, match=f"Another {kind.noun}"):
        files.write("a", b"another")
    assert files.read("a") == b"the first"


def test_a_name_that_did_not_reach_the_disk_is_made_to_when_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The folder could not be synced: the object is under its name, and a power cut would take that name away."""
    files = ObjectFiles(tmp_path / "sealed", SEGMENTS)
    real, folders = os.fsync, []

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append(descriptor)
            if len(folders) == 1:
                raise OSError(errno.EIO, "input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CannotRecord):
        files.write("a", b"ciphertext")
    files.write("a", b"ciphertext")
    assert len(folders) == 2
    assert files.read("a") == b"ciphertext"


@settings(max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000), offset=st.integers(0, 4000), length=st.integers(0, 4000))
def test_a_part_is_what_a_slice_of_the_whole_is(tmp_path: Path, data: bytes, offset: int, length: int):
    files = ObjectFiles(tmp_path, SEGMENTS)
    files.destroy("a")
    files.write("a", data)
    assert files.read_part("a", offset, length) == data[offset : offset + length]


def test_no_part_begins_before_an_object(tmp_path: Path):
    files = ObjectFiles(tmp_path, SEGMENTS)
    files.write("a", b"abc")
    for offset, length in ((-1, 2), (0, -1)):
        with pytest.raises(BadInput):
            files.read_part("a", offset, length)


def test_only_the_owner_may_read(tmp_path: Path):
    files = ObjectFiles(tmp_path / "clips", CLIPS)
    files.write("a", b"x")
    assert stat.S_IMODE((tmp_path / "clips").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "clips" / "a.clip").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", ".hidden", "a.clip", "x" * 81, "a\0b", "-a", "_probe"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str):
    files = ObjectFiles(tmp_path, CLIPS)
    for act in (files.read, files.destroy, lambda bad: files.write(bad, b""), lambda bad: files.read_part(bad, 0, 1)):
        with pytest.raises(BadInput):
            act(name)


@settings(max_examples=tries(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.text(max_size=90), st.text(WRITABLE, max_size=90), st.from_regex(r"[a-z./\\-]{1,12}")))
def test_whatever_it_is_called_it_lies_in_the_folder_or_nowhere(tmp_path: Path, name: str):
    folder = tmp_path / "in" / "here"
    files = ObjectFiles(folder, SEGMENTS)
    try:
        files.write(name, b"x")
    except BadInput:
        assert not list(folder.iterdir())
    else:
        assert [path.name for path in folder.iterdir()] == [f"{name}.sealed"]
        assert files.names() == (name,)
        assert files.destroy(name)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@KINDS
def test_a_crash_while_writing_leaves_nothing_and_is_swept_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
):
    files = ObjectFiles(tmp_path, kind)
    files.write("a", b"old")

    def power_fails(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(os, "fsync", power_fails)
        with pytest.raises(KeyboardInterrupt):
            files.write("b", b"new")
    assert files.names() == ("a",)
    with pytest.raises(BadInput):
        files.read("b")
    assert ObjectFiles(tmp_path, kind).sweep() == 1
    assert [path.stem for path in tmp_path.iterdir()] == ["a"]
    files.write("b", b"new")
    assert files.read("b") == b"new"


@pytest.mark.parametrize(("kind", "error"), [(CLIPS, Problem), (SEGMENTS, CannotRecord)], ids=["clips", "segments"])
def test_a_full_disk_is_said_and_a_segment_may_wait(tmp_path: Path, kind: Kind, error: type[WatchglassError]):
    """A link to /dev/full stands in for a disk without room: every write to it fails with ENOSPC."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    files = ObjectFiles(tmp_path, kind)
    files.write("a", b"old")
    (tmp_path / "b.part").symlink_to("/dev/full")
    with pytest.raises(error, match=f"{kind.noun} b could not be written: No space left"):
        files.write("b", b"new")
    assert (files.names(), files.sweep()) == (("a",), 0)


@KINDS
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, kind: Kind):
    files = ObjectFiles(tmp_path / "gone", kind)
    files.check()
    (tmp_path / "gone").rmdir()
    for act in (files.check, lambda: files.write("a", b"x")):
        with pytest.raises(kind.unwritten) as error:
            act()
        assert kind.folder in error.value.message + error.value.fix


def test_what_the_disk_does_not_give_back_is_said(tmp_path: Path):
    files = ObjectFiles(tmp_path, SEGMENTS)
    (tmp_path / "a.sealed").mkdir()
    with pytest.raises(Problem, match="could not be read"):
        files.read("a")
    with pytest.raises(Problem, match="could not be destroyed"):
        files.destroy("a")


def test_what_goes_while_the_folder_is_listed_is_left_out(tmp_path: Path):
    files = ObjectFiles(tmp_path, SEGMENTS)
    for name in ("a", "b", "c"):
        files.write(name, b"x")
    found = files.kept()
    first, written = next(found)
    assert (first, written > 0) == ("a", True)
    threading.Thread(target=files.destroy, args=("b",)).run()
    assert [name for name, _ in found] == ["c"]
