"""How a change is weighed for the people under the cameras, and what all sentences about changes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from watchglass.charter.phrases import listed, said

Weight = Literal["narrowing", "maintenance", "widening"]
Weigh = Callable[[Any, Any], Weight]
Show = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Told:
    """How a field's change weighs and is told; the words may use ``{who}``, ``{old}`` and ``{new}``."""

    weigh: Weigh
    words: str
    show: Show = str


def neither(_old: object, _new: object) -> Weight:
    """Whatever it becomes, people are watched as before."""
    return "maintenance"


def wider(_old: object, _new: object) -> Weight:
    """Whatever it becomes, it counts as widening: it cannot be told."""
    return "widening"


def more_is_wider(old: Any, new: Any) -> Weight:
    """A higher number widens; so does one that comes or goes."""
    return "widening" if old is None or new is None or new > old else "narrowing"


def members_widen(old: tuple[str, ...], new: tuple[str, ...]) -> Weight:
    """Each member that comes widens."""
    if set(old) == set(new):
        return "maintenance"
    return "narrowing" if set(new) < set(old) else "widening"


def members_protect(old: tuple[str, ...], new: tuple[str, ...]) -> Weight:
    """Each member that goes widens."""
    if set(old) == set(new):
        return "maintenance"
    return "narrowing" if set(old) < set(new) else "widening"


def names(values: tuple[str, ...]) -> str:
    """Names as people say them."""
    return listed([said(value) for value in values]) or "nobody"
