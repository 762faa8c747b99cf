"""What all analytics share: what they see, what they answer, and how a condition must last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from watchglass.core.errors import BadInput
from watchglass.perception.ground import Ground
from watchglass.perception.health import Condition
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.observation import KINDS, Detections, StaticChange, Tracks


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment, as analytics see it.

    Attributes:
        tracks: the things in view.
        condition: what is wrong with the camera, if anything.
        statics: what has changed in the scene and stays (a thing left behind, a thing taken away).
        found: what the detector found at this very moment, down to low scores and before it is followed: somebody who
            lies is found with less certainty than somebody who stands. None where the detector did not look.
        window: the part of the picture in which it looked (x1, y1, x2, y2 in pixels); None for all of it.
        ground: metres on the ground, where the charter states them; ``ground.exact`` tells a plane from a scale.
        overhead: the camera looks straight down.
    """

    at_ms: int
    tracks: Tracks
    condition: Condition | None = None
    statics: tuple[StaticChange, ...] = ()
    found: Detections | None = None
    window: tuple[float, float, float, float] | None = None
    ground: Ground | None = None
    overhead: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule was satisfied.

    Attributes:
        score: raw score, 0..1, not a probability; None where the rule has none.
        why: the rule that fired, in plain words.
        facts: the numbers behind ``why``.
        boxes: ((x1, y1, x2, y2, kind), ...) in pixels, of what it is about and no track shows.
    """

    score: float | None
    why: str
    facts: Mapping[str, object]
    boxes: tuple[tuple[int, int, int, int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.score is not None and not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in 0..1, not {self.score}")


class Analytic(Protocol):
    """A rule that turns observations into incidents."""

    def see(self, scene: Scene) -> Finding | None:
        """What follows from this moment. Moments come in order."""
        ...

    def reset(self) -> None:
        """Forget the moments so far (a loop's seam, a lapsed lease, a camera that was away)."""
        ...


class Lasting:
    """A condition that must last, and fires once for one event.

    Args:
        for_ms: how long it must hold, from its first moment.
        gap_ms: an interruption this short does not count (a missed detection).
        rearm_ms: after firing, how long the event must be over before the next one.
    """

    def __init__(self, for_ms: int, gap_ms: int = 1000, rearm_ms: int = 5000) -> None:
        self.for_ms, self.gap_ms, self.rearm_ms = for_ms, gap_ms, rearm_ms
        self._since: int | None = None
        self._broken: int | None = None
        self._occupied: int | None = None
        self._fired = False

    def reset(self) -> None:
        """Forget how long it has held. An event that was reported stays reported until it has ended."""
        self._since = self._broken = None

    def held(self, at_ms: int, *, holds: bool) -> int:
        """For how long it has held at ``at_ms``, milliseconds; 0 when it does not hold."""
        if not holds:
            self._broken = at_ms if self._broken is None else self._broken
            return 0
        if self._since is None or (self._broken is not None and at_ms - self._broken > self.gap_ms):
            self._since = at_ms
        self._broken = None
        return at_ms - self._since

    def fires(self, at_ms: int, *, occupied: bool, reached: bool) -> bool:
        """Whether a new event is to be reported now.

        Args:
            at_ms: capture time.
            occupied: the event, once reported, goes on.
            reached: all that the rule asks for holds.
        """
        if self._fired and self._occupied is not None and at_ms - self._occupied > self.rearm_ms:
            self._fired = False
        if occupied or reached:
            self._occupied = at_ms
        if reached and not self._fired:
            self._fired = True
            return True
        return False


def number(spec: AnalyticSpec, key: str, default: float | None = None) -> float:
    """A number from a rule's settings.

    Raises:
        BadInput: it is missing or not a positive number.
    """
    value = spec.settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadInput(
            f"The rule {spec.name!r} needs a number for {key!r}, not {value!r}.", fix="Correct it in the charter."
        )
    return float(value)


def kinds_of(spec: AnalyticSpec, default: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of thing that a rule is about (``of``).

    Raises:
        BadInput: one of them is not a kind of thing.
    """
    value = spec.settings.get("of", default)
    wanted = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
    if not wanted or any(kind not in KINDS for kind in wanted):
        raise BadInput(f"The rule {spec.name!r} is about {value!r}.", fix=f"Name one or more of: {', '.join(KINDS)}.")
    return wanted


def count_of(n: int, kind: str) -> str:
    """``1 person``, ``3 people``, ``2 vehicles``."""
    if n == 1:
        return f"1 {kind}"
    return f"{n} people" if kind == "person" else f"{n} {kind}s"
