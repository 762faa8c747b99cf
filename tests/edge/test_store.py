"""Bad days of the database: full disk, lock, second process, other files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from record_world import World

from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.edge.store import database as databases
from watchglass.edge.store import open_reader
from watchglass.records.act_spec import Lane

HERE = Path(__file__).parent


def run(code: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run a small program in a process of its own, with the world's helpers at hand."""
    return subprocess.run(
        [sys.executable, "-B", "-c", code, str(root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )


FILL = """
import resource, sys
from pathlib import Path
from record_world import World, merged_hashes
from watchglass.core.errors import CannotRecord
from watchglass.runtime.sequencer import EVERYTHING

world = World.make(Path(sys.argv[1]))
store = world.store()
store.commit(world.raise_alert(0))
%FULL%
number, promised = 0, []
try:
    while number < 5000:
        number += 1
        promised.append(store.commit(world.raise_alert(number)).value)
except CannotRecord as error:
    print("told", error.message, "|", error.fix)
else:
    sys.exit("the disk never filled")
%ROOM%
rows = {row["leaf_hash"] for row in store.read().all("SELECT leaf_hash FROM alert")}
assert set(promised) <= rows and len(rows) == len(promised) + 1, (len(rows), len(promised))
promised.append(store.commit(world.raise_alert(number)).value)  # goes on as soon as there is room
sequencer = world.sequencer(store)
sequencer.tick(EVERYTHING)
verified, merged = merged_hashes(world.tiles)
assert set(promised) <= set(merged)
print("ok", len(merged))
"""


def test_disk_full_by_file_size(tmp_path: Path) -> None:
    code = FILL.replace("%ROOM%", "resource.setrlimit(resource.RLIMIT_FSIZE, old)").replace(
        "%FULL%",
        "old = resource.getrlimit(resource.RLIMIT_FSIZE)\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, old[1]))",
    )
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "told" in done.stdout
    assert "ok" in done.stdout


def test_disk_full_for_real(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("making a small disk needs root")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        code = FILL.replace("%ROOM%", "(world.root / 'ballast').unlink()").replace(
            "%FULL%", "(world.root / 'ballast').write_bytes(bytes(700_000))"
        )
        done = run(code, small)
        assert done.returncode == 0, done.stderr
        assert "told The disk that holds watchglass.db is full" in done.stdout
        assert "Free some space" in done.stdout
        assert "ok" in done.stdout
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_locked_database_says_so_and_nothing_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "BUSY_MS", 50)
    world = World.make(tmp_path)
    with world.store() as store:
        other = sqlite3.connect(tmp_path / "watchglass.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotRecord, match="locked by another program") as caught:
            store.commit(world.raise_alert(1))
        assert "try again" in caught.value.fix
        other.execute("ROLLBACK")
        other.close()
        store.commit(world.raise_alert(1))
        assert len(store.read().all("SELECT 1 FROM outbox")) == 1


SECOND = """
import sys
from pathlib import Path
from record_world import World
from watchglass.core.errors import BadInput

try:
    World.make(Path(sys.argv[1])).store()
except BadInput as error:
    print(error.message, error.fix)
"""


def test_a_second_process_is_told_who_is_there(tmp_path: Path) -> None:
    with World.make(tmp_path).store():
        done = run(SECOND, tmp_path)
        assert f"Another process (number {os.getpid()}) already runs this deployment." in done.stdout, done.stderr
        with pytest.raises(BadInput, match="already runs"):
            World.make(tmp_path).store()
    assert run(SECOND, tmp_path).stdout == ""
    World.make(tmp_path).store().close()


READ_ONLY = """
import os, sys
from pathlib import Path
from record_world import World
from watchglass.core.errors import WatchglassError

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    World.make(Path(sys.argv[1])).store()
except WatchglassError as error:
    print(type(error).__name__, error.message, error.fix)
"""


def open_to_all(path: Path) -> bool:
    """Whether another account could reach ``path`` at all."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    if os.geteuid() == 0 and not open_to_all(tmp_path):
        for parent in list(tmp_path.parents)[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    try:
        done = run(READ_ONLY, tmp_path)
        assert done.stdout.startswith("BadInput The deployment at"), done.stderr
        assert "cannot be opened for writing" in done.stdout
    finally:
        tmp_path.chmod(0o755)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    World.make(tmp_path).store().close()
    connection = sqlite3.connect(tmp_path / "watchglass.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BadInput, match="made by a newer version"):
        World.make(tmp_path).store()


def test_an_older_database_is_refused(tmp_path: Path) -> None:
    World.make(tmp_path).store().close()
    connection = sqlite3.connect(tmp_path / "watchglass.db")
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(BadInput, match="older version"):
        World.make(tmp_path).store()


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "watchglass.db")
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(BadInput, match="not a Watchglass database"):
        World.make(tmp_path).store()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "watchglass.db").write_bytes(b"not a database at all, not a bit of it" * 100)
    with pytest.raises(Problem, match="damaged or is not a database"):
        World.make(tmp_path).store()
    with pytest.raises(BadInput, match="no database"):
        open_reader(tmp_path / "elsewhere.db")


def test_the_safeties_are_on(tmp_path: Path) -> None:
    with World.make(tmp_path).store() as store:
        seen = store.commit(
            lambda tx: [tx.one(f"PRAGMA {name}")[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
        ).value
        assert seen == ["wal", 2, 1]
        ours = "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        tables = store.read().all(f"SELECT name FROM sqlite_schema WHERE {ours} AND sql NOT LIKE '%STRICT%'")
        assert [row["name"] for row in tables] == []


def test_another_process_reads_while_this_one_runs(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        store.commit(world.raise_alert(1))
        reader = open_reader(tmp_path / "watchglass.db")
        assert len(reader.all("SELECT 1 FROM alert")) == 1
        reader.close()


def test_lanes_are_those_of_the_schema(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        store.commit(lambda tx: (tx.record(world.alert()), tx.record(world.prompt())))
        lanes = [row["lane"] for row in store.read().all("SELECT lane FROM outbox ORDER BY seq")]
        assert lanes == [Lane.BATCH.value, Lane.PROMPT.value]
