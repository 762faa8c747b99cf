"""Put what ``watchglass bench disparity`` printed into the tables of ``docs/explanation/who-is-watched.md``.

watchglass bench disparity --json > docs/figures/disparity.json
python tools/who_is_watched_page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/explanation/who-is-watched.md"
FIGURES = ROOT / "docs/figures/disparity.json"
_BEGIN, _END = "<!-- {name}, made by tools/who_is_watched_page.py -->\n", "<!-- end of {name} -->\n"
_RACES = ("asian", "black", "east_african", "latino", "native_american", "other", "white")
TABLES = {
    "stops_searched": "Of 100 stops, the person was searched in",
    "traffic_stops_searched": "Of 100 traffic stops, searched",
    "suspicious_stops_searched": "Of 100 stops of “suspicious” people, searched",
    "searches_cited": "Of 100 searches, a citation followed in",
}


def filled(page: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with its tables made anew."""
    for name, what in TABLES.items():
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = before + begin + _table(name, what, figures) + end + after
    return page


def _table(name: str, what: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"| Recorded as | {what} | times that of White | n |", "|---|---|---|---|"]
    for race in _RACES:
        share, ratio = figures.get(f"{name}_{race}"), figures.get(f"{name}_{race}_over_white")
        if share is None:
            lines.append(f"| {_words(race)} | not enough data | | |")
            continue
        value = f"{100 * share['value']:.1f} ({_ends(share, 100)})"
        times = "1" if ratio is None else f"{ratio['value']:.2f} ({_ends(ratio, 1)})"
        lines.append(f"| {_words(race)} | {value} | {times} | {share['n']:,} |")
    apart = figures[f"{name}_highest_over_mean"]
    lines += ["", f"The highest over the geometric mean of all: {apart['value']:.2f} times ({_ends(apart, 1)}).", ""]
    return "\n".join(lines)


def _ends(figure: Mapping[str, Any], times: float) -> str:
    if figure["interval"] is None:
        return "no upper bound"
    low, high = figure["interval"]
    digits = 1 if times > 1 else 2
    return f"{times * low:.{digits}f} to {times * high:.{digits}f}"


def _words(race: str) -> str:
    return race.replace("_", " ").title()


def figures() -> dict[str, Mapping[str, Any]]:
    return {figure["name"]: figure for figure in json.loads(FIGURES.read_text("utf-8"))["figures"]}


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8"), figures()), "utf-8")
