"""Who is told when a limit stops an analytic: through their destinations, once, in words, and nothing of any alert."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from limited import limited
from telling import Receiver, edits, give_secret, status, webhook
from watchglass.acts.judged import open_stop
from watchglass.acts.notices import Fate, Status, latest
from watchglass.charter.permit import SendNotice, TellStop
from watchglass.core.errors import Refused
from watchglass.core.time import MINUTE
from watchglass.edge.clock import VirtualClock
from watchglass.review.model import VerdictValue
from watchglass.runtime.lane import Backoff, Lane
from world import World, make_house

LAWN = "on-the-lawn"


@contextmanager
def stopped(folder: Path, roles: str = "    roles: [oversight]\n") -> Iterator[tuple[World, Receiver]]:
    """A world whose limit has stopped an analytic; its destination is that of ``roles``."""
    with Receiver((status(204),)) as receiver:
        made = [*limited(), *edits(webhook(receiver.url) + roles)]
        with make_house(folder, edits=made) as world:
            give_secret(world)
            assert isinstance(world.clock, VirtualClock)
            while open_stop(world.house.store.read(), LAWN) is None:
                world.house.limits.look()
                world.decide(world.raise_alert(LAWN), VerdictValue.REJECT)
                world.clock.advance(MINUTE)
                world.house.limits.look()
            yield world, receiver


def post(world: World) -> None:
    """Decide about what is new, and send all that may leave now."""
    world.house.notifier.decide_new()
    charter = world.standing().charter
    assert charter is not None
    sender = world.house.notifier._connect(charter.destination("hook"), charter, frozenset())
    lane = Lane(world.house.acting, world.standing, charter.destination("hook"), sender, Backoff(world.house.entropy))
    while lane.step():
        pass


def resume(world: World, stop: bytes) -> None:
    """The authority proposes, oversight signs, witnesses cosign, and the house looks."""
    changed = {"what_changed": "The zone was drawn anew."}
    proposal = world.sign("resumption_proposed", "authority", {"analytic": LAWN}, changed, refs=[stop])
    world.house.hand_in(proposal)
    leaf = world.records("resumption_proposed")[-1].hash
    reason = {"reason": "It was looked at."}
    world.house.hand_in(world.sign("analytic_resumed", "oversight", {"analytic": LAWN}, reason, refs=[stop, leaf]))
    world.settle()
    world.house.limits.look()


def stops_of(world: World) -> list[tuple[Status, Fate | None]]:
    found = reversed(latest(world.house.store.read()))
    return [(each.status, each.outcome) for each in found if each.alert is None]


def test_a_role_hears_what_stopped_why_and_what_people_do_and_nothing_of_alerts(tmp_path: Path) -> None:
    with stopped(tmp_path) as (world, receiver):
        post(world)
        post(world)
        (got,) = receiver.got  # on trial nothing else left
        said: dict[str, Any] = json.loads(got.body)
        assert (said["type"], said["event_type"]) == ("analytic.stopped", "stopped")
        data = said["data"]
        assert data["what"] == {"analytic": LAWN, "kind": "intrusion", "life_safety": False}
        assert data["stop"]["limit"] == "precision_at_least"
        assert data["stop"]["page"].endswith(f"/register/analytics/{LAWN}")
        stop = world.standing().charter.safeguards.on_suspension  # type: ignore[union-attr]  # there is one
        assert stop is not None
        assert data["stop"]["people_do"] == stop.people_do
        assert [data[key] for key in ("alert", "where", "when", "how_sure", "card")] == [None] * 5
        assert data["confirmed"] is False
        assert stops_of(world) == [(Status.STOPPED, Fate.DELIVERED)]
        record = world.records("notice_decided")[-1]
        assert (record.leaf.clear, record.leaf.refs, record.fields["alert"]) == ({}, (), None)
        assert record.fields["status"] == "stopped"


def test_it_is_told_too_while_oversight_has_stopped_everything(tmp_path: Path) -> None:
    with stopped(tmp_path) as (world, receiver):
        world.suspend(LAWN)
        post(world)
        assert len(receiver.got) == 1


def test_that_it_runs_again_is_told_with_what_a_trial_means(tmp_path: Path) -> None:
    with stopped(tmp_path) as (world, receiver):
        post(world)
        stop = open_stop(world.house.store.read(), LAWN)
        assert stop is not None
        resume(world, stop.leaf_hash)
        post(world)
        again = json.loads(receiver.got[1].body)
        assert again["event_type"] == "resumed"
        assert "on trial" in again["data"]["words"]
        assert again["data"]["stop"]["resumed"] is not None
        assert stops_of(world) == [(Status.STOPPED, Fate.DELIVERED), (Status.RESUMED, Fate.DELIVERED)]


def test_a_destination_of_no_named_role_hears_nothing(tmp_path: Path) -> None:
    for number, roles in enumerate(("", "    roles: [clerk]\n")):
        with stopped(tmp_path / str(number), roles) as (world, receiver):
            post(world)
            assert receiver.got == []
            assert stops_of(world) == []
            with pytest.raises(Refused, match="does not let"):
                world.permit(TellStop("hook", LAWN))


def test_a_stop_gives_no_leave_to_tell_of_alerts(tmp_path: Path) -> None:
    with stopped(tmp_path) as (world, _receiver):
        world.permit(TellStop("hook", LAWN))
        with pytest.raises(Refused, match="is on trial"):
            world.permit(SendNotice("hook", LAWN, decided=True))
