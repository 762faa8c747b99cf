from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.fall import Fall
from watchglass.perception.analytics.lying import LyingRule
from watchglass.perception.analytics.person_down import PersonDown
from watchglass.perception.analytics.rule import Finding, Scene
from watchglass.perception.ground import Ground
from watchglass.perception.health import Condition
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import Detections, StaticChange, Tracks
from watchglass.perception.posture import Postures
from watchglass.perception.regions import Regions

Box = tuple[float, float, float, float]

FLOOR = ZoneSpec("floor", ((0, 0), (400, 0), (400, 300), (0, 300)))
STANDS: Box = (100, 100, 140, 200)
CROUCHES: Box = (98, 145, 142, 200)
SITS: Box = (98, 125, 145, 200)
LIES: Box = (95, 165, 190, 202)
FAR_AWAY: Box = (300, 165, 395, 202)


def found(*boxes: Box, score: float = 0.5, kind: int = 0) -> Detections:
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.full(n, score, np.float32), np.full(n, kind, np.int8)
    )


def scene(at_ms: int, seen: Detections | None, *statics: StaticChange, overhead: bool = False) -> Scene:
    ground = Ground.flat(0.01) if overhead else None
    return Scene(at_ms, Tracks.none(at_ms), statics=statics, found=seen, ground=ground, overhead=overhead)


def looks(start_ms: int, n: int, *boxes: Box, every: int = 400, score: float = 0.5) -> list[Scene]:
    return [scene(start_ms + every * i, found(*boxes, score=score)) for i in range(n)]


def fall(zone: ZoneSpec | None = FLOOR, **settings: object) -> Fall:
    return Fall(AnalyticSpec("f", "fall", zone, settings))


def down(**settings: object) -> PersonDown:
    return PersonDown(AnalyticSpec("d", "person_down", FLOOR, settings))


def run(rule: LyingRule, scenes: list[Scene]) -> list[tuple[int, Finding]]:
    return [(s.at_ms, f) for s in scenes if (f := rule.see(s)) is not None]


def test_a_fall_is_told_once_within_three_seconds_of_its_beginning() -> None:
    ((at, finding),) = run(fall(), [*looks(0, 5, STANDS), *looks(2000, 20, LIES)])
    assert at == 2800
    assert (
        finding.why == "the height of somebody upright came down by 65% within 0.4 s, and the person has lain for 0.8 s"
    )
    assert finding.facts == {"seconds": 0.8, "looks": 3, "down_within_s": 0.4, "top_came_down": 0.65}
    assert finding.score == pytest.approx(0.5)
    assert finding.boxes == ((95, 165, 190, 202, 0),)


@pytest.mark.parametrize("after", [STANDS, CROUCHES, SITS, FAR_AWAY])
def test_who_stands_crouches_or_sits_has_not_fallen_nor_who_lies_elsewhere(after: Box) -> None:
    scenes = [*looks(0, 5, STANDS), *looks(2000, 40, after)]
    assert run(fall(), scenes) == []
    assert run(down(), scenes) == []


def test_who_bends_down_and_is_up_again_has_not_fallen() -> None:
    assert run(fall(), [*looks(0, 5, STANDS), *looks(2000, 1, LIES), *looks(2400, 10, STANDS)]) == []


def test_somebody_who_stands_where_another_lies_in_front_has_not_fallen() -> None:
    assert run(fall(), [*looks(0, 5, STANDS), *looks(2000, 10, STANDS, LIES)]) == []


def test_lying_down_slowly_is_no_fall_and_somebody_down_all_the_same() -> None:
    scenes = [*looks(0, 5, STANDS), *looks(2000, 8, CROUCHES), *looks(5200, 40, LIES)]
    scenes = [*looks(0, 5, STANDS), *[scene(2000 + 400 * i, found()) for i in range(8)], *looks(5200, 40, LIES)]
    assert run(fall(), scenes) == []
    ((at, finding),) = run(down(), scenes)
    assert at == 15_200
    assert finding.why == "somebody has lain on the ground for 10 s (found in 26 looks)"


