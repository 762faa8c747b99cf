"""What conditions of a source mean, for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from watchglass.charter.conditions import Conditions
from watchglass.charter.phrases import duration, in_natural, listed, plain


def conditions_said(conditions: Conditions) -> list[str]:
    """Each stated condition as the end of "its pictures must be": ``sharp enough (0.5 or more)``."""
    said = []
    if conditions.brightness is not None:
        low, high = conditions.brightness
        said.append(f"neither too dark nor too bright ({low} to {high}, where 0 is black and 255 is white)")
    if conditions.sharpness_at_least is not None:
        said.append(f"sharp enough ({plain(conditions.sharpness_at_least / 1000)} or more)")
    if conditions.zones_in_view_at_least is not None:
        said.append(f"of the place that was drawn ({in_natural(conditions.zones_in_view_at_least)} parts of each area)")
    if conditions.uptime_at_least is not None:
        said.append(f"there for {in_natural(conditions.uptime_at_least)} parts of each hour")
    if conditions.clock_within_ms is not None:
        said.append(f"timed by a clock that is right to {duration(conditions.clock_within_ms)}")
    return said


def condition_words(conditions: Conditions | None) -> Iterator[str]:
    """What is asked of a source's pictures, for residents."""
    if conditions is not None:
        yield (
            f"Its pictures must be {listed(conditions_said(conditions))}. Where they are not, that is written into "
            "the ledger, and every alert says so."
        )
