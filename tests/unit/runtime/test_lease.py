"""What a worker is told: specs from the charter, and a lease that says what may run, and until when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.bootstrap import VirtualClock
from watchglass.charter.decide import LEASE_MS, in_force
from watchglass.charter.parse import parse
from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.runtime.specs import lease_of, specs_of
from world import NOON, World, make_house

ALL = {"gathering", "on-the-lawn", "entrance-only", "in-the-bays", "camera"}


def running(world: World) -> tuple[set[str], set[str], int]:
    lease = lease_of(world.standing(), world.clock.now())
    return {name for _, name in lease.running}, set(lease.look), lease.until_ms - world.clock.now()


def suspend_each(world: World) -> None:
    for name in sorted(ALL):
        world.suspend(name)


STANDINGS: dict[str, tuple[Callable[[World], object], set[str], set[str]]] = {
    "in force": (lambda _: (), ALL, {"street"}),
    "one analytic suspended": (lambda w: w.suspend("on-the-lawn"), ALL - {"on-the-lawn"}, {"street"}),
    "everything suspended": (lambda w: w.suspend(), set(), set()),
    "every analytic suspended": (suspend_each, set(), set()),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_what_runs_under_each_standing(world: World, name: str) -> None:
    happen, runs, looks = STANDINGS[name]
    happen(world)
    assert running(world) == (runs, looks, LEASE_MS if runs else 0)


def test_nothing_runs_before_a_witness_has_cosigned(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False) as world:
        assert running(world) == (set(), set(), 0)
        world.publish(cosign=False)
        assert running(world) == (set(), set(), 0)
        world.witnessed()
        world.settle()
        assert running(world)[0] == ALL


def test_an_approval_that_is_missing_stops_everything(world: World) -> None:
    world.house.store.commit(lambda tx: tx.execute("DELETE FROM charter_approval WHERE as_role = 'oversight'"))
    assert running(world) == (set(), set(), 0)


def test_a_lease_ends_with_the_charter_and_nothing_runs_after_it(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    _, end = in_force(parse(world.text.encode()))
    clock.set(end - 700)
    assert running(world) == (ALL, {"street"}, 700)
    clock.set(end)
    assert running(world) == (set(), set(), 0)


def test_nothing_runs_before_the_first_day(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False, clock=VirtualClock(NOON)) as world:
        world.text = world.text.replace('from: "2026-11-23"', 'from: "2026-11-24"')
        world.publish()
        assert running(world) == (set(), set(), 0)
        world.clock.advance(12 * HOUR)  # type: ignore[attr-defined]
        assert running(world)[0] == ALL


def test_an_analytic_keeps_its_hours(tmp_path: Path) -> None:
    hours = ("of: [person]\n    for: 1s\n", 'of: [person]\n    for: 1s\n    hours: "12:30-13:00"\n')
    with make_house(tmp_path, edits=(hours,)) as world:
        clock = world.clock
        assert isinstance(clock, VirtualClock)
        assert running(world)[0] == ALL - {"on-the-lawn"}
        clock.advance(30 * MINUTE)
        assert running(world)[0] == ALL
        clock.advance(30 * MINUTE - SECOND)
        assert running(world) == (ALL, {"street"}, SECOND)
        clock.advance(SECOND)
        assert running(world)[0] == ALL - {"on-the-lawn"}


def test_specs_say_what_the_charter_says(world: World) -> None:
    charter = parse(world.text.encode())
    (spec,) = specs_of(charter, world.layout.media, lambda _: (("day", b"png"),), realtime=True, start_ms=5)
    assert (spec.name, spec.loop, spec.realtime, spec.grid_m) == ("street", True, True, 0.5)
    assert spec.backdrops == (("day", b"png"),)
    assert spec.uri == str(world.layout.media / "street.mp4")
    assert {analytic.name: analytic.kind for analytic in spec.analytics} == {
        "gathering": "crowd_density", "on-the-lawn": "intrusion", "entrance-only": "wrong_way",
        "in-the-bays": "intrusion", "camera": "camera_fault",
    }  # fmt: skip
    zone = spec.analytics[0].zone
    assert zone is not None
    assert (zone.name, zone.area_m2, zone.polygon[0]) == ("assembly-point", 30.8, (360.0, 225.0))
    assert len(spec.never_see) == 1
    (once,) = specs_of(charter, world.layout.media, lambda _: (), realtime=False, start_ms=5)
    assert (once.loop, once.realtime, once.start_ms) == (False, False, 5)


def test_a_file_lies_in_the_media_folder(world: World, tmp_path: Path) -> None:
    charter = parse(world.text.encode())
    (world.layout.media / "street.mp4").symlink_to(tmp_path / "outside.mp4")
    with pytest.raises(BadInput, match="outside the media folder"):
        specs_of(charter, world.layout.media, lambda _: None, realtime=True, start_ms=0)
