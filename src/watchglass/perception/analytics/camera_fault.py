"""The camera does not show what it should: black, frozen, blurred, moved or lost; or its clock jumped."""

from __future__ import annotations

from typing import ClassVar, Final

from watchglass.core.errors import BadInput
from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.rule import Finding, Lasting, Scene, number
from watchglass.perception.health import CONDITIONS
from watchglass.perception.messages import AnalyticSpec

_WORDS: Final = {
    "black": "the picture has been black for {seconds:.0f} s",
    "frozen": "hardly a pixel of the picture has changed for {seconds:.0f} s, though this camera always has noise",
    "blurred": "the picture has been much less sharp than usual for {seconds:.0f} s",
    "moved": "the camera has shown another view than before for {seconds:.0f} s",
    "lost": "no picture has come for {seconds:.0f} s",
    "clock": "the camera's clock jumped {seconds:.0f} s ago, so its times cannot be trusted",
}


class CameraFault:
    """Fires once for each condition when it begins; again after it was gone for ``rearm_ms``.

    Settings: ``of`` (conditions; all), ``for_ms`` (5000), ``rearm_ms`` (30000).
    """

    card: ClassVar[Card] = Card(
        kind="camera_fault",
        rule=(
            "The camera has shown for `for` what it should not: *black* (no light at all), *frozen* (hardly a pixel "
            "changes, from a camera that always has noise), *blurred* (edges less than 0.4 times as steep as "
            "usual), *moved* (another view, or the same one shifted), *lost* (no picture comes). Each is judged "
            "against the camera's own past, about once a second, and told once. *clock*: its clock jumped by over "
            "two seconds; that is told whatever `for` says, because a jump does not last."
        ),
        needs="",
        parameters=(
            Parameter("of", "conditions", "black, frozen, blurred, moved, lost, clock", "Which conditions are told."),
            Parameter("for_ms", "ms", "5000", "How long the condition must last."),
            Parameter("rearm_ms", "ms", "30000", "How long it must be gone before it can be told again."),
        ),
        evidence="Which condition, for how long, and the numbers on which it rests. There is no score.",
        fails=(
            "A source without noise (drawn, or coded very hard) cannot be found frozen.",
            "A shift of less than about a hundredth of the picture is not found.",
            "Light that goes out wholly cannot be told from a covered lens; both are *black*.",
            "Somebody so near that they fill the picture looks like another view.",
            "What it learns in its first seconds is taken for right: a camera that begins blurred is not found.",
        ),
        sees=("condition",),
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        value = spec.settings.get("of", CONDITIONS)
        wanted = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
        if not wanted or any(name not in CONDITIONS for name in wanted):
            raise BadInput(
                f"The rule {spec.name!r} is about {value!r}.", fix=f"Name one or more of: {', '.join(CONDITIONS)}."
            )
        self._for_ms = int(number(spec, "for_ms", 5000))
        rearm = int(number(spec, "rearm_ms", 30_000))
        self._lasting = {name: Lasting(0, rearm_ms=rearm) for name in wanted}

    def reset(self) -> None:
        """See ``Analytic.reset``. A fault that was reported is not reported again while it lasts."""

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        condition = scene.condition
        if condition is None or condition.name not in self._lasting:
            return None
        held = scene.at_ms - condition.since_ms
        reached = held >= self._for_ms or condition.name == "clock"
        if not self._lasting[condition.name].fires(scene.at_ms, occupied=True, reached=reached):
            return None
        seconds = held / 1000
        return Finding(
            score=None,
            why=_WORDS[condition.name].format(seconds=seconds),
            facts={"condition": condition.name, "seconds": round(seconds, 1), **condition.facts},
        )
