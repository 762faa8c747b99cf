"""The evaluation's page and the table of probabilities are made from what the command printed, from nothing else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FIGURES = json.loads((ROOT / "docs/figures/eval.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evaluation_page", ROOT / "tools/evaluation_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figure(name: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "value": value, "unit": "share", "better": "higher", "target": None, "ok": None,
        "interval": None if value is None else [0.5, 0.9], "n": 12, "against": None, "note": "how", **more,
    }  # fmt: skip


def test_the_page_is_what_the_tool_makes(tool: ModuleType) -> None:
    page = (ROOT / "docs/reference/evaluation.md").read_text("utf-8")
    assert page == tool.page(FIGURES), "run: python tools/evaluation_page.py > docs/reference/evaluation.md"


def test_every_figure_is_on_the_page(tool: ModuleType) -> None:
    page = tool.page(FIGURES)
    for one in FIGURES["figures"]:
        assert one["note"] in page, one["name"]


def test_real_and_synthetic_rows_stand_apart_and_null_is_null(tool: ModuleType) -> None:
    rows = [
        figure("stopped_vehicle_precision", None, note="no real recording with truth at hand", n=0),
        figure("stopped_vehicle_recall", None, note="no real recording with truth at hand", n=0),
        figure("stopped_vehicle_synthetic_precision", 0.75),
        figure("unattended_object_recall_synthetic", 0.8),
        figure("fall_recall", 0.87, target=0.85, ok=True),
        figure("fall_recall_overhead", 0.5, target=0.85, ok=False, note="how; not enough data"),
    ]
    page = tool.page({**FIGURES, "figures": rows})
    assert "| `stopped_vehicle` | real | null | null |  |" in page
    assert "| `stopped_vehicle` | *synthetic* | 0.75 (0.5 to 0.9), n = 12 |  |  |" in page
    assert "| `unattended_object` | *synthetic* |  | 0.8 (0.5 to 0.9), n = 12 |  |" in page
    assert "target ≥ 0.85 met" in page
    assert "target ≥ 0.85 **missed**, not enough data" in page


def test_reliability_has_its_bins_and_says_where_there_is_not_enough(tool: ModuleType) -> None:
    rows = [
        figure("intrusion_calibration_error", 0.02, bins=[[0.72, 44, 60, 0.6, 0.8]], told=[[0.5, 1, "PETS 0 s"]]),
        figure("intrusion_brier", 0.05, against="always saying the base rate: 0.08"),
        figure("fall_calibration_error", None, note="not enough data", n=9),
    ]
    page = tool.page({**FIGURES, "figures": rows})
    assert "| 0.72 | 0.733 | 0.6 to 0.8 | 60 |" in page
    assert "| `intrusion` | 0.02 (0.5 to 0.9) | 0.05; always saying the base rate: 0.08 | 12 |" in page
    assert "| `fall` | null: not enough data |  | 9 |" in page
    assert "| `crowd_density` | null: not enough data |  | 0 |" in page, "every kind has its row"


def test_the_table_that_ships_is_what_the_tool_makes_of_the_same_figures() -> None:
    spec = importlib.util.spec_from_file_location("calibrate", ROOT / "tools/calibrate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ships = json.loads((ROOT / "src/watchglass/perception/weights/calibration.json").read_text("utf-8"))
    assert ships == module.table(FIGURES["figures"]), "run: python tools/calibrate.py docs/figures/eval.json"
