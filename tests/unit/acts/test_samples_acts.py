"""Samples of what was not alerted: counted, drawn, looked at blind, judged once, gone at their own end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from watchglass.access.roles import May, Person, Role
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.count_near_misses import count_near_misses
from watchglass.acts.judge_sample import judge_sample, view_sample
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.keep_sample import keep_sample
from watchglass.acts.samples import waiting
from watchglass.acts.take_sample import KNOWN_BELOW, take_sample
from watchglass.charter.permit import Decide, KeepClip, ShowReviewerView, TakeSample
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import DAY, SECOND
from watchglass.perception.messages import DRAWN_OF, Clip, Unalerted
from watchglass.review.model import VerdictValue
from world import World, make_house

ASKED = "review: {within: 2m}\n  samples: {near_misses: 5%, very_near_misses: 20%, quiet_a_day: 1, kept: 7d}"
KEPT_MS = 7 * DAY


@pytest.fixture
def street(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path) as made:
        made.publish(made.edited(("review: {within: 2m}", ASKED)))
        yield made


def moment(world: World, number: int, closeness: int | None = 600, name: str = "0123456789abcdef") -> Unalerted:
    analytic = world.house.standing().charter.analytics[0]  # type: ignore[union-attr]  # one is in force
    below = 11_574 if closeness is None else (200_000_000 if closeness >= 750 else 50_000_000)
    kind = "quiet" if closeness is None else "near"
    at_ms = world.clock.now() - 9 * SECOND
    return Unalerted(name, analytic.source, analytic.name, kind, at_ms, number, below, closeness)


def take(world: World, taken: Unalerted) -> str | None:
    permit = world.permit(TakeSample(taken.analytic, taken.at_ms))
    return take_sample(world.house.acting, permit, taken, kept_ms=KEPT_MS).value


def keep(world: World, taken: Unalerted, film: bytes = b"film") -> None:
    permit = world.permit(TakeSample(taken.analytic, taken.at_ms))
    keep_sample(world.house.acting, permit, Clip(taken.id, taken.source, film, 8.0, 0.3))


def look(world: World, taken: Unalerted, by: Person) -> bytes:
    purpose = world.house.standing().charter.analytic(taken.analytic).purpose  # type: ignore[union-attr]
    permit = world.permit(ShowReviewerView(taken.source, purpose))
    return view_sample(world.house.acting, world.grant(May.SEE_CLIP, by), permit, taken.id)


def answer(world: World, taken: Unalerted, by: Person, said: str = "no") -> None:
    grant, permit = world.grant(May.DECIDE_ALERT, by), world.permit(Decide(taken.analytic))
    judge_sample(world.house.acting, grant, permit, taken.id, said)  # type: ignore[arg-type]  # one of the answers


def test_every_near_miss_is_counted_and_only_a_drawn_one_is_taken(street: World) -> None:
    assert take(street, moment(street, 50_000_000)) is None
    drawn = moment(street, 199_999_999, 750)
    assert take(street, drawn) == drawn.id
    [record] = street.records("sample_taken")
    assert not record.leaf.clear  # not even which analytic
    assert (record.fields["kind"], record.fields["band"], record.fields["closeness"]) == ("near", "very_near", 750)
    assert (record.fields["number"], record.fields["below"]) == (199_999_999, 200_000_000)
    charter = street.house.standing().charter
    assert charter is not None
    street.clock.advance(DAY)  # type: ignore[attr-defined]
    assert count_near_misses(street.house.acting, charter)
    assert not count_near_misses(street.house.acting, charter)
    told = {record.leaf.clear["analytic"]: record.fields["draws"] for record in street.records("near_misses_counted")}
    assert set(told) == {each.name for each in charter.analytics if each.kind != "camera_fault"}
    assert [each["number"] for each in told[drawn.analytic]] == [50_000_000, 199_999_999]


def test_who_looks_is_recorded_and_nobody_answers_blindly_or_twice(street: World) -> None:
    ann = street.people[Role.REVIEWER]
    drawn = moment(street, 3, None)
    take(street, drawn)
    reader = street.house.store.read()
    assert waiting(reader, ann.account, street.clock.now()) == (0, None)  # its clip is not there
    keep(street, drawn)
    count, first = waiting(reader, ann.account, street.clock.now())
    assert (count, first is not None and first.id) == (1, drawn.id)
    with pytest.raises(Problem, match="not looked at it"):
        answer(street, drawn, ann)
    assert look(street, drawn, ann) == look(street, drawn, ann) == b"film"
    assert len(street.records("sample_viewed")) == 1
    answer(street, drawn, ann, "cannot-tell")
    [judged] = street.records("sample_judged")
    assert judged.fields["answer"] == "cannot-tell"
    assert not judged.leaf.clear
    with pytest.raises(Problem, match="does not wait"):
        answer(street, drawn, ann)
    assert reader.one("SELECT 1 FROM handover") is None
    assert reader.one("SELECT 1 FROM alert") is None


def test_an_old_alert_goes_among_them_but_not_to_whoever_judged_it(street: World, monkeypatch) -> None:
    ann, ben = street.people[Role.REVIEWER], street.add("ben", Role.REVIEWER)
    alert = street.raise_alert()
    keep_clip(street.house.acting, street.permit(KeepClip(alert.analytic)), Clip(alert.id, "street", b"old", 8.0, 0.3))
    street.decide(alert, VerdictValue.CONFIRM, by=ann)
    street.clock.advance(60 * SECOND)  # type: ignore[attr-defined]
    truth = VerdictValue.CONFIRM
    monkeypatch.setattr("watchglass.acts.take_sample.settled_truth", lambda *_: truth)  # two people agree, say
    assert KNOWN_BELOW * 10 == DRAWN_OF
    for number in range(200):  # one in ten is such a look
        drawn = replace(moment(street, 0, 600, f"{number:016x}"), analytic=alert.analytic, source=alert.source)
        take(street, drawn)
    reader = street.house.store.read()
    [known] = reader.all("SELECT * FROM sample WHERE kind = 'known'")  # each alert serves once
    assert (known["of_alert"], known["truth"]) == (alert.id, "confirm")
    now = street.clock.now()
    assert waiting(reader, ann.account, now)[0] == 0
    count, first = waiting(reader, ben.account, now)
    assert (count, first is not None and first.id) == (1, known["id"])
    shown = Unalerted(known["id"], alert.source, alert.analytic, "near", alert.at_ms, 0, 1, 600)
    assert look(street, shown, ben) == b"old"
    answer(street, shown, ben, "yes")


def test_a_sample_goes_at_its_own_end_and_not_before(street: World) -> None:
    drawn = moment(street, 0)
    take(street, drawn)
    keep(street, drawn)
    charter = street.house.standing().charter
    assert charter is not None
    street.clock.advance(KEPT_MS - SECOND)  # type: ignore[attr-defined]
    assert apply_retention(street.house.acting, charter)["samples"] == 0
    assert len(list(street.house.acting.clips.kept())) == 1  # what sweeps the clips knows it
    street.clock.advance(SECOND)  # type: ignore[attr-defined]
    assert apply_retention(street.house.acting, charter)["samples"] == 1
    assert not list(street.house.acting.clips.kept())
    [told] = [each for each in street.records("retention_applied") if each.leaf.clear["what"] == "samples"]
    assert told.fields["count"] == 1
    row = street.house.store.read().one("SELECT key, destroyed_ms FROM sample")
    assert row is not None
    assert row["key"] is None
    street.clock.advance(charter.safeguards.retention.alerts_ms)  # type: ignore[attr-defined]
    apply_retention(street.house.acting, charter)
    assert street.house.store.read().one("SELECT 1 FROM sample") is None


def test_without_the_clause_nothing_is_taken(tmp_path: Path) -> None:
    with make_house(tmp_path) as made, pytest.raises(Refused, match="not let anybody look"):
        take(made, moment(made, 0))
