"""The house judges its own record of accesses, tells oversight alone, once; and oversight says what it made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guarded import Guarded, guarded
from watchglass.access.misuse import Finding, Kind
from watchglass.acts.misuse import entries_of, facts_of, judged_until, look_for_misuse, public_counts, signals
from watchglass.core.digest import b64
from watchglass.core.errors import DidNotVerify, Problem
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.records.outbox import Transaction

YEAR = 365 * DAY


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def look(guard: Guarded) -> list[str]:
    charter = guard.world.standing().charter
    assert charter is not None
    return look_for_misuse(guard.world.house.acting, charter)


def break_glass(guard: Guarded) -> bytes:
    """The shift lead opens the last seconds at once; the leaf hash of it."""
    guard.record()
    values = {
        "request": guard.number(),
        "source": "street",
        "from_ms": guard.now - 30_000,
        "to_ms": guard.now,
        "reason": "Somebody called that a child had fallen into the trench.",
        "follow_up_by_ms": guard.now + 24 * HOUR,
    }
    return guard.hand_in(guard.sign("glass_broken", "shift-lead", values, purpose=guard.purpose))


def settling(guard: Guarded, signal: str, finding: str = "mistake", **more: object) -> bytes:
    values = {"signal": signal, "finding": finding, "note": "Asked, and answered."}
    key = more.pop("key", guard.world.keys["oversight"])
    return guard.hand_in(guard.sign("misuse_settled", "oversight", values, role="oversight", key=key))


def test_an_emergency_that_nobody_reported_on_is_told_to_oversight_once(guard: Guarded) -> None:
    leaf = break_glass(guard)
    assert look(guard) == [] or all(  # an emergency without an alert may be asked about by itself, later
        each.signal.kind is not Kind.GLASS_NOT_FOLLOWED for each in signals(guard.world.house.store.read())
    )
    guard.world.clock.advance(25 * HOUR)
    (found,) = look(guard)
    (known,) = signals(guard.world.house.store.read())
    assert (known.signal.id, known.signal.kind, known.finding) == (found, Kind.GLASS_NOT_FOLLOWED, None)
    assert known.signal.evidence == (b64(leaf),)
    assert "Sam Okoro used the emergency rule" in known.signal.sentence
    guard.world.settle()
    reader = guard.world.house.store.read()
    assert entries_of(reader, known.signal.evidence).keys() == {b64(leaf)}
    assert signals(reader)[0].index is not None
    row = reader.one("SELECT count(*) AS n FROM entry WHERE act = 'misuse_signalled'")
    assert row is not None
    assert row["n"] == 1
    guard.world.clock.advance(2 * HOUR)
    assert look(guard) == []
    assert judged_until(reader) == guard.now


def test_it_is_judged_once_an_hour_and_not_more_often(guard: Guarded) -> None:
    look(guard)
    first = judged_until(guard.world.house.store.read())
    guard.world.clock.advance(59 * MINUTE)
    assert look(guard) == []
    assert judged_until(guard.world.house.store.read()) == first
    guard.world.clock.advance(MINUTE)
    look(guard)
    assert judged_until(guard.world.house.store.read()) == guard.now


def test_oversight_alone_says_what_it_made_of_a_signal_and_says_it_once(guard: Guarded) -> None:
    break_glass(guard)
    guard.world.clock.advance(25 * HOUR)
    (found,) = look(guard)
    with pytest.raises(DidNotVerify):
        settling(guard, found, key=guard.keys["shift-lead"])
    settling(guard, found)
    guard.world.settle()
    (known,) = signals(guard.world.house.store.read())
    assert (known.finding, known.note, known.settled_ms) == (Finding.MISTAKE, "Asked, and answered.", guard.now)
    assert known.settled_index is not None
    guard.world.clock.advance(MINUTE)
    with pytest.raises(Problem, match="settled before"):
        settling(guard, found, "misuse")
    assert signals(guard.world.house.store.read())[0].finding is Finding.MISTAKE


def test_a_signal_that_oversight_found_by_itself_can_be_settled_too(guard: Guarded) -> None:
    settling(guard, b64(bytes(31) + b"\x01"), "explained")
    guard.world.settle()
    assert signals(guard.world.house.store.read()) == ()


def test_a_request_in_its_own_case_is_explained(guard: Guarded) -> None:
    guard.record()
    guard.granted()
    facts = facts_of(guard.world.house.store.read(), guard.now)
    assert {access.what.value for access in facts.accesses} == {"case-opened", "release-request"}
    assert {approval.approver for approval in facts.approvals} == {"oversight", "dpo"}
    assert facts.cases[0].members == {"Ines Vermaat"}
    guard.world.clock.advance(4 * DAY)
    assert look(guard) == []


def test_of_few_people_nothing_is_told_to_the_public(guard: Guarded) -> None:
    break_glass(guard)
    guard.world.clock.advance(25 * HOUR)
    look(guard)
    guard.world.settle()
    reader = guard.world.house.store.read()
    assert public_counts(reader, guard.now, YEAR) == ()  # no quarter is over
    (quarter,) = public_counts(reader, guard.now + 92 * DAY, YEAR)[-1:]
    assert quarter.signals == 1
    assert set(quarter.by_kind.values()) == {None}  # one of a kind is fewer than five

    accounts = reader.all("SELECT id FROM account ORDER BY id")
    closed = [row["id"] for row in accounts[9:]]

    def leave(tx: Transaction) -> None:
        for number in closed:
            tx.execute("UPDATE account SET closed_ms = ? WHERE id = ?", guard.now, number)

    guard.world.house.store.commit(leave)
    (quarter,) = public_counts(reader, guard.now + 92 * DAY, YEAR)[-1:]
    assert quarter.withheld
    assert (quarter.by_kind, quarter.open) == ({}, None)
