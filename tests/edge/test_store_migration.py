"""A database of the first version is brought up to date, keeps what it holds, and then is like a fresh one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.store.database import APPLICATION_ID, SCHEMA_VERSION, connect, open_reader

OLD = Path(__file__).with_name("schema_v1.sql")


def old_database(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO setting (key, value) VALUES ('origin', 'demo.example.org')")


def shape(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")
    # ALTER TABLE leaves spaces of its own.
    return {(row[0], row[1], "".join(row[2].split())) for row in rows}


def test_an_old_database_becomes_like_a_fresh_one_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old_database(path)
    with closing(connect(path)) as migrated, closing(connect(tmp_path / "fresh.db")) as fresh:
        assert shape(migrated) == shape(fresh)
        assert migrated.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert migrated.execute("SELECT value FROM setting").fetchone()[0] == "demo.example.org"
    with closing(connect(path)) as again:
        assert again.execute("SELECT count(*) FROM notice").fetchone()[0] == 0


def test_who_looked_at_which_clip_is_kept_and_each_look_can_be_recorded(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old_database(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO account VALUES (1, 'rosa', '[]', '!', 1, NULL)")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(alert)")]
        texts = {"facts": "{}", "boxes": "[]", "id": "a1"}
        values = [texts.get(name, bytes(32) if name in {"still", "leaf_hash"} else 1) for name in columns]
        connection.execute(f"INSERT INTO alert VALUES ({', '.join('?' * len(columns))})", values)
        connection.execute("INSERT INTO clip_view (alert, account, first_ms) VALUES ('a1', 1, 17)")
    with closing(connect(path)) as migrated:
        assert [tuple(row) for row in migrated.execute("SELECT * FROM clip_view")] == [("a1", 1, 17, None)]
        migrated.execute("INSERT INTO clip_view (alert, account, at_ms) VALUES ('a1', 1, 18)")
        migrated.execute("DELETE FROM alert")
        assert migrated.execute("SELECT count(*) FROM clip_view").fetchone()[0] == 0  # it goes with its alert


def test_who_only_looks_does_not_migrate(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old_database(path)
    with pytest.raises(BadInput, match="older version"):
        open_reader(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1


def test_a_migration_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old_database(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notice (mine TEXT)")
    with pytest.raises(Exception, match="refused a statement"):
        connect(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'notice%'").fetchone()[0] == 1
