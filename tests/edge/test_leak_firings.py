"""On a real scene, by a real attacker: who is published is a firing, and a sign that a veil cuts in two is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import leak
import leak_attack
import leak_scenes as scenes
from leak_control import Views, judged
from leak_line import Frame, Hiding, Shot, noting
from leak_measure import Firings, hits
from watchglass.core.geometry import FloatArray
from watchglass.edge.inference import load
from watchglass.runtime.easel import Easel, Seen, Stage
from watchglass.runtime.scrutiny import without_things
from watchglass.views.backdrop import Backdrop
from watchglass.views.timeline import Shown

DATA = Path(os.environ.get("WATCHGLASS_DATA", str(ROOT / "../shared/data"))).resolve()
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(bool(leak.missing_data(DATA)), reason="the recordings are not here: set WATCHGLASS_DATA"),
    pytest.mark.skipif(not leak_attack.PEERS.is_file(), reason="the attackers are not installed: make peers"),
]

Image = NDArray[np.uint8]
SIZE = (768, 576)
SIGN = np.array([[584, 28, 618, 97]], np.float32)
"""A warning sign at the corner of the house; a van parks beside it."""


def hog(pictures: Sequence[Image], names: Sequence[str] = ("hog",)) -> dict[str, list[FloatArray]]:
    made = leak_attack.attack(pictures, names)
    return {name: [made.boxes(name, number) for number in range(len(pictures))] for name in names}


@pytest.fixture(scope="module")
def hiding() -> Hiding:
    """What the product hides in the car park: the van, and what looks like text."""
    with noting() as noted:
        without_things(Backdrop(*scenes.pets_empty(DATA)), load(floor=leak.OWN_FLOOR))
    assert len(noted[-1].veiled)
    return noted[-1]


def published(learned: Image, hiding: Hiding) -> Shot:
    """A backdrop that was learned so, with noise, and a mark."""
    learned = (learned + np.random.default_rng(1).normal(0, 1, learned.shape)).clip(0, 255).round().astype(np.uint8)
    confirmed = hiding.over(Backdrop(learned, np.ones(SIZE[::-1], bool)))
    told = Shown(1000, ((688, 176, 0),), 1, False, "day", "", ())
    seen = Seen(SIZE, told, Stage("day", "1", confirmed.to_png(), 0))
    return Shot(Frame(1000, scenes.video(learned)), seen, Easel(), SIZE, hiding)


def test_who_is_published_is_a_firing_and_a_veiled_sign_is_none(hiding: Hiding) -> None:
    empty, known = scenes.pets_empty(DATA)
    peopled = empty.copy()
    boxes = np.stack([scenes.standing(DATA)[place].draw(peopled) for place in (0, 1, 2)])
    shots = [published(empty, hiding), published(peopled, hiding)]
    views = Views(empty, known)
    found = hog([*(shot.view for shot in shots), views.scene])["hog"]
    assert hits(found[0], SIGN).all(), "the attacker takes the sign beside the veil for a person"
    assert not hits(found[2], SIGN).any(), "and without the veil it does not"
    seen = int(hits(found[1], boxes).sum())
    assert seen, "the attacker sees who is published"

    nobody = judged(shots[:1], {"hog": found[:1]}, views, hog)["hog"]
    assert nobody == Firings(in_scene=len(found[0]))
    somebody = judged(shots[1:], {"hog": found[1:2]}, views, hog)["hog"]
    assert somebody.people >= seen
    assert somebody.in_scene >= 1


def test_who_is_published_right_where_the_attacker_fires_anyway_is_a_firing(hiding: Hiding) -> None:
    empty, known = scenes.pets_empty(DATA)
    peopled = empty.copy()
    cut = scenes.standing(DATA)[0]
    left, _, right, bottom = cut.box
    there = cut.draw(peopled, 600 - (left + right) // 2, 98 - bottom)
    shot = published(peopled, hiding)
    found = {"hog": [there[None]]}  # as if it fired there: whether it does is its own affair
    assert judged([shot], found, Views(empty, known), hog)["hog"] == Firings(people=1)
