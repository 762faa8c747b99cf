"""The figures page is made from what the commands printed, and from nothing else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load("figures_page")


def test_the_picture_of_costs_is_what_the_tool_makes() -> None:
    figures = json.loads((ROOT / "docs/figures/perception.json").read_text("utf-8"))["figures"]
    drawn = (ROOT / "docs/screenshots/cost.svg").read_text("utf-8")
    assert drawn == load("cost_picture").picture(figures), (
        "run: python tools/cost_picture.py > docs/screenshots/cost.svg"
    )
    assert "Watchglass" in drawn


def test_the_page_is_what_the_tool_makes(tool: ModuleType) -> None:
    page = (ROOT / "docs/reference/figures.md").read_text("utf-8")
    assert page == tool.page(), "run: python tools/figures_page.py > docs/reference/figures.md"


def test_the_tables_of_police_stops_are_what_the_tool_makes() -> None:
    tool = load("who_is_watched_page")
    page = tool.PAGE.read_text("utf-8")
    assert page == tool.filled(page, tool.figures()), "run: python tools/who_is_watched_page.py"


def test_every_figure_has_the_form_that_all_have() -> None:
    files = sorted((ROOT / "docs/figures").glob("*.json"))
    stems = {file.stem for file in files}
    assert (
        {"eval", "ledger", "perception", "portal"}
        <= stems
        <= {
            "access",
            "audit",
            "audit_set",
            "disparity",
            "eval",
            "leak",
            "ledger",
            "misuse",
            "paint",
            "perception",
            "portal",
            "quality",
            "seal",
        }
    )
    for file in files:
        result = json.loads(file.read_text("utf-8"))
        assert set(result) == {"command", "version", "machine", "figures"}
        for figure in result["figures"]:
            assert set(figure) - {"told", "bins"} == {
                "name", "value", "unit", "better", "target", "ok", "interval", "n", "against", "note",
            }  # fmt: skip
            assert figure["better"] in {"lower", "higher"}
            missed = figure["target"] is not None and figure["value"] is not None
            assert (figure["ok"] is None) is not missed
