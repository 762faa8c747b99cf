"""Acts that people sign on their own machines: suspensions, their lifting, enrolment, charters. Law 11 and law 12."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.acts.publish_charter import publish_charter
from watchglass.acts.signed import accept
from watchglass.bootstrap import SeededEntropy, new_key, new_witness, read_openings_key, read_signing_key
from watchglass.charter.permit import LookAt, RaiseAlert, RunAnalytic
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger import receipt as receipts
from watchglass.ledger.keys import SignerKey
from watchglass.records.act_spec import Lane
from watchglass.records.statement import SignedStatement
from world import World, make_house

LAWN, BAYS = "on-the-lawn", "in-the-bays"
ALL = {"scope": "all", "analytic": None}
THE_LAWN = {"scope": "analytic", "analytic": LAWN}
WHY = {"reason": "It counts shadows."}


def order(world: World, **more: object) -> SignedStatement:
    return world.sign("suspension_ordered", "oversight", THE_LAWN, WHY, **more)  # type: ignore[arg-type]


# ---- suspending --------------------------------------------------------------------------------------------------


def test_a_suspension_holds_at_once_without_any_witness(world: World) -> None:
    world.witnessed(watch=False)
    done = accept(world.house.acting, world.standing(), order(world), cosigned_size=world.house.cosigned_size())
    (record,) = world.records("suspension_ordered")
    assert record.hash == done.value
    assert (record.leaf.role, record.leaf.clear) == ("oversight", THE_LAWN)
    assert record.leaf.signature is not None
    assert record.leaf.signature.key == world.keys["oversight"].verifier
    assert record.fields == {"reason": "It counts shadows.", "minute": "2026-11-23T12:00Z"}
    receipts.check(done.receipts[0], done.value, world.house.log_key)
    with pytest.raises(Refused, match="suspended"):
        world.permit(RunAnalytic("street", LAWN))
    world.permit(RunAnalytic("street", BAYS))


def test_everything_can_be_suspended(world: World) -> None:
    world.suspend()
    for asked in (RunAnalytic("street", BAYS), LookAt("street"), RaiseAlert(LAWN)):
        with pytest.raises(Refused, match="suspended"):
            world.permit(asked)


def test_a_statement_counts_once(world: World) -> None:
    statement = order(world)
    world.house.hand_in(statement)
    world.house.hand_in(world.lift(world.records("suspension_ordered")[0].hash, LAWN))
    world.settle()
    for _ in range(2):
        before = world.state()
        with pytest.raises(Problem, match="accepted before"):
            world.house.hand_in(statement)
        assert world.state() == before
        world.clock.advance(HOUR)  # type: ignore[attr-defined]
    world.permit(RunAnalytic("street", LAWN))


BAD: dict[str, tuple[Callable[[World], SignedStatement], type[WatchglassError], str]] = {
    "the authority's key": (lambda w: order(w, key=w.keys["authority"]), DidNotVerify, "may not speak as oversight"),
    "an unknown key": (
        lambda w: order(w, key=SignerKey.generate(w.keys["oversight"].verifier.name, SeededEntropy("x"))),
        DidNotVerify,
        "may not speak as oversight",
    ),
    "another log": (lambda w: order(w, origin="demo.other.example"), DidNotVerify, "demo.other.example"),
    "another charter": (lambda w: order(w, charter=b"c" * 32), DidNotVerify, "another charter"),
    "an old hour": (lambda w: order(w, now=w.clock.now() - 2 * HOUR), DidNotVerify, "signed in the hour"),
    "an hour to come": (lambda w: order(w, now=w.clock.now() + 2 * HOUR), DidNotVerify, "signed in the hour"),
    "an analytic that is not there": (
        lambda w: w.sign("suspension_ordered", "oversight", {"scope": "analytic", "analytic": "nothing"}, WHY),
        BadInput,
        "nothing",
    ),
    "an approval where nothing waits for one": (lambda w: w.approvals(w.text)[0], Problem, "no draft of a charter"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_refused_leaves_no_trace(world: World, what: str) -> None:
    make, kind, words = BAD[what]
    statement = make(world)
    before = world.state()
    with pytest.raises(kind, match=words):
        world.house.hand_in(statement)
    assert world.state() == before
    world.permit(RunAnalytic("street", LAWN))


def test_every_changed_byte_of_a_statement_is_refused(world: World) -> None:
    data = order(world).encode()
    before = world.state()
    for place in range(0, len(data) - 1, 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises((BadInput, DidNotVerify)):
            world.house.hand_in(SignedStatement.parse(changed))
    assert world.state() == before


def test_a_charter_in_which_oversight_could_stop_nothing_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Oversight could not stop anything"):
        make_house(tmp_path, edits=(("may: [suspend, inspect, audit]", "may: [inspect]"),))


def test_without_a_charter_no_key_is_pinned(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False) as world, pytest.raises(Refused, match="no charter"):
        world.house.hand_in(order(world, charter=b"c" * 32))


def test_how_fast_it_was_obeyed_is_recorded_once(world: World) -> None:
    given = world.suspend(LAWN)
    world.house.note_obeyed(given, within_ms=812)
    world.house.note_obeyed(given, within_ms=900)
    (record,) = world.records("suspension_obeyed")
    assert record.leaf.refs == (given,)
    assert record.leaf.clear == {**THE_LAWN, "within_ms": 812}


# ---- resuming ----------------------------------------------------------------------------------------------------


def test_resuming_waits_for_a_witness(world: World) -> None:
    given = world.suspend(LAWN)
    world.settle()
    world.witnessed(watch=False)
    world.house.hand_in(world.lift(given, LAWN))
    world.settle()
    with pytest.raises(Refused, match="suspended"):
        world.permit(RunAnalytic("street", LAWN))
    (told,) = world.house.describe()["suspensions"]
    assert (told["lifted"], told["resumed"]) == (True, False)
    world.witnessed()
    world.settle()
    world.permit(RunAnalytic("street", LAWN))
    assert world.house.describe()["suspensions"][0]["resumed"]
    (record,) = world.records("suspension_lifted")
    assert record.leaf.refs == (given,)


def test_what_cannot_be_lifted(world: World) -> None:
    with pytest.raises(Problem, match="no such suspension"):
        world.house.hand_in(world.lift(b"\x07" * 32, LAWN))
    given = world.suspend(LAWN)
    for scope in (None, BAYS):
        with pytest.raises(DidNotVerify, match="not what was suspended"):
            world.house.hand_in(world.lift(given, scope))
    with pytest.raises(DidNotVerify):
        world.house.hand_in(
            world.sign(
                "suspension_lifted",
                "oversight",
                THE_LAWN,
                {"reason": "r", "what_changed": "w"},
                refs=[given],
                key=world.keys["authority"],
            )
        )
    world.house.hand_in(world.lift(given, LAWN))
    world.clock.advance(MINUTE)  # type: ignore[attr-defined]
    with pytest.raises(Problem, match="lifted before"):
        world.house.hand_in(world.lift(given, LAWN))
    assert len(world.records("suspension_lifted")) == 1


def test_lifting_one_order_leaves_the_other(world: World) -> None:
    everything, lawn = world.suspend(), world.suspend(LAWN)
    world.house.hand_in(world.lift(everything))
    world.settle()
    world.permit(RunAnalytic("street", BAYS))
    with pytest.raises(Refused):
        world.permit(RunAnalytic("street", LAWN))
    world.house.hand_in(world.lift(lawn, LAWN))
    world.settle()
    world.permit(RunAnalytic("street", LAWN))


def test_a_suspension_outlives_the_charter_it_was_ordered_under(world: World) -> None:
    world.suspend(LAWN)
    world.publish(world.edited())
    assert world.standing().charter.version == 2  # type: ignore[union-attr]
    with pytest.raises(Refused, match="suspended"):
        world.permit(RunAnalytic("street", LAWN))


# ---- enrolling ---------------------------------------------------------------------------------------------------


def enrol(world: World, vkey: str, person: str = "Rita", month: str = "2026-11") -> None:
    clear = {"enrolled_role": "reviewer", "vkey": vkey, "month": month}
    world.house.hand_in(world.sign("key_enrolled", "oversight", clear, {"person": person}))


def test_one_person_has_one_key_a_month(world: World) -> None:
    first, second = (str(SignerKey.generate(f"p{n}.example", SeededEntropy(str(n))).verifier) for n in (1, 2))
    enrol(world, first)
    for vkey, who in ((first, "Rosa"), (second, "Rita"), (first, "Rita")):
        world.clock.advance(SECOND)  # type: ignore[attr-defined]
        with pytest.raises(Problem, match="enrolled already"):
            enrol(world, vkey, who)
    with pytest.raises(Problem, match="month is over"):
        enrol(world, second, "Rosa", "2026-10")
    enrol(world, second, "Rita", "2026-12")
    records = world.records("key_enrolled")
    assert [record.fields["person"] for record in records] == ["Rita", "Rita"]
    assert all(b"Rita" not in record.data for record in records)


# ---- charters ----------------------------------------------------------------------------------------------------


def test_a_charter_comes_into_force_only_when_a_witness_has_cosigned_it(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False) as world:
        world.publish(cosign=False)
        world.settle()
        assert world.standing().published == "waiting"
        with pytest.raises(Refused, match="No witness has cosigned"):
            world.permit(LookAt("street"))
        world.witnessed()
        world.settle()
        world.permit(LookAt("street"))
        published, (one, two) = world.records("charter_published")[0], world.records("charter_approved")
        assert published.leaf.clear["text"] == world.text
        assert published.fields["account"] == "operator-of-the-machine"
        assert {one.leaf.role, two.leaf.role} == {"authority", "oversight"}
        assert world.records()[0].leaf.act == "log_opened"


def test_the_next_charter_waits_while_the_last_one_holds(world: World) -> None:
    world.publish(world.edited(), cosign=False)
    world.settle()
    assert world.standing().charter.version == 1  # type: ignore[union-attr]
    world.witnessed()
    world.settle()
    assert world.standing().charter.version == 2  # type: ignore[union-attr]


def test_both_must_sign_exactly_these_bytes(world: World) -> None:
    text = world.edited()
    authority, oversight = world.approvals(text)
    other = world.approvals(text + "# a comment\n")[1]
    wrong = {
        "approval of oversight is missing": [authority],
        "approval of authority is missing": [oversight],
        "authority and oversight is missing": [],
        "signed other bytes": [authority, other],
    }
    before = world.state()
    for words, approvals in wrong.items():
        with pytest.raises(DidNotVerify, match=words):
            world.house.publish(text.encode(), approvals)
    with pytest.raises(DidNotVerify, match="not an approval"):
        world.house.publish(text.encode(), [authority, order(world)])
    assert world.state() == before


def test_the_authority_cannot_sign_for_oversight(world: World) -> None:
    text = world.edited()
    clear = dict(world.approvals(text)[1].leaf.clear)
    forged = world.sign("charter_approved", "oversight", clear, {}, charter=None, key=world.keys["authority"])
    with pytest.raises(DidNotVerify, match="may not speak as oversight"):
        world.house.publish(text.encode(), [world.approvals(text)[0], forged])


def test_approvals_are_of_this_hour(world: World) -> None:
    text = world.edited()
    approvals = world.approvals(text)
    world.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(DidNotVerify, match="signed in the hour"):
        world.house.publish(text.encode(), approvals)


def test_versions_count_up(world: World) -> None:
    for version in (1, 3):
        text = world.edited(("Exampleton parks", "Exampleton meadows"), version=version)
        if version == 1:
            with pytest.raises(BadInput, match="not newer than version 1"):
                world.publish(text)
        else:
            world.publish(text)
    with pytest.raises(BadInput, match="not newer than version 3"):
        world.house.publish(world.text.encode(), world.approvals(world.text))


def test_a_new_oversight_is_let_in_by_the_outgoing_one(world: World) -> None:
    public = new_key(world.folder / "new.key", f"board.{world.house.origin}", "signing", None)
    coup = read_signing_key(world.folder / "new.key")
    text = world.edited((str(world.keys["oversight"].verifier), public))
    clear = dict(world.approvals(text)[1].leaf.clear)
    by_the_new_one = world.sign("charter_approved", "oversight", clear, {}, charter=None, key=coup)
    authority, by_the_old_one = world.approvals(text)
    with pytest.raises(DidNotVerify, match="may not speak as oversight"):
        world.house.publish(text.encode(), [authority, by_the_new_one])
    world.house.publish(text.encode(), [authority, by_the_old_one])
    world.text = text
    world.witnessed()
    world.settle()
    with pytest.raises(DidNotVerify):  # the old one may no longer speak
        world.suspend(LAWN)
    world.keys["oversight"] = coup
    world.suspend(LAWN)


def test_oversight_alone_cannot_replace_the_authority(world: World) -> None:
    public = new_key(world.folder / "new.key", f"council.{world.house.origin}", "signing", None)
    coup = read_signing_key(world.folder / "new.key")
    text = world.edited((str(world.keys["authority"].verifier), public))
    by_the_old_one, oversight = world.approvals(text)
    clear = dict(by_the_old_one.leaf.clear)
    by_the_new_one = world.sign("charter_approved", "authority", clear, {}, charter=None, key=coup)
    before = world.state()
    with pytest.raises(DidNotVerify, match="may not speak as authority"):
        world.house.publish(text.encode(), [by_the_new_one, oversight])
    assert world.state() == before
    world.house.publish(text.encode(), [by_the_old_one, oversight])


def test_what_the_lint_finds_wrong_is_not_published(world: World) -> None:
    text = world.edited(("may: [suspend, inspect, audit]", "may: [inspect]"))
    before = world.state()
    with pytest.raises(Refused, match="cannot be published") as caught:
        world.publish(text)
    assert "Oversight could not stop anything." in caught.value.reasons
    assert world.state() == before


def test_a_charter_that_was_not_published_seals_nothing(world: World) -> None:
    """If the record of a new charter fails, everything goes on being sealed to the old one's openings key."""
    public = new_key(world.folder / "new-openings.key", "x.example", "openings", None)
    old = next(line for line in world.text.splitlines() if "openings_key" in line).split('"')[1]
    text = world.edited((old, public))
    world.break_the_log("charter_published")
    before = world.state()
    with pytest.raises(WatchglassError):
        world.publish(text)
    assert world.state() == before
    world.mend_the_log()
    world.raise_alert()
    assert world.records("alert_raised")[0].fields["zone"] == "lawn"  # opens with the old key
    world.publish(text)
    old_key, world.openings = world.openings, read_openings_key(world.folder / "new-openings.key")
    world.raise_alert()
    assert [bool(record.fields) for record in world.records("alert_raised")] == [False, True]
    world.openings = old_key
    assert [bool(record.fields) for record in world.records("alert_raised")] == [True, False]


