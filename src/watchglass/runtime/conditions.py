"""The conditions of sources at work: health lines become minutes, minutes are judged, and hours are kept.

It takes what workers report once a second anyway; nothing is decoded for it. A minute without a line of a source that
should have been looked at is a minute without pictures.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from watchglass.acts.context import Acting
from watchglass.acts.source_conditions import Hour, degrade, failing, forget_hours, keep_hours, not_stated, recover
from watchglass.charter.model import Charter
from watchglass.core.errors import WatchglassError
from watchglass.core.time import HOUR, MINUTE
from watchglass.perception.messages import Health
from watchglass.quality.conditions import FEWEST_MINUTES, Minute, Watch
from watchglass.records.outbox import Transaction

log = logging.getLogger(__name__)

_LINE_MS: Final = 1_000
_GAP_MS: Final = 10_000
_MINUTES: Final = 60
_SETTLE_MS: Final = 3_000
_WAITING: Final = 5_000
_GONE: Final = frozenset({"lost"})


@dataclass(slots=True)
class _Sum:
    """One minute in the making."""

    up_ms: int = 0
    bright: list[float] = field(default_factory=list)
    sharp: list[float] = field(default_factory=list)
    zones: list[float] = field(default_factory=list)
    clock_ms: int | None = None
    frames: int = 0
    lost: int = 0
    followed: int = 0
    inferences: int = 0

    def add(self, now: Health, before: Health | None) -> None:
        since = _LINE_MS if before is None else now.at_ms - before.at_ms
        if now.fps_in > 0 and now.fault not in _GONE:
            self.up_ms += since if 0 < since <= _GAP_MS else _LINE_MS
        for values, value in ((self.bright, now.brightness), (self.sharp, now.sharpness), (self.zones, now.zones)):
            if value is not None:
                values.append(value)
        if now.clock_ms is not None and (self.clock_ms is None or abs(now.clock_ms) > abs(self.clock_ms)):
            self.clock_ms = now.clock_ms
        anew = before is None or now.frames < before.frames
        self.frames += now.frames - (0 if anew or before is None else before.frames)
        self.followed += max(0, now.followed - (0 if anew or before is None else before.followed))
        self.inferences += max(0, now.inferences - (0 if anew or before is None else before.inferences))
        then = {} if anew or before is None else before.dropped
        self.lost += sum(max(0, count - then.get(cause, 0)) for cause, count in now.dropped.items())


@dataclass(slots=True)
class _Of:
    """One source."""

    minute_ms: int
    sum: _Sum = field(default_factory=_Sum)
    ups: deque[int] = field(default_factory=lambda: deque(maxlen=_MINUTES))
    watch: Watch = field(default_factory=Watch)
    last: Health | None = None


class SourceConditions:
    """Of all sources of a house."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._of: dict[str, _Of] = {}
        self._over: deque[Hour] = deque(maxlen=_WAITING)
        self._due_ms = 0
        self._forgot_ms = 0
        self._complained = False

    def take(self, report: Health) -> None:
        """One line about one source."""
        of = self._of.get(report.source)
        if of is None:
            of = self._of[report.source] = _Of(self._acting.clock.now() // MINUTE * MINUTE)
        of.sum.add(report, of.last)
        of.last = report

    def keep(self, charter: Charter | None, looked_at: frozenset[str]) -> None:
        """Judge and keep the minutes that are over. Cheap where none is.

        Args:
            looked_at: the sources that should be looked at now.
        """
        now = self._acting.clock.now()
        if charter is None or now < self._due_ms:
            return
        self._due_ms = (now // MINUTE + 1) * MINUTE + _SETTLE_MS
        for source in looked_at - self._of.keys():
            self._of[source] = _Of(now // MINUTE * MINUTE)
        for source, of in list(self._of.items()):
            if now // MINUTE * MINUTE <= of.minute_ms:
                continue
            if source in looked_at:
                self._end(charter, source, of)
            of.minute_ms, of.sum = now // MINUTE * MINUTE, _Sum()
        self._write(charter, now)

    def _end(self, charter: Charter, source: str, of: _Of) -> None:
        """A minute is over; where the house itself slept for longer, the rest is nobody's fault and not told."""
        done, asked = of.sum, MINUTE
        of.ups.append(min(asked, done.up_ms))
        uptime = sum(of.ups) / (MINUTE * len(of.ups)) if len(of.ups) >= FEWEST_MINUTES else None
        minute = Minute(
            brightness=_mean(done.bright),
            sharpness=_mean(done.sharp),
            zones=min(done.zones, default=None),
            clock_ms=done.clock_ms,
            uptime=uptime,
        )
        self._over.append(
            Hour(
                source,
                of.minute_ms // HOUR * HOUR,
                asked,
                of.ups[-1],
                1 if done.bright else 0,
                *(minute.brightness,) * 3,
                *(minute.sharpness,) * 3,
                *(minute.zones,) * 2,
                clock_ms=minute.clock_ms,
                frames=done.frames,
                lost=done.lost,
                followed=done.followed,
                inferences=done.inferences,
            )
        )
        conditions = next((each.conditions for each in charter.sources if each.name == source), None)
        if conditions is None:
            return
        open_now = frozenset(each.condition for each in failing(self._acting.store.read(), source))
        for change in of.watch.take(conditions, minute, open_now):
            try:
                if change.begins:
                    degrade(self._acting, charter, source, change.name, change.measured, change.allowed)
                    log.warning("The pictures of %s do not meet a condition of the charter: %s.", source, change.name)
                else:
                    recover(self._acting, charter, source, change.name)
            except WatchglassError as error:  # the counts stand, so the next minute tries again
                self._complain(error)

    def _write(self, charter: Charter, now: int) -> None:
        parts = list(self._over)
        forget = now - self._forgot_ms >= HOUR

        def change(tx: Transaction) -> None:
            keep_hours(tx, parts)
            if forget:
                forget_hours(tx, now)

        try:
            for gone in not_stated(self._acting.store.read(), charter):
                recover(self._acting, charter, gone.source, gone.condition, "charter")
            if parts or forget:
                self._acting.store.commit(change)
        except WatchglassError as error:
            self._complain(error)
            return
        self._complained = False
        self._forgot_ms = now if forget else self._forgot_ms
        for _ in parts:
            self._over.popleft()

    def _complain(self, error: WatchglassError) -> None:
        if not self._complained:
            log.warning("What the pictures of sources are like cannot be kept now: %s", error.message)
        self._complained = True


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
