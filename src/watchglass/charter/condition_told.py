"""What is said of each condition of a source that changes: to ask for less is widening."""

from __future__ import annotations

from typing import Any, Final

from watchglass.charter.condition_words import conditions_said
from watchglass.charter.conditions import Conditions
from watchglass.charter.phrases import duration, in_natural, listed, plain
from watchglass.charter.quality_told import ceiling, floor
from watchglass.charter.weighing import Told, Weight


def _appears(_old: object, new: object) -> Weight:
    return "widening" if new is None else "narrowing"


def _tighter(old: Any, new: Any) -> Weight:
    """A narrower range asks for more."""
    if new is None:
        return "widening"
    return "narrowing" if old is None or (new[0] >= old[0] and new[-1] <= old[-1]) else "widening"


def _range(value: tuple[int, int] | None) -> str:
    return "anything" if value is None else " to ".join(map(str, value))


def _share(value: int | None) -> str:
    return "anything" if value is None else f"{in_natural(value)} parts"


STATED: Final = Told(
    _appears,
    "{who}: what is asked of its pictures is {new}.",
    lambda conditions: "no longer said" if conditions is None else f"now: {listed(conditions_said(conditions))}",
)
"""Of a source that has conditions on one side only."""

CONDITIONS: Final[dict[type, dict[str, Told]]] = {
    Conditions: {
        "brightness": Told(_tighter, "{who}: its pictures must now be {new} bright; before: {old}.", _range),
        "sharpness_at_least": Told(
            floor,
            "{who}: its pictures must now be {new} sharp; before: {old}.",
            lambda value: "anything" if value is None else f"{plain(value / 1000)} or more",
        ),
        "zones_in_view_at_least": Told(
            floor, "{who}: of each area {new} must now be where it was drawn; before: {old}.", _share
        ),
        "uptime_at_least": Told(floor, "{who}: pictures must now come for {new} of an hour; before: {old}.", _share),
        "clock_within_ms": Told(
            ceiling,
            "{who}: its clock may now be off by {new}; before: {old}.",
            lambda ms: "anything" if ms is None else duration(ms),
        ),
    }
}
