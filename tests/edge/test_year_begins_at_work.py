"""New Year with the command that really makes the state: oversight's audit, a kill in between, archive and audits."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watchglass.acts.years import years
from watchglass.bootstrap import House, auditing, challenging, nightly, yearly
from watchglass.bootstrap.beside import Beside
from watchglass.bootstrap.yearly import YearBegins
from watchglass.cli.main import main
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.edge.clock import VirtualClock
from watchglass.ledger.tiles import state_path
from world import World, make_house
from years_world import NEW_YEAR, Archiver, advance, fill


class Killed(BaseException):
    """Nothing catches it."""


class Here(Beside):
    """Runs the same command in this process, at once: another one takes seconds to start on a busy machine."""

    code = 0

    def start(self, *words: str) -> None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.code = main(list(words))
        self._printed.write_text(printed.getvalue(), "utf-8")
        self._process = True  # type: ignore[assignment]  # it ran

    def ended(self) -> tuple[int, dict[str, Any]] | None:
        self._process = None
        return self.code, json.loads(self._printed.read_bytes())


def year_begins(house: House) -> None:
    """Tend as the house does each second, until the year has begun or nothing is at work any more."""
    made = YearBegins(house.acting, house.tiles, house.layout.audits / "years", house.nudge)
    made.tend()
    while made._beside.running:
        made.tend()
    made.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """January 2027; oversight has audited 600 entries, and published that with what its machine carries over."""
    folder = tmp_path_factory.mktemp("new year")
    with make_house(folder / "there") as made:
        fill(made, 560)
        advance(made, NEW_YEAR + HOUR)
        made.decide(made.raise_alert())
        advance(made, NEW_YEAR + 3 * HOUR)
        trust = made.trust_file(folder / "oversight.trust")
        report = auditing.audit(str(made.layout.ledger), trust, carry=True, clock=made.clock)
        order = challenging.published(report)
        made.house.hand_in(made.sign(order.act, "oversight", order.clear, order.committed))
        advance(made, NEW_YEAR + 4 * HOUR)
        made.settle()
        yield made


def test_a_kill_between_state_and_record_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(yearly, "Beside", Here)
    with monkeypatch.context() as patch:
        patch.setattr(yearly, "begin_year", killed)
        with pytest.raises(Killed):
            year_begins(world.house)
    assert world.house.tiles.read(state_path(2027)) is not None
    house = world.reopen()
    assert years(house.store.read()) == ()
    year_begins(house)
    (began,) = years(house.store.read())
    (audit,) = world.records("audit_published")
    clear = audit.leaf.clear
    assert (began.size, began.root, began.state) == (clear["size"], clear["root"], clear["state"])
    assert began.audit is not None
    world.settle()
    advance(world, world.clock.now() + HOUR)
    year_begins(house)
    assert len(world.records("year_began")) == 1


def test_an_audit_of_everything_finds_the_year_in_order(world: World, tmp_path: Path) -> None:
    report = auditing.audit(str(world.layout.ledger), world.trust_file(tmp_path / "t.trust"), clock=world.clock)
    assert {each["promise"]: each["state"] for each in report["findings"]}["years"] == "kept"


def test_after_archiving_it_is_audited_from_the_year_by_the_house_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archiver = Archiver(world, world.layout.root, tmp_path)
    world.house.close()
    done = archiver()
    assert done["before"] == 512, "oversight published its audit, so nobody has to wait for April"
    world.house = archiver.house(world.layout.root)
    ledger, trust = str(world.layout.ledger), world.trust_file(tmp_path / "new.trust")
    with pytest.raises(BadInput, match="An audit from the start cannot read them") as caught:
        auditing.audit(ledger, trust, clock=world.clock)
    assert "--from-year" in caught.value.fix
    from_year = auditing.audit(ledger, trust, from_year=2027, clock=world.clock)
    assert {each["promise"]: each["state"] for each in from_year["findings"]}["years"] == "kept"
    trust = world.trust_file(tmp_path / "newer.trust")
    whole = auditing.audit(ledger, trust, archives=[str(tmp_path / "archive")], clock=world.clock)
    states = {each["promise"]: each["state"] for each in whole["findings"]}
    assert states["years"] == "kept"
    assert states["intact"] == "kept"
    monkeypatch.setattr(nightly, "Beside", Here)
    own = (tmp_path / "audits", world.layout.ledger, lambda: trust.read_text("utf-8"), world.clock)
    last_night = nightly.NightlyAudit(*own, year=lambda: 2027)
    for _ in range(3):  # it tries from the start, then from the year
        last_night.tend()
    found = last_night.latest()
    assert found is not None
    of = {each["promise"]: each["state"] for each in found["findings"]}
    assert (found["size"], of["intact"], of["years"]) == (from_year["size"], "kept", "kept")


def test_what_leaves_nothing_is_tried_again_in_an_hour(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house, clock, started = world.house, world.clock, list[int]()
    assert isinstance(clock, VirtualClock)
    advance(world, NEW_YEAR + 372 * DAY)
    fill(world, 3)
    advance(world, NEW_YEAR + 373 * DAY)

    class Broken(Here):
        def start(self, *words: str) -> None:
            started.append(clock.now())
            super().start(*words)

        def ended(self) -> None:
            self._process = None

    monkeypatch.setattr(yearly, "Beside", Broken)
    made = YearBegins(house.acting, house.tiles, tmp_path / "years", house.nudge)
    for _ in range(90):
        made.tend()
        clock.advance(MINUTE)
    assert [each - started[0] for each in started] == [0, HOUR + MINUTE], "that it ended was seen a minute later"
    assert "What audits carry over was not made" in caplog.text
    assert house.tiles.read(state_path(2028)) is None
