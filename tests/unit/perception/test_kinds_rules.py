"""The rules about ways, wheels, standing vehicles and running crowds, on tracks drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.core.geometry import feet
from watchglass.perception.analytics import KINDS_OF_INCIDENT, Analytic, Finding, Scene, build
from watchglass.perception.ground import Ground
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import Detections, StaticChange, Tracks
from watchglass.perception.zones import Line, Zone

STEP = 400
AREA = ZoneSpec("square", ((0, 0), (1000, 0), (1000, 600), (0, 600)))
UP = ZoneSpec("gate", ((100, 200), (100, 0)), line=True)
"""Upwards: its left is the picture's left, so that the allowed way is from left to right."""

PERSON, VEHICLE, BICYCLE, BAG = range(4)
Thing = tuple[int, int, tuple[float, float, float, float]]


def scene(at_ms: int, *things: Thing, statics: tuple[StaticChange, ...] = (), score: float = 0.7) -> Scene:
    """Things as (id, kind, box)."""
    return Scene(
        at_ms,
        Tracks(
            at_ms,
            np.array([t[0] for t in things], np.int64),
            np.array([t[2] for t in things], np.float32).reshape(-1, 4),
            np.full(len(things), score, np.float32),
            np.array([t[1] for t in things], np.int8),
        ),
        statics=statics,
    )


def at(x: float, y: float, width: float = 20, height: float = 50) -> tuple[float, float, float, float]:
    """A box that stands at (x, y)."""
    return (x - width / 2, y - height, x + width / 2, y)


def run(rule: Analytic, scenes: list[Scene]) -> list[tuple[int, Finding]]:
    return [(s.at_ms, f) for s in scenes if (f := rule.see(s)) is not None]


# ---- wrong_way -----------------------------------------------------------------------


def wrong_way(zone: ZoneSpec = UP, **settings: object) -> Analytic:
    return build(AnalyticSpec("w", "wrong_way", zone, {"for_ms": 800, **settings}))


def crossing(xs: list[float], *, y: float = 100, kind: int = PERSON, track: int = 1) -> list[Scene]:
    return [scene(STEP * i, (track, kind, at(x, y))) for i, x in enumerate(xs)]


def test_who_crosses_from_right_to_left_and_stays_there_has_gone_the_wrong_way() -> None:
    ((when, finding),) = run(wrong_way(), crossing([140, 120, 101, 80, 60, 40, 20]))
    assert when == 3 * STEP + 800
    assert finding.why == "a person crossed 'gate' the wrong way 0.8 s ago and did not come back"
    assert finding.facts == {"what": "person", "line": "gate", "seconds": 0.8}
    assert finding.score == pytest.approx(0.7)


def test_the_allowed_way_the_turned_line_and_another_kind() -> None:
    assert run(wrong_way(), crossing([60, 80, 101, 120, 140, 160, 180])) == []
    turned = ZoneSpec("gate", tuple(reversed(UP.polygon)), line=True)
    assert len(run(wrong_way(turned), crossing([60, 80, 101, 120, 140, 160, 180]))) == 1
    assert run(wrong_way(of=["vehicle"]), crossing([140, 120, 101, 80, 60, 40, 20])) == []


def test_who_jitters_on_the_line_or_comes_back_at_once_has_not_gone() -> None:
    assert run(wrong_way(), crossing([120, 104, 97, 103, 95, 104, 96, 104, 95, 97, 95, 98])) == []
    assert run(wrong_way(), crossing([130, 110, 85, 112, 130, 150, 160, 170])) == []


def test_each_crossing_counts_once_and_a_second_one_again() -> None:
    there_and_back = [120.0, 80, 60, 60, 60, 80, 120, 130, 120, 80, 60, 60, 60, 60]
    assert len(run(wrong_way(), crossing(there_and_back))) == 2


