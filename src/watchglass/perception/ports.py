"""What perception needs from outside. Implemented in ``edge/`` and put together in ``runtime/worker.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.messages import Pin
from watchglass.perception.observation import Detections, Tracks

Image = NDArray[np.uint8]
"""A picture: (h, w, 3) BGR, or (h, w) luma."""

_SAMPLE_SIDE: Final = 240


def stride_of(width: int, height: int) -> int:
    """How many pixels apart luma is sampled: about 240 samples along the longer side, every eighth pixel at 1080p."""
    return max(1, round(max(width, height) / _SAMPLE_SIDE))


def sample_shape(width: int, height: int) -> tuple[int, int]:
    """(rows, columns) of strided luma: from the middle of the first cell, and one pixel is left for ``edges``."""
    stride = stride_of(width, height)
    return max(0, -(-(height - stride // 2) // stride)), max(0, -(-(width - 1 - stride // 2) // stride))


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture.

    Attributes:
        at_ms: capture time, milliseconds since the epoch.
        keyframe: can be decoded without any other packet.
        size: bytes.
        payload: what the decoder of the same source understands; opaque to everybody else.
        turn: how often a looped file has started again; a change is the loop's seam.
        jumped_ms: by how much the camera's clock jumped right before this picture, where that is over two seconds
            either way; ``at_ms`` goes on evenly all the same.
    """

    at_ms: int
    keyframe: bool
    size: int
    payload: object
    turn: int = 0
    jumped_ms: int = 0


class Picture(Protocol):
    """One decoded picture. Whatever the charter says must never be seen is black in everything that it gives."""

    @property
    def at_ms(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def luma(self) -> Image:
        """Luma of every ``s``-th pixel, ``y[s // 2::s, s // 2:-1:s]``, where ``s`` is ``stride_of`` the picture."""
        ...

    def edges(self) -> Image:
        """The right-hand neighbours of ``luma()``, in its shape; their difference shows sharpness."""
        ...

    @property
    def black(self) -> int:
        """What codes black in luma: 16 (white is 235 then) or 0."""
        ...

    def chroma(self) -> Image:
        """Chroma of every fourth of those cells in both directions, (h, w, 2); 128 is none. (0, 0, 2) without colour.

        From the middle of each four by four cells: ``4 * s`` pixels apart, from ``2 * s`` on.
        """
        ...

    def small(self, side: int) -> Image:
        """BGR, scaled so that the longer side is at most ``side`` pixels."""
        ...

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        """BGR of the window of pixels x1 <= x < x2, y1 <= y < y2 within the picture, as ``small`` scales a whole one.

        Only the window is converted.
        """
        ...

    def bgr(self) -> Image:
        """BGR in full size: (height, width, 3)."""
        ...


class Insight(IntEnum):
    """How much can be seen of a stream between its keyframes without decoding everything in between."""

    NONE = 0
    FAINT = 1
    CLEAR = 2


class Decoder(Protocol):
    """Turns packets of one source into pictures."""

    @property
    def insight(self) -> Insight:
        """How much ``glance`` shows of this stream."""
        ...

    @property
    def flawed(self) -> int:
        """How many pictures were given out though a part of them was damaged or missing."""
        ...

    def exactly(self, exact: bool) -> None:
        """Decode exactly, or only well enough to look at, never to keep.

        The latter leaves out the filter that smooths between blocks, so errors add up until the next keyframe. To be
        called at a keyframe: what was decoded before is forgotten.
        """
        ...

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        """What one picture changes: strided luma, as ``Picture.luma``, signed; None if that cannot be seen.

        It is decoded on the keyframe's picture, or on the last glance, as if nothing lay in between. So it shows where
        something moves at this moment, and is no picture of anything.

        Args:
            key: the keyframe of the packet's group.
            packet: refers to what came before it only (not one that comes before its time).
        """
        ...

    def weigh(self, packet: Packet) -> int:
        """Bytes of a packet without those that only fill it up."""
        ...

    def decode(self, packet: Packet) -> Sequence[Picture]:
        """The pictures that this packet completes, oldest first.

        Raises:
            BadInput: the packet is damaged. The decoder goes on with the next keyframe.
        """
        ...

    def alone(self, packet: Packet) -> Picture | None:
        """The picture of one keyframe by itself. What was decoded before is forgotten."""
        ...

    def drain(self) -> Sequence[Picture]:
        """Pictures still held back for reordering. What was decoded before is forgotten."""
        ...


class Whole:
    """The part of a ``Decoder`` that can only decode everything, exactly."""

    insight = Insight.NONE
    flawed = 0

    def exactly(self, exact: bool) -> None:
        """It always does."""

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        """Nothing can be seen."""
        del key, packet
        return None  # the type says so

    def weigh(self, packet: Packet) -> int:
        """As it came."""
        return packet.size


class Detector(Protocol):
    """Finds things of ``observation.KINDS`` in one picture."""

    @property
    def side(self) -> int:
        """The longer side, in pixels, at which a whole picture is best looked at."""
        ...

    def detect(self, bgr: Image) -> Detections:
        """Boxes in pixels of ``bgr`` ((h, w, 3) uint8), down to low scores: the tracker decides what counts."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """What is in front of the camera: ``scene``, ``unsure`` and ``light`` as in ``messages.Pins``."""

    scene: str = ""
    unsure: str = ""
    light: tuple[int, ...] = ()


class Painter(Protocol):
    """Learns the empty scene and paints what may be shown, for one source."""

    @property
    def view(self) -> View:
        """Which confirmed view is in front of the camera now, as far as that is sure."""
        ...

    def recognise(self, picture: Picture, trouble: str, busy: BoolArray | None) -> None:
        """Find out which confirmed view a picture shows, and under what light. Called about once a second.

        Args:
            trouble: what is wrong with the camera (``health.CONDITIONS``), or "".
            busy: where things are followed, in strided luma; None where there are none.
        """
        ...

    def lose(self, why: str) -> None:
        """Say that there is no picture, or none that may be looked at; ``why`` in plain words."""
        ...

    def stir(self, moving: BoolArray) -> None:
        """Say where something moved or was found since the last look, in strided luma."""
        ...

    @property
    def ready(self) -> float:
        """The share of the backdrop that is admitted, 0..1."""
        ...

    @property
    def learning(self) -> bool:
        """Whether it learns from pictures at present: they must be exact then."""
        ...

    def due(self, at_ms: int) -> bool:
        """Whether a look is worth its cost now."""
        ...

    def look(
        self, at_ms: int, bgr: Image, masked: NDArray[np.bool_], vehicles: FloatArray, beside: NDArray[np.bool_]
    ) -> None:
        """Learn from a picture, except where ``masked`` ((h, w) bool).

        Args:
            vehicles: (n, 4) those in view. One that stands may be learned as a part of the scene.
            beside: (h, w), ``masked`` without vehicles.
        """
        ...

    def pins(self, tracks: Tracks) -> tuple[Pin, ...]:
        """Marks for the public view: snapped to the charter's grid."""
        ...

    def still(self, tracks: Tracks, zone: tuple[tuple[float, float], ...] | None) -> bytes:
        """PNG of the painted scene with pins and the zone drawn. No pixel of a person is in it."""
        ...
