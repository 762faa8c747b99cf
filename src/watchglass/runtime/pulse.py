"""One source's heartbeats in the making: what happened in each interval, and the beats signed one after the other.

A beat names the record of the one before it, and that record's hash is known only when the house has written it. So
intervals that are over wait here, in order, and the next is signed when the house has answered for the last.

Pure but for its key: times come in, bytes go out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from watchglass import __version__
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.time import MINUTE, SECOND
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import leaf_hash, root
from watchglass.perception.messages import Follow, Health, HeartbeatSpec
from watchglass.records.statement import sign

HUNG_MS: Final = 5 * SECOND
"""After so long without a sign of life the interval ends with the last one: what hung was not there."""
SET_BACK_MS: Final = 10 * MINUTE
"""Where the clock was set back by more than this, intervals begin anew at that time; by less, they wait for it."""
MOMENT_S: Final = 2
MOST_WAITING: Final = 1_000
"""Intervals that wait while the house cannot record; the oldest are lost first."""
_NO_PICTURES: Final = frozenset({"reopened", "clips", "originals", "originals_cut"})
"""What a health line counts as lost, besides milliseconds and the recorded stream, that is no picture."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened in one interval.

    Attributes:
        from_s, to_s: seconds since 1970; ``to_s`` is the first one after it.
        running: every analytic that was let run at any moment of it.
        received, decoded, dropped: pictures. alerts: incidents that were raised.
        segments: SHA-256 of each sealed segment's ciphertext.
    """

    from_s: int
    to_s: int
    running: frozenset[str] = frozenset()
    received: int = 0
    decoded: int = 0
    dropped: int = 0
    alerts: int = 0
    segments: tuple[bytes, ...] = ()

    def and_then(self, later: Interval) -> Interval:
        """``later``, with what happened in this one counted to it."""
        return replace(
            later,
            running=self.running | later.running,
            received=self.received + later.received,
            decoded=self.decoded + later.decoded,
            dropped=self.dropped + later.dropped,
            alerts=self.alerts + later.alerts,
            segments=(*self.segments, *later.segments),
        )


def segments_root(ciphertexts: Iterable[bytes]) -> bytes:
    """The Merkle root (RFC 6962) over ciphertext hashes, the smallest first: their order tells nothing."""
    return root([leaf_hash(digest) for digest in sorted(ciphertexts)])


@dataclass(slots=True)
class _Counters:
    """The last totals of a source's health line."""

    received: int = 0
    decoded: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Pulse:
    """Counts, ends intervals at whole multiples of their length, and signs.

    Args:
        models: the weights that look: name to SHA-256.
        began_ms: when its recorder began.
        hung_ms: after so long without a sign of life it was not there; longer only where nothing lives (the demo).
    """

    source: str
    spec: HeartbeatSpec
    key: SignerKey
    entropy: Entropy
    models: Mapping[str, bytes]
    began_ms: int
    hung_ms: int = HUNG_MS
    lost: int = 0
    _open: Interval = field(init=False)
    _seen_ms: int = field(init=False)
    _total: _Counters = field(default_factory=_Counters)
    _waiting: deque[Interval] = field(default_factory=deque)
    _follow: Follow | None = None
    _asked: bool = False

    def __post_init__(self) -> None:
        self._open = Interval(_next_second(self.began_ms), 0)
        self._seen_ms = self.began_ms

    # ---- counting ------------------------------------------------------------------------------------------------

    def heard(self, line: Health) -> None:
        """What the source counted so far; its counters begin anew where it was opened anew."""
        now = _Counters(
            line.frames,
            line.decoded,
            sum(count for cause, count in line.dropped.items() if _is_picture(cause)),
        )
        then, self._total = self._total, now
        self._open = replace(
            self._open,
            received=self._open.received + _more(then.received, now.received),
            decoded=self._open.decoded + _more(then.decoded, now.decoded),
            dropped=self._open.dropped + _more(then.dropped, now.dropped),
        )

    def raised(self) -> None:
        """An incident was raised."""
        self._open = replace(self._open, alerts=self._open.alerts + 1)

    def sealed(self, ciphertext: bytes) -> None:
        """A segment with this hash was sealed."""
        self._open = replace(self._open, segments=(*self._open.segments, ciphertext))

    # ---- time ----------------------------------------------------------------------------------------------------

    def live(self, now_ms: int, running: frozenset[str]) -> None:
        """A sign of life: ends the intervals that are over. ``running``: what may run at this moment."""
        if now_ms < self._seen_ms:
            if self._seen_ms - now_ms > SET_BACK_MS:
                self._end(self._seen_ms // SECOND)
                self._begin(now_ms)
            return
        if now_ms - self._seen_ms > self.hung_ms:
            self._catch_up(self._seen_ms)
            self._end(self._seen_ms // SECOND)
            self._begin(now_ms)
        self._seen_ms = now_ms
        self._catch_up(now_ms)
        if not running <= self._open.running:
            self._open = replace(self._open, running=self._open.running | running)

    def finish(self, now_ms: int) -> None:
        """The last sign of life: the interval that has begun ends with it.

        One of a moment in which nothing happened is left out: it would say that nothing came, when nobody looked.
        """
        self.live(now_ms, frozenset())
        end, last = self._seen_ms // SECOND, self._open
        if end - last.from_s > MOMENT_S or last.received or last.alerts or last.segments:
            self._end(end)

    def _catch_up(self, now_ms: int) -> None:
        every = self.spec.every_s
        while (end := self._open.from_s - self._open.from_s % every + every) * SECOND <= now_ms:
            self._end(end)

    def _begin(self, now_ms: int) -> None:
        self._open = replace(self._open, from_s=_next_second(now_ms))
        self._seen_ms = now_ms

    def _end(self, to_s: int) -> None:
        """What there is becomes an interval that waits to be signed; an empty one goes on."""
        if to_s <= self._open.from_s:
            return
        self._waiting.append(replace(self._open, to_s=to_s))
        self._open = Interval(to_s, 0)
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[1 if self._asked else 0]
            self.lost += 1

    # ---- signing -------------------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether an interval waits for the house to answer before it can be signed."""
        return len(self._waiting) > (1 if self._asked else 0)

    def follow(self, order: Follow) -> None:
        """The house says what the next beat goes on from; what was signed last is settled by it, taken or not."""
        if self._asked:
            self._asked = False
            self._waiting.popleft()
        self._follow = order
        if order.to_s * SECOND - self._seen_ms > SET_BACK_MS:
            return  # told before the clock was set back
        while self._waiting and self._waiting[0].to_s <= order.to_s:  # told already
            told = self._waiting.popleft()
            if self._waiting:
                self._waiting[0] = told.and_then(self._waiting[0])
            else:
                self._open = told.and_then(self._open)
        if self._waiting and self._waiting[0].from_s < order.to_s:
            self._waiting[0] = replace(self._waiting[0], from_s=order.to_s)

    def due(self, now_ms: int) -> bytes | None:
        """The next beat, signed; None while there is none, or the house has not answered for the one before."""
        after = self._follow
        if after is None or self._asked or not self._waiting:
            return None
        self._asked = True
        told = self._waiting[0]
        statement = sign(
            "heartbeat",
            role="recorder",
            key=self.key,
            origin=self.spec.origin,
            now=now_ms,
            entropy=self.entropy,
            charter=self.spec.charter,
            clear={
                "source": self.source,
                "run": after.run,
                "sequence": after.sequence + 1,
                "previous": b64(after.leaf_hash) if after.leaf_hash is not None else None,
                "from_s": told.from_s,
                "to_s": told.to_s,
                "software": f"watchglass-{__version__}",
                "models": {name: b64(digest) for name, digest in sorted(self.models.items())},
                "running": sorted(told.running),
                "received": told.received,
            },
            committed={
                "decoded": told.decoded,
                "dropped": told.dropped,
                "alerts": told.alerts,
                "segments": b64(segments_root(told.segments)),
            },
        )
        return statement.encode()


def _is_picture(cause: str) -> bool:
    return cause not in _NO_PICTURES and not cause.endswith("_ms") and not cause.startswith("recorded_")


def _more(then: int, now: int) -> int:
    return now - then if now >= then else now


def _next_second(ms: int) -> int:
    """The first whole second that is not before ``ms``."""
    return -(-ms // SECOND)
