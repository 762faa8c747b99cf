"""Keeping and opening original video: when the charter says yes, and each reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.decide import LEASE_MS, Standing, Suspension, decide, in_force
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.permit import (
    BreakGlass,
    GrantRelease,
    OpenCase,
    Request,
    RequestRelease,
    RunAnalytic,
    SealSegment,
)
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.runtime.specs import sealing_of

NOW = 1_799_146_800_000  # 2027-01-05 12:00 in Berlin
SOURCE, PURPOSE = "steps-cam", "crowd-safety"

SEAL = SealSegment(SOURCE, "crowding")
CASE = OpenCase(PURPOSE)
ASK = RequestRelease(SOURCE, PURPOSE, NOW - 3 * HOUR, NOW - 2 * HOUR)
GRANT = GrantRelease(SOURCE, PURPOSE, NOW - 3 * HOUR, NOW - 2 * HOUR)
GLASS = BreakGlass(SOURCE, PURPOSE, NOW - 20 * MINUTE, NOW - 10 * MINUTE, "shift-lead")
RUNNING: tuple[Request, ...] = (SEAL, ASK, GRANT, GLASS)
EVERY: tuple[Request, ...] = (*RUNNING, CASE)
SPANS = (ASK, GRANT, GLASS)


@pytest.fixture
def standing(sealed_charter: Charter) -> Standing:
    return Standing(sealed_charter, "production", frozenset({"authority", "oversight"}), "cosigned")


def refusal(standing: Standing, request: Request, now: int = NOW) -> Refused:
    with pytest.raises(Refused) as caught:
        decide(standing, request, now)
    error = caught.value
    assert error.exit_code == 3
    assert error.reasons
    assert all(reason.endswith(".") for reason in error.reasons)
    assert error.fix.endswith(".")
    return error


@pytest.mark.parametrize("request_", EVERY, ids=lambda r: type(r).__name__)
def test_the_charter_says_yes_for_a_short_time(standing: Standing, sealed_charter: Charter, request_: Request) -> None:
    permit = decide(standing, request_, NOW)
    assert (permit.charter, permit.purpose, permit.request) == (sealed_charter.digest, PURPOSE, request_)
    assert permit.until_ms == NOW + LEASE_MS
    assert permit.require(type(request_), NOW) == request_
    with pytest.raises(Refused, match="not for RunAnalytic"):
        permit.require(RunAnalytic, NOW)


@pytest.mark.parametrize("request_", EVERY, ids=lambda r: type(r).__name__)
def test_a_charter_that_records_nothing_seals_and_opens_nothing(
    standing: Standing, unwitnessed: Charter, request_: Request
) -> None:
    error = refusal(replace(standing, charter=unwitnessed), request_)
    assert "keeps no original video" in error.message
    assert len(error.reasons) == 1


@pytest.mark.parametrize("request_", EVERY, ids=lambda r: type(r).__name__)
def test_a_trial_keeps_and_opens_nothing(standing: Standing, request_: Request) -> None:
    assert "A trial keeps no original video" in refusal(replace(standing, deployment="trial"), request_).message


@pytest.mark.parametrize("request_", EVERY, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("change", [{"approvals": frozenset({"authority"})}, {"published": "waiting"}])
def test_it_takes_a_charter_that_holds(standing: Standing, request_: Request, change: dict) -> None:
    refusal(replace(standing, **change), request_)


@pytest.mark.parametrize("request_", RUNNING, ids=lambda r: type(r).__name__)
def test_nothing_is_kept_or_opened_while_all_is_suspended_or_after_the_last_day(
    standing: Standing, sealed_charter: Charter, request_: Request
) -> None:
    stopped = replace(standing, suspensions=(Suspension("all", "oversight", NOW - 5),))
    assert "suspended by oversight" in refusal(stopped, request_).message
    begin, end = in_force(sealed_charter)
    assert "comes into force only" in refusal(standing, request_, begin - 1).message
    assert "ran out" in refusal(standing, request_, end).message


def test_a_case_can_be_opened_while_it_is_suspended_for_a_hold_may_hang_on_it(
    standing: Standing, sealed_charter: Charter
) -> None:
    stopped = replace(standing, suspensions=(Suspension("all", "oversight", NOW - 5),))
    decide(stopped, CASE, NOW)
    decide(standing, CASE, in_force(sealed_charter)[1])


def test_a_suspended_analytic_keeps_nothing_and_the_others_go_on(standing: Standing) -> None:
    stopped = replace(standing, suspensions=(Suspension("crowding", "oversight", NOW - 5),))
    assert "'crowding' is suspended" in refusal(stopped, SEAL).message
    decide(stopped, SealSegment(SOURCE, "on-the-track"), NOW)
    decide(stopped, ASK, NOW)


def test_around_alerts_only_nothing_is_kept_without_one(standing: Standing) -> None:
    error = refusal(standing, SealSegment(SOURCE))
    assert "around alerts only" in error.message
    assert "Name the analytic" in error.fix


def test_where_everything_is_recorded_no_alert_is_needed(standing: Standing, reseal) -> None:
    always = parse(reseal(("when: incidents, before: 20s, after: 40s", "when: always")))
    permit = decide(replace(standing, charter=always), SealSegment(SOURCE), NOW)
    assert permit.purpose == PURPOSE
    on_track = decide(replace(standing, charter=always), SealSegment(SOURCE, "on-the-track"), NOW)
    assert on_track.purpose == "restricted-area"
    one_stopped = (Suspension("crowding", "oversight", NOW - 5),)
    still = decide(replace(standing, charter=always, suspensions=one_stopped), SealSegment(SOURCE), NOW)
    worker = sealing_of(always, always.source(SOURCE), origin="city.example", statements=())
    assert worker is not None
    assert still.purpose == worker.purpose == PURPOSE, "what a piece is kept for does not change with who looks"
    names = [analytic.name for analytic in always.analytics]
    stopped = tuple(Suspension(name, "oversight", 5) for name in names)
    assert (
        "Every analytic" in refusal(replace(standing, charter=always, suspensions=stopped), SealSegment(SOURCE)).message
    )


def test_what_goes_on_after_its_hours_is_still_kept(standing: Standing) -> None:
    """An alert at the last minute of its hours is judged when it is raised; its recording ends later."""
    decide(standing, SealSegment(SOURCE, "on-the-track"), NOW)


TWO = """  second-cam: {kind: file, path: b.mp4, place: {name: Pier, lat: 51, lon: 1}}
analytics:
  pier-ok: {kind: camera_fault, source: second-cam, purpose: crowd-safety, for: 5s}
