"""More people stand on a piece of ground than is safe, for a time."""

from __future__ import annotations

from typing import ClassVar, Final

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of, up_to
from watchglass.perception.analytics.rule import Finding, Lasting, Scene, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.zones import Zone

_RELEASE = 0.8

HIGHEST_MEASURED: Final = 0.3
"""People a square metre up to which the count has been measured against truth (``watchglass eval``). A charter may not
ask for more: nobody knows how far off the count would be."""


class CrowdDensity:
    """Fires once when density has been at ``people_per_m2`` for ``for_ms``; again after it was below 80 % of it.

    Settings: ``people_per_m2`` (needed), ``for_ms`` (20000), ``rearm_ms`` (10000). The zone needs an area.
    """

    card: ClassVar[Card] = Card(
        kind="crowd_density",
        rule=(
            "The people whose feet are in the zone, over its area on the ground, are at `people_per_m2` or more "
            "for `for`. It is told once, and again only after it was below 80 % of that for 10 s. The area is that "
            "of the polygon on the ground plane; where none is measured, the zone's `area_m2`."
        ),
        needs="a zone, and a ground plane or the zone's `area_m2`",
        parameters=(
            Parameter("people_per_m2", "people / m²", "", "The density from which it is told."),
            Parameter("for_ms", "ms", "20000", "How long it must be that high."),
            Parameter("rearm_ms", "ms", "10000", "How long it must be below 80 % before it can be told again."),
        ),
        evidence="How many people on how many square metres, and the limit. The score is the detector's mean.",
        fails=(
            (
                "It counts whom the detector finds. Who is hidden behind others is not counted, so it is a lower bound "
                "that falls behind the more, the denser the crowd."
            ),
            (
                f"It is measured up to {HIGHEST_MEASURED:g} people a square metre only (two on 6 m², no crowd), far "
                "below what is dangerous (from about 4 on)."
            ),
            "Feet that are hidden are guessed, and at a zone's edge that counts people in or out wrongly.",
        ),
        near="From 80 % of `people_per_m2` on; three quarters of the way where that is reached, and `for` begins.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        self._zone = Zone(spec.zone)
        area = self._zone.area_m2
        if spec.zone is not None and spec.ground is not None and spec.ground.exact:
            area = spec.ground.area(spec.zone.polygon)
        if not area or area <= 0:
            raise BadInput(
                f"The rule {spec.name!r} needs a zone whose ground area is known.",
                fix="Measure a ground plane for the source, or add area_m2 to the zone.",
            )
        self._area = area
        self._limit = number(spec, "people_per_m2")
        if self._limit <= 0:
            raise BadInput(f"The rule {spec.name!r} has a limit of zero.", fix="Set people_per_m2 above zero.")
        self._lasting = Lasting(int(number(spec, "for_ms", 20_000)), rearm_ms=int(number(spec, "rearm_ms", 10_000)))
        self.nearing = Nearing()

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self.nearing.reset()
        self._lasting.reset()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        inside = self._zone.inside(scene.tracks, ("person",))
        people = int(inside.sum())
        density = people / self._area
        above = density >= self._limit
        held = self._lasting.held(scene.at_ms, holds=above)
        crowded = density >= _RELEASE * self._limit
        self.nearing.saw(scene.at_ms, up_to(density / self._limit, share_of(held, self._lasting.for_ms)))
        if not self._lasting.fires(scene.at_ms, occupied=crowded, reached=above and held >= self._lasting.for_ms):
            return None
        return Finding(
            score=float(scene.tracks.scores[inside].mean()),
            why=(
                f"{people} people on {self._area:.4g} m² of '{self._zone.name}' ({density:.2f} a square metre, "
                f"limit {self._limit:g}) for {held / 1000:.1f} s"
            ),
            facts={
                "people": people,
                "area_m2": round(self._area, 2),
                "people_per_m2": round(density, 3),
                "limit": self._limit,
                "seconds": round(held / 1000, 1),
            },
        )
