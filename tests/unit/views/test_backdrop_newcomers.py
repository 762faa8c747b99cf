"""Who is there from the fifth second on came, whatever the moments at which the learner happened to look."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.views.backdrop import BackdropLearner

THING = (20, 30, 200)
MIDDLE = (slice(32, 64), slice(32, 64))


def scene(seed: int, *, there: bool) -> np.ndarray:
    fixed = np.random.default_rng(99).integers(-20, 20, (96, 128, 1))
    noise = np.random.default_rng(seed).integers(-3, 4, (96, 128, 3))
    picture = np.array((60, 110, 90)) + fixed + noise
    if there:
        picture[MIDDLE] = np.array(THING) + noise[MIDDLE]
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("every_ms", [500, 1000, 1600, 2000])
@pytest.mark.parametrize("since_ms", [5000, 5400, 6000])
def test_somebody_who_is_suddenly_there_after_five_seconds_is_never_admitted(every_ms: int, since_ms: int) -> None:
    learner = BackdropLearner(128, 96)
    free = np.zeros((96, 128), bool)
    for at_ms in range(0, 15 * 60_000, every_ms):
        learner.look(at_ms, scene(at_ms, there=at_ms >= since_ms), free)
    picture = learner.picture()
    assert not picture.admitted[MIDDLE].any()
    assert picture.admitted[:, 96:].all()


def test_somebody_who_is_there_after_two_seconds_is_taken_for_the_scene() -> None:
    """No rule can tell: an operator must."""
    learner = BackdropLearner(128, 96)
    free = np.zeros((96, 128), bool)
    for at_ms in range(0, 120_000, 1000):
        learner.look(at_ms, scene(at_ms, there=at_ms >= 2000), free)
    assert learner.picture().admitted[MIDDLE].all()
