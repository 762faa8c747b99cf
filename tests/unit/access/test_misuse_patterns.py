"""The patterns of real misuse: each is told, and what looks nearly like it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from misuse_world import END, T0, alert, answer, at, case, clip, facts, request, shifts, signals

from watchglass.access.misuse import (
    DEFAULT,
    Access,
    Dispatch,
    Disposition,
    Earlier,
    Finding,
    GlassBreak,
    Kind,
    LinkedPlaces,
    Outcome,
    Review,
    Signal,
    Thresholds,
    Verdict,
    What,
    linked_place,
    misuse_signals,
)
from watchglass.access.misuse.approvals import always_approved
from watchglass.access.misuse.reasons import alike, pieces, vague
from watchglass.access.misuse.targets import tail
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

ANNA = shifts("anna")
DAYS = DEFAULT.repeat_days
COLLEAGUES = tuple(clip(f"b{n}", "ben", at(1 + n, 10), f"camera-{n % 6}") for n in range(24))
"""Somebody else's unexplained looks: at six cameras, evenly."""


# ---- the same place ------------------------------------------------------------------------------------------------


def test_the_same_place_on_many_days_without_a_case_is_told() -> None:
    looks = tuple(clip(f"x{n}", "anna", at(3 + 3 * n, 10), "quiet") for n in range(DAYS))
    told = [each for each in signals(COLLEAGUES, looks, kind="repeated-target") if each.person == "anna"]
    assert [each.evidence for each in told] == [tuple(f"x{n}" for n in range(DAYS))]
    assert f"on {DAYS} days within 28" in told[0].sentence


def test_many_looks_on_one_day_are_not_many_days() -> None:
    looks = tuple(clip(f"x{n}", "anna", at(3, 10) + n * MINUTE, "quiet") for n in range(3 * DAYS))
    assert signals(COLLEAGUES, looks, kind="repeated-target") == []


def test_days_that_are_far_apart_are_not_told() -> None:
    looks = tuple(clip(f"x{n}", "anna", at(3 + 15 * n, 10), "quiet") for n in range(DAYS + 4))
    assert signals(COLLEAGUES, looks, kind="repeated-target") == []


def test_a_place_where_most_alerts_are_is_not_told() -> None:
    looks = tuple(clip(f"x{n}", "anna", at(3 + 3 * n, 10), "busy") for n in range(DAYS))
    alerts = tuple(alert(f"a{n}", at(n / 10), at(n / 10) + 1, "busy") for n in range(300))
    assert signals(COLLEAGUES, looks, alerts, kind="repeated-target") == []


def test_what_the_queue_led_to_is_not_told() -> None:
    looks = tuple(clip(f"x{n}", "anna", at(3 + 3 * n, 10), "quiet", alert=f"a{n}") for n in range(DAYS))
    alerts = tuple(alert(f"a{n}", at(3 + 3 * n, 9), source="quiet") for n in range(DAYS))
    assert signals(COLLEAGUES, ANNA, looks, alerts, kind="repeated-target") == []


def across(cases: int, days: int) -> tuple[object, ...]:
    """One investigator's accesses to one place, over so many cases, beside the cases of another."""
    theirs = tuple(case(f"d{n}", "ben", at(1)) for n in range(40))
    others = tuple(request(f"y{n}", "ben", at(1 + n), f"camera-{n % 20}", case=f"d{n}") for n in range(40))
    mine = tuple(case(f"c{n}", "anna", at(1)) for n in range(cases))
    asked = tuple(request(f"x{n}", "anna", at(2 + 4 * n), "quiet", case=f"c{n % cases}") for n in range(days))
    return theirs, others, mine, asked


def test_the_same_place_across_cases_is_told_where_colleagues_hardly_go_there() -> None:
    [told] = signals(*across(cases=DEFAULT.across_days, days=DEFAULT.across_days), kind="repeated-target")
    assert told.person == "anna"
    assert f"over {DEFAULT.across_days} cases" in told.sentence


def test_one_case_may_lead_to_one_place_often_but_not_for_ever() -> None:
    most = DEFAULT.one_case_days
    assert signals(*across(cases=1, days=most - 1), kind="repeated-target") == []
    assert "the one case c0" in signals(*across(cases=1, days=most), kind="repeated-target")[0].sentence


