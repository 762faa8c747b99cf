"""What is true right now and is stored nowhere: marks in view, the sources' health, proposed backdrops."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from watchglass.charter.model import Charter, PublicView
from watchglass.core.geometry import BoolArray, Polygon
from watchglass.core.time import MINUTE, Clock
from watchglass.perception.messages import BackdropProposal, Health, Pins
from watchglass.runtime.broadcast import Broadcast
from watchglass.runtime.bus import Bus
from watchglass.runtime.easel import Easel, Seen, Stage
from watchglass.views.public import stand, touched, withheld
from watchglass.views.timeline import Moment, Shown, Timeline

LIGHT_EVERY_MS: Final = MINUTE
"""The light of the empty scene follows the light of day this often at most: each time everybody fetches it anew."""

_NOT_YET: Final = object()


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the charter says about one source's public view, and about its picture."""

    public: PublicView
    never_show: tuple[Polygon, ...] = ()
    never_see: tuple[Polygon, ...] = ()

    @classmethod
    def of(cls, charter: Charter, source: str) -> _Rules:
        found = charter.source(source)
        return cls(charter.safeguards.public_view, found.never_show, found.never_see)

    @property
    def without(self) -> str:
        """See ``Stage.without``."""
        if not self.never_show and not self.never_see:
            return ""
        return hashlib.sha256(repr((self.never_show, self.never_see)).encode()).hexdigest()[:16]


@dataclass(slots=True)
class _View:
    """One source's public view: its rules, its moments, and what was told last."""

    rules: _Rules
    line: Timeline
    size: tuple[int, int] | None = None
    hidden: BoolArray | None = None
    black: BoolArray | None = None
    stage: Stage | None = None
    lit_ms: int = 0
    last: object = _NOT_YET
    easel: Easel = field(default_factory=Easel)

    def opened(self, size: tuple[int, int]) -> None:
        """Pictures of this size come from now on; moments of another one mean nothing any more."""
        if size != self.size:
            self.size = size
            self.hidden = withheld(size, (area.corners for area in self.rules.never_show))
            self.black = touched(size, (area.corners for area in self.rules.never_see))
            self.line.clear()