"""


@pytest.mark.parametrize(
    "request_",
    [
        SealSegment("second-cam", "pier-ok"),
        RequestRelease("second-cam", PURPOSE, NOW - HOUR, NOW),
        GrantRelease("second-cam", PURPOSE, NOW - HOUR, NOW),
        BreakGlass("second-cam", PURPOSE, NOW - MINUTE, NOW, "shift-lead"),
    ],
    ids=lambda r: type(r).__name__,
)
def test_a_source_that_is_not_recorded_is_named_with_those_that_are(standing: Standing, reseal, request_) -> None:
    two = replace(standing, charter=parse(reseal(("\nanalytics:\n", "\n" + TWO))))
    error = refusal(two, request_)
    assert error.reasons == ("Original video of 'second-cam' is not recorded.",)
    assert error.fix == "These are recorded: steps-cam."


def test_sealing_for_an_analytic_of_another_camera_is_refused(standing: Standing, reseal) -> None:
    both = reseal(("\nanalytics:\n", "\n" + TWO), (", sources: [steps-cam]", ""))
    two = replace(standing, charter=parse(both))
    assert "does not look at 'steps-cam'" in refusal(two, SealSegment(SOURCE, "pier-ok")).message
    decide(two, SealSegment("second-cam", "pier-ok"), NOW)


@pytest.mark.parametrize("request_", [CASE, *SPANS], ids=lambda r: type(r).__name__)
def test_an_unknown_purpose_is_refused_with_those_there_are(standing: Standing, request_: Request) -> None:
    error = refusal(standing, replace(request_, purpose="curiosity"))  # type: ignore[arg-type]  # all have a purpose
    assert error.reasons == ("The charter has no purpose called 'curiosity'.",)
    assert error.fix == "Name one of its purposes: crowd-safety, restricted-area."


@pytest.mark.parametrize("request_", [CASE, *SPANS], ids=lambda r: type(r).__name__)
def test_originals_are_opened_only_for_what_they_were_kept_for(standing: Standing, reseal, request_) -> None:
    more = "purposes:\n  inquiries: {text: Clear up accidents., legal_basis: GDPR Art. 6(1)(e)}\n"
    other = replace(standing, charter=parse(reseal(("purposes:\n", more))))
    decide(other, request_, NOW)
    decide(other, replace(request_, purpose="restricted-area"), NOW)
    error = refusal(other, replace(request_, purpose="inquiries"))
    assert error.reasons == ("No original is kept for the purpose 'inquiries' there.",)
    assert error.fix.endswith("what they were kept for: crowd-safety, restricted-area.")


@pytest.mark.parametrize("request_", [SEAL, *SPANS], ids=lambda r: type(r).__name__)
def test_an_unknown_source_or_analytic_is_refused(standing: Standing, request_: Request) -> None:
    assert "no source called 'x'" in refusal(standing, replace(request_, source="x")).message  # type: ignore[arg-type]
    assert "no analytic called 'x'" in refusal(standing, SealSegment(SOURCE, "x")).message


@pytest.mark.parametrize("kind", [RequestRelease, GrantRelease])
def test_a_release_opens_what_the_charter_lets_it_to_the_millisecond(standing: Standing, kind) -> None:
    decide(standing, kind(SOURCE, PURPOSE, NOW - HOUR, NOW), NOW)
    error = refusal(standing, kind(SOURCE, PURPOSE, NOW - HOUR - 1, NOW))
    assert "one release opens at most 1 hour" in error.message
    assert "Ask for less" in error.fix
    oldest = NOW - 3 * DAY
    decide(standing, kind(SOURCE, PURPOSE, oldest, oldest + SECOND), NOW)
    error = refusal(standing, kind(SOURCE, PURPOSE, oldest - 1, oldest + SECOND))
    assert "originals are kept for 3 days" in error.message
    assert "order a hold before that" in error.fix
    assert "in the future" in refusal(standing, kind(SOURCE, PURPOSE, NOW - HOUR, NOW + 1)).message


@pytest.mark.parametrize("kind", [RequestRelease, GrantRelease])
def test_what_a_hold_keeps_may_be_older_but_not_wider(standing: Standing, kind) -> None:
    old = NOW - 20 * DAY
    decide(standing, kind(SOURCE, PURPOSE, old, old + HOUR, held=True), NOW)
    assert "at most 1 hour" in refusal(standing, kind(SOURCE, PURPOSE, old, old + HOUR + 1, held=True)).message
    refusal(standing, kind(SOURCE, PURPOSE, old, old + HOUR))


@pytest.mark.parametrize("request_", SPANS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [(NOW - 5, NOW - 5, "before it begins"), (NOW - 4, NOW - 5, "before it begins"), (-1, 5, "at no time"),
     (NOW - 5, 10**30, "at no time"), (-(10**40), -(10**39), "at no time")],
)  # fmt: skip
def test_times_that_cannot_be_meant_are_refused(
    standing: Standing, request_: Request, begin: int, end: int, words: str
) -> None:
    asked = replace(request_, from_ms=begin, to_ms=end)  # type: ignore[arg-type]  # these have a span
    assert words in refusal(standing, asked).message


def test_all_reasons_are_told_at_once_each_with_what_to_do(standing: Standing) -> None:
    error = refusal(standing, RequestRelease(SOURCE, "curiosity", NOW - 9 * DAY, NOW + DAY))
    assert len(error.reasons) == 4
    for words in ("no purpose", "in the future", "at most 1 hour", "kept for 3 days"):
        assert any(words in reason for reason in error.reasons)
    for words in ("Name one of its purposes", "only a new request", "Ask for less", "not older than"):
        assert words in error.fix


def test_breaking_the_glass_is_narrow(standing: Standing) -> None:
    def broken(begin: int, end: int, role: str = "shift-lead") -> BreakGlass:
        return BreakGlass(SOURCE, PURPOSE, begin, end, role)

    decide(standing, broken(NOW - 10 * MINUTE, NOW), NOW)
    assert "at most 10 minutes" in refusal(standing, broken(NOW - 10 * MINUTE - 1, NOW)).message
    oldest = NOW - 2 * HOUR
    decide(standing, broken(oldest, oldest + SECOND), NOW)
    error = refusal(standing, broken(oldest - 1, oldest + SECOND))
    assert "reaches back 2 hours" in error.message
    assert "Request a release" in error.fix
    assert "in the future" in refusal(standing, broken(NOW, NOW + 1)).message


@pytest.mark.parametrize("role", ["investigator", "administrator", "oversight", "reviewer", "", "nobody"])
def test_only_the_roles_that_the_charter_names_may_break_it(standing: Standing, role: str) -> None:
    error = refusal(standing, replace(GLASS, role=role))
    assert "may not break the glass" in error.message
    assert "Call somebody who may: a shift lead" in error.fix


def test_where_there_is_no_glass_nobody_breaks_it(standing: Standing, sealed_charter: Charter) -> None:
    rules = sealed_charter.safeguards
    assert rules.release is not None
    without = replace(sealed_charter, safeguards=replace(rules, release=replace(rules.release, break_glass=None)))
    error = refusal(replace(standing, charter=without), GLASS)
    assert error.reasons == ("This charter lets nobody open original video alone.",)
    assert error.fix == "Request a release from the custodians."
