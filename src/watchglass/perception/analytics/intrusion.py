"""Somebody or something stands where nothing of its kind may be, for a time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of
from watchglass.perception.analytics.rule import Finding, Lasting, Scene, count_of, kinds_of, number
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.zones import Zone


class Intrusion:
    """Fires once when the zone has been entered for ``for_ms``; again only after it was empty for ``rearm_ms``.

    Settings: ``of`` (kinds; person), ``for_ms`` (2000), ``rearm_ms`` (5000).
    """

    card: ClassVar[Card] = Card(
        kind="intrusion",
        rule=(
            "One and the same thing has been in the zone for `for`: the middle of its lower edge, where it stands, "
            "lies inside. Two who pass one after the other do not add up. It is told once, and again only after "
            "the zone was empty for 5 s, however many come and go meanwhile."
        ),
        needs="a zone",
        parameters=(
            Parameter("of", "kinds", "person", "Which things may not be there: person, vehicle, bicycle, bag."),
            Parameter("for_ms", "ms", "2000", "How long one must stay."),
            Parameter("rearm_ms", "ms", "5000", "How long the zone must be empty before it can be told again."),
        ),
        evidence="How many of which kind, for how long. The score is the best of the detector's.",
        fails=(
            "Who is hidden, very small (below about 25 pixels) or crawls may not be found.",
            "Feet that are hidden are guessed: near the zone's edge somebody outside can count as inside.",
            "A reflection or a poster that looks like a person and moves is taken for one.",
            "Somebody who is followed with breaks is in the zone for a shorter time than they are.",
        ),
        near="The longest that one thing stayed, as a share of `for`.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        if spec.zone is None:
            raise BadInput(f"The rule {spec.name!r} has no zone.", fix="Name the zone that nothing may enter.")
        self._zone = Zone(spec.zone)
        self._kinds = kinds_of(spec, ("person",))
        self._lasting = Lasting(int(number(spec, "for_ms", 2000)), rearm_ms=int(number(spec, "rearm_ms", 5000)))
        self._entered: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self.nearing = Nearing()

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self.nearing.reset()
        self._lasting.reset()
        self._entered.clear()
        self._left.clear()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``. Time counts for each thing by itself: two that pass do not add up."""
        tracks = scene.tracks
        inside = self._zone.inside(tracks, self._kinds)
        now = set(tracks.ids[inside].tolist())
        for track in now:
            self._entered.setdefault(track, scene.at_ms)
            self._left.pop(track, None)
        for track in list(self._entered.keys() - now):
            if scene.at_ms - self._left.setdefault(track, scene.at_ms) > self._lasting.gap_ms:
                del self._entered[track], self._left[track]
        stayed = inside & np.array(
            [scene.at_ms - self._entered.get(t, scene.at_ms) >= self._lasting.for_ms for t in tracks.ids.tolist()], bool
        )
        longest = max((scene.at_ms - self._entered[track] for track in now), default=0)
        self.nearing.saw(scene.at_ms, share_of(longest, self._lasting.for_ms), goes_on=bool(now))
        # One event is one occupation of the zone, however many come and go while it lasts.
        if not self._lasting.fires(scene.at_ms, occupied=bool(inside.any()), reached=bool(stayed.any())):
            return None
        held = max(scene.at_ms - self._entered[t] for t in tracks.ids[stayed].tolist()) / 1000
        counts = {kind: int((tracks.kinds[stayed] == KINDS.index(kind)).sum()) for kind in self._kinds}
        present = {kind: n for kind, n in counts.items() if n}
        what = " and ".join(count_of(n, kind) for kind, n in present.items())
        return Finding(
            score=float(tracks.scores[stayed].max()),
            why=f"{what} inside '{self._zone.name}' for {held:.1f} s",
            facts={"count": present, "seconds": round(held, 1), "zone": self._zone.name},
        )
