"""Detectors that are no part of the product look at pictures, in a process of their own and while films are played."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from leak_measure import Image
from watchglass.core.geometry import FloatArray
from watchglass.perception.ports import Detector

Rows = list[list[Any]]

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers/bin/python"

OWN = "nanodet"
"""The product's own detector, which attacks too."""


@dataclass
class Attack:
    """What each attacker found in each of some pictures."""

    found: dict[str, list[Rows]]
    absent: dict[str, str]

    def boxes(self, name: str, number: int) -> FloatArray:
        """(n, 4) in that picture."""
        return np.array([row[:4] for row in self.found[name][number]], np.float32).reshape(-1, 4)


def attack(pictures: Sequence[Image], names: Sequence[str]) -> Attack:
    """Let the attackers of the peers' environment look at the pictures.

    Raises:
        RuntimeError: they broke down.
    """
    if not PEERS.is_file():
        return Attack({}, dict.fromkeys(names, "run `make peers` first"))
    if not pictures or not names:
        return Attack({name: [] for name in names}, {})
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(pictures):
            cv2.imwrite(f"{folder}/{number:05d}.png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        done = subprocess.run(
            [str(PEERS), str(ROOT / "benchmarks/peer_attack.py"), folder, *names],
            capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"The attackers broke down: {done.stderr[-800:]}")
    answer = json.loads(done.stdout)
    found = {name: [rows for _, rows in sorted(files.items())] for name, files in answer["found"].items()}
    return Attack(found, answer["absent"])


def people_attack(pictures: Sequence[Image], detector: Detector, names: Sequence[str]) -> Attack:
    """The same, and, where ``names`` has ``OWN``, the product's own detector at a low threshold."""
    result = attack(pictures, [name for name in names if name != OWN])
    if OWN not in names:
        return result
    own = [[[*map(float, box), 1.0] for box in _people(detector, picture)] for picture in pictures]
    return Attack({OWN: own, **result.found}, result.absent)


def _people(detector: Detector, picture: Image) -> FloatArray:
    found = detector.detect(picture)
    return np.asarray(found.boxes[found.kinds == 0], np.float32)


class Later:
    """Does things one after the other, beside the rest: attackers wait for no film, and no film for them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._waiting: list[Future[None]] = []

    def do(self, work: Callable[[], None]) -> None:
        """Begin it as soon as what came before is done."""
        self._waiting.append(self._pool.submit(work))

    def finish(self) -> None:
        """Wait for all of it; what broke down is raised here."""
        for future in self._waiting:
            future.result()
        self._waiting.clear()
