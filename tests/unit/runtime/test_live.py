"""What pages may see now: marks pass the charter's delay and threshold, and nothing is kept that may not be shown."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from watchglass.bootstrap import VirtualClock
from watchglass.charter.model import PublicView
from watchglass.core.geometry import Polygon
from watchglass.core.time import MINUTE, SECOND
from watchglass.perception.messages import BackdropProposal, Health, Pin, Pins
from watchglass.runtime.bus import Bus
from watchglass.runtime.easel import Seen, Stage
from watchglass.runtime.live import Live, health_json
from watchglass.views.timeline import SLOT_MS, Shown
from world import NOON, World

MARKS = (Pin(10, 20, 0), Pin(30, 40, 1))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def rules(world: World) -> PublicView:
    charter = world.standing().charter
    assert charter is not None
    return charter.safeguards.public_view


def live(clock: VirtualClock, rules: PublicView, never_show: tuple[Polygon, ...] = ()) -> Live:
    made = Live(Bus(), clock)
    made.configure({"street": rules}, {"street": never_show})
    made.opened("street", 640, 480)
    made.set_backdrop("street", "day", "1", b"png", clock.now())
    return made


def pins(clock: VirtualClock, marks: tuple[Pin, ...] = MARKS, light: tuple[int, ...] = ()) -> Pins:
    return Pins("street", clock.now(), marks, sum(pin.kind == 0 for pin in marks), "day", light=light)


def seen(made: Live) -> Seen:
    found = made.seen("street")
    assert found is not None
    return found


def shown(made: Live) -> Shown:
    found = seen(made).shown
    assert found is not None
    return found


def test_marks_are_shown_late(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=15 * MINUTE, hide_below=0))
    made.take_pins(pins(clock))
    clock.advance(15 * MINUTE - 1)
    assert seen(made).shown is None
    assert seen(made).stage is None
    clock.advance(1)
    assert (shown(made).marks, shown(made).people) == (((10, 20, 0), (30, 40, 1)), 1)


def test_few_people_are_not_shown(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=3))
    three = tuple(Pin(x, 100, 0) for x in (100, 200, 300))
    for _ in range(2 * SLOT_MS // SECOND):
        clock.advance(SECOND)
        made.take_pins(pins(clock, three))
    assert (shown(made).hidden, shown(made).people) == (False, 3)
    clock.advance(SECOND)
    made.take_pins(pins(clock, three[:2]))
    assert (shown(made).hidden, shown(made).people, shown(made).marks) == (True, None, ())


def test_what_is_never_shown_is_neither_marked_nor_counted(clock: VirtualClock, rules: PublicView) -> None:
    door = Polygon(((90.0, 90.0), (110.0, 90.0), (110.0, 110.0), (90.0, 110.0)))
    made = live(clock, replace(rules, delay_ms=0, hide_below=0), (door,))
    made.take_pins(pins(clock, (Pin(100, 100, 0), Pin(300, 300, 0), Pin(66, 100, 0))))
    assert (shown(made).marks, shown(made).people) == (((300, 300, 0),), 1)
    hidden = seen(made).hidden
    assert hidden is not None
    assert hidden[64:128, 64:128].all()
    assert hidden.sum() == 64 * 64


def test_where_no_confirmed_view_is_in_front_of_the_camera_nothing_is_shown_but_the_reason(
    clock: VirtualClock, rules: PublicView
) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=0))
    made.take_pins(Pins("street", clock.now(), MARKS, 1, unsure="the camera is covered"))
    assert (shown(made).marks, shown(made).people, shown(made).unsure) == ((), None, "the camera is covered")
    assert seen(made).stage is None


def test_a_withdrawn_backdrop_takes_the_marks_with_it(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=0))
    made.take_pins(pins(clock))
    assert (seen(made).stage, len(seen(made).marks)) == (Stage("day", "1", b"png", NOON), 2)
    made.set_backdrop("street", "day", "", None)
    assert (seen(made).stage, seen(made).marks) == (None, ())


def test_the_light_of_the_empty_scene_follows_once_a_minute(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=0))
    lights = []
    for n in range(80):
        made.take_pins(pins(clock, light=(64 + n,) * 12))
        stage = seen(made).stage
        assert stage is not None
        lights.append(stage.light[0] - 64)
        clock.advance(2 * SECOND)
    assert lights == [0] * 30 + [30] * 30 + [60] * 20
    made.set_backdrop("street", "day", "2", b"other")
    made.take_pins(pins(clock, light=(70,) * 12))
    stage = seen(made).stage
    assert stage is not None
    assert (stage.version, stage.light[0]) == ("2", 70), "another scene comes in its own light at once"


def test_a_name_of_what_is_shown_changes_with_version_and_light() -> None:
    names = {
        Stage("day", "1", b"", 0).token,
        Stage("day", "2", b"", 0).token,
        Stage("infrared", "1", b"", 0).token,
        Stage("day", "1", b"", 0, (64,) * 12).token,
        Stage("day", "1", b"", 0, (64,) * 11 + (65,)).token,
    }
    assert len(names) == 5
    assert "day.1.even" in names


def test_news_is_told_once_for_each_change(clock: VirtualClock, rules: PublicView) -> None:
    bus = Heard()
    made = Live(bus, clock)
    made.configure({"street": replace(rules, delay_ms=0, hide_below=0)})
    made.opened("street", 640, 480)
    made.set_backdrop("street", "day", "1", b"png")
    bus.told.clear()
    for marks in (MARKS, MARKS, MARKS[:1], MARKS[:1], MARKS[:1]):
        clock.advance(250)
        made.take_pins(pins(clock, marks))
        made.tick()
    assert bus.told == ["pins:street"] * 2


class Heard(Bus):
    """The real bus, which also remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def publish(self, topic: str, event: Any) -> None:
        self.told.append(topic)
        super().publish(topic, event)


