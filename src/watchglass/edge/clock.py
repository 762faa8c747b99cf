"""The clocks of the edge: the system's, which never goes backwards, and a virtual one that is moved by hand."""

from __future__ import annotations

import threading
import time

from watchglass.core.errors import BadInput
from watchglass.core.time import iso


class SystemClock:
    """The wall clock, without its steps backwards.

    When somebody (or a time server) sets the wall clock back, this clock goes on at its own pace from where it was,
    until the wall clock has caught up. ``ahead_ms`` says by how much it is ahead, so that the house can report it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._at = 0

    def now(self) -> int:
        """Milliseconds since the epoch, UTC; never less than any value given before."""
        wall = time.time_ns() // 1_000_000
        steady = time.monotonic_ns() // 1_000_000
        with self._lock:
            now = max(wall, self._last + steady - self._at) if wall < self._last else wall
            if now >= self._last:
                self._last, self._at = now, steady
            return self._last

    def ahead_ms(self) -> int:
        """How far this clock is ahead of the wall clock because that was set back; 0 normally."""
        return max(0, self.now() - time.time_ns() // 1_000_000)


class VirtualClock:
    """A clock for the demo's history and for tests: it stands until it is moved, and is never moved backwards."""

    def __init__(self, now: int) -> None:
        self._lock = threading.Lock()
        self._now = now

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self._now

    def set(self, now: int) -> None:
        """Move the clock to ``now``.

        Raises:
            BadInput: that is earlier than the clock shows.
        """
        with self._lock:
            if now < self._now:
                raise BadInput(
                    f"A clock does not go backwards (from {iso(self._now)} to {iso(now)}).",
                    fix="Make a new clock for an earlier time.",
                )
            self._now = now

    def advance(self, ms: int) -> int:
        """Move the clock on by ``ms`` milliseconds; the new time.

        Raises:
            BadInput: ``ms`` is negative.
        """
        with self._lock:
            if ms < 0:
                raise BadInput("A clock does not go backwards.", fix="Advance by zero or more milliseconds.")
            self._now += ms
            return self._now
