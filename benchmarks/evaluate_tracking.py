"""How well people are found and followed, on real recordings with truth: the detector alone, and the whole line."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

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
from watchglass.perception.track import Tracker
from watchglass.runtime.painting import ViewPainter

THRESHOLD = 0.46
"""The score from which the detector alone is believed."""

FRAMES = 500
LAG_MS = 2000
"""How much later than a picture the record of it may be completed."""

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers/bin/python"
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


# ---- tracks ----------------------------------------------------------------------------------------------------------

Rows = NDArray[np.float64]
"""(n, 6): frame, id, x1, y1, x2, y2."""


def rows(known: list[Tracks]) -> Rows:
    """The people of each frame."""
    parts = []
    for frame, tracks in enumerate(known):
        people = tracks.kinds == _PERSON
        head = np.stack([np.full(people.sum(), frame), tracks.ids[people]], axis=1)
        parts.append(np.concatenate([head, tracks.boxes[people]], axis=1))
    return np.concatenate(parts)


def truth_rows(data: Path) -> Rows:
    """The true people of each frame, with their numbers."""
    boxes = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    return np.array(
        [[f, i, x, y, x + w, y + h] for f in range(FRAMES) for i, x, y, w, h in boxes.get(str(f), [])], np.float64
    )


def every_frame(found: list[tuple[int, Detections]], size: tuple[int, int]) -> list[Tracks]:
    """Our tracker, given the detections of every frame: nothing else, as ByteTrack gets them."""
    tracker, known = Tracker(size), []
    for at_ms, detections in found:
        tracker.see(at_ms, detections)
        known.append(tracker.at(at_ms))
    return known


def completed(tracks: Rows, frame_ms: float) -> Rows:
    """Gaps of a track that end within ``LAG_MS`` filled in on a straight line: what a record may say a little later."""
    result = [tracks]
    for number in np.unique(tracks[:, 1]):
        mine = tracks[tracks[:, 1] == number]
        for a, b in itertools.pairwise(mine):
            between = np.arange(a[0] + 1, b[0])
            if len(between) and (b[0] - a[0]) * frame_ms <= LAG_MS:
                share = ((between - a[0]) / (b[0] - a[0]))[:, None]
                line = a[2:] + share * (b[2:] - a[2:])
                result.append(np.column_stack([between, np.full(len(between), number), line]))
    return np.concatenate(result)


def compare(data: Path, tracks: dict[str, Rows], found: list[tuple[int, Detections]]) -> dict[str, Any]:
    """HOTA, IDF1 and MOTA of ours and of ByteTrack, computed by TrackEval in the peers' environment."""
    people = [
        np.column_stack([np.full(len(d), frame), d.scores, d.boxes])[d.kinds == _PERSON]
        for frame, (_, d) in enumerate(found)
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tracks.npz"
        ours = {f"tracks_{name}": content for name, content in tracks.items()}
        np.savez(file, truth=truth_rows(data), found=np.concatenate(people).astype(np.float64), **ours)  # type: ignore[arg-type] # names of arrays, not options
        done = subprocess.run(
            [str(PEERS), str(ROOT / "benchmarks/peer_tracking.py"), str(file)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"The peers' measures failed: {done.stderr[-500:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


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


def _pets_cascade_figures(data: Path, known: list[Tracks], rate: float) -> list[Figure]:
    _, truth = pets(data)
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


_COMPARED = (
    ("pets_hota", "hota"),
    ("pets_idf1", "idf1"),
    ("pets_mota", "mota"),
)


def _tracking_figures(data: Path, detector: NanoDet, known: list[Tracks], rate: float) -> list[Figure]:
    path, _ = pets(data)
    file = VideoFile(path)
    found = [(picture.at_ms, look(detector, picture)) for picture in pictures(path)]
    online = rows(every_frame(found, (file.width, file.height)))
    sparse = rows(known)
    frame_ms = 1000 / file.fps
    result = compare(
        data,
        {
            "online": online,
            "completed": completed(online, frame_ms),
            "line": sparse,
            "line_completed": completed(sparse, frame_ms),
        },
        found,
    )
    return [*_ours(result, rate), *_bytetracks(result)]


def _ours(result: dict[str, Any], rate: float) -> list[Figure]:
    grid = result["bytetrack"]
    whole = "one sequence, so no interval; TrackEval; PETS2009 S2.L1 frames 0-499, people"
    ways = (
        ("", "online", f"our tracker on line, the detector on every frame, its detections only; {whole}"),
        ("_completed", "completed", f"the same, gaps filled in up to {LAG_MS / 1000:g} s later; {whole}"),
        ("_line", "line", f"the whole line on line, {rate:.2f} inferences/s; {whole}"),
        ("_line_completed", "line_completed", f"the same, gaps filled in up to {LAG_MS / 1000:g} s later; {whole}"),
    )
    figures_ = []
    for suffix, name, note in ways:
        for full, key in _COMPARED:
            best = max(row[key] for row in grid)
            target = best if suffix == "" and key != "mota" else None
            value = result["ours"][name][key]
            rest = {"against": "ByteTrack, best over the grid, same detections"} if target is not None else {}
            figures_.append(figure(f"{full}{suffix}", value, target and round(target, 4), None, FRAMES, note, **rest))
    return figures_


def _bytetracks(result: dict[str, Any]) -> list[Figure]:
    grid = result["bytetrack"]
    made = []
    for key in ("hota", "idf1", "mota"):
        best = max(grid, key=lambda row: row[key])
        setting = {name: best[name] for name in best if name not in result["ours"]["online"]}
        middle = float(np.median([row[key] for row in grid]))
        note = (
            f"ByteTrack (trackers) on the same detections of every frame, best of {len(grid)} settings "
            f"(median {middle:.3f}): {', '.join(f'{n} {v:g}' for n, v in setting.items())}"
        )
        made.append(figure(f"bytetrack_{key}", best[key], None, None, FRAMES, note))
    return made


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """Detection and tracking on PETS; null where the recording, or what we are compared with, is not here."""
    names = [f"pets_{what}_{which}" for what in ("detector", "cascade") for which in ("recall", "precision")]
    compared = [f"{what}{way}" for way in ("", "_completed", "_line", "_line_completed") for what, _ in _COMPARED] + [
        "bytetrack_hota",
        "bytetrack_idf1",
        "bytetrack_mota",
    ]
    if not (data / "media/pets_s2l1/truth.json").is_file():
        missing = "PETS data not found; set WATCHGLASS_DATA"
        return [figure(name, None, None, None, 0, missing) for name in names + compared]
    detector = load()
    progress("detector on PETS")
    result = _pets_detector_figures(data, detector, 5 if quick else 1)
    progress("cascade on PETS")
    known, rate = pets_line(data, detector)
    result += _pets_cascade_figures(data, known, rate)
    if not PEERS.is_file():
        return result + [figure(name, None, None, None, 0, "not compared: run `make peers` first") for name in compared]
    if quick:
        return result + [figure(name, None, None, None, 0, "not compared in a quick run") for name in compared]
    progress("tracks on PETS, beside ByteTrack")
    return result + _tracking_figures(data, detector, known, rate)
