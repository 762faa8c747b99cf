"""What lint looks for in conditions of sources: those that could never fail, and those that would always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.conditions import WHITE, Conditions
from watchglass.charter.model import Charter
from watchglass.charter.phrases import duration
from watchglass.charter.rules import Hit, Rule
from watchglass.core.time import MINUTE

_NARROW: Final = 20
_WHOLE: Final = 1000
_SHARPEST: Final = 6_000
"""A checkerboard of black and white comes to about 2; no scene to three times that."""


def never_fails(charter: Charter) -> Iterator[Hit]:
    for source in charter.sources:
        if source.conditions is None:
            continue
        at = ("sources", source.name, "conditions")
        who = f"The condition of “{source.name}”"
        if source.conditions.brightness == (0, WHITE):
            yield (*at, "brightness"), f"{who} lets every picture pass: none is darker than 0 or brighter than 255."
        if source.conditions.clock_within_ms is not None and source.kind != "rtsp":
            yield (
                (*at, "clock_within"),
                f"{who} is never measured: a source of the kind `{source.kind}` sends no times of its own.",
            )
        yield from _loose(at, who, source.conditions)


def _loose(at: tuple[str, ...], who: str, conditions: Conditions) -> Iterator[Hit]:
    clock = conditions.clock_within_ms
    if clock is not None and clock > MINUTE:
        yield (
            (*at, "clock_within"),
            f"{who} lets a clock pass that is {duration(clock)} off; none so far off is believed.",
        )


def always_fails(charter: Charter) -> Iterator[Hit]:
    for source in charter.sources:
        conditions = source.conditions
        if conditions is None:
            continue
        at = ("sources", source.name, "conditions")
        who = f"The condition of “{source.name}”"
        if conditions.brightness is not None and conditions.brightness[1] - conditions.brightness[0] < _NARROW:
            low, high = conditions.brightness
            yield (*at, "brightness"), f"{who} asks for {low} to {high}: light alone changes by more within an hour."
        if conditions.sharpness_at_least is not None and conditions.sharpness_at_least > _SHARPEST:
            yield (
                (*at, "sharpness_at_least"),
                f"{who} asks for a sharpness of {conditions.sharpness_at_least / 1000:g}: no scene is so sharp.",
            )
        for key, value in (
            ("uptime_at_least", conditions.uptime_at_least),
            ("zones_in_view_at_least", conditions.zones_in_view_at_least),
        ):
            if value == _WHOLE:
                yield (
                    (*at, key),
                    f"{who} asks for the whole: one second without a picture, or a gust of wind, fails it.",
                )


CONDITION_RULES: Final = (
    Rule(
        "conditions-never",
        "warning",
        "A condition of a source can fail.",
        "EU AI Act Art. 15(1)",
        "Choose a value that the source's page shows is sometimes not met, or remove the condition.",
        never_fails,
        "notice",
    ),
    Rule(
        "conditions-always",
        "warning",
        "A condition of a source can be met.",
        "EU AI Act Art. 15(1)",
        "Choose a value that the source's page shows is met on a usual day.",
        always_fails,
        "notice",
    ),
)
"""Of a charter that asks something of its sources' pictures."""
