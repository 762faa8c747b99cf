"""The pieces of YAML in "Write a charter" make a charter that is accepted."""

from __future__ import annotations

import re
from dataclasses import replace
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
    assert {finding.rule for finding in findings} == {"not-consulted", "quality-none"}


def test_the_limits_of_the_how_to_are_right_and_reckoned_as_it_says() -> None:
    page = (ROOT / "docs" / "how-to" / "set-quality-limits.md").read_text(encoding="utf-8")
    stop, limits, sure, review = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    text = (CHARTERS / "harbour-square.yaml").read_text(encoding="utf-8")
    assert stop.removeprefix("safeguards:\n") in text
    for old, new in (("  review: {within: 2m}\n", review), ("ledger: {", f"{limits}{sure}ledger: {{")):
        assert old in text
        text = text.replace(old, new, 1)
    parsed = read(text.encode())
    findings = lint(parsed)
    assert not [finding for finding in findings if finding.severity == "error"]
    quoted = re.findall(r"(?:^> .*\n)+", page, re.MULTILINE)[0]
    told = " ".join(line.removeprefix("> ") for line in quoted.splitlines())
    assert told in {finding.message for finding in findings}
    judged = parse((CHARTERS / "judged" / "harbour-square.yaml").read_bytes())
    assert parsed.charter.limits_of("crowding") == judged.limits_of("crowding")
    of_limits = replace(judged.safeguards, samples=None, reports=None)  # those have pages of their own
    assert parsed.charter.safeguards == of_limits


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


def test_the_draft_of_a_new_deployment_needs_only_its_blanks_filled() -> None:
    text = (ROOT / "src" / "watchglass" / "cli" / "charter-draft.yaml").read_text(encoding="utf-8")
    for placeholder, value in (
        ("<a-short-name>", "quay"),
        ('"<the authority\'s key, as `watchglass key new` printed it>"', HARBOUR.authority.key),
        ("<camera-name>", "steps"),
        ("<zone-name>", "water"),
        ("<analytic-name>", "in-the-water"),
        ("@MODEL@", "street"),
        ("@HASH@", "0" * 64),
        ("<file in the media folder>", "steps.mp4"),
        ("<the article or by-law that permits it>", "By-law 12"),
        ('"<oversight\'s key>"', HARBOUR.oversight.key),
        ('"<oversight\'s openings key>"', HARBOUR.oversight.openings_key),
        ('"<the witness\'s key>"', HARBOUR.oversight.witnesses[0].key),
        ('"<https://where.it.answers>"', "https://witness.example"),
    ):
        assert placeholder in text
        text = text.replace(placeholder, value)
    findings = lint(read(text.encode()))
    assert not [finding for finding in findings if finding.severity == "error"]
    assert {finding.rule for finding in findings} >= {"quality-soon", "quality-trust"}
    assert "quality-none" not in {finding.rule for finding in findings}