def test_furniture_that_looks_like_somebody_lying_stays_furniture() -> None:
    scenes = [*looks(0, 20, STANDS, LIES), *looks(8000, 20, LIES)]
    assert run(fall(), scenes) == []


def test_a_look_that_misses_does_not_undo_a_fall_and_a_longer_gap_does() -> None:
    missed = [*looks(0, 5, STANDS), *looks(2000, 1, LIES), scene(2400, found()), *looks(2800, 3, LIES)]
    assert [at for at, _ in run(fall(), missed)] == [2800]
    lost = [*looks(0, 5, STANDS), *looks(2000, 1, LIES), *[scene(2400 + 400 * i, found()) for i in range(6)]]
    assert run(fall(), lost) == []


def test_only_people_only_in_the_zone_and_only_for_long_enough() -> None:
    scenes = [*looks(0, 5, STANDS), *looks(2000, 20, LIES)]
    cars = [scene(s.at_ms, Detections(s.found.boxes, s.found.scores, s.found.kinds + 1)) for s in scenes if s.found]
    assert run(fall(), cars) == []
    assert run(fall(ZoneSpec("else", ((0, 0), (50, 0), (50, 300), (0, 300)))), scenes) == []
    assert [at for at, _ in run(fall(for_ms=2000), scenes)] == [4000]
    assert run(fall(), [*looks(0, 5, STANDS), *looks(2000, 20, LIES, score=0.2)]) == []


def test_two_people_who_fall_one_after_the_other_are_two_events() -> None:
    other: Box = (300, 100, 340, 200)
    other_lies: Box = (290, 165, 385, 202)
    scenes = [*looks(0, 5, STANDS, other), *looks(2000, 5, LIES, other), *looks(4000, 20, LIES, other_lies)]
    assert [at for at, _ in run(fall(), scenes)] == [2800, 4800]


def test_who_is_lost_and_found_again_at_the_same_place_is_the_same() -> None:
    first = [*looks(0, 5, STANDS), *looks(2000, 5, LIES), *[scene(4000 + 400 * i, found()) for i in range(20)]]
    again = [*looks(12_000, 3, STANDS), *looks(13_200, 5, LIES)]
    assert len(run(fall(), first + again)) == 1
    assert len(run(fall(rearm_ms=3000), first + again)) == 2


def test_somebody_down_who_gets_up_in_time_is_not_told() -> None:
    assert run(down(), [*looks(0, 5, STANDS), *looks(2000, 15, LIES), *looks(8000, 40, STANDS)]) == []


def test_a_change_of_the_scene_speaks_for_somebody_whom_the_detector_has_lost() -> None:
    body = StaticChange(7, (95, 165, 190, 202), 3000, 3000)
    fell = [*looks(0, 5, STANDS), *looks(2000, 4, LIES)]
    unseen = [scene(3600 + 400 * i, found(), body) for i in range(30)]
    ((at, finding),) = run(down(), fell + unseen)
    assert at == 12_000
    assert finding.why.endswith("(the scene has not changed back there)")
    assert finding.facts["stays_in_the_scene"] is True
    gone = [scene(3600 + 400 * i, found(), *([body] if i < 5 else [])) for i in range(30)]
    assert run(down(), fell + gone) == []


def test_somebody_down_in_front_of_a_gate_that_shut_is_still_down() -> None:
    shut = [scene(4000 + 2000 * i, None) for i in range(6)]
    assert [at for at, _ in run(down(), [*looks(0, 5, STANDS), *looks(2000, 4, LIES), *shut])] == [12_000]


def test_a_detector_that_looks_and_finds_nobody_ends_it() -> None:
    empty = [scene(3600 + 400 * i, found()) for i in range(40)]
    assert run(down(), [*looks(0, 5, STANDS), *looks(2000, 4, LIES), *empty]) == []