class Live:
    """The present, for pages that show it. Thread-safe; pins pass the charter's delay and threshold here.

    Args:
        ask: sends a wish for a backdrop proposal to the worker of a source.
    """

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._lock = threading.Lock()
        self._views: dict[str, _View] = {}
        self._health: dict[str, Health] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._proposals: dict[str, BackdropProposal] = {}
        self._backdrops: dict[tuple[str, str], tuple[str, bytes, int]] = {}
        self.ask: Callable[[str, str], None] = lambda _source, _scene: None
        self.broadcast = Broadcast(bus)

    # ---- told by the supervisor ----------------------------------------------------------------------------------

    def configure(
        self,
        sources: Mapping[str, PublicView],
        never_show: Mapping[str, tuple[Polygon, ...]] | None = None,
        never_see: Mapping[str, tuple[Polygon, ...]] | None = None,
    ) -> None:
        """Which sources there are, how late and how coarse each may be shown, and which parts of them never.

        A source whose rules change begins anew: what was kept under other rules is forgotten, and a backdrop that was
        learned under them cannot be confirmed any more.
        """
        with self._lock:
            for name, public in sources.items():
                rules = _Rules(public, (never_show or {}).get(name, ()), (never_see or {}).get(name, ()))
                known = self._views.get(name)
                if known is None or known.rules != rules:
                    self._views[name] = view = _View(rules, Timeline(public.delay_ms, public.hide_below))
                    self._proposals.pop(name, None)
                    if name in self._sizes:
                        view.opened(self._sizes[name])
            for name in self._views.keys() - sources.keys():
                del self._views[name]
                self._proposals.pop(name, None)

    def follow(self, charter: Charter) -> None:
        """``configure`` by what ``charter`` says."""
        self.configure(
            {source.name: charter.safeguards.public_view for source in charter.sources},
            {source.name: source.never_show for source in charter.sources},
            {source.name: source.never_see for source in charter.sources},
        )

    def take_pins(self, report: Pins) -> None:
        """Take in one moment's marks. What is never shown is left out here already, also out of the count."""
        with self._lock:
            view = self._views.get(report.source)
            if view is None or view.size is None:
                return
            pins = [(pin.x, pin.y, pin.kind) for pin in report.pins] if report.scene else []
            marks = stand(pins, view.size[0], view.hidden)
            view.line.add(Moment(report.at_ms, marks, report.scene, report.unsure, report.light))
        self.tick()

    def take_health(self, report: Health) -> None:
        """Take in one line about a source."""
        with self._lock:
            self._health[report.source] = report
        self._bus.publish("health", {"type": "health", **health_json(report)})

    def take_proposal(self, report: BackdropProposal) -> None:
        """Take in a backdrop as learned so far; only an operator sees it."""
        with self._lock:
            self._proposals[report.source] = report

    def opened(self, source: str, width: int, height: int) -> None:
        """Note the size of a source's picture."""
        with self._lock:
            if self._sizes.get(source) not in (None, (width, height)):
                self._proposals.pop(source, None)  # of another size, it would be shown nowhere
            self._sizes[source] = (width, height)
            if source in self._views:
                self._views[source].opened((width, height))

    def set_backdrop(self, source: str, scene: str, version: str, png: bytes | None, confirmed_ms: int = 0) -> None:
        """The backdrop of one view of ``source`` that an act confirmed or renewed, or None when it was withdrawn.

        Args:
            confirmed_ms: when an operator confirmed it.
        """
        with self._lock:
            if png is None:
                self._backdrops.pop((source, scene), None)
            else:
                self._backdrops[source, scene] = (version, png, confirmed_ms)
            view = self._views.get(source)
        if view is not None:
            view.easel.clear()
        event = {"type": "backdrop", "scene": scene, "version": version if png else None}
        self._bus.publish(f"pins:{source}", event)

    def tick(self) -> None:
        """Tell those who watch that something else is shown than the last time."""
        news: list[str] = []
        with self._lock:
            now = self._clock.now()  # within the lock: the views are asked at times that never go back
            for name, view in self._views.items():
                seen = self._seen(name, view, now)
                told = (_content(seen.shown), seen.stage, seen.size)
                if told != view.last:
                    view.last = told
                    news.append(name)
        for name in news:
            self._bus.publish(f"pins:{name}", {"type": "pins"})

    # ---- asked by pages ------------------------------------------------------------------------------------------

    def seen(self, source: str, charter: Charter | None = None) -> Seen | None:
        """What the public may see now; None for a source that is not in the charter.

        Args:
            charter: what is in force. Where the supervisor does not follow it yet, nothing may be seen.
        """
        with self._lock:
            view = self._views.get(source)
            if view is None or (charter is not None and view.rules != _Rules.of(charter, source)):
                return None
            return self._seen(source, view, self._clock.now())

    def easel(self, source: str) -> Easel:
        """What paints the public pictures of ``source``."""
        with self._lock:
            view = self._views.get(source)
            return view.easel if view else Easel()

    def _seen(self, name: str, view: _View, now: int) -> Seen:
        shown = view.line.at(now) if view.size else None
        view.stage = self._stage(name, view, shown, now)
        return Seen(view.size, shown, view.stage, view.hidden, view.black)

    def _stage(self, name: str, view: _View, shown: Shown | None, now: int) -> Stage | None:
        """The backdrop as it stands now, in a light that changes once a minute at most."""
        found = self._backdrops.get((name, shown.scene)) if shown is not None and shown.scene else None
        if shown is None or found is None:
            return None
        version, png, confirmed_ms = found
        before, light = view.stage, shown.light
        same = before is not None and (before.scene, before.version) == (shown.scene, version)
        if before is not None and same and (light == before.light or now - view.lit_ms < LIGHT_EVERY_MS):
            return before
        view.lit_ms = now
        return Stage(shown.scene, version, png, confirmed_ms, light, view.rules.without)

    def health(self) -> dict[str, Health]:
        """The last line of each source."""
        with self._lock:
            return dict(self._health)

    def backdrop(self, source: str, scene: str) -> tuple[str, bytes, int] | None:
        """The confirmed backdrop of one view: its version, its PNG, and when an operator confirmed it."""
        with self._lock:
            return self._backdrops.get((source, scene))

    def proposal(self, source: str) -> BackdropProposal | None:
        """The last proposal, if one was asked for."""
        with self._lock:
            return self._proposals.get(source)

    def ask_proposal(self, source: str, scene: str = "") -> None:
        """Ask the worker for the backdrop as learned so far (see ``ProposeBackdrop``); it arrives within a second.

        That an earlier one could not be made is forgotten: whoever asks waits for the new answer.
        """
        with self._lock:
            last = self._proposals.get(source)
            if last is not None and last.trouble:
                del self._proposals[source]
        self.ask(source, scene)

    def size(self, source: str) -> tuple[int, int] | None:
        """(width, height) of the source's picture, once it was opened."""
        with self._lock:
            return self._sizes.get(source)


def _content(shown: Shown | None) -> object:
    """What of it viewers can tell apart."""
    if shown is None:
        return None
    return shown.marks, shown.people, shown.hidden, shown.unsure


def health_json(report: Health) -> dict[str, Any]:
    """A health line as JSON-ready values."""
    return {
        "source": report.source,
        "at_ms": report.at_ms,
        "fps_in": round(report.fps_in, 2),
        "open_share": round(report.open_share, 3),
        "frames": report.frames,
        "decoded": report.decoded,
        "inferences": report.inferences,
        "running": list(report.running),
        "dropped": dict(report.dropped),
        "fault": report.fault,
        "backdrop_ready": round(report.backdrop_ready, 3),
        "gate": report.gate,
        "group_ms": report.group_ms,
        "kbit_s": round(report.kbit_s, 1),
        "cpu_seconds": round(report.cpu_seconds, 1),
        "notes": list(report.notes),
        "scene": report.scene,
        "unsure": report.unsure,
    }
