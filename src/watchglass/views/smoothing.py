"""Steady marks: what stands still stands still in the public view too, and what walks moves from cell to cell.

Boxes tremble, and things are missed for a moment. Put on a grid frame by frame, a mark at the border of two cells would
jump to and fro, and one that is missed would blink. So a mark stands on the cell of the median of its feet over two
seconds, leaves it only when the median is well inside another one and at most once a second, shows when its thing has
been in view for half a second, and stays for a second after it was last seen. Its kind is what it mostly was.

Track numbers come in here and do not go out: what comes out is sorted, so that its order tells nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray, feet
from watchglass.core.time import SECOND
from watchglass.views.public import Area, PlainPin, cell_side, middle_of, pin_radius, touches, withheld

WINDOW_MS: Final = 2 * SECOND
"""Over so long the place and the kind of a mark are the median and the most frequent."""
APPEAR_MS: Final = SECOND // 2
"""A thing that has been in view for so long gets a mark."""
LINGER_MS: Final = SECOND
"""A mark stays for so long after its thing was last seen."""
STEP_MS: Final = SECOND
"""A mark changes its cell once in so long at most."""
LAG_MS: Final = WINDOW_MS // 2 + 2 * STEP_MS // 5
"""Marks stand where things were so long before: the middle of the window, and most of the wait for a step."""

_MARGIN: Final = 0.2
"""How far into another cell the median must be before the mark follows, in cells."""
_SAME: Final = 1.0
"""A new track that begins so near to a lost one, in cells, goes on with its mark."""


@dataclass(slots=True)
class _Mark:
    track: int
    kind: int
    cell: tuple[int, int]
    since_ms: int
    seen_ms: int
    moved_ms: int
    feet: deque[tuple[int, float, float]] = field(default_factory=deque)
    kinds: deque[int] = field(default_factory=deque)
    hidden_ms: int | None = None

    def median(self) -> tuple[float, float]:
        """Of the feet, in pixels."""
        x, y = np.median(np.array([(x, y) for _, x, y in self.feet], np.float64), axis=0)
        return float(x), float(y)


class SteadyMarks:
    """The marks of one source over time.

    Args:
        size: (width, height) of the picture.
        width_m, grid_m: as in ``views.public.cell_side``.
        never_show: areas that the public never sees. Whoever stands in one, or whose mark would reach into one, has no
            mark, and gets one again a second after leaving it.
    """

    def __init__(
        self, size: tuple[int, int], width_m: float | None, grid_m: float, never_show: Iterable[Area] = ()
    ) -> None:
        self._width = size[0]
        self._cell = cell_side(width_m, size[0], grid_m)
        self._hidden = withheld(size, never_show)
        self._radius = pin_radius(size[0])
        self._marks: list[_Mark] = []
        self._last_ms = 0

    def see(
        self, at_ms: int, ids: NDArray[np.int64], boxes: FloatArray, kinds: NDArray[np.int8]
    ) -> tuple[PlainPin, ...]:
        """Take in what is in view, and give the marks that are shown.

        Args:
            at_ms: capture time. If it goes back, everything begins anew.
            ids: (n,) track numbers.
            boxes: (n, 4) x1, y1, x2, y2 in pixels.
            kinds: (n,) indices into the kinds of thing.

        Returns:
            (x, y, kind) of each mark on its cell's middle, sorted. Equal marks stay.
        """
        if at_ms < self._last_ms:
            self._marks.clear()
        self._last_ms = at_ms
        self._marks = [mark for mark in self._marks if at_ms - mark.seen_ms <= LINGER_MS]
        places = feet(boxes)
        for mark, n in self._whose(ids, places, at_ms):
            self._follow(mark, at_ms, float(places[n, 0]), float(places[n, 1]), int(kinds[n]))
        return tuple(sorted((*self._middle(mark), mark.kind) for mark in self._marks if self._shows(mark, at_ms)))

    def _whose(self, ids: NDArray[np.int64], places: FloatArray, at_ms: int) -> list[tuple[_Mark, int]]:
        """The mark of each track: its own, that of one that was just lost in the same place, or a new one."""
        known = {mark.track: mark for mark in self._marks}
        pairs = [(known[int(number)], n) for n, number in enumerate(ids) if int(number) in known]
        lost = [mark for mark in self._marks if mark.track not in set(ids.tolist())]
        for n in (n for n, number in enumerate(ids) if int(number) not in known):
            place = places[n]
            near = min(lost, key=lambda mark: _apart(mark, place), default=None)
            if near is not None and _apart(near, place) <= _SAME * self._cell:
                lost.remove(near)
                near.track = int(ids[n])
            else:
                column, row = (int(value // self._cell) for value in place.tolist())
                near = _Mark(int(ids[n]), -1, (column, row), at_ms, at_ms, at_ms)
                self._marks.append(near)
            pairs.append((near, n))
        return pairs

    def _follow(self, mark: _Mark, at_ms: int, x: float, y: float, kind: int) -> None:
        mark.seen_ms = at_ms
        mark.feet.append((at_ms, x, y))
        mark.kinds.append(kind)
        while mark.feet[0][0] < at_ms - WINDOW_MS:
            mark.feet.popleft()
            mark.kinds.popleft()
        votes = Counter(mark.kinds)
        often, count = votes.most_common(1)[0]
        if mark.kind < 0 or count > votes[mark.kind]:
            mark.kind = often
        self._step(mark, at_ms, x, y)

    def _step(self, mark: _Mark, at_ms: int, x: float, y: float) -> None:
        at = mark.median()
        column, row = (value / self._cell for value in at)
        away = max(abs(column - mark.cell[0] - 0.5), abs(row - mark.cell[1] - 0.5))
        fresh = at_ms - mark.since_ms < APPEAR_MS  # not shown yet: it may settle
        if away > 0.5 + _MARGIN and (fresh or at_ms - mark.moved_ms >= STEP_MS):
            mark.cell = (int(column // 1), int(row // 1))
            mark.moved_ms = at_ms
        if self._hidden is not None and (self._inside(x, y) or self._inside(*at) or self._reaches(mark)):
            mark.hidden_ms = at_ms

    def _shows(self, mark: _Mark, at_ms: int) -> bool:
        if at_ms - mark.since_ms < APPEAR_MS:
            return False
        return mark.hidden_ms is None or (at_ms - mark.hidden_ms > STEP_MS and not self._reaches(mark))

    def _middle(self, mark: _Mark) -> tuple[int, int]:
        return middle_of(*mark.cell, self._cell, self._width)

    def _inside(self, x: float, y: float) -> bool:
        assert self._hidden is not None
        height, width = self._hidden.shape
        return bool(self._hidden[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)])

    def _reaches(self, mark: _Mark) -> bool:
        return self._hidden is not None and touches(*self._middle(mark), self._radius, self._hidden)


def _apart(mark: _Mark, place: FloatArray) -> float:
    _, x, y = mark.feet[-1]
    return float(np.hypot(x - place[0], y - place[1]))
