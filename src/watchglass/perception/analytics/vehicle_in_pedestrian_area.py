"""A vehicle, a cart, a bicycle or a skateboard moves where people walk."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray, iou
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import LIMIT, Nearing, share_of, up_to
from watchglass.perception.analytics.pace import WINDOW_MS, Pace, Stride, stride_of
from watchglass.perception.analytics.rule import Finding, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.trails import Trail, Trails
from watchglass.perception.zones import Zone

WHAT: Final = ("vehicle", "bicycle", "cart", "skateboard")
"""What a charter can name, each by itself."""

_FOLLOWED: Final = ("person", "vehicle", "bicycle")
_PERSON: Final = KINDS.index("person")
_VEHICLE: Final = KINDS.index("vehicle")
_WHEELS: Final = (KINDS.index("vehicle"), KINDS.index("bicycle"))

_RIDES: Final = 1.15
"""A bicycle is ridden from this many times the walking pace; slower ones are pushed."""

_RIDER: Final = 1.3
"""The same for somebody whom the detector sees as a person, and under whom it saw wheels."""

_FAST: Final = 2.2
"""Somebody in whom the detector sees no bicycle must be this many times faster than walking."""

_FASTEST: Final = 5.0
_PERSON_SURE: Final = 0.45
"""Faster than that is a track that jumps, and a track of weak detections wanders from one thing to the next."""

_ROLLS: Final = 0.5
_CART_LONGEST: Final = 2.4
_RIDER_LONGEST: Final = 1.35
"""The longer side of a box, in heights of a person who stands there: a cart is at most 4 m, a rider 2.3 m long."""

_HITS: Final = 3
_LABEL_MS: Final = 800
_TOLD_MS: Final = 4_000
_FAINT: Final = 0.3
_UNDER: Final = 0.15
_GLIMPSES: Final = 2
"""Wheels seen faintly under a person this often, overlapping them by so much, are wheels."""

_NEAR: Final = 0.8
_DRIFT: Final = 0.3
"""How far, in heights of a person and in shares of the way it has gone unseen, a told thing may be from where it was
expected."""


@dataclass(slots=True)
class _Thing:
    """Something that was told: as long as it is near where it is expected, it is not told again."""

    track: int
    foot: FloatArray
    velocity: FloatArray
    seen_ms: int


class VehicleInPedestrianArea:
    """Fires once for each thing on wheels that moves in the zone for ``for_ms``.

    Settings: ``of`` (vehicle, bicycle, cart, skateboard; all), ``for_ms`` (1000).
    """

    card: ClassVar[Card] = Card(
        kind="vehicle_in_pedestrian_area",
        rule=(
            "Something on wheels has been in the zone for `for` and moves. Measures are people: how tall they are "
            "where it is, and the pace that three in four of the people seen walking there stay below (1.6 m/s "
            "until four have been seen). *vehicle* and *cart*: what the detector calls a vehicle, at half of that "
            "pace or more; up to 2.4 heights of a person long it is a cart, above a vehicle. *bicycle*: what the "
            "detector calls a bicycle (or a vehicle no longer than a rider, with a person on it), at 1.15 times "
            "the pace or more, because slower ones are pushed; and a person at 1.3 times the pace or more under "
            "whom it saw wheels, however faintly, at least twice. *skateboard*: a person who goes at 2.2 times the "
            "pace or more for two seconds, straight and evenly, with nothing under them that the detector knows. "
            "Each thing is told once."
        ),
        needs="a zone",
        parameters=(
            Parameter("of", "things", "vehicle, bicycle, cart, skateboard", "Which of them may not be there."),
            Parameter("for_ms", "ms", "1000", "How long it must have been seen so in the zone."),
        ),
        evidence=(
            "What it was taken for, how many times as fast as people walk, how long in heights of a person, and "
            "where. The score joins the detector's with the pace."
        ),
        fails=(
            "Who runs straight on for two seconds is taken for a skateboard; leave `skateboard` out where people run.",
            "A car seen from the front is as short as a cart; name both where it matters.",
            "A cyclist in whom the detector sees no bicycle (small, grey, hidden) is told only as a skateboard.",
            "Who walks quickly past a row of parked bicycles can be taken for a cyclist.",
            "Where most who pass are cyclists, the pace is theirs, and the others are measured by it.",
            "A person's track that jumps to somebody else looks fast; uneven steps are refused, an even jump is not.",
        ),
        sees=("tracks", "found"),
        near=(
            "For what is on wheels: from 80 % of the pace from which it counts on; three quarters of the way where "
            "that is reached, and `for` begins. Nobody is nearly a skateboard."
        ),
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        if spec.zone is None:
            raise BadInput(f"The rule {spec.name!r} has no zone.", fix="Name the zone that is for people on foot.")
        value = spec.settings.get("of", WHAT)
        wanted = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
        if not wanted or any(what not in WHAT for what in wanted):
            raise BadInput(
                f"The rule {spec.name!r} is about {value!r}.", fix=f"Name one or more of: {', '.join(WHAT)}."
            )
        self._wanted = frozenset(wanted)
        self._zone = Zone(spec.zone)
        self._for_ms = int(number(spec, "for_ms", 1000))
        self._trails = Trails(_FOLLOWED, keep_ms=6_000)
        self._pace = Pace(spec.ground)
        self._since: dict[int, int] = {}
        self._told: list[_Thing] = []
        self.nearing = Nearing()
        self._glimpses: dict[int, deque[tuple[int, FloatArray]]] = {}

    def reset(self) -> None:
        """See ``Analytic.reset``. How fast people walk here stays known."""
        self._trails.reset()
        self._since.clear()
        self.nearing.reset()
        self._told.clear()
        self._glimpses.clear()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``. Of two at the same moment, the second is told with the next one."""
        self._trails.see(scene.tracks)
        now = [trail for trail in self._trails if trail.last_ms == scene.at_ms]
        strides = {trail.id: stride for trail in now if (stride := stride_of(trail, scene.at_ms)) is not None}
        self._pace.learn(scene.at_ms, [(t, strides[t.id]) for t in now if t.kind == _PERSON and t.id in strides])
        for thing in self._told:
            if (stride := strides.get(thing.track)) is not None:
                thing.foot, thing.velocity, thing.seen_ms = stride.foot, stride.velocity, scene.at_ms
        self._told = [thing for thing in self._told if scene.at_ms - thing.seen_ms <= _TOLD_MS]
        self._glimpse(scene, now)
        finding = None
        for trail in now:
            stride = strides.get(trail.id)
            if stride is None or not self._zone.holds(stride.foot[None])[0]:
                self._since.pop(trail.id, None)
                continue
            entered = self._since.setdefault(trail.id, self._entered(trail))
            what = self._what(trail, stride, now)
            near = self._closeness(trail, stride, what, scene.at_ms - entered)
            self.nearing.saw(scene.at_ms, near, trail.id)
            if what is not None and self._known(trail.id, stride, scene.at_ms):
                self.nearing.told(trail.id)
                continue
            if what is None or finding is not None:
                continue
            if scene.at_ms - entered >= self._for_ms:
                self._told.append(_Thing(trail.id, stride.foot, stride.velocity, scene.at_ms))
                finding = self._finding(trail, stride, what)
        alive = {trail.id for trail in self._trails}
        self._since = {track: since for track, since in self._since.items() if track in alive}
        return finding

    def _closeness(self, trail: Trail, stride: Stride, what: str | None, held: int) -> float:
        """How near it is to being told."""
        if what is not None:
            return up_to(1, share_of(held, self._for_ms)) if self._for_ms else 1.0
        wheels = trail.kind != _PERSON and len(trail) >= _HITS and trail.age_ms >= _LABEL_MS
        named = self._wanted & ({"vehicle", "cart"} if trail.kind == _VEHICLE else {"bicycle"})
        asked = _ROLLS if trail.kind == _VEHICLE else _RIDES
        return min(LIMIT, up_to(self._pace.paces(stride) / asked, 0)) if wheels and named else 0.0

    def _entered(self, trail: Trail) -> int:
        """Since when the track has been in the zone without a break, as far as is remembered."""
        outside = np.flatnonzero(~self._zone.holds(trail.feet()))
        times = trail.times()
        return int(times[outside[-1] + 1]) if len(outside) else int(times[0])

    def _what(self, trail: Trail, stride: Stride, now: list[Trail]) -> str | None:
        """What moves there, if the rule is about it."""
        paces = self._pace.paces(stride)
        if trail.kind == _PERSON:
            what = self._on_foot(trail, stride, paces, now)
        elif len(trail) < _HITS or trail.age_ms < _LABEL_MS or paces < _ROLLS:
            what = None
        elif trail.kind == _VEHICLE and not self._ridden(stride, now):
            what = "cart" if self._pace.heights(stride) <= _CART_LONGEST else "vehicle"
        else:
            what = "bicycle" if paces >= _RIDES else None
        return what if what in self._wanted else None

    def _on_foot(self, trail: Trail, stride: Stride, paces: float, now: list[Trail]) -> str | None:
        """What carries somebody whom the detector sees as a person: wheels that move with them, or too much speed."""
        wheels = any(self._near(stride, t) and self._rolls(t) for t in now) or self._carries(trail.id, stride)
        if paces >= _RIDER and stride.even and wheels:
            return "bicycle"
        sure = float(trail.scores(trail.last_ms - WINDOW_MS).mean()) >= _PERSON_SURE
        return "skateboard" if sure and stride.even and stride.long and _FAST <= paces <= _FASTEST else None

    def _glimpse(self, scene: Scene, now: list[Trail]) -> None:
        """Remember where the detector saw wheels, however faintly, under somebody whom it sees as a person."""
        if scene.found is None:
            return
        wheels = scene.found.boxes[np.isin(scene.found.kinds, _WHEELS) & (scene.found.scores >= _FAINT)]
        for trail in now if len(wheels) else ():
            if trail.kind != _PERSON:
                continue
            overlap = iou(trail.boxes(scene.at_ms)[-1:], wheels)[0]
            best = int(overlap.argmax())
            if overlap[best] >= _UNDER:
                middle = (wheels[best, :2] + wheels[best, 2:]) / np.float32(2)
                self._glimpses.setdefault(trail.id, deque(maxlen=8)).append((scene.at_ms, middle))
        alive = {trail.id for trail in self._trails}
        self._glimpses = {
            track: seen
            for track, seen in self._glimpses.items()
            if track in alive and scene.at_ms - seen[-1][0] <= _TOLD_MS
        }

    def _carries(self, track: int, stride: Stride) -> bool:
        """Whether wheels were seen under somebody more than once, and had come along meanwhile."""
        seen = self._glimpses.get(track)
        if seen is None or len(seen) < _GLIMPSES:
            return False
        return float(np.hypot(*(seen[-1][1] - seen[0][1]))) >= 0.5 * self._pace.height(stride)

    def _ridden(self, stride: Stride, now: list[Trail]) -> bool:
        """Whether what the detector calls a vehicle is a bicycle: no longer than a rider, and somebody is on it."""
        near = any(t.kind != _VEHICLE and self._near(stride, t) for t in now)
        return near and self._pace.heights(stride) <= _RIDER_LONGEST

    def _rolls(self, other: Trail) -> bool:
        """Whether it is a thing on wheels that has come at least its own length."""
        boxes = other.boxes()
        way = (boxes[-1, :2] + boxes[-1, 2:] - boxes[0, :2] - boxes[0, 2:]) / np.float32(2)
        return other.kind != _PERSON and float(np.hypot(*way)) >= float((boxes[-1, 2:] - boxes[-1, :2]).max())

    def _near(self, stride: Stride, other: Trail) -> bool:
        off = np.abs(other.feet(other.last_ms)[-1] - stride.foot)
        return float(off.max()) < 0.5 * self._pace.height(stride)

    def _known(self, track: int, stride: Stride, at_ms: int) -> bool:
        """Whether this is something that was told already; if so, it is followed from here on."""
        for thing in self._told:
            if thing.track == track:
                return True
            seconds = (at_ms - thing.seen_ms) / 1000
            expected = thing.foot + thing.velocity * np.float32(seconds)
            reach = _NEAR * self._pace.height(stride) + _DRIFT * seconds * float(np.hypot(*thing.velocity))
            same_way = float(thing.velocity @ stride.velocity) > 0
            if same_way and float(np.hypot(*(stride.foot - expected))) <= reach:
                thing.track, thing.foot, thing.velocity, thing.seen_ms = track, stride.foot, stride.velocity, at_ms
                return True
        return False

    def _finding(self, trail: Trail, stride: Stride, what: str) -> Finding:
        paces = self._pace.paces(stride)
        label = 0.0 if trail.kind == _PERSON else float(trail.scores().mean()) * min(1.0, len(trail) / 5)
        quick = min(0.9, max(0.0, 0.4 * (paces - 1)))
        words = {"skateboard": "somebody moves as if on wheels"}.get(what, f"a {what} moves")
        return Finding(
            score=1 - (1 - label) * (1 - quick),
            why=f"{words} inside '{self._zone.name}', {paces:.1f} times as fast as people walk there",
            facts={
                "what": what,
                "times_walking_pace": round(paces, 2),
                "zone": self._zone.name,
                "x_px": round(float(stride.foot[0])),
                "y_px": round(float(stride.foot[1])),
            },
        )
