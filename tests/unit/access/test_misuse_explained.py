"""What explains an access, and what is told when nothing does."""

from __future__ import annotations

import pytest
from misuse_world import END, alert, at, case, clip, facts, request, shifts, signals

from watchglass.access.misuse import (
    DEFAULT,
    Access,
    Dispatch,
    Explainer,
    Facts,
    Incident,
    Review,
    Shift,
    Verdict,
    What,
    cannot_judge,
)
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE


def by(known: Facts, access: Access, known_ms: int = END) -> list[str]:
    return [path.by.value for path in Explainer(known, DEFAULT).explanations(access, known_ms)]


ANNA = shifts("anna")


def test_an_alert_in_the_queue_explains_a_look_of_whoever_is_on_duty() -> None:
    known = facts(ANNA, alert("a1", at(3, 10), at(3, 11)))
    assert by(known, clip("x", "anna", at(3, 10.5), alert="a1")) == ["queue"]
    assert by(known, clip("x", "anna", at(3, 9.9), alert="a1")) == []
    assert by(known, clip("x", "anna", at(5, 10), alert="a1")) == []
    assert by(known, clip("x", "ben", at(3, 10.5), alert="a1")) == []
    assert by(known, clip("x", "anna", at(3, 10.5), alert="a2")) == []


def test_an_alert_in_the_queue_of_others_explains_nothing() -> None:
    theirs = Incident("a1", "square", at(3, 10), None, frozenset({"ben"}))
    known = facts(ANNA, theirs)
    assert by(known, clip("x", "anna", at(3, 10.5), alert="a1")) == []
    assert by(known, clip("x", "ben", at(3, 10.5), alert="a1")) == ["queue"]


def test_a_shift_alone_explains_nothing() -> None:
    assert by(facts(ANNA), clip("x", "anna", at(3, 10.5))) == []


def test_who_decided_may_come_back_for_a_week_and_a_verdict_that_was_not_there_yet_does_not_count() -> None:
    known = facts(Verdict("v", "a1", "anna", at(3, 11)))
    assert by(known, clip("x", "anna", at(8, 2), alert="a1")) == ["verdict"]
    assert by(known, clip("x", "anna", at(11), alert="a1")) == []
    assert by(known, clip("x", "ben", at(8, 2), alert="a1")) == []
    assert by(known, clip("x", "anna", at(3, 10), alert="a1"), known_ms=at(3, 10.5)) == []


def test_a_dispatch_explains_looks_at_its_source_around_its_time() -> None:
    sent = Dispatch("d", at(3, 10), at(3, 11), frozenset({"anna"}), "square")
    known = facts(sent)
    assert by(known, clip("x", "anna", at(3, 11.5))) == ["dispatch"]
    assert by(known, clip("x", "anna", at(3, 11.5), "harbour")) == []
    assert by(known, clip("x", "ben", at(3, 11.5))) == []
    assert by(known, clip("x", "anna", at(4, 11.5))) == []
    old = clip("x", "anna", at(3, 11.5), from_ms=at(1), to_ms=at(1) + MINUTE)
    assert by(known, old) == []


def test_a_case_explains_for_its_members_while_it_is_open() -> None:
    known = facts(case("c1", "anna", at(2), at(10)))
    assert by(known, request("x", "anna", at(3), case="c1")) == ["case"]
    assert by(known, request("x", "anna", at(1), case="c1")) == []
    assert by(known, request("x", "anna", at(12), case="c1")) == []
    assert by(known, request("x", "ben", at(3), case="c1")) == []
    assert by(known, request("x", "anna", at(3), case="c1", named_ms=at(5)), known_ms=at(4)) == []


def test_an_alert_does_not_explain_originals_but_for_the_emergency_rule() -> None:
    known = facts(ANNA, alert("a1", at(3, 10)))
    assert by(known, request("x", "anna", at(3, 11), alert="a1")) == []
    broken = Access("g", "anna", at(3, 11), What.GLASS_BROKEN, "square", at(3, 10), at(3, 10.1))
    assert by(known, broken) == ["incident"]
    assert by(facts(ANNA, alert("a1", at(3, 8))), broken) == []
    assert by(facts(ANNA, alert("a1", at(3, 10), source="harbour")), broken) == []


