"""How each source fared: health lines added up by the minute for a day, then by the day for two months.

The minutes are for staff only: how busy a gate was tells that somebody was there (law 10). Nothing here is an act; it
is what the machine noticed about itself, and a fault in keeping it stops nothing.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from watchglass.core.errors import WatchglassError
from watchglass.core.time import DAY, HOUR, MINUTE, Clock
from watchglass.perception.messages import Health
from watchglass.records.outbox import Store, Transaction

log = logging.getLogger(__name__)

KEPT_MINUTES_MS: Final = DAY
"""How long single minutes are kept; then only their day is."""

KEPT_DAYS_MS: Final = 62 * DAY
_WAITING: Final = 5_000
_SETTLE_MS: Final = 5_000
_LINE_MS: Final = 1_000
_GAP_MS: Final = 10_000
"""A line stands for the time since the one before; after a longer silence than this, for a second."""

_FOLD: Final = (
    "INSERT INTO source_day (source, day_ms, heard_ms, fault_ms, frames, decoded, inferences, cpu_ms, decode_ms,"
    " detect_ms, cores) SELECT source, at_ms - at_ms % 86400000, SUM(heard_ms), SUM(fault_ms), SUM(frames),"
    " SUM(decoded), SUM(inferences), SUM(cpu_ms), SUM(decode_ms), SUM(detect_ms), MAX(cores) FROM source_minute"
    " WHERE at_ms < ? GROUP BY 1, 2 ON CONFLICT (source, day_ms) DO UPDATE SET heard_ms = heard_ms + excluded.heard_ms,"
    " fault_ms = fault_ms + excluded.fault_ms, frames = frames + excluded.frames,"
    " decoded = decoded + excluded.decoded, inferences = inferences + excluded.inferences,"
    " cpu_ms = cpu_ms + excluded.cpu_ms, decode_ms = decode_ms + excluded.decode_ms,"
    " detect_ms = detect_ms + excluded.detect_ms, cores = excluded.cores"
)


@dataclass(slots=True)
class Minute:
    """One minute of one source: what it added; ``fps``, ``open_share`` and ``kbit_s`` are sums over its time."""

    source: str
    at_ms: int
    heard_ms: int = 0
    fault_ms: int = 0
    fps: float = 0.0
    open_share: float = 0.0
    kbit_s: float = 0.0
    frames: int = 0
    decoded: int = 0
    inferences: int = 0
    cpu_ms: float = 0.0
    decode_ms: float = 0.0
    detect_ms: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, now: Health, before: Health | None) -> None:
        """Take in one line; what it counts more than ``before`` happened in this minute."""
        since = _LINE_MS if before is None else now.at_ms - before.at_ms
        heard = since if 0 < since <= _GAP_MS else _LINE_MS
        self.heard_ms += heard
        self.fault_ms += heard if now.fault is not None else 0
        self.fps += now.fps_in * heard
        self.open_share += now.open_share * heard
        self.kbit_s += now.kbit_s * heard
        anew = before is None or now.frames < before.frames or now.cpu_seconds < before.cpu_seconds
        then = Health(now.source, 0, 0.0, 0.0, 0, 0, 0, ()) if anew or before is None else before
        self.frames += now.frames - then.frames
        self.decoded += max(0, now.decoded - then.decoded)
        self.inferences += max(0, now.inferences - then.inferences)
        self.cpu_ms += 1000 * (now.cpu_seconds - then.cpu_seconds)
        self.decode_ms += 1000 * max(0.0, now.decode_seconds - then.decode_seconds)
        self.detect_ms += 1000 * max(0.0, now.detect_seconds - then.detect_seconds)
        for cause, count in now.dropped.items():
            more = count - then.dropped.get(cause, 0)
            if more > 0:
                self.dropped[cause] = self.dropped.get(cause, 0) + more


class Measure:
    """Takes health lines, and keeps each minute once it is over.

    Args:
        cores: how many cores the machine has.
    """

    def __init__(self, store: Store, clock: Clock, *, cores: int | None = None) -> None:
        self._store = store
        self._clock = clock
        self._cores = cores or os.cpu_count() or 1
        self._open: dict[str, Minute] = {}
        self._last: dict[str, Health] = {}
        self._over: deque[Minute] = deque(maxlen=_WAITING)
        self._folded_ms = 0
        self._complained = False

    def take(self, report: Health) -> None:
        """One line about one source."""
        at_ms = report.at_ms - report.at_ms % MINUTE
        minute = self._open.get(report.source)
        if minute is None or minute.at_ms != at_ms:
            if minute is not None:
                self._over.append(minute)
            minute = self._open[report.source] = Minute(report.source, at_ms)
        minute.add(report, self._last.get(report.source))
        self._last[report.source] = report

    def keep(self) -> None:
        """Write the minutes that are over; once an hour, let old ones become days. Cheap where there is nothing."""
        now = self._clock.now()
        for source, minute in list(self._open.items()):
            if now >= minute.at_ms + MINUTE + _SETTLE_MS:
                self._over.append(self._open.pop(source))
        fold = now - self._folded_ms >= HOUR
        if not self._over and not fold:
            return
        minutes = list(self._over)

        def change(tx: Transaction) -> None:
            for minute in minutes:
                _insert(tx, minute, self._cores)
            if fold:
                tx.execute(_FOLD, now - KEPT_MINUTES_MS)
                tx.execute("DELETE FROM source_minute WHERE at_ms < ?", now - KEPT_MINUTES_MS)
                tx.execute("DELETE FROM source_day WHERE day_ms < ?", now - KEPT_DAYS_MS)

        try:
            self._store.commit(change)
        except WatchglassError as error:
            if not self._complained:
                log.warning("How the sources fare cannot be kept now: %s", error.message)
            self._complained = True
            return
        self._complained = False
        self._folded_ms = now if fold else self._folded_ms
        for _ in minutes:
            self._over.popleft()

    def close(self) -> None:
        """Keep what there is, also of the minute that has begun."""
        self._over.extend(self._open.values())
        self._open.clear()
        self.keep()


def _insert(tx: Transaction, minute: Minute, cores: int) -> None:
    """A minute that was begun before a restart is added to."""
    n = max(minute.heard_ms, 1)
    tx.execute(
        "INSERT INTO source_minute (source, at_ms, heard_ms, fault_ms, fps, open_share, kbit_s, frames, decoded,"
        " inferences, cpu_ms, decode_ms, detect_ms, dropped, cores) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (source, at_ms) DO UPDATE SET"
        " fps = (fps * heard_ms + excluded.fps * excluded.heard_ms) / (heard_ms + excluded.heard_ms),"
        " open_share = (open_share * heard_ms + excluded.open_share * excluded.heard_ms)"
        " / (heard_ms + excluded.heard_ms),"
        " kbit_s = (kbit_s * heard_ms + excluded.kbit_s * excluded.heard_ms) / (heard_ms + excluded.heard_ms),"
        " heard_ms = heard_ms + excluded.heard_ms, fault_ms = fault_ms + excluded.fault_ms,"
        " frames = frames + excluded.frames, decoded = decoded + excluded.decoded,"
        " inferences = inferences + excluded.inferences, cpu_ms = cpu_ms + excluded.cpu_ms,"
        " decode_ms = decode_ms + excluded.decode_ms, detect_ms = detect_ms + excluded.detect_ms,"
        " dropped = CASE WHEN excluded.dropped = '{}' THEN dropped ELSE excluded.dropped END",
        minute.source,
        minute.at_ms,
        minute.heard_ms,
        minute.fault_ms,
        minute.fps / n,
        minute.open_share / n,
        minute.kbit_s / n,
        minute.frames,
        minute.decoded,
        minute.inferences,
        round(minute.cpu_ms),
        round(minute.decode_ms),
        round(minute.detect_ms),
        json.dumps(minute.dropped, sort_keys=True),
        cores,
    )
