"""The backdrop: the empty scene, learned only from what stood still, in view and unmasked for long enough.

The rule. A pixel is admitted after at least 20 s of agreeing, unmasked samples (they need not be contiguous) that
are at least 70 % of its unmasked samples, and never from inside a region where a thing came and has not left. What a
pixel showed first for five seconds is its incumbent: anything that appears later is a thing that came, and is not
admitted until an operator has the scene learned anew, or the block had no motion for 30 minutes.
The picture is shown in blocks of 32 pixels with a minimum hold, so that grey draws no silhouette. Changes of light are
divided out of the samples (``views.light``). Infrared frames teach a daylight learner nothing.

An automatic rule cannot tell a person who sits still from the first frame on from a bench. Hence the operator's
confirmation, without which no backdrop is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.core.time import MINUTE, SECOND
from watchglass.views.filling import carried_on, nearest
from watchglass.views.light import beyond, changes_anything, light_of_samples, relight, sample_step
from watchglass.views.parking import Parking, Spot

Image = NDArray[np.uint8]

_scalar_cv2: Any = cv2
"""OpenCV's type stubs do not know that its arithmetic takes plain numbers."""

BLOCK: Final = 32
"""Side in pixels of the blocks in which the picture is shown or grey."""
ENOUGH_MS: Final = 20 * SECOND
SHARE: Final = 0.70
INCUMBENT_MS: Final = 5 * SECOND
HOLD_MS: Final = 10 * SECOND
QUIET_MS: Final = 30 * MINUTE

