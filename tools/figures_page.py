"""Make ``docs/reference/figures.md`` from what ``watchglass bench`` printed, so that no table is typed.

watchglass bench ledger --json > docs/figures/ledger.json      (and so on)
python tools/figures_page.py > docs/reference/figures.md
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs/figures"
_HEAD = """# Figures

What was measured on one machine, by the commands named. Run them on yours; ratios travel better than seconds. Each
table is made from the JSON in `docs/figures/` by `tools/figures_page.py`. Targets are those of the project's plan; what
misses one says so. [How perception is measured](benchmarks.md) says what each figure of `bench perception` is, and
[how leaks are measured](leaks.md) what each of `bench leak` is.

How well it sees, which `watchglass eval` measures, has [a page of its own](evaluation.md).
"""


def page() -> str:
    """The whole page."""
    files = [file for file in sorted(FOLDER.glob("*.json")) if file.stem != "eval"]
    sections = [_section(json.loads(file.read_text("utf-8"))) for file in files]
    return "\n".join([_HEAD, *sections])


def _section(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"## `watchglass {result['command']}`",
        "",
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}.",
        "",
        "| Figure | Value | Likely between | Target | n | Against, and notes |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(figure) for figure in result["figures"]]
    return "\n".join(lines) + "\n"


def _row(figure: dict[str, Any]) -> str:
    value, interval, target = figure["value"], figure["interval"], figure["target"]
    sign = "≤" if figure["better"] == "lower" else "≥"
    met = {True: ", met", False: ", **missed**", None: ""}[figure["ok"]]
    cells = (
        f"`{figure['name']}`",
        "not measured" if value is None else f"{_number(value)} {figure['unit'] or ''}".strip(),
        f"{_number(interval[0])} to {_number(interval[1])}" if interval else "",
        "" if target is None else f"{sign} {_number(target)}{met}",
        str(figure["n"] or ""),
        "; ".join(part for part in (figure["against"], figure["note"]) if part),
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    print(page(), end="")
