"""What many frames of a mosaic show together, when a face moves under blocks that stand still.

    make peers
    python benchmarks/mosaic_over_time.py

Each block is a mean, and a face that moves by less than a block is averaged anew in every frame. Whoever knows how it
moved can solve for what was averaged. This attacker is kinder to himself than life is: the face keeps its pose and its
light for eight seconds, every frame shows it at another place, each place is known to a fraction of a pixel, and
nothing is coded. He solves least squares with a little smoothness (Tikhonov) for 48 by 48 values. Then CenterFace,
which is not ours, says at its own low threshold whether the result is a face. Faces are those that it finds in the
pictures of COCO.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from measures import wilson
from watchglass.views.blocks import in_steps

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers/bin/python"

FACE = 96
"""Width of the face, in pixels of the frame; only its ratio to the blocks matters."""
CROP = 2 * FACE
UNKNOWNS = 48
SMALLEST = 36
SMOOTHNESS = 0.05
"""Of values from 0 to 1; four times as much against a mosaic in steps, whose errors are larger."""
CANVAS = 480
SEED = 4
CASES = tuple((across, frames, steps) for steps in (False, True) for across in (4.0, 3.0, 2.0) for frames in (1, 8, 40))

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One mosaic of a moving face.

    Attributes:
        across: blocks across the face.
        frames: how many there are.
        steps: in the colours that the reviewer's view has.
    """

    across: float
    frames: int
    steps: bool


def overlaps(start: float, side: float, count: int) -> Floats:
    """What share of each block that lies wholly within the crop each of ``count`` even strips of the crop covers.

    Args:
        start: where the crop begins, in pixels of a grid of blocks.
        side: of a block.

    Returns:
        (blocks, count).
    """
    edges = start + np.arange(count + 1) * CROP / count
    first, last = int(np.ceil(start / side)), int(np.floor((start + CROP) / side))
    low, high = edges[:-1], edges[1:]
    rows = [np.clip(np.minimum(high, (b + 1) * side) - np.maximum(low, b * side), 0, None) for b in range(first, last)]
    return np.array(rows).reshape(-1, count) / side


def solved(faces: Sequence[NDArray[np.uint8]], case: Case) -> list[NDArray[np.uint8]]:
    """What the attacker sees of each face: (48, 48, 3)."""
    rng = np.random.default_rng(SEED)
    side = FACE / case.across
    rows: list[Floats] = []
    seen: list[list[Floats]] = [[] for _ in faces]
    for _ in range(case.frames):
        down, right = rng.uniform(0, side, 2)
        rows.append(np.asarray(np.kron(overlaps(down, side, UNKNOWNS), overlaps(right, side, UNKNOWNS)), np.float64))
        high, wide = overlaps(down, side, CROP), overlaps(right, side, CROP)
        for face, values in zip(faces, seen, strict=True):
            means = np.einsum("ri,ijc,kj->rkc", high, face.astype(np.float64), wide).round().astype(np.uint8)
            shown = in_steps(means) if case.steps else means
            values.append(np.asarray(shown.reshape(-1, 3), np.float64) / 255)
    matrix = np.concatenate(rows)
    smooth = (SMOOTHNESS * (4 if case.steps else 1)) ** 2 * _differences()
    wanted = np.concatenate([np.concatenate(values) for values in seen], axis=1)
    mean = wanted.mean(axis=0)
    found = np.linalg.solve(matrix.T @ matrix + smooth, matrix.T @ (wanted - mean)) + mean
    pictures = (found.reshape(UNKNOWNS, UNKNOWNS, len(faces), 3).clip(0, 1) * 255).round().astype(np.uint8)
    return [np.ascontiguousarray(pictures[:, :, number]) for number in range(len(faces))]


def _differences() -> Floats:
    step = np.diff(np.eye(UNKNOWNS), axis=0)
    along, same = step.T @ step, np.eye(UNKNOWNS)
    return np.asarray(np.kron(along, same) + np.kron(same, along) + 1e-6 * np.eye(UNKNOWNS**2))


