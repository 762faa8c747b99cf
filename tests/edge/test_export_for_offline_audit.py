"""Everything that an audit reads in one folder: fetched from a real portal, kept whole, audited without a network."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from watchglass.access.roles import Role
from watchglass.bootstrap import House, SystemClock, offline
from watchglass.cli.main import main
from watchglass.cli.serving import listen
from watchglass.core.errors import Refused
from watchglass.ledger.tiles import FULL, Tile
from watchglass.review.model import VerdictValue
from watchglass.web.portal.app import create_app
from world import World, make_house


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[World]:
    """A deployment in which three alerts were decided, with enough entries for a full tile."""
    with make_house(tmp_path / "there", clock=SystemClock()) as world:
        for _ in range(3):
            world.decide(world.raise_alert(), VerdictValue.CONFIRM)
        for number in range(FULL):
            world.add(f"clerk-{number}", Role.CLERK)
        world.settle()
        yield world


@contextmanager
def portal(house: House) -> Iterator[str]:
    """Its portal, on loopback."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(house), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


class Crash(BaseException):
    """Nothing catches it."""


class Oversight:
    """Oversight's machine."""

    def __init__(self, world: World, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder.mkdir()
        self.world, self.capsys = world, capsys
        self.trust = world.trust_file(folder / "known.trust")
        self.to = folder / "everything"

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        code = main([*words, "--json"])
        return code, json.loads(self.capsys.readouterr().out)

    def export(self, key: str = "oversight.key") -> tuple[int, dict[str, Any]]:
        key = str(self.world.folder / "people" / key)
        with portal(self.world.house) as url:
            return self.run("oversight", "export", url, str(self.to), "--trust", str(self.trust), "--key", key)

    def audit(self, *more: str) -> tuple[int, dict[str, Any]]:
        return self.run("audit", str(self.to / "ledger"), "--trust", str(self.to / "trust"), *more)

    def deep(self) -> tuple[int, dict[str, Any]]:
        key = self.world.folder / "people" / "openings.key"
        return self.audit("--openings", str(self.to / "openings"), "--key", str(key))

    def files(self) -> set[str]:
        return {path.relative_to(self.to).as_posix() for path in self.to.rglob("*") if path.is_file()}


@pytest.fixture
def oversight(lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Oversight:
    return Oversight(lived, tmp_path / "oversight", capsys)


def test_what_was_exported_is_audited_without_a_network(oversight: Oversight, monkeypatch: pytest.MonkeyPatch) -> None:
    code, told = oversight.export()
    assert (code, told["before"]) == (0, 0)
    assert {"README.txt", "trust", "ledger/checkpoint", "ledger/tile/0/000", "ledger/tile/entries/000"} <= (
        oversight.files()
    )
    assert not [path for path in oversight.files() if "coming" in path or "writing" in path]

    def cut(*_: object) -> None:
        raise AssertionError("there is no network here")

    monkeypatch.setattr(socket.socket, "connect", cut)
    code, shallow = oversight.audit()
    assert (code, shallow["size"], shallow["depth"]) == (0, told["size"], "structure")
    code, deep = oversight.deep()
    assert (code, deep["depth"], deep["breaches"]) == (0, "openings", 0)
    opened = next(each for each in deep["findings"] if each["promise"] == "opened")
    assert opened["checked"] == told["openings"] > FULL


def test_that_the_openings_were_taken_is_recorded_with_the_key_that_asked(oversight: Oversight) -> None:
    _, told = oversight.export()
    (record,) = oversight.world.records("openings_taken")
    assert (record.leaf.role, record.leaf.actor) == ("oversight", "house")
    key = oversight.world.keys["oversight"].verifier
    assert record.fields["account"] == f"{key.name}+{key.key_id.hex()}"
    assert record.fields["count"] == told["openings"]
    assert record.fields["allowed_by"]["rules"] == ["office.read"]
    oversight.world.settle()
    assert oversight.export()[0] == 0
    code, deep = oversight.deep()
    assert (code, deep["breaches"]) == (0, 0), [each for each in deep["findings"] if each["state"] == "broken"]


def test_again_it_fetches_only_what_is_new(oversight: Oversight) -> None:
    _, first = oversight.export()
    oversight.world.raise_alert()
    oversight.world.settle()
    code, second = oversight.export()
    assert (code, second["before"]) == (0, first["size"])
    assert second["size"] > first["size"]
    new = oversight.world.entries()[first["size"] : second["size"]]
    assert second["openings"] == sum(b'"opening":' in data for data in new) > 0
    assert second["files_kept"] > 0
    assert len(list((oversight.to / "openings").glob("*.json"))) == 2
    partial = [path for path in oversight.files() if ".p/" in path]
    assert all(Tile.parse(path.removeprefix("ledger/")).width < FULL for path in partial)
    assert len(partial) == 3  # what the last checkpoint needs: entries, their hashes, and the one above
    assert oversight.deep()[0] == 0


def test_a_torn_copy_is_said_and_a_crash_between_two_steps_is_made_good(
    oversight: Oversight, monkeypatch: pytest.MonkeyPatch
) -> None:
    oversight.export()
    before = oversight.files()
    oversight.world.raise_alert()
    oversight.world.settle()

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(offline, "_keep", crash)
        with pytest.raises(Crash):
            oversight.export()
    assert oversight.audit()[0] == 0  # the last whole copy
    assert oversight.export()[0] == 0
    assert oversight.deep()[0] == 0
    assert {path for path in before if "000.p" not in path and ".p/" not in path} <= oversight.files()
    tile = oversight.to / "ledger" / "tile" / "entries" / "000"
    tile.write_bytes(tile.read_bytes()[:-5])
    code, said = oversight.export()
    assert code == 4
    assert "damaged" in said["message"]


def test_a_rewritten_ledger_leaves_the_old_copy_and_the_evidence(oversight: Oversight, tmp_path: Path) -> None:
    _, first = oversight.export()
    with make_house(tmp_path / "other", clock=SystemClock()) as other:
        other.settle()
        key = str(oversight.world.folder / "people" / "oversight.key")
        with portal(other.house) as url:
            code, said = oversight.run(
                "oversight", "export", url, str(oversight.to), "--trust", str(oversight.trust), "--key", key
            )
    assert (code, bool(said["fix"])) == (4, True)
    assert oversight.audit()[1]["size"] == first["size"]


def test_nobody_else_is_given_the_openings_and_nothing_is_kept(oversight: Oversight) -> None:
    code, said = oversight.export("authority.key")
    assert code == 1 or said["error"] == Refused.__name__
    assert "openings" not in {path.split("/")[0] for path in oversight.files()}
    assert oversight.world.records("openings_taken") == []


def test_a_folder_is_for_one_deployment(oversight: Oversight) -> None:
    oversight.export()
    note = oversight.to / "ledger" / "checkpoint"
    note.write_bytes(note.read_bytes().replace(oversight.world.house.origin.encode(), b"demo.other.example", 1))
    code, said = oversight.export()
    assert (code, "folder of its own" in said["fix"]) == (2, True)
