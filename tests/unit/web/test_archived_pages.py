"""The ledger's pages where a year began and its past is archived: what is here, what is not, and who has it."""

from __future__ import annotations

import html as markup
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import Someone

from watchglass.bootstrap import House
from watchglass.core.digest import b64, sha256, unb64
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import policy
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.proof import Proof
from watchglass.ledger.tiles import read_entry
from watchglass.web.portal.app import create_app
from years_world import KEEPER, Archiver, make_old


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path]]:
    folder = tmp_path_factory.mktemp("old")
    old = make_old(folder / "world")
    old.house.close()
    shutil.copytree(old.layout.root, folder / "deployment")
    archiver = Archiver(old, folder / "deployment", folder)
    archiver()
    house = archiver.house(folder / "deployment")
    yield house, folder / "archive"
    house.close()


@pytest.fixture(scope="module")
def visitor(places: tuple[House, Path]) -> Someone:
    return Someone(create_app(places[0]))


def test_the_ledger_says_which_years_began_and_who_has_their_past(visitor: Someone) -> None:
    data = visitor.get("/ledger.json").json()
    (year,), (archive,) = data["years"], data["archives"]
    assert (year["year"], year["audit"], archive["before"], archive["kept_by"]) == (2027, None, 512, KEEPER)
    page = markup.unescape(visitor.get("/ledger").text)
    assert "Entries below 512 are archived" in page
    assert KEEPER in page
    assert "the operator's: oversight published no audit" in page
    state = visitor.get(f"/log/{year['state_file']}")
    assert b64(sha256(state.content)) == year["state"]
    assert "immutable" in state.headers["cache-control"]
    for name in ("2028.state", "2027", "..%2fcheckpoint", "2027.state.p"):
        assert visitor.get(f"/log/years/{name}").status_code == 404


def test_an_archived_entry_is_proved_without_its_bytes(visitor: Someone, places: tuple[House, Path]) -> None:
    data = visitor.get("/ledger/entries/3.json").json()
    assert data["entry"]["archived"]
    assert data["leaf"] is None
    assert data["archive"]["kept_by"] == KEEPER
    page = markup.unescape(visitor.get("/ledger/entries/3").text)
    assert KEEPER in page
    assert "--entry ENTRY" in page
    assert "exact bytes" not in page
    proof = Proof.parse(visitor.get("/ledger/entries/3.tlog-proof").content)
    assert proof.extra is None
    entry = read_entry(TileDirectory(places[1]), 3, data["size"])
    assert leaf_hash(entry) == unb64(data["entry"]["leaf_hash"])
    proof.check(leaf_hash(entry), policy.parse(visitor.get("/ledger/verify?download=trust-file").content))


def test_lists_go_on_through_what_is_archived(visitor: Someone) -> None:
    rows = visitor.get("/ledger.json?before=520").json()["entries"]
    assert [row["archived"] for row in rows] == [False] * 8 + [True] * 17
    assert rows[-1]["act"] == "recorder_named"
    page = visitor.get("/ledger?before=520&all=1").text
    assert "Only its hash is here." in page
    assert page.count("<tr>") == page.count("</tr>")


def test_how_to_verify_names_whoever_has_the_rest(visitor: Someone) -> None:
    page = markup.unescape(visitor.get("/ledger/verify").text)
    assert KEEPER in page
    assert "--archive FOLDER" in page
    assert visitor.get("/log/tile/entries/000").status_code == 404
    assert visitor.get("/log/tile/0/000").status_code == 200
    audit = markup.unescape(visitor.get("/audit").text)
    assert "--from-year 2027" in audit
    assert KEEPER in audit
