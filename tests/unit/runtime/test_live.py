"""What pages may see now: marks pass the charter's delay and threshold, and nothing is kept that may not be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.bootstrap import VirtualClock
from watchglass.charter.model import PublicView
from watchglass.core.time import MINUTE, SECOND
from watchglass.perception.messages import BackdropProposal, Health, Pin, Pins
from watchglass.runtime.bus import Bus
from watchglass.runtime.live import Live, health_json
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


def live(clock: VirtualClock, rules: PublicView) -> Live:
    made = Live(Bus(), clock)
    made.configure({"street": rules})
    return made


def pins(clock: VirtualClock, people: int = 1) -> Pins:
    return Pins("street", clock.now(), MARKS, people)


def test_marks_are_shown_late(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=15 * MINUTE, hide_below=0))
    made.take_pins(pins(clock))
    clock.advance(15 * MINUTE - 1)
    shown = made.pins("street")
    assert shown is not None
    assert (shown["known"], shown["pins"], shown["people"]) == (False, [], None)
    clock.advance(1)
    shown = made.pins("street")
    assert shown is not None
    assert (shown["known"], shown["pins"], shown["people"]) == (True, [[10, 20, 0], [30, 40, 1]], 1)


def test_few_people_are_not_shown(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=3))
    for people, hidden in ((2, True), (3, False)):
        clock.advance(SECOND)
        made.take_pins(pins(clock, people))
        shown = made.pins("street")
        assert shown is not None
        assert (shown["hidden"], bool(shown["pins"])) == (hidden, not hidden)
        if hidden:
            assert shown["people"] in (None, 0)


def test_a_source_that_the_charter_no_longer_has_is_gone(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, rules)
    made.take_pins(Pins("yard", clock.now(), MARKS, 2))
    assert made.pins("yard") is None
    made.configure({"yard": rules})
    assert made.pins("street") is None
    assert made.pins("yard") is not None


def test_a_longer_delay_forgets_what_could_be_shown_sooner(clock: VirtualClock, rules: PublicView) -> None:
    made = live(clock, replace(rules, delay_ms=0, hide_below=0))
    made.take_pins(pins(clock))
    made.configure({"street": replace(rules, delay_ms=MINUTE, hide_below=0)})
    shown = made.pins("street")
    assert shown is not None
    assert not shown["known"]


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
