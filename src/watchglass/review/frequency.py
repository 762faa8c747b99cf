"""How often something was so, as a natural frequency with its interval: never a bare percentage (law 5).

The interval is Wilson's (``statistics.intervals``). It takes the alerts as independent draws of one rate; bursts of
alike alerts make the truth less certain than it says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.core.errors import BadInput
from watchglass.statistics.intervals import wilson

FEWEST: Final = 20
"""Below this many, a share says more about chance than about the thing, and none is shown."""


@dataclass(frozen=True, slots=True)
class Frequency:
    """``k`` of ``n`` were so.

    Attributes:
        of: what was counted, as words that follow a number: "alerts here".
        were: what was so: "were real", "were wrong".
        fewest: how many are needed before a share is shown.
    """

    k: int
    n: int
    of: str = "alerts here"
    were: str = "were real"
    fewest: int = FEWEST

    DERIVED: ClassVar = ("enough", "percent", "low_percent", "high_percent", "sentence")

    def __post_init__(self) -> None:
        if self.n < 0 or not 0 <= self.k <= max(self.n, 0):
            raise BadInput(f"{self.k} of {self.n} is not a frequency.", fix="Count a part of a whole.")
        if self.fewest < 1:
            raise BadInput("A share of nothing cannot be shown.", fix="Ask for at least one.")

    @property
    def enough(self) -> bool:
        """Whether there are enough to show a share."""
        return self.n >= self.fewest

    @property
    def percent(self) -> int | None:
        """The share seen, rounded to a whole percent; None where there are not enough."""
        return round(100 * self.k / self.n) if self.enough else None

    @property
    def low_percent(self) -> int | None:
        """The lower end of the 95 % interval, rounded outwards."""
        return math.floor(100 * wilson(self.k, self.n)[0] + 1e-9) if self.enough else None

    @property
    def high_percent(self) -> int | None:
        """The upper end of the 95 % interval, rounded outwards."""
        return math.ceil(100 * wilson(self.k, self.n)[1] - 1e-9) if self.enough else None

    @property
    def sentence(self) -> str:
        """For people: "Of the last 212 alerts here, 187 were real: 88 %, likely between 83 % and 92 %."."""
        if self.enough:
            return (
                f"Of the last {self.n} {self.of}, {self.k} {self.were}: {self.percent}\u00a0%, "
                f"likely between {self.low_percent}\u00a0% and {self.high_percent}\u00a0%."
            )
        if not self.n:
            return f"Not enough data yet: no {self.of} so far. A share is shown from {self.fewest} on."
        return (
            f"Not enough data yet: of {self.n} {self.of} so far, {self.k} {self.were}. "
            f"A share is shown from {self.fewest} on."
        )