def test_the_binomial_tail_is_what_the_tables_say() -> None:
    assert tail(0, 10, 0.3) == pytest.approx(1)
    assert tail(8, 10, 0.5) == pytest.approx(56 / 1024)
    assert tail(3, 3, 0.1) == pytest.approx(0.001)


# ---- hours ---------------------------------------------------------------------------------------------------------


def test_work_outside_every_shift_is_told_once_a_session() -> None:
    night = tuple(clip(f"x{n}", "anna", at(3, 22) + n * MINUTE) for n in range(3))
    [told] = signals(ANNA, night, kind="off-shift")
    assert told.evidence == ("x0", "x1", "x2")
    assert told.at_ms == night[-1].at_ms + DEFAULT.session_gap_ms


@pytest.mark.parametrize(
    "explained",
    [
        Dispatch("d", at(3, 21), at(3, 22), frozenset({"anna"}), "harbour"),
        tuple(Verdict(f"v{n}", f"a{n}", "anna", at(3, 22.5)) for n in range(DEFAULT.worked_verdicts)),
    ],
    ids=["called in", "worked another's shift"],
)
def test_who_was_called_in_or_did_the_work_of_a_shift_is_not_told(explained: object) -> None:
    night = tuple(clip(f"x{n}", "anna", at(3, 22) + n * MINUTE, alert=f"a{n}") for n in range(3))
    assert signals(ANNA, night, explained, kind="off-shift") == []


def test_overtime_is_not_told_and_without_a_roster_nothing_is() -> None:
    late = at(3, 16) + DEFAULT.shift_margin_ms
    assert signals(ANNA, clip("x", "anna", late), kind="off-shift") == []
    assert len(signals(ANNA, clip("x", "anna", late + 1), kind="off-shift")) == 1
    assert signals(clip("x", "anna", at(3, 22)), kind="off-shift") == []
    assert len(signals(ANNA, clip("x", "ben", at(3, 10)), kind="off-shift")) == 1


def usual(person: str, days: int, per_day: int = 6) -> tuple[Access, ...]:
    return tuple(clip(f"{person}{day}-{n}", person, at(day, 10 + n)) for day in range(days) for n in range(per_day))


def test_a_small_session_at_an_hour_unlike_ones_own_is_told() -> None:
    [told] = signals(usual("anna", 20), clip("x", "anna", at(20, 26)), kind="isolated-session")
    assert told.evidence == ("x",)
    assert "at which 0 of their last 120 accesses were" in told.sentence


@pytest.mark.parametrize(
    "extra",
    [
        clip("x", "anna", at(20, 35)),  # the usual hour
        clip("x", "anna", at(19, 22)),  # not silent before
        clip("x", "anna", at(19, 3)),  # not silent after
        tuple(clip(f"x{n}", "anna", at(20, 26) + n * MINUTE) for n in range(DEFAULT.isolated_most + 1)),
    ],
    ids=["usual hour", "no silence before", "no silence after", "a session of work"],
)
def test_what_is_not_isolated_is_not_told(extra: object) -> None:
    assert signals(usual("anna", 20), extra, kind="isolated-session") == []


def test_who_opens_one_clip_again_and_again_at_night_is_no_busier_for_it() -> None:
    again = tuple(clip(f"x{n}", "anna", at(20, 26) + n * MINUTE, alert="a1") for n in range(DEFAULT.isolated_most + 3))
    [told] = signals(usual("anna", 20), again, kind="isolated-session")
    assert len(told.evidence) == len(again)


def test_of_somebody_who_is_new_no_hour_is_unusual() -> None:
    few = usual("anna", DEFAULT.baseline_least // 6 - 1)
    assert signals(few, clip("x", "anna", at(20, 26)), kind="isolated-session") == []


# ---- reasons -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    ["", "x", "asdf", "n/a", "...", "Police matter 4711/26", "as requested", "Check of CCTV footage!", "see case 12",
     "aaaa bbbb cccc", "incident follow-up", "FOLLOW UP", "burglary"],
)  # fmt: skip
def test_reasons_that_say_nothing(reason: str) -> None:
    assert vague(reason, DEFAULT.generic, DEFAULT.telling_words)


