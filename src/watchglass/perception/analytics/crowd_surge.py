"""Several people begin to run at once."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray, feet
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.nearing import Nearing, share_of, up_to
from watchglass.perception.analytics.rule import Finding, Lasting, Scene, number
from watchglass.perception.ground import Ground
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.trails import Trail, Trails
from watchglass.perception.zones import Zone

WINDOW_MS: Final = 1_200
"""Speed is measured over this long: a box jitters by more than a step."""

RECENT_MS: Final = 1_500
"""A speed so lately measured still counts: a runner's track breaks and begins anew."""

_LEAST_MS: Final = 700
_SURE: Final = 0.45
_CALM: Final = 1.5
"""Metres a second below which somebody is slow, however unevenly their box moves."""

_STRAIGHT: Final = 0.7
_EVEN: Final = 0.4


class CrowdSurge:
    """Fires once when ``people`` people run at the same time for ``for_ms``; again only after that ended.

    Settings: ``people`` (4), ``speed_m_s`` (2.5), ``for_ms`` (1000), ``rearm_ms`` (10000). Needs a ground.
    """

    card: ClassVar[Card] = Card(
        kind="crowd_surge",
        rule=(
            "For `for`, at least `people` people in the zone move at `speed` or faster. A person's speed is the "
            "way between two points on the ground over the last 1.2 s; it counts for 1.5 s, and only where the "
            "steps between are even and lead one way. A runner's track breaks, so of those who have no speed the "
            "same share is taken to run as of those who have one; at least half of `people` must really be "
            "measured. It does not matter whether they run together or apart. It is told once, and again only "
            "after it was over for 10 s."
        ),
        needs="a ground plane, or `width_m` for a rough one",
        parameters=(
            Parameter("people", "people", "4", "The fewest who take part."),
            Parameter(
                "speed_m_s", "m/s", "2.5", "The slowest that counts. People walk at 1.4, and run from about 2.5."
            ),
            Parameter("for_ms", "ms", "1000", "How long so many must run."),
            Parameter("rearm_ms", "ms", "10000", "How long it must be over before it can be told again."),
        ),
        evidence="How many run, how many of them were measured, their middle speed, how many are in the zone.",
        fails=(
            "Whoever runs past others may be lost: the detector looks a few times a second, and knows nobody again.",
            "A race, a game and children at play are surges too: the rule does not know why people run.",
            "In a dense crowd few are followed long enough to have a speed.",
            "`width_m` alone makes far people slow and near people fast; measure a ground plane.",
        ),
        sees=("tracks", "found"),
        near="From 80 % of `people` running on; three quarters of the way where so many run, and `for` begins.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        if spec.ground is None:
            raise BadInput(
                f"The rule {spec.name!r} needs metres.",
                fix="Measure a ground plane for the source, or say its width_m.",
            )
        self._ground: Ground = spec.ground
        self._zone = Zone(spec.zone)
        self._people = int(number(spec, "people", 4))
        self._speed = number(spec, "speed_m_s", 2.5)
        if self._people < 1 or self._speed <= 0:
            raise BadInput(f"The rule {spec.name!r} asks for nothing.", fix="Set people and speed above zero.")
        self._trails = Trails(("person",), keep_ms=3_000)
        self._lately: dict[int, tuple[int, float]] = {}
        self.nearing = Nearing()
        self._lasting = Lasting(int(number(spec, "for_ms", 1000)), rearm_ms=int(number(spec, "rearm_ms", 10_000)))

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self._trails.reset()
        self.nearing.reset()
        self._lately.clear()
        self._lasting.reset()

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        self._trails.see(scene.tracks)
        inside = self._zone.inside(scene.tracks, ("person",))
        here = frozenset(scene.tracks.ids[inside].tolist())
        speeds = {
            trail.id: speed
            for trail in self._trails
            if trail.id in here and (speed := speed_of(trail, scene.at_ms, self._ground)) is not None
        }
        self._lately = {track: told for track, told in self._lately.items() if scene.at_ms - told[0] <= RECENT_MS}
        self._lately.update({track: (scene.at_ms, speed) for track, speed in speeds.items()})
        fast = [speed for _, speed in self._lately.values() if speed >= self._speed]
        view = max(len(here), self._found(scene))
        # A runner's track breaks. Who has no speed is taken to do as those do who have one; half must be measured.
        running = min(view, round(view * len(fast) / len(self._lately))) if len(fast) >= self._people / 2 else 0
        surges = running >= self._people
        held = self._lasting.held(scene.at_ms, holds=surges)
        self.nearing.saw(scene.at_ms, up_to(running / self._people, share_of(held, self._lasting.for_ms)))
        if not self._lasting.fires(scene.at_ms, occupied=surges, reached=surges and held >= self._lasting.for_ms):
            return None
        middle = float(np.median(fast))
        return Finding(
            score=float(scene.tracks.scores[inside].mean()) if here else None,
            why=f"about {running} of {view} people run, at {middle:.1f} m/s, for {held / 1000:.1f} s",
            facts={
                "running": running,
                "people": view,
                "measured": len(fast),
                "speed_m_s": round(middle, 2),
                "limit": self._speed,
            },
        )

    def _found(self, scene: Scene) -> int:
        """How many people the detector saw in the zone at this look, whether they are followed or not."""
        if scene.found is None:
            return 0
        people = (scene.found.kinds == KINDS.index("person")) & (scene.found.scores >= _SURE)
        return int(self._zone.holds(feet(scene.found.boxes[people])).sum())


def speed_of(trail: Trail, at_ms: int, ground: Ground) -> float | None:
    """Metres a second over the last moments; None where it is not in view now, too new, or jumps about."""
    times = trail.times(at_ms - WINDOW_MS)
    if trail.last_ms != at_ms or len(times) < 3 or times[-1] - times[0] < _LEAST_MS:  # noqa: PLR2004 # two steps
        return None
    spots = ground.metres(trail.feet(at_ms - WINDOW_MS))
    if not np.isfinite(spots).all():
        return None
    way: FloatArray = np.diff(spots, axis=0).astype(np.float32)
    steps = np.hypot(way[:, 0], way[:, 1])
    elapsed = np.diff(times) / 1000
    net = float(np.hypot(*(spots[-1] - spots[0])))
    speed = net / float(elapsed.sum())
    jumps = float(np.median(steps / elapsed)) < _EVEN * speed or net < _STRAIGHT * float(steps.sum())
    return None if jumps and speed > _CALM else speed
