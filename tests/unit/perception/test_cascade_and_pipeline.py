"""The cascade and the pipeline in a world of numbers: a decoder, a detector and a painter that are simulators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.cascade import Cascade
from watchglass.perception.messages import AnalyticSpec, Incident, Pin, Pins, SourceSpec, ZoneSpec
from watchglass.perception.observation import Detections, Tracks
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Image, Packet, View, Whole, sample_shape, stride_of
from watchglass.perception.ring import ClipOrder

WIDTH, HEIGHT = 640, 480
FPS = 10


@dataclass(frozen=True)
class Shot:
    """What a simulated packet holds: where a person stands (x), if anybody, and how large the picture is."""

    person: int | None = None
    size: tuple[int, int] = (WIDTH, HEIGHT)
    damaged: bool = False


@dataclass
class World:
    """A camera: a stream of shots, and what was done with it."""

    decoded: list[int] = field(default_factory=list)
    detections: int = 0
    learned: int = 0
    stills: int = 0

    def packets(self, shots: Sequence[Shot], gop: int = 20, start: int = 0, turn: int = 0) -> list[Packet]:
        return [Packet(start + 1000 * i // FPS, i % gop == 0, 100, (i, shot), turn) for i, shot in enumerate(shots)]


class SimulatedPicture:
    black = 16

    def __init__(self, at_ms: int, shot: Shot) -> None:
        self.at_ms, self.shot = at_ms, shot
        self.width, self.height = shot.size

    def luma(self) -> Image:
        rng = np.random.default_rng(self.at_ms)
        stride = stride_of(*self.shot.size)
        picture = np.random.default_rng(3).uniform(60, 160, sample_shape(*self.shot.size))
        if self.shot.person is not None:
            x = self.shot.person
            picture[200 // stride : 320 // stride, x // stride : (x + 48) // stride] = 20
        return np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)

    def chroma(self) -> Image:
        return np.zeros((0, 0, 2), np.uint8)

    def edges(self) -> Image:
        return np.roll(self.luma(), 1, axis=1)

    def small(self, side: int) -> Image:
        scale = side / self.width
        image = np.zeros((round(self.height * scale), side, 3), np.uint8)
        if self.shot.person is not None:
            image[0, 0] = (1, self.shot.person // 256, self.shot.person % 256)
        return image

    def bgr(self) -> Image:
        return np.zeros((self.height, self.width, 3), np.uint8)


class SimulatedDecoder(Whole):
    """Needs a keyframe first, and every packet after it, like a real one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last: int | None = None

    def decode(self, packet: Packet) -> list[SimulatedPicture]:
        index, shot = packet.payload
        if shot.damaged:
            self.last = None
            raise BadInput("damaged", fix="none")
        assert packet.keyframe or self.last == index - 1, "decoded out of order"
        self.last = index
        self.world.decoded.append(index)
        return [SimulatedPicture(packet.at_ms, shot)]

    def alone(self, packet: Packet) -> SimulatedPicture | None:
        assert packet.keyframe
        self.last = None
        (picture,) = self.decode(packet)
        self.last = None
        return picture

    def drain(self) -> list[SimulatedPicture]:
        self.last = None
        return []


class SimulatedDetector:
    side = 320

    def __init__(self, world: World) -> None:
        self.world = world

    def detect(self, bgr: Image) -> Detections:
        self.world.detections += 1
        if not bgr[0, 0, 0]:
            return Detections.none()
        x = (int(bgr[0, 0, 1]) * 256 + int(bgr[0, 0, 2])) / 2
        return Detections(
            np.array([[x, 100, x + 24, 160]], np.float32), np.array([0.8], np.float32), np.zeros(1, np.int8)
        )


