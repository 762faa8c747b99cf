"""The supervisor's rules, without worker processes: the reports are handed to it as a pipe would."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from watchglass.access.roles import May
from watchglass.acts.confirm_backdrop import confirm_backdrop, withdraw_backdrop
from watchglass.acts.view_clip import view_clip
from watchglass.bootstrap import MODEL, shipped
from watchglass.charter.permit import ConfirmBackdrop, ShowReviewerView
from watchglass.core.digest import sha256
from watchglass.core.errors import Refused
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.perception.messages import (
    BackdropProposal,
    BackdropRenewal,
    Clip,
    Health,
    Incident,
    SetBackdrop,
    SourceEnded,
    SourceSpec,
)
from watchglass.runtime import intake as rules
from watchglass.runtime.supervisor import Supervisor
from world import World, make_house

LAWN = "on-the-lawn"


def supervisor(world: World, models: dict[str, str] | None = None) -> Supervisor:
    house = world.house
    models = {MODEL: shipped().sha256} if models is None else models
    made = Supervisor(house.acting, house.standing, house.live, house.bus, media=world.layout.media, models=models)
    made._charter = house.standing().charter
    return made


def incident(world: World, number: int, **more: object) -> Incident:
    values: dict[str, object] = {
        "id": f"{number:016x}", "source": "street", "analytic": LAWN, "kind": "intrusion", "zone": "lawn",
        "at_ms": world.clock.now(), "score": 0.5, "why": "1 person inside 'lawn'", "facts": {}, "still": bytes(20_000),
        "boxes": (),
    }  # fmt: skip
    return Incident(**{**values, **more})  # type: ignore[arg-type]


def clip(number: int) -> Clip:
    return Clip(f"{number:016x}", "street", b"film %d" % number, 1.0, 0.5)


def waiting(world: World) -> list[str]:
    return [row["id"] for row in world.house.store.read().all("SELECT id FROM alert ORDER BY id")]


def test_while_the_disk_is_full_incidents_wait_in_order_and_none_is_lost(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    works = supervisor(world)
    works._take(incident(world, 1))
    world.fill_the_disk()
    with caplog.at_level(logging.ERROR):
        for number in (2, 3, 4):
            works._take(incident(world, number))
            works._take(clip(number))
        works.intake.retry()
        works.intake.retry()
    assert [record.message for record in caplog.records if "full" in record.message] == [caplog.records[0].message]
    assert waiting(world) == ["0000000000000001"]
    assert len(works.intake.backlog) == 6
    world.free_the_disk()
    works.intake.retry()
    assert waiting(world) == [f"{number:016x}" for number in (1, 2, 3, 4)]
    assert (works.tally.alerts, works.tally.lost, len(works.intake.backlog)) == ({"intrusion": 4}, 0, 0)
    seen = view_clip(
        world.house.acting, world.grant(May.SEE_CLIP), world.permit(ShowReviewerView("street", "lawn")), f"{3:016x}"
    )
    assert seen == b"film 3"


def confirmed_backdrop(world: World, png: bytes) -> None:
    permit, grant = world.permit(ConfirmBackdrop("street")), world.grant(May.CONFIRM_BACKDROP)
    confirm_backdrop(world.house.acting, grant, permit, "street", png)


def test_a_renewed_backdrop_is_shown_once_it_is_recorded(world: World) -> None:
    works, live = supervisor(world), world.house.live
    confirmed_backdrop(world, b"empty")
    works.backdrop_changed("street", "day")
    before = live.backdrop("street", "day")
    assert before is not None
    world.clock.advance(HOUR)
    works._take(BackdropRenewal("street", "day", world.clock.now(), sha256(b"empty"), b"renewed", 7))
    after = live.backdrop("street", "day")
    assert after is not None
    assert (after[1], after[2]) == (b"renewed", before[2])
    assert after[0] != before[0]
    assert works._wishes[-1] == ("street", SetBackdrop("street", "day", b"renewed"))
    assert len(world.records("backdrop_renewed")) == 1


def test_a_renewal_that_cannot_be_recorded_is_not_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    works, live = supervisor(world), world.house.live
    confirmed_backdrop(world, b"empty")
    works.backdrop_changed("street", "day")
    wishes = len(works._wishes)
    renewal = BackdropRenewal("street", "day", world.clock.now(), sha256(b"empty"), b"renewed", 7)
    world.break_the_log("backdrop_renewed")
    with caplog.at_level(logging.WARNING):
        works._take(renewal)
        world.mend_the_log()
        works._take(replace(renewal, base_sha256=sha256(b"withdrawn since")))
        world.suspend()
        works._take(renewal)
    assert sum("was not renewed" in record.message for record in caplog.records) == 3
    shown = live.backdrop("street", "day")
    assert shown is not None
    assert (shown[1], len(works._wishes)) == (b"empty", wishes)


def stands(world: World) -> bytes | None:
    found = world.house.live.backdrop("street", "day")
    return found[1] if found else None


def test_a_backdrop_that_is_withdrawn_while_another_act_is_told_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, live, tell = supervisor(world), world.house.live, world.house.live.set_backdrop
    permit, grant = world.permit(ConfirmBackdrop("street")), world.grant(May.CONFIRM_BACKDROP)
    confirmed_backdrop(world, b"somebody is in it")
    withdrawing: list[threading.Thread] = []

    def withdraw() -> None:
        withdraw_backdrop(world.house.acting, grant, permit, "street")
        works.backdrop_changed("street", "day")

    def told(*args: Any) -> None:
        if not withdrawing:
            withdrawing.append(threading.Thread(target=withdraw))
            withdrawing[0].start()
            withdrawing[0].join(1)  # where it need not wait for its turn, it is through by then
        tell(*args)

    monkeypatch.setattr(live, "set_backdrop", told)
    works.backdrop_changed("street", "day")
    withdrawing[0].join()
    assert stands(world) is None
    assert works._wishes[-1] == ("street", SetBackdrop("street", "day", None))


def test_a_worker_that_starts_again_gets_the_backdrops_of_now(world: World) -> None:
    works = supervisor(world)
    started = SourceSpec("street", "street.mp4", (), backdrops=(("day", b"withdrawn since"),))
    assert works.crew._again(started).backdrops == ()
    confirmed_backdrop(world, b"empty")
    again = works.crew._again(started)
    assert again == replace(started, backdrops=(("day", b"empty"),))


def test_where_a_new_charter_cannot_be_followed_yet_its_public_view_can(world: World) -> None:
    works = supervisor(world)
    version = int(world.text.split("version: ", 1)[1].split(maxsplit=1)[0])
    works._live.follow(works._charter)  # type: ignore[arg-type]  # there is one
    world.clock.advance(MINUTE)
    text = world.text.replace(f"version: {version}", f"version: {version + 1}")
    world.publish(text.replace("    never_see:", "    never_show: [[[9, 9], [99, 9], [99, 99]]]\n    never_see:"))
    assert world.house.live.seen("street", world.house.standing().charter) is None
    world.break_the_log("run_started")
    works._follow(world.house.standing())
    assert works._charter is None
    assert world.house.live.seen("street", world.house.standing().charter) is not None


def test_what_workers_say_after_their_charter_is_not_shown(world: World) -> None:
    works, live = supervisor(world), world.house.live
    charter = world.house.standing().charter
    assert charter is not None
    confirmed_backdrop(world, b"empty")
    works.backdrop_changed("street", "day")
    works._live.follow(charter)
    works._charter = None
    works._take(BackdropProposal("street", world.clock.now(), b"png", 0.9))
    works._take(BackdropRenewal("street", "day", world.clock.now(), sha256(b"empty"), b"renewed", 7))
    assert (live.proposal("street"), stands(world)) == (None, b"empty")
    works._charter = charter
    works._take(BackdropProposal("street", world.clock.now(), b"png", 0.9))
    assert live.proposal("street") is not None


def test_a_locked_database_loses_nothing(world: World) -> None:
    works = supervisor(world)
    with world.locked():
        works._take(incident(world, 1))
        works._take(incident(world, 2))
        assert waiting(world) == []
    works.intake.retry()
    assert waiting(world) == [f"{number:016x}" for number in (1, 2)]


def test_the_oldest_give_way_when_too_many_wait_and_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "BACKLOG", 2)
    works = supervisor(world)
    with world.locked():
        for number in (1, 2, 3):
            works._take(incident(world, number))
    works.intake.retry()
    assert waiting(world) == [f"{number:016x}" for number in (2, 3)]
    assert works.tally.lost == 1


def test_one_incident_that_cannot_be_recorded_does_not_stop_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    works = supervisor(world)
    works._take(incident(world, 1, why="x" * 501))
    works._take(incident(world, 2))
    assert waiting(world) == [f"{2:016x}"]
    assert works.tally.lost == 1
    assert "is lost" in caplog.text


def test_what_the_charter_does_not_allow_is_not_recorded(world: World) -> None:
    works = supervisor(world)
    world.suspend(LAWN)
    works._take(incident(world, 1))
    assert (waiting(world), works.tally.refused) == ([], 1)


def test_a_clip_of_an_alert_that_was_not_raised_is_dropped(world: World) -> None:
    works = supervisor(world)
    works._take(clip(9))
    assert world.files() == {}


def health(world: World, *running: str, at: int = 0, source: str = "street") -> Health:
    return Health(source, world.clock.now() + at, 10.0, 1.0, 1, 1, 1, running)


def obeyed(world: World) -> list[int]:
    return [record.leaf.clear["within_ms"] for record in world.records("suspension_obeyed")]


def test_an_order_is_obeyed_only_when_every_source_has_said_so_since(world: World) -> None:
    works = supervisor(world)
    works._take(health(world, LAWN, "gathering"))
    works._take(health(world, source="yard"))
    world.clock.advance(100)  # type: ignore[attr-defined]
    world.suspend(LAWN)
    works._obeyed(world.standing())
    works._take(health(world, "gathering", at=-50))  # written before the order
    works._obeyed(world.standing())
    world.clock.advance(300)  # type: ignore[attr-defined]
    works._take(health(world, "gathering"))
    works._obeyed(world.standing())
    assert obeyed(world) == []  # the yard has not spoken since
    world.clock.advance(200)  # type: ignore[attr-defined]
    works._take(health(world, source="yard"))
    works._obeyed(world.standing())
    works._obeyed(world.standing())
    assert obeyed(world) == [500]


def test_an_order_is_not_called_obeyed_while_something_still_says_that_it_runs(world: World) -> None:
    works = supervisor(world)
    world.suspend()
    for _ in range(4):
        world.clock.advance(SECOND)  # type: ignore[attr-defined]
        works._take(health(world, LAWN))
        works._obeyed(world.standing())
    assert obeyed(world) == []
    works._take(SourceEnded("street", 1, 1.0, 1.0, 1.0))  # what has ended runs nothing
    works._obeyed(world.standing())
    assert obeyed(world) == [4000]


def test_that_an_order_was_obeyed_is_recorded_once_there_is_room(world: World) -> None:
    works = supervisor(world)
    world.suspend()
    with world.locked():
        works._obeyed(world.standing())
    assert obeyed(world) == []
    works._obeyed(world.standing())
    assert obeyed(world) == [0]


def test_a_start_that_cannot_be_recorded_does_not_start(world: World) -> None:
    works = supervisor(world)
    works._charter = None
    with world.locked():
        works._follow(world.standing())
        assert (works.crew.workers, works._charter, works._run) == ([], None, None)
    assert world.records("run_started") == []


def test_a_model_of_another_hash_is_refused(world: World) -> None:
    for installed in ({MODEL: "0" * 64}, {}):
        works = supervisor(world, installed)
        works._charter = None
        with pytest.raises(Refused, match="another hash"):
            works._follow(world.standing())
        assert works.crew.workers == []
    assert world.records("run_started") == []


def test_a_source_that_ended_with_an_error_is_shown_as_lost(world: World) -> None:
    works = supervisor(world)
    works._take(replace(health(world, LAWN), frames=7))
    works._take(SourceEnded("street", 7, 1.0, 1.0, 1.0, "the file is truncated"))
    works._take(SourceEnded("yard", 0, 0.0, 0.0, 0.0, "no such file"))
    shown = world.house.live.health()
    assert {name: (line.fault, line.frames, line.running) for name, line in shown.items()} == {
        "street": ("lost", 7, ()), "yard": ("lost", 0, ()),
    }  # fmt: skip


def test_without_a_charter_nothing_starts(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False) as world:
        works = supervisor(world)
        works._follow(world.standing())
        assert works.crew.workers == []
        works.wake()
        for _ in range(70_000):  # more than the pipe holds: waking never blocks
            works.wake()
