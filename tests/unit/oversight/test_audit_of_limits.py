"""What published limits did, audited: a real house that is honest, and the same house when it lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limited import limited
from watchglass.acts import final_alerts, judge, standing
from watchglass.acts.judged import Progress, stops
from watchglass.core.digest import unb64
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import Report
from watchglass.records.leaf import Leaf
from watchglass.review.model import Alert, VerdictValue
from world import World, make_house

LAWN = "on-the-lawn"
RIGHT, WRONG = VerdictValue.CONFIRM, VerdictValue.REJECT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=limited()) as made:
        made.settle()
        yield made


class Opened:
    """What oversight can open of a house's log."""

    def __init__(self, world: World) -> None:
        self._fields = {record.hash: dict(record.fields) for record in world.records()}

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        del leaf
        return self._fields.get(digest) or None


def audit(world: World, folder: Path, *, deep: bool = True) -> Report:
    world.clock.advance(3 * HOUR)
    world.settle()
    world.clock.advance(MINUTE)
    world.settle()
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(world.house.tiles, trust)
    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        openings=Opened(world) if deep else None,
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    return auditor.finish(verified.checkpoint, verified.witnesses)


def broken(world: World, folder: Path, *, deep: bool = True) -> dict[str, list[str]]:
    return {each.promise: [one.sentence for one in each.breaches] for each in audit(world, folder, deep=deep).broken}


def alerts(world: World, *values: VerdictValue) -> list[Alert]:
    raised = []
    for value in values:
        raised.append(world.raise_alert())
        world.decide(raised[-1], value)
        world.clock.advance(MINUTE)
        world.house.limits.look()
    return raised


def crossed(world: World, value: VerdictValue = WRONG) -> bytes:
    """Let people reject alerts until the limit stops it."""
    world.house.limits.look()
    while not (found := [each for each in stops(world.house.store.read()) if each.over_ms is None]):
        alerts(world, value)
    judge.note_limit_obeyed(world.house.acting, world.house.standing().charter, found[0].leaf_hash, within_ms=700)
    return found[0].leaf_hash


def proposed(world: World, stop: bytes) -> bytes:
    what = {"what_changed": "The zone was drawn anew."}
    statement = world.sign("resumption_proposed", "authority", {"analytic": LAWN}, what, refs=[stop])
    return unb64(world.house.hand_in(statement)["leaf_hash"], length=32)


def resumed(world: World, stop: bytes, *refs: bytes) -> None:
    statement = world.sign("analytic_resumed", "oversight", {"analytic": LAWN}, {"reason": "Yes."}, refs=[stop, *refs])
    world.house.hand_in(statement)
    world.settle()
    world.clock.advance(MINUTE)
    world.house.limits.look()


def test_an_honest_house_is_not_accused(world: World, tmp_path: Path) -> None:
    world.house.limits.look()
    alerts(world, *[RIGHT] * 40)  # trusted
    stop = crossed(world)
    world.settle()
    world.clock.advance(2 * HOUR)
    resumed(world, stop, proposed(world, stop))
    alerts(world, *[RIGHT] * 25)
    alerts(world, WRONG, RIGHT)
    report = audit(world, tmp_path)
    assert {each.promise: [one.sentence for one in each.breaches] for each in report.broken} == {}
    assert "1 stop by a limit, 2 times trust was earned" in report.by_promise["limits-replayed"].sentence
    assert "1 stop by a limit, 1 of them ended" in report.by_promise["limits"].sentence


# ---- lies --------------------------------------------------------------------------------------------------------


