"""The pieces of YAML in "Write a charter" make a charter that is accepted."""

from __future__ import annotations

import re
from pathlib import Path

from watchglass.charter.lint import lint
from watchglass.charter.parse import parse, read

ROOT = Path(__file__).parents[2]
HARBOUR = parse((ROOT / "tests" / "spec" / "charters" / "harbour-square.yaml").read_bytes())


def test_the_pieces_of_the_how_to_make_a_charter_that_can_be_published() -> None:
    page = (ROOT / "docs" / "how-to" / "write-a-charter.md").read_text(encoding="utf-8")
    pieces = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(pieces) == 5
    text = "".join(pieces)
    for placeholder, value in (
        ("<the line>", HARBOUR.authority.key),
        ("<the line>", HARBOUR.oversight.key),
        ("<the board's X25519 key>", HARBOUR.oversight.openings_key),
        ("<a witness's line>", HARBOUR.oversight.witnesses[0].key),
        ("sha256:<as `watchglass model show` prints it>", "sha256:" + "0" * 64),
    ):
        assert placeholder in text
        text = text.replace(placeholder, value, 1)
    assert "<" not in text
    findings = lint(read(text.encode()))
    assert {finding.rule for finding in findings} == {"not-consulted"}
