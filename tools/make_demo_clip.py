"""Make the demo's clip and its backdrop from OpenCV's sample video.

    python tools/make_demo_clip.py path/to/vtest.avi [path/to/PETS2009-calib.xml]

``vtest.avi`` is in Debian's package opencv-doc (examples/data). Writes ``street.mp4`` and ``backdrop.png`` into the
demo package and prints their hashes; with the calibration also the areas of the charter's zones. The same versions of
x264, OpenCV and ONNX Runtime give the same bytes.

The backdrop is learned by the product's own learner from the clip, with the product's own detector as mask, as a
deployment does; then parked vehicles and readable text are mosaicked. The regions for that are below, drawn by a
developer who looked at the picture.
"""

from __future__ import annotations

import hashlib
import io
import sys
import xml.etree.ElementTree as ET  # the calibration file is the reader's own
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray, Polygon
from watchglass.edge.inference import load
from watchglass.edge.video import NeverSee
from watchglass.views.backdrop import BackdropLearner
from watchglass.views.mosaic import veil

Image = NDArray[np.uint8]

SOURCE_SHA256: Final = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
FIRST, LAST, FPS = 185, 795, 10
ROUNDS: Final = 4
PERSON: Final = 0
MOST_BYTES: Final = 2_500_000
X264: Final = "keyint=10:min-keyint=10:scenecut=0:bframes=0:ipratio=1.2:aq-strength=0.7"
OUT: Final = Path(__file__).resolve().parent.parent / "src" / "watchglass" / "demo"

VEILED: Final = {
    "white van": (648, 38, 728, 104),
    "blue car": (732, 46, 768, 98),
    "assembly point sign": (410, 198, 449, 248),
    "warning sign": (582, 38, 616, 76),
}
"""Boxes x1, y1, x2, y2 of parked vehicles and of signs with text or a symbol that can be read."""


def frames_of(path: Path | io.BytesIO) -> Iterator[Image]:
    """Each picture of the video, BGR."""
    with av.open(path if isinstance(path, io.BytesIO) else str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def encode(frames: list[Image]) -> bytes:
    """H.264 as a camera would send it: a keyframe a second, no B-frames, no audio."""
    target = io.BytesIO()
    height, width = frames[0].shape[:2]
    with av.open(target, "w", format="mp4", options={"moov_size": "24576", "fflags": "+bitexact"}) as container:
        options = {"preset": "veryslow", "crf": "34", "threads": "1", "x264-params": X264}
        stream = container.add_stream("libx264", rate=Fraction(FPS), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for at, bgr in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts, frame.time_base = at, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def learn(frames: list[Image], never_see: NeverSee) -> BackdropLearner:
    """The learner after four rounds of the clip, looking twice a second; parked vehicles are veiled afterwards."""
    detector = load(floor=0.4)
    height, width = frames[0].shape[:2]
    learner = BackdropLearner(width, height)
    before = frames[0]
    for at in range(0, ROUNDS * len(frames), FPS // 2):
        bgr = frames[at % len(frames)].copy()
        never_see.blacken(bgr, width, height)
        found = detector.detect(bgr)
        masked = around(found.boxes[found.kinds == PERSON], (height, width)) | moving(before, bgr)
        learner.look(at * 1000 // FPS, bgr, masked)
        before = bgr
    return learner


def around(boxes: FloatArray, shape: tuple[int, int]) -> BoolArray:
    """The boxes with a margin of a sixth of their size."""
    mask = np.zeros(shape, bool)
    for x1, y1, x2, y2 in boxes:
        dx, dy = (x2 - x1) / 6 + 4, (y2 - y1) / 6 + 4
        mask[max(0, int(y1 - dy)) : int(y2 + dy) + 1, max(0, int(x1 - dx)) : int(x2 + dx) + 1] = True
    return mask


def moving(before: Image, now: Image) -> BoolArray:
    """Where two pictures half a second apart differ, grown by 8 pixels."""
    differs = (cv2.absdiff(cv2.blur(before, (5, 5)), cv2.blur(now, (5, 5))).max(axis=2) > 20).astype(np.uint8)
    return cv2.dilate(cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((3, 3))), np.ones((17, 17))).astype(bool)


def charter_source() -> dict:
    """The one source of the demo's charter."""
    (source,) = yaml.safe_load((OUT / "charter.yaml.in").read_text())["sources"].values()
    return source


def ground(calibration: Path, points: list[list[float]]) -> list[tuple[float, float]]:
    """Where pixels lie on the ground, in metres (Tsai 1987; the ground is z = 0 of the calibration's world)."""
    given = {key: float(value) for part in ET.parse(calibration).getroot() for key, value in part.attrib.items()}  # noqa: S314
    sa, ca = np.sin(given["rx"]), np.cos(given["rx"])
    sb, cb = np.sin(given["ry"]), np.cos(given["ry"])
    sg, cg = np.sin(given["rz"]), np.cos(given["rz"])
    rotation = np.array(
        [
            [cb * cg, cg * sa * sb - ca * sg, sa * sg + ca * cg * sb],
            [cb * sg, sa * sb * sg + ca * cg, ca * sb * sg - cg * sa],
            [-sb, cb * sa, ca * cb],
        ]
    )
    centre = -rotation.T @ np.array([given["tx"], given["ty"], given["tz"]])
    found = []
    for x, y in points:
        u = (x - given["cx"]) * given["dpx"] / given["sx"]
        v = (y - given["cy"]) * given["dpy"]
        straight = 1 + given["kappa1"] * (u * u + v * v)
        ray = rotation.T @ np.array([u * straight / given["focal"], v * straight / given["focal"], 1.0])
        hit = centre - centre[2] / ray[2] * ray
        found.append((float(hit[0]) / 1000, float(hit[1]) / 1000))
    return found


def report(name: str, data: bytes) -> None:
    (OUT / name).write_bytes(data)
    print(f"{name}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__)
        return 2
    video = Path(arguments[0])
    if hashlib.sha256(video.read_bytes()).hexdigest() != SOURCE_SHA256:
        print(f"{video} is not the vtest.avi of opencv-doc 4.6 (sha256 {SOURCE_SHA256}).", file=sys.stderr)
        return 2
    source = charter_source()
    clip = encode(list(frames_of(video))[FIRST:LAST])
    if len(clip) > MOST_BYTES:
        print(f"The clip has {len(clip):,} bytes, more than {MOST_BYTES:,}.", file=sys.stderr)
        return 1
    report("street.mp4", clip)
    frames = list(frames_of(io.BytesIO(clip)))
    height, width = frames[0].shape[:2]
    never_see = NeverSee(tuple(tuple((float(x), float(y)) for x, y in area) for area in source["never_see"]))
    learned = learn(frames, never_see).picture()
    veiled = veil(learned, np.array(list(VEILED.values()), np.float32))
    never_see.blacken(veiled.bgr, width, height)
    report("backdrop.png", veiled.to_png())
    print(f"{learned.share:.1%} of the backdrop is admitted")
    for name, zone in source["zones"].items() if len(arguments) > 1 else ():
        area = Polygon(tuple(ground(Path(arguments[1]), zone["polygon"]))).area
        print(f"zone {name}: {area:.1f} m2 on the ground (the charter says {zone.get('area_m2')})")
    if len(arguments) > 1:
        (left, right) = ground(Path(arguments[1]), [[0, height / 2], [width, height / 2]])
        print(f"the picture is {np.hypot(left[0] - right[0], left[1] - right[1]):.1f} m wide in its middle")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
