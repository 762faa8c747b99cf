"""What a candidate settled on stays its colour: who is only a little darker than the ground cannot pull it over."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.views.backdrop import BackdropLearner

MIDDLE = (slice(32, 64), slice(32, 64))
GROUND = 168


def scene(seed: int, level: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 3, (96, 128, 3))
    picture = GROUND + noise
    picture[MIDDLE] += level - GROUND
    return picture.round().clip(0, 255).astype(np.uint8)


def learned(levels: list[int]) -> np.ndarray:
    learner = BackdropLearner(128, 96)
    free = np.zeros((96, 128), bool)
    for second, level in enumerate(levels):
        learner.look(second * 1000, scene(second, level), free)
    picture = learner.picture()
    return picture.bgr[MIDDLE][picture.admitted[MIDDLE]].astype(int)


FARTHEST = 15
"""Levels: one for each look from the fifth second on until there is enough to be admitted."""


@pytest.mark.parametrize("darker", [17, 19, 22])
def test_a_coat_that_is_hardly_darker_than_the_ground_does_not_become_it(darker: int) -> None:
    shown = learned([GROUND] * 5 + [GROUND - darker] * 600)
    assert (np.abs(shown - GROUND) <= FARTHEST + 10).all(), "and three deviations of the noise of what was first"
    assert not len(shown) or np.median(shown) >= GROUND - FARTHEST


def test_nobody_walks_a_colour_over_step_by_step() -> None:
    """Each step is near the last one, and so agrees; all of them together are somebody else."""
    shown = learned([GROUND] * 5 + [GROUND - min(60, second // 10) for second in range(900)])
    assert not len(shown) or np.median(shown) >= GROUND - 3


def test_a_colour_settles_on_what_is_there_and_not_on_the_noise_of_the_first_look() -> None:
    shown = learned([GROUND] * 60)
    assert shown.size == 32 * 32 * 3
    assert np.abs(shown - GROUND).mean() < 1.7, "the noise itself is 2.4 levels on average"