@pytest.mark.parametrize(
    "reason",
    ["burglary kiosk", "Assault on a driver, line 12", "Überfall auf einen Kiosk, Zeugin gehört", "кража велосипеда"],
)
def test_reasons_that_say_something(reason: str) -> None:
    assert not vague(reason, DEFAULT.generic, DEFAULT.telling_words)


def test_vague_reasons_are_told_when_there_are_several() -> None:
    asked = [request(f"x{n}", "anna", at(2 + n), reason="see case") for n in range(DEFAULT.vague_times)]
    assert signals(*asked[:-1], kind="vague-reason") == []
    [told] = signals(*asked, kind="vague-reason")
    assert told.sentence.endswith("“see case”.")


REASONS = (
    "Hit and run at the harbour bridge, cyclist in hospital",
    "Theft of a wallet in the market hall, seen by the stallholder",
    "Graffiti on the wall of the school, caretaker reported it",
)


def test_likeness_is_of_words_and_not_of_figures() -> None:
    one, other = pieces("Assault near line 12, complaint 4711"), pieces("ASSAULT near line 7: complaint 0815!")
    assert alike(one, other) == 1
    assert max(alike(pieces(a), pieces(b)) for a in REASONS for b in REASONS if a != b) < 0.3
    assert alike(pieces(""), pieces("")) == 0


def test_copied_reasons_are_told_across_cases_and_not_within_one() -> None:
    count = DEFAULT.copied_times + 1  # the first is no copy

    def asked(cases: int, reasons: tuple[str, ...]) -> list[Access]:
        return [
            request(f"x{n:02}", "anna", at(2 + n), case=f"c{n % cases}", reason=f"{reasons[n % len(reasons)]} {n}")
            for n in range(count)
        ]

    assert signals(*asked(1, REASONS[:1]), kind="copied-reason") == []
    [told] = signals(*asked(count, REASONS[:1]), kind="copied-reason")
    assert "x00" not in told.evidence
    assert signals(*asked(count, REASONS[:1])[:-1], kind="copied-reason") == []
    fresh = tuple(f"{chr(97 + n) * 3}gate {chr(110 + n) * 4}spire {chr(98 + n) * 5}ton" for n in range(count))
    assert signals(*asked(count, fresh), kind="copied-reason") == []


# ---- cases ---------------------------------------------------------------------------------------------------------


def test_a_case_that_is_not_there_is_told() -> None:
    [told] = signals(request("x", "anna", at(3), case="c9"), kind="case-absent")
    assert "the case c9, which is not in the records" in told.sentence
    assert signals(request("x", "anna", at(3), case="c9"), case("c9", "anna", at(2)), kind="case-absent") == []


def test_a_case_that_was_closed_is_told_beyond_a_day() -> None:
    old = case("c1", "anna", at(1), at(10))
    grace = at(10) + DEFAULT.closed_ms
    assert signals(old, request("x", "anna", grace, case="c1"), kind="case-closed") == []
    assert len(signals(old, request("x", "anna", grace + 1, case="c1"), kind="case-closed")) == 1


def test_a_case_of_others_is_told_when_it_becomes_a_habit() -> None:
    theirs = case("c1", "ben", at(1))
    asked = [request(f"x{n}", "anna", at(3 + n), case="c1") for n in range(DEFAULT.others_times)]
    assert signals(theirs, *asked[:-1], kind="case-of-others") == []
    assert len(signals(theirs, *asked, kind="case-of-others")) == 1
    spread = [replace(each, at_ms=each.at_ms + n * 20 * DAY) for n, each in enumerate(asked)]
    assert signals(theirs, *spread, kind="case-of-others") == []


def looked_first(late_ms: int, times: int) -> tuple[object, ...]:
    opened = [at(3 + n) + late_ms for n in range(times)]
    cases = tuple(case(f"c{n}", "anna", opened[n]) for n in range(times))
    looks = tuple(clip(f"x{n}", "anna", at(3 + n), case=f"c{n}", named_ms=opened[n]) for n in range(times))
    return cases, looks