def test_only_between_the_ends_and_only_who_was_seen_on_both_sides() -> None:
    assert run(wrong_way(), crossing([140, 120, 80, 60, 40, 20], y=260)) == []
    assert run(wrong_way(), crossing([95, 80, 60, 40, 20, 10])) == []


def test_who_leaves_the_picture_on_the_wrong_side_counts_and_two_at_once_are_two() -> None:
    gone = [*crossing([140, 120, 80]), *(scene(STEP * i) for i in range(3, 8))]
    assert len(run(wrong_way(), gone)) == 1
    two = [
        scene(STEP * i, (1, PERSON, at(x, 100)), (2, PERSON, at(x, 150)))
        for i, x in enumerate([140, 120, 80, 60, 40, 20, 10])
    ]
    assert [when for when, _ in run(wrong_way(), two)] == [2 * STEP + 800, 3 * STEP + 800]


def test_reset_forgets_where_everybody_was() -> None:
    rule = wrong_way()
    assert run(rule, crossing([140, 120])) == []
    rule.reset()
    assert run(rule, crossing([80, 60, 40, 20, 10])) == []


def test_a_line_knows_its_right_as_the_picture_shows_it() -> None:
    line = Line(UP)
    assert line.offset(np.array([[130, 100], [70, 100]], np.float32)).tolist() == [30, -30]
    assert line.beside(np.array([[130, 200], [130, 100], [130, 0]], np.float32)).tolist() == [0, 0.5, 1]


# ---- vehicle_in_pedestrian_area -----------------------------------------------------------------------


def walkers(step: int) -> list[Thing]:
    """Six people who walk 8 px a look (20 px/s), 50 px tall."""
    return [(10 + i, PERSON, at(50 + 100 * i + 8 * step, 300 + 20 * i)) for i in range(6)]


def wheels(what: list[str] | None = None, zone: ZoneSpec = AREA) -> Analytic:
    settings: dict[str, object] = {"for_ms": 1000} if what is None else {"for_ms": 1000, "of": what}
    return build(AnalyticSpec("v", "vehicle_in_pedestrian_area", zone, settings))


def among_walkers(rule: Analytic, kind: int, speed: float, *, width: float, height: float) -> list[Finding]:
    """Something comes after four seconds, at so many pixels a look, and is there for six."""
    scenes = []
    for step in range(25):
        things = walkers(step)
        if step >= 10:
            things.append((1, kind, at(50 + speed * (step - 10), 250, width, height)))
        scenes.append(scene(STEP * step, *things))
    return [finding for _, finding in run(rule, scenes)]


def test_a_bicycle_that_is_ridden_is_told_once_and_one_that_is_pushed_is_not() -> None:
    (finding,) = among_walkers(wheels(), BICYCLE, 20, width=50, height=35)
    assert finding.facts["what"] == "bicycle"
    assert finding.facts["times_walking_pace"] == pytest.approx(2.5, abs=0.1)
    assert "2.5 times as fast as people walk there" in finding.why
    assert among_walkers(wheels(), BICYCLE, 8, width=50, height=35) == []


def test_a_cart_is_shorter_than_a_vehicle_and_each_is_a_setting_of_its_own() -> None:
    (cart,) = among_walkers(wheels(), VEHICLE, 14, width=100, height=70)
    (car,) = among_walkers(wheels(), VEHICLE, 14, width=150, height=60)
    assert (cart.facts["what"], car.facts["what"]) == ("cart", "vehicle")
    assert among_walkers(wheels(["vehicle", "bicycle"]), VEHICLE, 14, width=100, height=70) == []
    assert among_walkers(wheels(["cart"]), VEHICLE, 14, width=150, height=60) == []


def test_what_stands_is_no_vehicle_that_moves() -> None:
    assert among_walkers(wheels(), VEHICLE, 0, width=150, height=60) == []


