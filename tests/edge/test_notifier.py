"""From a verdict to a receiver: what is told, what is recorded, what is withheld, and what a bad receiver can do."""

from __future__ import annotations

import json
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from telling import SECRET, Answer, Receiver, edits, fates, give_secret, hangs, status, told, webhook
from watchglass.access.roles import May, Role
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.give_up_notice import give_up_notice
from watchglass.acts.notices import Draft, Fate, Status, undelivered
from watchglass.acts.reading import HISTORY_UNTIL
from watchglass.acts.retry_notice import retry_notice
from watchglass.acts.send_notice import send_notice
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import Decide, SendNotice, TryDestination
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import CannotRecord, Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.review.model import Alert, VerdictValue
from watchglass.runtime.lane import BURST, GIVE_UP_MS, PACE_MS, TRIP, Backoff, Lane
from world import World, make_house

LAWN, FALLEN = "on-the-lawn", "fallen"
FELL = {"analytic": FALLEN, "kind": "person_down"}


@contextmanager
def telling(folder: Path, answers: Sequence[Answer] = (status(204),), **more: Any) -> Iterator[tuple[World, Receiver]]:
    with Receiver(answers) as receiver, make_house(folder, edits=edits(webhook(receiver.url)), **more) as world:
        give_secret(world)
        yield world, receiver


def lane_of(world: World, name: str = "hook") -> Lane:
    """The queue of one destination, to be moved by hand."""
    charter = world.standing().charter
    assert charter is not None
    destination = next(each for each in charter.destinations if each.name == name)
    sender = world.house.notifier._connect(destination, charter, frozenset())
    return Lane(world.house.acting, world.standing, destination, sender, Backoff(world.house.entropy))


def run(world: World, lane: Lane | None = None) -> None:
    """Decide about what is new, and send all that may leave now."""
    world.house.notifier.decide_new()
    lane = lane or lane_of(world)
    while lane.step():
        pass


def advance(world: World, ms: int) -> None:
    assert isinstance(world.clock, VirtualClock)
    world.clock.advance(ms)


def until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def undo(world: World, alert: Alert) -> None:
    permit = world.permit(Decide(alert.analytic))
    withdraw_verdict(world.house.acting, world.grant(May.DECIDE_ALERT, Role.REVIEWER), permit, alert.id)


# ---- what is told ------------------------------------------------------------------------------------------------


