"""Reports from outside on pages: a file is handed in, rows are set aside, and everybody reads what that says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from a_portal import DATA, OURS, PASSWORD, Someone

from watchglass.core.time import DAY, HOUR, iso
from watchglass.web.portal.app import create_app
from watchglass.web.portal.routes import LARGEST_LOG
from world import World, make_house

CLAUSE = "  reports: {from: [dispatch], of: [on-the-lawn], within: 10m, kept: 7d}\n"


@dataclass
class Desk:
    world: World
    operator: Someone

    def hand_in(self, data: bytes, *, csrf: str | None = None, **fields: str) -> httpx.Response:
        """What the form sends: the file beside the other fields."""
        sent = {"csrf": self.operator.csrf if csrf is None else csrf, "log": "dispatch", **fields}
        files = {"file": ("log.csv", data, "text/csv")}
        return self.operator.send("POST", "/reports", data=sent, files=files, headers=OURS)

    def rows(self, *hours: int) -> bytes:
        now = self.world.clock.now()
        return b"time,source,kind,caller\n" + b"".join(
            f"{iso(now - hour * HOUR)},street,on-the-lawn,Anna Muster\n".encode() for hour in hours
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with make_house(tmp_path, edits=(("  on_suspension:", CLAUSE + "  on_suspension:"),), password=PASSWORD) as world:
        operator = Someone(create_app(world.house))
        assert operator.sign_in("operator").status_code == 303
        yield Desk(world, operator)


def test_a_file_is_handed_in_and_its_rows_are_looked_at(desk: Desk) -> None:
    assert "Hand in a log" in desk.operator.get("/reports").text
    answer = desk.hand_in(desk.rows(2, 3))
    assert answer.status_code == 200
    assert "<strong>2 new</strong>" in answer.text
    assert "1 column with 2 values" in answer.text
    assert "recorded" in desk.hand_in(desk.rows(2, 3)).text
    told = desk.operator.get("/reports.json").json()
    assert [row["fate"] for row in told["rows"]] == ["missed", "missed"]
    assert "Muster" not in desk.operator.get("/reports").text
    number = told["rows"][0]["id"]
    assert desk.operator.post(f"/reports/{number}/aside").headers["location"] == "/reports#rows"
    assert "It counts again" in desk.operator.get("/reports").text
    assert desk.operator.post(f"/reports/{number}/aside", headers=DATA).status_code == 409
    assert desk.operator.post(f"/reports/{number}/back", headers=DATA).json()["to"] == "back"


def test_a_wrong_file_is_told_of_and_nothing_of_it_is_shown(desk: Desk) -> None:
    answer = desk.hand_in(b"time,source,kind\n2020-01-01T00:00Z,street,Bert Muster\n")
    assert answer.status_code == 400
    assert "Row 2 has a time before what the charter lets anybody keep" in answer.text
    assert "Muster" not in answer.text
    assert desk.hand_in(b"x" * LARGEST_LOG).status_code == 413
    assert desk.hand_in(desk.rows(1), leave_out="all").status_code == 400
    assert desk.hand_in(desk.rows(1), log="complaints").status_code == 403
    assert not desk.world.records("reports_taken_in")


def test_a_form_of_another_page_is_refused(desk: Desk) -> None:
    assert desk.hand_in(desk.rows(1), csrf="").status_code == 403
    assert desk.hand_in(desk.rows(1), csrf="x" * 43).status_code == 403
    stranger = Someone(create_app(desk.world.house))
    assert stranger.send("POST", "/reports", files={"file": b""}, headers=OURS).status_code == 401
    reviewer = Someone(create_app(desk.world.house))
    reviewer.sign_in("reviewer")
    assert reviewer.get("/reports").status_code == 403
    assert not desk.world.records("reports_taken_in")


def test_everybody_reads_both_ends_from_the_next_day_on(desk: Desk) -> None:
    desk.hand_in(desk.rows(*range(2, 26)))
    public = Someone(create_app(desk.world.house))
    assert "Nothing was taken in yet" in public.get("/how-well").text
    desk.world.clock.advance(DAY)  # type: ignore[attr-defined]  # a virtual one
    text = public.get("/how-well").text
    assert "the log of emergency calls" in text
    assert "At worst 0 of 24, at best 0 of 24" in text
    table = public.get("/how-well/reports.csv").text.splitlines()
    assert table[0].startswith("rule,log,reported,alerted")
    assert table[1].startswith("on-the-lawn,dispatch,24,0")


def test_without_the_clause_the_pages_say_so(tmp_path: Path) -> None:
    with make_house(tmp_path, password=PASSWORD) as world:
        operator = Someone(create_app(world.house))
        operator.sign_in("operator")
        assert "The charter allows none" in operator.get("/reports").text
        assert "The rules here do not allow that" in operator.get("/how-well").text
