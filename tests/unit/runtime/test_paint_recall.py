"""When the scene was in the picture: from where it came to where it first did not fit, and under what light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from watchglass.perception.ports import Image, sample_shape, stride_of
from watchglass.runtime.paint import recall as recalling
from watchglass.runtime.paint.recall import Recall
from watchglass.views.backdrop import Backdrop

SIZE = (640, 480)


def place(seed: int) -> Image:
    """A picture with edges in every part of it."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(50, 200, (24, 32, 3), np.uint8), SIZE, interpolation=cv2.INTER_NEAREST).astype(
        np.uint8
    )


@dataclass
class Shot:
    """One picture with full-range luma, as ``perception.ports.Picture`` gives it."""

    at_ms: int
    bgr: Image
    width: int = SIZE[0]
    height: int = SIZE[1]
    black: int = 0

    def luma(self) -> Image:
        stride = stride_of(*SIZE)
        grey = cv2.cvtColor(self.bgr, cv2.COLOR_BGR2GRAY)
        rows, columns = sample_shape(*SIZE)
        return grey[stride // 2 :: stride, stride // 2 :: stride][:rows, :columns].astype(np.uint8)

    def chroma(self) -> Image:
        wide = 4 * stride_of(*SIZE)
        colour = cv2.cvtColor(self.bgr, cv2.COLOR_BGR2YCrCb)[wide // 2 :: wide, wide // 2 :: wide, 1:]
        return np.ascontiguousarray(colour).astype(np.uint8)


def kept(*pictures: Image, trouble: dict[int, str] | None = None) -> Recall:
    recall = Recall()
    for number, picture in enumerate(pictures):
        recall.keep(Shot(1000 * number, picture), None, (trouble or {}).get(number, ""))  # type: ignore[arg-type]
    return recall


def whole(picture: Image) -> Backdrop:
    return Backdrop(picture, np.ones(picture.shape[:2], bool))


def stands(recall: Recall, backdrop: Backdrop, times: NDArray[np.int64]) -> list[bool]:
    found = recall.compare(backdrop)
    assert found is not None
    return found.at(times)[0].tolist()


def test_a_scene_stands_from_its_first_picture_though_that_is_known_later_only() -> None:
    recall = kept(*[place(1)] * 8)
    assert stands(recall, whole(place(1)), np.arange(0, 9000, 500)) == [True] * 18


def test_a_scene_that_goes_and_comes_back_is_shown_again_and_nothing_in_between() -> None:
    recall = kept(*[place(1)] * 6, *[place(2)] * 6, *[place(1)] * 6)
    seen = stands(recall, whole(place(1)), np.arange(18) * 1000)
    assert seen == [True] * 6 + [False] * 6 + [True] * 6
    between = stands(recall, whole(place(1)), np.array([5400, 11_600]))
    assert between == [False, False], "between a look at the scene and one at something else nobody knows"


def test_a_moment_that_comes_back_too_shortly_is_not_believed() -> None:
    recall = kept(*[place(1)] * 6, *[place(2)] * 4, place(1), place(1), *[place(2)] * 4)
    assert stands(recall, whole(place(1)), np.arange(10, 16) * 1000) == [False] * 6


def test_a_black_or_blurred_picture_is_not_the_scene() -> None:
    recall = kept(*[place(1)] * 12, trouble={6: "blurred", 7: "black"})
    seen = stands(recall, whole(place(1)), np.arange(12) * 1000)
    assert not any(seen[6:8])
    assert all(seen[:5])
    assert all(seen[8:])


def test_another_place_never_stands() -> None:
    assert not any(stands(kept(*[place(1)] * 8), whole(place(2)), np.arange(8) * 1000))


def test_the_light_is_told_from_where_it_changes() -> None:
    dark = (place(1) * 0.7).astype(np.uint8)
    recall = kept(*[place(1)] * 5, *[dark] * 6)
    found = recall.compare(whole(place(1)))
    assert found is not None
    seen, lights = found.at(np.array([2000, 9000]))
    assert seen.all()
    assert lights[0] == ()
    assert np.array(lights[1]) / 64 == pytest.approx(np.full(12, 0.7), abs=0.05)


def test_what_has_no_edges_cannot_be_recognised() -> None:
    plain = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    assert kept(*[plain] * 5).compare(whole(plain)) is None


def test_a_long_file_is_kept_more_sparsely_and_is_still_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalling, "_MOST_BYTES", 12 * Shot(0, place(1)).luma().nbytes)
    monkeypatch.setattr(recalling, "_FEWEST", 4)
    recall = kept(*[place(1)] * 40, *[place(2)] * 20)
    assert recall._bytes <= recalling._MOST_BYTES
    seen = stands(recall, whole(place(1)), np.arange(60) * 1000)
    assert all(seen[:32])
    assert not any(seen[40:])
