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


def test_after_a_break_in_the_same_stream_the_past_is_remembered_and_never_joined_to_what_comes() -> None:
    kept = incidents_only()
    stream = list(packets(60))
    for packet in stream[:150]:
        assert not list(kept.keep(packet))
    assert not list(kept.finish(stream[149].at_ms + 3 * SECOND))
    found = [each for packet in stream[170:200] for each in kept.keep(packet)]
    kept.want("lawn", "a" * 16, stream[199].at_ms)
    found += [each for packet in stream[200:] for each in kept.keep(packet)]
    found += kept.finish()
    payloads = [packet.payload for each in found for packet in each.packets]
    assert payloads == [*range(90, 150), *range(170, 300)]
    (last,) = [each for each in found if 149 in [packet.payload for packet in each.packets]]
    assert (last.packets[-1].payload, last.to_ms) == (149, stream[149].at_ms + 1)


def test_that_the_camera_was_lost_is_told_late_and_what_was_before_is_kept() -> None:
    kept = incidents_only()
    stream = list(packets(60))
    for packet in stream:
        assert not list(kept.keep(packet))
    end = stream[-1].at_ms
    assert not list(kept.finish())
    for after in range(3, 8):
        assert not list(kept.idle(end + after * SECOND))
    kept.want("fault", "a" * 16, end + 8 * SECOND)
    found = list(kept.idle(end + 9 * SECOND))
    assert found[0].from_ms <= end + 8 * SECOND - 20 * SECOND < found[0].from_ms + 2 * SECOND
    assert (found[-1].packets[-1].payload, found[-1].to_ms) == (stream[-1].payload, end + 1)
    assert not list(kept.idle(end + 10 * SECOND))


def test_an_incident_that_is_told_late_has_its_past_still() -> None:
    """The gate of a quiet scene holds two groups back; what is found in them lies 24 s back at most."""
    kept = incidents_only(before_ms=5 * SECOND, after_ms=10 * SECOND)
    found = []
    for packet in packets(120):
        if packet.at_ms == 100 * SECOND:
            kept.want("lawn", "a" * 16, 76 * SECOND)
        found += kept.keep(packet)
    assert (found[0].from_ms, found[-1].to_ms) == (70 * SECOND, 86 * SECOND)


def test_a_clock_that_is_set_back_neither_records_for_an_hour_nor_remembers_one() -> None:
    kept = incidents_only()
    before = [Packet(3_600_000 + p.at_ms, p.keyframe, p.size, p.payload) for p in packets(60)]
    after = [Packet(p.at_ms, p.keyframe, p.size, f"after {p.payload}") for p in packets(3700)]
    found = [each for packet in before for each in kept.keep(packet)]
    kept.want("lawn", "a" * 16, before[-1].at_ms)
    found += [each for packet in after for each in kept.keep(packet)]
    payloads = [packet.payload for each in found for packet in each.packets]
    assert payloads[-1] == before[-1].payload, "what was wanted is kept until the clock was set"
    assert payloads[0] == before[190].payload
    assert sum(len(group.packets) for group in kept._groups) <= (20 + 30 + 4) * 5


def test_a_clock_that_is_set_on_leaves_a_gap_in_what_a_segment_says_of_itself() -> None:
    kept = Recording("street", "safety", before_ms=0, after_ms=0, segment_ms=10 * SECOND, always=True)
    stream = [Packet(p.at_ms + 3_600_000 * (p.at_ms >= 20_000), p.keyframe, p.size, p.payload) for p in packets(40)]
    found = [each for packet in stream for each in kept.keep(packet)] + list(kept.finish())
    assert sum(each.to_ms - each.from_ms for each in found) <= 40 * SECOND + 10 * SECOND
    assert [packet.payload for each in found for packet in each.packets] == list(range(200))


def test_pictures_that_are_shown_before_they_are_decoded_are_within_their_segment() -> None:
    kept = Recording("street", "safety", before_ms=0, after_ms=0, segment_ms=SECOND, always=True)
    times = [0, 400, 200, 300, 600, 500]
    for place, at in enumerate(times):
        list(kept.keep(Packet(at, place == 0, 10, place)))
    (found,) = kept.finish()
    assert (found.from_ms, found.to_ms) == (0, 601)


def test_memory_is_bounded_and_a_past_that_is_too_short_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_BYTES", 30_000)
    kept = incidents_only(before_ms=600 * SECOND)
    for packet in packets(60):
        list(kept.keep(packet))
    assert kept.trouble == (
        "of the time before an incident only 4 s are remembered, not 600: the camera sends too much for memory"
    )
    kept.want("lawn", "a" * 16, 59 * SECOND)
    found = list(kept.finish())
    assert sum(packet.size for each in found for packet in each.packets) <= 30_000
    assert kept.dropped == 0
    assert incidents_only().trouble == ""


def test_without_keyframes_what_fits_is_kept_and_the_gap_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_BYTES", 30_000)
    kept = Recording("street", "safety", before_ms=0, after_ms=0, segment_ms=10 * SECOND, always=True)
    endless = [Packet(40 * place, place in {0, 80}, 1000, place) for place in range(100)]
    found = [each for packet in endless for each in kept.keep(packet)]
    assert (kept.dropped, kept.trouble) == (
        1,
        "original video is not kept without gaps: the camera sends too few keyframes",
    )
    found += kept.finish()
    assert [packet.payload for each in found for packet in each.packets] == [*range(31), *range(80, 100)]


def test_a_segment_that_grows_too_large_ends_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_PIECE", 25_000)
    kept = Recording("street", "safety", before_ms=0, after_ms=0, segment_ms=300 * SECOND, always=True)
    found = run(kept, 60)
    assert {sum(packet.size for packet in each.packets) for each in found} == {20_000}
    assert [packet.payload for each in found for packet in each.packets] == list(range(300))
    assert all(before.to_ms == after.from_ms for before, after in pairwise(found))


def test_a_stream_of_another_kind_is_not_put_together_with_what_was_and_is_wanted_still() -> None:
    kept = incidents_only()
    stream = list(packets(60))
    kept.want("lawn", "a" * 16, 10 * SECOND)
    found = [each for packet in stream[:105] for each in kept.keep(packet)]
    found += kept.finish()
    kept.begin_anew()
    found += [each for packet in stream[150:] for each in kept.keep(packet)]
    payloads = [packet.payload for each in found for packet in each.packets]
    assert payloads == [*range(105), *range(150, 250)]
    assert not any({104, 150} <= {packet.payload for packet in each.packets} for each in found)


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
