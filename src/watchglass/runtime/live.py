"""What is true right now and is stored nowhere: marks in view, the sources' health, proposed backdrops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.charter.model import PublicView
from watchglass.core.time import Clock
from watchglass.perception.messages import BackdropProposal, Health, Pins
from watchglass.runtime.bus import Bus
from watchglass.views.public import DelayedPins, Shown

_NOT_YET: Final = object()


@dataclass(slots=True)
class _View:
    moments: DelayedPins
    rules: PublicView
    last: object = _NOT_YET


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

    # ---- told by the supervisor ----------------------------------------------------------------------------------

    def configure(self, sources: Mapping[str, PublicView]) -> None:
        """Which sources there are, and how late and how coarse each may be shown."""
        with self._lock:
            for name, rules in sources.items():
                known = self._views.get(name)
                if known is None or known.rules.delay_ms != rules.delay_ms:
                    self._views[name] = _View(DelayedPins(rules.delay_ms), rules)
                else:
                    known.rules = rules
            for name in self._views.keys() - sources.keys():
                del self._views[name]

    def take_pins(self, report: Pins) -> None:
        """Take in one moment's marks."""
        with self._lock:
            view = self._views.get(report.source)
            if view is None:
                return
            view.moments.add(report.at_ms, tuple((p.x, p.y, p.kind) for p in report.pins), report.people)
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
            self._sizes[source] = (width, height)

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
        event = {"type": "backdrop", "scene": scene, "version": version if png else None}
        self._bus.publish(f"pins:{source}", event)

    def tick(self) -> None:
        """Publish what has become visible since the last time."""
        now = self._clock.now()
        news: list[tuple[str, Shown | None]] = []
        with self._lock:
            for name, view in self._views.items():
                shown = view.moments.visible(now, view.rules.delay_ms, view.rules.hide_below)
                content = None if shown is None else (shown.pins, shown.people, shown.hidden)
                if content != view.last:
                    view.last = content
                    news.append((name, shown))
        for name, shown in news:
            self._bus.publish(f"pins:{name}", _shown_json(shown, now))

    # ---- asked by pages ------------------------------------------------------------------------------------------

    def pins(self, source: str) -> dict[str, Any] | None:
        """What the public may see now; None for a source that is not in the charter."""
        now = self._clock.now()
        with self._lock:
            view = self._views.get(source)
            if view is None:
                return None
            return _shown_json(view.moments.visible(now, view.rules.delay_ms, view.rules.hide_below), now)

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
        """Ask the worker for the backdrop as learned so far (see ``ProposeBackdrop``); it arrives within a second."""
        self.ask(source, scene)

    def size(self, source: str) -> tuple[int, int] | None:
        """(width, height) of the source's picture, once it was opened."""
        with self._lock:
            return self._sizes.get(source)


def _shown_json(shown: Shown | None, now_ms: int) -> dict[str, Any]:
    if shown is None:
        return {"type": "pins", "at_ms": now_ms, "pins": [], "people": None, "hidden": False, "known": False}
    return {
        "type": "pins",
        "at_ms": shown.at_ms,
        "pins": [list(pin) for pin in shown.pins],
        "people": shown.people,
        "hidden": shown.hidden,
        "known": True,
    }


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
