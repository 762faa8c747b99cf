"""The table of what was planted and named is made from what the command printed, and tells every lie there is."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from lies import LIES, PENDING


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_breaches_page", ROOT / "tools/audit_breaches_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    result = json.loads((ROOT / "docs/figures/audit.json").read_text("utf-8"))
    return {each["name"]: each for each in result["figures"]}


def test_the_page_is_what_the_tool_makes(tool: ModuleType) -> None:
    page = (ROOT / "docs/reference/audit-breaches.md").read_text("utf-8")
    assert page == tool.page(), "run: python tools/audit_breaches_page.py > docs/reference/audit-breaches.md"


def test_every_lie_was_told_when_it_was_measured(figures: dict[str, Any]) -> None:
    told = [name for name, _, _ in figures["breaches_named"]["told"]]
    assert told == [lie.name for lie in LIES], "run: watchglass bench audit --json > docs/figures/audit.json"
    assert figures["breaches_pending"]["value"] == len(PENDING)


def test_the_page_says_what_was_missed(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = json.loads((ROOT / "docs/figures/audit.json").read_text("utf-8"))
    for each in result["figures"]:
        if each["name"] == "breaches_named":
            each["told"][0][1] = 0
    missed = tmp_path / "audit.json"
    missed.write_text(json.dumps(result), "utf-8")
    monkeypatch.setattr(tool, "FIGURES", missed)
    row = next(line for line in tool.page().splitlines() if LIES[0].told in line)
    assert "**0 of" in row


def test_there_is_nothing_that_was_not_named(figures: dict[str, Any]) -> None:
    """The done-list asks for it: a lie that is not named is mended, not documented."""
    assert figures["breaches_named"]["ok"] is True
    assert figures["honest_deployments_flagged"]["value"] == 0
    assert figures["breaches_planted"]["value"] >= 20
