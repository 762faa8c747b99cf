"""The documentation's model card is the card that ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parents[3] / "tools/model_page.py"


def test_the_page_is_made_from_the_card() -> None:
    spec = importlib.util.spec_from_file_location("model_page", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text("utf-8") == tool.page(*tool.both()), "run: python tools/model_page.py"
