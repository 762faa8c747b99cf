"""Something crosses a line against the allowed way, and stays on the wrong side."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from watchglass.core.geometry import feet
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of
from watchglass.perception.analytics.rule import Finding, Scene, kinds_of, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.zones import Line

_FIRM: Final = 0.35
"""How far beyond the line, in widths of its own box, a thing's feet must be to be on that side: boxes jitter."""

_LEAST_PX: Final = 3.0
_END: Final = 0.02
_FORGET_MS: Final = 3_000


@dataclass(slots=True)
class _Walker:
    """One track and the line.

    Attributes:
        side: the last side on which it firmly was: 1 right, -1 left, 0 not known.
        offset, beside: where it was then.
        crossed_ms: since when it has been on the wrong side, if it crossed against the way and that is not told yet.
    """

    kind: int
    score: float
    seen_ms: int
    side: int = 0
    offset: float = 0.0
    beside: float = 0.0
    crossed_ms: int | None = None


class WrongWay:
    """Fires once for each crossing against the way, ``for_ms`` after it, unless the thing came back before.

    Settings: ``of`` (kinds; person, vehicle, bicycle), ``for_ms`` (1000).
    """

    card: ClassVar[Card] = Card(
        kind="wrong_way",
        rule=(
            "The allowed way across the line is from its left to its right, as seen in the picture from its first "
            "point towards its second. A thing that was firmly on the right and is then firmly on the left has "
            "gone the wrong way. Firmly means that its feet are at least a third of its own width away from the "
            "line. It must have crossed between the two ends, and must not come back for `for`."
        ),
        needs="a line",
        parameters=(
            Parameter("of", "kinds", "person, vehicle, bicycle", "Which things the way holds for."),
            Parameter("for_ms", "ms", "1000", "How long it must not come back; who turns round at once has not gone."),
        ),
        evidence="What crossed which line, and how long ago. The score is the detector's for that thing.",
        fails=(
            (
                "A track that breaks while the thing is on the line (somebody else walks in front) is two things, and "
                "neither has crossed."
            ),
            (
                "Two people who meet on the line may exchange their tracks: one crossing is missed, or one is told "
                "that did not happen."
            ),
            "The point at the feet is guessed where legs are hidden; draw the line where the ground can be seen.",
            (
                "Something that first comes into view nearer to the line than a third of its width has no side to come "
                "from."
            ),
        ),
        near="How long it was on the wrong side before it came back, as a share of `for`.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        self._line = Line(spec.zone)
        self._kinds = kinds_of(spec, ("person", "vehicle", "bicycle"))
        self._wanted = frozenset(KINDS.index(kind) for kind in self._kinds)
        self._for_ms = int(number(spec, "for_ms", 1000))
        self._walkers: dict[int, _Walker] = {}
        self._due: deque[tuple[int, float, int]] = deque()
        self.nearing = Nearing()

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self._walkers.clear()
        self.nearing.reset()
        self._due.clear()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``. Two that cross at the same moment are told one after the other."""
        self._follow(scene)
        for track, walker in list(self._walkers.items()):
            if walker.crossed_ms is not None:
                self.nearing.saw(scene.at_ms, share_of(scene.at_ms - walker.crossed_ms, self._for_ms), track)
            if walker.crossed_ms is not None and scene.at_ms - walker.crossed_ms >= self._for_ms:
                self._due.append((walker.kind, walker.score, walker.crossed_ms))
                walker.crossed_ms = None
            elif scene.at_ms - walker.seen_ms > max(_FORGET_MS, self._for_ms):
                del self._walkers[track]
        if not self._due:
            return None
        kind, score, crossed_ms = self._due.popleft()
        ago = (scene.at_ms - crossed_ms) / 1000
        return Finding(
            score=score,
            why=f"a {KINDS[kind]} crossed '{self._line.name}' the wrong way {ago:.1f} s ago and did not come back",
            facts={"what": KINDS[kind], "line": self._line.name, "seconds": round(ago, 1)},
        )

    def _follow(self, scene: Scene) -> None:
        tracks = scene.tracks
        if not len(tracks):
            return
        stands = feet(tracks.boxes)
        offsets, besides = self._line.offset(stands), self._line.beside(stands)
        firm = np.maximum(_FIRM * (tracks.boxes[:, 2] - tracks.boxes[:, 0]), _LEAST_PX)
        for i, track in enumerate(tracks.ids.tolist()):
            kind, score = int(tracks.kinds[i]), float(tracks.scores[i])
            if kind not in self._wanted:
                continue
            walker = self._walkers.setdefault(track, _Walker(kind, score, scene.at_ms))
            walker.kind, walker.seen_ms, walker.score = kind, scene.at_ms, max(score, 0.9 * walker.score)
            offset, beside = float(offsets[i]), float(besides[i])
            if abs(offset) < float(firm[i]):
                continue
            side = 1 if offset > 0 else -1
            if walker.side and side != walker.side:
                share = walker.offset / (walker.offset - offset)
                at = walker.beside + share * (beside - walker.beside)
                within = -_END <= at <= 1 + _END
                walker.crossed_ms = scene.at_ms if side < 0 and within else None
            walker.side, walker.offset, walker.beside = side, offset, beside