def test_somebody_much_faster_than_those_who_walk_is_taken_for_a_skateboard() -> None:
    (finding,) = among_walkers(wheels(), PERSON, 22, width=20, height=50)
    assert finding.facts["what"] == "skateboard"
    assert among_walkers(wheels(["bicycle"]), PERSON, 22, width=20, height=50) == []
    assert among_walkers(wheels(), PERSON, 12, width=20, height=50) == []


def test_a_track_that_jumps_is_nobody_on_wheels() -> None:
    scenes = []
    for step in range(25):
        x = 50.0 + 8 * step + (90 if step >= 18 else 0)
        scenes.append(scene(STEP * step, *walkers(step), (1, PERSON, at(x, 250))))
    assert run(wheels(), scenes) == []


def test_a_rider_is_one_thing_though_the_detector_sees_two() -> None:
    scenes = []
    for step in range(30):
        things = walkers(step)
        if step >= 10:
            x = 50 + 20 * (step - 10)
            things += [(1, BICYCLE, at(x, 250, 50, 35)), (2, PERSON, at(x, 240)), (3, VEHICLE, at(x, 250, 50, 40))]
        scenes.append(scene(STEP * step, *things))
    found = run(wheels(), scenes)
    assert [f.facts["what"] for _, f in found] == ["bicycle"]


def test_wheels_that_the_detector_sees_only_faintly_make_a_fast_person_a_cyclist() -> None:
    def ride(glimpses: range, speed: float, wheels_move: bool = True) -> list[str]:
        scenes = []
        for step in range(25):
            x = 50 + speed * (step - 10)
            things = walkers(step) + ([(1, PERSON, at(x, 250))] if step >= 10 else [])
            faint = np.array([at(x if wheels_move else 130, 252, 40, 30)], np.float32)
            seen = Detections(faint, np.array([0.33], np.float32), np.array([BICYCLE], np.int8))
            found = seen if step in glimpses else Detections.none()
            scenes.append(replace(scene(STEP * step, *things), found=found))
        return [str(f.facts["what"]) for _, f in run(wheels(), scenes)]

    assert ride(range(12, 20, 3), 14) == ["bicycle"]
    assert ride(range(12, 13), 14) == []
    assert ride(range(12, 20, 3), 8) == []
    assert ride(range(12, 20), 14, wheels_move=False) == []


def test_the_zone_bounds_it_and_without_people_a_first_vehicle_still_counts() -> None:
    elsewhere = ZoneSpec("far", ((0, 500), (1000, 500), (1000, 600), (0, 600)))
    assert among_walkers(wheels(zone=elsewhere), BICYCLE, 20, width=50, height=35) == []
    alone = [scene(STEP * i, (1, VEHICLE, at(50 + 50 * i, 250, 120, 60))) for i in range(12)]
    assert [f.facts["what"] for _, f in run(wheels(), alone)] == ["vehicle"]


def test_on_a_measured_ground_speed_is_in_metres() -> None:
    """Away from the camera a pixel is many metres: without a ground plane this cyclist looks slow."""
    ground = Ground(((0, 600, 0, 0), (1000, 600, 10, 0), (1000, 100, 10, 100), (0, 100, 0, 100)))
    spec = AnalyticSpec("v", "vehicle_in_pedestrian_area", AREA, {}, ground=ground)
    away = [scene(STEP * i, (1, BICYCLE, at(500, 560 - 8.0 * i, 20, 35))) for i in range(12)]
    assert [f.facts["what"] for _, f in run(build(spec), away)] == ["bicycle"]


# ---- stopped_vehicle -----------------------------------------------------------------------


def stopped(**settings: object) -> Analytic:
    return build(AnalyticSpec("s", "stopped_vehicle", AREA, {"for_ms": 8000, **settings}))


def drive_and_stand(drives: int, stands: int, *, kind: int = VEHICLE) -> list[Scene]:
    xs = [50.0 + 30 * i for i in range(drives)]
    return [scene(STEP * i, (1, kind, at(x, 250, 80, 50))) for i, x in enumerate([*xs, *[xs[-1] + 30] * stands])]


