"""The clip of an incident: looked at by the detector when it is made, and withheld where it is unsure."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import Clip
from watchglass.perception.observation import Detections, Tracks
from watchglass.perception.ports import Packet
from watchglass.perception.ring import ClipOrder
from watchglass.runtime.clips import ANOTHER_SIZE, DAMAGED, ClipMaker, Studio, fitted, make_clip
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import OTHER_VIEW

SIZE, FPS, SECONDS = (640, 480), 10, 6


def ground() -> NDArray[np.uint8]:
    fine = np.random.default_rng(3).integers(70, 150, (SIZE[1] // 16, SIZE[0] // 16, 3), np.uint8)
    return np.asarray(cv2.resize(fine, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def empty(admitted: bool = True) -> bytes:
    return Backdrop(ground(), np.full((SIZE[1], SIZE[0]), admitted)).to_png()


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> VideoFile:
    """Six seconds of the empty scene."""
    path = tmp_path_factory.mktemp("clips") / "still.mp4"
    return written(path, [ground()] * FPS * SECONDS)


def written(path: Path, pictures: Sequence[NDArray[np.uint8]]) -> VideoFile:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(FPS), options={"crf": "16", "bf": "0", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for bgr in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(bgr, format="bgr24")))
        container.mux(stream.encode(None))
    return VideoFile(path)


@dataclass
class Sees:
    """A detector that finds persons at fixed places, whatever the picture shows, in pixels of the whole picture."""

    boxes: tuple[tuple[float, ...], ...] = ()
    side: int = 416
    looks: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        self.looks.append(bgr.shape)
        boxes: FloatArray = np.array(self.boxes, np.float32).reshape(-1, 4) * np.float32(bgr.shape[1] / SIZE[0])
        count = len(boxes)
        return Detections(boxes, np.full(count, 0.9, np.float32), np.zeros(count, np.int8))


def order(file: VideoFile, **more: Any) -> ClipOrder:
    return ClipOrder("0" * 16, "cam", 0, SECONDS * 1000, tuple(file.packets(0)), (), **more)


def studio(file: VideoFile, detector: Sees, *backdrops: bytes) -> Studio:
    return Studio(file.decoder, SIZE, FPS, backdrops, detector)


def pictures(clip: Clip) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(clip.mp4)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_who_was_there_while_nobody_looked_is_mosaicked(still: VideoFile) -> None:
    """The order knows of no track: the gate was shut. The person hardly differs from the ground; the detector looks."""
    alone = make_clip(order(still), studio(still, Sees(), empty()))
    seen = make_clip(order(still), studio(still, Sees(((300.0, 100.0, 360.0, 260.0),)), empty()))
    assert alone.masked_share == 0
    assert seen.masked_share > 60 * 160 / (640 * 480)
    for picture in pictures(seen):
        part = picture[112:256, 304:352].astype(int).reshape(18, 8, 6, 8, 3)
        assert np.ptp(part, axis=(1, 3)).mean() < 6  # flat blocks, but for coding


def test_the_detector_looks_about_twice_a_second(still: VideoFile) -> None:
    detector = Sees()
    make_clip(order(still), studio(still, detector, empty()))
    assert SECONDS <= len(detector.looks) <= 2.5 * SECONDS + 2


def test_where_things_were_known_to_be_is_mosaicked_too(still: VideoFile) -> None:
    box = np.array([[300, 100, 360, 260]], np.float32)
    known = Tracks(2500, np.zeros(1, np.int64), box, np.ones(1, np.float32), np.zeros(1, np.int8))
    clip = make_clip(replace(order(still), tracks=(known,)), studio(still, Sees(), empty()))
    assert 0 < clip.masked_share < 0.03


def test_a_camera_that_shows_something_else_is_withheld_and_the_clip_says_how_much(
    tmp_path: Path, still: VideoFile
) -> None:
    other = np.roll(ground(), 200, axis=1)
    moved = written(tmp_path / "moved.mp4", [ground()] * 3 * FPS + [other] * 3 * FPS)
    clip = make_clip(order(moved), studio(moved, Sees(), empty()))
    assert clip.withheld_share == pytest.approx(0.5, abs=0.1)
    assert clip.withheld_why == OTHER_VIEW
    plate = pictures(clip)[-1]
    grey = np.abs(plate.astype(int) - (205, 203, 200)).max(axis=2) < 12
    assert grey.mean() > 0.9
    whole = make_clip(order(still), studio(still, Sees(), empty()))
    assert (whole.withheld_share, whole.withheld_why) == (0, "")


def test_another_confirmed_view_that_fits_is_used(tmp_path: Path) -> None:
    other = np.roll(ground(), 200, axis=1)
    moved = written(tmp_path / "moved.mp4", [ground()] * 3 * FPS + [other] * 3 * FPS)
    second = Backdrop(other, np.ones(other.shape[:2], bool)).to_png()
    clip = make_clip(order(moved), studio(moved, Sees(), empty(), second))
    assert clip.withheld_share == 0
    assert clip.masked_share < 0.1


def test_what_comes_damaged_is_withheld(still: VideoFile) -> None:
    whole = order(still)
    torn = tuple(_torn(packet) if 21 <= number <= 24 else packet for number, packet in enumerate(whole.packets))
    clip = make_clip(replace(whole, packets=torn), studio(still, Sees(), empty()))
    assert clip.withheld_why == DAMAGED
    assert 0.02 < clip.withheld_share < 0.6
    assert clip.seconds > SECONDS / 2


def _torn(packet: Packet) -> Packet:
    assert isinstance(packet.payload, av.Packet)
    data = bytes(packet.payload)
    torn = av.Packet(data[:5] + bytes(byte ^ 0x5A for byte in data[5:]))
    torn.pts, torn.dts, torn.time_base = packet.payload.pts, packet.payload.dts, packet.payload.time_base
    return replace(packet, payload=torn)


def test_a_picture_of_another_size_is_withheld(still: VideoFile) -> None:
    other = replace(studio(still, Sees(), empty()), size=(320, 240))
    clip = make_clip(order(still), other)
    assert (clip.withheld_share, clip.withheld_why) == (1, ANOTHER_SIZE)
    assert {picture.shape for picture in pictures(clip)} == {(240, 320, 3)}


def test_without_a_confirmed_backdrop_everything_is_mosaicked(still: VideoFile) -> None:
    clip = make_clip(order(still), studio(still, Sees()))
    assert (clip.masked_share, clip.withheld_share) == (1, 0)
    block = pictures(clip)[10][64:96, 64:96]
    assert np.ptp(block.astype(int), axis=(0, 1)).max() < 12


def test_two_rules_that_fire_at_once_share_one_piece_of_work(still: VideoFile) -> None:
    done: list[Clip] = []
    detector = Sees()
    maker = ClipMaker(done.append)
    room = studio(still, detector, empty())
    maker.take(order(still), room)
    maker.take(replace(order(still), incident="1" * 16), room)
    maker.finish()
    assert [clip.incident for clip in done] == ["0" * 16, "1" * 16]
    assert done[0].mp4 == done[1].mp4
    looks = len(detector.looks)
    again = ClipMaker(done.append)
    again.take(order(still), room)
    again.take(order(still), replace(room, backdrops=()))  # another backdrop: another clip
    again.finish()
    assert len(detector.looks) == 3 * looks


def test_the_size_of_a_clip() -> None:
    assert fitted((1920, 1080)) == (800, 450)
    assert fitted((640, 480)) == (640, 480)


# ---- clips that are begun while they are filmed ----------------------------------------------------------------------


def begun(whole: ClipOrder, until_ms: int) -> ClipOrder:
    """The same order as it is while the clip is being filmed."""
    return replace(whole, packets=tuple(p for p in whole.packets if p.at_ms <= until_ms), tracks=(), whole=False)


def cut(whole: ClipOrder, incident: str, start_ms: int, end_ms: int) -> ClipOrder:
    packets = tuple(p for p in whole.packets if start_ms // 2000 * 2000 <= p.at_ms <= end_ms)
    return replace(whole, incident=incident, start_ms=start_ms, end_ms=end_ms, packets=packets)


@dataclass
class Counted:
    """A file's decoders, and how many packets they were given."""

    file: VideoFile
    packets: int = 0

    def decoder(self) -> Any:
        decoder = self.file.decoder()
        decode = decoder.decode

        def counted(packet: Packet) -> Any:
            self.packets += 1
            return decode(packet)

        decoder.decode = counted  # type: ignore[method-assign] # it only counts
        return decoder


