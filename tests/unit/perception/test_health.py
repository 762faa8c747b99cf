from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.perception.health import Condition, HealthWatch

ROWS, COLUMNS = 576, 768


def picture(
    rng: np.random.Generator | None, *, blur: float = 0, shift: int = 0, gain: float = 1.0, seed: int = 4
) -> np.ndarray:
    """A full-size luma picture with shapes and edges; sensor noise of 3 grey levels where ``rng`` is given."""
    shapes = np.random.default_rng(seed)
    image = np.full((ROWS, COLUMNS + 200), 110, np.uint8)
    for _ in range(220):
        x, y = int(shapes.integers(0, COLUMNS + 200)), int(shapes.integers(0, ROWS))
        w, h = (int(v) for v in shapes.integers(10, 90, 2))
        cv2.rectangle(image, (x, y), (x + w, y + h), int(shapes.integers(30, 220)), -1)
    part = image[:, 100 + shift : 100 + shift + COLUMNS].astype(np.float32) * gain
    if blur:
        part = cv2.GaussianBlur(part, (0, 0), blur)
    if rng is not None:
        part = part + rng.normal(0, 3, part.shape)
    return np.clip(part, 0, 255).astype(np.uint8)


def samples(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return image[4::8, 4::8], image[4::8, 5::8]


class Camera:
    """A watch that has seen thirty good seconds, noisy or clean."""

    def __init__(self, *, noisy: bool = True) -> None:
        self.rng = np.random.default_rng(9) if noisy else None
        self.watch = HealthWatch(hold_ms=3000)
        self.at = 0
        for _ in range(30):
            assert self.see(picture(self.rng)) is None

    def see(self, image: np.ndarray) -> Condition | None:
        self.at += 1000
        return self.watch.look(self.at, *samples(image))

    def sees(self, *images: np.ndarray) -> list[str | None]:
        return [found.name if (found := self.see(image)) else None for image in images]


def test_black_must_last() -> None:
    camera = Camera()
    black = np.full((ROWS, COLUMNS), 16, np.uint8)
    assert camera.sees(black, black, black) == [None, None, None]
    assert camera.sees(black) == ["black"]
    assert camera.sees(picture(camera.rng)) == [None]


def test_a_camera_with_noise_that_shows_the_same_picture_is_frozen() -> None:
    camera = Camera()
    still = picture(camera.rng)
    assert camera.sees(*[still] * 4)[-1] is None
    assert camera.sees(*[still] * 3)[-1] == "frozen"
    assert camera.sees(picture(camera.rng)) == [None]


def test_a_held_picture_that_is_coded_again_is_frozen_and_a_camera_with_less_noise_than_before_is_not() -> None:
    camera = Camera()
    still = picture(camera.rng)
    coded = [np.clip(still + (np.random.default_rng(i).random(still.shape) < 0.05), 0, 255) for i in range(8)]
    assert camera.sees(*[image.astype(np.uint8) for image in coded])[-1] == "frozen"
    calmer = [np.clip(picture(None) + camera.rng.normal(0, 1, still.shape), 0, 255) for _ in range(12)]
    assert set(camera.sees(*[image.astype(np.uint8) for image in calmer])) == {None}


def test_a_clean_quiet_scene_is_not_frozen() -> None:
    camera = Camera(noisy=False)
    still = picture(None)
    assert set(camera.sees(*[still] * 60)) == {None}


def test_a_scene_that_is_clean_most_of_the_time_is_not_frozen_after_somebody_passed() -> None:
    camera = Camera(noisy=False)
    still = picture(None)
    for start in range(5):
        passing = [still.copy() for _ in range(6)]
        for i, image in enumerate(passing):
            image[200:300, 60 * i + 10 * start : 60 * i + 10 * start + 30] = 20
        assert set(camera.sees(*passing, *[still] * 20)) == {None}


def test_out_of_focus_is_seen_against_the_cameras_own_past() -> None:
    camera = Camera()
    assert camera.sees(*[picture(camera.rng, blur=3) for _ in range(6)])[-1] == "blurred"
    assert camera.sees(*[picture(camera.rng) for _ in range(3)])[-1] is None


def test_a_camera_that_was_always_soft_is_not_blurred() -> None:
    rng = np.random.default_rng(2)
    watch = HealthWatch(hold_ms=3000)
    assert not any(watch.look(1000 * i, *samples(picture(rng, blur=3))) for i in range(40))


def test_a_knocked_camera_is_seen_with_how_far_it_moved() -> None:
    camera = Camera()
    assert camera.sees(*[picture(camera.rng, shift=40) for _ in range(5)])[-1] == "moved"
    found = camera.see(picture(camera.rng, shift=40))
    assert found is not None
    assert found.facts["right_px"] == pytest.approx(-40, abs=8)
    assert found.facts["down_px"] == pytest.approx(0, abs=8)


def test_a_camera_that_shows_somewhere_else_has_moved() -> None:
    camera = Camera()
    assert camera.sees(*[picture(camera.rng, seed=77) for _ in range(6)])[-1] == "moved"


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.2])
def test_dusk_and_dawn_are_no_fault(gain: float) -> None:
    camera = Camera()
    assert set(camera.sees(*[picture(camera.rng, gain=gain) for _ in range(20)])) == {None}


def test_a_crowd_in_view_is_no_fault() -> None:
    camera = Camera()
    crowded = []
    for i in range(20):
        image = picture(camera.rng)
        for person in range(25):
            x = (person * 67 + 20 * i) % 730
            image[150 + 10 * (person % 9) : 260 + 10 * (person % 9), x : x + 35] = 30 + 7 * person
        crowded.append(image)
    assert set(camera.sees(*crowded)) == {None}


def test_lost_after_a_while_and_over_with_the_next_picture() -> None:
    camera = Camera()
    assert [camera.watch.lost(camera.at + 1000 * i) is not None for i in range(5)] == [False, False, False, True, True]
    camera.at += 6000
    assert camera.sees(picture(camera.rng)) == [None]


def test_the_seam_of_a_loop_is_no_fault() -> None:
    camera = Camera()
    still = picture(camera.rng)
    camera.sees(still, still, still)
    camera.watch.seam()
    assert set(camera.sees(*[picture(camera.rng) for _ in range(10)])) == {None}


def test_conditions_have_names_that_the_charter_knows() -> None:
    with pytest.raises(ValueError, match="no such condition"):
        Condition("tired", 0)
