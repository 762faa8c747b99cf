"""Real codecs: what a glance shows, what looking roughly leaves out, and where decoding can begin."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from watchglass.edge.video import VideoFile
from watchglass.perception.ports import Insight, Packet, stride_of

FPS, GROUP = 25, 50
SIZE = (640, 480)
X264 = "scenecut=0:keyint=50:min-keyint=50"
X265 = "log-level=error:keyint=50:min-keyint=50:scenecut=0"
CODECS = {
    "h264": ("libx264", {"preset": "ultrafast", "bf": "0", "x264-params": X264}),
    "h264 with B-frames, open groups": ("libx264", {"preset": "fast", "bf": "3", "x264-params": X264 + ":open-gop=1"}),
    "h265": ("libx265", {"preset": "ultrafast", "x265-params": X265 + ":bframes=0"}),
    "h265 with B-frames, open groups": (
        "libx265",
        {"preset": "ultrafast", "x265-params": X265 + ":bframes=3:open-gop=1"},
    ),
}


def street(codec: str, path: Path, seconds: int = 4, *, walks: bool = True) -> VideoFile:
    """A textured scene with noise; from the second second on a dark box walks from the left, eight pixels a picture."""
    rng = np.random.default_rng(1)
    base = np.kron(rng.integers(60, 180, (SIZE[1] // 16, SIZE[0] // 16)), np.ones((16, 16))).astype(np.float32)
    name, options = CODECS[codec]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(name, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for i in range(seconds * FPS):
            picture = base + rng.normal(0, 2, base.shape)
            if walks and i >= FPS:
                x = 8 * (i - FPS)
                picture[200:300, x : x + 40] = 20
            grey = np.clip(picture, 0, 255).astype(np.uint8)
            planes = np.concatenate([grey, np.full((SIZE[1] // 2, SIZE[0]), 128, np.uint8)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return VideoFile(path)


def forward(packets: list[Packet]) -> list[Packet]:
    """Those that nothing shown earlier follows in coded order: a glance may be taken at them."""
    newest, result = -1, []
    for packet in packets:
        if packet.at_ms > newest and not packet.keyframe:
            result.append(packet)
        newest = max(newest, packet.at_ms)
    return result


@pytest.mark.parametrize("codec", CODECS)
def test_a_glance_shows_what_moves_at_that_moment_and_where(codec: str, tmp_path: Path) -> None:
    file = street(codec, tmp_path / "a.mp4")
    packets = list(file.packets(0))
    decoder, stride = file.decoder(), stride_of(*SIZE)
    decoder.exactly(False)
    assert decoder.insight is (Insight.CLEAR if "h264" in codec else Insight.FAINT)
    second = next(i for i, p in enumerate(packets) if p.keyframe and p.at_ms)
    found = blind = 0
    glanced = [p for p in forward(packets[second:]) if 2_300 <= p.at_ms <= 3_600][::3]
    for packet in glanced:
        changes = decoder.glance(packets[second], packet)
        if changes is None:
            # The order of pictures is coded in a few bits: where they wrap, FFmpeg cannot tell which comes later.
            assert "h264 with B-frames" in codec
            blind += 1
            continue
        strong = np.abs(changes) > 25
        left = 8 * (round(packet.at_ms / 40) - FPS)
        near = np.zeros(changes.shape, bool)
        near[192 // stride : 312 // stride, max(0, left - 64) // stride : (left + 104) // stride] = True
        found += int(strong[near].sum() >= 3)
        # Nothing that far away moves; where a B-frame lies in between, a picture is predicted over a longer way.
        assert strong[: 150 // stride].mean() < 0.01
    seen = len(glanced) - blind
    assert seen >= 2
    assert found >= seen * (0.9 if "h264" in codec else 0.5)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_glance_at_nothing_shows_nothing(codec: str, tmp_path: Path) -> None:
    file = street(codec, tmp_path / "a.mp4", walks=False)
    packets = list(file.packets(0))
    decoder = file.decoder()
    for at in (5, 20, 30, 45):
        changes = decoder.glance(packets[0], packets[at])
        assert changes is not None
        assert np.percentile(np.abs(changes), 99) < 12


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_decoded_after_a_glance_is_exact(codec: str, tmp_path: Path) -> None:
    file = street(codec, tmp_path / "a.mp4")
    packets = list(file.packets(0))
    plain, ours = file.decoder(), file.decoder()
    expected = [q.luma() for p in packets for q in plain.decode(p)] + [q.luma() for q in plain.drain()]
    ours.exactly(False)
    assert ours.alone(packets[0]) is not None
    for packet in forward(packets)[::10]:
        ours.glance(packets[0], packet)
    ours.drain()
    ours.exactly(True)
    pictures = [q.luma() for p in packets for q in ours.decode(p)] + [q.luma() for q in ours.drain()]
    assert len(pictures) == len(expected) == 100
    assert all(np.array_equal(a, b) for a, b in zip(pictures, expected, strict=True))


@pytest.mark.parametrize("codec", CODECS)
def test_decoding_begins_at_any_keyframe_and_shows_nothing_damaged(codec: str, tmp_path: Path) -> None:
    """After the keyframe of an open group come pictures that are shown before it and rest on the group before."""
    file = street(codec, tmp_path / "a.mp4")
    packets = list(file.packets(0))
    whole = file.decoder()
    expected = {q.at_ms: q.luma() for p in packets for q in whole.decode(p)}
    expected |= {q.at_ms: q.luma() for q in whole.drain()}
    second = next(i for i, p in enumerate(packets) if p.keyframe and p.at_ms)
    decoder = file.decoder()
    pictures = [q for p in packets[second:] for q in decoder.decode(p)] + list(decoder.drain())
    assert [q.at_ms for q in pictures] == [at for at in sorted(expected) if at >= packets[second].at_ms]
    assert all(np.array_equal(q.luma(), expected[q.at_ms]) for q in pictures)
    if "open" in codec:
        assert any(p.at_ms < packets[second].at_ms for p in packets[second:])


def test_looking_roughly_is_close_and_looking_exactly_again_is_exact(tmp_path: Path) -> None:
    file = street("h264 with B-frames, open groups", tmp_path / "a.mp4")
    packets = list(file.packets(0))[:GROUP]
    plain, ours = file.decoder(), file.decoder()
    expected = [q.luma().astype(int) for p in packets for q in plain.decode(p)]
    ours.exactly(False)
    rough = [q.luma().astype(int) for p in packets for q in ours.decode(p)]
    assert len(rough) == len(expected) > GROUP // 2
    off = [float(np.abs(a - b).mean()) for a, b in zip(rough, expected, strict=True)]
    assert 0 < max(off) < 6
    ours.exactly(True)
    exact = [q.luma().astype(int) for p in packets for q in ours.decode(p)]
    assert all(np.array_equal(a, b) for a, b in zip(exact, expected, strict=True))


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_what_must_never_be_seen_does_not_change_in_a_glance_either(codec: str, tmp_path: Path) -> None:
    street(codec, tmp_path / "a.mp4")
    whole = ((0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0))
    file = VideoFile(tmp_path / "a.mp4", never_see=(whole,))
    packets = list(file.packets(0))
    decoder = file.decoder()
    changes = decoder.glance(packets[50], packets[70])
    assert changes is not None
    assert not changes.any()


def test_filler_has_no_weight(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    options = {
        "preset": "ultrafast",
        "b": "2M",
        "maxrate": "2M",
        "bufsize": "1M",
        "x264-params": "nal-hrd=cbr:filler=1",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(50):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((720, 640), 128, np.uint8), format="yuv420p"))
            )
        container.mux(stream.encode(None))
    file = VideoFile(path)
    decoder = file.decoder()
    late = list(file.packets(0))[30:]
    assert min(p.size for p in late) > 2_000
    assert max(decoder.weigh(p) for p in late) < 500
