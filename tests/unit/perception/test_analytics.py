from __future__ import annotations

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.analytics import KINDS_OF_INCIDENT, Analytic, Finding, Scene, build
from watchglass.perception.health import Condition
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import Tracks

ZONE = ZoneSpec("track", ((0, 0), (100, 0), (100, 100), (0, 100)), area_m2=10.0)


def tracks(at_ms: int, *things: tuple[int, float, int], score: float = 0.7) -> Tracks:
    """Things as (id, x of the foot point, kind); they stand at y = 50."""
    return Tracks(
        at_ms,
        np.array([t[0] for t in things], np.int64),
        np.array([[t[1] - 5, 20, t[1] + 5, 50] for t in things], np.float32).reshape(-1, 4),
        np.full(len(things), score, np.float32),
        np.array([t[2] for t in things], np.int8),
    )


def run(rule: Analytic, scenes: list[Scene]) -> list[tuple[int, Finding]]:
    return [(s.at_ms, f) for s in scenes if (f := rule.see(s)) is not None]


def walk(seconds: range, *things: tuple[int, float, int]) -> list[Scene]:
    return [Scene(1000 * s, tracks(1000 * s, *things)) for s in seconds]


def intrusion(**settings: object) -> Analytic:
    return build(AnalyticSpec("a", "intrusion", ZONE, {"for_ms": 2000, **settings}))


def test_intrusion_fires_once_when_somebody_has_been_inside_for_long_enough() -> None:
    ((at, finding),) = run(intrusion(), walk(range(30), (1, 50, 0)))
    assert at == 2000
    assert finding.why == "1 person inside 'track' for 2.0 s"
    assert finding.score == pytest.approx(0.7)
    assert finding.facts == {"count": {"person": 1}, "seconds": 2.0, "zone": "track"}


def test_intrusion_counts_each_thing_by_itself() -> None:
    """Two who cross the zone one after the other, each for a second and a half, do not add up."""
    scenes = []
    for step in range(8):
        at = 500 * step
        scenes.append(Scene(at, tracks(at, (1 if step < 4 else 2, 50, 0))))
    assert run(intrusion(), scenes) == []


def test_intrusion_heeds_kinds_zone_and_feet() -> None:
    assert run(intrusion(), walk(range(5), (1, 50, 1))) == []
    ((_, finding),) = run(intrusion(of=["vehicle"]), walk(range(5), (1, 50, 1), (2, 50, 0)))
    assert finding.why.startswith("1 vehicle inside")
    assert run(intrusion(), walk(range(5), (1, 150, 0))) == []


def test_intrusion_overlooks_a_missed_detection_and_not_a_walk_outside() -> None:
    gap = [*walk(range(1), (1, 50, 0)), Scene(800, tracks(800)), *walk(range(1, 4), (1, 50, 0))]
    assert [at for at, _ in run(intrusion(), gap)] == [2000]
    outside = [*walk(range(2), (1, 50, 0)), *walk(range(2, 5), (1, 200, 0)), *walk(range(5, 8), (1, 50, 0))]
    assert [at for at, _ in run(intrusion(), outside)] == [7000]


def test_intrusion_is_ready_again_only_after_the_zone_was_empty() -> None:
    scenes = [*walk(range(10), (1, 50, 0)), *walk(range(10, 13)), *walk(range(13, 20), (2, 50, 0))]
    assert len(run(intrusion(), scenes)) == 1
    scenes = [*walk(range(10), (1, 50, 0)), *walk(range(10, 17)), *walk(range(17, 25), (2, 50, 0))]
    assert [at for at, _ in run(intrusion(), scenes)] == [2000, 19000]


def test_intrusion_between_rare_looks_of_a_quiet_scene() -> None:
    scenes = [Scene(4000 * i, tracks(4000 * i, (1, 50, 0))) for i in range(4)]
    assert [at for at, _ in run(intrusion(), scenes)] == [4000]


