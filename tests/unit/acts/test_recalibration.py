"""What a rule's own alerts teach is put in force by an operator, and audited: an honest house, and liars."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts import drifting, how_sure, recalibrate
from watchglass.acts.public_quality import RECALIBRATED
from watchglass.core.digest import b64
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import HOUR, MINUTE
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.perception.calibration import Calibration
from watchglass.quality.recalibration import curve_of
from watchglass.records.leaf import Leaf
from watchglass.review.model import Alert, VerdictValue
from world import World, make_house

LAWN = "on-the-lawn"
RIGHT, WRONG, UNSURE = VerdictValue.CONFIRM, VerdictValue.REJECT, VerdictValue.UNSURE
SCORES = (0.3, 0.5, 0.7, 0.9)


class Opened:
    """What oversight can open; ``lies`` are told instead, by the hash of a record."""

    def __init__(self, world: World, lies: dict[bytes, dict[str, Any]]) -> None:
        self._fields = {record.hash: {**record.fields, **lies.get(record.hash, {})} for record in world.records()}

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        del leaf
        return self._fields.get(digest) or None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house that was recalibrated once: 72 alerts, of which those with high scores were right."""
    with make_house(tmp_path_factory.mktemp("recalibration")) as made:
        made.settle()
        yield made


def decided(world: World, count: int) -> list[Alert]:
    """Alerts, half of them right; the higher the score the more. Each seventh stays without an answer."""
    raised = []
    for place in range(count):
        score = SCORES[place % len(SCORES)]
        raised.append(world.raise_alert(score=score, probability=0.82))
        right = (place // len(SCORES)) % 5 < 5 * score - 0.5
        world.decide(raised[-1], UNSURE if place % 7 == 6 else RIGHT if right else WRONG)
        world.clock.advance(MINUTE)
    return raised


def put_in_force(world: World, last: bytes) -> bytes:
    charter = world.standing().charter
    assert charter is not None
    grant = world.grant(May.RECALIBRATE, Role.OPERATOR)
    return recalibrate.recalibrate(world.house.acting, grant, charter, LAWN, last=last).value


def proposal(world: World) -> Any:
    charter = world.standing().charter
    assert charter is not None
    return recalibrate.proposal(world.house.store.read(), charter, LAWN, world.clock.now())


def broken(world: World, folder: Path, lies: dict[bytes, dict[str, Any]]) -> list[str]:
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(world.house.tiles, trust)
    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        openings=Opened(world, lies),
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    report = auditor.finish(verified.checkpoint, verified.witnesses)
    assert not [each.promise for each in report.broken if each.promise != "recalibrated"]
    return [one.sentence for each in report.broken for one in each.breaches]


def test_too_few_alerts_are_refused_and_the_rest_is_told(world: World) -> None:
    decided(world, 8)
    with pytest.raises(Refused, match=r"53 more final alerts .* \(7 of 60\)"):
        proposal(world)


def test_what_was_shown_is_put_in_force_and_later_alerts_say_so(world: World, tmp_path: Path) -> None:
    before = decided(world, 66)
    found = proposal(world)
    assert (found.learnt, found.shown) == (34, 30)
    assert found.before.brier > found.after.brier
    assert before[0].probability_per_mille == 820
    with pytest.raises(Problem, match="More alerts became final"):
        put_in_force(world, before[0].leaf_hash)
    leaf = put_in_force(world, found.last)
    record = world.records("recalibrated")[-1]
    assert record.leaf.clear == {"analytic": LAWN, "cause": "learnt"}
    assert record.fields["calibration"] == recalibrate.facts_of(found)
    assert record.leaf.clear["cause"] in RECALIBRATED

    low, high = world.raise_alert(score=0.3, probability=0.82), world.raise_alert(score=0.9, probability=0.82)
    points = found.points
    assert [each.probability_per_mille for each in (low, high)] == [
        round(1000 * curve_of(points).block(each).probability) for each in (0.3, 0.9)
    ]
    told = world.records("alert_raised")[-1]
    assert (told.fields["calibration"], told.fields["probability"]) == (b64(leaf), high.probability_per_mille)
    sentence = how_sure.of_alert(Calibration("", {}), high, curve_of(points))
    assert sentence is not None
    assert sentence.startswith("Of earlier alerts of this rule here, about")
    assert f"(n\u00a0=\u00a0{points[-1][2]})" in sentence

    for each in (low, high):
        world.decide(each, RIGHT)
    world.clock.advance(3 * HOUR)
    world.settle()
    world.clock.advance(MINUTE)
    world.settle()
    assert broken(world, tmp_path, {}) == []
    facts = record.fields["calibration"]
    points_lie = [*facts["points"][:-1], {**facts["points"][-1], "right": facts["points"][-1]["n"]}]
    lies: list[tuple[bytes, dict[str, Any], str]] = [
        (record.hash, {"calibration": {**facts, "points": points_lie}}, "otherwise than its alerts"),
        (record.hash, {"calibration": {**facts, "after": {**facts["after"], "brier": 1}}}, "otherwise than its alerts"),
        (record.hash, {"calibration": {**facts, "first": b64(before[0].leaf_hash)}}, "leaves out earlier alerts"),
        (told.hash, {"probability": 1}, "another probability"),
        (told.hash, {"calibration": None}, "another calibration"),
    ]
    for digest, lie, words in lies:
        assert any(words in each for each in broken(world, tmp_path, {digest: lie})), words


def test_it_is_taken_back_and_alerts_keep_what_was_said_of_them(world: World) -> None:
    charter = world.standing().charter
    assert charter is not None
    grant = world.grant(May.RECALIBRATE, Role.OPERATOR)
    recalibrate.withdraw_recalibration(world.house.acting, grant, charter, LAWN)
    assert world.records("recalibrated")[-1].leaf.clear["cause"] == "withdrawn"
    after = world.raise_alert(score=0.9, probability=0.82)
    assert (after.probability_per_mille, after.calibration) == (820, None)
    with pytest.raises(Problem, match="Nothing learnt"):
        recalibrate.withdraw_recalibration(world.house.acting, grant, charter, LAWN)
    assert recalibrate.by_record(world.house.store.read(), world.records("recalibrated")[0].hash) is not None


def test_watches_say_what_they_have_seen(world: World) -> None:
    charter = world.standing().charter
    assert charter is not None
    alerts = recalibrate.final_alerts(world.house.store.read(), charter, LAWN, world.clock.now())
    wrong, calibration = drifting.watched(alerts)
    assert (wrong.seen, wrong.waits_for, wrong.warned) == (76, 24, ())
    assert calibration.seen == 66  # those with an answer
