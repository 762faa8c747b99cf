"""What the benchmark inserts, and how it counts what was found."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import incidents
import latency
from canvas import Coding
from incidents import File, Fired, Insertion, place, plan, reference, score
from watchglass.perception.observation import Detections

COUNTS = {"person": 44, "vehicle": 11}


@pytest.fixture(scope="module")
def many() -> tuple[Insertion, ...]:
    return tuple(i for seed in range(20) for i in plan(seed, 20, COUNTS))


def one(**changes: object) -> Insertion:
    base = Insertion("person", 10.0, 4.0, 200, 0, 0, 400.0, 700.0, 100.0, 4.0)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_plan_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert plan(3, 20, COUNTS) == plan(3, 20, COUNTS)
    assert plan(3, 20, COUNTS) != plan(4, 20, COUNTS)


def test_insertions_are_as_tall_and_as_long_in_view_as_is_said(many: tuple[Insertion, ...]) -> None:
    tall = [i.tall for i in many]
    seconds = [i.seconds for i in many]
    assert 40 <= min(tall) < 60
    assert 280 < max(tall) <= 300
    assert 1.0 <= min(seconds) < 1.3
    assert 9.7 < max(seconds) <= 10.0
    assert np.mean(tall) == pytest.approx(170, abs=10)
    assert np.mean(seconds) == pytest.approx(5.5, abs=0.4)
    assert {i.kind for i in many} == {"person", "vehicle"}
    assert 0.25 < np.mean([i.stands for i in many]) < 0.55


def test_the_group_of_pictures_is_at_any_phase(many: tuple[Insertion, ...]) -> None:
    quarters = np.histogram([i.phase(2.0) for i in many], bins=4, range=(0, 1))[0]
    assert quarters.min() > 60


def test_it_is_quiet_between_insertions_for_longer_than_a_gate_stays_open() -> None:
    for seed in range(5):
        made = plan(seed, 20, COUNTS)
        gaps = [b.start - a.start - a.seconds for a, b in pairwise(made)]
        assert min(gaps) >= 5.9
        assert made[0].start >= 9


def test_whoever_reaches_the_edge_turns_and_stays_in_the_picture(many: tuple[Insertion, ...]) -> None:
    for insertion in many:
        for at in np.linspace(0, insertion.seconds, 40):
            x, _ = place(insertion, float(at))
            assert 0.8 * insertion.tall - 1 <= x <= 1920 - 0.8 * insertion.tall + 1
    there, right = place(one(x=1700.0, speed=100.0), 0.1)
    back, still_right = place(one(x=1700.0, speed=100.0), 3.0)
    assert there > 1700
    assert right
    assert back < 1760
    assert not still_right


def test_whoever_stands_stays_where_they_stopped() -> None:
    standing = one(walks_s=1.0)
    assert place(standing, 1.0) == place(standing, 3.9)
    assert place(standing, 0.5) != place(standing, 1.0)


def test_an_incident_counts_for_the_insertion_of_its_kind_that_is_in_view() -> None:
    there = (one(start=10.0, seconds=4.0), one(kind="vehicle", start=25.0, seconds=2.0))
    fired = [
        Fired("vehicle", 12_000),  # a person is in view, no vehicle
        Fired("person", 9_900),  # before
        Fired("person", 13_000),
        Fired("person", 12_500),  # the first one counts
        Fired("vehicle", 28_000),  # a second after it left
        Fired("vehicle", 28_001),
    ]
    counted = score(there, fired)
    assert counted.when == (12_500, 28_000)
    assert [f.at_ms for f in counted.false] == [9_900, 12_000, 28_001]
    assert counted.found == 2
    assert counted.f1 == pytest.approx(4 / 7)


def detections(*rows: tuple[float, float, int]) -> Detections:
    """(x of the middle, score, kind) of things 200 pixels tall."""
    boxes = np.array([[x - 40, 500, x + 40, 700] for x, _, _ in rows], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([s for _, s, _ in rows], np.float32), np.array([k for _, _, k in rows], np.int8))


def test_every_frame_finds_what_lasts_half_a_second_above_the_threshold() -> None:
    there = one(start=10.0, seconds=2.0)
    file = File(0, Path("none"), Coding(), (there,))
    found = {}
    for at in range(9_600, 12_960, 40):
        inside = 10_000 <= at < 12_000
        found[at] = detections((400 + (at - 10_000) / 10, 0.5, 0)) if inside else detections()
    low = score(file.insertions, reference(file, found, 0.40))
    assert low.when[0] is not None
    assert 10_500 <= low.when[0] <= 10_700
    assert low.false == ()
    assert score(file.insertions, reference(file, found, 0.60)).when == (None,)


def test_groups_of_the_tables_cover_every_insertion(many: tuple[Insertion, ...]) -> None:
    line = score(many, [])
    for what in incidents.GROUPS:
        rows = incidents.table(what, line, line)
        assert sum(row[1] for row in rows) == len(many)
        assert all(row[2:] == (0, 0, 0) for row in rows)


# ---- how late a page hears ---------------------------------------------------------------------------------------


def test_when_a_file_began_is_what_most_alerts_agree_on() -> None:
    there = (one(start=10.0, seconds=4.0), one(start=25.0, seconds=4.0), one(start=40.0, seconds=4.0))
    file = File(0, Path("none"), Coding(), there)
    facts = {0: latency.Known(11_000, 11_400), 1: latency.Known(26_000, 26_800), 2: latency.Known(41_000, None)}
    epoch = 1_700_000_000_000
    alerts = [
        latency.Alert("person", epoch + 11_400, epoch + 11_500),
        latency.Alert("person", epoch + 26_800, epoch + 27_000),
        latency.Alert("vehicle", epoch + 30_000, epoch + 30_100),
    ]
    assert latency.began(alerts, file, facts) == epoch
    assert latency.delays(alerts, file, facts) == pytest.approx([0.5, 1.0])
    assert latency.delays([], file, facts) == []