BOX = (300.0, 100.0, 360.0, 260.0)


def test_a_clip_that_was_begun_is_the_same_clip(still: VideoFile) -> None:
    box = np.array([[100, 100, 160, 260]], np.float32)
    known = Tracks(2500, np.zeros(1, np.int64), box, np.ones(1, np.float32), np.zeros(1, np.int8))
    whole = replace(order(still), tracks=(known,))
    counted, done = Counted(still), list[Clip]()
    room = replace(studio(still, Sees((BOX,)), empty()), decoder=counted.decoder)
    maker = ClipMaker(done.append)
    for until_ms in (1500, 2000, 4000):
        maker.take(begun(whole, until_ms), room)
    maker.take(whole, room)
    maker.finish()
    assert counted.packets == len(whole.packets)
    assert done == [make_clip(whole, studio(still, Sees((BOX,)), empty()))]


def test_clips_that_lie_in_each_other_are_decoded_once(still: VideoFile) -> None:
    counted, done = Counted(still), list[Clip]()
    detector = Sees((BOX,))
    room = replace(studio(still, detector, empty()), decoder=counted.decoder)
    all_of_it = order(still)
    first, second = cut(all_of_it, "1" * 16, 0, 3900), cut(all_of_it, "2" * 16, 2000, 5900)
    maker = ClipMaker(done.append)
    maker.take(begun(first, 2000), room)
    maker.take(begun(second, 3000), room)
    maker.take(first, room)
    maker.take(begun(second, 4000), room)
    maker.take(second, room)
    maker.finish()
    assert counted.packets == len(all_of_it.packets)
    assert len(detector.looks) <= 2.5 * SECONDS + 2
    assert [(clip.incident, clip.seconds) for clip in done] == [("1" * 16, 4.0), ("2" * 16, 4.0)]
    for clip in done:
        for picture in pictures(clip):
            part = picture[112:256, 304:352].astype(int).reshape(18, 8, 6, 8, 3)
            assert np.ptp(part, axis=(1, 3)).mean() < 6  # flat blocks, but for coding