def test_an_analytic_that_ran_on_after_its_stop_was_recorded(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed(world)
    monkeypatch.setattr(standing, "suspensions_by_limit", lambda reader: [])
    world.clock.advance(2 * HOUR)
    alerts(world, RIGHT)
    found = broken(world, tmp_path)
    assert "came about while 'on-the-lawn' was suspended" in found["suspensions"][0]
    assert "after it was stopped" in found["minutes"][0]
    assert "suspensions" in broken(world, tmp_path, deep=False)


def test_it_runs_again_without_oversight(world: World, tmp_path: Path) -> None:
    stop = crossed(world)
    world.house.store.commit(lambda tx: tx.execute("UPDATE limit_stop SET resumed = ?", stop))
    world.settle()
    world.clock.advance(HOUR)
    world.house.limits.look()
    found = broken(world, tmp_path, deep=False)
    assert ["oversight never signed that" in each for each in found["limits"]] == [True]


def test_it_runs_again_upon_the_proposal_of_another_stop_and_under_the_same_charter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass.acts.resume.needs_new_charter", lambda *_: False)
    first = crossed(world)
    world.settle()
    world.clock.advance(2 * HOUR)
    proposal = proposed(world, first)
    resumed(world, first, proposal)
    second = crossed(world)
    world.settle()
    world.clock.advance(2 * HOUR)
    world.house.store.commit(lambda tx: tx.execute("UPDATE resumption SET stop = ?", second))
    resumed(world, second, proposal)
    found = broken(world, tmp_path, deep=False)
    assert len(found["limits"]) == 2
    assert "which the authority had not proposed for that stop" in found["limits"][0]
    assert "under the charter under which it was stopped a second time" in found["limits"][1]


def test_it_runs_again_before_witnesses_saw_it(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = crossed(world)
    world.settle()
    world.clock.advance(HOUR)
    world.settle()
    proposal = proposed(world, stop)
    world.settle()
    monkeypatch.setattr(judge, "is_cosigned", lambda *_: True)
    statement = world.sign(
        "analytic_resumed", "oversight", {"analytic": LAWN}, {"reason": "Yes."}, refs=[stop, proposal]
    )
    world.house.hand_in(statement)
    world.house.limits.look()
    found = broken(world, tmp_path, deep=False)
    assert "before any witness had seen that oversight signed it" in found["limits"][0]


def test_a_stop_that_never_came(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.house.limits.look()
    monkeypatch.setattr(judge, "_speaks", lambda *_: False)
    alerts(world, *[WRONG] * 12)
    world.clock.advance(HOUR)
    alerts(world, RIGHT)
    found = broken(world, tmp_path)
    assert list(found) == ["limits-replayed"]
    assert (
        "was over its limit (how many of its alerts are right): it should have been stopped"
        in (found["limits-replayed"][0])
    )
    assert broken(world, tmp_path, deep=False) == {}


def test_trust_without_evidence(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.house.limits.look()
    alerts(world, RIGHT)
    monkeypatch.setattr(
        judge, "_speaks", lambda *given: given[3].testing is not None and given[3].testing.name == "trust"
    )
    alerts(world, RIGHT)
    monkeypatch.undo()
    (only,) = broken(world, tmp_path)["limits-replayed"]
    assert "its alerts up to then do not show that it keeps its limit" in only


def test_a_verdict_that_was_left_out(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.house.limits.look()
    real = judge._one

    def but_the_second(tx: Any, tested: Progress, test: Any, name: str, alert: Any) -> Progress:
        return replace(tested, cursor=2) if alert.number == 2 else real(tx, tested, test, name, alert)

    monkeypatch.setattr(judge, "_one", but_the_second)
    crossed(world)
    found = broken(world, tmp_path)
    assert "with a later alert than the one with which it was over its limit" in found["limits-replayed"][0]


def test_verdicts_counted_in_the_order_in_which_they_were_given(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejections come at once, confirmations later: whoever does not wait for those stops what keeps its limit."""
    world.house.limits.look()
    late = [world.raise_alert() for _ in range(12)]
    real = final_alerts._ALERTS
    assert "ORDER BY o.number" in real
    decided = real.replace("WHERE o.analytic", "JOIN verdict ON verdict.alert = a.id WHERE o.analytic")
    monkeypatch.setattr(final_alerts, "_ALERTS", decided)
    stop = crossed(world)
    assert stop
    monkeypatch.setattr(final_alerts, "_ALERTS", real)
    for alert in late:
        world.decide(alert, RIGHT)
    found = broken(world, tmp_path)
    assert "that had to be counted" in found["limits-replayed"][0]


def test_on_trial_something_was_handed_over(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.house.limits.look()
    world.clock.advance(2 * MINUTE)
    monkeypatch.setattr("watchglass.acts.decide_alert.stays_with_reviewers", lambda *_: False)
    alerts(world, RIGHT)
    world.clock.advance(2 * MINUTE)
    found = broken(world, tmp_path)
    assert "which was on trial" in found["limits-replayed"][0]


def test_nobody_ever_looked(world: World, tmp_path: Path) -> None:
    alert = world.raise_alert()
    world.decide(alert, RIGHT)
    world.clock.advance(3 * HOUR)
    found = broken(world, tmp_path, deep=False)
    assert "of which nothing says that it began on trial" in found["limits"][0]


def test_a_trial_that_went_on_for_ever(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.house.limits.look()
    alerts(world, RIGHT)
    monkeypatch.setattr(judge, "_moved", lambda reader, charter, judged, tests, now: judged.stands)
    world.clock.advance(31 * DAY)
    alerts(world, RIGHT)
    assert "after its trial was over" in broken(world, tmp_path)["limits-replayed"][0]