def test_a_vehicle_that_came_and_stands_is_told_once() -> None:
    ((when, finding),) = run(stopped(), drive_and_stand(10, 60))
    assert 8000 <= when - 10 * STEP <= 8000 + STEP
    assert finding.why == "a vehicle has stood inside 'square' for 8 s"
    assert finding.facts["zone"] == "square"


def test_what_was_parked_before_what_drives_on_and_what_is_no_vehicle() -> None:
    assert run(stopped(), [scene(STEP * i, (1, VEHICLE, at(300, 250, 80, 50))) for i in range(60)]) == []
    assert run(stopped(), drive_and_stand(20, 10)) == []
    assert run(stopped(), drive_and_stand(10, 60, kind=PERSON)) == []


def test_a_parked_vehicle_stays_parked_under_another_number() -> None:
    scenes = [scene(STEP * i, (1 if i < 20 else 2, VEHICLE, at(300, 250, 80, 50))) for i in range(70)]
    assert run(stopped(), scenes) == []


def test_a_vehicle_that_the_detector_loses_stands_as_long_as_the_scene_says_so() -> None:
    came = drive_and_stand(10, 8)
    left = StaticChange(1, at(350, 250, 80, 50), since_ms=10 * STEP, steady_ms=1000)
    hidden = [scene(18 * STEP + 1000 * i, statics=(left,)) for i in range(12)]
    assert len(run(stopped(), [*came, *hidden])) == 1
    assert run(stopped(), [*came, *(scene(s.at_ms) for s in hidden)]) == []


def test_one_that_appears_where_the_scene_was_empty_came() -> None:
    fresh = StaticChange(1, at(300, 250, 80, 50), since_ms=20_000, steady_ms=1000)
    before = [scene(STEP * i) for i in range(50)]
    stands = [scene(20_000 + STEP * i, (1, VEHICLE, at(300, 250, 80, 50)), statics=(fresh,)) for i in range(40)]
    assert len(run(stopped(), [*before, *stands])) == 1


def test_reset_makes_what_stands_parked() -> None:
    rule = stopped()
    scenes = drive_and_stand(10, 60)
    assert run(rule, scenes[:20]) == []
    rule.reset()
    assert run(rule, scenes[20:]) == []


# ---- crowds -----------------------------------------------------------------------

PLANE = Ground(((0, 600, 0, 0), (1000, 600, 20, 0), (1000, 100, 20, 10), (0, 100, 0, 10)))
"""Flat: 50 px a metre, both ways."""


def surge(**settings: object) -> Analytic:
    return build(AnalyticSpec("c", "crowd_surge", AREA, settings, ground=PLANE))


def people(steps: range, speed_m_s: float, n: int, start: int = 0) -> list[Scene]:
    step_px = speed_m_s * 50 * STEP / 1000
    return [
        scene(STEP * i, *((k, PERSON, at(start + 100 + step_px * (i - steps[0]), 150 + 60 * k)) for k in range(n)))
        for i in steps
    ]


def test_several_who_begin_to_run_are_told_once() -> None:
    calm, sudden = people(range(10), 0.5, 5), people(range(10, 20), 3.5, 5, start=60)
    ((when, finding),) = run(surge(), [*calm, *sudden])
    assert when > 10 * STEP + 1000
    assert finding.facts["running"] == 5
    assert finding.facts["speed_m_s"] == pytest.approx(3.5, abs=0.1)
    assert finding.why.startswith("about 5 of 5 people run, at 3.5 m/s")


def test_too_few_too_slow_or_too_short_is_no_surge() -> None:
    assert run(surge(), people(range(20), 3.5, 3)) == []
    assert run(surge(), people(range(20), 2.0, 6)) == []
    assert run(surge(for_ms=5000), people(range(12), 3.5, 6)) == []
    assert len(run(surge(people=3), people(range(20), 3.5, 3))) == 1


