"""What a firing on a published picture is held against: all that the product draws, over the scene with nobody in it.

An attacker also fires at what is nobody: a lamp post, a sign that the veil over a parked vehicle cuts in two, a mark.
Such a firing is not counted, and that must not become a place to hide. So a *control* is drawn anew, by the product's
own code, and no pixel of it comes from what was published:

- the ground is the empty scene, from truth: the median over all moments, or single moments with nobody in them;
- veils and what is made illegible are drawn into it where the product drew them: boxes are told, and what they average
  is the empty scene;
- grey, light and marks stand where the published picture has them. They are told by whole blocks and boxes, by twelve
  numbers, and by places on a grid. Grey of any finer shape is left out: it might be an outline.

A firing is the scene's own where what is published there is the control, which holds nobody; or where the same attacker
fires at the same place of a control *and* what is published there looks like that control. Whoever stands before the
sign does not look like it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from leak_line import Hiding, Shot, shown
from leak_measure import FAR, Firings, Image, Leak, Wash, clipped, firings, grey_of, grown, leaked
from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import ground, with_marks

FOUND_AGAIN = 0.4
"""A firing on a view is one on a control too where the boxes overlap so far (IoU)."""

ALIKE = 0.85
"""... and where so much of the box shows what the control shows there, within ``FAR`` as the paler view has it."""

NOTHING_ELSE = 0.99
FAINT = 8
"""What is published is the control where so much of a box and of what is around it is so near: in less nobody shows."""

SAME = 4
"""A published pixel is that of the control where no channel is farther off: what is learned is off by a few levels."""

GREY_PIECE = 15
"""Pixels: grey in which no square of this side fits is no block, and no box around anybody."""

Found = Mapping[str, Sequence[FloatArray]]
"""By attacker, for each of some pictures: boxes (n, 4)."""
Look = Callable[[Sequence[Image], Sequence[str]], Found]
"""Let the named attackers look at some pictures."""


class Views:
    """The empty scene as the product shows it, its wash, and what firings are held against.

    Args:
        empty: (h, w, 3) the scene with nobody in it, from truth.
        known: (h, w) where it is known.
        moments: the same scene at single moments, with nobody in it either. A median has no noise, and what the
            product learns has some, as every picture has: an attacker's threshold may lie between.
    """

    def __init__(self, empty: Image, known: BoolArray, moments: Sequence[Image] = ()) -> None:
        self.empty, self.known, self.moments = empty, known, moments
        self.grey = shown(empty, np.zeros(known.shape, bool))
        self.scene = shown(empty, known)
        self.wash = Wash(shown)
        self._last: tuple[Hiding, bytes, int | None, Backdrop] | None = None

    def leak(self, shot: Shot) -> Leak:
        """Of one frame."""
        view, grey = self.wash.undone(shot.view), grey_of(shot.view, self.grey)
        drawn = cv2.absdiff(shot.view, self.control(shot)).max(axis=2) <= SAME
        camera, people = shot.frame.bgr(), shot.frame.people
        return leaked(view, camera, self.empty, people, shot.marks, self.known, grey, np.asarray(drawn, bool))

    def control(self, shot: Shot, moment: int | None = None) -> Image:
        """The empty scene with all that the product drew over it when it published ``shot``.

        Args:
            moment: which of ``moments``; None is the median over all.
        """
        stage = shot.seen.stage
        if stage is None:
            return self.grey
        scene = self._drawn_over(stage.png, shot.hiding, moment)
        bare = ground(scene, shot.size, hidden=shot.seen.hidden, light=stage.light)
        return with_marks(bare, shot.seen.marks)

    def _drawn_over(self, png: bytes, hiding: Hiding, moment: int | None) -> Backdrop:
        last = self._last
        if last is None or last[0] is not hiding or last[1] != png or last[2] != moment:
            empty = self.empty if moment is None else self.moments[moment]
            plain = Backdrop(np.where(self.known[..., None], empty, np.uint8(0)), self.known)
            seen = self.known & ~in_pieces(~Backdrop.from_png(png).admitted)
            last = self._last = hiding, png, moment, Backdrop(hiding.over(plain).bgr, seen)
        return last[3]


def in_pieces(grey: BoolArray) -> BoolArray:
    """(h, w): what of ``grey`` is made of whole blocks and boxes. What lies beyond the picture counts as grey."""
    side = GREY_PIECE
    roomy = cv2.copyMakeBorder(grey.astype(np.uint8), side, side, side, side, cv2.BORDER_CONSTANT, value=(1,))
    opened = cv2.morphologyEx(roomy, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.asarray(opened[side:-side, side:-side], bool)


def variants(picture: Image) -> list[Image]:
    """The same picture as it might look a moment later: what is found in one of them is in it, and is nobody.

    Detectors look at steps of some pixels and at a threshold, so a trembling camera is enough to make them fire.
    """
    noise = np.random.default_rng(4).normal(0, 2, picture.shape)
    return [
        picture,
        np.roll(picture, 1, axis=(0, 1)),
        (picture + noise).clip(0, 255).round().astype(np.uint8),
        (picture * 1.02).clip(0, 255).round().astype(np.uint8),
        np.roll(picture, -1, axis=0),
        np.roll(picture, -1, axis=1),
    ]


# ---- judgement -------------------------------------------------------------------------------------------------------


def judged(shots: Sequence[Shot], found: Found, views: Views, look: Look) -> dict[str, Firings]:
    """Sort what each attacker found in the published pictures.

    Args:
        shots: what was published.
        found: in each of them.
        views: of the same scene.
        look: lets attackers look at controls. Asked only for pictures in which something was found that is not the
            control itself, and for variants of their controls, and single moments, only where these explain too little.
    """
    own = {
        name: [is_control(boxes, shot.view, views.control(shot)) for boxes, shot in zip(each, shots, strict=True)]
        for name, each in found.items()
    }
    median: list[int | None] = [None]
    rounds = [(median, slice(0, 1)), (median, slice(1, 2)), (median, slice(2, None))]
    if views.moments:
        rounds.append(([*range(len(views.moments))], slice(0, 1)))
    for grounds, which in rounds:
        left = [n for n in range(len(shots)) if any(not own[name][n].all() for name in found)]
        names = [name for name in found if any(not own[name][n].all() for n in left)]
        pictures = [
            (n, control, each)
            for moment in grounds
            for n in left
            for control in (views.control(shots[n], moment),)
            for each in variants(control)[which]
        ]
        again = look([each for _, _, each in pictures], names)
        for name in names:
            for (n, control, _), in_control in zip(pictures, again[name], strict=True):
                own[name][n] |= explained(found[name][n], shots[n].view, control, in_control)
    return {
        name: sum((firings(f, o, s.marks) for f, o, s in zip(each, own[name], shots, strict=True)), Firings())
        for name, each in found.items()
    }


def explained(found: FloatArray, view: Image, control: Image, in_control: FloatArray) -> BoolArray:
    """Which of ``found`` (n, 4) are the control's own: found there too (m, 4), and shown alike."""
    same = iou(found, in_control).max(axis=1, initial=0.0) >= FOUND_AGAIN
    return np.asarray(same & _shown(found, view, control, 0.8 * FAR, ALIKE))


def is_control(found: FloatArray, view: Image, control: Image) -> BoolArray:
    """In and around which of ``found`` (n, 4) nothing is published but the control."""
    return _shown(grown(found, 0.25), view, control, FAINT, NOTHING_ELSE) if len(found) else np.zeros(0, bool)


def _shown(found: FloatArray, view: Image, control: Image, levels: float, share: float) -> BoolArray:
    """In which boxes so large a share of the view is so near to the control."""
    near = cv2.absdiff(view, control).max(axis=2) <= levels
    parts = [clipped(box[None], near.shape) for box in found]
    return np.array([all(near[y1:y2, x1:x2].mean() >= share for x1, y1, x2, y2 in part) for part in parts], bool)
