"""What ``watchglass quality disparity`` says of real police stops. Read by ``watchglass bench disparity``.

The table is the 51,920 stops of Minneapolis in 2017 that carData ships (``mpls_stops`` of ``WATCHGLASS_DATA``). Stops
in one neighbourhood are not taken as independent. "Unknown" and what is empty is left out of the groups; how much that
is stands in the note. What follows from it, and what does not: docs/explanation/who-is-watched.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from measures import Figure, figure
from watchglass.edge.tables import lines
from watchglass.quality.outside import Answer, Question, answer

Progress = Callable[[str], None]

REFERENCE = "White"
_BLOCK, _UNKNOWN = "neighborhood", ("Unknown",)
_SEARCHED = ("personSearch", "YES")
_CITED = ("citationIssued", "YES")
ASKED: Mapping[str, Question] = {
    "stops_searched": Question("race", _SEARCHED, (), _BLOCK, REFERENCE, without=_UNKNOWN),
    "traffic_stops_searched": Question("race", _SEARCHED, (("problem", "traffic"),), _BLOCK, REFERENCE,
                                       without=_UNKNOWN),
    "suspicious_stops_searched": Question("race", _SEARCHED, (("problem", "suspicious"),), _BLOCK, REFERENCE,
                                          without=_UNKNOWN),
    "searches_cited": Question("race", _CITED, (_SEARCHED,), _BLOCK, REFERENCE, without=_UNKNOWN),
    "searches_cited_by_precinct": Question("policePrecinct", _CITED, (_SEARCHED,), _BLOCK),
}  # fmt: skip
"""What is asked. The reference is that of most work on police stops; it was set before anything was counted."""


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """Shares by group, ratios to the reference, and the highest over the geometric mean."""
    del quick
    file = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve() / "mpls_stops/MplsStops.csv.gz"
    if not file.is_file():
        return [figure("stops_searched", None, unit="share", note="WATCHGLASS_DATA names no folder with mpls_stops")]
    rows = list(lines([file]))
    result = []
    for name, question in ASKED.items():
        progress(f"counting {name}")
        result += of_answer(name, answer(rows, question))
    return result


def of_answer(name: str, found: Answer) -> list[Figure]:
    left_out = sum(found.left_out.values())
    result = []
    for group in found.comparison.groups:
        if group.low is None or group.high is None:
            continue
        note = f"{group.happened:,} of {group.of:,.0f}; {group.units} neighbourhoods; {left_out:,} lines left out"
        result.append(
            figure(_name(name, group.name), group.value, unit="share", interval=(group.low, group.high),
                   n=int(group.of), note=note)
        )  # fmt: skip
    result += [
        figure(
            _name(name, one.first, "over", one.second), one.value, unit="times", n=found.counted, against=one.second,
            interval=None if one.high is None else (one.low, one.high),
        )
        for one in found.ratios
    ]  # fmt: skip
    apart = found.comparison.worst_over_mean
    if apart is not None:
        result.append(
            figure(_name(name, "highest over mean"), apart.value, unit="times", n=found.counted,
                   interval=None if apart.high is None else (apart.low, apart.high),
                   against="the geometric mean of the groups", note=f"highest: {apart.first}")
        )  # fmt: skip
    return result


def _name(*parts: str) -> str:
    return "_".join(part.lower().replace(" ", "_") for part in parts)