def test_how_fast_clips_are_made_does_not_change_them(still: VideoFile) -> None:
    """Once with nothing prepared beforehand, because the thread was held up; once with all of it."""
    all_of_it = order(still)
    first, second = cut(all_of_it, "1" * 16, 0, 3900), cut(all_of_it, "2" * 16, 2000, 5900)
    orders = (begun(first, 2000), begun(second, 3000), first, begun(second, 4000), second)

    def made(*, slowly: bool) -> list[Clip]:
        done: list[Clip] = []
        room = studio(still, Sees((BOX,)), empty())
        may_go = threading.Event()
        maker = ClipMaker(done.append)
        if slowly:
            maker._pool.submit(may_go.wait)  # holds up what the orders wait for
        for each in orders:
            maker.take(each, room)
            if not slowly:
                maker._pool.submit(bool).result()  # until it has done that
        may_go.set()
        maker.finish()
        return done

    assert made(slowly=True) == made(slowly=False)


def test_what_was_forgotten_is_made_anew(still: VideoFile) -> None:
    counted, done = Counted(still), list[Clip]()
    room = replace(studio(still, Sees(), empty()), decoder=counted.decoder)
    maker = ClipMaker(done.append)
    whole = order(still)
    maker.take(begun(whole, 3000), room)
    maker._pool.submit(bool).result()  # until it has done that
    maker.forget("cam")
    maker.take(whole, room)
    maker.finish()
    assert counted.packets == len(whole.packets) + len(begun(whole, 3000).packets)
    assert [clip.seconds for clip in done] == [SECONDS]


def test_packets_that_do_not_go_on_from_what_was_begun_begin_anew(still: VideoFile) -> None:
    """The camera was lost in between: what was decoded before says nothing of what follows."""
    whole = order(still)
    later = cut(whole, "0" * 16, 4000, 5900)
    done: list[Clip] = []
    room = studio(still, Sees((BOX,)), empty())
    maker = ClipMaker(done.append)
    maker.take(begun(cut(whole, "0" * 16, 0, 3900), 1900), room)
    maker.take(later, room)
    maker.finish()
    assert done == [make_clip(later, studio(still, Sees((BOX,)), empty()))]


def test_few_sources_have_pictures_waiting(still: VideoFile) -> None:
    """The third source that something happens at makes the first one begin anew; all get their clips."""
    counted, done = Counted(still), list[Clip]()
    room = replace(studio(still, Sees(), empty()), decoder=counted.decoder)
    maker = ClipMaker(done.append)
    wholes = [replace(order(still), source=f"cam-{n}", incident=str(n) * 16) for n in range(3)]
    for whole in wholes:
        maker.take(begun(whole, 3000), room)
        maker._pool.submit(bool).result()  # until it has done that
    for whole in wholes:
        maker.take(whole, room)
    maker.finish()
    again = len(begun(wholes[0], 3000).packets)
    assert counted.packets == 3 * len(wholes[0].packets) + again
    assert [clip.incident for clip in done] == [whole.incident for whole in wholes]


def test_a_detector_that_fails_once_leaves_no_gap_in_a_clip(still: VideoFile) -> None:
    """What was not looked at is not shown as if it had been: the incident stays without a clip."""

    class FailsOnce(Sees):
        def detect(self, bgr: NDArray[np.uint8]) -> Detections:
            found = super().detect(bgr)
            if len(self.looks) == 2:
                raise RuntimeError("no memory")
            return found

    done: list[Clip] = []
    room = studio(still, FailsOnce((BOX,)), empty())
    maker = ClipMaker(done.append)
    whole = order(still)
    maker.take(begun(whole, 3000), room)
    maker._pool.submit(bool).result()  # until it has done that
    maker.take(whole, room)
    maker.finish()
    assert (done, maker.dropped) == ([], 1)
