"""The heart of a worker: its key, and the heartbeats of all its sources.

The key is made here when the worker starts, and is never written anywhere: with the process it is gone (ADR 0035).
Beats come from the loop that looks at the sources and from nowhere else, so that a worker that hangs gives none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.ledger.keys import SignerKey
from watchglass.perception.messages import (
    Follow,
    Health,
    Heartbeats,
    Incident,
    RecorderKey,
    Report,
    Sealed,
    SourceSpec,
)
from watchglass.runtime.pulse import Pulse

_NAME: Final = "recorder/"
_SIGN_OF_LIFE_MS: Final = 200
_NOTHING: Final[frozenset[str]] = frozenset()


class Heart:
    """Listens to what the sources report, and sends their heartbeats.

    Args:
        specs: the worker's sources; those without ``heartbeat`` have none.
        send: takes reports; must not block.
        models_of: the weights that look at a source: name to SHA-256.
        now_ms: when the worker began.
    """

    def __init__(
        self,
        specs: tuple[SourceSpec, ...],
        *,
        send: Callable[[Report], None],
        entropy: Entropy,
        models_of: Callable[[SourceSpec], Mapping[str, bytes]],
        now_ms: int,
    ) -> None:
        self._send = send
        self._counting = threading.Lock()
        self._pulses: dict[str, Pulse] = {}
        self._beaten_ms = 0
        self._running: frozenset[tuple[str, str]] = frozenset()
        self._of: dict[str, frozenset[str]] = {}
        beating = [(spec, spec.heartbeat) for spec in specs if spec.heartbeat is not None]
        if not beating:
            return
        key = SignerKey.generate(_NAME + beating[0][0].name, entropy)
        for spec, heartbeat in beating:
            self._pulses[spec.name] = Pulse(spec.name, heartbeat, key, entropy, models_of(spec), now_ms)
        send(RecorderKey(str(key.verifier), tuple(self._pulses)))

    def send(self, report: Report) -> None:
        """Send a report on, and count what heartbeats tell of it. From any thread."""
        match report:
            case Health() | Incident() | Sealed():
                with self._counting:
                    self._count(report)
            case _:
                pass
        self._send(report)

    def beat(self, now_ms: int, running: frozenset[tuple[str, str]]) -> None:
        """A sign of life of the loop; ``running``: what may run at this moment, as (source, analytic)."""
        if not self._pulses or 0 <= now_ms - self._beaten_ms < _SIGN_OF_LIFE_MS:
            return
        self._beaten_ms = now_ms
        if running is not self._running:
            self._running = running
            self._of = {name: frozenset(a for source, a in running if source == name) for name in self._pulses}
        with self._counting:
            for name, pulse in self._pulses.items():
                pulse.live(now_ms, self._of.get(name, _NOTHING))
            self._sign(now_ms)

    def follow(self, order: Follow) -> None:
        """The house has recorded a beat, or says how to go on."""
        with self._counting:
            if order.source in self._pulses:
                self._pulses[order.source].follow(order)

    def finish(self, now_ms: int) -> None:
        """The end: the intervals that have begun end now."""
        with self._counting:
            for pulse in self._pulses.values():
                pulse.finish(now_ms)
            self._sign(now_ms)

    def settle(self, now_ms: int) -> bool:
        """Sign what the house has answered for; whether everything is on its way."""
        with self._counting:
            self._sign(now_ms)
            return not any(pulse.held for pulse in self._pulses.values())

    def _count(self, report: Health | Incident | Sealed) -> None:
        pulse = self._pulses.get(report.source)
        if pulse is None:
            return
        match report:
            case Health():
                pulse.heard(report)
            case Incident():
                pulse.raised()
            case Sealed():
                pulse.sealed(report.sha256)

    def _sign(self, now_ms: int) -> None:
        """One message for all that is due, so that the house records it in one transaction."""
        signed = tuple(beat for pulse in self._pulses.values() if (beat := pulse.due(now_ms)) is not None)
        if signed:
            self._send(Heartbeats(signed))
