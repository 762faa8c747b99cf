"""What the public learns: how many signals there were in a quarter, and what oversight made of them. No person in it.

Withheld where fewer than ten people could cause a signal: colleagues would know who is meant. For the same reason
numbers below five, none included, are told as "fewer than five" where they are of one kind or one finding. Where that
withholds a single one of a table, so that it could be reckoned from the total, the next smallest is withheld too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, TypeVar

from watchglass.access.misuse.facts import Disposition, Finding
from watchglass.access.misuse.signal import Kind, Signal
from watchglass.core.errors import BadInput
from watchglass.core.time import millis

FEWEST_STAFF: Final = 10
FEWEST: Final = 5
K = TypeVar("K")
_QUARTER: Final = re.compile(r"(\d{4})-Q([1-4])")


@dataclass(frozen=True, slots=True)
class QuarterlyCounts:
    """The counts of one quarter. None stands for what is withheld.

    Attributes:
        quarter: ``2026-Q4``.
        signals: all of them.
        by_kind, by_finding: parts of it; a None in them is "fewer than five", or withheld beside one such.
        open: not settled when this was counted.
    """

    quarter: str
    signals: int | None
    by_kind: Mapping[Kind, int | None]
    by_finding: Mapping[Finding, int | None]
    open: int | None

    WHY_WITHHELD: ClassVar = "Withheld: fewer than ten people work there, so a count would point at one of them."

    @property
    def withheld(self) -> bool:
        return self.signals is None


def quarter_of(quarter: str) -> tuple[int, int]:
    """When a quarter such as ``2026-Q4`` begins and ends (the first moment of the next).

    Raises:
        BadInput: it is no quarter.
    """
    found = _QUARTER.fullmatch(quarter)
    if found is None or int(found[1]) < 1:
        raise BadInput(f"{quarter!r} is no quarter.", fix="Write a year and a quarter: 2026-Q4.")
    year, first = int(found[1]), 3 * int(found[2]) - 2
    next_year, next_first = (year + 1, 1) if first == 10 else (year, first + 3)  # noqa: PLR2004  # October
    return millis(datetime(year, first, 1, tzinfo=UTC)), millis(datetime(next_year, next_first, 1, tzinfo=UTC))


def quarterly_counts(
    signals: Iterable[Signal], dispositions: Iterable[Disposition], quarter: str, staff: int
) -> QuarterlyCounts:
    """The counts of a quarter for the public.

    Args:
        signals: any; those that arose in the quarter are counted, each once.
        dispositions: the last one of a signal counts.
        staff: how many people had an account that can cause a signal, at the quarter's fewest.

    Raises:
        BadInput: ``quarter`` is none, or ``staff`` is negative.
    """
    begin, end = quarter_of(quarter)
    if staff < 0:
        raise BadInput(f"{staff} people cannot work there.", fix="Count the accounts.")
    if staff < FEWEST_STAFF:
        return QuarterlyCounts(quarter, None, {}, {}, None)
    counted = {signal.id: signal.kind for signal in signals if begin <= signal.at_ms < end}
    last = {each.signal: each.finding for each in sorted(dispositions, key=lambda each: (each.at_ms, each.finding))}
    kinds = Counter(counted.values())
    found = Counter(last[name] for name in counted if name in last)
    left = len(counted) - sum(found.values())
    by_kind = _coarse({kind: kinds[kind] for kind in Kind})
    parts: dict[Finding | None, int] = {**{finding: found[finding] for finding in Finding}, None: left}
    by_finding = _coarse(parts)
    return QuarterlyCounts(
        quarter,
        len(counted),
        by_kind,
        {finding: by_finding[finding] for finding in Finding},
        by_finding[None],
    )


def _coarse(counts: Mapping[K, int]) -> dict[K, int | None]:
    """The counts with small ones withheld, and never a single one that the total would tell."""
    small = {name for name, count in counts.items() if count < FEWEST}
    if len(small) == 1:
        rest = [name for name, count in counts.items() if count >= FEWEST]
        small |= {min(rest, key=lambda name: counts[name])} if rest else set()
    return {name: None if name in small else count for name, count in counts.items()}
