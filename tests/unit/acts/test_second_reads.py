"""Second judgements and checks: shown like any alert, to somebody else, never handed over, gone with their original."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.access.roles import May, Person, Role
from watchglass.acts import reading, rereads
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.close_reads import close_reads, settle_reads
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.misuse import facts_of
from watchglass.acts.notices import Status
from watchglass.acts.public_facts import month
from watchglass.acts.show_again import AGAIN, show_again, show_clip
from watchglass.acts.shown import shown_again
from watchglass.acts.view_clip import view_clip
from watchglass.charter.permit import KeepClip, RaiseAlert, ShowReviewerView
from watchglass.core.digest import b64
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.perception.messages import Clip
from watchglass.review.model import UNDO_WINDOW, Alert, VerdictValue
from watchglass.review.reads import WHOLE, Why
from watchglass.runtime.notifier import _news
from watchglass.runtime.rereading import Rereading
from world import REVIEW_MS, World, make_house

CONFIRM, REJECT, UNSURE = VerdictValue
EVERY = "review: {within: 2m, second_read: 100%, seeded_checks: {share: 20%}}"


@pytest.fixture
def street(tmp_path: Path) -> Iterator[World]:
    """A house whose charter has every verdict judged twice, and three people who judge."""
    with make_house(tmp_path) as made:
        made.publish(made.edited(("review: {within: 2m}", EVERY)))
        yield made


@pytest.fixture
def ann(street: World) -> Person:
    return street.people[Role.REVIEWER]


@pytest.fixture
def ben(street: World) -> Person:
    return street.add("ben", Role.REVIEWER)


@pytest.fixture
def cleo(street: World) -> Person:
    return street.add("cleo", Role.REVIEWER)


def pass_time(world: World, ms: int) -> None:
    world.clock.advance(ms)  # type: ignore[attr-defined]
    world.settle()


def with_clip(world: World) -> Alert:
    alert = world.raise_alert()
    pass_time(world, 7 * SECOND)
    keep_clip(world.house.acting, world.permit(KeepClip(alert.analytic)), Clip(alert.id, "street", b"film", 8.0, 0.3))
    return alert


def again(world: World, alert: Alert, why: Why = Why.SECOND) -> Alert:
    permit = world.permit(RaiseAlert(alert.analytic))
    return show_again(world.house.acting, permit, alert.id, why, review_within_ms=REVIEW_MS).value


def follow(world: World, alert: Alert) -> None:
    show_clip(world.house.acting, world.permit(KeepClip(alert.analytic)), alert.id)


def ids(world: World, person: Person) -> list[str]:
    return [alert.id for alert in reading.waiting(world.house.store.read(), person.account)]


def test_a_second_judgement_looks_like_a_first_one_and_its_record_too(street: World, ann: Person, ben: Person) -> None:
    first = with_clip(street)
    street.decide(first, CONFIRM, by=ann)
    pass_time(street, 30 * MINUTE)
    second = again(street, first)
    public = {record.hash: set(record.leaf.body()) for record in street.records("alert_raised")}
    assert len(public) == 2
    assert len({frozenset(fields) for fields in public.values()}) == 1
    one, other = street.records("alert_raised")
    assert one.leaf.clear == other.leaf.clear
    assert one.leaf.commitments.keys() == other.leaf.commitments.keys()
    assert one.fields["again"] is None
    assert other.fields["again"] == {"of": b64(first.leaf_hash), "why": "second"}
    assert (other.fields["why"], other.fields["zone"], other.fields["score"]) == (AGAIN, None, None)
    # people see the same, at another time
    assert (second.why, second.facts, second.boxes, second.zone) == (first.why, first.facts, first.boxes, first.zone)
    assert second.at_ms == second.raised_ms - (first.raised_ms - first.at_ms)
    assert second.due_ms - second.raised_ms == REVIEW_MS
    assert not second.has_clip
    reader = street.house.store.read()
    row = reader.one("SELECT clip_due_ms FROM shown_again")
    assert row is not None
    assert row["clip_due_ms"] == second.raised_ms + 7 * SECOND  # as late as the first time
    pass_time(street, 7 * SECOND)
    follow(street, second)
    look = street.permit(ShowReviewerView("street", second.purpose))
    assert view_clip(street.house.acting, street.grant(May.SEE_CLIP, ben), look, second.id) == b"film"
    street.decide(second, REJECT, by=ben)
    verdicts = street.records("alert_decided")
    assert [each.fields["read"] for each in verdicts] == [1, 2]
    assert [each.fields["draw"] and each.fields["draw"]["below"] for each in verdicts] == [WHOLE, None]
    assert len({frozenset(each.leaf.commitments) for each in verdicts}) == 1


def test_whoever_knows_the_incident_neither_sees_nor_judges_it_again(street: World, ann: Person, ben: Person) -> None:
    first = with_clip(street)
    street.decide(first, CONFIRM, by=ann)
    pass_time(street, 30 * MINUTE)
    second = again(street, first)
    assert (ids(street, ann), ids(street, ben)) == ([], [second.id])
    reader = street.house.store.read()
    assert (reading.count_waiting(reader, ann.account), reading.count_waiting(reader, ben.account)) == (0, 1)
    with pytest.raises(Problem, match="no such alert"):
        street.decide(second, REJECT, by=ann)
    with pytest.raises(Problem) as refusal:  # and nobody is told what somebody else decided
        street.decide(first, REJECT, by=ben)
    assert "confirm" not in refusal.value.message
    looked = street.add("dora", Role.REVIEWER)
    permit = street.permit(ShowReviewerView("street", first.purpose))
    view_clip(street.house.acting, street.grant(May.SEE_CLIP, looked), permit, first.id)
    assert ids(street, looked) == []
    assert rereads.may_judge(
        reader, first.id, Why.THIRD, {p.account: frozenset({Role.REVIEWER}) for p in (ann, ben, looked)}
    ) == {ben.account}


def test_what_is_shown_again_is_never_handed_over_nor_counted(street: World, ann: Person, ben: Person) -> None:
    first = with_clip(street)
    street.decide(first, REJECT, by=ann)
    pass_time(street, 30 * MINUTE)
    second = again(street, first)
    street.decide(second, CONFIRM, by=ben)
    assert street.records("alert_decided")[-1].fields["handed_to"] is None
    reader = street.house.store.read()
    assert reader.one("SELECT 1 FROM handover") is None
    counted = month(reader, street.clock.now() + DAY)
    assert (counted.alerts, counted.right, counted.wrong) == (1, 0, 0)
    right = reading.how_often_right(reader, first.analytic)
    assert (right.k, right.n) == (0, 0)  # it counts when it is closed: the figure would tell the second person
    incidents = {each.id: each.again for each in facts_of(reader, street.clock.now()).incidents}
    assert incidents == {first.id: False, second.id: True}
    # it was not handed over, and a second person says that it was real: somebody is told
    pass_time(street, UNDO_WINDOW + SECOND)
    (told,) = rereads.differing(reader, street.clock.now(), 0)
    assert (told.alert, told.handed) == (first.id, False)


def test_two_who_differ_are_followed_by_a_third_and_all_is_closed_at_midnight(
    street: World, ann: Person, ben: Person, cleo: Person
) -> None:
    first = with_clip(street)
    street.decide(first, CONFIRM, by=ann)
    pass_time(street, 30 * MINUTE)
    charter = street.standing().charter
    assert charter is not None
    acting, reader = street.house.acting, street.house.store.read()
    (owed,) = rereads.owed(reader, charter, street.clock.now())
    assert (owed.alert, owed.why) == (first.id, Why.SECOND)
    second = again(street, first)
    street.decide(second, REJECT, by=ben)
    assert rereads.owed(reader, charter, street.clock.now()) == []  # it may be taken back yet
    pass_time(street, UNDO_WINDOW + SECOND)
    (owed,) = rereads.owed(reader, charter, street.clock.now())
    assert owed.why is Why.THIRD
    assert settle_reads(acting, charter) == 0
    third = again(street, first, Why.THIRD)
    lead = street.people[Role.SHIFT_LEAD]
    assert (ids(street, ann), ids(street, ben), ids(street, lead), ids(street, cleo)) == ([], [], [], [third.id])
    street.decide(third, REJECT, by=cleo)
    pass_time(street, UNDO_WINDOW + SECOND)
    assert settle_reads(acting, charter) == 1
    close_reads(acting, charter)
    pass_time(street, DAY)
    assert close_reads(acting, charter)
    assert not close_reads(acting, charter)  # once a day
    empty, record = street.records("reads_closed")
    assert (empty.fields["closed"], empty.fields["checks"]) == ([], [])
    (closed,) = record.fields["closed"]
    leaves = [b64(each.hash) for each in street.records("alert_decided")]
    assert closed == {"alert": b64(first.leaf_hash), "reads": leaves, "value": "reject", "told": "yes"}
    assert record.leaf.clear == {}


def test_a_check_needs_a_known_answer_and_is_told_of_after_the_day(
    street: World, ann: Person, ben: Person, cleo: Person
) -> None:
    first = with_clip(street)
    street.decide(first, CONFIRM, by=ann)
    pass_time(street, 30 * MINUTE)
    with pytest.raises(Problem, match="Nobody knows"):
        again(street, first, Why.CHECK)
    street.decide(again(street, first), CONFIRM, by=ben)
    pass_time(street, DAY - HOUR)
    charter, reader = street.standing().charter, street.house.store.read()
    assert charter is not None
    (known,) = rereads.could_check(reader, charter, street.clock.now())
    assert (known.alert, known.truth, known.serves(street.clock.now())) == (first.id, CONFIRM, True)
    check = again(street, first, Why.CHECK)
    assert (ids(street, ann), ids(street, cleo)) == ([], [check.id])
    street.decide(check, REJECT, by=cleo)
    record = street.records("alert_decided")[-1]
    assert (record.fields["read"], record.fields["draw"], record.fields["handed_to"]) == (None, None, None)
    with pytest.raises(Refused, match="itself shown again"):
        again(street, check, Why.SECOND)
    close_reads(street.house.acting, charter)
    pass_time(street, DAY)
    close_reads(street.house.acting, charter)
    (told,) = street.records("reads_closed")[-1].fields["checks"]
    assert told == {"alert": b64(check.leaf_hash), "of": b64(first.leaf_hash), "truth": "confirm"}


def test_nothing_that_is_shown_again_outlives_what_it_was_made_from(street: World, ann: Person, ben: Person) -> None:
    first = with_clip(street)
    street.decide(first, CONFIRM, by=ann)
    charter = street.standing().charter
    assert charter is not None
    keep = charter.safeguards.retention
    pass_time(street, keep.reviewer_clips_ms - 20 * MINUTE)
    second = again(street, first)
    pass_time(street, 7 * SECOND)
    follow(street, second)
    pass_time(street, 21 * MINUTE)
    acting, reader = street.house.acting, street.house.store.read()
    apply_retention(acting, charter)
    rows = reader.all("SELECT key FROM clip")
    assert [row["key"] for row in rows] == [None, None]
    assert list(acting.clips.kept()) == []
    assert [row["n"] for row in reader.all("SELECT length(still) AS n FROM alert")] == [0, 0]
    with pytest.raises(Problem, match="nothing to judge"):
        again(street, first, Why.THIRD)
    street.decide(second, CONFIRM, by=ben)
    # the copy's own time is told of when it comes, though there is nothing left to destroy: an audit counts on it
    pass_time(street, keep.reviewer_clips_ms)
    before = len(street.records("retention_applied"))
    apply_retention(acting, charter)
    assert [each.leaf.clear["what"] for each in street.records("retention_applied")[before:]] == ["clips"]
    # and with the alert goes everything that its copy took from it
    pass_time(street, second.raised_ms + keep.alerts_ms - MINUTE - street.clock.now())
    apply_retention(acting, charter)
    row = reader.one("SELECT * FROM alert")
    assert row is not None
    assert (row["id"], row["why"], row["facts"], row["boxes"], row["zone"]) == (second.id, "", "{}", "[]", None)
    left = shown_again(reader, second.id)
    assert left is not None
    assert left.of_alert is None


def test_it_comes_by_itself_at_some_moment_to_somebody_who_is_there(street: World, ann: Person, ben: Person) -> None:
    house = street.house
    rereading = Rereading(house.acting, house.standing, house.bus)
    first = with_clip(street)
    street.decide(first, REJECT, by=ann)
    pass_time(street, 10 * MINUTE)

    def seen(person: Person, since: int = 1) -> None:
        now = street.clock.now()
        house.store.commit(
            lambda tx: tx.execute("INSERT OR REPLACE INTO session VALUES (?, ?, 'c', ?, ?, ?)",
                                  bytes([person.account]) * 32, person.account, since, now, now + DAY)
        )  # fmt: skip

    def tend(minutes: int) -> int:
        for _ in range(minutes * 6):
            street.clock.advance(10 * SECOND)  # type: ignore[attr-defined]
            rereading.tend()
        return len(street.records("alert_raised"))

    street.settle()
    assert tend(30) == 1  # nobody is there
    seen(ann)
    assert tend(4) == 1  # only who knows it is
    seen(ben, since=street.clock.now())
    assert tend(4) == 1  # ben has just come
    began = street.clock.now()
    while len(ids(street, ben)) == 0:
        seen(ben)
        tend(1)
        assert street.clock.now() < began + 6 * HOUR
    (shown,) = ids(street, ben)
    assert street.clock.now() > began
    street.clock.advance(10 * SECOND)  # type: ignore[attr-defined]
    rereading.tend()
    row = house.store.read().one("SELECT 1 FROM clip WHERE alert = ?", shown)
    assert row is not None
    seen(ben)
    street.settle()
    assert tend(4) == 2  # one at a time


def test_a_fault_does_not_end_second_judgements_for_good(street: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, rounds = threading.Event(), []
    rereading = Rereading(street.house.acting, street.standing, street.house.bus)

    def tend() -> None:
        rounds.append(len(rounds))
        if len(rounds) > 1:
            stop.set()
        raise KeyError("row")

    monkeypatch.setattr(rereading, "tend", tend)
    monkeypatch.setattr("watchglass.runtime.rereading._EVERY_S", 0.001)
    rereading.run(stop)
    assert rounds == [0, 1]


def test_deciding_draws_with_the_charters_chance_and_says_so(tmp_path: Path) -> None:
    with make_house(tmp_path) as world:  # a charter without second judgements
        world.decide(world.raise_alert(), CONFIRM)
        world.settle()
        (record,) = world.records("alert_decided")
        assert record.fields["draw"]["below"] == 0
        assert record.fields["read"] == 1


def test_destinations_are_told_nothing_of_it_and_the_records_are_the_same(
    street: World, ann: Person, ben: Person
) -> None:
    first = with_clip(street)
    street.decide(first, REJECT, by=ann)
    pass_time(street, 30 * MINUTE)
    second = again(street, first)
    reader = street.house.store.read()
    assert dict(_news(reader, second, None, "control-room")) == {f"raised:{second.id}": Status.NOTHING}
    street.decide(second, CONFIRM, by=ben)
    row = reader.one("SELECT * FROM verdict WHERE alert = ?", second.id)
    assert list(dict(_news(reader, second, row, "control-room")).values()) == [Status.NOTHING]


def test_what_nobody_judged_again_is_closed_as_the_first_left_it_once_it_has_matured(
    street: World, ann: Person
) -> None:
    first = with_clip(street)
    street.decide(first, REJECT, by=ann)
    charter = street.standing().charter
    assert charter is not None
    acting = street.house.acting
    pass_time(street, charter.safeguards.review.matures_ms + HOUR)
    assert settle_reads(acting, charter) == 0  # who was shown it at the last moment may judge it still
    assert rereads.owed(street.house.store.read(), charter, street.clock.now()) == []
    pass_time(street, DAY)
    assert settle_reads(acting, charter) == 1
    row = street.house.store.read().one("SELECT value, told FROM reads")
    assert row is not None
    assert (row["value"], row["told"]) == ("reject", 0)
