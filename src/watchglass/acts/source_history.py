"""What staff read about how a source fared: the last 24 hours, in even steps. Staff only (law 10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.records.outbox import Reader

STEP: Final = 15 * MINUTE
"""How long one step of the drawing is."""

_ROWS: Final = "SELECT * FROM source_minute WHERE source = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms"


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time. Where nothing was heard ``heard_s`` is 0 and every mean is None: missing, not zero.

    Attributes:
        heard_s, fault_s: seconds in which the source was heard, and of those with a fault.
        fps: frames a second that came in. open_share: share of the time in which the gate was open, 0..1.
        core_share: CPU time a second, of one core.
        dropped: work that was lost, whatever the cause.
    """

    at_ms: int
    heard_s: int
    fault_s: int
    fps: float | None
    open_share: float | None
    kbit_s: float | None
    core_share: float | None
    frames: int
    decoded: int
    inferences: int
    dropped: int


@dataclass(frozen=True, slots=True)
class History:
    """24 hours of one source: steps for the drawing, hours for the table, and the whole."""

    steps: tuple[Step, ...]
    hours: tuple[Step, ...]
    whole: Step
    dropped: Mapping[str, int]
    decode_ms: float | None
    detect_ms: float | None


@dataclass(slots=True)
class _Sum:
    heard: int = 0
    fault: int = 0
    fps: float = 0.0
    share: float = 0.0
    kbit: float = 0.0
    frames: int = 0
    decoded: int = 0
    inferences: int = 0
    cpu: int = 0
    lost: int = 0

    def add(self, row: Mapping[str, float], lost: int) -> None:
        n = int(row["heard_ms"])
        self.heard += n
        self.fault += int(row["fault_ms"])
        self.fps += n * row["fps"]
        self.share += n * row["open_share"]
        self.kbit += n * row["kbit_s"]
        self.frames += int(row["frames"])
        self.decoded += int(row["decoded"])
        self.inferences += int(row["inferences"])
        self.cpu += int(row["cpu_ms"])
        self.lost += lost

    def step(self, at_ms: int) -> Step:
        n = self.heard
        return Step(
            at_ms=at_ms,
            heard_s=round(n / 1000),
            fault_s=round(self.fault / 1000),
            fps=round(self.fps / n, 1) if n else None,
            open_share=round(self.share / n, 3) if n else None,
            kbit_s=round(self.kbit / n, 1) if n else None,
            core_share=round(self.cpu / n, 3) if n else None,
            frames=self.frames,
            decoded=self.decoded,
            inferences=self.inferences,
            dropped=self.lost,
        )


def history(reader: Reader, source: str, now_ms: int) -> History:
    """The 24 hours that end with the present hour."""
    until = now_ms - now_ms % HOUR + HOUR
    since = until - DAY
    steps = [_Sum() for _ in range(DAY // STEP)]
    hours = [_Sum() for _ in range(DAY // HOUR)]
    whole, lost, decode, detect = _Sum(), dict[str, int](), 0, 0
    for row in reader.all(_ROWS, source, since, until):
        causes = {str(cause): int(n) for cause, n in json.loads(row["dropped"]).items()}
        values = {key: row[key] for key in row.keys() if key not in {"source", "dropped"}}  # noqa: SIM118 (a row, no dict)
        for each in (steps[(row["at_ms"] - since) // STEP], hours[(row["at_ms"] - since) // HOUR], whole):
            each.add(values, sum(causes.values()))
        for cause, n in causes.items():
            lost[cause] = lost.get(cause, 0) + n
        decode, detect = decode + row["decode_ms"], detect + row["detect_ms"]
    return History(
        steps=tuple(each.step(since + index * STEP) for index, each in enumerate(steps)),
        hours=tuple(each.step(since + index * HOUR) for index, each in enumerate(hours)),
        whole=whole.step(since),
        dropped=lost,
        decode_ms=round(decode / whole.decoded, 2) if decode and whole.decoded else None,
        detect_ms=round(detect / whole.inferences, 1) if detect and whole.inferences else None,
    )
