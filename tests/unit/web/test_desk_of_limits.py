"""What a limit stopped runs again once both offices have signed: at their desks, and with the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_desk_of_oversight import Sitting
from test_desk_wall import PORT, inside

from limited import limited
from signers_world import Signers, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock
from watchglass.charter.permit import RunAnalytic
from watchglass.cli.main import main
from watchglass.core.errors import Refused
from watchglass.core.time import MINUTE
from watchglass.review.model import VerdictValue
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session
from world import NOON

LAWN = "on-the-lawn"
STOP = {"analytic": LAWN}
WHAT = "The zone was drawn anew."
WHY = "We saw where it ends."


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    """Its only limit has just stopped the rule."""
    with signers(tmp_path / "place", clock=VirtualClock(NOON), edits=limited()) as made:
        world = made.scene.world
        made.scene.keys |= {"board": world.keys["oversight"], "authority": world.keys["authority"]}
        world.house.limits.look()
        while not world.house.limits.look():
            world.decide(world.raise_alert(), VerdictValue.REJECT)
            world.clock.advance(MINUTE)
        made.settle()
        yield made


def at(people: Signers, who: str, folder: Path) -> Sitting:
    desk = Desk(people.office(who), Session.fresh(PORT, SeededEntropy(who)), exports=folder / who)
    return Sitting(desk, inside(desk))


def stands(people: Signers) -> dict[str, Any]:
    (told,) = people.scene.world.house.describe()["quality"]
    return dict(told)


def runs_on_trial(people: Signers) -> None:
    """Once witnesses have cosigned it, the house lets it run, and nothing leaves the queue."""
    with pytest.raises(Refused):
        people.scene.world.permit(RunAnalytic("street", LAWN))
    people.settle()
    people.scene.world.house.limits.look()
    people.scene.world.permit(RunAnalytic("street", LAWN))
    assert (stands(people)["state"], stands(people)["why"]) == ("trial", "resumed")


def test_both_offices_sign_at_their_desks_and_it_runs_again_on_trial(people: Signers, tmp_path: Path) -> None:
    authority, board, world = at(people, "authority", tmp_path), at(people, "board", tmp_path), people.scene.world
    assert f"{LAWN} is stopped by its limit" in authority.read("/")
    assert f"{LAWN} is stopped by its limit" not in board.read("/")  # nothing to sign yet
    assert "The authority has not said yet what was changed." in board.read("/limits")
    early = board.send("/limits/resume", **STOP, reason=WHY, sure="yes")
    assert (early.status_code, "Nobody has proposed" in early.text) == (409, True)

    page = authority.asks("/limits/propose", **STOP, what_changed=WHAT)
    assert f"Propose that {LAWN} runs again?" in page
    assert world.records("resumption_proposed") == []
    authority.does("/limits/propose", **STOP, what_changed=WHAT)
    (proposal,) = world.records("resumption_proposed")
    assert proposal.fields["what_changed"] == WHAT
    people.settle()
    assert f"{LAWN} is stopped by its limit" not in authority.read("/")

    assert f"{LAWN} is stopped by its limit" in board.read("/")
    assert WHAT in board.read("/limits")
    assert f"Let {LAWN} run again?" in board.asks("/limits/resume", **STOP, reason=WHY)
    assert world.records("analytic_resumed") == []
    board.does("/limits/resume", **STOP, reason=WHY)
    (resumed,) = world.records("analytic_resumed")
    assert resumed.leaf.refs[-1] == proposal.hash
    assert "It waits for witnesses" in board.read("/limits")
    runs_on_trial(people)

    stale = board.send("/limits/resume", **STOP, reason=WHY, sure="yes")  # the page that was open since
    assert (stale.status_code, "No limit stops" in stale.text) == (409, True)
    assert len(world.records("analytic_resumed")) == 1


def test_nobody_signs_what_is_the_other_offices_or_says_nothing(people: Signers, tmp_path: Path) -> None:
    authority, board = at(people, "authority", tmp_path), at(people, "board", tmp_path)
    assert authority.send("/limits/propose", **STOP, what_changed=" ").status_code == 400
    assert authority.send("/limits/propose", analytic="none", what_changed=WHAT).status_code == 409
    assert board.send("/limits/propose", **STOP, what_changed=WHAT, sure="yes").status_code == 403
    authority.does("/limits/propose", **STOP, what_changed=WHAT)
    people.settle()
    assert authority.send("/limits/resume", **STOP, reason=WHY, sure="yes").status_code == 403
    assert people.scene.world.records("analytic_resumed") == []


def test_the_commands_of_both_offices_let_it_run_again_on_trial(
    people: Signers, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = people.scene.world.folder / "people"

    def run(*words: str) -> dict[str, Any]:
        now = str(people.scene.world.clock.now())
        signed = ["--virtual-time", now] if "--key" in words else []
        code = main([*words, *signed, "--json"])
        out = capsys.readouterr().out
        assert code == 0, out
        return dict(json.loads(out))

    stopped = run("quality", "state", people.url)["analytics"][0]
    assert (stopped["state"], stopped["stop"]["proposals"]) == ("suspended", [])
    run(
        *("quality", "propose-resumption", people.url, "--analytic", LAWN),
        *("--what-changed", WHAT, "--key", str(keys / "authority.key")),
    )
    people.settle()
    run("oversight", "resume", people.url, "--analytic", LAWN, "--reason", WHY, "--key", str(keys / "oversight.key"))
    assert run("quality", "state", people.url)["analytics"][0]["stop"]["resumed"]
    runs_on_trial(people)
    assert run("quality", "state", people.url)["analytics"][0]["state"] == "trial"