class SimulatedPainter:
    ready = 0.5
    learning = True
    view = View("day")

    def __init__(self, world: World) -> None:
        self.world = world
        self.recognised: list[int] = []
        self.lost: list[str] = []
        self.stirred = 0

    def recognise(self, picture: SimulatedPicture, trouble: str, busy: np.ndarray | None) -> None:
        self.recognised.append(picture.at_ms)

    def lose(self, why: str) -> None:
        self.lost.append(why)

    def stir(self, moving: np.ndarray) -> None:
        assert moving.shape == sample_shape(WIDTH, HEIGHT)
        self.stirred += int(moving.any())

    def due(self, at_ms: int) -> bool:
        return at_ms % 1000 == 0

    def look(self, at_ms: int, bgr: Image, masked: np.ndarray, vehicles: np.ndarray, beside: np.ndarray) -> None:
        assert masked.shape == beside.shape == bgr.shape[:2]
        assert vehicles.shape[1:] == (4,)
        self.world.learned += 1

    def pins(self, tracks: Tracks) -> tuple[Pin, ...]:
        return tuple(Pin(int(b[0]), int(b[3]), int(k)) for b, k in zip(tracks.boxes, tracks.kinds, strict=True))

    def still(self, tracks: Tracks, zone: tuple[tuple[float, float], ...] | None) -> bytes:
        self.world.stills += 1
        return b"png"


class Counting:
    def __init__(self) -> None:
        self.n = 0

    def bytes(self, n: int) -> bytes:
        self.n += 1
        return self.n.to_bytes(n, "big")


ZONE = ZoneSpec("middle", ((200.0, 0.0), (500.0, 0.0), (500.0, 480.0), (200.0, 480.0)), 50.0)
RULE = AnalyticSpec("in", "intrusion", ZONE, {"for_ms": 1000})
FAULT = AnalyticSpec("fault", "camera_fault", None, {"for_ms": 3000})


def pipeline(world: World, allowed: set[str] | None = None, **spec: object) -> Pipeline:
    names = {"in", "fault"} if allowed is None else allowed
    source = SourceSpec("cam", "x", (RULE, FAULT), **spec)
    return Pipeline(
        source,
        (WIDTH, HEIGHT),
        decoder=SimulatedDecoder(world),
        detector=SimulatedDetector(world),
        painter=SimulatedPainter(world),
        entropy=Counting(),
        allowed=lambda: frozenset(names),
    )


QUIET = [Shot()] * 200
WALK = [Shot(person=100 + 8 * i) for i in range(60)]


def incidents(events: list[object]) -> list[Incident]:
    return [e for e in events if isinstance(e, Incident)]


def feed(line: Pipeline, packets: list[Packet]) -> list[object]:
    return [event for packet in packets for event in line.feed(packet)]


# ---- cascade ---------------------------------------------------------------------------------------------------------


def looked(shots: Sequence[Shot], gop: int, world: World, **options: bool) -> tuple[Cascade, list[tuple[int, bool]]]:
    cascade = Cascade(SimulatedDecoder(world), **options)
    looks = []
    for packet in world.packets(shots, gop):
        for look in cascade.feed(packet):
            looks.append((look.picture.at_ms, look.open))
            if look.picture.shot.person is not None:
                cascade.stir(look.picture.at_ms)
            if look.open:
                cascade.gate.look(look.picture.at_ms, look.picture.luma())
    return cascade, looks


def test_a_quiet_scene_costs_one_keyframe_a_group() -> None:
    world = World()
    looked(QUIET, 20, world)
    assert world.decoded[-8:] == [40, 60, 80, 100, 120, 140, 160, 180][-8:]
    assert len(world.decoded) <= 20 + 20 + 9


def test_what_was_already_received_when_the_gate_opens_is_not_lost() -> None:
    world = World()
    shots = [*QUIET[:107], *[Shot(person=300)] * 30, *QUIET[:40]]
    _, looks = looked(shots, 20, world)
    at = [at for at, is_open in looks if is_open and at >= 8_000]
    assert at[0] == 10_000  # the group in which the person came, from its keyframe on
    assert set(range(10_000, 15_700, 100)) <= set(at)  # and for two seconds after the last motion