def test_a_case_that_was_opened_long_after_the_access_is_told_at_once_and_soon_after_when_it_is_a_habit() -> None:
    kind, soon = "case-after-access", DEFAULT.after_ms
    [told] = signals(*looked_first(soon + 1, 1), kind=kind)
    assert told.at_ms == at(3) + soon + 1
    assert signals(*looked_first(soon, DEFAULT.after_times - 1), kind=kind) == []
    assert len(signals(*looked_first(soon, DEFAULT.after_times), kind=kind)) == 1


def test_an_alert_in_the_queue_excuses_a_wrong_case() -> None:
    look = clip("x", "anna", at(3), case="c9", alert="a1")
    assert len(signals(ANNA, look, kind="case-absent")) == 1
    assert signals(ANNA, look, alert("a1", at(3, 11)), kind="case-absent") == []


# ---- people who always agree ---------------------------------------------------------------------------------------


def answers(
    *, took: int, yes: bool = True, pair: int = DEFAULT.pair_least, refused: int = 2, others_took: int = HOUR
) -> list[object]:
    own = [answer(f"p{n}", "anna", "carl", at(30 + n), took, yes=yes or n > 0) for n in range(pair)]
    others = [answer(f"q{n}", "ben", "dora", at(20 + n / 4), others_took, yes=n >= refused) for n in range(40)]
    return [*own, *others]


def test_who_approves_all_within_a_minute_is_told() -> None:
    [told] = signals(*answers(took=20 * SECOND), kind="always-approved")
    assert (told.person, told.other, len(told.evidence)) == ("carl", "anna", DEFAULT.pair_least)
    assert "within 60 seconds 8 times, which others did 0 of 40 times" in told.sentence


@pytest.mark.parametrize(
    "given",
    [
        answers(took=HOUR),
        answers(took=20 * SECOND, yes=False),
        answers(took=20 * SECOND, pair=DEFAULT.pair_least - 1),
        answers(took=20 * SECOND)[:-25],
        answers(took=20 * SECOND, others_took=30 * SECOND),
    ],
    ids=["takes time", "refused once", "too few", "too few others", "all are quick"],
)
def test_who_takes_time_or_says_no_or_cannot_be_compared_is_not_told(given: list[object]) -> None:
    assert signals(*given, kind="always-approved") == []


def test_so_many_yeses_are_unlikely_where_others_often_refuse() -> None:
    assert signals(*answers(took=HOUR, pair=8, refused=14), kind="always-approved") == []
    [told] = signals(*answers(took=HOUR, pair=11, refused=14), kind="always-approved")
    assert "of 40 other answers 14 were a refusal" in told.sentence


def test_two_custodians_who_answer_as_one_are_told_with_the_requests() -> None:
    given = []
    for n in range(40):
        who = ("carl", "cora") if n % 4 == 0 else ("dora", "emil")
        first = answer(f"p{n:02}", f"asker{n % 7}", who[0], at(30 + n), HOUR)
        gap = 20 * SECOND if n % 4 == 0 else HOUR
        given += [first, answer(f"p{n:02}", f"asker{n % 7}", who[1], at(30 + n), HOUR + gap)]
    told = signals(*given, kind="approvers-agree")
    assert [(each.person, each.other) for each in told] == [("carl", "cora")]
    assert told[0].evidence[0] == "p00"


def test_answers_in_any_order_give_the_same() -> None:
    given = [each for each in answers(took=20 * SECOND) if hasattr(each, "approver")]
    once = list(always_approved(given, DEFAULT, Earlier(-1), END))  # type: ignore[arg-type]  # approvals all
    back = list(always_approved(given[::-1], DEFAULT, Earlier(-1), END))  # type: ignore[arg-type]  # approvals all
    assert once == back


# ---- the emergency rule, outcomes ----------------------------------------------------------------------------------


def used(name: str, when: int, followed: int | None) -> GlassBreak:
    return GlassBreak(name, "lena", when, when + DAY, followed)


