"""What has arrived and is not looked at yet: bounded, and what gives way is the oldest, in whole groups of pictures."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import Final

from watchglass.perception.ports import Packet

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_MS: Final = 5_000


class Backlog:
    """Packets on their way from one thread to another.

    Where packets were left out, what follows begins with a keyframe, without the pictures that are shown before it
    but refer to the group that is gone; so whatever is taken can be decoded.

    Args:
        most_bytes, most_ms: how much may wait.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_ms: int = MOST_MS) -> None:
        self._most_bytes = most_bytes
        self._most_ms = most_ms
        self._packets: deque[Packet] = deque()
        self._bytes = 0
        self._gap_ms: int | None = None
        self._leads_to: int | None = None
        self._jumped = 0
        self._begun = False
        self._lock = threading.Lock()
        self.lost_ms = 0

    def put(self, packet: Packet) -> None:
        """Add the newest packet, and let old ones go if it is too much now."""
        with self._lock:
            if not self._wanted(packet):
                self._jumped = self._jumped or packet.jumped_ms
                return
            if self._jumped:
                packet, self._jumped = replace(packet, jumped_ms=packet.jumped_ms or self._jumped), 0
            self._packets.append(packet)
            self._bytes += packet.size
            while self._too_much():
                self._shed()

    def take(self) -> Packet | None:
        """The oldest packet; None when nothing waits."""
        with self._lock:
            if not self._packets:
                return None
            packet = self._packets.popleft()
            self._bytes -= packet.size
            return packet

    def clear(self) -> None:
        """Forget everything that waits."""
        with self._lock:
            self._packets.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._packets)

    def _wanted(self, packet: Packet) -> bool:
        """Whether the packet can be decoded with what came before it."""
        if packet.keyframe:
            if self._gap_ms is not None:
                self.lost_ms += max(0, packet.at_ms - self._gap_ms)
            if self._gap_ms is not None or not self._begun:
                self._leads_to = packet.at_ms
            self._gap_ms = None
            self._begun = True
            return True
        if self._gap_ms is not None or not self._begun:
            return False
        if self._leads_to is not None and packet.at_ms < self._leads_to:
            return False
        self._leads_to = None
        return True

    def _too_much(self) -> bool:
        if not self._packets:
            return False
        return self._bytes > self._most_bytes or self._packets[-1].at_ms - self._packets[0].at_ms > self._most_ms

    def _shed(self) -> None:
        """Let the oldest group go, or what is left of it; where there is only one, everything up to the next."""
        gone_ms = self._packets[0].at_ms
        self._drop()
        while self._packets and not self._packets[0].keyframe:
            self._drop()
        if not self._packets:
            self._gap_ms = gone_ms
            return
        key = self._packets.popleft()
        self.lost_ms += max(0, key.at_ms - gone_ms)
        while self._packets and not self._packets[0].keyframe and self._packets[0].at_ms < key.at_ms:
            self._drop()
        if not self._packets:
            self._leads_to = key.at_ms
        if self._jumped:
            key, self._jumped = replace(key, jumped_ms=key.jumped_ms or self._jumped), 0
        self._packets.appendleft(key)

    def _drop(self) -> None:
        packet = self._packets.popleft()
        self._bytes -= packet.size
        self._jumped = self._jumped or packet.jumped_ms