def crops(folder: Path) -> list[NDArray[np.uint8]]:
    """Faces of COCO's pictures, each ``FACE`` pixels wide in the middle of a crop."""
    result = []
    with tempfile.TemporaryDirectory() as name:
        there = Path(name)
        for path in sorted(folder.glob("*.jpg")):
            picture = cv2.imread(str(path))
            assert picture is not None
            cv2.imwrite(str(there / f"{path.stem}.png"), picture)
        for file, found in sorted(centerface(there).items()):
            picture = cv2.imread(str(there / file))
            assert picture is not None
            for x1, y1, x2, y2, _ in found:
                scale = FACE / (x2 - x1)
                if x2 - x1 < SMALLEST:
                    continue
                move = np.array([[scale, 0, FACE - (x1 + x2) / 2 * scale], [0, scale, FACE - (y1 + y2) / 2 * scale]])
                how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
                crop = cv2.warpAffine(picture, move, (CROP, CROP), flags=how, borderMode=cv2.BORDER_REFLECT)
                result.append(np.asarray(crop, np.uint8))
    return result


def centerface(folder: Path) -> dict[str, list[list[float]]]:
    """What CenterFace finds in each PNG of ``folder``."""
    command = [str(PEERS), str(ROOT / "benchmarks/peer_attack.py"), str(folder), "centerface"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found: dict[str, list[list[float]]] = answer["found"]["centerface"]
    return found


def faces_found(pictures: Sequence[NDArray[np.uint8]]) -> list[bool]:
    """In which of the pictures of crops a face is found where the face is."""
    inner = CANVAS * 2 // 3
    edge = (CANVAS - inner) // 2
    with tempfile.TemporaryDirectory() as name:
        there = Path(name)
        for number, picture in enumerate(pictures):
            canvas = np.full((CANVAS, CANVAS, 3), 127, np.uint8)
            large = cv2.resize(picture, (inner, inner), interpolation=cv2.INTER_CUBIC)
            canvas[edge : edge + inner, edge : edge + inner] = large
            cv2.imwrite(str(there / f"{number:04}.png"), canvas)
        found = centerface(there)
    return [any(_is_there(row) for row in found.get(f"{number:04}.png", [])) for number in range(len(pictures))]


def _is_there(row: Sequence[float]) -> bool:
    """Whether a find is about the face: half to twice as wide, its middle within it."""
    x1, y1, x2, y2 = row[:4]
    face = CANVAS / 3
    return (
        abs((x1 + x2) / 2 - CANVAS / 2) < face / 2
        and abs((y1 + y2) / 2 - CANVAS / 2) < face / 2
        and face / 2 < x2 - x1 < 2 * face
    )


def main() -> None:
    """Print the table."""
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    folder = data / "images/coco/images"
    if not folder.is_dir() or not PEERS.is_file():
        print("needs COCO's pictures (set WATCHGLASS_DATA) and the peers' environment (make peers)", file=sys.stderr)
        raise SystemExit(2)
    faces = crops(folder)
    size = UNKNOWNS, UNKNOWNS
    small = [np.asarray(cv2.resize(face, size, interpolation=cv2.INTER_AREA), np.uint8) for face in faces]
    plain = faces_found(small)
    faces = [face for face, there in zip(faces, plain, strict=True) if there]
    print(f"{len(faces)} faces, found by CenterFace when {UNKNOWNS // 2} pixels wide; of them found again:")
    for across, frames, steps in CASES:
        count = sum(faces_found(solved(faces, Case(across, frames, steps))))
        low, high = wilson(count, len(faces))
        shades = "eight shades" if steps else "all shades  "
        print(
            f"{across:.0f} blocks across, {frames:2} frames, {shades}: {count:2}  ({low:.2f} to {high:.2f})", flush=True
        )


if __name__ == "__main__":
    main()
