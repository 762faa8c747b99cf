"""The views of one source that are kept apart: daylight and infrared, and each preset of a turning camera.

Which confirmed view is in front of the camera is recognised by what it shows, about once a second, on strided luma
(``perception.ports.Picture.luma``). The picture is cut into cells. A cell of a view that has edges agrees if its relief
(what is left without slow shades) correlates with that of the picture: edges stay where they are, whatever the light
does. A view stands if enough of its cells agree, if nothing says that it is shifted, and if colour is there or missing
as it was when the view was learned. People and vehicles hide some cells; a turned, covered or shaken camera hides all.

It fails closed. What no confirmed view explains is no scene, and the public view is grey; so it is while a camera
turns, is covered, black, blurred or frozen. A view that comes back must stand for some seconds before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.core.time import SECOND
from watchglass.views.light import UNIT, beyond, coarse, light_of_luma

Image = NDArray[np.uint8]

DAY: Final = "day"
"""The first view of a source, and all that it has where a camera neither turns nor sees in the dark."""

INFRARED: Final = "infrared"
"""A view without colour of a camera that has shown colour."""

_CELL: Final = 7.5
"""Points: a sixteenth of the picture's longer side. A point is the mean of two by two samples."""

_SHADES: Final = 7
"""Points: the width of the blur that takes slow shades away."""

_EDGES: Final = 2.0
"""Grey levels: a cell of a view whose relief varies less cannot be recognised."""

_FEWEST: Final = 6
"""So many cells with edges a view must have; and so many must be free of people to judge by."""

_ALIKE: Final = 0.5
_ENTERS, _STAYS = 0.5, 0.3
"""The share of cells that must agree for a view to stand, and to go on standing."""

_SHIFT_ENTERS, _SHIFT_STAYS = 0.5, 0.75
"""Points (a 120th of the longer side) by which a view's corners may be off."""

_STEPS: Final = 4
_SMALL_STEP: Final = 0.05
_FLAT: Final = 1e-3
_INVERSE: Final = int(cv2.INTER_LINEAR) | int(cv2.WARP_INVERSE_MAP)

_RETURNS_MS: Final = 3 * SECOND
_RETURNS_LOOKS: Final = 3
_LEAVES_LOOKS: Final = 2
_LONGEST_MS: Final = 15 * SECOND
"""Looks further apart than this do not follow each other."""

_COLOURED: Final = 6
"""Levels of chroma: less is a tint that cameras give to grey."""

_HAS_COLOUR: Final = 0.02
_GONE, _LEFT = 0.25, 0.4
"""Colour has gone where less than a quarter of it is left, and is back where two fifths are."""

_TOO_COLOURFUL: Final = 0.10
"""The share of a picture that is coloured, from which on it is not a view that never had colour."""

TROUBLES: Final = {
    "black": "the picture is black",
    "frozen": "the picture is frozen",
    "blurred": "the picture is blurred",
    "lost": "no picture comes",
}
"""What perception finds wrong with a camera and no view can stand with, in plain words."""

NOBODY: Final = "nobody has confirmed a view of this camera yet"
UNKNOWN: Final = "the camera shows something that nobody has confirmed"
_MOVED: Final = "the camera has moved a little"
_NO_COLOUR: Final = "the picture has lost its colour, and nobody has confirmed such a view"
_COLOUR: Final = "the picture is in colour, and nobody has confirmed such a view"
_LIGHT: Final = "the light is too far from that of the confirmed view"
_TOO_PLAIN: Final = "the confirmed view has too few edges to be recognised by"
_HIDDEN: Final = "too much of the view is hidden"
_JUST: Final = "the view has only just come back"


