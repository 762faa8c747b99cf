"""``paint`` on real files: nobody in the copy, nothing else either; whole files or none; every kind that is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from films import STRANGER, pictures_of, place, scene, strange, walk, write

from watchglass.core.errors import BadInput
from watchglass.edge.inference import load
from watchglass.perception.observation import Detections
from watchglass.perception.ports import Image
from watchglass.runtime.paint.file import Order, Report, backdrop_beside, paint_file
from watchglass.runtime.paint.scene import Marks
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    level = av.logging.get_level()
    av.logging.set_level(None)
    yield
    av.logging.set_level(level)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 s, in which a stranger walks through again and again."""
    return write(tmp_path_factory.mktemp("street") / "street.mp4", walk(45), options={"g": "25"})


@pytest.fixture(scope="module")
def copies(street: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Report]]:
    """Both copies of it, with their reports."""
    folder = tmp_path_factory.mktemp("copies")
    return {
        mode: (folder / f"{mode}.mp4", paint_file(Order(street, folder / f"{mode}.mp4", mode=mode), quiet))
        for mode in ("painted", "mosaic")
    }


def quiet(_what: str, _done: float, _all: float) -> None:
    pass


def painted(source: Path, target: Path, **more: Any) -> Report:
    return paint_file(Order(source, target, **more), quiet, load())


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def is_grey(picture: Image) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the painted ground is grey, with its pattern of lines and what coding does to them."""
    return np.abs(picture.astype(int) - np.array(GREY)).max(axis=2) <= 20


# ---- nobody ----------------------------------------------------------------------------------------------------------


def test_the_original_is_full_of_the_stranger(street: Path) -> None:
    seen = [strange(picture) for _, picture in pictures_of(street)]
    assert np.median(seen) > 1000


def test_whoever_no_detector_knows_is_not_in_the_painted_copy(copies: dict[str, tuple[Path, Report]]) -> None:
    path, report = copies["painted"]
    pictures = pictures_of(path)
    assert report.pins == 0, "the stranger was found; then this test shows nothing"
    assert max(strange(picture) for _, picture in pictures) == 0
    assert report.grey_median < 0.2
    empty, shown = scene().astype(int), pictures[-1][1].astype(int)
    ground = 0.8 * empty + 0.2 * 236
    off = np.abs(shown - ground).max(axis=2)
    # What may look like letters is blurred.
    assert float((off > 25)[~is_grey(pictures[-1][1])].mean()) < 0.15, "something is shown that is not the empty scene"


def test_whoever_no_detector_knows_is_mosaicked(copies: dict[str, tuple[Path, Report]]) -> None:
    path, report = copies["mosaic"]
    assert report.mosaicked_median is not None
    assert 0.02 < report.mosaicked_median < 0.5
    checked = 0
    for at, picture in pictures_of(path):
        x, y = place(round(at * 5), 5, (320, 240))
        if x < 0 or x + STRANGER[0] > 320:
            continue
        part = picture[y : y + STRANGER[1], x : x + STRANGER[0]].astype(int)
        # Squares of four pixels, red and green: a block of eight holds as much of both.
        assert strange(part.astype(np.uint8)) < 0.02 * part.size / 3
        checked += 1
    assert checked > 50


def test_the_empty_scene_that_it_writes_is_the_empty_scene(copies: dict[str, tuple[Path, Report]]) -> None:
    path, report = copies["painted"]
    assert report.backdrop_file == "painted.mp4.backdrop.png"
    assert not report.backdrop_confirmed
    learned = Backdrop.from_png(backdrop_beside(path).read_bytes())
    assert learned.share == pytest.approx(1 - report.grey_median, abs=1e-3)
    off = np.abs(learned.bgr.astype(int) - scene()).max(axis=2)[learned.admitted]
    assert float((off > 25).mean()) < 0.15, "more than what may look like letters differs"
    assert strange(learned.bgr) == 0


def test_without_a_backdrop_no_pixel_of_the_video_is_used(street: Path, tmp_path: Path) -> None:
    report = painted(street, tmp_path / "out.mp4", plain=True)
    assert (report.grey_median, report.backdrop_file) == (1.0, None)
    assert all(is_grey(picture).all() for _, picture in pictures_of(tmp_path / "out.mp4"))
    assert left(tmp_path) == ["out.mp4"]


def test_a_place_that_should_stay_grey_does(street: Path, tmp_path: Path) -> None:
    painted(street, tmp_path / "out.mp4", grey=((100, 20, 60, 50), (300, 230, 900, 900)))
    for _, picture in pictures_of(tmp_path / "out.mp4"):
        assert is_grey(picture)[24:66, 104:156].all()
        assert is_grey(picture)[234:, 304:].all()
        assert not is_grey(picture)[24:66, 170:250].all()
    kept = Backdrop.from_png(backdrop_beside(tmp_path / "out.mp4").read_bytes())
    assert not kept.admitted[20:70, 100:160].any()


def test_a_backdrop_that_was_looked_at_is_used_and_none_is_learned(street: Path, tmp_path: Path) -> None:
    plain = np.full((240, 320, 3), (90, 140, 60), np.uint8)
    png = Backdrop(plain, np.ones((240, 320), bool)).to_png()
    report = painted(street, tmp_path / "out.mp4", backdrop=png)
    assert report.backdrop_confirmed
    assert report.backdrop_file is None
    assert left(tmp_path) == ["out.mp4"]
    shown = pictures_of(tmp_path / "out.mp4")[5][1].astype(int)
    assert np.abs(shown - (0.8 * plain + 0.2 * 236)).max() < 12
    small = Backdrop(plain[:100, :100], np.ones((100, 100), bool)).to_png()
    with pytest.raises(BadInput, match="100 by 100 pixels, and the video 320 by 240"):
        painted(street, tmp_path / "b.mp4", backdrop=small)


def test_the_backdrop_of_another_camera_is_not_shown(street: Path, tmp_path: Path) -> None:
    elsewhere = scene(seed=77)[:, ::-1].copy()
    elsewhere[60:180, 80:240:16] = 20
    png = Backdrop(elsewhere, np.ones((240, 320), bool)).to_png()
    report = painted(street, tmp_path / "out.mp4", backdrop=png)
    assert report.unsure_frames == report.frames
    assert all(is_grey(picture).all() for _, picture in pictures_of(tmp_path / "out.mp4"))


def test_it_gets_dark_in_the_copy_too(tmp_path: Path) -> None:
    pictures = [(p * (1.0 if n < 160 else 0.7)).astype(np.uint8) for n, p in enumerate(walk(45))]
    report = painted(write(tmp_path / "in.mp4", pictures), tmp_path / "out.mp4")
    shown = pictures_of(tmp_path / "out.mp4")
    early = [picture for at, picture in shown if at < 30][-1]
    late = shown[-1][1]
    known = ~is_grey(early) & ~is_grey(late)
    assert known.mean() > 0.7
    assert report.unsure_frames == 0
    # 0.8 of the scene and 0.2 of near white: 0.7 of the light leaves this of what is shown.
    ground = scene()[known].astype(float)
    assert early[known].mean() == pytest.approx((0.8 * ground + 0.2 * 236).mean(), abs=6)
    assert late[known].mean() == pytest.approx((0.8 * 0.7 * ground + 0.2 * 236).mean(), abs=6)


class _Finds:
    """A detector that finds the same people in every picture, at the places and scores that it was told."""

    side = 512

    def __init__(self, *people: tuple[float, float, float, float, float]) -> None:
        self._people = np.array(people, np.float32).reshape(-1, 5)

    def detect(self, bgr: Image) -> Detections:
        scale = np.float32(bgr.shape[1] / 320)
        kinds = np.zeros(len(self._people), np.int8)
        return Detections(self._people[:, :4] * scale, self._people[:, 4], kinds)


def test_where_somebody_may_have_stood_still_stays_grey(street: Path, tmp_path: Path) -> None:
    """The detector is made up here: what counts is what follows from a suspicion, however weak."""
    report = paint_file(Order(street, tmp_path / "out.mp4"), quiet, _Finds((40, 20, 60, 70, 0.27)))
    assert 0 < report.suspected_share < 0.1
    assert report.pins == 0, "a suspicion is no mark"
    last = pictures_of(tmp_path / "out.mp4")[-1][1]
    assert is_grey(last)[4:92, 36:60].all()


def test_pins_stand_for_what_was_found_and_go_where_too_few_are(street: Path, tmp_path: Path) -> None:
    detector = _Finds((40, 20, 60, 70, 0.9), (200, 100, 220, 150, 0.9))
    report = paint_file(Order(street, tmp_path / "out.mp4", plain=True), quiet, detector)
    assert report.most_pins == 2
    hidden = Order(street, tmp_path / "b.mp4", plain=True, marks=Marks(hide_below=3))
    assert paint_file(hidden, quiet, detector).pins == 0


# ---- nothing else ----------------------------------------------------------------------------------------------------


def test_nothing_tells_where_when_or_with_what_it_was_made(tmp_path: Path) -> None:
    def name(container: Any, stream: Any) -> None:
        container.metadata.update(title="Our yard", comment="by Alex", location="+48.1+11.5/")
        stream.metadata.update(title="Camera of Alex", language="deu")

    source = write(tmp_path / "in.mkv", walk(8), audio=True, prepare=name)
    with av.open(str(source)) as container:
        assert len(container.streams) == 2
        assert container.metadata["TITLE" if "TITLE" in container.metadata else "title"] == "Our yard"
    painted(source, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    for word in (b"Our yard", b"Alex", b"48.1", b"Lavf", b"Lavc", b"x264", str(tmp_path).encode(), b"in.mkv"):
        assert word not in data, word
    assert data.index(b"moov") < data.index(b"mdat"), "the index must come first"
    with av.open(str(tmp_path / "out.mp4")) as container:
        (stream,) = container.streams
        assert (stream.type, stream.codec_context.name, stream.codec_context.pix_fmt) == ("video", "h264", "yuv420p")
        told = {**container.metadata, **stream.metadata}
        assert set(told) <= {
            "major_brand",
            "minor_version",
            "compatible_brands",
            "language",
            "handler_name",
            "vendor_id",
        }
        assert told["language"] == "und"


def test_times_are_kept_even_where_they_are_uneven(tmp_path: Path) -> None:
    times = [0, 200, 333, 1000, 1100, 4000, 4200, 9000, 9130]
    source = write(tmp_path / "in.mkv", list(walk(2))[: len(times)], times=lambda n: times[n])
    for mode in ("painted", "mosaic"):
        report = painted(source, tmp_path / f"{mode}.mp4", mode=mode, fps=50)
        shown = [round(1000 * at) for at, _ in pictures_of(tmp_path / f"{mode}.mp4")]
        assert set(shown) <= set(times)
        assert (shown[0], shown[-1]) == (0, 9130)
        assert report.frames == len(times)
        with av.open(str(tmp_path / f"{mode}.mp4")) as container:
            assert container.duration is not None
            assert container.duration / 1000 == pytest.approx(report.seconds * 1000, abs=2)
    assert [round(1000 * at) for at, _ in pictures_of(tmp_path / "mosaic.mp4")] == times


def test_not_more_pictures_a_second_than_were_asked_for(tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", walk(9))
    report = painted(source, tmp_path / "out.mp4", mode="mosaic", fps=2)
    stamps = [at for at, _ in pictures_of(tmp_path / "out.mp4")]
    assert report.written == len(stamps) == pytest.approx(9 * 5 / 3, abs=2)
    assert np.diff(stamps)[:-1].min() > 0.5 - 0.02


@pytest.mark.parametrize("mode", ["painted", "mosaic"])
def test_the_same_file_gives_the_same_bytes(
    mode: str, street: Path, copies: dict[str, tuple[Path, Report]], tmp_path: Path
) -> None:
    """Also with the detector on one thread instead of several."""
    path, first = copies[mode]
    again = painted(street, tmp_path / "b.mp4", mode=mode)
    # What was found first, then what was learned, then what was drawn and coded: so a failure tells where it began.
    assert replace(first, sha256_out="", backdrop_file=None) == replace(again, sha256_out="", backdrop_file=None)
    assert backdrop_beside(path).read_bytes() == backdrop_beside(tmp_path / "b.mp4").read_bytes()
    drawn, anew = pictures_of(path), pictures_of(tmp_path / "b.mp4")
    assert [at for at, _ in drawn] == [at for at, _ in anew]
    far = [int(np.abs(one.astype(int) - two).max()) for (_, one), (_, two) in zip(drawn, anew, strict=True)]
    assert far == [0] * len(far)
    assert first.sha256_out == again.sha256_out
    assert path.read_bytes() == (tmp_path / "b.mp4").read_bytes()


# ---- every kind of file ----------------------------------------------------------------------------------------------

KINDS = {
    "h264.mp4": {},
    "h264-b-frames.mov": {"options": {"bf": "2", "g": "25"}},
    "h265.mkv": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "ten-bits.mkv": {"codec": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    "half-colour.mp4": {"pixels": "yuv422p"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "motion-jpeg.avi": {"codec": "mjpeg", "pixels": "yuvj422p"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}},
    "vp8.webm": {"codec": "libvpx", "options": {"cpu-used": "8", "deadline": "realtime"}},
    "av1.mkv": {"codec": "libsvtav1", "options": {"preset": "12"}},
    "without-duration.h264": {},
    "transport.ts": {"options": {"g": "10"}},
}


@pytest.mark.parametrize("name", KINDS)
def test_files_of_this_kind_are_painted(name: str, tmp_path: Path) -> None:
    source = write(tmp_path / f"in-{name}", walk(4, size=(192, 160)), **KINDS[name])
    report = painted(source, tmp_path / "out.mp4")
    assert report.frames == 20
    # A bare stream does not say how fast it goes: 25 pictures a second, as everywhere.
    assert report.seconds == pytest.approx(0.8 if name.endswith(".h264") else 4.0, abs=0.25)
    assert report.too_short
    assert report.grey_median == 1.0
    pictures = pictures_of(tmp_path / "out.mp4")
    assert pictures[0][1].shape == (160, 192, 3)
    assert all(is_grey(picture).all() for _, picture in pictures)


@pytest.mark.parametrize("mode", ["painted", "mosaic"])
@pytest.mark.parametrize("name", ["odd.webm", "odd.avi"])
def test_odd_sizes_are_made_even(name: str, mode: str, tmp_path: Path) -> None:
    kind = {"codec": "libvpx-vp9"} if name.endswith("webm") else {"codec": "mjpeg", "pixels": "yuvj420p"}
    source = write(tmp_path / name, walk(3, size=(161, 123)), **kind)
    report = painted(source, tmp_path / "out.mp4", mode=mode)
    assert report.size == (161, 123)
    assert pictures_of(tmp_path / "out.mp4")[0][1].shape == (124, 162, 3)


@pytest.mark.parametrize("count", [1, 2])
def test_very_short_clips_are_painted(count: int, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", list(walk(1))[:count])
    for mode in ("painted", "mosaic"):
        report = painted(source, tmp_path / f"{mode}.mp4", mode=mode)
        assert (report.frames, report.written) == (count, count)
        with av.open(str(tmp_path / f"{mode}.mp4")) as container:
            assert (container.duration or 0) / 1e6 == pytest.approx(0.2 * count, abs=0.01)


def test_what_was_filmed_on_its_side_comes_out_upright(tmp_path: Path) -> None:
    lying = [cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE) for picture in walk(45)]
    source = write(tmp_path / "in.mp4", lying, prepare=lambda _c, stream: stream.set_display_rotation(-90))
    report = painted(source, tmp_path / "out.mp4")
    assert report.size == (320, 240)
    assert report.turned == 270
    kept = Backdrop.from_png(backdrop_beside(tmp_path / "out.mp4").read_bytes())
    assert kept.share > 0.7
    off = np.abs(kept.bgr.astype(int) - scene()).max(axis=2)[kept.admitted]
    assert float((off > 25).mean()) < 0.15, "more than what may look like letters differs"
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    def anamorphic(_container: Any, stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)

    source = write(tmp_path / "in.mp4", walk(2), prepare=anamorphic)
    painted(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert str(container.streams.video[0].sample_aspect_ratio) == "16/11"


def test_only_the_view_that_lasted_longest_is_shown(tmp_path: Path) -> None:
    other = scene(seed=77)
    source = write(tmp_path / "in.mp4", [*[other.copy() for _ in range(60)], *walk(45)])
    report = painted(source, tmp_path / "out.mp4")
    assert report.views == 2
    pictures = pictures_of(tmp_path / "out.mp4")
    assert all(is_grey(picture).all() for at, picture in pictures if at < 11)
    assert not any(is_grey(picture).all() for at, picture in pictures if at > 17)
    assert report.unsure_frames >= 55


# ---- damaged, half, and refused --------------------------------------------------------------------------------------


def test_a_damaged_middle_is_grey_and_counted(street: Path, tmp_path: Path) -> None:
    data = bytearray(street.read_bytes())
    with av.open(str(street)) as container:
        packets = [(p.pos, p.size, float(p.pts * p.time_base)) for p in container.demux(video=0) if p.size]
    hurt = [(pos, size, at) for pos, size, at in packets if 20 <= at < 21]
    rng = np.random.default_rng(1)
    for pos, size, _ in hurt:
        data[pos + 8 : pos + size] = rng.integers(0, 255, size - 8, np.uint8).tobytes()
    source = tmp_path / "in.mp4"
    source.write_bytes(data)
    for mode in ("painted", "mosaic"):
        report = painted(source, tmp_path / f"{mode}.mp4", mode=mode)
        assert report.damaged_frames >= 1
        assert report.frames == 225
    assert report.withheld is not None
    assert report.withheld["it is damaged"] >= 1
    pictures = pictures_of(tmp_path / "painted.mp4")
    shown = [picture for at, picture in pictures if at <= 20.5][-1]
    assert is_grey(shown).all()
    assert not is_grey(pictures[-1][1]).all()
    assert max(strange(picture) for _, picture in pictures) == 0


@pytest.mark.parametrize("mode", ["painted", "mosaic"])
def test_a_file_that_breaks_off_gives_an_error_and_no_copy(mode: str, tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mp4", walk(10), options={"g": "10"})
    options = {"movflags": "faststart"}
    with av.open(str(whole)) as container, av.open(str(tmp_path / "in.mp4"), "w", options=options) as out:
        copy = out.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    whole.unlink()
    data = (tmp_path / "in.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    (tmp_path / "in.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="breaks off"):
        painted(tmp_path / "in.mp4", tmp_path / "out.mp4", mode=mode)
    assert left(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("data", [b"", b"no video at all", bytes(5000)])
def test_what_is_no_video_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(data)
    with pytest.raises(BadInput) as error:
        painted(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert error.value.fix
    assert left(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("stage", ["looking", "painting", "mosaicking"])
def test_whoever_stops_it_finds_nothing_half_done(stage: str, street: Path, tmp_path: Path) -> None:
    def stop(what: str, done: float, _all: float) -> None:
        if what == stage and done > 5:
            raise KeyboardInterrupt

    (tmp_path / "out.mp4").write_bytes(b"what was there before")
    mode = "mosaic" if stage == "mosaicking" else "painted"
    with pytest.raises(KeyboardInterrupt):
        paint_file(Order(street, tmp_path / "out.mp4", mode=mode, force=True), stop, load())
    assert left(tmp_path) == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"what was there before"


def test_the_original_is_never_replaced(street: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(street.read_bytes())
    (tmp_path / "link.mp4").symlink_to(source)
    for target in (source, tmp_path / "link.mp4"):
        with pytest.raises(BadInput, match="may not replace the original"):
            painted(source, target, force=True)
    assert source.read_bytes() == street.read_bytes()


def test_what_is_there_is_replaced_only_with_force(street: Path, tmp_path: Path) -> None:
    for name in ("out.mp4", "out.mp4.backdrop.png"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(BadInput, match="is there already") as error:
            painted(street, tmp_path / "out.mp4")
        assert "--force" in error.value.fix
        (tmp_path / name).unlink()
    (tmp_path / "out.mp4.backdrop.png").write_bytes(b"of an earlier run")
    painted(street, tmp_path / "out.mp4", plain=True, force=True)
    assert left(tmp_path) == ["out.mp4"], "the empty scene of an earlier run would belong to nothing"


@pytest.mark.parametrize(
    ("target", "more", "says"),
    [
        ("out.avi", {}, "is an MP4"),
        ("nowhere/out.mp4", {}, "There is no folder"),
        ("out.mp4", {"grey": ((400, 0, 10, 10),)}, "is not in the picture"),
        ("out.mp4", {"grey": ((0, 0, 0, 10),)}, "is not in the picture"),
        ("out.mp4", {"backdrop": b"no picture"}, "is not a backdrop"),
    ],
)
def test_what_makes_no_sense_is_refused(
    target: str, more: dict[str, Any], says: str, street: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=says) as error:
        painted(street, tmp_path / target, **more)
    assert error.value.fix
    assert left(tmp_path) == []
