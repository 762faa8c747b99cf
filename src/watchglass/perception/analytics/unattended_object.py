"""Somebody left a thing behind and went away."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray, feet, iou
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of
from watchglass.perception.analytics.rule import Finding, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS, StaticChange
from watchglass.perception.zones import Zone

FOR_MS: Final = 60_000
OWNER_WITHIN_M: Final = 3.0

KEEP_MS: Final = 40_000
"""For so long it is remembered where people were: a change is known only after it has been seen for some seconds."""

BROUGHT_MS: Final = 2_000
"""Whoever brought a thing was at it so shortly before it was seen."""

STAYS_MS: Final = 10_000
"""Whoever is near for so long attends to it; a passer-by is not."""

TALL_M: Final = 1.7
"""How tall a person is taken to be, where the charter states no ground plane."""

_SCORE: Final = 0.35
_AFTER_MS: Final = 500
_UNFOLLOWED: Final = 0
_AT_IT: Final = 0.3
_PERSON: Final = KINDS.index("person")
_BAG: Final = KINDS.index("bag")
_VEHICLE: Final = KINDS.index("vehicle")
_BIGGEST: Final = 0.6
_TALLEST: Final = 0.75
_SMALLEST: Final = 0.01
_IT_IS: Final = 0.35
_SHARE: Final = 0.3
_VANISHED_MS: Final = 4_000


@dataclass(slots=True)
class _Thing:
    """A change of the scene that somebody may have left behind.

    Attributes:
        owners: numbers of the tracks that were at it when it appeared.
        left_ms: since when no owner is near; None while one is.
        near: since when each track that is near now has been so.
        looks: how often something was compared with it.
        alive: how often it looked like a person or a vehicle itself.
    """

    owners: frozenset[int]
    tall_px: float
    seen_ms: int
    left_ms: int | None = None
    near: dict[int, int] = field(default_factory=dict)
    looks: int = 0
    alive: int = 0
    told: bool = False


@dataclass(slots=True)
class _Moment:
    at_ms: int
    ids: NDArray[np.int64]
    boxes: FloatArray


class UnattendedObject:
    """Fires once for each thing that was left behind and has been alone for ``for_ms``."""

    card: ClassVar[Card] = Card(
        kind="unattended_object",
        rule=(
            f"Something in the scene has changed and stays, though nothing there is known to be a bag: the detector "
            f"need not know it. Somebody was at the spot {BROUGHT_MS / 1000:g} s before it appeared or less. It is "
            f"smaller than that person, is no person or vehicle that stands still, and is nothing that was taken away. "
            f"None of those who were there is within `owner_within` of it, and nobody else stays as near for "
            f"{STAYS_MS / 1000:g} s; that has been so for `for`."
        ),
        needs="a zone; `view.plane` for exact distances, otherwise the height of people in the picture is the measure",
        parameters=(
            Parameter("for_ms", "ms", str(FOR_MS), "How long it must have been alone."),
            Parameter(
                "owner_within_m", "m", f"{OWNER_WITHIN_M:g}", "As long as its bringer is so near, it is attended."
            ),
        ),
        evidence="For how long it has been there and alone, where and how large it is, how distances were measured.",
        fails=(
            "A thing smaller than about two hundredths of the picture's width is not seen.",
            "A thing of the colour of the ground is not seen.",
            "A thing put down in a dense crowd is not connected with anybody, or with too many.",
            "A bin that is opened, a door or a parked bicycle that somebody has just touched can be told.",
            "Somebody who sits down, keeps still and is not found by the detector can be told as a thing.",
            "What was there before the camera began to look, or before another light came on, belongs to the scene.",
        ),
        sees=("tracks", "found", "statics"),
        near="How long it was alone, as a share of `for`.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        self._zone = Zone(spec.zone)
        self._for_ms = int(number(spec, "for_ms", FOR_MS))
        self._within_m = number(spec, "owner_within_m", OWNER_WITHIN_M)
        self._moments: deque[_Moment] = deque()
        self._things: dict[int, _Thing | None] = {}
        self.nearing = Nearing()

    def reset(self) -> None:
        """See ``Analytic.reset``. What was told stays told."""
        self._moments.clear()
        self.nearing.reset()
        self._things = {i: thing for i, thing in self._things.items() if thing is not None and thing.told}

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        at_ms = scene.at_ms
        if scene.condition is not None:
            return None
        boxes, kinds, ids = _everybody(scene)
        self._moments.append(_Moment(at_ms, ids[kinds == _PERSON], boxes[kinds == _PERSON]))
        while self._moments[0].at_ms < at_ms - KEEP_MS:
            self._moments.popleft()
        finding = None
        for static in scene.statics:
            if static.id not in self._things:
                self._things[static.id] = self._brought(static, at_ms)
            thing = self._things[static.id]
            if thing is None or thing.told or static.gone:
                continue
            self._attend(thing, static, scene)
            self.nearing.saw(at_ms, self._alone(thing, static, at_ms), static.id)
            if finding is None and self._is_alone(thing, static, at_ms):
                thing.told = True
                finding = self._finding(thing, static, scene)
        present = {static.id for static in scene.statics}
        self._things = {
            i: thing for i, thing in self._things.items()
            if i in present or (thing is not None and at_ms - thing.seen_ms <= _VANISHED_MS)
        }  # fmt: skip
        return finding

    def _brought(self, static: StaticChange, at_ms: int) -> _Thing | None:
        """The thing, if somebody was at the spot when it appeared, and is larger than it."""
        box = np.array(static.box, np.float32)
        owners: set[int] = set()
        tallest = 0.0
        # Somebody who is found and not followed yet can have brought it too, but not be known again.
        for moment in self._moments:
            if not -BROUGHT_MS <= moment.at_ms - static.since_ms <= _AFTER_MS or not len(moment.boxes):
                continue
            tall = moment.boxes[:, 3] - moment.boxes[:, 1]
            for index in np.flatnonzero(_gap(moment.boxes, box) <= _AT_IT * tall).tolist():
                if _smaller(box, moment.boxes[index]):
                    owners.add(int(moment.ids[index]))
                    tallest = max(tallest, float(tall[index]))
        return _Thing(frozenset(owners - {_UNFOLLOWED}), tallest, at_ms) if owners else None

    def _attend(self, thing: _Thing, static: StaticChange, scene: Scene) -> None:
        at_ms = scene.at_ms
        thing.seen_ms = at_ms
        boxes, kinds, _ = _everybody(scene)
        box = np.array(static.box, np.float32)
        if len(boxes):
            alike = iou(boxes, box[None])[:, 0] >= _IT_IS
            thing.alive += bool((alike & ((kinds == _PERSON) | (kinds == _VEHICLE))).any())
        thing.looks += 1
        near = self._near(scene, box)
        thing.near = {track: thing.near.get(track, at_ms) for track in near}
        stays = any(at_ms - since_ms >= STAYS_MS for since_ms in thing.near.values())
        if stays or near & thing.owners:
            thing.left_ms = None
        elif thing.left_ms is None:
            thing.left_ms = at_ms

    def _near(self, scene: Scene, box: FloatArray) -> set[int]:
        """The tracks of people within ``owner_within_m`` of ``box``, measured where they stand."""
        people = scene.tracks.kinds == _PERSON
        boxes, ids = scene.tracks.boxes[people], scene.tracks.ids[people]
        foot = feet(box[None])
        ground = scene.ground
        if ground is not None and (ground.exact or scene.overhead):
            away = np.hypot(*(ground.metres(feet(boxes)) - ground.metres(foot)).T)
        else:
            tall = np.maximum(boxes[:, 3] - boxes[:, 1], np.float32(1))
            away = np.hypot(*(feet(boxes) - foot).T) / tall * TALL_M
        return set(ids[np.nan_to_num(away, nan=np.inf) <= self._within_m].tolist())

    def _is_alone(self, thing: _Thing, static: StaticChange, at_ms: int) -> bool:
        if thing.left_ms is None or at_ms - thing.left_ms < self._for_ms:
            return False
        return self._counts(thing, static)

    def _counts(self, thing: _Thing, static: StaticChange) -> bool:
        """Whether it is a thing, and in the zone."""
        if thing.alive > _SHARE * thing.looks:
            return False
        foot = np.array([[(static.box[0] + static.box[2]) / 2, static.box[3]]], np.float32)
        return bool(self._zone.holds(foot)[0])

    def _alone(self, thing: _Thing, static: StaticChange, at_ms: int) -> float:
        """For how much of ``for`` it has been alone."""
        if thing.left_ms is None or not self._counts(thing, static):
            return 0.0
        return share_of(at_ms - thing.left_ms, self._for_ms)

    def _finding(self, thing: _Thing, static: StaticChange, scene: Scene) -> Finding:
        assert thing.left_ms is not None
        alone, there = (scene.at_ms - thing.left_ms) / 1000, (scene.at_ms - static.since_ms) / 1000
        exact = scene.ground is not None and (scene.ground.exact or scene.overhead)
        x1, y1, x2, y2 = static.box
        return Finding(
            score=None,
            why=(
                f"something that a person left behind {there:.0f} s ago has been alone for {alone:.0f} s "
                f"(nobody who brought it within {self._within_m:g} m)"
            ),
            facts={
                "seconds_there": round(there, 1),
                "seconds_alone": round(alone, 1),
                "box": [round(x1), round(y1), round(x2), round(y2)],
                "height_share_of_person": round((y2 - y1) / max(1.0, thing.tall_px), 2),
                "measured_by": "the ground plane" if exact else "people's height in the picture",
                "was_taken_away": static.gone,
            },
            boxes=((round(x1), round(y1), round(x2), round(y2), _BAG),),
        )


def _everybody(scene: Scene) -> tuple[FloatArray, NDArray[np.int8], NDArray[np.int64]]:
    """Boxes (n, 4), kinds (n,) and numbers (n,) of all tracks, and of what the detector alone finds."""
    tracks, found = scene.tracks, scene.found
    if found is None:
        return tracks.boxes, tracks.kinds, tracks.ids
    heard = found.scores >= _SCORE
    boxes = np.concatenate([tracks.boxes, found.boxes[heard]]).astype(np.float32)
    kinds = np.concatenate([tracks.kinds, found.kinds[heard]]).astype(np.int8)
    return boxes, kinds, np.concatenate([tracks.ids, np.full(int(heard.sum()), _UNFOLLOWED, np.int64)])


def _gap(boxes: FloatArray, box: FloatArray) -> FloatArray:
    """How far each of ``boxes`` (n, 4) is from ``box`` (4,), pixels; 0 where they overlap."""
    across = np.maximum(np.maximum(boxes[:, 0] - box[2], box[0] - boxes[:, 2]), 0)
    down = np.maximum(np.maximum(boxes[:, 1] - box[3], box[1] - boxes[:, 3]), 0)
    return np.asarray(np.hypot(across, down), np.float32)


def _smaller(box: FloatArray, person: FloatArray) -> bool:
    """Whether ``box`` is small beside ``person``, and not just a speck."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    share = float(wide * tall / max(1.0, float((person[2] - person[0]) * (person[3] - person[1]))))
    return _SMALLEST <= share <= _BIGGEST and float(tall) <= _TALLEST * float(person[3] - person[1])
