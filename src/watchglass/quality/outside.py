"""Tables from elsewhere, a line for each decision: how often it went one way, by group.

For records that others keep, such as police stops. Nothing of it is ever joined with what Watchglass records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.quality.compare import ALPHA, FEWEST, Between, Comparison, Tally, against, clustered, rates, shares

MISSING: Final = frozenset(("", "NA", "N/A", "null", "NULL", "None", "nan", "NaN"))
MOST_GROUPS: Final = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a table.

    Attributes:
        by: the column whose values are the groups.
        outcome: column and value: what happened.
        among: column and value that a line must have to be counted at all.
        block: the column within whose values lines are not independent (a place, a day, an officer); "" for none.
        reference: the group with which the others are compared; "" for none. To be chosen before anybody looked.
        residents: group -> people; then rates per resident are asked for instead of shares of lines.
        without: groups that are left out, such as a value for "not known".
    """

    by: str
    outcome: tuple[str, str]
    among: tuple[tuple[str, str], ...] = ()
    block: str = ""
    reference: str = ""
    residents: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Groups side by side.

    Attributes:
        question: as it was asked.
        lines: of the table.
        counted: of them, in a group with a known outcome.
        left_out: why -> how many lines.
        comparison: shares of lines, or rates per resident.
        ratios: of each group to the reference.
    """

    question: Question
    lines: int
    counted: int
    left_out: Mapping[str, int]
    comparison: Comparison
    ratios: tuple[Between, ...]

    def as_json(self) -> dict[str, Any]:
        asked = self.question
        return {
            "by": asked.by,
            "outcome": "=".join(asked.outcome),
            "among": ["=".join(part) for part in asked.among],
            "block": asked.block,
            "reference": asked.reference,
            "without": list(asked.without),
            "per": "resident" if asked.residents else "line",
            "lines": self.lines,
            "counted": self.counted,
            "left_out": dict(self.left_out),
            **self.comparison.as_json(),
            "ratios": [one.as_json() for one in self.ratios],
        }


def answer(
    rows: Iterable[Mapping[str, str]], question: Question, *, alpha: float = ALPHA, fewest: int = FEWEST
) -> Answer:
    """Count a table.

    Raises:
        BadInput: a column is not there, nothing is counted, or there are too many groups.
    """
    units: dict[str, dict[str, tuple[int, int]]] = {}
    left_out: Counter[str] = Counter()
    lines = 0
    for row in rows:
        lines += 1
        if lines == 1:
            _check(row, question)
        why, group, unit = _placed(row, question, lines)
        if why:
            left_out[why] += 1
            continue
        k, n = units.setdefault(group, {}).get(unit, (0, 0))
        units[group][unit] = (k + (row[question.outcome[0]] == question.outcome[1]), n + 1)
        if len(units) > MOST_GROUPS:
            raise BadInput(f"{question.by} has more than {MOST_GROUPS} values.", fix="Ask by a column with groups.")
    counted = sum(n for group in units.values() for _, n in group.values())
    if not counted:
        raise BadInput("No line of this table is counted.", fix="Check the values of --among and --outcome.")
    tallies = {name: _tally(units[name], question, name) for name in sorted(units)}
    share = not question.residents
    comparison = (shares if share else rates)(tallies, alpha=alpha, fewest=fewest)
    ratios = against(tallies, question.reference, share=share, alpha=alpha, fewest=fewest) if question.reference else ()
    return Answer(question, lines, counted, MappingProxyType(dict(left_out)), comparison, ratios)


def _check(row: Mapping[str, str], question: Question) -> None:
    wanted = [question.by, question.outcome[0], *(column for column, _ in question.among)]
    for column in (*wanted, question.block) if question.block else wanted:
        if column not in row:
            raise BadInput(f"The table has no column {column!r}.", fix=f"Its columns are: {', '.join(list(row)[:40])}.")


def _placed(row: Mapping[str, str], question: Question, line: int) -> tuple[str, str, str]:
    """Why a line is left out (or ""), its group, its unit."""
    for column, value in question.among:
        if row[column] != value:
            return (f"{column} unknown" if row[column] in MISSING else f"{column} not {value}"), "", ""
    group, outcome = row[question.by], row[question.outcome[0]]
    if group in MISSING:
        return f"{question.by} unknown", "", ""
    if group in question.without:
        return f"{question.by} is {group}"[:80], "", ""
    if outcome in MISSING:
        return f"{question.outcome[0]} unknown", "", ""
    if question.residents and group not in question.residents:
        return f"no residents given for {group}"[:80], "", ""
    return "", group, row[question.block] if question.block else str(line)


def _tally(units: Mapping[str, tuple[int, int]], question: Question, name: str) -> Tally:
    found = (
        clustered(units.values(), share=not question.residents)
        if question.block
        else Tally(sum(k for k, _ in units.values()), float(sum(n for _, n in units.values())))
    )
    if not question.residents:
        return found
    return Tally(found.happened, float(question.residents[name]), found.spread, found.units)
