"""Cameras that see badly, audited: what the log says of them holds together, and their alerts say the same."""

from __future__ import annotations

from typing import Any

import pytest
from small_log import NOON, Everything, Made, Small

from watchglass.core.digest import b64
from watchglass.core.time import HOUR, MINUTE
from watchglass.ledger.merkle import leaf_hash
from watchglass.oversight import carried
from watchglass.oversight.audit import Auditor
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.promises.conditions_told import REACH
from watchglass.oversight.report import Report, State

ASKS = ("    view:\n", "    conditions: {brightness: [30, 230]}\n    view:\n")
OURS = ("conditions", "conditions-told")


@pytest.fixture
def small() -> Small:
    return Small(edits=[ASKS]).begin()


def degrade(small: Small, condition: str = "too_dark", source: str = "street", **more: Any) -> Made:
    clear = {"source": source, "condition": condition}
    return small.attest("source_degraded", clear=clear, measured=12_000, allowed=30_000, **more)


def recover(small: Small, of: Made, condition: str = "too_dark", because: str = "measured") -> Made:
    clear = {"source": "street", "condition": condition, "because": because}
    return small.attest("source_recovered", clear=clear, refs=[of])


def alert(small: Small, *degraded: str, **more: Any) -> Made:
    """An alert that is decided at once, so that no other promise is broken by it."""
    seen = {"light": None, "view": None, "size": None, "crowding": None, "degraded": sorted(degraded)}
    made = small.alert(**{"conditions": seen, **more})
    small.decide(made)
    return made


def broken(small: Small, later: int = HOUR) -> dict[str, list[int]]:
    """What is broken of these two, once everything must be in the log."""
    small.pass_time(later)
    found = small.broken(deep=True)
    assert set(found) <= {*OURS, "opened"}, found
    return {name: entries for name, entries in found.items() if name in OURS}


def a_spell(small: Small, length: int = 2 * HOUR) -> tuple[Made, int]:
    """The street gets too dark, half an hour after noon; its record, and when it is over (ms)."""
    small.pass_time(30 * MINUTE)
    made = degrade(small)
    return made, small.clock.now() + length


# ---- what the public log says ----------------------------------------------------------------------------------------


def test_a_dark_evening_that_is_told_as_it_was_breaks_nothing(small: Small) -> None:
    alert(small)
    begun, until = a_spell(small)
    small.pass_time(HOUR)
    alert(small, "too_dark")
    small.clock.set(until)
    recover(small, begun)
    small.pass_time(HOUR)
    alert(small)
    again = degrade(small)
    assert broken(small) == {}
    report = small.audit(deep=True)
    assert "2 times a source was called degraded" in report.by_promise["conditions"].sentence
    assert "1 of them not over" in report.by_promise["conditions"].sentence
    assert report.by_promise["conditions-told"].sentence.startswith("3 alerts laid")
    assert again.index > begun.index


def test_a_condition_that_the_charter_does_not_state_is_named(small: Small) -> None:
    made = degrade(small, "clock")
    assert broken(small) == {"conditions": [made.index]}


def test_a_source_that_the_charter_does_not_have_is_the_business_of_another_promise(small: Small) -> None:
    made = degrade(small, source="elsewhere")
    small.pass_time(HOUR)
    assert small.broken() == {"allowed": [made.index]}
    assert small.finding("conditions").state is State.KEPT


def test_a_charter_that_states_nothing_is_compared_too() -> None:
    small = Small().begin()
    made = degrade(small)
    assert broken(small) == {"conditions": [made.index]}


def test_what_is_degraded_is_not_called_so_again(small: Small) -> None:
    first = degrade(small)
    degrade(small, "too_bright")
    small.pass_time(MINUTE)
    second = degrade(small)
    recover(small, first)
    degrade(small)
    assert broken(small) == {"conditions": [second.index]}
    assert small.breach("conditions").entries == (second.index, first.index)


def test_what_is_not_degraded_does_not_recover(small: Small) -> None:
    first = degrade(small)
    recover(small, first)
    again = recover(small, first)
    other = degrade(small)
    wrong = recover(small, other, "too_bright")
    assert broken(small) == {"conditions": [again.index, wrong.index]}


def test_a_recovery_that_refers_to_nothing_is_the_business_of_another_promise(small: Small) -> None:
    degrade(small)
    nothing = recover(small, Made(0, b"", b"x" * 32))
    degrade(small)
    small.pass_time(HOUR)
    assert small.broken() == {"refs": [nothing.index]}


def test_what_a_new_charter_asks_no_longer_is_over_and_not_before(small: Small) -> None:
    begun, _ = a_spell(small)
    early = recover(small, begun, because="charter")
    assert broken(small) == {"conditions": [early.index]}
    small = Small(edits=[ASKS]).begin()
    begun, _ = a_spell(small)
    small.publish(small.text(2, (ASKS[1], ASKS[0])))
    small.witness()
    alert(small, "too_dark")  # the house has not looked since
    recover(small, begun, because="charter")
    small.pass_time(HOUR)
    alert(small)
    small.publish(small.text(3))
    small.witness()
    degrade(small)
    assert broken(small) == {}


