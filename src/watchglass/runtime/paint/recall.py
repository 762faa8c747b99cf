"""What a file looked like about once a second, small; and, once the empty scene is known, when it was in the picture.

Live, a confirmed backdrop is compared with the camera's picture as it comes (``views.scenes``). In a file the backdrop
is known last. So a little of each second is kept, and compared afterwards, with the future known too: a view that comes
stands from where it came, and one that leaves from where it first did not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray
from watchglass.perception.ports import Picture, stride_of
from watchglass.views.backdrop import Backdrop
from watchglass.views.scenes import DAY, Familiar, Look, SceneWatch

_MOST_BYTES: Final = 64 * 1024 * 1024
_FEWEST: Final = 600
"""Ten minutes second by second are kept, however large the pictures."""

Light = tuple[int, ...]


@dataclass(slots=True)
class Recall:
    """Keeps looks. When there are too many, every other one goes."""

    _looks: list[tuple[Look, str]] = field(default_factory=list)
    _bytes: int = 0
    _every: int = 1
    _count: int = 0

    def keep(self, picture: Picture, busy: BoolArray | None, trouble: str) -> None:
        """Remember a picture.

        Args:
            picture: as it came.
            busy: (h, w) in strided luma: where things are followed.
            trouble: what is wrong with it (``health.CONDITIONS``), or "".
        """
        self._count += 1
        if self._count % self._every:
            return
        look = Look(picture.at_ms, picture.luma(), picture.chroma(), picture.black, busy)
        self._looks.append((look, trouble))
        self._bytes += _size(look)
        if self._bytes > _MOST_BYTES and len(self._looks) > _FEWEST:
            self._looks, self._every = self._looks[::2], 2 * self._every
            self._bytes = sum(_size(kept) for kept, _ in self._looks)

    def compare(self, backdrop: Backdrop) -> Standing | None:
        """When the scene of ``backdrop`` was in the picture; None where it has too few edges to be recognised by."""
        stride = stride_of(*backdrop.size)
        view = Familiar.of(backdrop.bgr, backdrop.admitted, stride)
        if view.plain:
            return None
        watch = SceneWatch()
        watch.know(DAY, view)
        stands = np.zeros(len(self._looks), bool)
        lights: list[Light] = []
        came: int | None = None
        for number, (look, trouble) in enumerate(self._looks):
            before = bool(watch.scene)
            watch.look(look, trouble)
            lights.append(watch.light)
            if watch.scene:
                stands[number if came is None else came : number + 1] = True
                came = None
                continue
            if before:  # it did not fit the look before either, but one alone is no proof
                stands[number - 1] = False
            came = (number if came is None else came) if watch.comes else None
        return Standing(np.array([look.at_ms for look, _ in self._looks], np.int64), stands, tuple(lights))


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """When a scene was in the picture, and under what light.

    Attributes:
        times: (n,) milliseconds, rising.
        stands: (n,)
        lights: for each time twelve factors in sixty-fourths, or () for the backdrop's own light.
    """

    times: NDArray[np.int64]
    stands: BoolArray
    lights: tuple[Light, ...]

    def at(self, times: NDArray[np.int64]) -> tuple[BoolArray, list[Light]]:
        """Whether it stands at each of some times, before and after; and the light of the look before."""
        after = np.searchsorted(self.times, times)
        last = len(self.times) - 1
        before = np.clip(np.where(self.times[np.minimum(after, last)] == times, after, after - 1), 0, last)
        stands = self.stands[before] & self.stands[np.minimum(after, last)]
        return stands, [self.lights[number] for number in before.tolist()]


def _size(look: Look) -> int:
    return look.luma.nbytes + look.chroma.nbytes + (0 if look.busy is None else look.busy.nbytes)