def test_an_emergency_without_its_report_is_told_when_it_was_due() -> None:
    kind = "glass-not-followed"
    assert signals(used("g", at(3), at(4)), kind=kind) == []
    [told] = signals(used("g", at(3), at(4) + 1), kind=kind)
    assert told.at_ms == at(4) + 1
    assert len(signals(used("g", at(3), None), kind=kind)) == 1
    assert signals(used("g", at(3), None), kind=kind, until=at(4)) == []


def test_emergencies_again_and_again_are_told() -> None:
    often = [used(f"g{n}", at(3 + 20 * n), at(3 + 20 * n) + HOUR) for n in range(DEFAULT.glass_times)]
    assert len(signals(*often, kind="glass-again")) == 1
    assert signals(*often[:-1], kind="glass-again") == []


def taken(name: str, when: int) -> Access:
    return Access(name, "anna", when, What.RELEASE_TAKEN, "square", case="c1", request=f"q{name}")


def test_releases_of_which_nothing_comes_are_told() -> None:
    some = [taken(f"x{n}", at(3 + n)) for n in range(DEFAULT.outcome_times)]
    [told] = signals(*some, kind="no-outcome")
    assert told.at_ms == some[-1].at_ms + DEFAULT.outcome_ms
    assert signals(*some, Outcome("o", "qx0", at(10)), kind="no-outcome") == []
    assert signals(*some, Outcome("o", "c1", at(20)), kind="no-outcome") == []
    assert len(signals(*some, Outcome("o", "qx0", at(2)), kind="no-outcome")) == 1


def test_one_clip_that_is_opened_again_and_again_is_one_clip() -> None:
    again = tuple(clip(f"x{n}", "anna", at(3 + n), alert="a1") for n in range(DEFAULT.unjudged_times + 2))
    assert signals(again, kind="no-outcome") == []


def test_clips_about_which_nobody_decides_are_told() -> None:
    some = [clip(f"x{n}", "anna", at(3 + n), alert=f"a{n}") for n in range(DEFAULT.unjudged_times)]
    assert len(signals(*some, kind="no-outcome")) == 1
    assert signals(*some, Verdict("v", "a0", "ben", at(3, 13)), kind="no-outcome") == []
    assert len(signals(*some, Verdict("v", "a0", "ben", at(5)), kind="no-outcome")) == 1


# ---- oversight's own duty ------------------------------------------------------------------------------------------

REVIEWS = tuple(Review(f"w{n}", "olga", at(15 * n)) for n in range(14))


def test_signals_that_nobody_settles_are_told_to_oversight_once_a_week() -> None:
    broken = used("g", at(3), None)
    [first] = signals(REVIEWS, broken, kind="glass-not-followed")
    [told] = signals(REVIEWS, broken, kind="review-missing")
    assert (told.person, told.evidence) == ("oversight", (first.id,))
    due = first.at_ms + DEFAULT.settle_ms
    assert due < told.at_ms <= due + 7 * DAY
    in_time = Disposition(first.id, due, Finding.MISTAKE)
    assert signals(REVIEWS, broken, in_time, kind="review-missing") == []
    assert len(signals(REVIEWS, broken, replace(in_time, at_ms=due + 1), kind="review-missing")) == 1


def test_months_without_a_review_are_told_each_once() -> None:
    assert signals(REVIEWS, kind="review-missing") == []
    told = signals(kind="review-missing")
    assert [each.evidence for each in told] == [
        (f"no-review-{month}",) for month in ("2026-10", "2026-11", "2026-12", "2027-01", "2027-02")
    ]
    assert T0 + DEFAULT.review_ms <= told[0].at_ms


# ---- linked places -------------------------------------------------------------------------------------------------

KEY = bytes(range(32))


def places(*links: tuple[str, str]) -> LinkedPlaces:
    return LinkedPlaces.of(KEY, links)


