"""How good the detector and the whole cascade are, on real pictures with truth. For ``watchglass eval`` and the card.

Every figure carries an interval: Wilson's for independent pictures; a bootstrap over blocks of consecutive frames for
video, whose frames are not independent.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray, iou
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import NanoDet, load
from watchglass.edge.video import VideoFile
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.messages import SourceSpec
from watchglass.perception.observation import KINDS
from watchglass.perception.pipeline import Pipeline
from watchglass.runtime.painting import ViewPainter

Figure = dict[str, Any]
Progress = Callable[[str], None]

_THRESHOLD = 0.48
_BLOCK = 25
_RESAMPLES = 1000
# COCO's class numbers behind each kind, as in edge.inference.
_COCO = {0: 0, 2: 1, 3: 1, 5: 1, 6: 1, 7: 1, 8: 1, 1: 2, 24: 3, 26: 3, 28: 3}


@dataclass(frozen=True)
class Counts:
    """What was found in one picture: found of those that are there, right of those that were claimed."""

    right: int
    claimed: int
    there: int


def match(found: FloatArray, truth: FloatArray) -> Counts:
    """One-to-one at IoU >= .5, exactly assigned."""
    overlap = iou(found, truth)
    cost = np.where(overlap >= 0.5, 1 - overlap, FORBIDDEN).astype(np.float64)
    return Counts(len(assign(cost)), len(found), len(truth))


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927)."""
    if not n:
        return 0.0, 1.0
    z, p = 1.96, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def by_blocks(counts: list[Counts], seed: int = 1) -> dict[str, tuple[float, float, float]]:
    """Recall and precision with 95 % intervals from a bootstrap over blocks of consecutive frames."""
    blocks = np.array(
        [
            [sum(getattr(c, name) for c in counts[i : i + _BLOCK]) for name in ("right", "claimed", "there")]
            for i in range(0, len(counts), _BLOCK)
        ],
        float,
    )
    rng = np.random.default_rng(seed)
    sums = blocks[rng.integers(0, len(blocks), (_RESAMPLES, len(blocks)))].sum(axis=1)
    total = blocks.sum(axis=0)
    result = {}
    for name, column in (("recall", 2), ("precision", 1)):
        spread = sums[:, 0] / np.maximum(sums[:, column], 1)
        low, high = np.quantile(spread, [0.025, 0.975])
        result[name] = (float(total[0] / max(total[column], 1)), float(low), float(high))
    return result


# ---- PETS S2.L1 ------------------------------------------------------------------------------------------------------


def pets(data: Path) -> tuple[Path, list[FloatArray]]:
    """The video, and the true boxes of people in its frames 0-499."""
    folder = data / "media/pets_s2l1"
    boxes = json.loads((folder / "truth.json").read_text())["boxes"]
    truth = []
    for frame in range(500):
        rows = boxes.get(str(frame), [])
        truth.append(np.array([[x, y, x + w, y + h] for _, x, y, w, h in rows], np.float32).reshape(-1, 4))
    return folder / "vtest.avi", truth


def pets_detector(data: Path, detector: NanoDet, every: int) -> list[Counts]:
    """The detector alone, on every so-manieth frame."""
    path, truth = pets(data)
    file = VideoFile(path)
    decoder = file.decoder()
    counts: list[Counts] = []
    for index, packet in enumerate(file.packets(0)):
        if index >= len(truth):
            break
        for picture in decoder.decode(packet):
            if index % every == 0:
                found = detector.detect(picture.bgr())
                people = (found.kinds == KINDS.index("person")) & (found.scores >= _THRESHOLD)
                counts.append(match(found.boxes[people], truth[index]))
    return counts


