"""The first thing that oversight reads: what is overdue, what waits, what is stopped, what the audit found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guarded import Guarded, guarded
from watchglass.acts.misuse import look_for_misuse
from watchglass.acts.watched_times import watched
from watchglass.acts.what_waits import Waits, what_waits
from watchglass.core.time import HOUR, MINUTE


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def waits(guard: Guarded, audit: dict[str, object] | None = None) -> list[Waits]:
    charter = guard.world.standing().charter
    assert charter is not None
    reader = guard.world.house.store.read()
    steadiness = [(each.place.name, watched(reader, charter, each.name, guard.now)) for each in charter.sources]
    return list(what_waits(reader, guard.now, steadiness, audit))


def names(found: list[Waits]) -> list[tuple[str, int, bool]]:
    return [(each.what, each.count, each.late) for each in found]


def break_glass(guard: Guarded) -> None:
    guard.record()
    values = {
        "request": guard.number(),
        "source": "street",
        "from_ms": guard.now - 30_000,
        "to_ms": guard.now,
        "reason": "Somebody called for help.",
        "follow_up_by_ms": guard.now + 24 * HOUR,
    }
    guard.hand_in(guard.sign("glass_broken", "shift-lead", values, purpose=guard.purpose))


def test_where_nothing_waits_nothing_is_said(guard: Guarded) -> None:
    assert waits(guard) == []
    assert waits(guard, {"findings": [], "breaches": 0, "verdict": "fine"}) == []


def test_what_waits_becomes_overdue_and_goes_when_it_is_done(guard: Guarded) -> None:
    alert = guard.world.raise_alert()
    guard.world.raise_alert()
    guard.world.decide(alert)
    break_glass(guard)
    guard.requested()
    guard.order_hold()
    order = guard.world.suspend("on-the-lawn")
    found = waits(guard)
    assert sorted(names(found)) == [
        ("alerts", 1, False),
        ("emergencies", 1, False),
        ("holds", 1, False),
        ("requests", 1, False),
        ("suspended", 1, False),
    ]
    assert "on-the-lawn" in next(each.sentence for each in found if each.what == "suspended")
    guard.world.clock.advance(25 * HOUR)
    charter = guard.world.standing().charter
    assert charter is not None
    signals = look_for_misuse(guard.world.house.acting, charter)
    guard.world.house.hand_in(guard.world.lift(order, "on-the-lawn"))
    late = waits(guard)
    assert [each for each in names(late) if each[2]] == [("alerts-overdue", 1, True), ("emergencies-overdue", 1, True)]
    assert [each.late for each in late] == sorted((each.late for each in late), reverse=True)
    assert ("signals", len(signals), False) in names(late)
    assert "suspended" not in {each.what for each in late}


def test_the_audit_of_last_night_stands_among_what_is_late(guard: Guarded) -> None:
    broken = {"findings": [{}], "breaches": 3, "verdict": "1 promise was broken, 3 times in all; 13 were kept."}
    (found,) = waits(guard, broken)
    assert (found.what, found.count, found.late, found.href) == ("audit", 3, True, "/audit#broken")
    assert broken["verdict"] in found.sentence
    (found,) = waits(guard, {"error": "DidNotVerify", "message": "It was rewritten."})
    assert "could not be finished" in found.sentence
    guard.world.clock.advance(MINUTE)
