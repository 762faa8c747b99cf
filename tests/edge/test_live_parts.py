"""The parts of a live source, each by itself: addresses, time, the backlog, other sizes, waits."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.address import checked, shown
from watchglass.edge.backlog import Backlog
from watchglass.edge.camera_plan import plan_of
from watchglass.edge.camera_time import CameraTime, Correction
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.footage import ScaledPicture
from watchglass.edge.hardware import NONE_HERE, hardware_for
from watchglass.perception.messages import SourceSpec
from watchglass.perception.ports import Image, Packet, sample_shape
from watchglass.runtime.backoff import FIRST_MS, LONGEST_MS, Backoff
from watchglass.runtime.opening import Opening

# ---- addresses -------------------------------------------------------------------------------------------------------

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        (f"rtsp://viewer:{SECRET}@10.0.0.7:554/main?token={SECRET}#{SECRET}", "rtsp://10.0.0.7:554"),
        (f"rtsp://10.0.0.7/user=admin&password={SECRET}&channel=1", "rtsp://10.0.0.7"),
        (f"http://viewer:{SECRET}@[2001:db8::1]:81/", "http://[2001:db8::1]:81"),
        (f"rtsp://viewer:{SECRET}/x@10.0.0.7/main", "rtsp://…"),
        (f"rtsp://viewer:x@{SECRET}@10.0.0.7/main", "rtsp://…"),
        (f"rtsp://viewer:{SECRET}", "rtsp://…"),
        (f"rtsp://{SECRET} @10.0.0.7/", "rtsp://…"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_of_an_address_only_scheme_host_and_port_are_shown(address: str, seen: str) -> None:
    assert shown(address) == seen


@pytest.mark.parametrize(
    "address", [f"ftp://{SECRET}@a/", f"rtsp://a:{SECRET}/x@b/", "rtsp:///x", f"{SECRET}", "rtsp://a:0/", "rtsp://a\n/"]
)
def test_what_is_no_address_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(address, ("rtsp", "rtsps"))
    assert SECRET not in str(caught.value) + caught.value.fix


def test_an_address_never_stands_in_the_text_of_a_spec() -> None:
    spec = SourceSpec("cam", f"rtsp://v:{SECRET}@h/", (), kind="rtsp", record_uri=f"rtsp://v:{SECRET}@h/main")
    assert SECRET not in repr(spec)
    assert SECRET not in repr(plan_of("rtsp", spec.uri))


# ---- time ------------------------------------------------------------------------------------------------------------


def test_without_reports_times_are_as_even_as_the_stamps_and_never_later_than_arrival() -> None:
    times, rng = CameraTime(), np.random.default_rng(3)
    placed, arrived = [], []
    last = 0
    for i in range(600):
        last = max(last, 1_000_000 + i * 100 + 40 + round(float(rng.exponential(60))))
        arrived.append(last)
        placed.append(times.place(i * 100.0, None, last).at_ms)
    assert all(at <= here for at, here in zip(placed, arrived, strict=True))
    steps = np.diff(placed[100:])
    assert steps.min() >= 85
    assert steps.max() <= 115
    assert np.diff(arrived[100:]).max() > 250
    assert abs(placed[-1] - (1_000_000 + 599 * 100 + 40)) <= 10
    assert "arrival" in times.note


def test_what_comes_late_at_first_never_makes_a_picture_later_than_its_arrival() -> None:
    times, last = CameraTime(), 0
    for i in range(100):
        arrived = 1_000_000 + i * 100 + (1_500 - i * 100 if i < 15 else 0)
        at = times.place(i * 100.0, None, arrived).at_ms
        assert last <= at <= arrived
        last = at
    assert last == 1_000_000 + 99 * 100


def test_a_camera_that_tells_its_time_is_believed_while_it_is_near_ours() -> None:
    times = CameraTime()
    for i in range(100):
        camera = 5_000_000 + i * 100 if i >= 20 else None  # the first report comes later
        at = times.place(i * 100.0, camera, 5_000_000 + i * 100 + 300).at_ms
    assert at == 5_000_000 + 99 * 100
    assert "own times, 300 ms before" in times.note


def test_a_camera_whose_clock_is_wrong_keeps_its_evenness_and_gets_our_hour() -> None:
    times = CameraTime()
    for i in range(100):
        at = times.place(i * 100.0, 86_400_000 * 3 + i * 100, 5_000_000_000 + i * 100 + 20).at_ms
    assert at == 5_000_000_000 + 99 * 100 + 20
    assert "clock is 55 days behind" in times.note


def test_a_clock_that_runs_fast_is_followed_and_is_no_jump() -> None:
    times = CameraTime()
    for i in range(60_000):  # an hour and forty minutes, at a tenth of a percent: six seconds in all
        placed = times.place(i * 100.1, None, 1_000_000 + i * 100)
        assert not placed.jumped_ms
    assert abs(placed.at_ms - (1_000_000 + 59_999 * 100)) <= 100


@pytest.mark.parametrize("by", [-3_600_000, -2_500, 2_500, 3_600_000])
def test_stamps_that_jump_are_told_once_and_time_goes_on(by: int) -> None:
    times, told, last = CameraTime(), [], 0
    for i in range(200):
        stamp = i * 100.0 + (by if i >= 100 else 0)
        placed = times.place(stamp, None, 9_000_000 + i * 100)
        assert placed.at_ms >= last
        last = placed.at_ms
        if placed.jumped_ms:
            told.append((i, placed.jumped_ms))
    assert told == [(100, by)]
    assert last == 9_000_000 + 199 * 100


@pytest.mark.parametrize("by", [-3_600_000, 3_600_000])
def test_a_camera_clock_that_is_set_is_told_once_and_time_goes_on(by: int) -> None:
    times, told, placed = CameraTime(), [], []
    for i in range(200):
        camera = 9_000_000 + i * 100 + (by if i >= 100 else 0)
        place = times.place(i * 100.0, camera, 9_000_000 + i * 100 + 50)
        placed.append(place.at_ms)
        if place.jumped_ms:
            told.append((i, place.jumped_ms))
    assert told == [(100, by)]
    assert all(85 <= step <= 115 for step in np.diff(placed))


def test_a_pause_of_the_net_or_of_the_camera_is_no_jump() -> None:
    times = CameraTime()
    stamps = [i * 100.0 for i in range(50)] + [20_000 + i * 100.0 for i in range(50)]
    for i, stamp in enumerate(stamps):  # the camera sent nothing for fifteen seconds
        assert not times.place(stamp, None, 1_000_000 + round(stamp) + i % 3 * 200).jumped_ms
    net = CameraTime()
    for i in range(200):  # the net held back eight seconds, then brought all of it at once
        arrived = max(1_000_000 + i * 100, 1_018_000 if i >= 100 else 0)
        assert not net.place(i * 100.0, None, arrived).jumped_ms


def test_two_streams_of_a_camera_meet_at_the_same_moment() -> None:
    shared = Correction()
    small, large = CameraTime(lead=shared), CameraTime(follow=shared)
    hours = 7_200_000  # how wrong the camera's clock is; the large stream comes half a second later, from stamp 777
    for i in range(200):
        camera = 9_000_000 + i * 100 + hours
        one = small.place(i * 100.0, camera, 9_000_000 + i * 100 + 30).at_ms
        other = large.place(777 + i * 100.0, camera, 9_000_000 + i * 100 + 530).at_ms
    assert abs(one - other) <= 1


# ---- the backlog -----------------------------------------------------------------------------------------------------


def packets(groups: int, *, size: int = 100, leading: int = 0) -> list[Packet]:
    """Groups of ten pictures, a second each; open ones have pictures that are shown before their keyframe."""
    made = []
    for g in range(groups):
        made.append(Packet(g * 1000, True, size, None))
        made += [Packet(g * 1000 - 100 * (i + 1), False, size, None) for i in range(leading)]
        made += [Packet(g * 1000 + 100 * i, False, size, None) for i in range(1, 10 - leading)]
    return made


def drained(backlog: Backlog) -> list[Packet]:
    return list(iter(backlog.take, None))


def test_what_fits_comes_out_as_it_went_in() -> None:
    backlog = Backlog(most_bytes=10_000, most_ms=5_000)
    for packet in packets(4):
        backlog.put(packet)
    assert drained(backlog) == packets(4)
    assert backlog.lost_ms == 0


@pytest.mark.parametrize("limits", [{"most_ms": 2_500}, {"most_bytes": 2_600}])
def test_old_groups_give_way_whole_and_are_counted(limits: dict[str, int]) -> None:
    backlog = Backlog(**limits)
    for packet in packets(20):
        backlog.put(packet)
        assert len(backlog) <= 27
    left = drained(backlog)
    assert left[0].keyframe
    assert left == packets(20)[-len(left) :]
    assert backlog.lost_ms == left[0].at_ms


def test_a_group_begun_is_left_out_to_its_end() -> None:
    backlog = Backlog(most_ms=2_500)
    everything = packets(20)
    for packet in everything[:5]:
        backlog.put(packet)
    taken = [backlog.take() for _ in range(5)]
    for packet in everything[5:]:
        backlog.put(packet)
    assert taken == everything[:5]
    after = drained(backlog)
    assert after[0].keyframe
    assert backlog.lost_ms == after[0].at_ms - 500


def test_one_endless_group_gives_way_until_the_next_keyframe() -> None:
    backlog = Backlog(most_ms=1_000)
    backlog.put(Packet(0, True, 1, None))
    for i in range(1, 60):
        backlog.put(Packet(i * 100, False, 1, None))
        assert len(backlog) <= 11
    assert drained(backlog) == []
    backlog.put(Packet(6_000, True, 1, None))
    backlog.put(Packet(6_100, False, 1, None))
    assert [p.at_ms for p in drained(backlog)] == [6_000, 6_100]
    assert backlog.lost_ms == 6_000


def test_after_a_gap_pictures_that_refer_to_what_is_gone_are_left_out() -> None:
    backlog = Backlog(most_ms=2_500)
    for packet in packets(20, leading=3):
        backlog.put(packet)
    left = drained(backlog)
    key = left[0]
    assert key.keyframe
    assert all(p.at_ms >= key.at_ms for p in left[:7])
    assert [p.at_ms - left[7].at_ms for p in left[8:11]] == [-100, -200, -300]  # of the next group all are there


def test_a_stream_begins_with_a_keyframe() -> None:
    backlog = Backlog()
    everything = packets(3, leading=2)
    for packet in everything[5:]:
        backlog.put(packet)
    assert [p.at_ms for p in drained(backlog)][:3] == [1_000, 1_100, 1_200]
    assert backlog.lost_ms == 0


def test_a_jump_is_not_lost_with_the_packet_that_told_it() -> None:
    backlog = Backlog(most_ms=2_500)
    for i, packet in enumerate(packets(20)):
        backlog.put(replace(packet, jumped_ms=9_000) if i == 105 else packet)
    assert [p.jumped_ms for p in drained(backlog) if p.jumped_ms] == [9_000]


# ---- another size ----------------------------------------------------------------------------------------------------


class Small:
    """A picture in which each pixel's brightness says where it is."""

    at_ms, width, height = 7, 160, 90

    def luma(self) -> Image:
        rows, columns = sample_shape(self.width, self.height)
        return np.tile(np.linspace(0, 255, columns).astype(np.uint8), (rows, 1))

    def edges(self) -> Image:
        return self.luma()

    def small(self, side: int) -> Image:
        scale = min(1.0, side / self.width)
        return np.full((round(self.height * scale), round(self.width * scale), 3), 99, np.uint8)

    def bgr(self) -> Image:
        return np.tile(np.arange(self.width, dtype=np.uint8)[None, :, None], (self.height, 1, 3))

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        return self.bgr()[y1:y2, x1:x2]


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (161, 91)])
def test_a_small_picture_has_every_shape_of_the_large_one(size: tuple[int, int]) -> None:
    picture = ScaledPicture(Small(), size)
    assert (picture.width, picture.height) == size
    assert picture.bgr().shape == (size[1], size[0], 3)
    assert picture.luma().shape == picture.edges().shape == sample_shape(*size)
    scale = min(1.0, 416 / size[0])
    assert picture.small(416).shape == (round(size[1] * scale), round(size[0] * scale), 3)
    x1, x2 = size[0] // 2, size[0] // 2 + 60
    window = picture.part(x1, 10, x2, 40, 416)
    assert window.shape == (30, 60, 3)
    assert np.all(np.abs(window[:, 30, 0] - (x1 + 30) * 160 / size[0]) <= 2)
    assert picture.part(0, 0, *size, 80).shape[1 if size[0] > size[1] else 0] == 80
    middle = picture.luma()[:, sample_shape(*size)[1] // 2]
    assert np.all(np.abs(middle.astype(int) - 128) < 8)


# ---- opening and waiting ---------------------------------------------------------------------------------------------


def test_hardware_that_is_not_there_is_said_and_software_decodes() -> None:
    found, note = hardware_for("h264")
    if found is None:
        assert note == NONE_HERE
    else:
        assert "decoded on hardware" in note


def test_waits_double_within_a_bound_and_are_drawn() -> None:
    waits = []
    for seed in range(300):
        backoff = Backoff(SeededEntropy(f"{seed}"))
        for _ in range(7):
            backoff.failed(0)
            waits.append(backoff.due_ms)
    by_try = np.array(waits).reshape(300, 7)
    bounds = np.minimum(LONGEST_MS, FIRST_MS * 2 ** np.arange(7))
    assert np.all(by_try <= bounds)
    assert np.all(by_try.max(0) > 0.9 * bounds)
    assert np.all(by_try.min(0) < 0.1 * bounds)
    assert np.all(np.abs(by_try.mean(0) / bounds - 0.5) < 0.1)


def test_only_what_worked_for_a_while_is_asked_again_soon() -> None:
    backoff = Backoff(SeededEntropy("x"))
    for _ in range(10):
        backoff.failed(0)
    backoff.begun(0)
    backoff.failed(9_999)  # accepted and dropped at once: still waited for longer and longer
    long = [backoff.due_ms - 9_999]
    for _ in range(5):
        backoff.begun(0)
        backoff.failed(10_000)
        assert backoff.due_ms - 10_000 <= FIRST_MS
    assert max(long) <= LONGEST_MS


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "rtsp", "uri": "http://h/"}, "begins with rtsp"),
        ({"kind": "mjpeg", "uri": "rtsp://h/"}, "begins with http"),
        ({"kind": "rtsp", "uri": "rtsp://h/", "realtime": False}, "cannot be read faster"),
        ({"kind": "rtsp", "uri": "rtsp://h/", "record_uri": "rtsp://h/2"}, "how large the recorded picture is"),
        ({"kind": "rtsp", "uri": "rtsp://h/", "record_uri": "file:///x", "size": (9, 9)}, "begins with rtsp"),
        ({"kind": "seance", "uri": "rtsp://h/"}, "no kind of live source"),
    ],
)
def test_what_cannot_be_opened_is_refused_before(changes: dict[str, object], why: str) -> None:
    spec = SourceSpec(**{"name": "cam", "analytics": (), **changes})  # type: ignore[arg-type]  # each field as named
    with pytest.raises(BadInput, match=why):
        Opening(spec, None, SeededEntropy("x"))  # type: ignore[arg-type]  # nothing is opened, so nobody asks the time


def test_a_webcam_is_a_device_of_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert plan_of("webcam", "0").address == "/dev/video0"
    assert plan_of("webcam", "/dev/video2").tries[0][0] == "v4l2"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert (plan_of("webcam", "0").address, plan_of("webcam", "0").tries[0][0]) == ("0", "avfoundation")
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(BadInput, match="plan9"):
        plan_of("webcam", "0")
