"""A camera's clock that jumps is a fault of the camera, told once and at once."""

from __future__ import annotations

import numpy as np

from watchglass.perception.analytics.camera_fault import CameraFault
from watchglass.perception.analytics.rule import Scene
from watchglass.perception.health import HealthWatch
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import Tracks

SCENE = np.random.default_rng(1).integers(40, 200, (30, 40), np.uint8)


def test_a_jump_is_told_once_whatever_for_says_and_is_over_after_a_minute() -> None:
    watch, rule = HealthWatch(), CameraFault(AnalyticSpec("fault", "camera_fault", None, {"for_ms": 10_000}))
    told = []
    for second in range(200):
        at_ms = second * 1000
        if second in (20, 150):
            watch.jumped(at_ms, -3_600_000)
        noisy = (SCENE + np.random.default_rng(second).integers(0, 4, SCENE.shape)).astype(np.uint8)
        condition = watch.look(at_ms, noisy, noisy)
        assert (condition is not None) == (20 < second <= 80 or second > 150)
        finding = rule.see(Scene(at_ms, Tracks.none(at_ms), condition))
        if finding is not None:
            told.append((second, finding))
    assert [second for second, _ in told] == [21, 151]
    assert told[0][1].facts["condition"] == "clock"
    assert told[0][1].facts["jump_s"] == -3600.0
    assert "clock jumped" in told[0][1].why


def test_a_jump_hides_no_graver_fault() -> None:
    watch = HealthWatch()
    watch.jumped(0, 5_000)
    dark = np.zeros_like(SCENE)
    seen = [watch.look(second * 1000, dark, dark) for second in range(5)]
    assert [c.name for c in seen if c is not None][-1] == "black"
