"""The pieces of YAML in "Write a charter" make a charter that is accepted."""

from __future__ import annotations

import re
from pathlib import Path

from watchglass.charter.lint import lint
from watchglass.charter.parse import parse, read
from watchglass.charter.words import explain

ROOT = Path(__file__).parents[2]
CHARTERS = ROOT / "tests" / "spec" / "charters"
HARBOUR = parse((CHARTERS / "harbour-square.yaml").read_bytes())
SEALED = parse((CHARTERS / "sealed" / "harbour-square.yaml").read_bytes())


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


def test_the_example_of_sealed_originals_is_right() -> None:
    page = (ROOT / "docs" / "how-to" / "keep-original-video.md").read_text(encoding="utf-8")
    (piece,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    for placeholder, value in (
        ("<the data protection officer's line>", SEALED.custodian("dpo").key),
        ("<the board's line>", SEALED.oversight.key),
        ("<the control room's line>", SEALED.custodian("control-room").key),
        ("<an X25519 public key that serves nothing else>", SEALED.safeguards.release.break_glass.key),
    ):
        assert placeholder in piece
        piece = piece.replace(placeholder, value, 1)
    plain = (CHARTERS / "harbour-square.yaml").read_text(encoding="utf-8")
    data = plain.replace("safeguards:\n", piece, 1).replace("  retention: {reviewer_clips: 7d, alerts: 1y}\n", "", 1)
    charter = parse(data.encode())
    assert charter.safeguards == SEALED.safeguards
    told = " ".join(line for section in explain(charter) for line in section.sentences)
    quoted = re.findall(r"(?:^> .*\n)+", page, re.MULTILINE)[0]
    assert " ".join(line.removeprefix("> ") for line in quoted.splitlines()) in told