def test_reset_forgets_how_long_and_not_that_it_was_told() -> None:
    rule = intrusion()
    run(rule, walk(range(2), (1, 50, 0)))
    rule.reset()
    assert [at for at, _ in run(rule, walk(range(2, 6), (1, 50, 0)))] == [4000]
    rule.reset()
    assert run(rule, walk(range(6, 12), (1, 50, 0))) == []


def crowd(n: int) -> tuple[tuple[int, float, int], ...]:
    return tuple((i, 10.0 + i, 0) for i in range(n))


def test_crowd_density_counts_people_on_the_ground_that_it_knows() -> None:
    rule = build(AnalyticSpec("c", "crowd_density", ZONE, {"people_per_m2": 0.5, "for_ms": 3000}))
    scenes = [*walk(range(5), *crowd(4)), *walk(range(5, 12), *crowd(6), (99, 50, 1))]
    ((at, finding),) = run(rule, scenes)
    assert at == 8000
    assert finding.why == "6 people on 10 m² of 'track' (0.60 a square metre, limit 0.5) for 3.0 s"
    assert finding.facts["people"] == 6


def test_crowd_density_has_hysteresis() -> None:
    rule = build(AnalyticSpec("c", "crowd_density", ZONE, {"people_per_m2": 0.5, "for_ms": 1000, "rearm_ms": 5000}))
    hovering = [Scene(1000 * s, tracks(1000 * s, *crowd(5 if (s // 3) % 2 else 4))) for s in range(60)]
    assert len(run(rule, hovering)) == 1
    gone = [*walk(range(60, 70), *crowd(2)), *walk(range(70, 75), *crowd(5))]
    assert [at for at, _ in run(rule, gone)] == [71_000]


def test_camera_fault_says_what_is_wrong_once() -> None:
    rule = build(AnalyticSpec("f", "camera_fault", None, {"for_ms": 5000}))
    scenes = [Scene(1000 * s, tracks(1000 * s), Condition("black", 2000, {"level": 3.0})) for s in range(2, 40)]
    ((at, finding),) = run(rule, scenes)
    assert at == 7000
    assert finding.score is None
    assert finding.why == "the picture has been black for 5 s"
    assert finding.facts == {"condition": "black", "seconds": 5.0, "level": 3.0}
    assert run(rule, [Scene(41_000, tracks(41_000), Condition("lost", 30_000))])[0][1].facts["condition"] == "lost"


def test_camera_fault_of_some_conditions_only() -> None:
    rule = build(AnalyticSpec("f", "camera_fault", None, {"of": ["lost"]}))
    assert run(rule, [Scene(90_000, tracks(90_000), Condition("black", 0))]) == []


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (AnalyticSpec("x", "mind_reading", ZONE), "kind"),
        (AnalyticSpec("x", "intrusion", None), "zone"),
        (AnalyticSpec("x", "intrusion", ZONE, {"of": ["face"]}), "face"),
        (AnalyticSpec("x", "intrusion", ZONE, {"for_ms": -1}), "for_ms"),
        (AnalyticSpec("x", "intrusion", ZONE, {"for_ms": True}), "for_ms"),
        (AnalyticSpec("x", "crowd_density", ZONE), "people_per_m2"),
        (AnalyticSpec("x", "crowd_density", ZONE, {"people_per_m2": 0}), "zero"),
        (AnalyticSpec("x", "crowd_density", ZoneSpec("z", ZONE.polygon), {"people_per_m2": 1}), "area"),
        (AnalyticSpec("x", "camera_fault", None, {"of": "tired"}), "tired"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(spec: AnalyticSpec, word: str) -> None:
    with pytest.raises(BadInput, match=word) as caught:
        build(spec)
    assert caught.value.fix


def test_every_kind_has_words_for_people_and_no_kind_reads_pixels() -> None:
    assert set(KINDS_OF_INCIDENT) >= {"intrusion", "crowd_density", "camera_fault"}
    assert set(Scene.__dataclass_fields__) == {
        "at_ms", "tracks", "condition", "statics", "found", "window", "ground", "overhead",
    }  # fmt: skip
