from __future__ import annotations

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.analytics import build
from watchglass.perception.analytics.rule import Analytic, Finding, Scene
from watchglass.perception.ground import Ground
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import Detections, StaticChange, Tracks

Person = tuple[int, float]
"""Number and x of the foot; everybody is 100 pixels tall and stands at y = 200."""

SQUARE = ZoneSpec("square", ((0, 0), (2000, 0), (2000, 400), (0, 400)))
BOX = (490.0, 165.0, 520.0, 200.0)
FAR = 900.0


def rule(zone: ZoneSpec | None = SQUARE, **settings: object) -> Analytic:
    return build(AnalyticSpec("u", "unattended_object", zone, {"for_ms": 10_000, **settings}))


def scene(
    second: int, *people: Person, box: tuple[float, float, float, float] | None = BOX, since: int = 10,
    gone: bool | None = False, kind: int = 0, ground: Ground | None = None, found: Detections | None = None,
) -> Scene:  # fmt: skip
    at_ms = 1000 * second
    tracks = Tracks(
        at_ms,
        np.array([p[0] for p in people], np.int64),
        np.array([[p[1] - 20, 100, p[1] + 20, 200] for p in people], np.float32).reshape(-1, 4),
        np.full(len(people), 0.7, np.float32),
        np.full(len(people), kind, np.int8),
    )
    there = box is not None and second >= since + 3
    statics = (StaticChange(1, box, 1000 * since, at_ms - 1000 * since, gone),) if there and box else ()
    return Scene(at_ms, tracks, statics=statics, ground=ground, found=found)


def run(analytic: Analytic, scenes: list[Scene]) -> list[tuple[int, Finding]]:
    return [(s.at_ms, f) for s in scenes if (f := analytic.see(s)) is not None]


def brings(until: int = 15, x: float = 500.0) -> list[Scene]:
    """Somebody (number 1) stands at the spot from second 5 on and is far away from ``until`` on."""
    return [scene(s, (1, x)) for s in range(5, until)]


def test_a_thing_left_behind_is_told_once_when_its_bringer_has_been_away_for_long_enough() -> None:
    scenes = [*brings(), *[scene(s, (1, FAR)) for s in range(15, 60)]]
    ((at, finding),) = run(rule(), scenes)
    assert at == 25_000
    assert finding.score is None
    assert finding.boxes == ((490, 165, 520, 200, 3),)
    assert finding.why == (
        "something that a person left behind 15 s ago has been alone for 10 s (nobody who brought it within 3 m)"
    )
    assert finding.facts == {
        "seconds_there": 15.0, "seconds_alone": 10.0, "box": [490, 165, 520, 200], "height_share_of_person": 0.35,
        "measured_by": "people's height in the picture", "was_taken_away": False,
    }  # fmt: skip


def test_as_long_as_the_bringer_is_near_it_is_attended() -> None:
    near = [*brings(), *[scene(s, (1, 600.0)) for s in range(15, 60)]]
    assert run(rule(), near) == []
    assert [at for at, _ in run(rule(owner_within_m=1.0), near)] == [25_000]
    comes_back = [
        *brings(),
        *[scene(s, (1, FAR)) for s in range(15, 22)],
        *[scene(s, (1, 520.0)) for s in range(22, 60)],
    ]
    assert run(rule(), comes_back) == []


def test_metres_come_from_the_ground_plane_where_there_is_one() -> None:
    plane = Ground(
        ((0.0, 0.0, 0.0, 0.0), (1000.0, 0.0, 100.0, 0.0), (1000.0, 400.0, 100.0, -40.0), (0.0, 400.0, 0.0, -40.0))
    )
    scenes = [scene(s, (1, 500.0), ground=plane) for s in range(5, 15)]
    scenes += [scene(s, (1, 560.0), ground=plane) for s in range(15, 60)]
    ((_, finding),) = run(rule(), scenes)
    assert finding.facts["measured_by"] == "the ground plane"
    rough = [Scene(s.at_ms, s.tracks, statics=s.statics, ground=Ground.flat(0.1)) for s in scenes]
    assert run(rule(), rough) == [], (
        "a mere scale is no measure from the side: 60 pixels are a metre for who is 100 tall"
    )


def test_passers_by_do_not_attend_to_it_and_whoever_stays_does() -> None:
    passing = [*brings(), *[scene(s, (1, FAR), (100 + s // 4, 520.0)) for s in range(15, 60)]]
    assert [at for at, _ in run(rule(), passing)] == [25_000]
    staying = [*brings(), *[scene(s, (1, FAR), (2, 520.0)) for s in range(15, 60)]]
    assert run(rule(), staying) == []


def test_what_nobody_brought_is_not_told() -> None:
    assert run(rule(), [scene(s, (1, FAR)) for s in range(5, 60)]) == []
    vehicles = [*[scene(s, (1, 500.0), kind=1) for s in range(5, 15)], *[scene(s) for s in range(15, 60)]]
    assert run(rule(), vehicles) == []


def test_somebody_who_is_found_and_not_followed_can_have_brought_it() -> None:
    seen = Detections(np.array([[480, 100, 520, 200]], np.float32), np.full(1, 0.5, np.float32), np.zeros(1, np.int8))
    scenes = [*[scene(s, found=seen) for s in range(5, 12)], *[scene(s) for s in range(12, 60)]]
    assert [at for at, _ in run(rule(), scenes)] == [23_000]


def test_what_was_taken_away_is_larger_than_its_bringer_or_moves_on_is_not_told() -> None:
    away = [scene(s, (1, FAR), gone=True) for s in range(15, 60)]
    assert run(rule(), [*[scene(s, (1, 500.0), gone=True) for s in range(5, 15)], *away]) == []
    large = (400.0, 80.0, 600.0, 200.0)
    scenes = [scene(s, (1, 500.0), box=large) for s in range(5, 15)] + [
        scene(s, (1, FAR), box=large) for s in range(15, 60)
    ]
    assert run(rule(), scenes) == []
    assert run(rule(), [*brings(), *[scene(s, (1, FAR), box=None) for s in range(15, 60)]]) == []


def test_what_looks_like_a_person_is_no_thing() -> None:
    child = Detections(np.array([BOX], np.float32), np.full(1, 0.5, np.float32), np.zeros(1, np.int8))
    scenes = [*brings(), *[scene(s, (1, FAR), found=child) for s in range(15, 60)]]
    assert run(rule(), scenes) == []


def test_only_in_the_zone() -> None:
    scenes = [*brings(), *[scene(s, (1, FAR)) for s in range(15, 60)]]
    elsewhere = ZoneSpec("elsewhere", ((0, 0), (100, 0), (100, 400), (0, 400)))
    assert run(rule(elsewhere), scenes) == []
    assert len(run(rule(None), scenes)) == 1


def test_reset_keeps_what_was_told() -> None:
    analytic = rule()
    scenes = [*brings(), *[scene(s, (1, FAR)) for s in range(15, 60)]]
    assert len(run(analytic, scenes)) == 1
    analytic.reset()
    assert run(analytic, [scene(s, (1, FAR)) for s in range(60, 90)]) == []


@pytest.mark.parametrize("settings", [{"for_ms": -1}, {"owner_within_m": "near"}])
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        rule(**settings)
    assert caught.value.fix