def pets_cascade(data: Path, detector: NanoDet) -> tuple[list[Counts], float]:
    """The whole line at its own pace, every frame scored with what it knew at that frame; and inferences a second."""
    path, truth = pets(data)
    file = VideoFile(path)
    size = (file.width, file.height)
    spec = SourceSpec("pets", str(path), (), realtime=False)
    pipeline = Pipeline(
        spec, size, decoder=file.decoder(), detector=detector, painter=ViewPainter(spec, size),
        entropy=SeededEntropy("eval"), allowed=frozenset,
    )  # fmt: skip
    counts: list[Counts] = []
    for index, packet in enumerate(file.packets(0)):
        if index >= len(truth):
            break
        for _ in pipeline.feed(packet):
            pass
        tracks = pipeline.tracks(packet.at_ms)
        counts.append(match(tracks.boxes[tracks.kinds == KINDS.index("person")], truth[index]))
    return counts, pipeline.inferences / (len(truth) / file.fps)


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
    """Counts by kind over still pictures."""
    result: dict[str, list[Counts]] = {kind: [] for kind in KINDS}
    for file in pictures:
        image = cv2.imread(str(file))
        assert image is not None, file
        picture = image.astype(np.uint8)
        boxes, kinds = coco_truth(
            file.parent.parent / "labels" / f"{file.stem}.txt", picture.shape[1], picture.shape[0]
        )
        found = detector.detect(picture)
        for index, kind in enumerate(KINDS):
            mine = (found.kinds == index) & (found.scores >= _THRESHOLD)
            result[kind].append(match(found.boxes[mine], boxes[kinds == index]))
    return result


# ---- figures ---------------------------------------------------------------------------------------------------------


def figure(
    name: str, value: float | None, target: float | None, interval: tuple[float, float] | None, n: int, note: str
) -> Figure:
    """One figure in the form of every ``--json`` output."""
    return {
        "name": name,
        "value": None if value is None else round(value, 4),
        "unit": "share",
        "better": "higher",
        "target": target,
        "ok": None if target is None or value is None else value >= target,
        "interval": None if interval is None else [round(interval[0], 4), round(interval[1], 4)],
        "n": n,
        "against": None,
        "note": note,
    }


def detector_figures(data: Path, pictures: list[Path], every: int = 1) -> list[Figure]:
    """What the model card says: COCO pictures that did not calibrate, and PETS."""
    detector = load()
    figures = []
    for kind, counts in coco(pictures, detector).items():
        right, claimed, there = (sum(getattr(c, name) for c in counts) for name in ("right", "claimed", "there"))
        note = f"{len(counts)} COCO val2017 pictures, IoU .5, score >= {_THRESHOLD}"
        if there:
            figures.append(figure(f"coco_{kind}_recall", right / there, None, wilson(right, there), there, note))
        if claimed:
            figures.append(
                figure(f"coco_{kind}_precision", right / claimed, None, wilson(right, claimed), claimed, note)
            )
    figures += _pets_detector_figures(data, detector, every)
    return figures


def _pets_detector_figures(data: Path, detector: NanoDet, every: int) -> list[Figure]:
    counts = pets_detector(data, detector, every)
    note = (
        f"PETS2009 S2.L1, {len(counts)} of frames 0-499, people, IoU .5, score >= {_THRESHOLD}; bootstrap over blocks"
    )
    return [
        figure(f"pets_detector_{name}", value, 0.90, (low, high), len(counts), note)
        for name, (value, low, high) in by_blocks(counts).items()
    ]


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """The figures of ``watchglass eval``. Where the data (``WATCHGLASS_DATA``) are absent each is null and says so.

    Args:
        quick: detector on every fifth frame.
        progress: told what is happening.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    names = [f"pets_{what}_{which}" for what in ("detector", "cascade") for which in ("recall", "precision")]
    if not (data / "media/pets_s2l1/truth.json").is_file():
        return [figure(name, None, None, None, 0, "PETS data not found; set WATCHGLASS_DATA") for name in names]
    detector = load()
    progress("detector on PETS")
    result = _pets_detector_figures(data, detector, 5 if quick else 1)
    progress("cascade on PETS")
    counts, rate = pets_cascade(data, detector)
    targets = {"recall": 0.85, "precision": 0.90}
    note = f"PETS2009 S2.L1 frames 0-499, every frame scored with what was known at that frame; {rate:.2f} inferences/s"
    result += [
        figure(f"pets_cascade_{name}", value, targets[name], (low, high), len(counts), note)
        for name, (value, low, high) in by_blocks(counts).items()
    ]
    return result
