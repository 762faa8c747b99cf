"""The audit accuses no honest deployment: neither made ones of every kind nor one that the real acts wrote."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from audited import EveryKey, audited, auditor_of
from dishonest import Depth, handed_over
from guarded import guarded
from lies_recalibrated import MANY
from made_life import BEGIN, STRICT, Life, Plan, plan
from made_log import files_of
from made_stories import live
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import CHECKPOINT
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import State
from watchglass.records.act_spec import Basis
from watchglass.records.leaf import Leaf
from watchglass.records.vocabulary import ACTS
from watchglass.review.model import VerdictValue
from world import World

LONG = (2, 5)
"""Seeds whose lives are forty days: months change, keys die, charters follow each other."""
FULL: dict[str, Any] = {
    "days": 14.0,
    "precision": STRICT,
    "kind": "production",
    "begin": BEGIN + 2 * DAY,
    "sources": 2,
    "witnesses": 3,
    "quorum": 2,
    "alerts_a_day": 3.0,
    "heartbeat_ms": HOUR,
    "sealing": True,
    "custodians": 4,
    "k": 2,
    "one_of": ("oversight",),
    "keep_ms": 2 * DAY,
    "glass": True,
    "clips_ms": 3 * DAY,
    "alerts_kept_ms": 4 * DAY,
    "charters": 2,
    "new_oversight": True,
    "gap": False,
    "suspensions": 2,
    "cases": 8,
    "emergencies": 2,
    "holds": 2,
    "stops": 2,
    "asides": 9.0,
    "year": True,
    "reads": True,
    "drills": True,
    "reports": False,
    "all_day": True,
}
"""A fortnight over the end of a month in which everything happens."""
DEPTHS: tuple[Depth, ...] = ("structure", "openings")
NEVER_MADE = {
    # What destinations outside and a taken-back backdrop write: other tests have them.
    "notice_decided",
    "notice_settled",
    "notice_retried",
    "backdrop_withdrawn",
}


def check(drawn: Plan) -> Counter[str]:
    """No breach at either depth; what acts there were."""
    made = handed_over(live(Life(drawn)))
    for depth in DEPTHS:
        found = audited(made, depth)
        assert found.report is not None, found.sentences
        assert not found.broken, (drawn, depth, found.sentences[:3])
    return Counter(Leaf.parse(entry).act for entry in made.entries)


@settings(max_examples=6, deadline=None, derandomize=True)  # `bench audit` tries fresh seeds, and many more
@example(seed=4030, days=2.5)  # witnesses whose clocks were two minutes behind when a charter changed
@given(seed=st.integers(0, 1 << 32), days=st.sampled_from((0.5, 1.5, 2.5)))
def test_no_honest_deployment_is_accused(seed: int, days: float) -> None:
    assert check(plan(seed, days=days)).total() > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", LONG)
def test_no_long_honest_deployment_is_accused(seed: int) -> None:
    assert check(plan(seed)).total() > 1_000


def test_in_a_full_life_there_is_every_act_and_no_breach() -> None:
    acts = check(replace(plan(1), **FULL))
    # These by themselves, so that they move nothing of the other.
    acts += check(replace(plan(1, days=2.5), reports=True, sealing=True, holds=6, kind="production", gap=False))
    acts += check(replace(plan(1), **MANY))
    assert set(ACTS) - set(acts) == NEVER_MADE


def test_the_same_seed_makes_the_same_log_and_the_same_report() -> None:
    reports = []
    for _ in range(2):
        made = handed_over(live(Life(plan(13, days=1.5))))
        found = audited(made)
        assert found.report is not None
        reports.append((made.entries, made.note, found.report.encode()))
    assert reports[0] == reports[1]
    assert len(reports[0][0]) > 100


def test_an_audit_that_goes_on_later_says_the_same() -> None:
    made = handed_over(live(Life(plan(17, days=2.0))))
    whole = audited(made)
    begun = auditor_of(made, "structure")
    half = len(made.entries) // 2
    for index, data in enumerate(made.entries[:half]):
        begun.see(index, data, leaf_hash(data))
    policy = policies.parse(made.trust.encode())
    later = Auditor.from_memory(
        begun.memory(),
        made.town.origin,
        policy=policy,
        oversight=made.oversight,
        receipts=made.receipts,
        lodged=made.lodged,
        now_ms=made.at_ms,
    )
    assert later.size == half
    for index, data in enumerate(made.entries):
        later.see(index, data, leaf_hash(data))
    verified = verify_log(files_of(made.entries, made.note), policy)
    assert whole.report is not None
    assert later.finish(verified.checkpoint, verified.witnesses).encode() == whole.report.encode()


# ---- the house itself ------------------------------------------------------------------------------------------------


def test_what_the_real_acts_write_is_not_accused(tmp_path: Path) -> None:
    """Alerts, verdicts, an order and its lifting, a release, an emergency: by the house, its store and sequencer."""
    with guarded(tmp_path) as made:
        world, clock = made.world, made.world.clock
        first = world.raise_alert()
        clock.advance(30 * SECOND)  # type: ignore[attr-defined]  # a virtual one
        world.decide(first)
        made.record()
        made.granted()
        order = world.suspend("on-the-lawn")
        world.house.note_obeyed(order, within_ms=120)
        world.settle()
        clock.advance(5 * HOUR)  # type: ignore[attr-defined]
        world.house.hand_in(world.lift(order, "on-the-lawn"))
        world.settle()
        clock.advance(MINUTE)  # type: ignore[attr-defined]
        second = world.raise_alert()
        clock.advance(MINUTE)  # type: ignore[attr-defined]
        world.decide(second, VerdictValue.REJECT)
        made.record()
        number = made.number()
        statement = made.sign(
            "glass_broken",
            "shift-lead",
            {
                "request": number,
                "source": "street",
                "from_ms": made.now - MINUTE,
                "to_ms": made.now,
                "reason": "A person lay on the ground.",
                "follow_up_by_ms": made.now + 24 * HOUR,
            },
            purpose=made.purpose,
        )
        leaf = made.hand_in(statement)
        clock.advance(2 * HOUR)  # type: ignore[attr-defined]
        report = {"request": number, "report": "An ambulance came.", "case": None}
        made.hand_in(made.sign("glass_followed_up", "shift-lead", report, refs=[leaf], purpose=made.purpose))
        for _ in range(8):
            clock.advance(12 * HOUR)  # type: ignore[attr-defined]
            world.house.keep_retention()
            world.settle()
        assert not accused(world, tmp_path)


def accused(world: World, folder: Path) -> list[str]:
    """What the audit has against a house, of what anybody can read."""
    tiles = world.house.tiles
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(tiles, trust)
    assert tiles.read(CHECKPOINT) is not None
    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    report = auditor.finish(verified.checkpoint, verified.witnesses)
    assert report.size == len(world.entries())
    assert {each.state for each in report.findings} <= set(State)
    assert sum(Leaf.parse(data).spec.basis is Basis.SIGNED for data in world.entries()) > 10
    return [one.sentence for each in report.broken for one in each.breaches]


def test_openings_under_two_keys_of_oversight_are_both_read() -> None:
    """A change of oversight changes to whom openings are sealed; an audit of the whole log needs both."""
    made = handed_over(live(Life(replace(plan(1), **{**FULL, "days": 3.0, "alerts_kept_ms": 365 * DAY}))))
    assert len(made.town.openings) == 2
    opened = EveryKey(made)
    leaves = [Leaf.parse(data) for data in made.entries]
    assert all(opened.values(leaf, leaf.hash()) is not None for leaf in leaves if leaf.opening is not None)
