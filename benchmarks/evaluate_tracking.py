"""How well people are found and followed, on real recordings with truth: the detector alone, and the whole line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluate import Counts, Figure, Progress, by_blocks, figure, match, wilson
from watchglass.core.geometry import FloatArray
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import NanoDet, load
from watchglass.edge.video import VideoFile, VideoPicture
from watchglass.perception.messages import SourceSpec
from watchglass.perception.observation import KINDS, Detections, Tracks
from watchglass.perception.pipeline import Pipeline
from watchglass.runtime.painting import ViewPainter

THRESHOLD = 0.46
"""The score from which the detector alone is believed."""

FRAMES = 500
# COCO's class numbers behind each kind, as in edge.inference.
_COCO = {0: 0, 2: 1, 3: 1, 5: 1, 6: 1, 7: 1, 8: 1, 1: 2, 24: 3, 26: 3, 28: 3}
_PERSON = KINDS.index("person")


# ---- COCO ------------------------------------------------------------------------------------------------------------


def coco_truth(label: Path, width: int, height: int) -> tuple[FloatArray, NDArray[np.int8]]:
    """Boxes (n, 4) and kinds (n,) of one picture's label file; other classes are left out."""
    boxes, kinds = [], []
    for line in label.read_text().splitlines() if label.exists() else []:
        number, cx, cy, w, h = (float(v) for v in line.split()[:5])
        if int(number) in _COCO:
            boxes.append([(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height])
            kinds.append(_COCO[int(number)])
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int8)


def coco(pictures: Iterable[Path], detector: NanoDet) -> dict[str, list[Counts]]:
    """Counts by kind over still pictures, each made as small as the product makes a whole picture."""
    result: dict[str, list[Counts]] = {kind: [] for kind in KINDS}
    for file in pictures:
        image = cv2.imread(str(file))
        assert image is not None, file
        scale = min(1.0, detector.side / max(image.shape[:2]))
        picture = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
        boxes, kinds = coco_truth(
            file.parent.parent / "labels" / f"{file.stem}.txt", picture.shape[1], picture.shape[0]
        )
        found = detector.detect(picture)
        for index, kind in enumerate(KINDS):
            mine = (found.kinds == index) & (found.scores >= THRESHOLD)
            result[kind].append(match(found.boxes[mine], boxes[kinds == index]))
    return result


# ---- PETS S2.L1 ------------------------------------------------------------------------------------------------------


def pets(data: Path) -> tuple[Path, list[FloatArray]]:
    """The video, and the true boxes of people in its frames 0-499."""
    folder = data / "media/pets_s2l1"
    boxes = json.loads((folder / "truth.json").read_text())["boxes"]
    truth = []
    for frame in range(FRAMES):
        rows = boxes.get(str(frame), [])
        truth.append(np.array([[x, y, x + w, y + h] for _, x, y, w, h in rows], np.float32).reshape(-1, 4))
    return folder / "vtest.avi", truth


def pictures(path: Path) -> Iterator[VideoPicture]:
    """The first ``FRAMES`` pictures."""
    file = VideoFile(path)
    decoder = file.decoder()
    left = FRAMES
    for packet in file.packets(0):
        for picture in decoder.decode(packet):
            yield picture
            left -= 1
            if not left:
                return


def look(detector: NanoDet, picture: VideoPicture) -> Detections:
    """What the detector finds in a whole picture, in its pixels."""
    small = picture.small(detector.side)
    found = detector.detect(small)
    return Detections(found.boxes * np.float32(picture.width / small.shape[1]), found.scores, found.kinds)


def pets_detector(data: Path, detector: NanoDet, every: int) -> list[Counts]:
    """The detector alone, on every so-manieth frame."""
    path, truth = pets(data)
    counts: list[Counts] = []
    for index, picture in enumerate(pictures(path)):
        if index % every == 0:
            found = look(detector, picture)
            people = (found.kinds == _PERSON) & (found.scores >= THRESHOLD)
            counts.append(match(found.boxes[people], truth[index]))
    return counts


def pets_line(data: Path, detector: NanoDet) -> tuple[list[Tracks], float]:
    """The whole line at its own pace: what it knew at each frame, and inferences a second."""
    path, _ = pets(data)
    file = VideoFile(path)
    size = (file.width, file.height)
    spec = SourceSpec("pets", str(path), (), realtime=False)
    pipeline = Pipeline(
        spec, size, decoder=file.decoder(), detector=detector, painter=ViewPainter(spec, size),
        entropy=SeededEntropy("eval"), allowed=frozenset,
    )  # fmt: skip
    known: list[Tracks] = []
    for packet in file.packets(0):
        if len(known) == FRAMES:
            break
        for _ in pipeline.feed(packet):
            pass
        known.append(pipeline.tracks(packet.at_ms))
    return known, pipeline.inferences / (FRAMES / file.fps)


# ---- figures ---------------------------------------------------------------------------------------------------------


def detector_figures(data: Path, stills: list[Path], every: int = 1) -> list[Figure]:
    """What the model card says: COCO pictures that did not calibrate, and PETS."""
    detector = load()
    result = []
    for kind, counts in coco(stills, detector).items():
        right, claimed, there = (sum(getattr(c, name) for c in counts) for name in ("right", "claimed", "there"))
        note = f"{len(counts)} COCO val2017 pictures, IoU .5, score >= {THRESHOLD}"
        if there:
            result.append(figure(f"coco_{kind}_recall", right / there, None, wilson(right, there), there, note))
        if claimed:
            result.append(
                figure(f"coco_{kind}_precision", right / claimed, None, wilson(right, claimed), claimed, note)
            )
    return result + _pets_detector_figures(data, detector, every)


def _pets_detector_figures(data: Path, detector: NanoDet, every: int) -> list[Figure]:
    counts = pets_detector(data, detector, every)
    note = (
        f"PETS2009 S2.L1, {len(counts)} of frames 0-{FRAMES - 1}, people, IoU .5, score >= {THRESHOLD}, "
        f"{detector.side} pixels wide; bootstrap over blocks of frames"
    )
    return [
        figure(f"pets_detector_{name}", value, 0.90, (low, high), len(counts), note)
        for name, (value, low, high) in by_blocks(counts).items()
    ]


def _pets_cascade_figures(data: Path, detector: NanoDet) -> list[Figure]:
    _, truth = pets(data)
    known, rate = pets_line(data, detector)
    counts = [match(t.boxes[t.kinds == _PERSON], g) for t, g in zip(known, truth, strict=True)]
    targets = {"recall": 0.85, "precision": 0.90}
    note = (
        f"PETS2009 S2.L1 frames 0-{FRAMES - 1}, every frame scored with what was known at that frame; "
        f"{rate:.2f} inferences/s"
    )
    return [
        figure(f"pets_cascade_{name}", value, targets[name], (low, high), len(counts), note)
        for name, (value, low, high) in by_blocks(counts).items()
    ]


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """Detection and tracking on PETS; null where the recording is not here."""
    names = [f"pets_{what}_{which}" for what in ("detector", "cascade") for which in ("recall", "precision")]
    if not (data / "media/pets_s2l1/truth.json").is_file():
        return [figure(name, None, None, None, 0, "PETS data not found; set WATCHGLASS_DATA") for name in names]
    detector = load()
    progress("detector on PETS")
    result = _pets_detector_figures(data, detector, 5 if quick else 1)
    progress("cascade on PETS")
    return result + _pets_cascade_figures(data, detector)
