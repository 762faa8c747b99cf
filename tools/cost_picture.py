"""Make the README's picture of what looking costs from ``docs/figures/perception.json``.

python tools/cost_picture.py > docs/screenshots/cost.svg
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "docs/figures/perception.json"
# Figure, who, in what scene. Bars stand in this order; what was not measured is left out.
ROWS = (
    ("quiet_cbr_ratio", "Watchglass", "nothing happens"),
    ("active10_cbr_ratio", "Watchglass", "something happens a tenth of the time"),
    ("busy_ratio", "Watchglass", "people all the time"),
    ("nvr_like_quiet_ratio", "like a video recorder", "nothing happens"),
    ("nvr_like_busy_ratio", "like a video recorder", "people all the time"),
    ("detector_per_frame_ratio", "the detector on every picture", "people all the time"),
)
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 760, 330, 70, 34, 64


def picture(figures: list[dict[str, Any]]) -> str:
    """The SVG: a bar for each row, and a line where decoding everything stands."""
    values = {figure["name"]: figure["value"] for figure in figures}
    rows = [(values[name], who, scene) for name, who, scene in ROWS if values.get(name) is not None]
    scale = (_WIDTH - _LEFT - _RIGHT) / max([1.0, *(value for value, _, _ in rows)])
    height = _TOP + _ROW * len(rows) + 30
    one = _LEFT + scale
    title = "Processor time, as a multiple of only decoding the same 1080p video"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" font-family="sans-serif">',
        f"<title>{title}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, title, size=16, weight=600),
        f'<path d="M{one:.1f} {_TOP - 16}V{height - 26}" stroke="#8a8a8a" stroke-dasharray="3 4"/>',
        _text(one, height - 10, "decoding everything = 1", anchor="middle", ink="#555555"),
    ]
    for index, (value, who, scene) in enumerate(rows):
        y, ours = _TOP + _ROW * index, who == "Watchglass"
        long, colour = max(1.0, value * scale), "#0b5cad" if ours else "#9aa5b1"
        parts += [
            _text(_LEFT - 12, y + 9, who, anchor="end", weight=600 if ours else 400),
            _text(_LEFT - 12, y + 23, scene, anchor="end", size=12, ink="#555555"),
            f'<rect x="{_LEFT}" y="{y}" width="{long:.1f}" height="20" fill="{colour}"/>',
            _text(_LEFT + long + 8, y + 15, _short(value)),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(  # what SVG's text takes
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 14, weight: int = 400, ink: str = "#1a1a1a"
) -> str:
    look = f'font-size="{size}" font-weight="{weight}" fill="{ink}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {look}>{escape(words)}</text>'


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


if __name__ == "__main__":
    print(picture(json.loads(SOURCE.read_text("utf-8"))["figures"]), end="")