def free_name(names: Iterable[str], *, infrared: bool) -> str:
    """What a new view is called: "day", "day-2" and so on, or "infrared" and so on."""
    taken, first = set(names), INFRARED if infrared else DAY
    number = 1
    while (name := first if number == 1 else f"{first}-{number}") in taken:
        number += 1
    return name


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one picture shows.

    Attributes:
        at_ms: capture time.
        luma: (h, w) strided luma.
        chroma: (h', w', 2) strided chroma, 128 is none; a picture without any has size 0.
        black: the luma of black: 16 where the camera leaves head and foot room, else 0.
        busy: (h, w) where things are followed, or None.
    """

    at_ms: int
    luma: Image
    chroma: Image
    black: int = 16
    busy: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a view fits a picture. ``why`` says why it does not; "" where it does."""

    score: float
    why: str


class Familiar:
    """A view as it is recognised: its relief, its colour. A hundredth of the backdrop's size.

    Args:
        luma: (h, w) strided luma, 0 is black.
        usable: (h, w) where it is known.
        chroma: (h', w', 2) strided chroma, 128 is none.
        known: (h', w') where that is known.
    """

    def __init__(self, luma: Image, usable: BoolArray, chroma: Image, known: BoolArray) -> None:
        self._shape = luma.shape
        self.luma = _points(luma)
        rows, columns = self.luma.shape
        # What is painted over has sharp edges that stay where they are wherever the camera looks.
        inside = cv2.erode(usable.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1)
        self.usable = _halved(np.asarray(inside, bool), (rows, columns))
        self._mask = self.usable.astype(np.float32)
        self._whole = bool(self.usable.all())
        self._weight = 1 / np.maximum(_blurred(self._mask), np.float32(1e-3))
        self._grid = max(1, round(columns / _CELL)), max(1, round(rows / _CELL))
        self._relief = self._relief_of(self.luma)
        self._power = self._by_cell(self._relief * self._relief)
        self._slopes = _slopes(self._relief)
        share = self._by_cell(self._mask)
        self.edges = (self._power > _EDGES**2 * np.maximum(share, np.float32(0.1))) & (share > _HALF)
        strength = _strength(chroma)
        self._coloured = (strength >= _COLOURED) & known if strength.size else np.zeros((0, 0), bool)
        self._strength = self._colourful(luma, strength) if self._coloured.any() else 0.0
        self.has_colour = bool(self._coloured.sum() > _HAS_COLOUR * max(1, known.sum()))

    @classmethod
    def of(cls, bgr: Image, admitted: BoolArray, stride: int) -> Familiar:
        """From a backdrop: what ``Picture.luma`` and ``Picture.chroma`` would show of it.

        Args:
            bgr: (h, w, 3), admitted: (h, w).
            stride: see ``perception.ports.stride_of``.
        """
        first = stride // 2
        there = (slice(first, None, stride), slice(first, bgr.shape[1] - 1, stride))
        sampled = bgr[there]
        luma = cv2.cvtColor(np.ascontiguousarray(sampled), cv2.COLOR_BGR2GRAY).astype(np.uint8)
        wide = 4 * stride
        some = (slice(wide // 2, None, wide), slice(wide // 2, None, wide))
        colour = cv2.cvtColor(np.ascontiguousarray(bgr[some]), cv2.COLOR_BGR2YCrCb)[..., 1:].astype(np.uint8)
        # Black to the last bit is what may never be seen.
        return cls(luma, admitted[there] & sampled.any(axis=2), colour, admitted[some])

    @classmethod
    def seen(cls, look: Look) -> Familiar:
        """From a picture, of a view that is only being learned."""
        luma = look.luma if not look.black else cv2.subtract(look.luma, np.full_like(look.luma, look.black))
        known = np.ones(look.chroma.shape[:2], bool)
        return cls(luma.astype(np.uint8), look.luma > look.black, look.chroma, known)

    @property
    def plain(self) -> bool:
        """Whether it has too few edges to be recognised."""
        return int(self.edges.sum()) < _FEWEST

    def fit(self, look: Look, *, stands: bool) -> tuple[Fit, FloatArray | None]:
        """Whether this view is what ``look`` shows, and (rows, columns) how well each cell agrees, -1..1.

        Args:
            stands: it was until now, so that less is asked of it.
        """
        if self.plain:
            return Fit(0.0, _TOO_PLAIN), None
        if look.luma.shape != self._shape:
            return Fit(0.0, UNKNOWN), None
        relief = self._relief_of(_points(look.luma))
        power = self._by_cell(relief * relief)
        root = np.sqrt(np.maximum(power * self._power, np.float32(1e-6)))
        alike = (self._by_cell(relief * self._relief) / root).astype(np.float32)
        judged = self.edges
        if look.busy is not None:
            free = judged & (self._by_cell(_halved(look.busy, self.luma.shape).astype(np.float32)) < _HALF)
            judged = free if int(free.sum()) >= _FEWEST else judged
        agrees = judged & (alike >= _ALIKE)
        score = float(agrees.sum()) / max(1, int(judged.sum()))
        if score < (_STAYS if stands else _ENTERS):
            return Fit(score, UNKNOWN if score < _STAYS else _HIDDEN), None
        if self._shift(relief, agrees) > (_SHIFT_STAYS if stands else _SHIFT_ENTERS):
            return Fit(score, _MOVED), None
        return Fit(score, self._odd_colour(look, stands=stands)), alike

    def light(self, look: Look, alike: FloatArray) -> FloatArray:
        """The light of ``look`` on this view, by what shows the view's own surfaces.

        These are known, nothing is followed there, and nothing says that something is in front.
        """
        rows, columns = self.luma.shape
        clear = (~self.edges | (alike >= _ALIKE)).astype(np.uint8)
        usable = self.usable & (cv2.resize(clear, (columns, rows), interpolation=cv2.INTER_NEAREST) > 0)
        if look.busy is not None:
            usable &= ~_halved(look.busy, self.luma.shape)
        return light_of_luma(self.luma, _points(look.luma), usable, look.black)

    def _relief_of(self, luma: FloatArray) -> FloatArray:
        if self._whole:
            return luma - _blurred(luma)
        return ((luma - _blurred(luma * self._mask) * self._weight) * self._mask).astype(np.float32)

    def _by_cell(self, values: FloatArray) -> FloatArray:
        return cast("FloatArray", cv2.resize(values, self._grid, interpolation=cv2.INTER_AREA))

    def _shift(self, relief: FloatArray, agrees: BoolArray) -> float:
        """By how many points the picture's corners are off, as far as cells that agree can tell.

        The shift, zoom and turn that explain best what differs: Lucas and Kanade (1981). Larger ones let no cell agree.
        """
        rows, columns = self._relief.shape
        spread = cv2.resize(agrees.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST)
        chosen = np.asarray(spread, bool)
        ours, slopes = self._relief[chosen], self._slopes[:, chosen]
        square = (slopes @ slopes.T).astype(np.float64)
        square += _FLAT * float(np.trace(square)) * np.eye(len(square))
        moved, back = np.zeros(len(slopes)), relief
        for _ in range(_STEPS):
            theirs = back[chosen]
            gain = float(ours @ theirs) / max(1e-6, float(theirs @ theirs))
            step = np.linalg.solve(square, (slopes @ (ours - gain * theirs)).astype(np.float64))
            moved += step
            if float(np.abs(step).max()) < _SMALL_STEP:
                break
            back = self._warped(relief, moved)
        return float(np.hypot(moved[0], moved[1]) + np.hypot(moved[2], moved[3]))

    def _warped(self, relief: FloatArray, moved: NDArray[np.float64]) -> FloatArray:
        """``relief`` moved back: ``moved`` is right and down, and what zoom and turn move the corners by."""
        rows, columns = relief.shape
        right, down, zoom, turn = moved
        reach = float(np.hypot(columns, rows)) / 2
        zoom, turn = zoom / reach, turn / reach
        x, y = (columns - 1) / 2, (rows - 1) / 2
        warp = np.array(
            [[1 + zoom, -turn, right - zoom * x + turn * y], [turn, 1 + zoom, down - turn * x - zoom * y]], np.float32
        )
        return cast("FloatArray", cv2.warpAffine(relief, warp, (columns, rows), flags=_INVERSE))

    def _colourful(self, luma: Image, strength: Image) -> float:
        """Chroma as a share of luma, where the view is coloured: it falls with the light, and infrared has none."""
        shade = luma[2::4, 2::4]
        rows, columns = min(shade.shape[0], strength.shape[0]), min(shade.shape[1], strength.shape[1])
        where = self._coloured[:rows, :columns]
        if not where.any():
            return 0.0
        light = float(np.median(shade[:rows, :columns][where]))
        return float(np.median(strength[:rows, :columns][where])) / max(light, 1.0)

    def _odd_colour(self, look: Look, *, stands: bool) -> str:
        """Why the picture's colour says that it is another view; "" where it does not."""
        strength = _strength(look.chroma)
        if strength.shape != self._coloured.shape or not strength.size:
            return _NO_COLOUR if self.has_colour and not strength.size else ""
        if self.has_colour:
            luma = cv2.subtract(look.luma, np.full_like(look.luma, look.black))
            left = self._colourful(cast("Image", luma), strength) / max(self._strength, 1e-6)
            return _NO_COLOUR if left < (_GONE if stands else _LEFT) else ""
        colourful = float((strength >= _COLOURED).mean())
        return _COLOUR if colourful > (_TOO_COLOURFUL if stands else _TOO_COLOURFUL / 2) else ""


class SceneWatch:
    """Knows which confirmed view of a source is in front of its camera.

    Attributes:
        scene: its name; "" where there is none, or it is not sure.
        unsure: why there is none; "" where there is one.
        light: how the light of now differs from that of the scene's backdrop (``messages.Pins``).
        coloured: whether the camera has shown colour.
    """

    def __init__(self) -> None:
        self.scene = ""
        self.unsure = NOBODY
        self.light: tuple[int, ...] = ()
        self.coloured = False
        self._views: dict[str, Familiar] = {}
        self._looked_ms: int | None = None
        self._failing = 0
        self._coming = ""
        self._came_ms = 0
        self._came_looks = 0
        self._lit_ms: int | None = None

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the confirmed views."""
        return tuple(self._views)

    @property
    def comes(self) -> bool:
        """Whether a confirmed view is coming back, and has not stood for long enough."""
        return bool(self._coming)

    def know(self, name: str, view: Familiar | None) -> None:
        """``view`` is confirmed from now on as ``name``; None takes it back. A new one must be seen to stand first."""
        self._views.pop(name, None)
        if view is not None:
            self._views[name] = view
        elif self.scene == name:
            self._leave(UNKNOWN)
        if not self.scene:
            self.unsure = NOBODY if not self._views else UNKNOWN if self.unsure == NOBODY else self.unsure
        self.coloured = self.coloured or any(each.has_colour for each in self._views.values())

    def lose(self, why: str) -> None:
        """There is no picture to look at, or none that can be trusted: say so at once."""
        self._leave(why)
        self._looked_ms = None

    def look(self, look: Look, trouble: str = "") -> None:
        """Recognise what ``look`` shows.

        Args:
            trouble: what perception finds wrong with the camera (``health.CONDITIONS``), or "".
        """
        before, self._looked_ms = self._looked_ms, look.at_ms
        if before is not None and not 0 < look.at_ms - before <= _LONGEST_MS:
            self._coming, self._failing = "", 0
        strength = _strength(look.chroma)
        self.coloured = self.coloured or bool(strength.size and (strength >= _COLOURED).mean() > _TOO_COLOURFUL)
        if not self._views:
            self._leave(NOBODY)
        elif trouble in TROUBLES:
            self._leave(TROUBLES[trouble])
        elif not self._still(look):
            self._find(look)

    def _still(self, look: Look) -> bool:
        """Whether the scene goes on standing. One look that fails is no proof that it does not."""
        view = self._views.get(self.scene)
        if view is None:
            return False
        fit, light = _fits(view, look, stands=True)
        if light is not None:
            self._failing = 0
            self._tell_light(look.at_ms, coarse(light))
            return True
        self._failing += 1
        if self._failing < _LEAVES_LOOKS:
            return True
        self._leave(fit.why)
        return False

    def _find(self, look: Look) -> None:
        """Which view comes; it must come for some seconds."""
        fits = {name: _fits(view, look, stands=False)[0] for name, view in self._views.items()}
        best = max(fits, key=lambda name: (not fits[name].why, fits[name].score))
        if fits[best].why:
            self._leave(fits[best].why)
            return
        if best != self._coming:
            self._coming, self._came_ms, self._came_looks = best, look.at_ms, 0
        self._came_looks += 1
        self.unsure = _JUST
        if self._came_looks >= _RETURNS_LOOKS and look.at_ms - self._came_ms >= _RETURNS_MS:
            self.scene, self.unsure, self._failing, self._lit_ms = best, "", 0, None
            _, light = _fits(self._views[best], look, stands=True)
            if light is not None:
                self._tell_light(look.at_ms, coarse(light))

    def _leave(self, why: str) -> None:
        self.scene, self.unsure, self.light = "", why or self.unsure or UNKNOWN, ()
        self._coming, self._failing, self._came_looks = "", 0, 0

    def _tell_light(self, at_ms: int, now: tuple[int, ...]) -> None:
        """The light, where it changed noticeably; never more often than every two seconds."""
        before = self.light or (UNIT,) * len(now)
        if self._lit_ms is not None and at_ms - self._lit_ms < _LIGHT_MS:
            return
        if max(abs(a - b) for a, b in zip(now, before, strict=True)) >= _NOTICEABLE:
            self.light, self._lit_ms = now, at_ms


def _fits(view: Familiar, look: Look, *, stands: bool) -> tuple[Fit, FloatArray | None]:
    """Whether a view is what ``look`` shows, and if so under what light."""
    fit, alike = view.fit(look, stands=stands)
    if fit.why or alike is None:
        return fit, None
    light = view.light(look, alike)
    return (Fit(fit.score, _LIGHT), None) if beyond(light) else (fit, light)


_HALF: Final = 0.5
_LIGHT_MS: Final = 2 * SECOND
_NOTICEABLE: Final = 2
"""Sixty-fourths."""


def _points(luma: Image) -> FloatArray:
    """Means of two by two samples: sensor noise falls to a half."""
    size = max(1, luma.shape[1] // 2), max(1, luma.shape[0] // 2)
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)


def _halved(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    """A mask of samples as one of points (rows, columns)."""
    return mask[: 2 * shape[0] : 2, : 2 * shape[1] : 2]


def _blurred(values: FloatArray) -> FloatArray:
    return cast("FloatArray", cv2.blur(values, (_SHADES, _SHADES)))


def _slopes(relief: FloatArray) -> FloatArray:
    """(4, h, w): how the relief changes if it is shifted to the right or down, zoomed, or turned, by one point.

    Zoomed and turned so that the corners move by one point.
    """
    rows, columns = relief.shape
    down, right = np.gradient(relief)
    reach = float(np.hypot(columns, rows)) / 2
    y = ((np.arange(rows) - (rows - 1) / 2) / reach)[:, None]
    x = ((np.arange(columns) - (columns - 1) / 2) / reach)[None]
    return np.stack([right, down, x * right + y * down, x * down - y * right]).astype(np.float32)


def _strength(chroma: Image) -> Image:
    """(h, w) how far chroma (h, w, 2) is from none."""
    if not chroma.size:
        return np.zeros((0, 0), np.uint8)
    return cast("Image", cv2.absdiff(chroma, np.full_like(chroma, 128)).max(axis=2))