def test_a_trial_cannot_be_renewed(tmp_path: Path) -> None:
    with make_house(tmp_path, origin="trial.test.example") as world:
        world.permit(LookAt("street"))  # no witness is asked for
        days = 'in_force: {from: "2026-11-23", until: "2026-12-06"}'
        assert days in world.text
        longer = world.edited((days, days.replace("12-06", "12-20")))
        with pytest.raises(Refused, match="at most 14 days"):
            world.publish(longer)
        world.clock.advance(5 * DAY)  # type: ignore[attr-defined]
        again = world.edited((days, 'in_force: {from: "2026-11-28", until: "2026-12-11"}'))
        with pytest.raises(Refused, match="cannot be renewed"):
            world.publish(again)
        world.publish(world.edited(("Exampleton parks", "Exampleton meadows")))  # changing it is allowed
        world.clock.advance(9 * DAY)  # type: ignore[attr-defined]
        with pytest.raises(Refused, match="ran out"):
            world.permit(LookAt("street"))


# ---- break the log -----------------------------------------------------------------------------------------------


SIGNED: dict[str, Callable[[World, bytes], object]] = {
    "suspension_ordered": lambda world, _: world.suspend(LAWN),
    "suspension_lifted": lambda world, given: world.house.hand_in(world.lift(given)),
    "key_enrolled": lambda world, _: enrol(world, str(SignerKey.generate("p.example", SeededEntropy("p")).verifier)),
    "suspension_obeyed": lambda world, given: world.house.note_obeyed(given, within_ms=5),
    "charter_published": lambda world, _: world.publish(world.edited()),
    "charter_approved": lambda world, _: world.publish(world.edited()),
}