def test_of_those_who_have_no_speed_as_many_run_as_of_those_who_have_one() -> None:
    """Two are followed and run; six more are only found, look after look."""
    many = Detections(
        np.array([at(100 + 80 * k, 500) for k in range(8)], np.float32),
        np.full(8, 0.6, np.float32),
        np.zeros(8, np.int8),
    )
    runs = [replace(s, found=many) for s in people(range(12), 3.5, 2)]
    ((_, finding),) = run(surge(), runs)
    assert (finding.facts["running"], finding.facts["people"], finding.facts["measured"]) == (8, 8, 2)
    assert run(surge(people=5), runs) == []
    walks = [replace(s, found=many) for s in people(range(12), 1.0, 2)]
    assert run(surge(), walks) == []


def test_a_jump_of_tracks_is_no_run() -> None:
    scenes = [*people(range(10), 0.0, 5), *people(range(10, 20), 0.0, 5, start=200)]
    assert run(surge(), scenes) == []


def test_density_is_counted_on_the_measured_ground() -> None:
    area = PLANE.area(AREA.polygon)
    assert area == pytest.approx(20 * 12)
    spec = AnalyticSpec("d", "crowd_density", AREA, {"people_per_m2": 5 / 240, "for_ms": 1000}, ground=PLANE)
    ((_, finding),) = run(build(spec), people(range(6), 0.0, 5))
    assert finding.facts["area_m2"] == pytest.approx(area)
    stated = ZoneSpec("square", AREA.polygon, area_m2=1000.0)
    rough = AnalyticSpec("d", "crowd_density", stated, {"people_per_m2": 5 / 240}, ground=Ground.flat(0.02))
    assert run(build(rough), people(range(60), 0.0, 5)) == []


# ---- what all of them refuse -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (AnalyticSpec("a", "wrong_way", None), "needs a line"),
        (AnalyticSpec("a", "wrong_way", AREA), "needs a line"),
        (AnalyticSpec("a", "wrong_way", ZoneSpec("z", ((5, 5), (6, 6)), line=True)), "too short"),
        (AnalyticSpec("a", "wrong_way", UP, {"of": ["face"]}), "is about"),
        (AnalyticSpec("a", "vehicle_in_pedestrian_area", None), "no zone"),
        (AnalyticSpec("a", "vehicle_in_pedestrian_area", UP), "is a line"),
        (AnalyticSpec("a", "vehicle_in_pedestrian_area", AREA, {"of": ["person"]}), "is about"),
        (AnalyticSpec("a", "stopped_vehicle", None), "no zone"),
        (AnalyticSpec("a", "stopped_vehicle", AREA, {"for_ms": "long"}), "needs a number"),
        (AnalyticSpec("a", "crowd_surge", AREA), "needs metres"),
        (AnalyticSpec("a", "crowd_surge", AREA, {"people": 0}, ground=PLANE), "asks for nothing"),
        (AnalyticSpec("a", "crowd_density", AREA, {"people_per_m2": 1}, ground=Ground.flat(0.1)), "ground area"),
        (AnalyticSpec("a", "intrusion", UP), "is a line"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_way_out(spec: AnalyticSpec, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        build(spec)
    assert refused.value.fix


def test_a_zone_answers_for_points() -> None:
    assert Zone(AREA).holds(feet(np.array([at(50, 50), at(50, 700)], np.float32))).tolist() == [True, False]
    assert Zone(None).holds(np.zeros((2, 2), np.float32)).tolist() == [True, True]


@pytest.mark.parametrize("kind", [k for k, made in KINDS_OF_INCIDENT.items() if hasattr(made, "card")])
def test_a_card_is_about_its_kind_and_says_everything(kind: str) -> None:
    card = KINDS_OF_INCIDENT[kind].card  # type: ignore[attr-defined] # those with a card are classes
    assert card.kind == kind
    assert card.rule
    assert card.evidence
    assert len(card.fails) >= 3
    assert "pixels" not in card.sees