def test_a_stream_with_rare_or_unknown_keyframes_is_decoded_wholly() -> None:
    world = World()
    looked(QUIET, 100, world)
    assert world.decoded == list(range(200))


def test_a_group_that_becomes_long_is_not_waited_for() -> None:
    world = World()
    cascade = Cascade(SimulatedDecoder(world))
    packets = world.packets([*QUIET, *QUIET])
    longer = [p if i < 100 else Packet(p.at_ms, i == 100, p.size, p.payload) for i, p in enumerate(packets)]
    for packet in longer:
        for look in cascade.feed(packet):
            if look.open:
                cascade.gate.look(look.picture.at_ms, look.picture.luma())
    assert cascade.is_open
    assert set(range(100, 400)) <= set(world.decoded)


def test_every_packet_a_keyframe_does_not_mean_every_packet_a_look() -> None:
    world = World()
    looked(QUIET, 1, world)
    assert len(world.decoded) < 60


def test_always_open_decodes_everything() -> None:
    world = World()
    looked(QUIET, 20, world, always_open=True)
    assert world.decoded == list(range(200))


def test_a_damaged_packet_costs_its_group_and_no_more() -> None:
    world = World()
    shots = [Shot(person=300, damaged=i == 47) for i in range(100)]
    cascade, _ = looked(shots, 20, world)
    assert cascade.damaged == 1
    assert world.decoded == [*range(47), *range(60, 100)]


# ---- pipeline --------------------------------------------------------------------------------------------------------


def test_from_packets_to_one_incident_with_its_clip() -> None:
    world = World()
    line = pipeline(world)
    events = feed(line, world.packets([*QUIET, *WALK, *QUIET]))
    (incident,) = incidents(events)
    # The foot point enters the zone at x = 200 - 24, in packet 200 + 10; a second later the rule holds.
    assert 21_800 <= incident.at_ms <= 22_600
    assert incident.id == "0000000000000001"
    assert incident.still == b"png"
    assert incident.boxes[0][4] == 0
    (order,) = [e for e in events if isinstance(e, ClipOrder) and e.whole]
    assert order.packets[0].keyframe
    assert incident.at_ms - 6000 <= order.packets[0].at_ms <= incident.at_ms - 2000
    assert order.packets[-1].at_ms == pytest.approx(incident.at_ms + 4000, abs=150)
    assert any(len(t) for t in order.tracks)


def test_a_quiet_scene_costs_almost_no_inference() -> None:
    world = World()
    line = pipeline(world)
    feed(line, world.packets([*QUIET, *QUIET]))
    assert world.detections <= 5
    assert line.health(0, 10.0, {}).decoded < 80


def test_at_most_two_and_a_half_inferences_a_second() -> None:
    world = World()
    feed(pipeline(world), world.packets([Shot(person=(8 * i) % 500) for i in range(300)]))
    assert 60 <= world.detections <= 76


def test_it_is_deterministic() -> None:
    def once() -> list[object]:
        world = World()
        return [
            e for e in feed(pipeline(world), world.packets([*QUIET, *WALK, *QUIET])) if not isinstance(e, ClipOrder)
        ]

    assert once() == once()


def test_a_rule_that_is_not_allowed_says_nothing_and_stops_within_the_frame() -> None:
    world, allowed = World(), {"fault"}
    assert not incidents(feed(pipeline(world, allowed), world.packets([*QUIET, *WALK])))
    world, allowed = World(), {"in"}
    line = pipeline(world, allowed)
    packets = world.packets([*QUIET, *WALK])
    feed(line, packets[:215])
    allowed.clear()
    assert not incidents(feed(line, packets[215:]))
    assert line.health(0, 0.0, {}).running == ()


def test_a_pause_forgets_what_was_held() -> None:
    world = World()
    line = pipeline(world)
    packets = world.packets([*QUIET, *WALK, *QUIET])
    feed(line, packets[:225])
    line.pause()
    assert len(line.tracks(packets[225].at_ms)) == 0
    later = feed(line, packets[300:])
    assert not [e for e in later if isinstance(e, ClipOrder)]


