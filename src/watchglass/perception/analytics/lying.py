"""What ``fall`` and ``person_down`` share: who lies in the zone, and whom somebody was told about already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from watchglass.perception.analytics.nearing import Nearing, share_of
from watchglass.perception.analytics.rule import Finding, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.posture import Lying, Postures
from watchglass.perception.zones import Zone

REARM_MS: Final = 60_000
"""Whoever is lost and found again at the same place within this time is the same event."""


class LyingRule:
    """Tells once of each person who lies in the zone and for whom ``holds`` says so.

    Args:
        spec: the charter's rule. Settings: ``for_ms``, ``rearm_ms``.
        for_ms: how long somebody must have lain, where the charter does not say.
        holds: whether this rule is about that person.
        words: the rule in words, for the finding.
        confirmed: time counts up to when something last spoke for the person, not up to now.
        nearly: how near somebody is to what ``holds`` asks for, 0..1.
    """

    def __init__(
        self,
        spec: AnalyticSpec,
        *,
        for_ms: int,
        holds: Callable[[Lying], bool],
        words: Callable[[Lying, int], str],
        confirmed: bool,
        nearly: Callable[[Lying], float],
    ) -> None:
        self._zone = Zone(spec.zone)
        self._for_ms = int(number(spec, "for_ms", for_ms))
        self._rearm_ms = int(number(spec, "rearm_ms", REARM_MS))
        self._holds, self._words, self._confirmed = holds, words, confirmed
        self._nearly = nearly
        self.nearing = Nearing()
        self._postures = Postures()
        self._told: dict[int, tuple[int, Lying]] = {}

    def reset(self) -> None:
        """See ``Analytic.reset``. Who was told of stays told until the time for that is over."""
        self._postures.reset()
        self.nearing.reset()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``. While something is wrong with the camera nobody's posture is known to change."""
        at_ms = scene.at_ms
        if scene.condition is not None:
            return None
        lying = self._postures.see(
            at_ms, scene.found, scene.statics, window=scene.window, overhead=scene.overhead, ground=scene.ground
        )  # fmt: skip
        for one in lying:
            if one.id in self._told:
                self._told[one.id] = (at_ms, one)
        self._told = {i: (seen, one) for i, (seen, one) in self._told.items() if at_ms - seen <= self._rearm_ms}
        for one in lying:
            lasted = (one.there_ms if self._confirmed else at_ms) - one.since_ms
            if one.id not in self._told and self._inside(one, scene) and not self._is_told(one):
                near = min(share_of(lasted, self._for_ms), self._nearly(one))
                self.nearing.saw(at_ms, near, one.id, goes_on=True)
            if lasted < self._for_ms or one.id in self._told or not self._holds(one) or not self._inside(one, scene):
                continue
            again = self._is_told(one)
            self._told[one.id] = (at_ms, one)
            self.nearing.told(one.id)
            if not again:
                x1, y1, x2, y2 = (round(float(v)) for v in one.box)
                where = ((x1, y1, x2, y2, KINDS.index("person")),)
                return Finding(one.score, self._words(one, lasted), _facts(one, lasted), where)
        return None

    def _inside(self, one: Lying, scene: Scene) -> bool:
        x1, y1, x2, y2 = (float(v) for v in one.box)
        where = [(x1 + x2) / 2, (y1 + y2) / 2 if scene.overhead else y2]
        return bool(self._zone.holds(np.array([where], np.float32))[0])

    def _is_told(self, one: Lying) -> bool:
        return any(one.is_where(other) for _, other in self._told.values())


def _facts(one: Lying, lasted: int) -> dict[str, object]:
    facts: dict[str, object] = {"seconds": round(lasted / 1000, 1), "looks": one.looks}
    if one.drop is not None and one.fell_ms is not None:
        facts |= {"down_within_s": round(one.fell_ms / 1000, 1), "top_came_down": round(one.drop, 2)}
    else:
        facts["long_m"] = round(one.length_m, 1)
    if one.static is not None:
        facts["stays_in_the_scene"] = True
    return facts
