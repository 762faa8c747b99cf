"""Sealed segments on their way into the object store, in a thread of their own.

A store may be slow or away. Neither may hold up the leases of those who look, nor the alerts: so segments wait here, in
memory and sealed, until the store and the ledger take them. What waits when the house ends is lost, and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from watchglass.core.errors import CannotRecord, Refused, WatchglassError
from watchglass.perception.messages import Sealed

log = logging.getLogger(__name__)

MOST_SEGMENTS: Final = 40
MOST_OCTETS: Final = 512 * 1024 * 1024
"""So many wait, and so many bytes of them (one of ten seconds has 5 MB at 4 Mbit/s); what comes then is lost."""
FIRST_S: Final = 1.0
LONGEST_S: Final = 30.0
_JOIN_S: Final = 20.0


class Vault:
    """Hands segments to ``keep``, one after the other and in order; what cannot be kept now is tried again.

    Args:
        keep: the act. Raises ``CannotRecord`` where it should be tried again.
        count: is told "lost" or "refused", once for each segment.
        first_s: seconds before the first new try; they double, up to half a minute.
    """

    def __init__(
        self, keep: Callable[[Sealed], None], count: Callable[[str], None], *, first_s: float = FIRST_S
    ) -> None:
        self._keep = keep
        self._count = count
        self._first_s = self._pause_s = first_s
        self._waiting: deque[Sealed] = deque()
        self._octets = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._trouble: WatchglassError | None = None
        self._dropped: Counter[str] = Counter()

    def put(self, segment: Sealed) -> None:
        """Take one in. Returns at once."""
        with self._changed:
            size = len(segment.data)
            many = len(self._waiting) >= MOST_SEGMENTS or (self._waiting and self._octets + size > MOST_OCTETS)
            if self._closing or many:
                self._count("lost")
                if not self._dropped[segment.source]:
                    log.error("Sealed segments of %s are lost from now on: too many wait.", segment.source)
                self._dropped[segment.source] += 1
                return
            self._waiting.append(segment)
            self._octets += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="watchglass-vault", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many are on their way, the one that is being kept included."""
        with self._changed:
            return len(self._waiting)

    def trouble_of(self, source: str) -> str | None:
        """Why pieces of ``source`` wait or are lost, for its page; None where all is well."""
        with self._changed:
            count, dropped = sum(each.source == source for each in self._waiting), self._dropped[source]
            if dropped and (self._trouble is None or not count):
                pieces = "piece is" if dropped == 1 else "pieces are"
                return f"{dropped} sealed {pieces} lost: the store takes them more slowly than they come"
            if self._trouble is None or not count:
                return None
            why = self._trouble.message
            lost = f", and {dropped} came too many and {'is' if dropped == 1 else 'are'} lost" if dropped else ""
            wait = "piece waits" if count == 1 else "pieces wait"
            return f"{count} sealed {wait}{lost}: {why.partition(': ')[2] or why}"

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing is on its way; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def close(self) -> None:
        """Try each a last time, until one cannot be kept; the rest is lost, and counted."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_JOIN_S)
        with self._changed:
            lost = len(self._waiting)
            for _ in range(lost):
                self._count("lost")
            self._waiting.clear()
            self._octets = 0
        if lost:
            log.error("%d sealed segments could not be kept, and are lost.", lost)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                segment, last = self._waiting[0], self._closing
            end = self._attempt(segment)
            with self._changed:
                if end is None:
                    if last:
                        return
                    self._changed.wait_for(lambda: self._closing, self._pause_s)
                    self._pause_s = min(LONGEST_S, 2 * self._pause_s)
                    continue
                self._trouble, self._pause_s = None, self._first_s
                if self._waiting and self._waiting[0] is segment:  # else the end has given it up meanwhile
                    self._octets -= len(self._waiting.popleft().data)
                    if end:
                        self._count(end)
                if not self._waiting:
                    self._dropped.clear()
                self._changed.notify_all()

    def _attempt(self, segment: Sealed) -> str | None:
        """Empty: kept. ``refused``, ``lost``: it never will be. None: it must be tried again."""
        try:
            self._keep(segment)
        except Refused as refusal:
            log.warning(
                "A sealed segment of %s is not kept, because the charter does not allow it: %s",
                segment.source,
                refusal.message,
            )
            return "refused"
        except CannotRecord as error:
            with self._changed:
                before, self._trouble = self._trouble, error
            if before is None or before.message.partition(":")[2] != error.message.partition(":")[2]:
                log.error("Sealed segments wait: %s %s", error.message, error.fix)
            return None
        except WatchglassError as error:
            log.error("A sealed segment of %s is lost: %s %s", segment.source, error.message, error.fix)
            return "lost"
        except Exception:  # a fault with one must not stop the others
            log.exception("A sealed segment of %s is lost, because of a fault in Watchglass.", segment.source)
            return "lost"
        return ""
