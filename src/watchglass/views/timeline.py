"""When the public sees what: the charter's delay, and its threshold, applied so that its crossing tells little.

A view that is empty while fewer than three people are in view would tell, by the moment at which it fills, when the
third one came. So it is decided for half a minute at a time. Where the delay is at least that long, the whole half
minute is known before any of it is shown: it shows marks if enough people were in view throughout, and else none. Where
the delay is shorter nobody can look ahead: marks show in a half minute if enough people were in view throughout the one
before, and they go at once when there are too few.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from watchglass.core.time import SECOND
from watchglass.views.public import PERSON, PlainPin
from watchglass.views.smoothing import LAG_MS

SLOT_MS: Final = 30 * SECOND
"""For so long at a time it is decided whether enough people are in view."""

STALE_MS: Final = 15 * SECOND
"""A moment older than this is shown no more. A quiet camera is looked at once in twelve seconds at least."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What may be told of one moment, before delay and threshold.

    Attributes:
        at_ms: when it was.
        marks: (x, y, kind) as they are drawn.
        scene: which confirmed view was in front of the camera; "" for none, and then there are no marks.
        unsure: why there is none, in words.
        light: twelve factors in sixty-fourths by which the light differed from the backdrop's; () for none.
    """

    at_ms: int
    marks: tuple[PlainPin, ...] = ()
    scene: str = ""
    unsure: str = ""
    light: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.marks and not self.scene:
            raise ValueError("where no confirmed view is in front of the camera, there are no marks")

    @property
    def people(self) -> int:
        """How many of the marks stand for persons."""
        return sum(kind == PERSON for _, _, kind in self.marks)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the public may see now.

    Attributes:
        at_ms: the moment that is shown, the charter's delay ago.
        marks: (x, y, kind) as they are drawn; none where ``hidden``.
        people: how many persons are in view; None where ``hidden``, because the number itself would tell, and where no
            confirmed view is in front of the camera.
        hidden: too few people were in view, by the charter's threshold.
        scene, unsure, light: as in ``Moment``.
    """

    at_ms: int
    marks: tuple[PlainPin, ...]
    people: int | None
    hidden: bool
    scene: str
    unsure: str
    light: tuple[int, ...]

    @property
    def marks_ms(self) -> int:
        """When things were where the marks stand: they are steadied, and so a little late."""
        return self.at_ms - LAG_MS


class Timeline:
    """The moments of one source, and what of them may be shown. To be asked at times that never go back.

    Args:
        delay_ms: the charter's ``delay``: nothing younger is ever shown.
        threshold: the charter's ``hide_below``.
    """

    def __init__(self, delay_ms: int, threshold: int) -> None:
        self._delay_ms = delay_ms
        self._threshold = threshold
        self._ahead = delay_ms >= SLOT_MS
        self.clear()

    def clear(self) -> None:
        """Forget every moment."""
        self._coming: deque[Moment] = deque()
        self._present: Moment | None = None
        self._slot = -1
        self._open = False
        self._steady = False

    def add(self, moment: Moment) -> None:
        """Take in the next moment. One out of turn is dropped; a clock that went back starts the line anew."""
        last = self._coming[-1] if self._coming else self._present
        if last is not None and moment.at_ms <= last.at_ms:
            if last.at_ms - moment.at_ms <= STALE_MS:
                return
            self.clear()
        self._coming.append(moment)

    def at(self, now_ms: int) -> Shown | None:
        """What is shown at ``now_ms``; None when there is nothing that old, or only something much older."""
        present = now_ms - self._delay_ms
        while self._coming and self._coming[0].at_ms <= present:
            self._enter(self._coming[0].at_ms // SLOT_MS)
            self._present = self._coming.popleft()
            if not self._enough(self._present):
                self._open = self._steady = False
        self._enter(present // SLOT_MS)
        moment = self._present
        if moment is None or not 0 <= present - moment.at_ms <= STALE_MS:
            self._open = self._steady = False
            return None
        return self._shown(moment)

    def _enter(self, slot: int) -> None:
        """Decide about a slot when the first of it is shown, and not again."""
        if slot <= self._slot:
            return
        known = takewhile(lambda moment: moment.at_ms // SLOT_MS <= slot, self._coming)
        # ``_steady`` until now: enough people in view throughout the slot before
        before = self._ahead or (self._steady and slot == self._slot + 1)
        enough = (self._present is None or self._enough(self._present)) and all(map(self._enough, known))
        self._open = enough and before
        self._steady = enough
        self._slot = slot

    def _enough(self, moment: Moment) -> bool:
        return moment.people >= self._threshold

    def _shown(self, moment: Moment) -> Shown:
        hidden = bool(moment.scene) and self._threshold > 0 and not self._open
        told = bool(moment.scene) and not hidden
        return Shown(
            at_ms=moment.at_ms,
            marks=moment.marks if told else (),
            people=moment.people if told else None,
            hidden=hidden,
            scene=moment.scene,
            unsure=moment.unsure,
            light=moment.light,
        )
