"""The audit as people run it: on a real deployment's ledger, again the next day, and with what else they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts.inspect_openings import take_openings
from watchglass.acts.run_record import start_run
from watchglass.bootstrap import new_key
from watchglass.cli.main import main
from watchglass.core.time import DAY
from watchglass.review.model import VerdictValue
from world import World

ALL = {"scope": "all", "analytic": None}


@pytest.fixture
def lived(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A day on which something ran, three alerts were decided, and oversight ordered an analytic to stop.

    Who audits has the world's clock: what an auditor says of a checkpoint "from the future" names the second of saying
    it.
    """
    monkeypatch.setattr("watchglass.bootstrap.auditing.SystemClock", lambda: world.clock)
    start_run(world.house.acting, world.house.standing().charter, {}, ["street"])
    for _ in range(3):
        world.decide(world.raise_alert(), VerdictValue.CONFIRM)
    world.suspend("on-the-lawn")
    world.settle()
    return world


def audit(world: World, folder: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    trust = folder / "known.trust"
    if not trust.exists():
        world.trust_file(trust)
    code = main(["audit", str(world.layout.ledger), "--trust", str(trust), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def state(result: dict[str, Any], promise: str) -> str:
    return next(str(each["state"]) for each in result["findings"] if each["promise"] == promise)


def test_a_day_is_audited_and_the_next_day_goes_on_from_there(
    lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, first = audit(lived, tmp_path, capsys=capsys)
    assert (code, first["ok"], first["breaches"], first["resumed_from"]) == (0, True, 0, 0)
    lived.clock.advance(DAY)  # type: ignore[attr-defined]  # the world's clock is a virtual one
    lived.suspend()
    lived.settle()
    code, second = audit(lived, tmp_path, capsys=capsys)
    assert (code, second["ok"], state(second, "obeyed")) == (1, False, "broken"), "no worker runs here that could obey"
    assert second["resumed_from"] == first["size"]
    assert any(line.startswith("New: ") for line in second["changed"])
    whole, third = audit(lived, tmp_path, "--from-start", capsys=capsys)
    assert (whole, third["report_sha256"], third["resumed_from"]) == (code, second["report_sha256"], 0)


def test_the_report_is_one_file_that_needs_nothing_else(
    lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    _, result = audit(lived, tmp_path, "--html", str(page), capsys=capsys)
    text = page.read_text("utf-8")
    assert text.index("What this audit cannot see") < text.index(result["verdict"])
    assert all(each["title"] in text.replace("&#39;", "'") for each in result["findings"])
    assert result["report_sha256"].replace("+", "&#43;") in text.replace("+", "&#43;")
    for foreign in ("<script", "<img", "<link", "http://", "https://", "url("):
        assert foreign not in text


def test_with_the_openings_it_looks_deeper(lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "openings"
    folder.mkdir()
    bundle = take_openings(lived.house.acting, lived.grant(May.TAKE_OPENINGS)).value
    (folder / "today.json").write_bytes(bundle)
    lived.settle()
    key = lived.folder / "people" / "openings.key"
    _, shallow = audit(lived, tmp_path, capsys=capsys)
    _, deep = audit(lived, tmp_path, "--openings", str(folder), "--key", str(key), capsys=capsys)
    assert deep["depth"] == "openings"
    seen = {each["promise"] for each in deep["findings"] if each["state"] in {"kept", "broken"}}
    assert seen > {each["promise"] for each in shallow["findings"] if each["state"] in {"kept", "broken"}}
    assert not any("robin" in json.dumps(each) for each in deep["findings"])


def test_a_receipt_is_held_against_the_log(lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "receipts"
    folder.mkdir()
    answer = lived.house.hand_in(lived.sign("suspension_ordered", "oversight", ALL, {"reason": "Again."}))
    (folder / "mine.json").write_text(json.dumps(answer, default=str), "utf-8")
    lived.settle()
    _, result = audit(lived, tmp_path, "--receipts", str(folder), capsys=capsys)
    assert state(result, "receipts") == "kept"
    other = {**answer, "leaf": None, "leaf_hash": "A" * 43 + "="}
    (folder / "mine.json").write_text(json.dumps(other, default=str), "utf-8")
    _, result = audit(lived, tmp_path, "--receipts", str(folder), capsys=capsys)
    finding = next(each for each in result["findings"] if each["promise"] == "receipts")
    assert (finding["checked"], finding["sentence"].endswith("1 other are not this log's and were left out.")) == (
        0,
        True,
    )


def test_a_rewritten_ledger_is_no_audit_at_all(
    lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit(lived, tmp_path, capsys=capsys)
    files = [path for path in (lived.layout.ledger / "tile" / "entries").rglob("*") if path.is_file()]
    for path in files:
        data = path.read_bytes()
        path.write_bytes(data.replace(b'"alert_decided"', b'"alert_forgotn"'))
    code, result = audit(lived, tmp_path, "--from-start", capsys=capsys)
    assert code == 4
    assert result["error"] == "DidNotVerify"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--openings", "nowhere"], "--key"),
        (["--key", "nowhere"], "--openings"),
        (["--receipts", "empty"], "no .json"),
        (["--lodged", "empty"], "nothing lodged"),
        (["--html", "nowhere/report.html"], "nowhere"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    lived: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    code, result = audit(lived, tmp_path, *options, capsys=capsys)
    assert code in {1, 2}
    assert said in json.dumps(result)


def test_a_memory_that_was_spoilt_costs_time_and_nothing_else(
    lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit(lived, tmp_path, capsys=capsys)
    _, first = audit(lived, tmp_path, capsys=capsys)
    memory = tmp_path / "known.trust.audited-structure"
    for spoilt in (b"", b"{", memory.read_bytes()[:-200], b'{"watchglass_audited":1}', b"[1]"):
        memory.write_bytes(spoilt)
        _, again = audit(lived, tmp_path, capsys=capsys)
        assert again["report_sha256"] == first["report_sha256"]
        assert again["resumed_from"] == 0


def test_what_is_sealed_to_two_keys_opens_with_both(
    lived: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public = new_key(tmp_path / "later.key", "later.example", "openings", None)
    old = next(line for line in lived.text.splitlines() if "openings_key" in line).split('"')[1]
    lived.publish(lived.edited((old, public)))
    lived.add("newcomer", Role.REVIEWER)
    lived.settle()
    (tmp_path / "openings.json").write_bytes(take_openings(lived.house.acting, lived.grant(May.TAKE_OPENINGS)).value)
    lived.settle()
    keys = ["--key", str(lived.folder / "people" / "openings.key"), "--key", str(tmp_path / "later.key")]
    for given, found in ((keys[:2], "broken"), (keys[2:], "broken"), (keys, "kept"), (keys[2:] + keys[:2], "kept")):
        _, result = audit(lived, tmp_path, "--openings", str(tmp_path / "openings.json"), *given, capsys=capsys)
        assert state(result, "opened") == found, next(
            e["breaches"] for e in result["findings"] if e["promise"] == "opened"
        )
