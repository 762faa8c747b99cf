"""Tells open pages what just happened. Loses old news before it loses new, and says when it did."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

Event = dict[str, Any]

_KEPT: Final = 256
RESYNC: Final[Event] = {"type": "resync"}


class Subscription:
    """One reader of some topics; lives on the event loop that made it."""

    def __init__(self, bus: Bus, topics: tuple[str, ...]) -> None:
        self._bus = bus
        self.topics = topics
        self._loop = asyncio.get_running_loop()
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Hand over an event from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended with its reader
            self._loop.call_soon_threadsafe(self._accept, event)

    def _accept(self, event: Event) -> None:
        if len(self._events) >= _KEPT:
            self._events.clear()
            self._events.append(dict(RESYNC))
        self._events.append(event)
        self._ready.set()

    async def next(self, patience: float) -> Event | None:
        """The next event, or None after ``patience`` seconds of silence or at the end."""
        if not self._events and not self._closed:
            self._ready.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), patience)
        return self._events.popleft() if self._events else None

    async def __aiter__(self) -> AsyncIterator[Event]:
        while not self._closed:
            event = await self.next(3600)
            if event is not None:
                yield event

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Stop listening; wakes a waiting reader."""
        if not self._closed:
            self._closed = True
            self._bus.leave(self)
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ready.set)


class Bus:
    """Topics to readers, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: dict[str, set[Subscription]] = {}

    def subscribe(self, *topics: str) -> Subscription:
        """Listen to ``topics``; call on a running event loop."""
        subscription = Subscription(self, topics)
        with self._lock:
            for topic in topics:
                self._readers.setdefault(topic, set()).add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        with self._lock:
            for topic in subscription.topics:
                self._readers.get(topic, set()).discard(subscription)

    def publish(self, topic: str, event: Mapping[str, Any]) -> None:
        """Tell every reader of ``topic``; never blocks."""
        with self._lock:
            readers = tuple(self._readers.get(topic, ()))
        for reader in readers:
            reader.put({"topic": topic, **event})

    def close(self) -> None:
        """End every subscription, so that open streams let the server stop."""
        with self._lock:
            readers = {reader for group in self._readers.values() for reader in group}
        for reader in readers:
            reader.close()
