"""``watchglass charter check|explain|diff`` as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchglass.cli.main import main
from watchglass.core.digest import sha256

CHARTERS = Path(__file__).parents[2] / "spec" / "charters"
HARBOUR = str(CHARTERS / "harbour-square.yaml")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    code = main(["charter", *words, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out)


def test_a_fine_charter_is_fine(capsys) -> None:
    code, result = run(capsys, "check", HARBOUR)
    assert code == 0
    assert result["ok"] is True
    assert (result["charter"], result["version"], result["consulted_on"]) == ("harbour-square", 3, False)
    assert len(result["sha256"]) == 64


def test_lint_errors_exit_1_and_a_trial_is_judged_more_mildly(capsys) -> None:
    trial = str(CHARTERS / "trial-yard.yaml")
    code, result = run(capsys, "check", trial)
    assert code == 1
    assert {f["rule"] for f in result["findings"] if f["severity"] == "error"} == {"own-oversight", "no-witness"}
    code, result = run(capsys, "check", trial, "--deployment", "trial")
    assert code == 0


def test_mistakes_exit_2_with_every_place(capsys, tmp_path: Path, edit) -> None:
    path = tmp_path / "charter.yaml"
    path.write_bytes(edit(("regime: gdpr", "regime: x"), ("delay: 15m", "delay: soon")))
    code, result = run(capsys, "check", str(path))
    assert code == 2
    assert [fault["path"] for fault in result["faults"]] == ["authority.regime", "safeguards.public_view.delay"]


def test_a_refusal_exits_3_with_every_reason(capsys) -> None:
    code, result = run(capsys, "check", str(CHARTERS / "everything-ever.yaml"))
    assert code == 3
    named = {reason.partition("(")[2].partition(")")[0] for reason in result["reasons"]}
    assert {"safeguards.embargo", "statistics", "consultation", "approvals"} <= named
    assert len(named) == len(result["reasons"])
    assert result["faults"]


@pytest.mark.parametrize("name", ["no-such-file.yaml", ".", "nul\0l"])
def test_a_file_that_cannot_be_read_exits_2(capsys, name: str) -> None:
    code, result = run(capsys, "check", name)
    assert code == 2
    assert result["fix"]


def test_a_file_without_end_is_not_read_to_its_end(capsys) -> None:
    code, _ = run(capsys, "check", "/dev/zero")
    assert code == 2


def test_explain_tells_people(capsys) -> None:
    code, result = run(capsys, "explain", HARBOUR)
    assert code == 0
    assert [section["id"] for section in result["sections"]][:3] == ["who", "why", "where"]
    assert main(["charter", "explain", HARBOUR]) == 0
    assert "What does it look for?" in capsys.readouterr().out


def test_diff_counts_and_tells(capsys, tmp_path: Path, edit) -> None:
    path = tmp_path / "new.yaml"
    path.write_bytes(edit(("version: 3", "version: 4"), ("delay: 15m", "delay: 0s"), ("within: 2m", "within: 1m")))
    code, result = run(capsys, "diff", HARBOUR, str(path))
    assert code == 0
    assert (result["widening"], result["narrowing"], result["maintenance"]) == (1, 1, 1)
    assert main(["charter", "diff", HARBOUR, str(path)]) == 0
    out = capsys.readouterr().out
    assert "The public picture is now live; before: 15 minutes late." in out
    assert out.index("widening") < out.index("narrowing") < out.index("maintenance")


def test_the_text_form_names_rule_line_and_law(capsys, tmp_path: Path, edit) -> None:
    path = tmp_path / "charter.yaml"
    path.write_bytes(edit(("reviewer_clips: 7d", "reviewer_clips: 60d")))
    assert main(["charter", "check", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "warning: Clips would be kept for 60 days. [GDPR Art. 5(1)(e); LED Art. 5]" in out
    assert "rule retention-clips" in out


def test_identical_charters_say_so(capsys) -> None:
    assert main(["charter", "diff", HARBOUR, HARBOUR]) == 0
    assert capsys.readouterr().out.strip() == "Nothing changes."


def test_explain_says_who_may_do_what_and_cedar_is_what_is_hashed(capsys) -> None:
    code, result = run(capsys, "explain", HARBOUR)
    assert code == 0
    rules = {rule["id"]: rule for rule in result["access"]["rules"]}
    assert rules["role.reviewer"]["words"].startswith("Reviewers may see the queue")
    assert main(["charter", "explain", HARBOUR]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Who may do what" in told
    assert all(" ".join(rule["words"].split()) in told for rule in rules.values())
    assert main(["charter", "explain", HARBOUR, "--cedar"]) == 0
    printed = capsys.readouterr().out.encode()
    assert sha256(printed).hex() == result["access"]["policy_sha256"]
    assert result["access"]["policy_sha256"] in told
