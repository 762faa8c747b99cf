from __future__ import annotations

import numpy as np
import pytest

from watchglass.views.light import (
    LIMITS,
    TILES,
    changes_anything,
    coarse,
    even_light,
    field_of,
    light,
    light_of_luma,
    relight,
)


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


def test_what_leaves_the_house_is_twelve_small_numbers():
    field = light(ground(), (ground() * np.linspace(0.6, 1.4, 320)[None, :, None]).clip(0, 255).astype(np.uint8))
    sent = coarse(field)
    assert len(sent) == 12
    assert all(isinstance(each, int) for each in sent)
    assert field_of(sent) == pytest.approx(field, abs=1 / 128)
    assert (field_of(()) == even_light()).all()


@pytest.mark.parametrize("factors", [(64,) * 11, (64,) * 13, (64,) * 11 + (0,), (64,) * 11 + (400,)])
def test_what_no_light_does_is_no_field(factors: tuple[int, ...]):
    with pytest.raises(ValueError, match="not a field"):
        field_of(factors)


def test_the_wildest_field_has_no_outline():
    """On an even ground no two neighbouring pixels differ by more than a grey level or two, whatever is sent."""
    wild = np.where(np.indices(TILES).sum(axis=0) % 2, *LIMITS).astype(np.float32)
    lit = relight(np.full((1080, 1920, 3), 90, np.uint8), field_of(coarse(wild))).astype(int)
    assert np.abs(np.diff(lit, axis=0)).max() <= 2
    assert np.abs(np.diff(lit, axis=1)).max() <= 2


@pytest.mark.parametrize("black", [0, 16])
def test_nobody_in_front_is_told_by_the_light(black: int):
    """Somebody who covers up to a third of a tile, dark or bright, in an even light: no factor is worth sending."""
    then = ground()[..., 1].astype(np.float32)
    for place in range(40):
        rng = np.random.default_rng(place)
        now = then + rng.normal(0, 2, then.shape)
        x, y = int(rng.integers(0, 290)), int(rng.integers(0, 170))
        now[y : y + 70, x : x + 28] = rng.integers(15, 240)
        coded = now if not black else 16 + now * 219 / 255
        usable = np.ones(then.shape, bool)
        sent = coarse(light_of_luma(then, coded.clip(0, 255).astype(np.uint8), usable, black))
        assert max(abs(each - 64) for each in sent) < 8, (place, sent)


def test_of_a_tile_that_is_nearly_hidden_nothing_is_said():
    then = ground()[..., 1].astype(np.float32)
    now, usable = then.copy(), np.zeros(then.shape, bool)
    now[:80, :80], usable[80:] = 40, True
    usable[:10, :10] = True
    assert coarse(light_of_luma(then, now.astype(np.uint8), usable, 0)) == (64,) * 12