def test_what_began_before_a_source_was_dropped_may_end_after_it(small: Small) -> None:
    clear = {"drill": "00000000000000d1", "analytic": "on-the-lawn", "source": "street", "day": "2026-11-24"}
    drill = small.attest("drill_planned", clear=clear, role="operator")
    begun, _ = a_spell(small)
    small.stop()
    small.pass_time(36 * HOUR)
    small.publish(small.text(2).replace("street", "road"))
    small.witness()
    recover(small, begun, because="charter")
    scored = {"stratum": "day", "result": "not-run", "cause": None}
    small.attest("drill_scored", clear={**clear, **scored}, refs=[drill], begun_ms=None, ended_ms=None, alerts=[])
    small.pass_time(HOUR)
    assert small.broken() == {}


# ---- what alerts say -------------------------------------------------------------------------------------------------


def test_an_alert_that_hides_it_is_named(small: Small) -> None:
    begun, until = a_spell(small)
    small.pass_time(HOUR)
    first = alert(small)
    second = alert(small, conditions=None)
    third = alert(small, "too_bright")
    small.clock.set(until)
    recover(small, begun)
    assert broken(small) == {"conditions-told": [first.index, second.index, third.index, third.index]}
    breach = small.finding("conditions-told", deep=True).breaches[0]
    assert breach.entries == (first.index, begun.index)
    assert "does not say what its source did not meet then ('too_dark')" in breach.sentence


def test_it_is_named_while_the_spell_goes_on(small: Small) -> None:
    a_spell(small)
    small.pass_time(HOUR)
    made = alert(small)
    assert broken(small) == {"conditions-told": [made.index]}


def test_an_alert_that_makes_it_up_is_named(small: Small) -> None:
    first = alert(small, "too_dark")
    begun, until = a_spell(small)
    elsewhere = alert(small, "too_dark", source="elsewhere")
    small.clock.set(until)
    recover(small, begun)
    small.pass_time(HOUR)
    last = alert(small, "too_dark")
    assert broken(small) == {"conditions-told": [first.index, elsewhere.index, last.index]}


@pytest.mark.parametrize(("after", "named"), [(-REACH, False), (0, False), (REACH - MINUTE, False), (REACH, True)])
def test_near_the_beginning_an_alert_may_say_nothing(small: Small, after: int, named: bool) -> None:
    small.pass_time(30 * MINUTE)
    begun = degrade(small)
    small.clock.set(NOON + 30 * MINUTE + after)  # a clock may be set back
    made = alert(small)
    small.clock.set(NOON + 3 * HOUR)
    recover(small, begun)
    assert broken(small) == ({"conditions-told": [made.index]} if named else {})


@pytest.mark.parametrize(("before", "named"), [(-HOUR, False), (REACH - MINUTE, False), (REACH, True)])
def test_near_the_end_an_alert_may_say_nothing(small: Small, before: int, named: bool) -> None:
    begun, until = a_spell(small)
    small.clock.set(until - before)
    made = alert(small)
    small.clock.set(until)
    recover(small, begun)
    assert broken(small) == ({"conditions-told": [made.index]} if named else {})


@pytest.mark.parametrize(("away", "named"), [(REACH - MINUTE, False), (REACH, True)])
def test_a_batch_between_two_moments_of_a_clock_set_back_accuses_nobody(small: Small, away: int, named: bool) -> None:
    """Alerts enter before the record that they were raised after, or after the one that they were raised before."""
    small.pass_time(30 * MINUTE)
    early = alert(small, "too_dark")
    small.pass_time(away)
    begun = degrade(small)
    small.pass_time(HOUR)
    recover(small, begun)
    small.pass_time(away)
    late = alert(small, "too_dark")
    assert broken(small) == ({"conditions-told": [early.index, late.index]} if named else {})


def test_by_its_place_an_alert_may_be_what_its_minute_does_not_show(small: Small) -> None:
    """The house's clock was an hour fast and is set right: minutes lie outside, the order of the log does not."""
    small.pass_time(HOUR)
    begun = degrade(small)
    small.clock.set(NOON + 30 * MINUTE)
    alert(small, "too_dark")
    recover(small, begun)
    alert(small)
    assert broken(small) == {}


def test_by_its_place_an_alert_may_say_nothing_too(small: Small) -> None:
    """It came after the recovery, and the house's clock was set right by an hour in between."""
    begun, until = a_spell(small)
    small.clock.set(until)
    recover(small, begun)
    small.clock.set(until - HOUR)
    alert(small)
    assert broken(small) == {}


def test_a_second_recovery_prolongs_nothing(small: Small) -> None:
    begun, until = a_spell(small)
    small.clock.set(until)
    recover(small, begun)
    small.pass_time(HOUR)
    alert(small)
    small.pass_time(HOUR)
    again = recover(small, begun)
    assert broken(small) == {"conditions": [again.index]}


