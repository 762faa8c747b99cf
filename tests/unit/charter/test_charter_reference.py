"""The reference page in docs/ is the one that the model makes."""

from __future__ import annotations

from pathlib import Path

from watchglass.charter.reference import page
from watchglass.charter.unbuilt import NOT_BUILT

ROOT = Path(__file__).parents[3]


def test_the_page_in_docs_is_the_models() -> None:
    stored = (ROOT / "docs" / "reference" / "charter.md").read_text(encoding="utf-8")
    assert stored == page(), "run: python -m watchglass.charter.reference > docs/reference/charter.md"


def test_the_page_names_every_key_and_every_refusal() -> None:
    text = page()
    for key in (
        "sources.* (file).zones.*.polygon",
        "analytics.* (intrusion).of",
        "oversight.witnesses[].url",
        "timezone",
    ):
        assert f"`{key}`" in text
    assert all(f"`{row.path}`" in text for row in NOT_BUILT)
