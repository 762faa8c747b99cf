"""How incidents are held against what really happened, and that made clips show what they say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import kinds_clips as clips
from kinds_clips import Event, Stay, stays
from kinds_score import Score, rate, rows
from watchglass.perception.messages import Incident

DATA = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
recorded = pytest.mark.skipif(
    not (DATA / "media/pets_s2l1/truth.json").is_file(), reason="the recordings are not here; set WATCHGLASS_DATA"
)


def told(at_ms: int, x: int | None = None, y: int | None = None) -> Incident:
    facts = {} if x is None else {"x_px": x, "y_px": y}
    return Incident(f"{at_ms:016x}", "eval", "rule", "kind", None, at_ms, 0.5, "because", facts, b"", ())


def test_an_incident_within_an_event_is_right_and_several_are_one_event() -> None:
    score = Score()
    score.add("clip", [told(1000), told(1500), told(9000)], [Event(900, 2000), Event(4000, 5000, "the second")], 10_000)
    assert (score.right, score.told, score.found, score.there) == (2, 3, 1, 2)
    assert score.missed == ["clip the second"]
    assert score.wrong == ["clip at 9.0 s (because)"]


def test_where_each_thing_counts_two_incidents_about_one_are_one_too_many() -> None:
    score = Score()
    events = [Event(0, 3000, "first"), Event(2000, 5000, "second")]
    score.add("clip", [told(2500), told(2600), told(2700)], events, 10_000, each=True)
    assert (score.right, score.told, score.found) == (2, 3, 2)


def test_an_event_with_a_place_wants_the_incident_there() -> None:
    event = Event(0, 5000, "a bicycle", {1000: (100, 100, 140, 130), 2000: (200, 100, 240, 130)})
    score = Score()
    score.add("clip", [told(1100, 120, 128), told(1100, 230, 128), told(3000, 220, 128)], [event], 6000)
    assert score.right == 1


def test_a_rate_carries_the_interval_of_its_count() -> None:
    value, low, high = rate(0, 3_600_000)
    assert (value, low) == (0, 0)
    assert high == pytest.approx(3.69, abs=0.05)
    value, low, high = rate(10, 1_800_000)
    assert value == 20
    assert low == pytest.approx(2 * 4.80, abs=0.1)
    assert high == pytest.approx(2 * 18.39, abs=0.1)


def test_figures_name_what_was_missed_and_say_when_there_is_not_enough() -> None:
    score = Score()
    score.add("clip", [told(100)], [Event(0, 200), Event(500, 700, "the cart")], 60_000)
    precision, recall, false = rows("wheels", score, "somewhere", recall=1.0, false_an_hour=6.0)
    assert (precision["name"], precision["value"], precision["ok"]) == ("wheels_precision", 1.0, None)
    assert (recall["value"], recall["ok"], recall["n"]) == (0.5, False, 2)
    assert "missed: clip the cart" in recall["note"]
    assert "not enough data" in recall["note"]
    assert (false["value"], false["ok"], false["unit"]) == (0.0, True, "1/h")
    nothing = rows("wheels", Score(), "nowhere")[0]
    assert nothing["value"] is None


def test_an_occupation_counts_when_one_of_them_stays() -> None:
    inside = [{1}] * 10 + [{2}] * 10 + [set()] * 60 + [{3}] * 30
    assert stays(inside, 1500, 5000) == [Stay(8000, 9500, 11_000)]
    assert stays(inside, 800, 5000) == [Stay(0, 800, 2000), Stay(8000, 8800, 11_000)]


def test_a_short_absence_is_one_occupation() -> None:
    inside = [{1}] * 30 + [set()] * 20 + [{2}] * 30
    assert stays(inside, 1500, 5000) == [Stay(0, 1500, 8000)]


@recorded
def test_the_ground_of_pets_is_where_its_calibration_says() -> None:
    ground = clips.pets_ground(DATA)
    assert ground.worst_m < 0.2
    feet = [((a + c) / 2, d) for boxes in clips.pets_people(DATA)[:200:10] for a, _, c, d in boxes.values()]
    spots = ground.metres(np.array(feet))
    assert np.isfinite(spots).all()
    assert np.abs(spots).max() < 30


@recorded
def test_every_bicycle_and_the_cart_of_ucsd_is_one_event() -> None:
    found = {name: len(clips.wheels(DATA, name)) for name in clips.UCSD}
    assert sum(found.values()) == 9
    assert found["Test004.mp4"] == 2


@recorded
def test_a_made_car_stands_still_for_as_long_as_its_event_says(tmp_path: Path) -> None:
    clip = clips.stop(DATA, tmp_path / "stop.mp4", 1, stands_s=6, for_ms=4000)
    (event,) = clip.events
    seen = [frame.astype(np.int16) for frame in clips.frames(clip.path)]
    road = clips.road(DATA).astype(np.int16)
    first = round(25 * (event.from_ms + 1000) / 1000)
    # Traffic passes; the car is what differs from the road all the time.
    stays_there = np.all([np.abs(seen[first + k] - road).max(axis=2) > 40 for k in range(0, 40, 8)], axis=0)
    assert stays_there.sum() > 200
    assert np.abs(seen[first] - seen[first + 40])[stays_there].mean() < 12
    before = seen[round(25 * (event.from_ms - 3000) / 1000)]
    assert np.abs(seen[first] - before)[stays_there].mean() > 25