def test_a_look_elsewhere_says_nothing_about_who_lies_here() -> None:
    fell = [*looks(0, 5, STANDS), *looks(2000, 2, LIES)]
    elsewhere = [replace(s, window=(300, 0, 400, 300)) for s in looks(2800, 10)]
    again = looks(6800, 2, LIES)
    assert [at for at, _ in run(fall(), [*fell, *elsewhere, *again])] == [6800]
    assert run(fall(), [*fell, *looks(2800, 10), *again]) != [], "a whole look that finds nobody upright is enough"
    between = [scene(s.at_ms + 200, None) for s in elsewhere]
    mixed = sorted([*elsewhere, *between], key=lambda s: s.at_ms)
    assert [at for at, _ in run(fall(), [*fell, *mixed, *again])] == [6800]
    once = [*looks(0, 5, STANDS), *looks(2000, 1, LIES)]
    assert [at for at, _ in run(fall(), [*once, *elsewhere, *again])] == [6800]
    assert run(fall(), [*once, *looks(2800, 10), *again]) == []


def test_a_camera_at_fault_tells_of_nobody() -> None:
    fell = [*looks(0, 5, STANDS), *looks(2000, 4, LIES)]
    dark = [replace(s, condition=Condition("lost", 3000)) for s in looks(3600, 40, LIES)]
    assert run(down(), [*fell, *dark]) == []


def test_from_above_something_long_that_lies_still_where_nothing_lay() -> None:
    walks = [scene(400 * i, found((20 + 40 * i, 20, 100 + 40 * i, 100)), overhead=True) for i in range(5)]
    lies = [scene(2000 + 400 * i, found((200, 60, 340, 130)), overhead=True) for i in range(10)]
    ((at, finding),) = run(fall(), walks + lies)
    assert at == 3200
    assert finding.why == "somebody (1.6 m long) has lain still for 1.2 s where nobody lay before"
    short = [scene(2000 + 400 * i, found((200, 60, 260, 120)), overhead=True) for i in range(10)]
    assert run(fall(), walks + short) == []
    assert run(fall(), lies) == [], "who lay there from the first look on has not been seen to fall"
    blind = [Scene(s.at_ms, s.tracks, found=s.found, overhead=True) for s in walks + lies]
    assert run(fall(), blind) == [], "without a scale nobody can say how long it is"


def test_reset_forgets_who_was_upright() -> None:
    rule = fall()
    run(rule, looks(0, 5, STANDS))
    rule.reset()
    assert run(rule, looks(2000, 10, LIES)) == []


def test_memory_does_not_grow() -> None:
    postures = Postures()
    for i in range(2000):
        postures.see(400 * i, found(STANDS, LIES, FAR_AWAY))
    assert len(postures._seen) <= 60_000 / 400 + 2
    assert len(postures._upright) <= 6000 / 400 + 2


def test_a_line_is_refused() -> None:
    with pytest.raises(BadInput, match="line") as caught:
        fall(ZoneSpec("edge", ((0, 0), (10, 10)), line=True))
    assert caught.value.fix


def test_whoever_is_large_in_the_picture_is_looked_at_whole_two_times_of_three_while_postures_matter() -> None:
    nobody, sure = np.zeros((0, 4), np.float32), np.zeros(0, bool)
    large = np.array([[500, 300, 800, 900]], np.float32)

    def whole(regions: Regions, moving: np.ndarray, start_ms: int, n: int) -> list[bool]:
        return [regions.next(start_ms + 400 * i, moving, nobody, sure).whole for i in range(n)]

    regions = Regions((1920, 1080), 416, postures=True)
    assert sum(whole(regions, large, 0, 9)) >= 6
    assert sum(whole(regions, nobody, 3600, 9)) >= 6, "who has fallen moves no more"
    assert sum(whole(regions, nobody, 9000, 9)) < 6