def test_a_confirmed_alert_is_told_with_what_where_when_how_sure_and_no_more(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        run(world)
        assert receiver.got == [], "nobody has decided"
        world.decide(alert)
        run(world)
        run(world)
        (got,) = receiver.got
        (notice,) = told(world, alert)
        assert got.headers["webhook-id"] == notice.id
        assert got.body == notice.body
        said = json.loads(got.body)
        charter = world.standing().charter
        assert charter is not None
        assert said == {
            "id": notice.id,
            "type": "alert.confirmed",
            "event_type": "confirmed",
            "timestamp": "2026-11-23T12:00:00Z",
            "data": {
                "status": "confirmed",
                "confirmed": True,
                "words": "THIS IS A DEMO. Nothing of it is real. Confirmed by a person.",
                "alert": alert.id,
                "what": {"analytic": LAWN, "kind": "intrusion", "life_safety": False},
                "where": {"place": "Assembly point by the car park", "source": "street", "zone": "lawn"},
                "when": {
                    "seen": "2026-11-23T11:59:59Z",
                    "raised": "2026-11-23T12:00:00Z",
                    "decided": "2026-11-23T12:00:00Z",
                },
                "how_sure": {
                    "words": "Not enough data yet: of 1 alerts of this rule so far, 1 were confirmed by a person. "
                    "A share is shown from 20 on.",
                    "right": 1,
                    "of": 1,
                    "likely_percent": None,
                },
                "camera": {"not_met": []},
                "card": f"http://127.0.0.1:8600/respond/{alert.id}",
                "deployment": {"origin": world.house.origin, "kind": "demo", "charter": charter.digest},
            },
        }
        assert fates(world, alert) == [("confirmed", "delivered")]


def test_each_step_is_recorded_and_the_public_learns_neither_whom_nor_what(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        run(world)
        (notice,) = told(world, alert)
        (decided,) = world.records("notice_decided")
        (settled,) = world.records("notice_settled")
        assert decided.leaf.clear == settled.leaf.clear == {}
        assert (decided.leaf.purpose, decided.leaf.actor, decided.leaf.refs) == ("lawn", "house", ())
        assert decided.fields == {
            "notice": notice.id, "alert": alert.id, "destination": "hook", "status": "confirmed", "account": None,
            "allowed_by": None, "body_sha256": b64(sha256(receiver.got[0].body)), "minute": "2026-11-23T12:00Z",
        }  # fmt: skip
        assert (settled.fields["outcome"], settled.fields["tries"], settled.fields["cause"]) == ("delivered", 1, "")
        for record in (decided, settled):
            assert b"hook" not in record.data
            assert notice.id.encode() not in record.data


def test_a_rejected_alert_tells_nobody_and_leaves_the_same_records(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        for value in VerdictValue:
            world.decide(world.raise_alert(LAWN), value)
        run(world)
        assert len(receiver.got) == 1
        decided, settled = world.records("notice_decided"), world.records("notice_settled")
        assert sorted(record.fields["status"] for record in decided) == ["confirmed", "nothing", "nothing"]
        assert sorted(record.fields["outcome"] for record in settled) == ["delivered", "nothing", "nothing"]
        shapes = {(record.leaf.purpose, record.leaf.role, record.leaf.actor, len(record.data)) for record in decided}
        assert len(shapes) == 1, "all look alike from outside"


def test_an_analytic_that_tells_nobody_leaves_no_record(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        world.decide(world.raise_alert("in-the-bays"))
        run(world)
        assert (receiver.got, world.records("notice_decided")) == ([], [])


@pytest.mark.parametrize(
    ("value", "word"),
    [(VerdictValue.CONFIRM, "confirmed"), (VerdictValue.REJECT, "rejected"), (VerdictValue.UNSURE, "unsure")],
)
def test_a_fall_is_told_at_once_as_not_confirmed_and_followed_up(
    tmp_path: Path, value: VerdictValue, word: str
) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(FALLEN, kind="person_down")
        run(world)
        first = json.loads(receiver.got[0].body)["data"]
        assert (first["confirmed"], first["status"], first["when"]["decided"]) == (False, "unconfirmed", None)
        assert "NOT CONFIRMED BY A PERSON" in first["words"]
        world.decide(alert, value)
        run(world)
        second = json.loads(receiver.got[1].body)["data"]
        assert (second["alert"], second["status"]) == (alert.id, word)
        assert second["confirmed"] is (word == "confirmed")
        assert fates(world, alert) == [("unconfirmed", "delivered"), (word, "delivered")]
        assert len({got.headers["webhook-id"] for got in receiver.got}) == 2


def test_who_was_told_hears_that_it_was_taken_back_and_decided_again(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        run(world)
        undo(world, alert)
        run(world)
        world.decide(alert, VerdictValue.REJECT)
        run(world)
        assert [json.loads(got.body)["event_type"] for got in receiver.got] == ["confirmed", "withdrawn"]


def test_what_was_taken_back_before_anybody_was_told_is_not_told(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        undo(world, alert)
        run(world)
        assert (receiver.got, fates(world, alert)) == ([], [])


def test_a_later_charter_does_not_reach_back_and_history_is_not_told(tmp_path: Path) -> None:
    with Receiver() as receiver, make_house(tmp_path) as world:
        give_secret(world)
        alert = world.raise_alert(LAWN)
        world.publish(world.edited(*edits(webhook(receiver.url))))
        world.decide(alert)
        run(world)
        assert (receiver.got, world.records("notice_decided")) == ([], []), (
            "it was raised under a charter that told nobody"
        )
        world.decide(world.raise_alert(LAWN))
        world.raise_alert(FALLEN, kind="person_down")
        made = {"key": HISTORY_UNTIL, "value": str(world.clock.now())}
        world.house.store.commit(lambda tx: tx.insert("setting", made))
        run(world)
        assert receiver.got == []


# ---- law ---------------------------------------------------------------------------------------------------------


def test_nothing_leaves_without_its_record(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        world.decide(world.raise_alert(LAWN))
        world.break_the_log("notice_decided")
        with pytest.raises(CannotRecord):
            run(world)
        assert receiver.got == []
        world.mend_the_log()
        run(world)
        assert len(receiver.got) == 1


def test_what_arrived_and_cannot_be_recorded_is_not_sent_again_and_again(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        lane = lane_of(world)
        world.break_the_log("notice_settled")
        run(world, lane)
        run(world, lane)
        assert len(receiver.got) == 1
        world.mend_the_log()
        run(world, lane)
        assert (len(receiver.got), fates(world, alert)) == (1, [("confirmed", "delivered")])


def test_a_suspension_stops_what_waits_and_what_comes_and_both_are_told_as_withheld(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        first, second = world.raise_alert(LAWN), world.raise_alert(LAWN)
        world.decide(first)
        world.house.notifier.decide_new()
        order = world.suspend(LAWN)
        run(world)
        world.decide(second)
        run(world)
        assert receiver.got == []
        for alert in (first, second):
            (notice,) = told(world, alert)
            assert notice.outcome is Fate.WITHHELD
            assert "suspended" in notice.cause
        with pytest.raises(Refused, match="suspended"):
            world.permit(SendNotice("hook", LAWN, decided=True))
        world.house.hand_in(world.lift(order, LAWN))
        world.settle()
        permit = world.permit(SendNotice("hook", LAWN, decided=True))
        retry_notice(world.house.acting, world.grant(May.SETTLE_NOTICES), permit, told(world, second)[0].id)
        run(world)
        assert [got.headers["webhook-id"] for got in receiver.got] == [told(world, second)[0].id]
        assert fates(world, first) == [("confirmed", "withheld")]


def test_a_destination_that_left_the_charter_is_told_nothing_any_more(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        world.house.notifier.decide_new()
        world.publish(
            world.edited(
                ("  hook:\n", "  other:\n"), ("tell: [hook]", "tell: [other]"), ("tell: [hook]", "tell: [other]")
            )
        )
        with notifying(world):
            until(lambda: fates(world, alert) == [("confirmed", "withheld")])
        assert receiver.got == []


def test_the_permit_is_for_one_destination_one_rule_and_what_a_person_decided(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, _):
        now = world.clock.now()
        for asked in (
            SendNotice("elsewhere", LAWN, decided=True),
            SendNotice("hook", "in-the-bays", decided=True),
            SendNotice("hook", LAWN, decided=False),
            TryDestination("elsewhere"),
        ):
            with pytest.raises(Refused, match=r"does not let|only what a person"):
                decide(world.standing(), asked, now)
        alert = world.raise_alert(FALLEN, kind="person_down")
        draft = Draft("0" * 16, "e", "hook", FALLEN, alert.id, Status.CONFIRMED, b"{}")
        early = decide(world.standing(), SendNotice("hook", FALLEN, decided=False), now)
        with pytest.raises(Refused, match="not for the news"):
            send_notice(world.house.acting, early, draft)
        with pytest.raises(Refused, match="not for"):
            send_notice(world.house.acting, world.permit(SendNotice("hook", LAWN, decided=True)), draft)
        assert world.records("notice_decided") == []


def test_a_trial_and_the_demo_tell_nobody_far_away(tmp_path: Path) -> None:
    far = edits(webhook("https://alarm.example.org/hook"))
    for origin, allowed in (("demo.test.example", False), ("trial.test.example", False), ("test.example", True)):
        with make_house(tmp_path / origin, origin=origin, edits=far) as world:
            for asked in (SendNotice("hook", LAWN, decided=True), TryDestination("hook")):
                if allowed:
                    assert decide(world.standing(), asked, world.clock.now()).purpose == "lawn"
                else:
                    with pytest.raises(Refused, match="tell nobody far away"):
                        decide(world.standing(), asked, world.clock.now())


# ---- receivers that are down, slow, lying ------------------------------------------------------------------------


def test_it_is_tried_again_later_and_later_with_the_same_id_and_bytes(tmp_path: Path) -> None:
    with telling(tmp_path, [status(500), status(500), status(204)]) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        lane = lane_of(world)
        run(world, lane)
        run(world, lane)
        assert len(receiver.got) == 1, "not before its time"
        (notice,) = told(world, alert)
        assert (notice.tries, notice.cause, notice.outcome) == (1, "It answered 500.", None)
        assert SECOND <= notice.due_ms - world.clock.now() <= 1.5 * SECOND
        advance(world, 1500)
        run(world, lane)
        assert 2 * SECOND <= told(world, alert)[0].due_ms - world.clock.now() <= 3 * SECOND
        advance(world, 3000)
        run(world, lane)
        assert fates(world, alert) == [("confirmed", "delivered")]
        assert len(receiver.got) == 3
        assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 1
        assert len({got.headers["webhook-signature"] for got in receiver.got}) == 3
        assert len(world.records("notice_settled")) == 1, "attempts leave no records"


def test_after_half_an_hour_a_person_must_know(tmp_path: Path) -> None:
    with telling(tmp_path, [status(503)]) as (world, receiver):
        first, second = world.raise_alert(LAWN), world.raise_alert(LAWN)
        for alert in (first, second):
            world.decide(alert)
        lane = lane_of(world)
        while any(fate is None for alert in (first, second) for _, fate in fates(world, alert)) or not told(
            world, first
        ):
            run(world, lane)
            advance(world, 10 * SECOND)
        assert fates(world, first) == fates(world, second) == [("confirmed", "undelivered")]
        tries = sum(told(world, alert)[0].tries for alert in (first, second))
        assert tries == len(receiver.got)
        assert 20 < tries < 80, "a destination that is down is not hammered"
        assert GIVE_UP_MS <= told(world, first)[0].settled_ms - told(world, first)[0].made_ms < GIVE_UP_MS + 2 * MINUTE  # type: ignore[operator]
        assert [notice.cause for notice in undelivered(world.house.store.read())] == ["It answered 503."] * 2


def test_a_destination_that_is_down_rests_however_much_waits_for_it(tmp_path: Path) -> None:
    with telling(tmp_path, [status(503)] * 5 + [status(204)]) as (world, receiver):
        alerts = [world.raise_alert(LAWN) for _ in range(12)]
        for alert in alerts:
            world.decide(alert)
        lane = lane_of(world)
        run(world, lane)
        assert len(receiver.got) == TRIP
        for asked in (TRIP + 1, TRIP + 2):
            advance(world, MINUTE + MINUTE // 2)
            run(world, lane)
            assert len(receiver.got) == asked, "one notice tries whether it is back"
        advance(world, MINUTE + MINUTE // 2)
        run(world, lane)
        assert {fate for alert in alerts for fate in fates(world, alert)} == {("confirmed", "delivered")}


def test_gone_is_a_dead_letter_at_once_and_a_person_sends_again_or_gives_up(tmp_path: Path) -> None:
    with telling(tmp_path, [status(410), status(410), status(204)]) as (world, receiver):
        first, second = world.raise_alert(LAWN), world.raise_alert(LAWN)
        for alert in (first, second):
            world.decide(alert)
        run(world)
        assert [notice.outcome for notice in undelivered(world.house.store.read())] == [Fate.UNDELIVERED] * 2
        grant, acting = world.grant(May.SETTLE_NOTICES, Role.OPERATOR), world.house.acting
        permit = world.permit(SendNotice("hook", LAWN, decided=True))
        retry_notice(acting, grant, permit, told(world, first)[0].id)
        charter = world.standing().charter
        assert charter is not None
        give_up_notice(acting, grant, charter, told(world, second)[0].id)
        with pytest.raises(Problem, match="given up"):
            retry_notice(acting, grant, permit, told(world, second)[0].id)
        run(world)
        with pytest.raises(Problem, match="delivered"):
            give_up_notice(acting, grant, charter, told(world, first)[0].id)
        assert (fates(world, first), fates(world, second)) == (
            [("confirmed", "delivered")],
            [("confirmed", "given-up")],
        )
        assert receiver.got[0].headers["webhook-id"] == receiver.got[2].headers["webhook-id"]
        (retried,) = world.records("notice_retried")
        assert (retried.leaf.role, retried.fields["account"]) == ("operator", "operator")
        assert undelivered(world.house.store.read()) == ()


def test_without_its_secret_a_notice_waits_and_says_so(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        world.house.secrets.remove("hook_key")
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        run(world)
        assert "no secret" in told(world, alert)[0].cause
        give_secret(world)
        advance(world, 2 * SECOND)
        run(world)
        assert len(receiver.got) == 1


def test_no_log_ever_holds_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with telling(tmp_path, [status(500), status(204)]) as (world, _):
        world.decide(world.raise_alert(LAWN))
        run(world)
        give_secret(world, "whsec_short")
        world.decide(world.raise_alert(LAWN))
        advance(world, MINUTE)
        run(world)
        give_secret(world)
        advance(world, MINUTE)
        run(world)
        kept = repr([row for name, rows in world.state().items() for row in rows])
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "whsec_short"):
        assert secret not in caplog.text
        assert secret not in kept


def test_newer_news_overtake_older_and_one_that_fails_does_not_hold_up_others(tmp_path: Path) -> None:
    with telling(tmp_path, [status(400), status(204)]) as (world, receiver):
        alert = world.raise_alert(FALLEN, kind="person_down")
        lane = lane_of(world)
        run(world, lane)
        assert fates(world, alert) == [("unconfirmed", None)]
        world.decide(alert, VerdictValue.REJECT)
        other = world.raise_alert(LAWN)
        world.decide(other)
        run(world, lane)
        assert fates(world, alert) == [("unconfirmed", "overtaken"), ("rejected", "delivered")]
        assert fates(world, other) == [("confirmed", "delivered")]
        advance(world, MINUTE)
        run(world, lane)
        about = [json.loads(got.body)["event_type"] for got in receiver.got if alert.id.encode() in got.body]
        assert about == ["unconfirmed", "rejected"]
        assert told(world, alert)[0].cause == "It answered 400."


def test_nothing_to_tell_overtakes_nothing(tmp_path: Path) -> None:
    with telling(tmp_path, [status(500), status(500), status(204)]) as (world, receiver):
        alert = world.raise_alert(LAWN)
        lane = lane_of(world)
        world.decide(alert)
        run(world, lane)
        undo(world, alert)
        run(world, lane)
        world.decide(alert, VerdictValue.REJECT)
        advance(world, MINUTE)
        run(world, lane)
        assert [json.loads(got.body)["event_type"] for got in receiver.got] == ["confirmed", "withdrawn", "withdrawn"]
        assert fates(world, alert) == [("confirmed", "overtaken"), ("withdrawn", "delivered")]


def test_a_rule_gone_wild_does_not_bury_a_receiver(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, receiver):
        for _ in range(BURST + 5):
            world.decide(world.raise_alert(LAWN))
        lane = lane_of(world)
        run(world, lane)
        assert len(receiver.got) == BURST
        advance(world, 2 * PACE_MS)
        run(world, lane)
        assert len(receiver.got) == BURST + 2


def test_one_receiver_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    with Receiver([hangs]) as bad, Receiver() as good:
        both = webhook(bad.url, "hook") + webhook(good.url, "other")
        with make_house(tmp_path, edits=edits(both, tell="hook, other")) as world:
            give_secret(world)
            with notifying(world):
                alerts = [world.raise_alert(LAWN) for _ in range(3)]
                for alert in alerts:
                    world.decide(alert)
                until(lambda: len(good.got) == 3 and bad.got)
                until(lambda: all(("confirmed", "delivered") in fates(world, alert) for alert in alerts))
                assert all(("confirmed", None) in fates(world, alert) for alert in alerts)
                bad.let_go()


@contextmanager
def notifying(world: World) -> Iterator[None]:
    """The notifier at work in its own threads."""
    stop = threading.Event()
    thread = threading.Thread(target=world.house.notifier.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("watchglass-notices")}


def test_a_house_that_was_started_tells_and_a_rehearsal_over_files_does_not(tmp_path: Path) -> None:
    with telling(tmp_path, clock=SystemClock()) as (world, receiver):
        world.house.start(once=True)
        assert threads() == set()
        world.reopen().start()
        assert "watchglass-notices" in threads()
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        until(lambda: fates(world, alert) == [("confirmed", "delivered")])
        assert len(receiver.got) == 1
    assert threads() == set()


# ---- life and death ----------------------------------------------------------------------------------------------


def work(root: str) -> None:
    """Tell what is to be told, until killed."""
    with House(Path(root), clock=SystemClock()) as house:
        house.notifier.run(threading.Event())


def test_kill_9_while_it_is_sent_and_the_same_notice_arrives_after_the_restart(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with telling(tmp_path, [hangs, status(204)], clock=SystemClock()) as (world, receiver):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        world.settle()
        world.house.close()
        process = spawn.Process(target=work, args=(str(world.layout.root),), daemon=True)
        process.start()
        until(lambda: len(receiver.got) == 1)
        process.kill()
        process.join()
        world.house = House(world.layout.root, clock=world.clock)
        assert fates(world, alert) == [("confirmed", None)], "it was recorded before it left"
        run(world)
        assert fates(world, alert) == [("confirmed", "delivered")]
        assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
        assert receiver.got[0].body == receiver.got[1].body


def test_a_notice_goes_with_its_alert_when_retention_ends(tmp_path: Path) -> None:
    with telling(tmp_path) as (world, _):
        alert = world.raise_alert(LAWN)
        world.decide(alert)
        run(world)
        world.settle()
        charter = world.standing().charter
        assert charter is not None
        advance(world, 366 * DAY + HOUR)
        apply_retention(world.house.acting, charter)
        assert told(world, alert) == ()
        opened = {record.leaf.act for record in world.records() if record.fields}
        assert not {"notice_decided", "notice_settled"} & opened
