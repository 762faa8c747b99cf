"""``watchglass eval``: its parts, and what it says where the recordings are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchglass.cli.main import main


def test_a_part_that_is_none_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--only", "smells", "--json"]) == 2
    result = json.loads(capsys.readouterr().out)
    assert "smells" in result["message"]
    assert "tracking, kinds, gate, falls, objects, calibration" in result["fix"]


def test_without_recordings_every_figure_is_null_and_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHGLASS_DATA", str(tmp_path))
    assert main(["eval", "--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    names = [one["name"] for one in figures]
    assert len(names) == len(set(names))
    for start in (
        "pets_hota",
        "intrusion_precision",
        "gate_recall",
        "fall_recall",
        "unattended_object",
        "intrusion_calib",
    ):
        assert any(name.startswith(start) for name in names), start
    assert all(one["value"] is None and one["note"] for one in figures)


def test_only_the_parts_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHGLASS_DATA", str(tmp_path))
    assert main(["eval", "--only", "gate", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {one["name"] for one in figures} == {"gate_recall", "gate_false_open"}
