"""Make ``docs/reference/evaluation.md`` from what ``watchglass eval`` printed, so that no table is typed.

watchglass eval --json > all.json
python tools/calibrate.py all.json
python tools/evaluation_page.py > docs/reference/evaluation.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).resolve().parent.parent / "docs/figures/eval.json"

Figure = dict[str, Any]

_KINDS = (
    "intrusion",
    "wrong_way",
    "vehicle_in_pedestrian_area",
    "stopped_vehicle",
    "crowd_density",
    "crowd_surge",
    "unattended_object",
    "fall",
    "person_down",
    "camera_fault",
)
_SORTS = (("", "real"), ("_overhead", "real, from straight above"), ("_synthetic", "*synthetic*"))
_FALSE = ("_false_per_hour", "_false_per_adl_clip", "_false_per_hour_of_walking")
_WAYS = (
    ("", "ours, on line, the detector on every frame"),
    ("_completed", "ours, the same, gaps filled in within 2 s"),
    ("_line", "the whole line at its own pace, on line"),
    ("_line_completed", "the whole line, gaps filled in within 2 s"),
)
_HEAD = """# How well it sees

*Made from `docs/figures/eval.json` by `tools/evaluation_page.py`; do not edit by hand.*

What `make eval` (`watchglass eval`) measured against recordings with truth, on {processor}, {cores} cores, Python
{python}, version {version}. Each value has its 95 % interval and its n: Wilson's interval for shares, a bootstrap over
blocks or clips for what is not independent, Poisson's for rates. Targets are those of the project's plan; what misses
one says so. The recordings are public data sets, few and old, by day, in good weather: they are not your place. They
are not in the repository; [how to help](../../CONTRIBUTING.md) says how the command finds them.

