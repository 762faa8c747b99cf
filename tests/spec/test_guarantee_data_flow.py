"""Which way a pixel could go into a published picture, and that there is no other.

The page is docs/explanation/what-the-painted-view-guarantees.md.
"""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import cv2
import grimp
import numpy as np
import pytest

from watchglass.bootstrap import VirtualClock
from watchglass.charter.model import PublicView
from watchglass.core.time import SECOND
from watchglass.perception import messages
from watchglass.perception.messages import Pin, Pins
from watchglass.runtime.bus import Bus
from watchglass.runtime.live import Live
from watchglass.views import light as light_of
from watchglass.views import public
from watchglass.views.backdrop import Backdrop
from watchglass.views.light import light, relight
from world import NOON, World

SRC = Path(__file__).resolve().parents[2] / "src" / "watchglass"

# ---- nothing else gets in ------------------------------------------------------------------------------------------

PICTURES = {
    "Incident.still": "painted: a backdrop and marks",
    "Clip.mp4": "mosaicked, for the reviewers of one alert; no public page has it",
    "BackdropProposal.png": "the empty scene as learned; an operator confirms it, or it is never published",
    "BackdropRenewal.png": "a confirmed backdrop with blocks that were quiet for half an hour",
    "BackdropRenewal.base_sha256": "a hash",
    "Sealed.data": "an original, sealed to custodians' keys before it leaves the worker; neither side can open it",
    "Sealed.sha256": "a hash",
    "Heartbeats.statements": "signed leaves of the vocabulary; the act that takes them knows no field for a picture",
}
"""Every field in which a worker could send the house a picture."""


def test_a_worker_sends_the_house_no_picture_but_these() -> None:
    found = {
        f"{kind.__name__}.{field.name}"
        for kind in typing.get_args(messages.Report)
        for field in fields(kind)
        if not _plain(typing.get_type_hints(kind)[field.name])
    }
    assert found == set(PICTURES)


SHORT = 16


def _plain(kind: object) -> bool:
    """Whether values of a type cannot hold a picture: numbers, short words, and tuples of them."""
    if kind in (int, float, bool, str, type(None), Pin):
        return True
    origin = typing.get_origin(kind)
    arguments = [each for each in typing.get_args(kind) if each is not Ellipsis]
    if origin is typing.Literal:
        return all(isinstance(each, str) and len(each) < SHORT for each in arguments)
    if origin in (tuple, typing.Union, types.UnionType):
        return all(map(_plain, arguments))
    if inspect.isclass(origin) and issubclass(origin, typing.Mapping):
        return all(_plain(each) or each is object for each in arguments)
    return False


def test_what_is_told_of_a_moment_is_numbers_and_words() -> None:
    assert is_dataclass(Pins)
    assert all(_plain(kind) for kind in typing.get_type_hints(Pins).values())


def test_the_public_pages_and_what_paints_for_them_know_nothing_that_decodes() -> None:
    graph = grimp.build_graph("watchglass", include_external_packages=True)
    eyes = {
        module
        for module in graph.modules
        if module == "av"
        or module.startswith(("watchglass.perception.", "watchglass.edge.video", "watchglass.edge.live"))
        or module in ("watchglass.edge.inference", "watchglass.runtime.painting", "watchglass.runtime.worker")
    } - {"watchglass.perception.messages"}
    assert len(eyes) > 10, "the modules have other names now; so must this test"
    painters = ["watchglass.views.public", "watchglass.views.timeline", "watchglass.views.light"]
    painters += ["watchglass.views.smoothing", "watchglass.views.backdrop"]
    for painter in painters:
        assert not graph.find_upstream_modules(painter) & eyes, painter
    for page in ("watchglass.web.portal.public_view", "watchglass.acts.public_facts", "watchglass.runtime.easel"):
        assert not graph.find_modules_directly_imported_by(page) & eyes, page


def test_only_a_painted_ground_is_drawn_on() -> None:
    """``with_marks`` is the one public function of the public view that takes a picture: who calls it, with what?"""
    take = {
        name
        for name, function in inspect.getmembers(public, inspect.isfunction)
        if not name.startswith("_")
        and function.__module__ == public.__name__
        and any("Image" in str(each.annotation) for each in inspect.signature(function).parameters.values())
    }
    assert take == {"with_marks"}
    callers = {
        path.relative_to(SRC).as_posix() for path in SRC.rglob("*.py") if "with_marks(" in path.read_text("utf-8")
    }
    assert callers == {"views/public.py", "runtime/easel.py", "runtime/paint/canvas.py"}


# ---- a published picture can be made anew from what is public -------------------------------------------------------

SIZE = (320, 256)


@pytest.fixture
def rules(world: World) -> PublicView:
    charter = world.standing().charter
    assert charter is not None
    return charter.safeguards.public_view


def scene(seed: int) -> Backdrop:
    bgr = np.random.default_rng(seed).integers(40, 200, (SIZE[1], SIZE[0], 3), np.uint8)
    admitted = np.ones((SIZE[1], SIZE[0]), bool)
    admitted[64:128, 96:160] = False
    return Backdrop(bgr, admitted)


