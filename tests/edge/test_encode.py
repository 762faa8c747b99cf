from __future__ import annotations

import io

import av
import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.encode import decode_png, encode_jpeg, encode_mp4, encode_png


def frames(count: int, width: int = 160, height: int = 120) -> list[np.ndarray]:
    still = np.full((height, width, 3), (40, 120, 200), np.uint8)
    made = []
    for at in range(count):
        picture = still.copy()
        picture[20:60, 4 * at % width : 4 * at % width + 20] = (10, 10, 10)
        made.append(picture)
    return made


def boxes(mp4: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(mp4):
        found.append(mp4[at + 4 : at + 8])
        at += int.from_bytes(mp4[at : at + 4], "big") or len(mp4)
    return found


def test_a_clip_plays_as_it_was_made():
    made = frames(25)
    mp4 = encode_mp4(made, 10, (160, 120))
    with av.open(io.BytesIO(mp4)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, float(stream.average_rate)) == (160, 120, 10.0)
        seen = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    assert [time for time, _ in seen] == pytest.approx([n / 10 for n in range(25)])
    for (_, picture), original in zip(seen, made, strict=True):
        assert np.abs(picture.astype(int) - original).mean() < 4


def test_the_index_comes_before_the_pictures_so_that_playing_starts_at_once():
    order = boxes(encode_mp4(frames(5), 10, (160, 120)))
    assert order.index(b"moov") < order.index(b"mdat")


def test_nothing_tells_when_where_or_with_what_it_was_made():
    mp4 = encode_mp4(frames(5), 10, (160, 120))
    assert b"Lavf" not in mp4
    assert b"x264" not in mp4
    with av.open(io.BytesIO(mp4)) as container:
        assert len(container.streams) == 1
        told = {**container.metadata, **container.streams.video[0].metadata}
    assert set(told) <= {"major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id"}


def test_the_same_pictures_give_the_same_bytes():
    assert encode_mp4(frames(12), 10, (160, 120)) == encode_mp4(frames(12), 10, (160, 120))


def test_an_odd_size_is_made_even():
    with av.open(io.BytesIO(encode_mp4(frames(3, 161, 119), 12.5, (161, 119)))) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (162, 120)


def test_a_minute_fits_into_the_room_for_the_index():
    tiny = [np.full((16, 16, 3), n % 255, np.uint8) for n in range(1500)]
    with av.open(io.BytesIO(encode_mp4(tiny, 25, (16, 16)))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1500


def test_no_frame_is_no_clip():
    with pytest.raises(BadInput) as error:
        encode_mp4([], 10, (160, 120))
    assert error.value.fix


def test_a_frame_of_another_size_is_refused():
    with pytest.raises(ValueError, match="clip of 160 by 120"):
        encode_mp4(frames(2, 80, 60), 10, (160, 120))


def test_png_is_exact_and_jpeg_is_near():
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 4), np.uint8)
    assert (decode_png(encode_png(picture)) == picture).all()
    assert (decode_png(encode_png(picture[..., :3])) == picture[..., :3]).all()
    smooth = frames(1)[0]
    assert np.abs(decode_png(encode_jpeg(smooth)).astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("data", [b"", b"junk"])
def test_what_is_no_picture_is_refused(data: bytes):
    with pytest.raises(BadInput):
        decode_png(data)
