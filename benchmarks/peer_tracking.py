"""ByteTrack and the measures of TrackEval, in the environment that ``make peers`` builds. Not imported by our own code.

    .venv-peers/bin/python benchmarks/peer_tracking.py FILE.npz

The file holds ``truth`` (n, 6) and any number of ``tracks_NAME`` (n, 6): frame, id, x1, y1, x2, y2; and ``found``
(n, 6): frame, score, x1, y1, x2, y2, every person that the detector found in every frame. Prints JSON: HOTA, IDF1 and
MOTA of each NAME, and of ByteTrack on ``found`` over the grid below.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sys
import warnings
from typing import Any

import numpy as np
import supervision as sv
import trackeval
from numpy.typing import NDArray
from trackers import ByteTrackTracker

Rows = NDArray[np.float64]

# What is handed to ByteTrack, what begins a track, what counts as sure, and the least overlap of a match.
GRID = {
    "detections_from": (0.10, 0.25, 0.35, 0.42, 0.46, 0.50),
    "track_activation_threshold": (0.46, 0.55, 0.7),
    "high_conf_det_threshold": (0.42, 0.5, 0.6),
    "minimum_iou_threshold": (0.1, 0.3),
}
FPS = 10.0


def bytetrack(found: Rows, frames: int, setting: dict[str, float]) -> Rows:
    """(n, 6) frame, id, box: what ByteTrack makes of the detections of every frame."""
    tracker = ByteTrackTracker(
        lost_track_buffer=30,
        frame_rate=FPS,
        minimum_consecutive_frames=2,
        **{name: value for name, value in setting.items() if name != "detections_from"},
    )
    rows: list[Rows] = []
    for frame in range(frames):
        mine = found[(found[:, 0] == frame) & (found[:, 1] >= setting["detections_from"])]
        seen = sv.Detections(
            xyxy=mine[:, 2:].astype(np.float32),
            confidence=mine[:, 1].astype(np.float32),
            class_id=np.zeros(len(mine), int),
        )
        tracked = tracker.update(seen)
        kept = tracked.tracker_id >= 0
        head = np.stack([np.full(kept.sum(), frame), tracked.tracker_id[kept]], axis=1)
        rows.append(np.concatenate([head, tracked.xyxy[kept]], axis=1))
    return np.concatenate(rows)


def overlaps(a: Rows, b: Rows) -> Rows:
    """(n, m) IoU."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.clip(high - low, 0, None), axis=-1)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=-1), np.prod(b[:, 2:] - b[:, :2], axis=-1)
    return inter / np.maximum(area_a[:, None] + area_b[None] - inter, 1e-9)


def measure(truth: Rows, tracks: Rows, frames: int) -> dict[str, float]:
    """HOTA, IDF1 and MOTA as TrackEval computes them, at IoU .5 for the latter two."""
    numbers = [{n: i for i, n in enumerate(np.unique(rows[:, 1]))} for rows in (truth, tracks)]
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for frame in range(frames):
        there, said = truth[truth[:, 0] == frame], tracks[tracks[:, 0] == frame]
        data["gt_ids"].append(np.array([numbers[0][n] for n in there[:, 1]], int))
        data["tracker_ids"].append(np.array([numbers[1][n] for n in said[:, 1]], int))
        data["similarity_scores"].append(overlaps(there[:, 2:], said[:, 2:]))
    data |= {
        "num_gt_ids": len(numbers[0]),
        "num_tracker_ids": len(numbers[1]),
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(tracks),
        "num_timesteps": frames,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        hota = trackeval.metrics.HOTA().eval_sequence(data)
        identity = trackeval.metrics.Identity().eval_sequence(data)
        clear = trackeval.metrics.CLEAR().eval_sequence(data)
    return {
        "hota": float(np.mean(hota["HOTA"])),
        "deta": float(np.mean(hota["DetA"])),
        "assa": float(np.mean(hota["AssA"])),
        "idf1": float(identity["IDF1"]),
        "mota": float(clear["MOTA"]),
        "switches": int(clear["IDSW"]),
        "tracks": len(numbers[1]),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    content = np.load(sys.argv[1])
    truth = content["truth"]
    frames = int(truth[:, 0].max()) + 1
    result: dict[str, Any] = {"ours": {}, "bytetrack": []}
    for name in content.files:
        if name.startswith("tracks_"):
            result["ours"][name.removeprefix("tracks_")] = measure(truth, content[name], frames)
    for values in itertools.product(*GRID.values()) if "found" in content.files else ():
        setting = dict(zip(GRID, values, strict=True))
        result["bytetrack"].append({**setting, **measure(truth, bytetrack(content["found"], frames, setting), frames)})
    print(json.dumps(result))


if __name__ == "__main__":
    main()
