"""``watchglass quality disparity``: tables from elsewhere, and rows of source and hour."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from watchglass.cli.main import main
from watchglass.edge import tables

DATA = Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data"))
STOPS = DATA / "mpls_stops/MplsStops.csv.gz"
ROWS = (
    "source,hour,alerts,confirmed,camera_hours,closed,found\nquay-1,3,30,20,600,15,9\nhall,14,90,30,600,30,24\n"
    "hall,15,9,4,600,0,0\n"
)


def asked(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> dict[str, Any]:
    assert main(["quality", "disparity", *map(str, words), "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_rows_of_source_and_hour_with_areas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, areas = tmp_path / "rows.csv", tmp_path / "areas.yaml"
    rows.write_text(ROWS, "utf-8")
    areas.write_text(
        "areas: {harbour: {population: 9000, sources: [quay-1]}, market: {population: 3000, sources: [hall]}}", "utf-8"
    )
    found = asked(capsys, rows, "--areas", areas)
    assert [one["area"] for one in found["watched"]["exposure"]] == ["harbour", "market"]
    assert found["watched"]["concentration"]["top"] == "market"
    assert found["acted_on_by_area"]["found"]["groups"][1]["value"] == pytest.approx(0.8)
    assert found == asked(capsys, rows, "--areas", areas), "the same table gives the same answer"
    assert main(["quality", "disparity", str(rows), "--areas", str(areas)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Who is watched" in told
    assert "not enough data" in told


def test_what_is_not_asked_or_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, other = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    good.write_text("who,what\na,YES\n", "utf-8")
    bad.write_text("who,what\na\n", "utf-8")
    other.write_text("who,how\na,YES\n", "utf-8")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"who,what\na,YES\n")[:-9])
    (tmp_path / "rows.csv").write_text(ROWS.replace("600", "long"), "utf-8")
    asks = ("--by", "who", "--outcome", "what=YES")
    for words, said in (
        ((good,), "What should be compared"),
        ((good, "--by", "who"), "groups and an outcome"),
        ((good, "--by", "who", "--outcome", "what"), "COLUMN=VALUE"),
        ((bad, *asks), "1 columns instead of 2"),
        ((good, other, *asks), "other columns"),
        ((tmp_path / "none.csv", *asks), "is not there"),
        ((tmp_path / "d.csv.gz", *asks), "no CSV in UTF-8"),
        ((tmp_path / "rows.csv",), "no number"),
    ):
        assert said in asked(capsys, *words, code=2)["message"]


def test_a_small_file_that_unpacks_into_a_huge_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 1 << 20)
    with gzip.open(tmp_path / "bomb.csv.gz", "wb") as out:
        out.write(b"who,what\n" + b"a,YES\n" * 400_000)
    words = (tmp_path / "bomb.csv.gz", "--by", "who", "--outcome", "what=YES")
    assert "more than 1 MB" in asked(capsys, *words, code=2)["message"]


@pytest.mark.data
@pytest.mark.skipif(not STOPS.is_file(), reason="needs the shared data (WATCHGLASS_DATA)")
def test_police_stops_of_minneapolis(capsys: pytest.CaptureFixture[str]) -> None:
    """The counts are those of the table, counted once by hand with csv and Counter."""
    found = asked(capsys, STOPS, "--by", "race", "--outcome", "personSearch=YES", "--reference", "White")
    groups = {group["name"]: (group["happened"], group["of"]) for group in found["groups"]}
    assert found["lines"] == 51_920
    assert found["left_out"] == {"race unknown": 8_221}
    assert groups["White"] == (954, 11_703)
    assert groups["Black"] == (3_099, 15_220)
    ratios = {one["first"]: one for one in found["ratios"]}
    assert ratios["Black"]["value"] == pytest.approx((3099 / 15220) / (954 / 11703), rel=1e-4)
    assert ratios["Black"]["interval"][0] > 2
    assert ratios["East African"]["interval"][0] < 1 < ratios["East African"]["interval"][1]
