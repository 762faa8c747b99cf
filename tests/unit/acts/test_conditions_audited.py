"""What a real house writes of a camera that sees badly, audited with its openings: nothing of it is called a breach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from watchglass.acts.source_conditions import degrade, failing, not_stated, recover
from watchglass.charter.model import Charter
from watchglass.core.errors import WatchglassError
from watchglass.core.time import HOUR, MINUTE
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import Report
from watchglass.records.leaf import Leaf
from world import World, make_house

ASKS = ("    view:\n", "    conditions: {brightness: [30, 230]}\n    view:\n")
EDITS = (ASKS, (", heartbeat_every: 10s", ""))


class Opened:
    """What oversight can open of a house's log."""

    def __init__(self, world: World) -> None:
        self._fields = {record.hash: dict(record.fields) for record in world.records()}

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        del leaf
        return self._fields.get(digest) or None


def audit(world: World, folder: Path) -> Report:
    world.clock.advance(2 * HOUR)
    world.settle()
    world.clock.advance(MINUTE)
    world.settle()
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(world.house.tiles, trust)
    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        openings=Opened(world),
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    return auditor.finish(verified.checkpoint, verified.witnesses)


def charter_of(world: World) -> Charter:
    charter = world.standing().charter
    assert charter is not None
    return charter


def alert(world: World) -> list[str]:
    """An alert, and its verdict; what it says that its source did not meet."""
    raised = world.raise_alert()
    world.decide(raised)
    assert raised.seen is not None
    return list(raised.seen["degraded"])


def test_alerts_before_in_and_after_a_dark_evening_and_under_a_charter_that_asks_no_longer(tmp_path: Path) -> None:
    with make_house(tmp_path, edits=EDITS) as world:
        acting, told = world.house.acting, []
        for _ in range(2):  # two evenings, alerts of the very minutes in which they begin and end among them
            told.append(alert(world))
            degrade(acting, charter_of(world), "street", "too_dark", 12_000, 30_000)
            told.append(alert(world))
            world.clock.advance(20 * MINUTE)
            told.append(alert(world))
            with pytest.raises(WatchglassError):
                degrade(acting, charter_of(world), "street", "too_dark", 12_000, 30_000)
            recover(acting, charter_of(world), "street", "too_dark")
            assert not recover(acting, charter_of(world), "street", "too_dark").value
            told.append(alert(world))
            world.clock.advance(20 * MINUTE)
        degrade(acting, charter_of(world), "street", "too_bright", 240_000, 230_000)
        text = world.text.replace(ASKS[1], ASKS[0]).replace("version: 1\n", "version: 2\n", 1)
        world.publish(text)
        world.clock.advance(20 * MINUTE)
        told.append(alert(world))  # it says what the house has not looked at since
        for gone in not_stated(world.house.store.read(), charter_of(world)):
            recover(acting, charter_of(world), gone.source, gone.condition, "charter")
        assert not failing(world.house.store.read(), "street")
        world.clock.advance(20 * MINUTE)
        told.append(alert(world))
        report = audit(world, tmp_path)
    evening = [[], ["too_dark"], ["too_dark"], []]
    assert told == [*evening, *evening, ["too_bright"], []]
    assert not report.broken, [one.sentence for each in report.broken for one in each.breaches]
    assert report.by_promise["conditions"].checked == 6
    assert "5 say that theirs was" in report.by_promise["conditions-told"].sentence
