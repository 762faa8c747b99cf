"""Accounts, pseudonyms, backdrops, runs, retention and openings: what each act does, records and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts.accounts import change_password, change_roles, close_account, open_account, person
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.confirm_backdrop import all_confirmed, confirm_backdrop, confirmed, withdraw_backdrop
from watchglass.acts.inspect_openings import take_openings
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.progress_handover import progress_handover
from watchglass.acts.record_outcome import record_outcome
from watchglass.acts.renew_backdrop import renew_backdrop
from watchglass.acts.run_record import start_run, stop_run
from watchglass.acts.view_clip import view_clip
from watchglass.bootstrap import open_bundle
from watchglass.charter.model import Charter
from watchglass.charter.permit import ConfirmBackdrop, HandOver, KeepClip, LookAt, ShowReviewerView
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, CannotRecord, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, HOUR
from watchglass.perception.messages import BackdropRenewal, Clip
from watchglass.records.query import ask
from watchglass.review.model import Alert, HandoverState, Outcome, VerdictValue
from world import NO_PASSWORD, World, make_house

PNG = b"\x89PNG an empty lawn"


def charter_of(world: World) -> Charter:
    charter = world.standing().charter
    assert charter is not None
    return charter


# ---- accounts ----------------------------------------------------------------------------------------------------


def test_an_account_lives_and_its_public_records_name_nobody(world: World) -> None:
    acting, admin = world.house.acting, world.grant(May.MANAGE_ACCOUNTS)
    number = open_account(acting, admin, "rita", [Role.REVIEWER, Role.RESPONDER], NO_PASSWORD).value
    reader = acting.store.read()
    acting.store.commit(
        lambda tx: tx.insert(
            "session",
            {"token_hash": b"t", "account": number, "csrf": "c", "created_ms": 1, "seen_ms": 1, "expires_ms": 9},
        )
    )
    change_roles(acting, admin, "rita", [Role.REVIEWER])
    someone = person(reader, number)
    assert someone is not None
    assert someone.roles == {Role.REVIEWER}
    assert reader.all("SELECT * FROM session") == []  # signed out
    change_password(acting, admin, "rita", "other")
    close_account(acting, admin, "rita")
    assert person(reader, number) is None
    records = world.records("account_changed")[-4:]
    assert [record.leaf.clear["change"] for record in records] == ["opened", "roles", "password", "closed"]
    assert [record.fields["roles"] for record in records] == [["responder", "reviewer"], ["reviewer"], [], []]
    assert {(record.fields["account"], record.fields["by"]) for record in records} == {("rita", "administrator")}
    assert all(b"rita" not in record.data for record in records)
    assert {record.leaf.role for record in records} == {"administrator"}
    with pytest.raises(BadInput, match="already an account"):  # a closed name stays taken
        open_account(acting, admin, "rita", [Role.CLERK], NO_PASSWORD)
    for gone in (change_roles, close_account):
        with pytest.raises(BadInput, match="no open account"):
            gone(acting, admin, "rita", *([[Role.CLERK]] if gone is change_roles else []))  # type: ignore[operator]


@pytest.mark.parametrize("name", ["", "a", "Rita", "rita smith", "1rita", "r" * 33, "rita\n", "réta"])
def test_a_name_that_cannot_be_one(world: World, name: str) -> None:
    with pytest.raises(BadInput, match="sign-in name"):
        open_account(world.house.acting, None, name, [Role.CLERK], NO_PASSWORD)


@pytest.mark.parametrize("roles", [[], [Role.PUBLIC], [Role.PUBLIC, Role.CLERK]])
def test_an_account_needs_a_role(world: World, roles: list[Role]) -> None:
    with pytest.raises(BadInput, match="at least one role"):
        open_account(world.house.acting, None, "rita", roles, NO_PASSWORD)
    with pytest.raises(BadInput, match="at least one role"):
        change_roles(world.house.acting, None, "clerk", roles)


def test_only_those_who_manage_accounts_change_those_of_others(world: World) -> None:
    acting, reviewer = world.house.acting, world.grant(May.DECIDE_ALERT)
    before = world.state()
    for act in (
        lambda: open_account(acting, reviewer, "rita", [Role.ADMINISTRATOR], NO_PASSWORD),
        lambda: change_roles(acting, reviewer, "clerk", [Role.ADMINISTRATOR]),
        lambda: change_password(acting, reviewer, "administrator", "mine"),
        lambda: close_account(acting, reviewer, "administrator"),
    ):
        with pytest.raises(Refused, match="decide-alert"):
            act()
    assert world.state() == before
    with pytest.raises(Refused, match="not of keep-own-account"):
        change_password(acting, reviewer, "reviewer", "mine")
    change_password(acting, world.grant(May.KEEP_OWN_ACCOUNT, Role.REVIEWER), "reviewer", "mine")
    assert world.records("account_changed")[-1].leaf.role == "reviewer"


def test_without_a_charter_there_is_nobody_to_seal_an_account_to(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False) as world, pytest.raises(CannotRecord, match="no charter yet"):
        open_account(world.house.acting, None, "rita", [Role.CLERK], NO_PASSWORD)


def test_pseudonyms_change_by_month_and_are_never_the_account(world: World) -> None:
    def decided_by() -> str:
        world.decide(world.raise_alert(), VerdictValue.REJECT)
        return world.records("alert_decided")[-1].leaf.actor

    november = {decided_by(), decided_by()}
    other = world.add("second", Role.REVIEWER)
    world.decide(world.raise_alert(), VerdictValue.REJECT, by=other)
    of_the_other = world.records("alert_decided")[-1].leaf.actor
    world.clock.advance(10 * DAY)  # type: ignore[attr-defined]
    december = {decided_by(), decided_by()}
    assert (len(november), len(december)) == (1, 1)
    assert len(november | december | {of_the_other}) == 3
    assert all(name.startswith("p-") and len(name) == 14 for name in november | december)
    assert not {"reviewer", "second", str(world.people[Role.REVIEWER].account)} & (november | december)


# ---- backdrops ---------------------------------------------------------------------------------------------------


def confirm(world: World, png: bytes = PNG, scene: str = "day") -> int:
    permit = world.permit(ConfirmBackdrop("street"))
    return confirm_backdrop(world.house.acting, world.grant(May.CONFIRM_BACKDROP), permit, "street", png, scene).value


def withdraw(world: World, scene: str = "day") -> None:
    permit = world.permit(ConfirmBackdrop("street"))
    withdraw_backdrop(world.house.acting, world.grant(May.CONFIRM_BACKDROP), permit, "street", scene)


def renew(world: World, png: bytes = b"renewed", base: bytes = PNG, scene: str = "day") -> int:
    new = BackdropRenewal("street", scene, world.clock.now(), sha256(base), png, 6)
    return renew_backdrop(world.house.acting, world.permit(LookAt("street")), new).value


def test_a_backdrop_is_confirmed_replaced_and_withdrawn(world: World) -> None:
    reader = world.house.store.read()
    with pytest.raises(Problem, match="No backdrop stands"):
        withdraw(world)
    first = confirm(world)
    assert (stands := confirmed(reader, "street")) is not None
    assert (stands.id, stands.scene, stands.png) == (first, "day", PNG)
    second = confirm(world, b"another")
    assert (stands := confirmed(reader, "street")) is not None
    assert (stands.id, stands.png) == (second, b"another")
    row = reader.one("SELECT png FROM backdrop WHERE id = ?", first)
    assert row is not None
    assert row["png"] == b""  # what no longer stands is not kept
    withdraw(world)
    assert confirmed(reader, "street") is None
    records = [*world.records("backdrop_confirmed"), *world.records("backdrop_withdrawn")]
    assert [record.fields["picture_sha256"] for record in records] == [
        b64(sha256(PNG)), b64(sha256(b"another")), b64(sha256(b"another")),
    ]  # fmt: skip
    assert {(record.leaf.role, record.leaf.clear["source"]) for record in records} == {("operator", "street")}


def test_a_backdrop_is_for_operators_and_the_source_that_was_asked_for(world: World) -> None:
    acting, permit = world.house.acting, world.permit(ConfirmBackdrop("street"))
    operator = world.grant(May.CONFIRM_BACKDROP)
    with pytest.raises(Refused, match="yard"):
        confirm_backdrop(acting, operator, permit, "yard", PNG)
    with pytest.raises(Refused, match="see-sources"):
        confirm_backdrop(acting, world.grant(May.SEE_SOURCES, Role.OPERATOR), permit, "street", PNG)
    with pytest.raises(Refused):
        world.grant(May.CONFIRM_BACKDROP, Role.ADMINISTRATOR)
    world.suspend()
    with pytest.raises(Refused, match="suspended"):
        confirm(world)
    assert world.records("backdrop_confirmed") == []


def test_each_view_has_a_backdrop_of_its_own(world: World) -> None:
    reader = world.house.store.read()
    confirm(world, b"dark", "infrared")
    day = confirm(world)
    assert [(each.scene, each.png) for each in all_confirmed(reader, "street")] == [("day", PNG), ("infrared", b"dark")]
    confirm(world, b"darker", "infrared")
    withdraw(world, "infrared")
    assert [each.id for each in all_confirmed(reader, "street")] == [day]
    with pytest.raises(Problem, match="this view"):
        withdraw(world, "infrared")
    records = [*world.records("backdrop_confirmed"), *world.records("backdrop_withdrawn")]
    assert [record.fields["scene"] for record in records] == ["infrared", "day", "infrared", "infrared"]


def test_a_renewed_backdrop_is_recorded_and_stays_as_old_as_its_confirmation(world: World) -> None:
    confirm(world)
    before = confirmed(world.house.store.read(), "street", "day")
    world.clock.advance(HOUR)
    number = renew(world)
    after = confirmed(world.house.store.read(), "street", "day")
    assert before is not None
    assert after is not None
    assert (after.id, after.png) == (number, b"renewed")
    assert (after.confirmed_ms, after.made_ms) == (before.confirmed_ms, before.made_ms + HOUR)
    (record,) = world.records("backdrop_renewed")
    assert (record.leaf.role, record.leaf.actor) == ("house", "house")
    assert record.leaf.clear == {"source": "street"}
    assert record.fields["scene"] == "day"
    assert record.fields["before_sha256"] == b64(sha256(PNG))
    assert record.fields["picture_sha256"] == b64(sha256(b"renewed"))
    assert record.fields["blocks"] == 6


def test_only_what_stands_is_renewed(world: World) -> None:
    with pytest.raises(Problem, match="does not stand"):
        renew(world)
    confirm(world)
    for base, scene in ((b"another", "day"), (PNG, "infrared")):
        with pytest.raises(Problem, match="does not stand"):
            renew(world, base=base, scene=scene)
    withdraw(world)
    with pytest.raises(Problem, match="does not stand"):
        renew(world)
    world.suspend()
    with pytest.raises(Refused, match="suspended"):
        renew(world)
    assert world.records("backdrop_renewed") == []


# ---- runs --------------------------------------------------------------------------------------------------------


def test_a_run_that_was_cut_off_is_closed_by_the_next(world: World) -> None:
    acting, charter = world.house.acting, charter_of(world)
    models = {"m": b"\x01" * 32}
    first = start_run(acting, charter, models, ["b", "a"]).value
    second = start_run(acting, charter, models, ["a"]).value
    stop_run(acting, charter, second, "asked")
    third = start_run(acting, charter, models, ["a"]).value
    started, stopped = world.records("run_started"), world.records("run_stopped")
    assert [record.leaf.clear["run"] for record in started] == [first, second, third]
    assert [(record.leaf.clear["run"], record.leaf.clear["cause"]) for record in stopped] == [
        (first, "found_after_crash"), (second, "asked"),
    ]  # fmt: skip
    assert started[0].leaf.clear["sources"] == ["a", "b"]
    assert started[0].leaf.clear["models"] == {"m": b64(b"\x01" * 32)}


# ---- retention ---------------------------------------------------------------------------------------------------


def a_whole_story(world: World) -> Alert:
    """An alert with a clip that was looked at, a verdict, a response and an outcome with a note."""
    alert, acting = world.raise_alert(), world.house.acting
    keep_clip(acting, world.permit(KeepClip(alert.analytic)), Clip(alert.id, alert.source, b"film", 1, 0.5))
    view_clip(acting, world.grant(May.SEE_CLIP), world.permit(ShowReviewerView("street", "lawn")), alert.id)
    world.decide(alert)
    hand, sam = world.permit(HandOver(alert.analytic)), world.grant(May.RESPOND)
    progress_handover(acting, sam, hand, alert.id, HandoverState.ARRIVED)
    record_outcome(acting, sam, hand, alert.id, Outcome.FOUND_HELPED, "walked home together")
    return alert


LEFT = {"shares": 0, "segments": 0, "accesses": 0, "samples": 0, "reports": 0}
"""Nothing of original video is there to destroy."""


def test_clips_go_first_then_the_alert_with_every_salt(world: World) -> None:
    alert = a_whole_story(world)
    world.settle()
    charter, store = charter_of(world), world.house.store
    row = store.read().one("SELECT key FROM clip")
    assert row is not None
    key = bytes(row["key"])
    assert apply_retention(world.house.acting, charter) == {"clips": 0, "alerts": 0, "openings": 0, **LEFT}

    world.clock.advance(8 * DAY)  # type: ignore[attr-defined]
    waiting = world.raise_alert()
    assert apply_retention(world.house.acting, charter) == {"clips": 1, "alerts": 0, "openings": 0, **LEFT}
    assert world.files() == {}
    stills = {row["id"]: bytes(row["still"]) for row in store.read().all("SELECT id, still FROM alert")}
    assert (stills[alert.id], bool(stills[waiting.id])) == (b"", True)
    with pytest.raises(Problem, match="destroyed at the end of its retention"):
        view_clip(
            world.house.acting, world.grant(May.SEE_CLIP), world.permit(ShowReviewerView("street", "lawn")), alert.id
        )
    store.scrub()
    assert not any(key in path.read_bytes() for path in world.layout.root.glob("watchglass.db*"))

    world.clock.advance(366 * DAY)  # type: ignore[attr-defined]
    gone = apply_retention(world.house.acting, charter)
    assert gone["alerts"] == 1
    assert gone["openings"] == 4  # clip kept, clip viewed, step, outcome, and none of the waiting alert's
    left = store.read().all("SELECT id FROM alert")
    assert [row["id"] for row in left] == [waiting.id]  # it still owes somebody a decision
    openings = {record.leaf.act: record.fields for record in world.records() if record.fields}
    assert not {"alert_decided", "outcome_recorded", "clip_viewed", "handover_progressed"} & openings.keys()
    assert [record.leaf.clear["what"] for record in world.records("retention_applied")] == [
        "clips",
        "clips",  # the waiting alert's still, a year later
        "alerts",
        "openings",
    ]


def test_the_house_keeps_retention_once_an_hour_and_leaves_nothing_in_the_log_of_the_database(world: World) -> None:
    a_whole_story(world)
    row = world.house.store.read().one("SELECT key FROM clip")
    assert row is not None
    key = bytes(row["key"])
    world.house.keep_retention()
    world.clock.advance(8 * DAY)  # type: ignore[attr-defined]
    world.house.keep_retention()
    assert world.files() == {}
    assert not any(key in path.read_bytes() for path in world.layout.root.glob("watchglass.db*"))
    (record,) = world.records("retention_applied")
    assert record.fields["count"] == 1
    world.house.keep_retention()
    world.clock.advance(HOUR)  # type: ignore[attr-defined]
    world.house.keep_retention()
    assert len(world.records("retention_applied")) == 1


def test_retention_that_cannot_be_recorded_destroys_nothing_and_stops_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    a_whole_story(world)
    world.clock.advance(8 * DAY)  # type: ignore[attr-defined]
    world.break_the_log("retention_applied")
    before, files = world.state(), world.files()
    with pytest.raises(WatchglassError):
        apply_retention(world.house.acting, charter_of(world))
    world.house.keep_retention()
    assert "Retention waits" in caplog.text
    assert (world.state(), world.files()) == (before, files)


# ---- openings ----------------------------------------------------------------------------------------------------


def test_oversight_takes_the_openings_away_and_opens_them_elsewhere(world: World, tmp_path: Path) -> None:
    alert = world.raise_alert()
    world.settle()
    with pytest.raises(Refused, match="see-everything-done"):
        take_openings(world.house.acting, world.grant(May.SEE_EVERYTHING_DONE))
    bundle = take_openings(world.house.acting, world.grant(May.TAKE_OPENINGS)).value
    (tmp_path / "bundle.json").write_bytes(bundle)
    (record,) = world.records("openings_taken")
    assert record.fields["count"] == len(json.loads(bundle)["openings"])
    assert alert.id.encode() not in bundle
    found = open_bundle(tmp_path / "bundle.json", str(world.layout.ledger), world.openings, None)
    (opened,) = [entry for entry in found if entry["act"] == "alert_raised"]
    assert opened["fields"]["alert"] == alert.id
    assert opened["fields"]["zone"] == "lawn"


# ---- break the log -----------------------------------------------------------------------------------------------


ACTS: dict[str, Callable[[World], object]] = {
    "account_changed opened": lambda w: open_account(w.house.acting, None, "rita", [Role.CLERK], NO_PASSWORD),
    "account_changed roles": lambda w: change_roles(w.house.acting, None, "clerk", [Role.ANALYST]),
    "account_changed password": lambda w: change_password(w.house.acting, None, "clerk", "x"),
    "account_changed closed": lambda w: close_account(w.house.acting, None, "clerk"),
    "backdrop_confirmed": lambda w: confirm(w, b"another"),
    "backdrop_renewed": renew,
    "backdrop_withdrawn": withdraw,
    "openings_taken": lambda w: take_openings(w.house.acting, w.grant(May.TAKE_OPENINGS)),
    "openings_taken signed": lambda w: w.house.ask(
        ask("openings", about="0", key=w.keys["oversight"], origin=w.house.origin, now=w.clock.now())
    ),
    "run_started": lambda w: start_run(w.house.acting, charter_of(w), {}, ["street"]),
    "run_stopped": lambda w: stop_run(w.house.acting, charter_of(w), "0" * 16, "asked"),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_of_the_house_that_cannot_be_recorded_does_not_happen(world: World, act: str) -> None:
    confirm(world)
    world.break_the_log(act.split(maxsplit=1)[0])
    before = world.state()
    with pytest.raises(WatchglassError):
        ACTS[act](world)
    assert world.state() == before
    world.mend_the_log()
    ACTS[act](world)
    assert world.state() != before
