"""The films of ``bench leak`` hold what they say they hold, and the attackers find what is there to be found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import leak
import leak_attack
import leak_parts
import leak_scenes as scenes
from leak_measure import covered, hits

DATA = Path(os.environ.get("WATCHGLASS_DATA", str(ROOT / "../shared/data"))).resolve()
data = [
    pytest.mark.data,
    pytest.mark.skipif(
        bool(leak.missing_data(DATA)), reason="the recordings are not here: set WATCHGLASS_DATA to their folder"
    ),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


class TestFilms:
    pytestmark = data

    def test_pets_is_played_once_and_its_truth_is_scored_the_second_time(self) -> None:
        who = scenes.longest_in_view(DATA)
        frames = list(scenes.pets(DATA, step=25, unseen=who))
        assert [f.at_ms for f in frames] == sorted({f.at_ms for f in frames})
        scored = [f for f in frames if f.scored]
        assert {f.at_ms - f.tag * 100 for f in scored} == {79_500}
        assert all(len(f.people) for f in scored[:3])
        assert {len(f.unseen) for f in scored} <= {0, 1}
        assert sum(len(f.unseen) for f in scored) > 5

    def test_who_stays_is_there_from_then_on_and_differs_from_the_empty_scene_nowhere_else(self) -> None:
        known = scenes.pets_empty(DATA, 50)[1]
        assert known.mean() > 0.9
        film = list(scenes.car_park(DATA, [scenes.Stay(0, 0.0), scenes.Stay(1, 5.0, sits=True)], 6, 2.0))
        assert [len(f.people) for f in film] == [1] * 10 + [2] * 2
        (first, last) = film[0].bgr().astype(int), film[-1].bgr().astype(int)
        came = np.abs(last - first).max(axis=2) > 45
        assert came[covered(film[-1].people[1:], came.shape)].mean() > 0.2
        assert came[~covered(film[-1].people + np.float32([-4, -4, 4, 4]), came.shape)].mean() < 0.002
        seated = film[-1].people[1]
        standing = scenes.standing(DATA)[1].box
        assert seated[3] - seated[1] == pytest.approx((standing[3] - standing[1]) * 2 / 3, abs=1)

    def test_plates_are_in_the_picture_and_two_of_four_cars_are_missed(self) -> None:
        there, film = scenes.car_with_plate(DATA, 3, 1.0, 2.0)
        frames = list(film)
        assert [plate.missed for plate in there] == [False, True, False, True, False, False]
        assert all(len(frame.unseen) == 2 for frame in frames)
        assert len({plate.text for plate in there}) == 6
        for plate in there:
            x1, y1, x2, y2 = plate.box.astype(int)
            part = frames[0].bgr()[y1:y2, x1:x2]
            assert float(part.max(axis=2).max()) - float(part.min()) > 120, "black on white or yellow"

    def test_faces_have_many_sizes_lie_in_the_picture_and_move_slowly(self) -> None:
        pictures = [(np.full((400, 400, 3), 90, np.uint8), np.array([[150, 100, 210, 180]], np.float32))]
        there = scenes.visits(pictures, 40, 1000)
        widths = [visit.width for visit in there]
        assert len(there) == 40
        assert min(widths) < 20
        assert max(widths) > 150
        assert any(visit.alone for visit in there)
        assert {visit.across == 0 for visit in there} == {True, False}
        for visit in there:
            for at_ms in (visit.start_ms, visit.end_ms - 1):
                x1, y1, x2, y2 = visit.face(at_ms)
                assert 0 <= x1 < x2 <= scenes.WIDE
                assert 0 <= y1 < y2 <= scenes.HIGH
            assert 0 <= visit.across <= 10

    def test_pictures_that_are_moved_back_and_added_up_are_sharp_again(self) -> None:
        rng = np.random.default_rng(1)
        pictures = [(rng.integers(0, 255, (200, 200, 3)).astype(np.uint8), np.array([[60, 50, 120, 130]], np.float32))]
        visit = next(v for v in scenes.visits(pictures, 9, 0) if v.across > 6 and v.width > 20)
        joins = leak_parts.Joins([visit])
        for at_ms in range(visit.start_ms, visit.end_ms, 500):
            picture = scenes.street(DATA).copy()
            x, y = visit.at(at_ms)
            height, width = visit.portrait.bgr.shape[:2]
            picture[y : y + height, x : x + width] = visit.portrait.bgr
            joins.add(at_ms, picture)
        joins.add(visit.end_ms + 1, np.zeros((720, 1280, 3), np.uint8))
        (joined,) = joins.pictures().values()
        assert np.abs(joined.astype(int) - visit.portrait.bgr).mean() < 2


# ---- attackers -------------------------------------------------------------------------------------------------------

peers = pytest.mark.skipif(not leak_attack.PEERS.is_file(), reason="the attackers are not installed: make peers")


@peers
def test_an_attacker_reads_a_plate_that_is_there_and_none_in_grey() -> None:
    plate = scenes.plate_picture("KLM4829", 300, np.random.default_rng(2))
    street = np.full((300, 500, 3), 120, np.uint8)
    street[100 : 100 + plate.shape[0], 100 : 100 + plate.shape[1]] = plate
    made = leak_attack.attack([street, np.full((300, 500, 3), 203, np.uint8)], ["ocr"])
    if "ocr" in made.absent:
        pytest.skip(made.absent["ocr"])
    assert [row[0].upper() for row in made.found["ocr"][0]] == ["KLM4829"]
    assert made.found["ocr"][1] == []


@peers
@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(bool(leak.missing_data(DATA)), reason="the recordings are not here: set WATCHGLASS_DATA")
def test_an_attacker_finds_faces_before_and_not_in_coarse_blocks() -> None:
    made = leak_parts.portraits(DATA, print)
    assert len(made) >= 20
    picture, faces = max(made, key=lambda pair: float((pair[1][:, 2] - pair[1][:, 0]).max()))
    blocks = picture[16::32, 16::32].repeat(32, axis=0).repeat(32, axis=1)
    found = leak_attack.attack([picture, blocks], ["centerface", "mtcnn", "haar"])
    assert hits(found.boxes("centerface", 0), faces).all()
    assert not hits(found.boxes("centerface", 1), faces).any()
