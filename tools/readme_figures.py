"""Put what ``watchglass bench leak`` printed into the table of ``README.md``, so that no figure there is typed.

watchglass bench leak --json > docs/figures/leak.json
python tools/readme_figures.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- made by tools/readme_figures.py -->\n", "<!-- end -->\n"

_ROWS = (
    ("painted_leaked_pixel_share", "Of the pixels where people truly were: like the person, in the public view"),
    ("painted_detector_firings", "Detectors of people and faces that fire in the public view, its marks left out"),
    ("painted_grey_share", "Of the picture: still grey after a minute"),
    ("painted_people_shown", "Of the people in view: shown as a mark"),
    ("plates_read_painted", "Of {n} number plates: read in the public view"),
    ("plates_read_mosaic", "Of {n} number plates: read in a reviewer's clips"),
    ("mosaic_faces_found", "Of {n} faces that are found in the camera's pictures: found in a reviewer's clips"),
)


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """The table, in Markdown.

    Args:
        figures: as a command prints them.
    """
    named = {figure["name"]: figure for figure in figures}
    rows = [_row(named[name], words) for name, words in _ROWS if name in named]
    return "\n".join(["| What is measured | Found | Target |", "|---|---|---|", *rows]) + "\n"


def readme(text: str, figures: Sequence[Mapping[str, Any]]) -> str:
    """``text`` with the table in its place."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table(figures)}\n{END}{after}"


def measured() -> list[dict[str, Any]]:
    """The figures of ``bench leak`` that are published."""
    figures: list[dict[str, Any]] = json.loads((ROOT / "docs/figures/leak.json").read_text("utf-8"))["figures"]
    return figures


def _row(figure: Mapping[str, Any], words: str) -> str:
    value, target = figure["value"], figure["target"]
    found = "not measured" if value is None else _number(value, figure["unit"])
    met = {True: "met", False: "**missed**", None: ""}[figure["ok"]]
    least = "" if target == 0 else ("at most " if figure["better"] == "lower" else "at least ")
    wanted = "" if target is None else f"{least}{_number(target, figure['unit'])}: {met}".removesuffix(": ")
    return f"| {words.format(n=figure['n'])} | {found} | {wanted} |"


def _number(value: float, unit: str | None) -> str:
    """A count as it is, a share in per cent."""
    return f"{100 * value:.3g} %" if (unit or "").startswith("share") else f"{value:g}"


if __name__ == "__main__":
    README.write_text(readme(README.read_text("utf-8"), measured()), "utf-8")