def test_a_published_picture_is_made_of_the_confirmed_scene_and_of_numbers_that_anybody_can_read(
    rules: PublicView,
) -> None:
    clock = VirtualClock(NOON)
    live = Live(Bus(), clock)
    live.configure({"street": _live(rules)})
    live.opened("street", *SIZE)
    confirmed = scene(1)
    live.set_backdrop("street", "day", "7", confirmed.to_png(), clock.now())
    numbers = tuple(range(58, 70))
    live.take_pins(Pins("street", clock.now(), (Pin(100, 100, 0), Pin(40, 200, 1)), 1, "day", "", numbers))
    seen = live.seen("street")
    assert seen is not None
    assert seen.shown is not None
    published = cv2.imdecode(np.frombuffer(live.easel("street").now(seen, SIZE, "png"), np.uint8), cv2.IMREAD_COLOR)
    again = public.with_marks(public.ground(confirmed, SIZE, light=numbers), seen.shown.marks)
    assert published is not None
    assert (published == again).all()
    quiet = public.ground(confirmed, SIZE, light=numbers)
    assert (published != quiet).any(axis=2).sum() < 2 * (2.8 * public.pin_radius(SIZE[0])) ** 2


@pytest.mark.parametrize("scene_name", ["", "night"])
def test_where_no_confirmed_scene_is_in_front_of_the_camera_all_is_grey(rules: PublicView, scene_name: str) -> None:
    clock = VirtualClock(NOON)
    live = Live(Bus(), clock)
    live.configure({"street": _live(rules)})
    live.opened("street", *SIZE)
    live.set_backdrop("street", "day", "7", scene(1).to_png(), clock.now())
    live.take_pins(Pins("street", clock.now(), (Pin(100, 100, 0),), 1, scene_name, "it was turned", (70,) * 12))
    seen = live.seen("street")
    assert seen is not None
    published = cv2.imdecode(np.frombuffer(live.easel("street").now(seen, SIZE, "png"), np.uint8), cv2.IMREAD_COLOR)
    assert published is not None
    assert (published == public.ground(None, SIZE)).all()


def test_a_withdrawn_scene_is_grey_at_once(rules: PublicView) -> None:
    clock = VirtualClock(NOON)
    live = Live(Bus(), clock)
    live.configure({"street": _live(rules)})
    live.opened("street", *SIZE)
    live.set_backdrop("street", "day", "7", scene(1).to_png(), clock.now())
    live.take_pins(Pins("street", clock.now(), (), 0, "day"))
    live.set_backdrop("street", "day", "7", None)
    clock.advance(SECOND)
    seen = live.seen("street")
    assert seen is not None
    published = cv2.imdecode(np.frombuffer(live.easel("street").now(seen, SIZE, "png"), np.uint8), cv2.IMREAD_COLOR)
    assert (published == public.ground(None, SIZE)).all()


def _live(rules: PublicView) -> PublicView:
    """The charter's rules, without delay and threshold: everything that may ever be shown is shown."""
    return replace(rules, delay_ms=0, hide_below=0)


# ---- the light cannot draw -----------------------------------------------------------------------------------------


def outline(then: np.ndarray, now: np.ndarray, inside: np.ndarray) -> float:
    """How much darker the lit scene is inside of a silhouette than right around it: 0 says nothing, 1 is the thing."""
    lit = relight(then, light(then, now)).astype(np.float32)
    factor = lit.mean(axis=2) / then.mean(axis=2)
    around = cv2.dilate(inside.astype(np.uint8), np.ones((25, 25))).astype(bool) & ~inside
    return float(factor[around].mean() - factor[inside].mean())


def somebody(then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Somebody dark in front of a scene, so large that they fill the middle of a twelfth of it, and where."""
    inside = np.zeros(then.shape[:2], np.uint8)
    cv2.ellipse(inside, (200, 240), (34, 150), 0, 0, 360, 1, -1)
    cv2.circle(inside, (200, 70), 28, 1, -1)
    now = then.copy()
    now[inside > 0] = (now[inside > 0] * 0.4).astype(np.uint8)
    return now, inside > 0


def test_somebody_before_the_scene_does_not_show_in_its_light() -> None:
    then = np.random.default_rng(3).integers(110, 190, (480, 640, 3), np.uint8)
    now, inside = somebody(then)
    assert outline(then, now, inside) < 0.02


def test_with_finer_tiles_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    then = np.random.default_rng(3).integers(110, 190, (480, 640, 3), np.uint8)
    now, inside = somebody(then)
    monkeypatch.setattr(light_of, "TILES", (12, 16))
    monkeypatch.setattr(light_of, "_FEWEST", 4)
    assert outline(then, now, inside) > 0.15


# ---- a pin is not a likeness ---------------------------------------------------------------------------------------


def test_whoever_stands_in_a_cell_gives_the_same_pin() -> None:
    tall = np.array([[100, 20, 130, 118]], np.float32)
    small = np.array([[102, 90, 106, 119]], np.float32)
    kinds = np.zeros(1, np.int8)
    assert public.snap(tall, kinds, 32.0, 320, 4.0) == public.snap(small, kinds, 32.0, 320, 4.0)
    assert public.snap(tall, kinds, 32.0, 320, 0.1) != public.snap(small, kinds, 32.0, 320, 0.1)
