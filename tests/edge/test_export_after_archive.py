"""What oversight exports of a deployment that has archived its past: nothing that was exported before is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from watchglass.bootstrap import offline
from watchglass.core.errors import DidNotVerify
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import policy
from watchglass.ledger.tiles import ENTRIES, Tile, state_path
from watchglass.ledger.verify import verify_log
from world import World
from years_world import KEEPER, Archiver, make_old


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_old(tmp_path_factory.mktemp("old"))
    world.house.close()
    return world


class Oversight:
    """Oversight's folder, and a deployment of its own to export from."""

    def __init__(self, old: World, folder: Path) -> None:
        shutil.copytree(old.layout.root, folder / "deployment")
        self.old, self.folder = old, folder
        self.trust = old.trust_file(folder / "known.trust")
        self.archive = Archiver(old, folder / "deployment", folder)

    def export(self, to: str = "everything", *archives: str) -> dict[str, Any]:
        deployment, key = str(self.folder / "deployment"), self.old.keys["oversight"]
        return offline.export(deployment, self.folder / to, self.trust, key, archives=archives, clock=self.old.clock)

    def unread(self, to: str = "everything") -> int:
        """Entries that a copy lacks, after all that it has was hashed again."""
        found = policy.parse(self.trust.read_bytes())
        return verify_log(TileDirectory(self.folder / to / "ledger"), found, archived=True).unread


@pytest.fixture
def oversight(old: World, tmp_path: Path) -> Oversight:
    return Oversight(old, tmp_path)


def test_what_was_exported_before_stays_whole(oversight: Oversight) -> None:
    assert oversight.export()["years"] == [2027]
    assert oversight.unread() == 0
    oversight.archive()
    told = oversight.export()
    assert (told["archived"], oversight.unread()) == (None, 0)
    assert (oversight.folder / "everything/ledger" / state_path(2027)).read_bytes().startswith(b"state of ")


def test_a_new_folder_says_what_it_lacks_and_the_archive_completes_it(oversight: Oversight) -> None:
    oversight.archive()
    told = oversight.export()
    assert (told["archived"]["entries"], told["archived"]["kept_by"]) == (512, KEEPER)
    assert oversight.unread() == 512
    assert "but for the first 512" in (oversight.folder / "everything/README.txt").read_text("utf-8")
    assert oversight.export("everything", str(oversight.folder / "archive"))["archived"] is None
    assert oversight.unread() == 0


def test_a_folder_that_lacks_a_part_is_told_to_get_the_archive(oversight: Oversight) -> None:
    oversight.export()
    oversight.archive()
    (oversight.folder / "everything/ledger" / Tile(ENTRIES, 1).path).unlink()
    with pytest.raises(DidNotVerify, match="no export into this folder has brought") as caught:
        oversight.export()
    assert "--archive" in caught.value.fix
    oversight.export("everything", str(oversight.folder / "archive"))
    assert oversight.unread() == 0


def test_another_state_than_the_log_names_is_not_taken(oversight: Oversight) -> None:
    (oversight.folder / "deployment/ledger" / state_path(2027)).write_bytes(b"of another past")
    with pytest.raises(DidNotVerify, match="another one than entry"):
        oversight.export()
    (oversight.folder / "deployment/ledger" / state_path(2027)).unlink()
    assert oversight.export()["states_missing"] == [2027]