def test_a_seam_forgets_tracks_and_is_no_fault() -> None:
    world = World()
    line = pipeline(world)
    events = feed(line, world.packets(WALK[:40]))
    for turn in range(1, 6):
        events += feed(line, world.packets(WALK[:40], start=turn * 4000, turn=turn))
    assert not [e for e in incidents(events) if e.kind == "camera_fault"]
    assert len(incidents(events)) >= 1


def test_another_size_is_a_fault_and_is_not_looked_at() -> None:
    world = World()
    line = pipeline(world)
    feed(line, world.packets(QUIET[:60]))
    other = world.packets([Shot(person=300, size=(320, 240))] * 100, start=6000)
    events = feed(line, other[:30])  # opens the gate, and looks once more at what was held
    before = world.detections
    events += feed(line, other[30:])
    (incident,) = incidents(events)
    assert incident.facts["condition"] == "moved"
    assert incident.facts["width_px"] == 320.0
    assert world.detections == before
    assert "320x240" in (line.health(0, 10.0, {}).fault or "")
    feed(line, world.packets(QUIET[:60], start=16_000))
    assert line.health(0, 10.0, {}).fault is None


def test_a_source_that_gives_nothing_is_lost() -> None:
    world = World()
    line = pipeline(world)
    feed(line, world.packets(QUIET[:60]))
    events = [e for at in range(7_000, 15_000, 1000) for e in line.lost(at)]
    (incident,) = incidents(events)
    assert incident.facts["condition"] == "lost"


def test_pins_come_at_their_own_pace_and_count_people() -> None:
    world = World()
    pins = [e for e in feed(pipeline(world, pin_hz=2.0), world.packets([*QUIET[:40], *WALK])) if isinstance(e, Pins)]
    assert max(p.people for p in pins) == 1
    open_pins = [p.at_ms for p in pins if p.at_ms >= 5000]
    assert np.diff(open_pins).min() >= 490


# ---- which view is in front of the camera ----------------------------------------------------------------------------


def test_the_painter_is_told_what_the_camera_shows_what_moves_and_what_is_lost() -> None:
    world = World()
    line = pipeline(world, pin_hz=2.0)
    feed(line, world.packets([*QUIET[:60], *WALK]))
    painter = line._painter
    assert isinstance(painter, SimulatedPainter)
    assert max(np.diff(painter.recognised)) <= 12_000  # while the gate is shut and sees nothing that differs
    assert min(np.diff(painter.recognised)) >= 1000
    assert painter.stirred > 5
    painter.view = View(unsure="no picture comes")
    pins = [event for event in line.lost(20_000) if isinstance(event, Pins)]
    assert painter.lost[-1] == "no picture comes"
    assert [(pin.scene, pin.unsure, pin.pins, pin.people) for pin in pins] == [("", "no picture comes", (), 0)]


def test_where_no_view_is_sure_there_are_no_pins() -> None:
    world = World()
    line = pipeline(world, pin_hz=2.0)
    painter = line._painter
    assert isinstance(painter, SimulatedPainter)
    painter.view = View(unsure="the camera shows something that nobody has confirmed")
    pins = [event for event in feed(line, world.packets([*QUIET[:40], *WALK])) if isinstance(event, Pins)]
    assert pins
    assert {(pin.scene, pin.unsure, pin.pins, pin.people) for pin in pins} == {
        ("", "the camera shows something that nobody has confirmed", (), 0)
    }


def test_a_picture_of_another_size_shows_no_view() -> None:
    world = World()
    line = pipeline(world, pin_hz=2.0)
    painter = line._painter
    assert isinstance(painter, SimulatedPainter)
    feed(line, world.packets([Shot(size=(320, 240))] * 40))
    assert set(painter.lost) == {"the picture has another size than the charter says"}
