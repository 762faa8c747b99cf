"""The figures in the README are those that the command printed, and no others."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme_figures", ROOT / "tools/readme_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_leaks_is_what_the_tool_makes(tool: ModuleType) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert text == tool.readme(text, tool.measured()), "run: python tools/readme_figures.py"


def test_no_figure_about_the_views_is_typed(tool: ModuleType) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.split("## Nobody is shown\n")[1].split("\n## ")[0]
    table = section.split(tool.BEGIN)[1].split(tool.END)[0]
    assert table.count("\n|") == 2 + len(tool._ROWS), "every row has its figure"
    typed = section.replace(table, "").replace("SHA-256", "")
    assert not re.search(r"\b\d|per cent", typed), "what is measured stands in the table"


@pytest.mark.parametrize(
    ("figure", "row"),
    [
        ({"value": 0.000373, "unit": "share of pixels", "target": 1e-4, "ok": False, "better": "lower"},
         "| 0.0373 % | at most 0.01 %: **missed** |"),
        ({"value": 0.867, "unit": "share of people", "target": 0.85, "ok": True, "better": "higher"},
         "| 86.7 % | at least 85 %: met |"),
        ({"value": 0, "unit": "firings", "target": 0, "ok": True, "better": "lower"}, "| 0 | 0: met |"),
        ({"value": 3, "unit": "plates", "target": None, "ok": None, "better": "lower"}, "| 3 |  |"),
        ({"value": None, "unit": "plates", "target": 0, "ok": None, "better": "lower"}, "| not measured | 0 |"),
    ],
)  # fmt: skip
def test_a_missed_target_is_called_missed(tool: ModuleType, figure: dict[str, object], row: str) -> None:
    made = tool.table([{"name": "plates_read_painted", "n": 12, **figure}])
    assert made.splitlines()[-1] == f"| Of 12 number plates: read in the public view {row}"
