"""The audit from a year as people run it: on a ledger's files, again the next day, and where files are not right."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from dishonest import handed_over
from made_life import Life, plan
from made_log import files_of
from made_stories import live
from made_years import state_of
from watchglass.bootstrap import VirtualClock, auditing, publishing
from watchglass.cli.main import main
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.tiles import Tile
from watchglass.records.leaf import Leaf


@dataclass
class Place:
    """A ledger's folder with the state of its year, and a trust file."""

    folder: Path
    year: int
    size: int
    state: str
    now: int
    word: str

    def audit(self, **more: Any) -> dict[str, Any]:
        ledger, trust = str(self.folder / "ledger"), self.folder / "trust"
        return auditing.audit(ledger, trust, clock=VirtualClock(self.now), **more)

    @property
    def file(self) -> Path:
        return self.folder / f"ledger/years/{self.year}.state"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    deployment = handed_over(live(Life(replace(plan(17, days=1.2), year=True, alerts_a_day=20.0))))
    folder = tmp_path_factory.mktemp("year")
    files_of(deployment.entries, deployment.note).write_to(folder / "ledger")
    (folder / "trust").write_text(deployment.trust, "utf-8")
    clear = next(Leaf.parse(each).clear for each in deployment.entries if each.startswith(b'{"act":"year_began"'))
    place = Place(
        folder,
        clear["year"],
        clear["size"],
        clear["state"],
        deployment.at_ms,
        "named" if clear["audit"] else "operator",
    )
    place.file.parent.mkdir()
    place.file.write_bytes(state_of(deployment.entries, deployment.town.origin, clear["size"]))
    assert clear["size"] > 256
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    shutil.copytree(made.folder, tmp_path / "copy")
    return replace(made, folder=tmp_path / "copy")


def test_it_reads_what_came_since_and_goes_on_from_there(place: Place) -> None:
    begun = place.audit(from_year=place.year)
    assert (begun["breaches"], begun["ok"], begun["resumed_from"]) == (0, True, 0)
    assert begun["begun"] == {"year": place.year, "size": place.size, "state": place.state, "word": place.word}
    assert f"{place.size:,} entries before {place.year} say. They were not read" in begun["cannot_see"][0]
    again = place.audit()
    assert (again["resumed_from"], again["begun"], again["changed"]) == (
        begun["size"], begun["begun"], ["0 more entries."]
    )  # fmt: skip
    whole = place.audit(from_start=True)
    assert (whole["begun"], whole["breaches"]) == (None, 0)
    counts = [{each["promise"]: each["checked"] for each in report["findings"]} for report in (begun, whole)]
    assert counts[0] == counts[1]


def test_a_key_is_not_remembered_on_the_word_of_a_state(place: Place) -> None:
    place.audit(from_year=place.year)
    assert not list(place.folder.glob("trust.oversight*"))
    place.audit(from_start=True)
    assert list(place.folder.glob("trust.oversight*"))


def test_entries_before_the_year_need_not_be_there(place: Place) -> None:
    for number in range(place.size // 256):
        (place.folder / "ledger" / Tile(-1, number).path).unlink()
    assert place.audit(from_year=place.year)["breaches"] == 0
    with pytest.raises(BadInput) as caught:
        place.audit(from_start=True)
    assert "--from-year YEAR" in caught.value.fix


def test_only_the_state_that_the_log_names_is_taken_over(place: Place) -> None:
    right = place.file.read_bytes()
    place.file.write_bytes(right.replace(b'"decided"', b'"decideD"'))
    with pytest.raises(BadInput, match="damaged"):
        place.audit(from_year=place.year)
    value = json.loads(right)
    dict(value["d"])["stumbled"]["d"].append(["alerts", {"t": [3, "Nothing"]}])
    place.file.write_bytes(json.dumps(value, separators=(",", ":")).encode())
    with pytest.raises(DidNotVerify, match="not the one with which"):
        place.audit(from_year=place.year)
    place.file.unlink()
    with pytest.raises(BadInput, match="no state with which"):
        place.audit(from_year=place.year)
    with pytest.raises(BadInput, match="no sealed details"):
        place.audit(from_year=place.year, from_start=True)


def test_anybody_makes_the_same_state_and_oversight_signs_it(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, out = str(place.folder / "ledger"), place.folder / "made.state"
    assert main(["ledger", "carry", ledger, "--size", str(place.size), "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == place.state == b64(sha256(out.read_bytes()))
    assert main(["ledger", "carry", ledger, "--size", "999999", "-o", str(out)]) == 2
    capsys.readouterr()
    report = place.audit(from_year=place.year, carry=True)
    bare = {**report, "state": None}
    assert publishing.carried(bare)["state"] == report["state"]
    assert publishing.carried(report) is report
    with pytest.raises(DidNotVerify, match="not the one that this report is about"):
        publishing.carried({**bare, "root": b64(bytes(32))})
