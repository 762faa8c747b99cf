"""Public pictures: painted once whoever asks, exact outside of the marks, grey where nothing may be shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from watchglass.runtime import easel as easels
from watchglass.runtime.easel import Easel, Format, Seen, Stage
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, PlainPin, ground, withheld
from watchglass.views.timeline import Shown

SIZE = (192, 128)
SCENE = Backdrop(
    cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (128, 192, 3), np.uint8), (9, 9), 0),
    np.repeat(np.arange(192)[None] < 160, 128, axis=0),
)
STAGE = Stage("day", "4", SCENE.to_png(), 0)


def seen(*marks: PlainPin, stage: Stage | None = STAGE, hidden: bool = False) -> Seen:
    shown = Shown(1, marks, len(marks), False, "day", "", ())
    return Seen(SIZE, shown, stage, withheld(SIZE, [[(0, 0), (9, 0), (9, 9)]]) if hidden else None)


def picture(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def test_the_picture_is_the_empty_scene_outside_of_the_discs_and_grey_where_it_is_not_known() -> None:
    painted = picture(Easel().now(seen((60, 60, 0)), SIZE, "png"))
    empty = ground(SCENE, SIZE)
    y, x = np.mgrid[0:128, 0:192]
    far = np.hypot(x - 60, y - 60) > 12
    assert (painted[far] == empty[far]).all()
    assert (painted[~far] != empty[~far]).any()
    assert (np.abs(painted[:, 160:].astype(int) - GREY).max(axis=2) < 16).all()


def test_what_is_never_shown_is_grey() -> None:
    painted = picture(Easel().now(seen(hidden=True), SIZE, "png"))
    assert (np.abs(painted[:32, :32].astype(int) - GREY).max(axis=2) < 16).all()
    assert (painted[32:] == ground(SCENE, SIZE)[32:]).all()


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_without_a_stage_there_is_grey_and_nobody_on_it(kind: Format) -> None:
    painted = picture(Easel().now(seen((60, 60, 0), stage=None), SIZE, kind))
    assert (np.abs(painted.astype(int) - GREY).max(axis=2) < 24).all()


def test_however_many_ask_it_is_painted_and_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("ground", "with_marks", "_encoded"):
        real = getattr(easels, name)
        monkeypatch.setattr(easels, name, lambda *a, _n=name, _r=real, **k: (calls.append(_n), _r(*a, **k))[1])
    easel, moment = Easel(), seen((60, 60, 0))
    with ThreadPoolExecutor(16) as many:
        answers = set(many.map(lambda _: easel.now(moment, SIZE, "webp"), range(200)))
    assert len(answers) == 1
    assert sorted(calls) == ["_encoded", "ground", "with_marks"]
    easel.now(seen((80, 60, 0)), SIZE, "webp")
    assert sorted(calls) == ["_encoded", "_encoded", "ground", "with_marks", "with_marks"], "the ground stays"


def test_another_version_or_light_is_another_picture_and_the_old_one_is_forgotten() -> None:
    easel = Easel()
    first = easel.empty(seen(), SIZE, "png")
    dark = easel.empty(seen(stage=Stage("day", "4", STAGE.png, 0, (32,) * 12)), SIZE, "png")
    assert picture(dark)[:, :150].mean() < picture(first)[:, :150].mean() - 20
    other = Backdrop(255 - SCENE.bgr, SCENE.admitted)
    assert easel.empty(seen(stage=Stage("day", "5", other.to_png(), 0)), SIZE, "png") != first
    assert easel.empty(seen(), SIZE, "png") == first
    assert easel.now(seen(), SIZE, "png") == first
