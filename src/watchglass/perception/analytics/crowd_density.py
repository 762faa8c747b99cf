"""More people stand on a piece of ground than is safe, for a time."""

from __future__ import annotations

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.rule import Finding, Lasting, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.zones import Zone

_RELEASE = 0.8


class CrowdDensity:
    """Fires once when density has been at ``people_per_m2`` for ``for_ms``; again after it was below 80 % of it.

    The count is of people whom the detector finds, which in a dense crowd is fewer than there are: density is a lower
    bound, and a charter's limit should be set from the counts that its own camera shows.

    Settings: ``people_per_m2`` (needed), ``for_ms`` (20000), ``rearm_ms`` (10000). The zone needs ``area_m2``.
    """

    def __init__(self, spec: AnalyticSpec) -> None:
        self._zone = Zone(spec.zone)
        if not self._zone.area_m2 or self._zone.area_m2 <= 0:
            raise BadInput(
                f"The rule {spec.name!r} needs a zone whose ground area is known.", fix="Add area_m2 to the zone."
            )
        self._area = self._zone.area_m2
        self._limit = number(spec, "people_per_m2")
        if self._limit <= 0:
            raise BadInput(f"The rule {spec.name!r} has a limit of zero.", fix="Set people_per_m2 above zero.")
        self._lasting = Lasting(int(number(spec, "for_ms", 20_000)), rearm_ms=int(number(spec, "rearm_ms", 10_000)))

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self._lasting.reset()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        inside = self._zone.inside(scene.tracks, ("person",))
        people = int(inside.sum())
        density = people / self._area
        above = density >= self._limit
        held = self._lasting.held(scene.at_ms, holds=above)
        crowded = density >= _RELEASE * self._limit
        if not self._lasting.fires(scene.at_ms, occupied=crowded, reached=above and held >= self._lasting.for_ms):
            return None
        return Finding(
            score=float(scene.tracks.scores[inside].mean()),
            why=(
                f"{people} people on {self._area:g} m² of '{self._zone.name}' ({density:.2f} a square metre, "
                f"limit {self._limit:g}) for {held / 1000:.1f} s"
            ),
            facts={
                "people": people,
                "area_m2": self._area,
                "people_per_m2": round(density, 3),
                "limit": self._limit,
                "seconds": round(held / 1000, 1),
            },
        )