def test_an_alert_is_judged_once_all_must_be_there(small: Small) -> None:
    small.pass_time(30 * MINUTE)
    made = alert(small, "too_dark")
    assert broken(small, REACH + 9 * MINUTE) == {}  # the charter's `merge_within` is ten minutes
    assert broken(small, MINUTE) == {"conditions-told": [made.index]}


def test_what_is_shown_again_says_nothing_of_it(small: Small) -> None:
    first = alert(small)
    a_spell(small)
    small.pass_time(HOUR)
    alert(small, again={"of": b64(first.hash), "why": "check"}, conditions=None)
    small.pass_time(HOUR)
    assert not small.finding("conditions-told", deep=True).breaches


def test_alerts_of_earlier_versions_are_not_judged(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    a_spell(small)
    small.pass_time(HOUR)
    made = alert(small)
    small.pass_time(HOUR)
    opened = Everything.values

    def earlier(self: Everything, leaf: Any, digest: bytes) -> dict[str, Any] | None:
        values = opened(self, leaf, digest)
        return {name: value for name, value in values.items() if name != "conditions"} if values else None

    assert broken(small) == {"conditions-told": [made.index]}
    monkeypatch.setattr(Everything, "values", earlier)
    assert broken(small) == {}
    assert "1 of earlier versions say nothing" in small.finding("conditions-told", deep=True).sentence


def test_what_retention_took_leaves_the_hour_to_judge_by(small: Small) -> None:
    begun, _ = a_spell(small)
    small.pass_time(HOUR)
    gone = alert(small)
    del small.sealed[gone.hash], small.sealed[begun.hash]
    assert broken(small) == {}
    small = Small(edits=[ASKS]).begin()
    alert(small, "too_dark")  # it may have begun at the beginning of its hour
    begun, until = a_spell(small, 4 * HOUR)
    del small.sealed[begun.hash]
    small.clock.set(NOON + HOUR + REACH - 2 * MINUTE)
    alert(small)  # or at the end
    small.clock.set(NOON + HOUR + REACH)
    first = alert(small)
    small.clock.set(until)
    over = recover(small, begun)
    del small.sealed[over.hash]
    small.pass_time(25 * MINUTE)
    alert(small, "too_dark")  # and have been over at the end of its own
    assert broken(small) == {"conditions-told": [first.index]}


# ---- going on later --------------------------------------------------------------------------------------------------


def eventful() -> Small:
    """Spells and alerts of every kind, some of them lies."""
    small = Small(edits=[ASKS]).begin()
    alert(small, "too_dark")
    begun, until = a_spell(small)
    small.pass_time(HOUR)
    alert(small)
    alert(small, "too_dark")
    degrade(small)
    small.clock.set(until)
    recover(small, begun)
    small.pass_time(HOUR)
    alert(small, "too_dark")
    recover(small, begun)
    degrade(small, "clock")
    for _ in range(3):
        small.pass_time(20 * HOUR)
        alert(small)
    return small


def ours(report: Report) -> list[object]:
    return [report.by_promise[name] for name in OURS]


def test_an_audit_that_goes_on_says_the_same() -> None:
    small = eventful()
    more: dict[str, Any] = {"openings": Everything(small)}
    remembered = small.read(small.auditor(**more)).memory()
    whole = small.audit(deep=True)
    assert [len(whole.by_promise[name].breaches) for name in OURS] == [3, 4]
    given = {"policy": small.policy(), "oversight": small.keys["oversight"].verifier, "now_ms": small.clock.now()}
    for at in range(len(small.entries) + 1):
        first = small.auditor(**more)
        for index in range(at):
            first.see(index, small.entries[index], leaf_hash(small.entries[index]))
        later = Auditor.from_memory(first.memory(), small.origin, **{**given, **more})
        assert ours(small.read(later, at).finish(*small.ending())) == ours(whole), at
        assert later.memory() == remembered, at


def test_an_audit_that_begins_with_a_year_says_the_same() -> None:
    small = eventful()
    whole = small.audit().by_promise["conditions"]
    for size in range(1, len(small.entries)):
        aided, hashes = Auditor.unaided(small.origin), Hashes()
        for index, data in enumerate(small.entries[:size]):
            aided.see(index, data, leaf_hash(data))
            hashes.append(leaf_hash(data))
        state = carried.read(aided.carried(), small.origin)
        begun = Auditor.from_carried(
            state, hashes, small.origin, policy=small.policy(), oversight=None, now_ms=small.clock.now()
        )
        assert small.read(begun, size).finish(*small.ending()).by_promise["conditions"] == whole, size


def test_what_is_long_over_is_forgotten() -> None:
    small = eventful()
    auditor = small.read(small.auditor(openings=Everything(small)))
    (told,) = (each for each in auditor.promises if each.name == "conditions-told")
    kept = told.memory()["kept"]
    assert isinstance(kept, dict)
    assert [each[0] for each in kept["street"]] == ["too_dark", "clock"]  # those that nobody said are over
