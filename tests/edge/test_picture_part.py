"""A window of a picture: the same pixels as in the whole, whatever their format, and black where nobody may look."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from watchglass.edge.footage import ScaledPicture
from watchglass.edge.video import Areas, NeverSee, VideoPicture
from watchglass.perception.ports import stride_of

FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")


def picture(pixels: str, size: tuple[int, int], never_see: Areas = ()) -> VideoPicture:
    width, height = size
    rng = np.random.default_rng(4)
    image = cv2.GaussianBlur(rng.integers(0, 255, (height, width, 3)).astype(np.uint8), (0, 0), 3)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24").reformat(format=pixels)
    return VideoPicture(frame, 0, NeverSee(never_see))


@pytest.mark.parametrize("pixels", FORMATS)
@pytest.mark.parametrize("size", [(160, 120), (161, 119)])
def test_a_window_shows_what_the_whole_shows_there(pixels: str, size: tuple[int, int]) -> None:
    """Also where it begins within a pair of pixels that share their colour, and at the far corner of an odd picture."""
    whole = picture(pixels, size).bgr()
    for x1, y1, x2, y2 in ((0, 0, *size), (10, 20, 90, 100), (11, 21, 90, 101), (120, 89, *size), (5, 7, 6, 9)):
        part = picture(pixels, size).part(x1, y1, x2, y2, 1000)
        assert part.shape == (y2 - y1, x2 - x1, 3)
        assert part.flags.c_contiguous
        assert np.abs(part.astype(int) - whole[y1:y2, x1:x2]).max() <= 10


@pytest.mark.parametrize("side", [40, 20])
def test_a_window_is_made_smaller_and_never_larger(side: int) -> None:
    it = picture("yuv420p", (160, 120))
    part = it.part(20, 10, 100, 70, side)
    assert part.shape == (round(60 * side / 80), side, 3)
    expected = cv2.resize(it.bgr()[10:70, 20:100], (side, round(60 * side / 80)), interpolation=cv2.INTER_AREA)
    assert np.abs(part.astype(int) - expected).mean() < 3
    assert it.part(20, 10, 40, 20, side).shape == (round(10 * min(1, side / 20)), min(20, side), 3)


def test_what_may_never_be_seen_is_black_in_every_window() -> None:
    area = ((60.0, 40.0), (100.0, 40.0), (100.0, 80.0), (60.0, 80.0))
    it = picture("yuv420p", (160, 120), (area,))
    assert not it.part(60, 40, 101, 81, 1000).any()
    around = it.part(41, 21, 120, 100, 1000)
    assert not around[19:60, 19:60].any()
    assert around[:18].mean() > 50
    assert not it.part(64, 44, 96, 76, 8).any()


@pytest.mark.parametrize("pixels", FORMATS)
@pytest.mark.parametrize("size", [(160, 120), (161, 119), (769, 575), (1280, 720)])
def test_luma_and_chroma_are_those_of_the_same_places(pixels: str, size: tuple[int, int]) -> None:
    """As ``views.scenes`` computes them from a backdrop, so that a view is recognised whatever the camera's format."""
    it = picture(pixels, size)
    stride = stride_of(*size)
    bgr, wide = it.bgr(), 4 * stride
    expected = cv2.cvtColor(bgr[wide // 2 :: wide, wide // 2 :: wide].copy(), cv2.COLOR_BGR2YCrCb)[..., 1:]
    chroma = it.chroma()
    if pixels == "gray":
        assert chroma.shape == (0, 0, 2)
    else:
        assert chroma.shape == expected.shape
        strength = np.abs(chroma.astype(int) - 128).max(axis=2)
        assert np.abs(strength - np.abs(expected.astype(int) - 128).max(axis=2)).mean() < 4
    first = stride // 2
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[first::stride, first : size[0] - 1 : stride].astype(float)
    as_coded = grey if it.black == 0 else 16 + grey * 219 / 255
    assert np.abs(it.luma() - as_coded).mean() < 4


def test_what_may_never_be_seen_has_no_colour() -> None:
    it = picture("yuv420p", (160, 120), (((0.0, 0.0), (160.0, 0.0), (160.0, 120.0), (0.0, 120.0)),))
    assert (it.chroma() == 128).all()
    assert (it.luma() == 16).all()


def test_the_small_stream_shows_the_same_in_the_large_ones_places() -> None:
    small = picture("yuv420p", (640, 360))
    scaled = ScaledPicture(small, (1920, 1080))
    assert scaled.black == small.black
    assert scaled.chroma().shape == (34, 60, 2)
    assert np.abs(scaled.chroma().astype(int).mean(axis=(0, 1)) - small.chroma().mean(axis=(0, 1))).max() < 3
