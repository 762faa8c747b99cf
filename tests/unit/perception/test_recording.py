"""Which packets are kept: whole groups around incidents, nothing twice, nothing else, and all where all is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.perception import recording
from watchglass.perception.ports import Packet
from watchglass.perception.recording import Kept, Recording

SECOND = 1000


def packets(seconds: int, *, fps: int = 5, group: int = 2) -> Iterator[Packet]:
    """A stream that begins at 0, with a keyframe every ``group`` seconds."""
    for place in range(seconds * fps):
        yield Packet(place * SECOND // fps, place % (group * fps) == 0, 1000, place)


def run(
    kept: Recording, seconds: int, incidents: dict[int, tuple[str, str]] | None = None, *, fps: int = 5
) -> list[Kept]:
    """Everything that is kept of a stream; ``incidents`` are raised at their time."""
    waiting = dict(incidents or {})
    found = []
    for packet in packets(seconds, fps=fps):
        for at in [at for at in waiting if at <= packet.at_ms]:
            kept.want(*waiting.pop(at), at)
        found += kept.keep(packet)
    return [*found, *kept.finish()]


def incidents_only(**more: int) -> Recording:
    values = {"before_ms": 20 * SECOND, "after_ms": 40 * SECOND, "segment_ms": 10 * SECOND, **more}
    return Recording("street", "safety", **values)  # type: ignore[arg-type]


def test_without_an_incident_nothing_is_kept() -> None:
    assert run(incidents_only(), 120) == []


def test_around_an_incident_whole_groups_are_kept_from_before_until_after() -> None:
    found = run(incidents_only(), 300, {100 * SECOND: ("lawn", "a" * 16)})
    assert found[0].from_ms == 80 * SECOND
    assert found[-1].to_ms == 140 * SECOND
    assert all(each.packets[0].keyframe for each in found)
    assert all(before.to_ms == after.from_ms for before, after in pairwise(found))
    assert [each.to_ms - each.from_ms for each in found] == [10 * SECOND] * 6
    assert {(each.analytic, each.incident, each.purpose) for each in found} == {("lawn", "a" * 16, "safety")}


def test_what_two_incidents_share_is_kept_once() -> None:
    found = run(incidents_only(), 300, {100 * SECOND: ("lawn", "a" * 16), 120 * SECOND: ("bays", "b" * 16)})
    payloads = [packet.payload for each in found for packet in each.packets]
    assert len(payloads) == len(set(payloads))
    assert (found[0].from_ms, found[-1].to_ms) == (80 * SECOND, 160 * SECOND)


def test_incidents_far_apart_leave_a_gap() -> None:
    found = run(incidents_only(), 400, {60 * SECOND: ("lawn", "a" * 16), 250 * SECOND: ("lawn", "b" * 16)})
    gaps = [(before.to_ms, after.from_ms) for before, after in pairwise(found) if before.to_ms != after.from_ms]
    assert gaps == [(100 * SECOND, 230 * SECOND)]
    assert next(each.incident for each in found if each.from_ms >= 230 * SECOND) == "b" * 16


def test_where_all_is_recorded_nothing_is_missing() -> None:
    kept = Recording("street", "safety", before_ms=0, after_ms=0, segment_ms=10 * SECOND, always=True)
    found = run(kept, 95)
    assert [packet.payload for each in found for packet in each.packets] == list(range(95 * 5))
    assert {each.incident for each in found} == {None}


def test_when_nothing_may_be_looked_at_all_is_forgotten() -> None:
    kept = incidents_only()
    stream = list(packets(60))
    for packet in stream[:200]:
        list(kept.keep(packet))
    kept.want("lawn", "a" * 16, 40 * SECOND)
    kept.clear()
    assert [each for packet in stream[200:] for each in kept.keep(packet)] == []
    assert list(kept.finish()) == []


def test_after_a_break_the_stream_begins_anew() -> None:
    kept = incidents_only()
    stream = list(packets(60))
    kept.want("lawn", "a" * 16, 0)
    first = [each for packet in stream[:52] for each in kept.keep(packet)]
    first += kept.finish(stream[52].at_ms)
    rest = [each for packet in stream[103:] for each in kept.keep(packet)]
    rest += kept.finish()
    assert [packet.payload for each in first for packet in each.packets] == list(range(52))
    assert rest[0].packets[0].keyframe, "nobody can decode what comes before the next keyframe"
    assert rest[0].packets[0].payload == 110


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_BYTES", 30_000)
    kept = incidents_only(before_ms=600 * SECOND)
    for packet in packets(60):
        list(kept.keep(packet))
    kept.want("lawn", "a" * 16, 59 * SECOND)
    found = list(kept.finish())
    assert sum(packet.size for each in found for packet in each.packets) <= 30_000
    assert kept.dropped
    endless = [Packet(place, place == 0, 1000, place) for place in range(100)]
    for packet in endless:
        list(kept.keep(packet))
    assert list(kept.finish()) == [] or kept.dropped > 1


@given(
    times=st.lists(st.integers(0, 290), max_size=6),
    before=st.integers(0, 30),
    after=st.integers(1, 60),
    segment=st.integers(1, 30),
)
def test_everything_wanted_and_hardly_more_is_kept_once_and_in_order(
    times: list[int], before: int, after: int, segment: int
) -> None:
    kept = incidents_only(before_ms=before * SECOND, after_ms=after * SECOND, segment_ms=segment * SECOND)
    wants = {at * SECOND: ("lawn", f"{at:016x}") for at in times}
    found = run(kept, 300, wants)
    got = [packet.payload for each in found for packet in each.packets]
    assert len(got) == len(set(got))
    wanted = {
        packet.payload
        for packet in packets(300)
        if any(at - before * SECOND <= packet.at_ms < at + after * SECOND for at in wants)
    }
    assert wanted <= set(got)
    group = 2 * 5
    groups = {payload // group for payload in wanted}
    assert {payload // group for payload in got} <= groups | {g - 1 for g in groups} | {g + 1 for g in groups}
    for each in found:
        assert [packet.payload for packet in each.packets] == sorted(packet.payload for packet in each.packets)  # type: ignore[type-var]
        assert each.packets[0].keyframe
        assert each.from_ms <= each.packets[0].at_ms <= each.packets[-1].at_ms < each.to_ms
