from __future__ import annotations

import numpy as np

from watchglass.core.geometry import BoolArray
from watchglass.perception.observation import StaticChange
from watchglass.perception.ports import Image
from watchglass.perception.statics import ABSORB_MS, HIDDEN_MS, StaticWatch

STRIDE = 4


class Scene:
    """A textured ground with noise, and grey things on it; times in seconds."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(3)
        self._ground = self._rng.integers(90, 130, (60, 100)).astype(np.float32)
        self.gain = 1.0

    def sample(self, *things: tuple[int, int, int, int, int]) -> Image:
        """Things as (x1, y1, x2, y2, grey) in samples."""
        picture = self._ground.copy()
        for x1, y1, x2, y2, grey in things:
            picture[y1:y2, x1:x2] = grey
        noisy = self.gain * picture + self._rng.normal(0, 1.5, picture.shape)
        return noisy.clip(0, 255).astype(np.uint8)


BAG = (40, 30, 48, 40, 20)
PASSER = (36, 10, 52, 50, 200)


def watched(
    watch: StaticWatch,
    scene: Scene,
    seconds: range,
    *things: tuple[int, int, int, int, int],
    busy: BoolArray | None = None,
) -> tuple[StaticChange, ...]:
    changes: tuple[StaticChange, ...] = ()
    for second in seconds:
        changes = watch.look(1000 * second, scene.sample(*things), busy)
    return changes


def test_a_thing_left_behind_is_told_with_its_place_and_time() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    assert watched(watch, scene, range(20)) == ()
    (change,) = watched(watch, scene, range(20, 30), BAG)
    assert np.abs(np.array(change.box) - np.array([160, 120, 192, 160])).max() <= 2 * STRIDE
    assert change.since_ms == 20_000
    assert change.steady_ms == 9000
    assert change.gone is False
    (later,) = watched(watch, scene, range(30, 40), BAG)
    assert later.id == change.id
    assert watch.changes == (later,)


def test_who_passes_is_none_and_hides_without_ending() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    for second in range(20, 30):
        x = 2 + 8 * (second - 20)
        assert watch.look(1000 * second, scene.sample((x, 10, x + 8, 50, 200))) == ()
    (before,) = watched(watch, scene, range(30, 40), BAG)
    (hidden,) = watched(watch, scene, range(40, 43), BAG, PASSER)
    (after,) = watched(watch, scene, range(43, 50), BAG)
    assert {hidden.id, after.id} == {before.id}
    assert hidden.steady_ms == before.steady_ms
    assert after.since_ms == before.since_ms == 30_000
    assert after.steady_ms == before.steady_ms + 7000


def test_what_stands_in_front_for_too_long_takes_its_place() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    watched(watch, scene, range(20, 30), BAG)
    (change,) = watched(watch, scene, range(30, 30 + HIDDEN_MS // 1000 + 20), BAG, PASSER)
    assert change.box[3] - change.box[1] > 30 * STRIDE


def test_what_is_taken_away_again_ends() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    assert watched(watch, scene, range(20, 30), BAG)
    assert watched(watch, scene, range(30, 33)) == ()


def test_a_thing_of_the_scene_that_is_taken_away_is_told_as_gone() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20), BAG)
    (change,) = watched(watch, scene, range(20, 30))
    assert change.gone is True


def test_another_light_is_no_change_and_neither_is_a_shadow_on_texture() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    scene.gain = 0.8
    assert watched(watch, scene, range(20, 40)) == ()
    watch, scene = StaticWatch(STRIDE), Scene()
    scene._ground = np.kron(scene._ground[::4, ::4], np.ones((4, 4), np.float32)) * 2 - 100
    watched(watch, scene, range(20))
    scene._ground[20:40, 30:50] *= 0.7
    assert watched(watch, scene, range(20, 30)) == ()


def test_a_light_that_is_switched_off_silences_it_until_that_is_the_scene() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    scene._ground = np.kron(np.random.default_rng(8).integers(60, 240, (15, 25)), np.ones((4, 4))).astype(np.float32)
    watched(watch, scene, range(20))
    dark = Scene()
    dark._ground = np.kron(np.random.default_rng(9).integers(0, 60, (15, 25)), np.ones((4, 4))).astype(np.float32)
    assert watched(watch, dark, range(20, 40)) == ()
    assert watched(watch, dark, range(40, 50), (40, 30, 48, 40, 200)) != ()


def test_what_has_stayed_for_long_is_the_scene() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    watched(watch, scene, range(20, 30), BAG)
    long = ABSORB_MS // 1000
    assert watched(watch, scene, range(30, 40 + long, 4), BAG) == ()


def test_who_stood_in_the_first_picture_leaves_no_ghost() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watch.look(0, scene.sample(PASSER))
    watch.look(1000, scene.sample(PASSER))
    assert watched(watch, scene, range(2, 20)) == ()


def test_rare_keyframes_are_enough() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(0, 40, 4))
    (change,) = watched(watch, scene, range(40, 60, 4), BAG)
    assert change.steady_ms == 16_000


def test_a_seam_or_another_view_begins_anew() -> None:
    watch, scene = StaticWatch(STRIDE), Scene()
    watched(watch, scene, range(20))
    watched(watch, scene, range(20, 30), BAG)
    watch.seam(30_000)
    assert watch.changes == ()
    (again,) = watched(watch, scene, range(31, 40), BAG)
    assert again.steady_ms < 10_000
    watch.reset()
    assert watched(watch, scene, range(40, 50), BAG) == ()
