from __future__ import annotations

import numpy as np
import pytest

from watchglass.views.light import TILES, changes_anything, even_light, light, relight


def ground(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 150, (240, 320, 3), np.uint8)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.3])
def test_a_cloud_is_found_and_can_be_painted(factor: float):
    then = ground()
    now = (then * factor).round().astype(np.uint8)
    field = light(then, now)
    assert field == pytest.approx(np.full(TILES, factor), rel=0.03)
    assert np.abs(relight(then, field).astype(int) - now).mean() < 2.5


def test_a_gradient_of_light_is_followed():
    then = ground()
    now = (then * np.linspace(0.6, 1.4, 320)[None, :, None]).clip(0, 255).round().astype(np.uint8)
    assert np.abs(relight(then, light(then, now)).astype(int) - now).mean() < 9


def test_a_thing_does_not_draw_itself_into_the_light():
    then = ground()
    now = then.copy()
    now[60:180, 100:140] = 5
    assert light(then, now) == pytest.approx(np.ones(TILES), abs=0.06)


def test_only_usable_pixels_count():
    then, now = ground(), ground()
    usable = np.zeros((240, 320), bool)
    usable[:, :160] = True
    now[:, 160:] = 20
    assert light(then, now, usable) == pytest.approx(np.ones(TILES))


def test_where_nothing_can_be_said_the_light_is_even():
    black = np.zeros((240, 320, 3), np.uint8)
    assert (light(black, ground()) == even_light()).all()
    assert not changes_anything(even_light())
    assert relight(black, even_light()) is black
