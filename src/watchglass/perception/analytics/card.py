"""What every analytic says about itself: for the reference page, for the charter's reader, for a plug-in's host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a rule.

    Attributes:
        key: as ``AnalyticSpec.settings`` names it.
        unit: "ms", "m", "m/s", "people / m²", "kinds", ...
        default: as written in words; "" where the charter must say it.
        means: one sentence.
    """

    key: str
    unit: str
    default: str
    means: str


@dataclass(frozen=True, slots=True)
class Card:
    """An analytic's card.

    Attributes:
        kind: as the charter writes it.
        rule: the whole rule in words, as the code keeps it.
        needs: what the source must have (a zone, a line, a ground plane, ``width_m``); "" where nothing.
        parameters: its settings.
        evidence: what an incident of this kind carries in ``why`` and ``facts``.
        fails: known failure modes, each one sentence that names a cause.
        sees: what it is given. Never pixels.
        near: what it takes for a near-miss, and how near that is; "" where it tells of none.
    """

    kind: str
    rule: str
    needs: str
    parameters: tuple[Parameter, ...]
    evidence: str
    fails: tuple[str, ...]
    sees: tuple[Literal["tracks", "found", "statics", "condition"], ...] = ("tracks",)
    near: str = ""
