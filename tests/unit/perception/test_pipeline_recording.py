"""What the pipeline keeps of a camera that is lost, comes back, or has a second stream that goes on without it."""

from __future__ import annotations

from dataclasses import replace

from test_cascade_and_pipeline import (
    FAULT,
    HEIGHT,
    RULE,
    WIDTH,
    Counting,
    Shot,
    SimulatedDecoder,
    SimulatedDetector,
    SimulatedPainter,
    World,
    incidents,
)

from watchglass.perception.messages import SealingSpec, SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Packet
from watchglass.perception.recording import Kept

SECOND = 1000
SEALING = SealingSpec(
    origin="city.example",
    charter=bytes(32),
    always=False,
    before_ms=20 * SECOND,
    after_ms=20 * SECOND,
    segment_ms=10 * SECOND,
    keep_ms=1,
    k=1,
    one_of=(),
    custodians=(),
    statements=(),
    break_glass=None,
    purposes=(("in", "safety"), ("fault", "safety")),
    purpose="safety",
)
STREET = [Shot()] * 400


def pipeline(world: World, *, always: bool = False, **spec: object) -> Pipeline:
    return Pipeline(
        SourceSpec("cam", "x", (RULE, FAULT), sealing=replace(SEALING, always=always), **spec),  # type: ignore[arg-type]
        (WIDTH, HEIGHT),
        decoder=SimulatedDecoder(world),
        detector=SimulatedDetector(world),
        painter=SimulatedPainter(world),  # type: ignore[arg-type]
        entropy=Counting(),
        allowed=lambda: frozenset({"in", "fault"}),
    )


def kept(events: list[object]) -> list[Kept]:
    return [each for each in events if isinstance(each, Kept)]


def times(found: list[Kept]) -> list[int]:
    return [packet.at_ms for each in found for packet in each.packets]


def test_what_was_before_the_camera_was_lost_is_kept() -> None:
    world = World()
    line = pipeline(world)
    packets = world.packets(STREET)
    events: list[object] = [event for packet in packets for event in line.feed(packet)]
    end = packets[-1].at_ms
    events += line.broke()
    for after in range(3, 12):
        events += line.lost(end + after * SECOND)
    (incident,) = incidents(events)
    assert incident.facts["condition"] == "lost"
    found = kept(events)
    assert {each.incident for each in found} == {incident.id}
    assert times(found)[-1] == end
    assert 0 <= incident.at_ms - 20 * SECOND - times(found)[0] <= 2 * SECOND


def test_a_camera_that_comes_back_is_recorded_on_for_the_same_incident_and_not_joined_to_what_was() -> None:
    world = World()
    line = pipeline(world)
    packets = world.packets([*STREET[:100], *[Shot(person=300)] * 40, *STREET])
    before, gap, after = packets[:140], packets[140:165], packets[165:]
    events: list[object] = [event for packet in before for event in line.feed(packet)]
    incident = incidents(events)[0]
    events += line.broke()
    line.reopened(SimulatedDecoder(world))
    again = [Packet(p.at_ms, i % 20 == 0, p.size, p.payload) for i, p in enumerate(after)]
    events += [event for packet in again for event in line.feed(packet)]
    found = [each for each in kept(events) if each.incident == incident.id]
    assert max(times(found)) >= incident.at_ms + 20 * SECOND - 2 * SECOND
    assert not {packet.at_ms for packet in gap} & set(times(found))
    assert all(not (min(times([each])) <= before[-1].at_ms and max(times([each])) >= again[0].at_ms) for each in found)


def test_a_camera_that_was_silent_for_a_while_goes_on_within_its_group() -> None:
    """A net that stands still for some seconds breaks nothing: what comes then rests on what came before."""
    world = World()
    line = pipeline(world, always=True)
    packets = world.packets(STREET[:100])
    events: list[object] = []
    for packet in packets:
        events += line.feed(packet)
        if packet.at_ms == 4_500:
            for after in range(3, 8):
                events += line.lost(packet.at_ms + after * SECOND)
    events += line.finish()
    assert times(kept(events)) == [packet.at_ms for packet in packets]


def test_a_pause_by_the_charter_forgets_what_was_wanted_too() -> None:
    world = World()
    line = pipeline(world)
    packets = world.packets([*STREET[:100], *[Shot(person=300)] * 40, *STREET])
    events: list[object] = [event for packet in packets[:140] for event in line.feed(packet)]
    assert incidents(events)
    line.pause()
    assert not kept(list(line.put_away()))
    line.reopened(SimulatedDecoder(world))
    again = [Packet(p.at_ms, i % 20 == 0, p.size, (i, Shot())) for i, p in enumerate(packets[140:])]
    assert not kept([event for packet in again for event in line.feed(packet)])


def test_a_recorded_stream_goes_on_while_the_small_one_is_lost() -> None:
    world = World()
    line = pipeline(world, always=True, record_uri="rtsp://camera/large", size=(WIDTH, HEIGHT))
    large = [Packet(100 * i, i % 20 == 0, 5000, i) for i in range(600)]
    events: list[object] = []
    for packet in large:
        events += line.record(packet)
        if 10_000 <= packet.at_ms < 40_000 and packet.at_ms % SECOND == 500:
            events += line.lost(packet.at_ms)
        if packet.at_ms == 20_000:
            events += line.broke()
        if packet.at_ms == 40_000:
            line.reopened(SimulatedDecoder(world))
    events += line.finish()
    assert [packet.payload for each in kept(events) for packet in each.packets] == list(range(600))


def test_pictures_that_cannot_be_decoded_are_kept_as_they_come() -> None:
    """What comes damaged to our decoder may be whole to another's."""
    world = World()
    line = pipeline(world, always=True)
    packets = world.packets([*STREET[:100], *[Shot(damaged=True)] * 400])
    events: list[object] = [event for packet in packets for event in line.feed(packet)]
    events += line.finish()
    assert line.fault is not None
    assert times(kept(events)) == [packet.at_ms for packet in packets]


def test_a_camera_that_sends_too_much_is_said() -> None:
    world = World()
    line = pipeline(world)
    assert line.recording_trouble == ""
    for i in range(400):
        list(line.record(Packet(100 * i, i % 20 == 0, 2_000_000, i)))
    assert "seconds" not in line.recording_trouble
    assert "only 1 s are remembered, not 20" in line.recording_trouble
