"""Somebody lies on the ground and does not get up."""

from __future__ import annotations

from typing import ClassVar, Final

from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.lying import REARM_MS, LyingRule
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.posture import DROP, LAY_DOWN_MS, LONG_M, LOW, Lying

FOR_MS: Final = 10_000


class PersonDown(LyingRule):
    """Fires once for each person who lies for ``for_ms``. The rule in words is ``card.rule``."""

    card: ClassVar[Card] = Card(
        kind="person_down",
        rule=(
            f"Somebody who was upright within the last {LAY_DOWN_MS / 1000:g} s came down by {DROP:.0%} of that "
            f"height or more, slowly or fast, and has been at least {LOW:g} times as wide as tall for `for`. From "
            f"above (`overhead`): something that is found as a person and at least {LONG_M:g} m long has lain "
            "still for `for`. The person is taken to be there still as long as the detector finds them, or what "
            "changed in the scene where they lie has not gone, or nothing has moved at all. It is over when none "
            "of these speaks for them for some seconds, or when somebody as tall stands there instead."
        ),
        needs="a zone; from above also `view.plane` or `view.width_m`",
        parameters=(
            Parameter("for_ms", "ms", f"{FOR_MS}; at least 10000 in a charter", "How long the person must have lain."),
            Parameter("rearm_ms", "ms", str(REARM_MS), "Who lies at the same place so soon is the same person."),
        ),
        evidence="How long the person has lain, in how many looks, and whether the scene stays changed there.",
        fails=(
            "Somebody who lies where people do lie (a bed, a lawn) is told: leave such places out of the zone.",
            "Somebody who sits down on the ground against a wall stays taller than wide, and is not told.",
            "Who was already down when the camera began to look, or after a gap, is not told.",
            "A thing that somebody who lay down and rose left at the place can keep the state for a while.",
        ),
        sees=("found", "statics"),
        near="How long somebody lay, as a share of `for`.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        super().__init__(
            spec, for_ms=FOR_MS, holds=lambda one: one.certain, words=_words, confirmed=True, nearly=_nearly
        )


def _nearly(one: Lying) -> float:
    return 1.0 if one.certain else 0.0


def _words(one: Lying, lasted: int) -> str:
    known = "the scene has not changed back there" if one.static is not None else f"found in {one.looks} looks"
    return f"somebody has lain on the ground for {lasted / 1000:.0f} s ({known})"
