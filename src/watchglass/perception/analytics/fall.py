"""Somebody falls."""

from __future__ import annotations

from typing import ClassVar, Final

from watchglass.perception.analytics.card import Card, Parameter
from watchglass.perception.analytics.lying import REARM_MS, LyingRule
from watchglass.perception.messages import AnalyticSpec
from watchglass.perception.posture import DROP, FELL_MS, LONG_M, LOW, UPRIGHT, Lying

FOR_MS: Final = 800


class Fall(LyingRule):
    """Fires once for each person who fell. The rule in words is ``card.rule``."""

    card: ClassVar[Card] = Card(
        kind="fall",
        rule=(
            f"From the side: somebody was upright (at least {UPRIGHT:g} times as tall as wide). Within "
            f"{FELL_MS / 1000:g} s the top of the figure came down by {DROP:.0%} of that height or more, where it "
            f"was or within one body height of it, and the figure is now at least {LOW:g} times as wide as tall; "
            "nobody as tall stands there any more. It stays so for `for`: two looks or more find it low, and none "
            "finds anybody upright there. From above (`overhead`): something that is found as a person and at "
            f"least {LONG_M:g} m long lies still for `for`, where nothing lay before."
        ),
        needs="a zone; from above also `view.plane` or `view.width_m`",
        parameters=(
            Parameter("for_ms", "ms", f"{FOR_MS}; at most 3000", "How long the person must have lain."),
            Parameter("rearm_ms", "ms", str(REARM_MS), "Who lies at the same place so soon is the same person."),
        ),
        evidence=(
            "How long the person has lain, in how many looks; from the side within which time and by how much the top "
            "came down, from above how long the figure is."
        ),
        fails=(
            "Somebody who falls straight towards the camera or away from it is as tall as wide, and can be missed.",
            "Somebody who falls behind furniture, or out of the picture, is missed.",
            "Somebody who throws themself down on purpose (sport, play, prayer) is told as a fall.",
            "Somebody who bends far down beside something wide and stays so can be told as a fall.",
            "From above a fall cannot be told from lying down.",
            "From above somebody who sits with stretched legs may be as long: leave chairs out of the zone.",
            "Who was already down when the camera began to look, or after a gap, is not told.",
        ),
        sees=("found",),
        near="How long somebody lay, as a share of `for`; or how fast they came down, as a share of a fall's speed.",
    )

    def __init__(self, spec: AnalyticSpec) -> None:
        super().__init__(spec, for_ms=FOR_MS, holds=_fell, words=_words, confirmed=False, nearly=_nearly)


def _fell(one: Lying) -> bool:
    """From above nobody can say how fast it was."""
    return one.fell_ms is None or one.fell_ms <= FELL_MS


def _nearly(one: Lying) -> float:
    """Who came down more slowly than a fall is the nearer to one, the faster it was."""
    return 1.0 if one.fell_ms is None else min(1.0, FELL_MS / max(1, one.fell_ms))


def _words(one: Lying, lasted: int) -> str:
    if one.fell_ms is None or one.drop is None:
        return f"somebody ({one.length_m:.1f} m long) has lain still for {lasted / 1000:.1f} s where nobody lay before"
    return (
        f"the height of somebody upright came down by {one.drop:.0%} within {one.fell_ms / 1000:.1f} s, and the person "
        f"has lain for {lasted / 1000:.1f} s"
    )
