"""What ours is measured against, each in a process of its own: plain code that looks at streams as others do.

``decode``     decode everything on one thread, and drop it: the unit of every ratio.
``every``      decode everything, the same detector on every frame, ByteTrack (PyPI ``trackers``) on what it finds. Runs
               in the environment that ``make peers`` builds.
``nvr``        what a typical network video recorder does, written anew in plain OpenCV and NumPy: decode everything, go
               on with five pictures a second at 1280 x 720; motion against a running average of a 100 pixels high grey
               picture, in contours; square regions of at least 320 pixels around motion and around what is followed;
               the same detector on each region, made smaller to 416; a tracker on each picture.

Each prints one JSON object: CPU seconds (start-up left out), seconds of video, inferences.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import iou
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.observation import Detections
from watchglass.perception.track import Tracker

Image = NDArray[np.uint8]
Region = tuple[int, int, int, int]

_NVR_FPS, _NVR_HEIGHT = 5, 720
_MOTION_HEIGHT = 100
_MOTION_THRESHOLD, _MOTION_ALPHA, _CONTOUR_AREA = 30, 0.01, 10
_REGION, _LARGEST = 320, 416
"""The side of the smallest region, and the side beyond which one is made smaller for the detector."""
_LEARN = 30
"""So many pictures pass before motion counts."""

_SCORE = 0.45


def cpu() -> float:
    """User and system seconds of this process and its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def frames(path: str, seconds: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """The first so many seconds (0: all), decoded on one thread."""
    with av.open(path) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        for frame in container.decode(video):
            at = float(frame.time or 0.0)
            if seconds and at >= seconds:
                return
            yield at, frame


def decode(path: str, seconds: float = 0.0) -> dict[str, float]:
    """Decode everything."""
    began, count, last = cpu(), 0, 0.0
    for at, _ in frames(path, seconds):
        count, last = count + 1, at
    return {"cpu": cpu() - began, "frames": count, "seconds": _length(count, last)}


def every(path: str, seconds: float = 0.0) -> dict[str, float]:
    """The detector on every frame, ByteTrack behind it."""
    supervision = __import__("supervision")
    trackers = __import__("trackers")
    tracker: Any = trackers.ByteTrackTracker(frame_rate=25.0)
    detector = load()
    began, count, last, seen = cpu(), 0, 0.0, 0
    for at, frame in frames(path, seconds):
        found = detector.detect(_fitting(frame, detector.side))
        boxes = supervision.Detections(
            xyxy=found.boxes.reshape(-1, 4), confidence=found.scores, class_id=found.kinds.astype(int)
        )
        seen += len(tracker.update(boxes))
        count, last = count + 1, at
    result = {"cpu": cpu() - began, "frames": count, "seconds": _length(count, last), "inferences": count}
    return {**result, "tracked": seen}


def nvr(path: str, seconds: float = 0.0) -> dict[str, float]:
    """An imitation of a typical recorder's pipeline."""
    detector = load()
    recorder: Recorder | None = None
    began, count, last, due = cpu(), 0, 0.0, 0.0
    for at, frame in frames(path, seconds):
        count, last = count + 1, at
        if at + 1e-6 < due:
            continue
        due = at + 1 / _NVR_FPS - 0.02
        height = min(_NVR_HEIGHT, frame.height)
        width = round(frame.width * height / frame.height)
        small = frame if height == frame.height else frame.reformat(width, height, "yuv420p", interpolation="BILINEAR")
        recorder = recorder or Recorder(detector, (width, height))
        recorder.look(round(at * 1000), small.to_ndarray().astype(np.uint8, copy=False))
    inferences = recorder.inferences if recorder else 0
    return {"cpu": cpu() - began, "frames": count, "seconds": _length(count, last), "inferences": inferences}


class Motion:
    """Motion against a running average: boxes (x, y, w, h) of contours, in pixels of the small grey picture."""

    def __init__(self) -> None:
        self._average: NDArray[np.float32] | None = None
        self._seen = 0

    def look(self, grey: Image) -> list[Region]:
        blurred = cv2.GaussianBlur(grey, (3, 3), 1).astype(np.float32)
        if self._average is None:
            self._average = blurred
        self._seen += 1
        learning = self._seen <= _LEARN
        off = cv2.absdiff(blurred, self._average)
        cv2.accumulateWeighted(blurred, self._average, 0.2 if learning else _MOTION_ALPHA)
        moves = cv2.dilate((off > _MOTION_THRESHOLD).astype(np.uint8), None, iterations=2)  # type: ignore[call-overload] # no kernel is 3 x 3
        contours, _ = cv2.findContours(moves, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = [cv2.boundingRect(c) for c in contours if cv2.contourArea(c) > _CONTOUR_AREA]
        return [] if learning else [(x, y, w, h) for x, y, w, h in found]


def regions(boxes: list[tuple[float, float, float, float]], size: tuple[int, int]) -> list[Region]:
    """Squares (x, y, side, side) of at least 320 pixels around boxes (x1, y1, x2, y2); what overlaps becomes one.

    Args:
        boxes: of motion, and of what is followed.
        size: (width, height) of the picture. A square is never larger than its shorter side.
    """
    result: list[Region] = []
    waiting = list(boxes)
    while waiting:
        x1, y1, x2, y2 = waiting.pop()
        square = _square(x1, y1, x2, y2, size)
        touching = [r for r in result if _overlap(r, square)]
        if not touching:
            result.append(square)
            continue
        other = touching[0]
        result.remove(other)
        joined = (
            min(x1, other[0] + other[2] * 0.1), min(y1, other[1] + other[3] * 0.1),
            max(x2, other[0] + other[2] * 0.9), max(y2, other[1] + other[3] * 0.9),
        )  # fmt: skip
        result.append(_square(*joined, size))
    return result


def _square(x1: float, y1: float, x2: float, y2: float, size: tuple[int, int]) -> Region:
    side = int(min(max(_REGION, 1.2 * max(x2 - x1, y2 - y1)), *size))
    left = int(np.clip((x1 + x2 - side) / 2, 0, size[0] - side))
    top = int(np.clip((y1 + y2 - side) / 2, 0, size[1] - side))
    return left, top, side, side


def _overlap(a: Region, b: Region) -> bool:
    """Whether at least a fifth of the smaller lies in the other."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return wide > 0 and high > 0 and wide * high > 0.2 * min(a[2] * a[3], b[2] * b[3])


class Recorder:
    """One camera of the imitated recorder.

    Args:
        detector: the same as ours.
        size: (width, height) of the pictures that it gets.
    """

    def __init__(self, detector: NanoDet, size: tuple[int, int]) -> None:
        self.inferences = 0
        self._detector = detector
        self._size = size
        self._motion = Motion()
        self._tracker = Tracker(size)

    def look(self, at_ms: int, i420: Image) -> None:
        """Take the next picture: I420 (3 h / 2, w)."""
        width, height = self._size
        scale = height / _MOTION_HEIGHT
        grey = cv2.resize(i420[:height], (round(width / scale), _MOTION_HEIGHT), interpolation=cv2.INTER_LINEAR)
        moving = [
            (x * scale, y * scale, (x + w) * scale, (y + h) * scale) for x, y, w, h in self._motion.look(_bytes(grey))
        ]
        followed: list[tuple[float, float, float, float]] = [
            (float(a), float(b), float(c), float(d)) for a, b, c, d in self._tracker.at(at_ms).boxes
        ]
        found = []
        if moving or followed:
            bgr = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
            found = [self._crop(_bytes(bgr), region) for region in regions(moving + followed, self._size)]
        self._tracker.see(at_ms, merged(found))

    def _crop(self, bgr: Image, region: Region) -> Detections:
        x, y, w, h = region
        self.inferences += 1
        crop = np.ascontiguousarray(bgr[y : y + h, x : x + w])
        small = (
            crop if w <= _LARGEST else _bytes(cv2.resize(crop, (_LARGEST, _LARGEST), interpolation=cv2.INTER_LINEAR))
        )
        seen = self._detector.detect(small)
        strong = seen.scores >= _SCORE
        shift, scale = np.array([x, y, x, y], np.float32), np.float32(w / small.shape[1])
        return Detections(seen.boxes[strong] * scale + shift, seen.scores[strong], seen.kinds[strong])


def merged(parts: list[Detections]) -> Detections:
    """What several regions found, without what two of them found both (IoU above .5: the better score stays)."""
    if not parts:
        return Detections.none()
    boxes = np.concatenate([p.boxes for p in parts])
    scores = np.concatenate([p.scores for p in parts])
    kinds = np.concatenate([p.kinds for p in parts])
    order = np.argsort(-scores, kind="stable")
    same = (iou(boxes[order], boxes[order]) > 0.5) & (kinds[order][:, None] == kinds[order][None])
    keep = order[~np.triu(same, 1).any(axis=0)]
    return Detections(boxes[keep], scores[keep], kinds[keep])


def _bytes(image: Any) -> Image:
    return np.asarray(image, np.uint8)


def _fitting(frame: av.VideoFrame, side: int) -> Image:
    scale = min(1.0, side / max(frame.width, frame.height))
    wide, high = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return _bytes(frame.to_ndarray(format="bgr24", width=wide, height=high, interpolation="AREA"))


def _length(count: int, last: float) -> float:
    return last * count / (count - 1) if count > 1 else 0.0


if __name__ == "__main__":
    side = {"decode": decode, "every": every, "nvr": nvr}[sys.argv[1]]
    print(json.dumps(side(sys.argv[2], float(sys.argv[3]))))