@pytest.mark.parametrize("act", SIGNED)
def test_a_signed_act_that_cannot_be_recorded_does_not_happen(world: World, act: str) -> None:
    given = world.suspend()
    world.break_the_log(act)
    before = world.state()
    with pytest.raises(WatchglassError):
        SIGNED[act](world, given)
    assert world.state() == before
    world.mend_the_log()
    SIGNED[act](world, given)
    assert world.records(act)


def test_a_closed_store_says_so(world: World) -> None:
    statement, standing = order(world), world.standing()
    world.house.close()
    with pytest.raises(CannotRecord):
        accept(world.house.acting, standing, statement, cosigned_size=0)


def test_publishing_needs_the_standing_it_follows(world: World) -> None:
    """The same act, called as the house calls it: its receipt is for the record of the charter itself."""
    text = world.edited()
    done = publish_charter(world.house.acting, world.standing(), text.encode(), world.approvals(text))
    published, *approved = [*world.records("charter_published")[-1:], *world.records("charter_approved")[-2:]]
    for receipt, record in zip(done.receipts, (published, *approved), strict=True):
        receipts.check(receipt, record.hash, world.house.log_key)
    assert published.leaf.charter == world.standing().charter.sha256  # type: ignore[union-attr]
    assert unb64(published.leaf.clear["sha256"]) == done.value.sha256
    assert {record.leaf.spec.lane for record in (published, *approved)} == {Lane.PROMPT}


def test_another_witness_who_does_not_answer_stops_nothing_that_the_old_one_has_seen(
    world: World, tmp_path: Path
) -> None:
    stranger = new_witness(tmp_path / "stranger", "stranger.example")
    text = world.edited((str(world.witness_key), str(stranger)))
    world.house.publish(text.encode(), world.approvals(text))
    asked = world.house.sequencer.cosigning._witnesses
    assert set(asked) == {world.witness.name, stranger.label}, "until it is in force, both are asked"
    assert world.standing().charter.version == 1  # type: ignore[union-attr]  # it stands
    world.permit(LookAt("street"))

    world.witnessed()  # the old witness answers; the new one never does
    world.house.sequencer.tick((Lane.PROMPT,))
    assert world.standing().charter.version == 2  # type: ignore[union-attr]  # it stands
    world.house.configure()
    assert set(world.house.sequencer.cosigning._witnesses) == {stranger.label}
    world.permit(LookAt("street"))  # what was cosigned stays cosigned
