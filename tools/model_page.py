"""The model card as a page of the documentation, made from the card that ships with the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from watchglass.quality.audit_set import untested

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "src/watchglass/perception/weights/nanodet-416-int8.json"
AUDITS = CARD.with_suffix(".audits.json")
PAGE = ROOT / "docs/reference/model-card.md"


def page(card: dict[str, Any], audits: list[dict[str, Any]]) -> str:
    """The page, Markdown, from the card and what is kept of audit sets beside it."""
    lines = [
        f"# Model card: {card['name']}",
        "",
        "*Made from the card beside the weights by `tools/model_page.py`; do not edit by hand.*",
        "",
        card["what"],
        "",
        f"- File: `{card['file']}`, {card['bytes']:,} bytes",
        f"- SHA-256 (a charter names the model by it): `{card['sha256']}`",
        f"- Scores are {card['scores_are']}.",
        f"- Licences: {card['licences']['weights']}. Training data: {card['licences']['training_data']}.",
        "",
        "## What it tells apart",
        "",
        "| kind | COCO classes |",
        "|---|---|",
        *(f"| {kind} | {', '.join(classes)} |" for kind, classes in card["kinds"].items()),
        "",
        "## Measured",
        "",
        "| figure | value | 95 % interval | n | on what |",
        "|---|---|---|---|---|",
        *(_row(figure) for figure in card["measured"]),
        "",
        "Intervals: Wilson's for single pictures; a bootstrap over blocks of consecutive frames for video.",
        "",
        "## Whom and what it misses",
        "",
        f"Not tested on: {', '.join(untested(audits))}.",
        "",
        "[Audit sets](audit-sets.md) says how this is measured; how far the groups are apart, and how many false boxes",
        "there were, is in [the figures](figures.md).",
        "",
        *(line for audit in audits for line in _audit(audit)),
        "## Known weaknesses",
        "",
        *(f"- {line}" for line in card["known_weaknesses"]),
        "",
        "## Input and output",
        "",
        f"Input `picture` {card['input']['picture']}: {card['input']['order']}.",
        f"Mean {card['input']['mean']}, deviation {card['input']['std']}.",
        "",
        *(f"- `{name}`: {text}" for name, text in card["output"].items()),
        "",
        "## How it was made",
        "",
        f"`tools/build_model.py` converts and quantises the network in {card['made_from']['package']}:",
        "",
        *(f"- {name.replace('_', ' ')}: `{value}`" for name, value in card["made_from"].items() if name != "package"),
        f"- with {', '.join(f'{name} {value}' for name, value in card['made_with'].items())}",
        "",
        f"Calibrated on {card['calibration']['what']}:",
        "",
        "| picture | SHA-256 |",
        "|---|---|",
        *(f"| {name} | `{value[:16]}…` |" for name, value in card["calibration"]["pictures"].items()),
        "",
    ]
    return "\n".join(lines)


def both() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The card, and what is kept beside it."""
    return json.loads(CARD.read_text("utf-8")), json.loads(AUDITS.read_text("utf-8"))["audits"]


def _row(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    name = figure["name"].replace("_", " ")
    return f"| {name} | {figure['value']:.3f} | {low:.3f} to {high:.3f} | {figure['n']} | {figure['note']} |"


def _audit(audit: dict[str, Any]) -> list[str]:
    tested = audit["set"]
    return [
        f"**{tested['name']}**: {tested['what']}; {tested['pictures']} pictures, {audit['date']}, set",
        f"`{tested['sha256'][:16]}…`. Left out because they made the model: {tested['left_out']}.",
        "",
        "| kind | by | group | missed | of | of 100, likely |",
        "|---|---|---|---|---|---|",
        *(_group(table, group) for table in audit["tables"] for group in table["misses"]["groups"] if group["of"]),
        "",
    ]


def _group(table: dict[str, Any], group: dict[str, Any]) -> str:
    value = "not enough data"
    if group["enough"]:
        low, high = group["interval"]
        value = f"{100 * group['value']:.1f} ({100 * low:.1f} to {100 * high:.1f})"
    cells = (table["kind"], table["stratum"], group["name"], group["happened"], group["of"], value)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def main() -> None:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(*both()), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
