"""Learn what scores are worth from what ``watchglass eval`` printed, and keep it beside the weights.

watchglass eval --json > all.json                              (or part by part: --only kinds, --only falls, ...)
python tools/calibrate.py all.json                             (or every part's file, in any order)

Writes ``docs/figures/eval.json`` (of several files: all their figures, with the reliability of every kind) and the
table ``calibration.json`` that incidents get their probability from. Kinds with too little data are in it without one.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from evaluate_calibration import SYNTHETIC, gathered, reliabilities  # noqa: E402 (the folder has just become known)
from kinds_score import Told  # noqa: E402
from watchglass.edge.inference import shipped  # noqa: E402
from watchglass.perception.analytics import KINDS_OF_INCIDENT  # noqa: E402
from watchglass.statistics.isotonic import enough, fit  # noqa: E402

TABLE = ROOT / "src/watchglass/perception/weights/calibration.json"
FIGURES = ROOT / "docs/figures/eval.json"
_ENDING = "_calibration_error"


def joined(results: list[dict[str, Any]]) -> dict[str, Any]:
    """One result with the figures of all, each with a name of its own; reliability is worked out anew from all."""
    figures = {one["name"]: one for result in results for one in result["figures"]}
    known = gathered([one for name, one in figures.items() if not name.endswith(_ENDING)])
    known.pop("intrusion", None)  # its own run has more of them
    anew = {one["name"]: one for one in reliabilities(known)}
    for name in anew:  # what was real may be synthetic now, and the other way round
        figures.pop(name.replace(SYNTHETIC, ""), None)
    return {**results[0], "figures": list({**figures, **anew}.values())}


def table(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """The table that ships, from figures with ``told``."""
    kinds: dict[str, Any] = {}
    for one in figures:
        name = one["name"].removesuffix(_ENDING)
        synthetic = name.endswith(SYNTHETIC)
        kind = name.removesuffix(SYNTHETIC)
        if one["name"] == name or kind not in KINDS_OF_INCIDENT:
            continue
        told = [Told(score, bool(right), clip) for score, right, clip in one.get("told", ())]
        right = [t.right for t in told]
        curve = fit([t.score for t in told], right) if enough(right) else None
        kinds[kind] = {
            "blocks": [[b.least, b.right, b.n] for b in curve.blocks] if curve else [],
            "synthetic": synthetic,
            "about": one["note"],
            "n": len(right),
            "right": sum(right),
        }
    return {"model_sha256": shipped().sha256, "kinds": dict(sorted(kinds.items()))}


def slim(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same; what each incident was told with stays where it is calibrated, and nowhere else."""
    return [
        {key: value for key, value in one.items() if key != "told" or one["name"].endswith(_ENDING)} for one in figures
    ]


def _lines(value: dict[str, Any], name: str) -> str:
    """JSON with a line for each item of ``name``, which is the last member."""
    head = json.dumps({key: one for key, one in value.items() if key != name})
    items = value[name]
    rows = (
        [f"{json.dumps(key)}: {json.dumps(one)}" for key, one in items.items()]
        if isinstance(items, dict)
        else [json.dumps(one) for one in items]
    )
    opening, closing = "{}" if isinstance(items, dict) else "[]"
    return head[:-1] + f', "{name}": {opening}\n' + ",\n".join(rows) + f"\n{closing}}}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what `watchglass eval --json` printed")
    args = parser.parse_args()
    result = joined([json.loads(file.read_text("utf-8")) for file in args.files])
    TABLE.write_text(_lines(table(result["figures"]), "kinds"), encoding="utf-8")
    FIGURES.write_text(_lines({**result, "figures": slim(result["figures"])}, "figures"), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)} {FIGURES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