def test_a_source_that_the_charter_no_longer_has_is_gone(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, rules)
    made.take_pins(Pins("yard", clock.now(), MARKS, 2, "day"))
    assert made.seen("yard") is None
    made.configure({"yard": rules})
    assert made.seen("street") is None
    assert made.seen("yard") is not None


CORNER = Polygon(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)))


@pytest.mark.parametrize("change", ["delay_ms", "hide_below", "grid_m", "never_show", "never_see"])
def test_other_rules_forget_what_was_kept_under_the_old(clock: VirtualClock, rules: PublicView, change: str) -> None:
    rules = replace(rules, delay_ms=0, hide_below=0)
    made = live(clock, rules)
    made.take_pins(pins(clock))
    made.take_proposal(BackdropProposal("street", clock.now(), b"png", 0.9))
    made.configure({"street": rules})
    assert seen(made).shown is not None
    assert made.proposal("street") is not None
    if change.startswith("never"):
        made.configure({"street": rules}, **{change: {"street": (CORNER,)}})
    else:
        made.configure({"street": replace(rules, **{change: 5})})
    assert seen(made).shown is None
    assert made.proposal("street") is None


def test_what_is_taken_out_of_the_empty_scene_is_part_of_its_name(clock: VirtualClock, rules: PublicView) -> None:
    rules = replace(rules, delay_ms=0, hide_below=0)
    names = set()
    for never_show, never_see in (((), ()), ((CORNER,), ()), ((), (CORNER,))):
        made = live(clock, rules)
        made.configure({"street": rules}, {"street": never_show}, {"street": never_see})
        made.take_pins(pins(clock))
        stage = seen(made).stage
        assert stage is not None
        names.add(stage.token)
    assert len(names) == 3


def test_a_proposal_of_another_size_cannot_be_confirmed_any_more(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, rules)
    made.take_proposal(BackdropProposal("street", clock.now(), b"png", 0.9))
    made.opened("street", 640, 480)
    assert made.proposal("street") is not None
    made.opened("street", 320, 240)
    assert made.proposal("street") is None


def test_pictures_of_another_size_make_older_moments_meaningless(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=0))
    made.take_pins(pins(clock))
    made.opened("street", 640, 480)
    assert seen(made).shown is not None
    made.opened("street", 320, 240)
    assert seen(made).shown is None


def test_health_backdrops_and_sizes(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, rules)
    line = Health("street", clock.now(), 9.999, 0.12345, 1, 2, 3, ("a",), {"late_ms": 4}, "black", 0.5)
    made.take_health(line)
    assert made.health() == {"street": line}
    assert health_json(line)["open_share"] == 0.123
    made.opened("street", 768, 576)
    assert (made.size("street"), made.size("yard")) == ((768, 576), None)
    made.set_backdrop("street", "day", "3", b"png", 77)
    made.set_backdrop("street", "infrared", "4", b"dark", 78)
    assert made.backdrop("street", "day") == ("3", b"png", 77)
    made.set_backdrop("street", "day", "", None)
    assert made.backdrop("street", "day") is None
    assert made.backdrop("street", "infrared") == ("4", b"dark", 78)
    proposal = BackdropProposal("street", clock.now(), b"png", 0.9)
    made.take_proposal(proposal)
    assert made.proposal("street") == proposal
    asked: list[tuple[str, str]] = []
    made.ask = lambda source, scene: asked.append((source, scene))
    made.ask_proposal("street")
    made.ask_proposal("street", "infrared")
    assert asked == [("street", ""), ("street", "infrared")]


class Counting:
    """A clock that goes on by a millisecond whenever somebody looks at it."""

    def __init__(self) -> None:
        self._count = itertools.count(NOON)

    def now(self) -> int:
        return next(self._count)


def test_pages_and_the_house_ask_at_the_same_time_and_nobody_sees_it_blink(rules: PublicView) -> None:
    bus, clock = Heard(), Counting()
    made = Live(bus, clock)
    made.configure({"street": replace(rules, delay_ms=0, hide_below=0)})
    made.opened("street", 640, 480)
    made.set_backdrop("street", "day", "1", b"png")
    made.take_pins(Pins("street", clock.now(), MARKS, 1, "day"))
    bus.told.clear()

    def ask(n: int) -> bool:
        if n % 8 == 0:
            made.take_pins(Pins("street", clock.now(), MARKS, 1, "day"))
        made.tick()
        found = made.seen("street")
        return found is not None and found.shown is not None

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as many:
            assert all(many.map(ask, range(4000)))
    finally:
        sys.setswitchinterval(switching)
    assert bus.told == []
