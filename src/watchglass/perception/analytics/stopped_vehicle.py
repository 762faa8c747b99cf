"""A vehicle came, stopped, and has stood in a zone for too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray, iou
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of
from watchglass.perception.analytics.rule import Finding, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.trails import Trail, Trails
from watchglass.perception.zones import Zone

_VEHICLE: Final = KINDS.index("vehicle")
_STILL: Final = 0.2
"""A thing stands while its centre stays within this share of its box's diagonal."""

_STILL_MS: Final = 2_000
_CAME: Final = 0.75
"""A vehicle came if it has moved by this share of its box's diagonal since it was first seen."""

_SAME: Final = 0.3
_GONE_MS: Final = 5_000
_FRESH_MS: Final = 10_000
"""A change of the scene this long after the watch began was not there before."""


@dataclass(slots=True)
class _Stand:
    """A place where a vehicle stands.

    Attributes:
        since_ms: when it stopped.
        seen_ms: when something last said that it is still there.
        came: it was seen to come; otherwise it was parked before, and is never told.
    """

    box: FloatArray
    since_ms: int
    seen_ms: int
    came: bool
    score: float
    told: bool = False
    number: int = 0


class StoppedVehicle:
    """Fires once for each vehicle that came and has stood in the zone for ``for_ms``.

    Settings: ``for_ms`` (30000).
    """

    card: ClassVar[Card] = Card(
        kind="stopped_vehicle",
        rule=(
            "A vehicle that was seen moving, or that appeared where the scene was empty before, stands within the "
            "zone: its centre stays within a fifth of its box's diagonal. When that has lasted for `for`, it is "
            "told once. A vehicle that stood there when the watch began is parked and is never told. A standing "
            "vehicle that the detector loses still counts while the changed scene shows that something stands "
            "there; it has left when neither has been seen for 5 s."
        ),
        needs="a zone",
        parameters=(Parameter("for_ms", "ms", "30000", "How long it must have stood."),),
        evidence="How long it has stood, and where. The score is the detector's for the vehicle.",
        fails=(
            "A queue at a light stands too; choose `for` longer than the light.",
            "A vehicle that arrives while the camera was away or the rule not allowed counts as parked.",
            (
                "The detector is weak on vehicles seen from above or smaller than about 20 pixels; one that is never "
                "found while it moves and makes no change of the scene is missed."
            ),
            "A vehicle that stops exactly where a parked one has just left within 5 s is taken for the parked one.",
        ),
        sees=("tracks", "statics"),
        near="How long it stood, as a share of `for`.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        if spec.zone is None:
            raise BadInput(f"The rule {spec.name!r} has no zone.", fix="Name the zone in which nothing may stop.")
        self._zone = Zone(spec.zone)
        self._for_ms = int(number(spec, "for_ms", 30_000))
        self._trails = Trails(("vehicle",))
        self._stands: list[_Stand] = []
        self._began_ms: int | None = None
        self._stood = 0
        self.nearing = Nearing()

    def reset(self) -> None:
        """See ``Analytic.reset``. What stands now will count as parked: nobody saw it come."""
        self._trails.reset()
        self._stands.clear()
        self.nearing.reset()
        self._began_ms = None

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``. Two that stop at the same moment are told one after the other."""
        at_ms = scene.at_ms
        self._began_ms = at_ms if self._began_ms is None else self._began_ms
        self._trails.see(scene.tracks)
        moving = self._note(scene)
        self._support(scene, moving)
        self._stands = [s for s in self._stands if at_ms - s.seen_ms <= _GONE_MS]
        for stand in self._stands:
            held = at_ms - stand.since_ms
            if stand.came and not stand.told and stand.seen_ms == at_ms and self._in(stand.box):
                if not stand.number:
                    self._stood += 1
                    stand.number = self._stood
                self.nearing.saw(at_ms, share_of(held, self._for_ms), stand.number)
            # It must be there now: a stand that waits to be confirmed is not told meanwhile.
            if (
                stand.came
                and not stand.told
                and held >= self._for_ms
                and stand.seen_ms == at_ms
                and self._in(stand.box)
            ):
                stand.told = True
                return self._finding(stand, held)
        return None

    def _finding(self, stand: _Stand, held: int) -> Finding:
        x, y = round(float(stand.box[0] + stand.box[2]) / 2), round(float(stand.box[3]))
        return Finding(
            score=stand.score,
            why=f"a vehicle has stood inside '{self._zone.name}' for {held / 1000:.0f} s",
            facts={"seconds": round(held / 1000, 1), "zone": self._zone.name, "x_px": x, "y_px": y},
        )

    def _note(self, scene: Scene) -> list[FloatArray]:
        """Take in the vehicles that stand; the boxes of those that move."""
        moving = []
        for trail in self._trails:
            if trail.last_ms != scene.at_ms:
                continue
            still_since = _still_since(trail)
            box = trail.boxes(scene.at_ms)[-1]
            if scene.at_ms - still_since < min(_STILL_MS, self._for_ms):
                moving.append(box)
                continue
            score = float(trail.scores().mean())
            stand = self._at(box)
            if stand is None:
                came = _moved(trail) or self._appeared(scene, box)
                self._stands.append(_Stand(box, still_since, scene.at_ms, came, score))
            else:
                stand.seen_ms, stand.score = scene.at_ms, max(stand.score, score)
        return moving

    def _appeared(self, scene: Scene, box: FloatArray) -> bool:
        """Whether the scene was empty here before: a change began well after the watch did."""
        assert self._began_ms is not None
        fresh = [s.box for s in scene.statics if s.since_ms - self._began_ms >= _FRESH_MS]
        return bool(fresh) and bool((_overlap(box, fresh) >= _SAME).any())

    def _support(self, scene: Scene, moving: list[FloatArray]) -> None:
        """A stand that the detector loses for a while is still there if the changed scene says so."""
        boxes = [s.box for s in scene.statics]
        for stand in self._stands:
            if stand.seen_ms == scene.at_ms or not boxes:
                continue
            if (_overlap(stand.box, boxes) >= _SAME).any() and not _left(stand, moving):
                stand.seen_ms = scene.at_ms

    def _at(self, box: FloatArray) -> _Stand | None:
        for stand in self._stands:
            if float(iou(box[None], stand.box[None])[0, 0]) >= _SAME:
                return stand
        return None

    def _in(self, box: FloatArray) -> bool:
        foot = np.array([[(box[0] + box[2]) / 2, box[3]]], np.float32)
        return bool(self._zone.holds(foot)[0])


def _overlap(box: FloatArray, boxes: list[FloatArray] | list[tuple[float, float, float, float]]) -> FloatArray:
    row: FloatArray = iou(box[None].astype(np.float32), np.array(boxes, np.float32).reshape(-1, 4))[0]
    return row


def _left(stand: _Stand, moving: list[FloatArray]) -> bool:
    """The vehicle that stood here drives away: one moves out of its place."""
    return bool(moving) and bool((_overlap(stand.box, moving) >= _SAME).any())


def _still_since(trail: Trail) -> int:
    """Since when its centre has stayed where it is now, as far as is remembered."""
    boxes, times = trail.boxes(), trail.times()
    reach = _STILL * float(np.hypot(*(boxes[-1, 2:] - boxes[-1, :2])))
    off = np.abs(_centres(boxes) - _centres(boxes[-1:])).max(axis=1) > reach
    last_off = int(np.flatnonzero(off)[-1]) if off.any() else -1
    return int(times[last_off + 1])


def _moved(trail: Trail) -> bool:
    boxes = trail.boxes()
    reach = _CAME * float(np.hypot(*(boxes[-1, 2:] - boxes[-1, :2])))
    return bool((np.hypot(*(_centres(boxes) - _centres(boxes[-1:])).T) > reach).any())


def _centres(boxes: FloatArray) -> FloatArray:
    return ((boxes[:, :2] + boxes[:, 2:]) / np.float32(2)).astype(np.float32)
