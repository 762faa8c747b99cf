"""The cascade on a stream at which it can glance between keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from watchglass.core.geometry import FloatArray
from watchglass.perception.cascade import Cascade, Look
from watchglass.perception.ports import Image, Insight, Packet

FPS = 10
ROWS, COLUMNS = 60, 90


@dataclass(frozen=True)
class Shot:
    """What a coded picture holds: where a person stands (column), and whether this very picture shows a change."""

    person: int | None = None
    twitch: bool = False


@dataclass
class Seen:
    at_ms: int
    shot: Shot
    width: int = 720
    height: int = 480

    def luma(self) -> Image:
        rng = np.random.default_rng(self.at_ms)
        picture = np.random.default_rng(3).uniform(60, 160, (ROWS, COLUMNS))
        if self.shot.person is not None:
            picture[25:40, self.shot.person : self.shot.person + 6] = 20
        return np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)

    edges = luma

    def small(self, side: int) -> Image:
        return np.zeros((side, side, 3), np.uint8)

    def bgr(self) -> Image:
        return np.zeros((self.height, self.width, 3), np.uint8)


@dataclass
class Glanced:
    """A simulated decoder. It notes what it decodes, what it is glanced at, and whether exactly."""

    insight: Insight = Insight.CLEAR
    decoded: list[int] = field(default_factory=list)
    glances: list[int] = field(default_factory=list)
    exact: list[bool] = field(default_factory=list)
    shots: Sequence[Shot] = ()
    last: int | None = None
    _exact: bool = True

    def decode(self, packet: Packet) -> list[Seen]:
        index = packet.payload
        assert isinstance(index, int)
        assert packet.keyframe or self.last == index - 1, "decoded out of order"
        self.last = index
        self.decoded.append(index)
        self.exact.append(self._exact)
        return [Seen(packet.at_ms, self.shots[index])]

    def alone(self, packet: Packet) -> Seen | None:
        assert packet.keyframe
        (picture,) = self.decode(packet)
        self.last = None
        return picture

    def drain(self) -> list[Seen]:
        self.last = None
        return []

    def exactly(self, exact: bool) -> None:
        self._exact, self.last = exact, None

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        assert key.keyframe
        assert isinstance(key.payload, int)
        assert isinstance(packet.payload, int)
        assert key.payload < packet.payload
        if not self.insight:
            return None
        self.glances.append(packet.payload)
        self.last = None
        changes = np.random.default_rng(packet.at_ms).normal(0, 0.5, (ROWS, COLUMNS)).astype(np.float32)
        shot, before = self.shots[packet.payload], self.shots[packet.payload - 1]
        if shot.person is not None and shot.person != before.person:
            changes[25:40, shot.person : shot.person + 6] -= 30
        if shot.twitch:
            changes[5:9, 5:9] += 30
        return changes

    def weigh(self, packet: Packet) -> int:
        return packet.size


def run(
    shots: Sequence[Shot], gop: int, decoder: Glanced, *, exact: bool = False, key_size: int = 100
) -> tuple[Cascade, list[Look]]:
    """Feed the shots; what moves between two open looks stirs the cascade, as the pipeline does."""
    decoder.shots = shots
    cascade = Cascade(decoder, exact=lambda: exact)
    looks: list[Look] = []
    before: int | None = None
    for index in range(len(shots)):
        shot = shots[index]
        size = key_size if index % gop == 0 else 100 + 400 * (shot.person is not None or shot.twitch)
        packet = Packet(1000 * index // FPS, index % gop == 0, size, index)
        for look in cascade.feed(packet):
            looks.append(look)
            picture = look.picture
            assert isinstance(picture, Seen)
            if look.open:
                if picture.shot.person != before:
                    cascade.stir(picture.at_ms)
                if picture.shot.person is None and picture.at_ms % 1000 == 0:
                    cascade.gate.look(picture.at_ms, picture.luma())
                before = picture.shot.person
    return cascade, looks


QUIET = [Shot()] * 200
PASSES = [Shot(person=10 + 3 * i) for i in range(15)]


def test_who_passes_between_two_keyframes_is_seen_from_the_keyframe_on() -> None:
    decoder = Glanced()
    shots = [*QUIET[:102], *PASSES, *QUIET[:83]]
    _, looks = run(shots, 20, decoder)
    at = [look.picture.at_ms for look in looks if look.open]
    assert set(range(10_200, 11_700, 100)) <= set(at)
    assert min(a for a in at if a > 5_000) == 10_000
    assert at == sorted(set(at))


def test_what_was_looked_at_before_the_gate_shut_within_a_group_is_not_looked_at_again() -> None:
    """Somebody comes, the gate shuts within a group of ten seconds, and somebody comes again in the same group."""
    decoder = Glanced()
    shots = [*QUIET, *QUIET[:10], *PASSES, *QUIET[:35], *PASSES, *QUIET[:40]]
    cascade, looks = run(shots, 100, decoder)
    at = [look.picture.at_ms for look in looks if look.open]
    assert at == sorted(set(at))
    for start in (21_000, 26_000):
        assert set(range(start, start + 1_500, 100)) <= set(at)
    assert not set(range(24_700, 25_300, 100)) & set(decoder.decoded)
    assert cascade.openings == 2
    assert not cascade.is_open


def test_without_glances_they_are_missed() -> None:
    decoder = Glanced(insight=Insight.NONE)
    run([*QUIET[:102], *PASSES, *QUIET[:83]], 20, decoder)
    assert not set(range(102, 117)) & set(decoder.decoded)


def test_a_quiet_scene_costs_a_keyframe_and_a_glance_a_group() -> None:
    decoder = Glanced()
    cascade, _ = run(QUIET, 20, decoder)
    assert len([i for i in decoder.decoded if i >= 60]) == 7
    assert 6 <= len([i for i in decoder.glances if i >= 60]) <= 8
    assert not cascade.is_open
    assert "keyframes every 2.0 s" in cascade.words()
    assert cascade.decoded == len(decoder.decoded) + len(decoder.glances)


def test_a_glance_at_nothing_costs_its_group_so_far_and_a_second_and_is_counted() -> None:
    decoder = Glanced()
    shots = [*QUIET, *QUIET[:30], *[Shot(twitch=True)] * 4, *QUIET[:96]]
    cascade, _ = run(shots, 100, decoder)
    first = min(i for i in decoder.glances if i >= 230)
    assert set(range(200, first + 11)) <= set(decoder.decoded)
    assert not set(range(260, 300)) & set(decoder.decoded)
    assert (cascade.openings, cascade.false_openings) == (1, 1)
    assert "1 of 1 openings false" in cascade.words()


def test_an_opening_in_which_something_moved_is_not_false() -> None:
    cascade, _ = run([*QUIET[:102], *PASSES, *QUIET[:83]], 20, Glanced())
    assert (cascade.openings, cascade.false_openings) == (1, 0)


def test_keyframes_ten_seconds_apart_can_gate_where_glances_show_enough() -> None:
    decoder = Glanced()
    shots = [*QUIET, *QUIET[:150], *PASSES, *QUIET[:35]]
    cascade, looks = run(shots, 100, decoder)
    assert not {*range(101, 200), *range(201, 300)} & set(decoder.decoded)
    assert len([i for i in decoder.glances if 100 <= i < 300]) >= 14
    assert set(range(35_000, 36_500, 100)) <= {look.picture.at_ms for look in looks if look.open}
    assert cascade.group_ms == 10_000


CALM = 30_000
"""A keyframe of so many bytes, beside which a packet of a hundred says that nothing has changed."""


def test_while_packets_say_that_nothing_changes_every_second_keyframe_is_passed_over() -> None:
    decoder = Glanced()
    cascade, _ = run(QUIET * 4, 20, decoder, key_size=CALM)
    keys = [i for i in decoder.decoded if i >= 400]
    assert len(keys) == 10
    assert {b - a for a, b in pairwise(keys)} == {40}
    assert len([i for i in decoder.glances if i >= 400]) == 10
    assert cascade.passed >= 10
    assert "passed over" in cascade.words()


@pytest.mark.parametrize("start", range(600, 640, 5))
def test_who_comes_after_a_keyframe_was_passed_over_is_seen_all_the_same(start: int) -> None:
    shots = [*QUIET * 3, *QUIET[: start - 600], *PASSES, *QUIET[:80]]
    _, looks = run(shots, 20, Glanced(), key_size=CALM)
    at = [look.picture.at_ms for look in looks if look.open]
    assert {100 * start + 100 * i for i in range(len(PASSES))} <= set(at)


def test_where_somebody_is_or_something_seems_wrong_every_keyframe_is_looked_at() -> None:
    decoder = Glanced()
    decoder.shots = QUIET * 4
    cascade = Cascade(decoder)
    busy: list[np.ndarray | None] = [None]
    for index in range(800):
        cascade.attentive = 300 <= index < 500
        busy[0] = np.ones((ROWS, COLUMNS), bool) if index >= 500 else None
        packet = Packet(100 * index, index % 20 == 0, 100 if index % 20 else CALM, index)
        for look in cascade.feed(packet, lambda: busy[0]):
            if look.open:
                cascade.gate.look(look.picture.at_ms, look.picture.luma())
    assert {i for i in decoder.decoded if i >= 320} == set(range(320, 800, 20))


@pytest.mark.parametrize(("gop", "insight"), [(100, Insight.FAINT), (150, Insight.CLEAR)])
def test_keyframes_too_far_apart_mean_that_everything_is_decoded(gop: int, insight: Insight) -> None:
    decoder = Glanced(insight=insight)
    cascade, _ = run([*QUIET, *QUIET], gop, decoder)
    assert decoder.decoded == list(range(400))
    assert "too far to wait for" in cascade.words()


def test_a_group_that_grows_too_long_is_decoded_from_its_keyframe_and_counted() -> None:
    decoder = Glanced()
    decoder.shots = shots = [*QUIET, *QUIET]
    cascade = Cascade(decoder)
    for index in range(len(shots)):
        packet = Packet(100 * index, index % 20 == 0 and index <= 100, 100, index)
        for look in cascade.feed(packet):
            if look.open:
                cascade.gate.look(look.picture.at_ms, look.picture.luma())
    assert cascade.overflows == 1
    assert cascade.is_open
    assert set(range(100, 400)) <= set(decoder.decoded)


def test_a_group_that_grows_too_heavy_is_not_held() -> None:
    decoder = Glanced()
    decoder.shots = shots = [*QUIET]
    cascade = Cascade(decoder)
    for index in range(len(shots)):
        packet = Packet(100 * index, index % 40 == 0, 2_000_000, index)
        for look in cascade.feed(packet):
            if look.open:
                cascade.gate.look(look.picture.at_ms, look.picture.luma())
    assert cascade.overflows >= 1


def test_a_decoder_that_cannot_glance_after_all_is_not_asked_for_ever() -> None:
    class Blind(Glanced):
        def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
            del key
            assert isinstance(packet.payload, int)
            self.glances.append(packet.payload)
            return None

    decoder = Blind()
    cascade, _ = run([*QUIET, *QUIET], 20, decoder)
    assert len(decoder.glances) == 8
    assert "glances" not in cascade.words()


def test_pictures_are_exact_where_they_must_be_and_only_there() -> None:
    exact, rough = Glanced(), Glanced()
    run(QUIET, 20, exact, exact=True)
    run([*QUIET[:102], *PASSES, *QUIET[:83]], 20, rough, exact=False)
    assert all(exact.exact)
    assert not any(flag for index, flag in zip(rough.decoded, rough.exact, strict=True) if index >= 20)


def test_where_errors_vanish_two_pictures_are_not_compared() -> None:
    _, looks = run([Shot(person=i % 80) for i in range(100)], 20, Glanced())
    assert [look.picture.at_ms for look in looks if look.breaks] == [0, 2000, 4000, 6000, 8000]
    _, looks = run([Shot(person=i % 80) for i in range(100)], 20, Glanced(), exact=True)
    assert not [look for look in looks if look.breaks]


def test_one_stir_alone_is_noise() -> None:
    cascade = Cascade(Glanced())
    cascade.stir(1000)
    assert cascade._open_until == 0
    cascade.stir(1200)
    assert cascade._open_until > 1200