Where there is too little it says *not enough data*. Where no real clip with truth is at hand there are made ones, and
the row says *synthetic*: their people and cars are filmed, what they do is not. The figure for real clips is then null.
"""

_PRECISION = """Precision is how many of the incidents that were told were right; recall how many of those that happened
were told."""
_RELIABILITY = """What a score is worth is learnt from incidents with truth (isotonic regression, smoothed) and held
against clips that were not learnt from, one clip left out at a time. *Said* is the mean of what was said of the
incidents in a bin, *was* how many of them were right. The error is the mean distance between the two, weighted by n;
Brier's score is the mean squared distance, beside that of always saying the base rate. Below 30 incidents, or five of
the rarer outcome, nothing is said: then a reviewer reads no probability."""


def page(result: dict[str, Any]) -> str:
    """The whole page, Markdown."""
    figures = {one["name"]: one for one in result["figures"]}
    shown: set[str] = set()
    machine = result["machine"]
    parts = [
        _HEAD.format(**{key: machine[key] for key in ("processor", "cores", "python")}, version=result["version"]),
        _kinds(figures, shown),
        _tracking(figures, shown),
        _plain("The gate", [one for name, one in figures.items() if name.startswith("gate_")], shown),
        _reliability(figures, shown),
    ]
    rest = [one for name, one in figures.items() if name not in shown]
    return "\n".join([*parts, _plain("More", rest, shown)]) if rest else "\n".join(parts)


# ---- kinds of incident -----------------------------------------------------------------------------------------------


def _kinds(figures: dict[str, Figure], shown: set[str]) -> str:
    lines = [
        "## Kinds of incident",
        "",
        _PRECISION,
        "",
        "| Kind | Clips | Precision | Recall | False |",
        "|---|---|---|---|---|",
    ]
    notes = []
    for kind in _KINDS:
        for ending, sort in _SORTS:
            found = {
                what: figures.get(f"{kind}_{what}{ending}") or figures.get(f"{kind}{ending}_{what}")
                for what in ("precision", "recall")
            }
            false = [figures[name] for tail in _FALSE for name in (f"{kind}{ending}{tail}",) if name in figures]
            false += [
                figures[f"{kind}{tail}{ending}"] for tail in _FALSE if ending and f"{kind}{tail}{ending}" in figures
            ]
            one_of = [one for one in (*found.values(), *false) if one]
            if not one_of:
                continue
            shown |= {one["name"] for one in one_of}
            cells = [f"`{kind}`", sort, *(_cell(one) for one in found.values())]
            lines.append("| " + " | ".join([*cells, "; ".join(_cell(one) for one in false)]) + " |")
            notes += _notes(one_of)
    others = [
        one
        for name, one in figures.items()
        if name.startswith(_KINDS) and name not in shown and not name.endswith(("_calibration_error", "_brier"))
    ]
    lines += ["", *notes]
    if others:
        lines += ["", _rows(others, shown).rstrip()]
    return "\n".join(lines) + "\n"


def _cell(one: Figure | None) -> str:
    if one is None:
        return ""
    unit = {"1/h": " an hour", "share": ""}.get(one["unit"], f" {one['unit']}")
    if "adl_clip" in one["name"]:
        unit = " of daily-living clips"
    few = "not enough data" in (one["note"] or "")
    if one["value"] is None:
        return "null: not enough data" if few else "null"
    words = f"{_number(one['value'])}{unit}"
    if one["interval"]:
        words += f" ({_number(one['interval'][0])} to {_number(one['interval'][1])})"
    words += f", n = {one['n']}" + _target(one)
    return words + (", not enough data" if few else "")


def _target(one: Figure) -> str:
    if one["target"] is None:
        return ""
    sign = "≤" if one["better"] == "lower" else "≥"
    return f", target {sign} {_number(one['target'])}" + {True: " met", False: " **missed**", None: ""}[one["ok"]]


def _notes(figures: Iterable[Figure]) -> list[str]:
    """One line for each different note, with the figures that it belongs to."""
    by: dict[str, list[str]] = {}
    for one in figures:
        if one["note"]:
            by.setdefault(one["note"], []).append(f"`{one['name']}`")
    return [f"- {', '.join(names)}: {note}." for note, names in by.items()]


# ---- finding and following -------------------------------------------------------------------------------------------


def _tracking(figures: dict[str, Figure], shown: set[str]) -> str:
    seen = [one for name, one in figures.items() if name.startswith(("pets_detector_", "pets_cascade_"))]
    lines = ["## Finding and following people", "", _rows(seen, shown).rstrip(), ""]
    measures = ("hota", "idf1", "mota")
    if any(f"pets_{what}" in figures for what in measures):
        lines += [
            "Followed, by TrackEval, beside ByteTrack on the same detections at the best of a grid of settings:",
            "",
            "| PETS2009 S2.L1, frames 0-499 | HOTA | IDF1 | MOTA |",
            "|---|---|---|---|",
        ]
        ways = [(f"pets_{{}}{way}", words) for way, words in _WAYS] + [("bytetrack_{}", "ByteTrack, its best for each")]
        notes = []
        for pattern, words in ways:
            row = [figures.get(pattern.format(what)) for what in measures]
            found = [one for one in row if one]
            shown |= {one["name"] for one in found}
            notes += _notes(found)
            cells = ["null" if not one or one["value"] is None else _number(one["value"]) + _target(one) for one in row]
            lines.append("| " + " | ".join([words, *cells]) + " |")
        lines += ["", *notes]
    return "\n".join(lines) + "\n"


# ---- reliability -----------------------------------------------------------------------------------------------------


def _reliability(figures: dict[str, Figure], shown: set[str]) -> str:
    lines = [
        "## Reliability",
        "",
        _RELIABILITY,
        "",
    ]
    errors = [one for name, one in figures.items() if name.endswith("_calibration_error")]
    of_boxes = "detector_"
    for title, mine in (
        ("Incidents", [one for one in errors if not one["name"].startswith(of_boxes)]),
        ("Single boxes of the detector", [one for one in errors if one["name"].startswith(of_boxes)]),
    ):
        if not mine:
            continue
        lines += [f"### {title}", "", "| Of | Error | Brier | n |", "|---|---|---|---|"]
        for one in mine:
            name = one["name"].removesuffix("_calibration_error")
            brier = figures.get(f"{name}_brier")
            shown |= {one["name"], f"{name}_brier"}
            words = "null: not enough data" if one["value"] is None else _cell({**one, "note": ""}).partition(", n")[0]
            second = f"{_number(brier['value'])}; {brier['against']}" if brier else ""
            lines.append(f"| {_of(name)} | {words} | {second} | {one['n']} |")
        if title == "Incidents":
            silent = [k for k in _KINDS if not any(one["name"].startswith(k) for one in mine)]
            lines += [f"| `{kind}` | null: not enough data |  | 0 |" for kind in silent]
        lines += ["", *_notes(mine), ""]
        for one in mine:
            if one.get("bins"):
                lines += _bins(one)
    return "\n".join(lines).rstrip() + "\n"


def _of(name: str) -> str:
    kind = name.removesuffix("_synthetic")
    return f"`{kind}`" + (", *synthetic*" if kind != name else "")


def _bins(one: Figure) -> list[str]:
    name = one["name"].removesuffix("_calibration_error")
    lines = [f"{_of(name)}, out of sample:", "", "| Said | Was | Likely between | n |", "|---|---|---|---|"]
    for said, right, n, low, high in one["bins"]:
        lines.append(f"| {_number(said)} | {_number(right / n)} | {_number(low)} to {_number(high)} | {n} |")
    return [*lines, ""]


# ---- plain tables ----------------------------------------------------------------------------------------------------


def _plain(title: str, figures: list[Figure], shown: set[str]) -> str:
    return f"## {title}\n\n{_rows(figures, shown)}" if figures else ""


def _rows(figures: list[Figure], shown: set[str]) -> str:
    shown |= {one["name"] for one in figures}
    lines = ["| Figure | Value |", "|---|---|", *(f"| `{one['name']}` | {_cell(one)} |" for one in figures)]
    return "\n".join([*lines, "", *_notes(figures)]) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    print(page(json.loads(FIGURES.read_text("utf-8"))), end="")