def test_a_review_explains_that_oversight_took_openings() -> None:
    taken = Access("o", "olga", at(3), What.OPENINGS_TAKEN)
    assert by(facts(Review("r", "olga", at(3, 15))), taken) == ["review"]
    assert by(facts(Review("r", "otto", at(3, 15))), taken) == []
    assert [each.kind for each in signals(taken, kind="unexplained")] == ["unexplained"]


def test_originals_that_nothing_explains_are_told_each_once_they_can_be_judged() -> None:
    [told] = signals(ANNA, request("x", "anna", at(3)), kind="unexplained")
    assert (told.person, told.evidence, told.at_ms) == ("anna", ("x",), at(3) + DEFAULT.wait_ms)
    assert told.sentence.startswith("anna asked for originals of square on 7 September 2026, 12:00 UTC")
    assert signals(ANNA, request("x", "anna", at(3)), kind="unexplained", until=at(5)) == []


def test_a_case_number_that_comes_late_but_in_time_explains() -> None:
    mine = case("c1", "anna", at(2))
    late = request("x", "anna", at(3), case="c1", named_ms=at(3) + DEFAULT.wait_ms)
    too_late = request("y", "anna", at(3), case="c1", named_ms=at(3) + DEFAULT.wait_ms + 1)
    assert [each.evidence for each in signals(mine, late, too_late, kind="unexplained")] == [("y",)]


def test_taking_is_one_thing_with_the_request_it_was_asked_by() -> None:
    asked = request("x", "anna", at(3))
    taken = Access("t", "anna", at(4), What.RELEASE_TAKEN, "square", request="x")
    assert [each.evidence for each in signals(asked, taken, kind="unexplained")] == [("x",)]
    assert [each.evidence for each in signals(taken, kind="unexplained")] == [("t",)]


def test_looks_that_nothing_explains_are_told_only_where_there_are_several_at_once() -> None:
    enough = DEFAULT.unexplained_views
    few = tuple(clip(f"x{n}", "anna", at(3, 9) + n * MINUTE) for n in range(enough - 1))
    assert signals(ANNA, few, kind="unexplained") == []
    spread = tuple(clip(f"x{n}", "anna", at(3 + n, 9)) for n in range(enough))
    assert signals(ANNA, spread, kind="unexplained") == []
    [told] = signals(ANNA, few, clip("z", "anna", at(3, 10), "harbour"), kind="unexplained")
    assert len(told.evidence) == enough
    assert "(harbour, square)" in told.sentence


def test_what_cannot_be_judged_is_said() -> None:
    assert len(cannot_judge(facts())) == 6
    assert not any("roster" in sentence for sentence in cannot_judge(facts(ANNA)))


@pytest.mark.parametrize(
    "broken",
    [
        lambda: Access("", "anna", 0, What.CLIP_VIEW),
        lambda: Access("x", "", 0, What.CLIP_VIEW),
        lambda: Access("x", "anna", 0, What.CLIP_VIEW, from_ms=2, to_ms=1),
        lambda: Access("x", "anna", 0, What.CLIP_VIEW, from_ms=2),
        lambda: Access("x", "anna", 0, What.CLIP_VIEW, named_ms=2),
        lambda: Shift("anna", 2, 1),
        lambda: facts(clip("x", "anna", at(1)), clip("x", "ben", at(2))),
        lambda: facts(clip("x", "anna", END + 1)),
        lambda: Facts(2, 1),
    ],
)
def test_facts_that_make_no_sense_do_not_construct(broken: object) -> None:
    with pytest.raises(BadInput):
        broken()  # type: ignore[operator]  # a lambda


def test_overtime_counts_as_the_shift_it_follows() -> None:
    known = facts(ANNA, alert("a1", at(3, 15)))
    late = at(3, 16) + DEFAULT.shift_margin_ms
    assert by(known, clip("x", "anna", late, alert="a1")) == ["queue"]
    assert by(known, clip("x", "anna", late + 1, alert="a1")) == []
    assert DEFAULT.shift_margin_ms < 8 * HOUR < DAY