_PNG: Final = [
    cv2.IMWRITE_PNG_COMPRESSION,
    3,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
]
"""A sixth of the time of the usual settings, and no larger, on pictures of cameras."""
_TICK: Final = 100
_MODES: Final = 3
_TOLERANCE: Final = 20
_NEAR: Final = 12
_BAND: Final = 96
_FULL_BLOCK: Final = 0.90
_JUDGE_EVERY: Final = 5 * SECOND
_LOOK_EVERY: Final = SECOND
_LOOK_SELDOM: Final = 10 * SECOND
_SETTLES_AFTER: Final = 2 * MINUTE
_MOSTLY: Final = 0.5
_OTHER: Final = 0.5
_MOST_CREDIT: Final = 2 * SECOND
_TOO_MANY_TICKS: Final = 60_000
_COLOURLESS: Final = 2.0
_INFRARED, _COLOURFUL = 1.0, 4.0
"""Grey levels between blue and red: what began with colour teaches until less than the first is left of it, and what
began without until it has more than the second. A dull day is no infrared."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """The empty scene.

    Attributes:
        bgr: (h, w, 3) uint8; zero where not admitted.
        admitted: (h, w) bool; elsewhere the public view is grey and the reviewer's view is mosaicked.
    """

    bgr: Image
    admitted: BoolArray

    def __post_init__(self) -> None:
        if self.bgr.dtype != np.uint8 or self.bgr.shape != (*self.admitted.shape, 3) or self.admitted.dtype != np.bool_:
            raise ValueError(
                f"a backdrop is (h, w, 3) uint8 and (h, w) bool, not {self.bgr.shape}, {self.admitted.shape}"
            )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.admitted.shape[1], self.admitted.shape[0]

    @property
    def share(self) -> float:
        """Share of the pixels that are admitted, 0..1."""
        return float(self.admitted.mean())

    def to_png(self) -> bytes:
        """PNG with ``admitted`` as the alpha channel (255 or 0); pixels that are not admitted are zero."""
        alpha = self.admitted.astype(np.uint8) * 255
        clean = np.where(self.admitted[..., None], self.bgr, np.uint8(0))
        worked, data = cv2.imencode(".png", np.dstack([clean, alpha]), _PNG)
        if not worked:
            raise ValueError("the picture could not be written as PNG")
        return data.tobytes()

    @classmethod
    def from_png(cls, png: bytes) -> Backdrop:
        """The backdrop in ``png``.

        Raises:
            BadInput: not a PNG with an alpha channel.
        """
        try:
            picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) if png else None
        except cv2.error:
            picture = None
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:  # noqa: PLR2004  (BGRA)
            raise BadInput(
                "This file is not a backdrop: a PNG with an alpha channel was expected.",
                fix="Let Watchglass learn the backdrop again and confirm it on the operator's page.",
            )
        admitted = picture[..., 3] == 255  # noqa: PLR2004  (opaque)
        bgr = np.where(admitted[..., None], picture[..., :3], np.uint8(0))
        return cls(np.ascontiguousarray(bgr), admitted)


class BackdropLearner:
    """Learns the backdrop of one fixed view from a look once or twice a second.

    Holds three candidate colours a pixel: 18 bytes a pixel in all, 37 MB at 1080p. Deterministic: the same looks give
    the same picture.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise ValueError("a picture has at least one pixel")
        self._size = (width, height)
        self.relearn()

    def relearn(self) -> None:
        """Forget everything: an operator's act, or another view of the same camera."""
        width, height = self._size
        self._colour = [np.zeros((height, width, 3), np.uint8) for _ in range(_MODES)]
        self._ticks = [np.zeros((height, width), np.uint16) for _ in range(_MODES)]
        self._came = np.zeros((height, width), np.uint8)
        self._total = np.zeros((height, width), np.uint16)
        rows, columns = -(-height // BLOCK), -(-width // BLOCK)
        self._full_since = np.full((rows, columns), -1, np.int64)
        self._shown = np.zeros((rows, columns), bool)
        self._last_masked = np.full((rows, columns), -1, np.int64)
        self._changed_ms = 0
        self._last_ms: int | None = None
        self._judged_ms: int | None = None
        self._grey: bool | None = None
        self._parking = Parking()

    @property
    def parked(self) -> FloatArray:
        """(n, 4): boxes of vehicles that are part of what is learned. They must be mosaicked before anybody sees it."""
        return self._parking.boxes

    @property
    def ready(self) -> float:
        """Share of the picture that is shown, 0..1, as of the last judgement (every five seconds)."""
        return float(self._spread(self._shown).mean())

    def due(self, at_ms: int) -> bool:
        """Whether a look is worth its cost now: once a second, or every ten once two minutes showed nothing new."""
        if self._last_ms is None:
            return True
        return at_ms - self._last_ms >= (_LOOK_SELDOM if self._settled else _LOOK_EVERY)

    @property
    def _settled(self) -> bool:
        if self._last_ms is None or self._shown.mean() < _MOSTLY:
            return False
        return self._last_ms - self._changed_ms >= _SETTLES_AFTER

    def look(
        self,
        at_ms: int,
        bgr: Image,
        masked: BoolArray,
        vehicles: FloatArray | None = None,
        beside: BoolArray | None = None,
    ) -> None:
        """Learn from one frame.

        Args:
            at_ms: capture time; a look that is not later than the last one is ignored.
            bgr: (h, w, 3) uint8.
            masked: (h, w), true where nothing may be learned: detections with a margin, motion, ``never_see``.
            vehicles: (n, 4) those in view; None where that is not known. One that stays is learned (``views.parking``).
            beside: (h, w), ``masked`` without vehicles; None if that is the same.
        """
        width, height = self._size
        if bgr.shape != (height, width, 3) or masked.shape != (height, width):
            raise ValueError(f"this learner takes pictures of {width} by {height}, not {bgr.shape} with {masked.shape}")
        if self._last_ms is not None and at_ms <= self._last_ms:
            return
        tint = _colour(bgr)
        if self._grey is None:
            self._grey = tint < _COLOURLESS
        other = tint > _COLOURFUL if self._grey else tint < _INFRARED
        credit_ms = self._credit(at_ms)
        self._note_motion(at_ms, masked)
        self._last_ms = at_ms
        if other:
            return
        if vehicles is not None:
            self._parking.see(at_ms, vehicles)
        even = self._evenly_lit(bgr, self._parking.whole(masked))
        if even is None:
            return
        if vehicles is not None:
            masked = self._without_parked(even, masked, masked if beside is None else beside)
        ticks = max(1, round(credit_ms / _TICK))
        for top in range(0, height, _BAND):
            self._learn(slice(top, min(top + _BAND, height)), even, masked, ticks)
        if self._judged_ms is None or at_ms - self._judged_ms >= _JUDGE_EVERY:
            self._judge(at_ms)

    def picture(self) -> Backdrop:
        """The backdrop as far as it is shown. Small holes in a shown block are filled from its admitted pixels."""
        colour, admitted = self._admitted()
        shown = self._spread(self._shown)
        holes = shown & ~admitted
        if holes.any():
            colour[holes] = self._filling(colour, admitted)[holes]
        colour[~shown] = 0
        return Backdrop(colour, shown)

    # ---- one look --------------------------------------------------------------------------------------------------

    def _credit(self, at_ms: int) -> int:
        if self._last_ms is None:
            self._changed_ms = at_ms
            return _TICK
        return min(at_ms - self._last_ms, _LOOK_SELDOM if self._settled else _MOST_CREDIT)

    def _note_motion(self, at_ms: int, masked: BoolArray) -> None:
        first = self._last_ms is None
        touched = self._by_block(masked.astype(np.uint8)) > 0
        self._last_masked[touched | first] = at_ms

    def _evenly_lit(self, bgr: Image, masked: BoolArray) -> Image | None:
        """``bgr`` with the light of the first candidate picture, so that a cloud is not taken for a change.

        None where the light is too far from that: a lamp that goes out teaches nothing.
        """
        step = sample_step(self._size[0])
        grid = (slice(None, None, step), slice(None, None, step))
        known = ~masked[grid] & (self._ticks[0][grid] > self._total[grid] // 2)
        field = light_of_samples(bgr[grid], self._colour[0][grid], known)
        if beyond(field):
            return None
        return relight(bgr, field) if changes_anything(field) else bgr

    def _learn(self, rows: slice, bgr: Image, masked: BoolArray, ticks: int) -> None:
        sample = bgr[rows]
        left = _scalar_cv2.compare(masked[rows].view(np.uint8), 0, cv2.CMP_EQ)
        total = self._total[rows]
        new_ground = not cv2.countNonZero(total)
        _scalar_cv2.add(total, float(ticks), dst=total, mask=left)
        if new_ground:
            cv2.copyTo(sample, left, self._colour[0][rows])
            cv2.copyTo(total, left, self._ticks[0][rows])
            return
        for colour, count in zip(self._colour, self._ticks, strict=True):
            if not cv2.countNonZero(left):
                return
            ours, tally = colour[rows], count[rows]
            apart = cv2.absdiff(sample, ours)
            agrees: Image = _scalar_cv2.inRange(apart, (0, 0, 0), (_TOLERANCE,) * 3)
            agrees &= left
            agrees &= _scalar_cv2.compare(tally, 0, cv2.CMP_GT)
            if not cv2.countNonZero(agrees):
                continue
            _scalar_cv2.add(tally, float(ticks), dst=tally, mask=agrees)
            # One level towards the sample: the candidate's colour settles on the median of what is near it. What only
            # just agrees does not move it, and nothing does once there is enough of it to be admitted: a coat that is
            # hardly darker than the ground would pull it over bit by bit.
            moves = agrees & _scalar_cv2.inRange(apart, (0, 0, 0), (_NEAR,) * 3)
            moves &= _scalar_cv2.compare(tally, ENOUGH_MS // _TICK, cv2.CMP_LE)
            if not cv2.countNonZero(moves):
                left &= ~agrees
                continue
            cv2.add(
                ours,
                _scalar_cv2.bitwise_and(cv2.compare(sample, ours, cv2.CMP_GT), (1, 1, 1, 1)),
                dst=ours,
                mask=moves,
            )
            cv2.subtract(
                ours,
                _scalar_cv2.bitwise_and(cv2.compare(sample, ours, cv2.CMP_LT), (1, 1, 1, 1)),
                dst=ours,
                mask=moves,
            )
            left &= ~agrees
        self._take_in(rows, sample, left, ticks)

    def _take_in(self, rows: slice, sample: Image, new: Image, ticks: int) -> None:
        """Where no candidate agrees, the weakest gives way; if the strongest is an incumbent, the new one *came*."""
        if not cv2.countNonZero(new):
            return
        points = cv2.findNonZero(new).reshape(-1, 2)
        at = (points[:, 1], points[:, 0])
        counts = np.stack([count[rows][at] for count in self._ticks])
        weakest = counts.argmin(axis=0)
        # What was there until now stood there since the last look too, and the first look counts little.
        came = counts.max(axis=0) + ticks >= INCUMBENT_MS // _TICK
        flags = self._came[rows][at]
        values = sample[at]
        for mode in range(_MODES):
            chosen = weakest == mode
            if not chosen.any():
                continue
            where = (at[0][chosen], at[1][chosen])
            self._colour[mode][rows][where] = values[chosen]
            self._ticks[mode][rows][where] = ticks
            bit = np.uint8(1 << mode)
            flags[chosen] = np.where(came[chosen], flags[chosen] | bit, flags[chosen] & ~bit)
        self._came[rows][at] = flags

    # ---- vehicles --------------------------------------------------------------------------------------------------

    def _without_parked(self, bgr: Image, masked: BoolArray, beside: BoolArray) -> BoolArray:
        """``masked``, but for vehicles that are part of the scene; of those that have left nothing is kept."""
        for spot in self._parking.undecided:
            spot.part = self._other_share(spot, bgr, beside) < _OTHER
        for spot in self._parking.unseen:
            if self._other_share(spot, bgr, beside) >= _OTHER:
                self._parking.left(spot)
                self._forget(spot)
        return self._parking.masked(masked, beside)

    def _other_share(self, spot: Spot, bgr: Image, hidden: BoolArray) -> float:
        """Of what is known of a spot and can be seen now, the share that shows something else; 0 if that is nothing."""
        there = spot.window(hidden.shape)
        ticks = np.stack([count[there] for count in self._ticks])
        most = ticks.argmax(axis=0)
        known = (ticks.max(axis=0) >= INCUMBENT_MS // _TICK) & ~hidden[there]
        if not known.any():
            return 0.0
        colour = np.take_along_axis(np.stack([each[there] for each in self._colour]), most[None, ..., None], axis=0)[0]
        return float((cv2.absdiff(bgr[there], colour).max(axis=2) > _TOLERANCE)[known].mean())

    def _forget(self, spot: Spot) -> None:
        """Forget what was first there. What came while it stood goes on being what came."""
        there = spot.window(self._total.shape, margin=True)
        for mode, count in enumerate(self._ticks):
            first = self._came[there] & (1 << mode) == 0
            self._total[there] -= np.where(first, count[there], np.uint16(0))
            count[there][first] = 0

    # ---- judgement -------------------------------------------------------------------------------------------------

    def _judge(self, at_ms: int) -> None:
        self._judged_ms = at_ms
        self._accept_what_stayed(at_ms)
        _, admitted = self._admitted()
        full = self._by_block(admitted.astype(np.float32)) >= _FULL_BLOCK
        self._full_since = np.where(full, np.where(self._full_since < 0, at_ms, self._full_since), -1)
        shown = full & (at_ms - self._full_since >= HOLD_MS)
        if (shown & ~self._shown).any():
            self._changed_ms = at_ms
        self._shown = shown
        if int(self._total.max()) > _TOO_MANY_TICKS:
            for counts in (self._total, *self._ticks):
                np.floor_divide(counts, 2, out=counts)

    def _admitted(self) -> tuple[Image, BoolArray]:
        """The colour that the rule admits, and where it admits one."""
        width, height = self._size
        colour = np.zeros((height, width, 3), np.uint8)
        admitted = np.zeros((height, width), bool)
        needed = np.maximum(self._total * np.float32(SHARE), np.float32(ENOUGH_MS // _TICK))
        for mode in range(_MODES):
            good = (self._ticks[mode] >= needed) & (self._came & (1 << mode) == 0)
            cv2.copyTo(self._colour[mode], good.view(np.uint8), colour)
            admitted |= good
        return colour, admitted

    def _quiet(self, at_ms: int) -> BoolArray:
        return (self._last_masked >= 0) & (at_ms - self._last_masked >= QUIET_MS)

    def _accept_what_stayed(self, at_ms: int) -> None:
        """After 30 minutes without motion, a thing that came and stayed is part of the scene."""
        blocks = self._quiet(at_ms)
        if not blocks.any():
            return
        quiet = self._spread(blocks)
        for mode in range(_MODES):
            stayed = quiet & (self._came & (1 << mode) != 0) & (self._ticks[mode] >= SHARE * QUIET_MS / _TICK)
            if stayed.any():
                self._total[stayed] = self._ticks[mode][stayed]
                for other in range(_MODES):
                    if other != mode:
                        self._ticks[other][stayed] = 0
                self._came[stayed] = 0

    def _filling(self, colour: Image, admitted: BoolArray) -> Image:
        """What fills holes: the colour beside them or, where what came is like that, a shade of what is around them."""
        filling = nearest(colour, admitted)
        alike = np.zeros(admitted.shape, bool)
        for mode in range(_MODES):
            near = cv2.absdiff(filling, self._colour[mode]).max(axis=2) <= _TOLERANCE
            alike |= near & (self._came & (1 << mode) != 0) & (self._ticks[mode] > 0)
        return np.where(alike[..., None], carried_on(colour, admitted), filling)

    # ---- blocks ----------------------------------------------------------------------------------------------------

    def _by_block(self, values: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of ``values`` (h, w) over each block."""
        width, height = self._size
        rows, columns = self._shown.shape
        padded = cv2.copyMakeBorder(
            values,
            0,
            rows * BLOCK - height,
            0,
            columns * BLOCK - width,
            cv2.BORDER_REFLECT if min(width, height) > BLOCK else cv2.BORDER_REPLICATE,
        )
        return cast(
            "NDArray[np.float32]", cv2.resize(padded.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        )

    def _spread(self, blocks: BoolArray) -> BoolArray:
        """(rows, columns) of blocks to (h, w) pixels."""
        width, height = self._size
        return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]


def _colour(bgr: Image) -> float:
    small = bgr[::16, ::16].astype(np.int16)
    return float(np.abs(small[..., 0] - small[..., 2]).mean())