def test_a_place_that_is_linked_with_somebody_is_told_to_whoever_holds_the_key() -> None:
    known = facts(ANNA, clip("x", "anna", at(3), "home"), clip("y", "ben", at(3), "home"))
    [told] = linked_place(known, places(("anna", "home")), KEY)
    assert (told.person, told.evidence, told.kind) == ("anna", ("x",), Kind.LINKED_PLACE)
    assert linked_place(known, places(("anna", "home")), bytes(32)) == ()
    assert len(linked_place(known, places(("*", "home")), KEY)) == 2
    assert linked_place(known, places(("anna", "harbour")), KEY) == ()


def test_a_linked_place_is_not_told_where_the_queue_led_there_but_is_where_only_a_case_did() -> None:
    look = clip("x", "anna", at(3), "home", alert="a1")
    known = facts(ANNA, look, alert("a1", at(3, 11), source="home"))
    assert linked_place(known, places(("anna", "home")), KEY) == ()
    known = facts(request("x", "anna", at(3), "home", case="c1"), case("c1", "anna", at(2)))
    assert len(linked_place(known, places(("anna", "home")), KEY)) == 1


def test_the_house_itself_never_finds_a_linked_place() -> None:
    told = misuse_signals(facts(ANNA, clip("x", "anna", at(3), "home")))
    assert not any(each.kind is Kind.LINKED_PLACE for each in told)


def test_the_list_of_places_comes_back_as_it_was_written_and_names_nobody() -> None:
    listed = places(("anna", "home"), ("*", "school"))
    data = listed.encode()
    assert LinkedPlaces.parse(data) == listed
    assert b"anna" not in data
    assert b"home" not in data


@pytest.mark.parametrize("change", [
    lambda data: data[:-1],
    lambda data: data[1:],
    lambda data: b"",
    lambda data: data + b"\n",
    lambda data: data.replace(b"version 1", b"version 2"),
    lambda data: b"\n".join([*data.splitlines()[:1], *data.splitlines()[:0:-1], b""]),
    lambda data: data + data.splitlines()[-1] + b"\n",
    lambda data: data[:-10] + b"\xff" + data[-9:],
    lambda data: data[:-6] + b"\n",
])  # fmt: skip
def test_a_damaged_list_of_places_is_refused(change: object) -> None:
    with pytest.raises(BadInput):
        LinkedPlaces.parse(change(places(("anna", "home"), ("*", "school")).encode()))  # type: ignore[operator]


@pytest.mark.parametrize(("key", "person", "source"), [(KEY[:-1], "a", "b"), (KEY, "", "b"), (KEY, "a", "")])
def test_a_link_without_its_parts_is_refused(key: bytes, person: str, source: str) -> None:
    with pytest.raises(BadInput):
        LinkedPlaces.of(key, [(person, source)])


# ---- signals and thresholds ----------------------------------------------------------------------------------------


def test_the_same_evidence_is_the_same_signal_whatever_the_words() -> None:
    one = Signal(Kind.OFF_SHIFT, "anna", "Some words.", ("x", "y"), 1)
    assert one.id == replace(one, sentence="Other words.", at_ms=2).id
    changed = [replace(one, person="ben"), replace(one, evidence=("x",)), replace(one, kind=Kind.NO_OUTCOME)]
    assert len({one.id, *(each.id for each in changed), replace(one, other="ben").id}) == 5


@pytest.mark.parametrize(
    "change", [{"person": ""}, {"sentence": ""}, {"sentence": "x" * 1001}, {"evidence": ()}, {"evidence": ("y", "x")}]
)
def test_a_signal_cannot_be_made_without_its_parts(change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(Signal(Kind.OFF_SHIFT, "anna", "Some words.", ("x", "y"), 1), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"repeat_days": 0}, {"alike": 1.0}, {"pair_chance": 0.0}, {"wait_ms": -1}])
def test_thresholds_that_make_no_sense_do_not_construct(change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Thresholds(**change)  # type: ignore[arg-type]


def test_a_sentence_fits_its_record_even_with_the_longest_names_and_reasons() -> None:
    who, source, why = "n" * 100, "s" * 64, "check " * 400
    asked = [request(f"x{n}", who, at(2 + n), source, reason=why) for n in range(10)]
    told = misuse_signals(facts(*asked))
    assert {each.kind for each in told} >= {Kind.UNEXPLAINED, Kind.VAGUE_REASON, Kind.COPIED_REASON}
