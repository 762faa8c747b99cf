"""How many of which witnesses must agree before a checkpoint counts as seen outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchglass.core.errors import BadInput


def more_than_half(count: int) -> int:
    """The smallest number of ``count`` witnesses of which no two sets of that size can be without a common member."""
    return count // 2 + 1


@dataclass(frozen=True, slots=True)
class Agreement:
    """``needed`` of ``witnesses``, which are named by the labels of their keys (``name+keyid``)."""

    witnesses: frozenset[str]
    needed: int

    def __post_init__(self) -> None:
        if not 0 < self.needed <= max(1, len(self.witnesses)):
            raise BadInput(
                f"{self.needed} of {len(self.witnesses)} witnesses can never agree.",
                fix="Ask for at least one and at most all of them.",
            )

    def reached(self, seen: Mapping[str, int]) -> int:
        """The largest value that enough of the witnesses have reached; 0 where too few have reached any.

        Args:
            seen: how far each witness has come: a size, or a time.
        """
        values = sorted((seen.get(name, 0) for name in self.witnesses), reverse=True)
        return values[self.needed - 1] if self.needed <= len(values) else 0
