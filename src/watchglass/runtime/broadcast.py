"""One message for any number of viewers: it is made once for each change, and each viewer costs a copy of its bytes.

Viewers of one channel live on one event loop. Those who are slow skip: they get the newest message, never a queue of
old ones. The channel's pump runs while anybody listens, and asks again what may be told even when nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from watchglass.runtime.bus import Bus, Subscription

log = logging.getLogger(__name__)

PATIENCE_S: Final = 15.0
"""After so long without news it is asked again what may be told, and viewers hear that the line still stands."""


class Channel:
    """What is told about one thing, to all who listen.

    Args:
        make: the message as of now; called in a thread, once for each change.
        still_here: what viewers get where nothing changed for long.
    """

    def __init__(self, make: Callable[[], bytes], still_here: bytes) -> None:
        self._make = make
        self._still_here = still_here
        self._message = b""
        self._turn = 0
        self._changed = 0
        self._told_s = 0.0
        self._ready = asyncio.Event()
        self.listeners = 0
        self.closed = False

    async def pump(self, subscription: Subscription, patience: float) -> None:
        """Tell every change until ``subscription`` ends; then all who listen are let go."""
        try:
            await self._renew()
            while not subscription.closed:
                await subscription.next(patience)
                quiet = asyncio.get_running_loop().time() - self._told_s >= patience
                if not subscription.closed and not await self._renew() and quiet:
                    self._tell()
        except Exception:  # those who listen must not wait for ever; they come again, and so does this
            log.exception("a channel ended")
        finally:
            subscription.close()
            self.closed = True
            self._tell()

    async def _renew(self) -> bool:
        """Make the message anew, and tell it if it is another one."""
        message = await asyncio.to_thread(self._make)
        if message == self._message:
            return False
        self._message, self._changed = message, self._turn + 1
        self._tell()
        return True

    async def listen(self) -> AsyncIterator[bytes]:
        """The message of now, then every change, until the channel closes."""
        heard = 0
        while not self.closed:
            if heard == self._turn:
                await self._ready.wait()
                continue
            message = self._message if self._changed > heard else self._still_here
            heard = self._turn
            yield message

    def _tell(self) -> None:
        self._turn += 1
        self._told_s = asyncio.get_running_loop().time()
        ready, self._ready = self._ready, asyncio.Event()
        ready.set()


class Broadcast:
    """The channels that somebody listens to at present."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._open: dict[tuple[asyncio.AbstractEventLoop, str], tuple[Channel, asyncio.Task[None]]] = {}

    async def listen(
        self,
        name: str,
        topics: tuple[str, ...],
        make: Callable[[], bytes],
        *,
        still_here: bytes = b"",
        patience: float = PATIENCE_S,
    ) -> AsyncIterator[bytes]:
        """What ``make`` gives, at once and whenever something happens under ``topics`` and it gives something else.

        Args:
            name: of the channel; all who name it share the first one's ``make``.
        """
        key = (asyncio.get_running_loop(), name)
        if key not in self._open or self._open[key][0].closed:
            channel = Channel(make, still_here)
            pump = asyncio.create_task(channel.pump(self._bus.subscribe(*topics), patience), name=f"channel {name}")
            self._open[key] = (channel, pump)
        channel, pump = self._open[key]
        channel.listeners += 1
        try:
            async for message in channel.listen():
                yield message
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                if self._open.get(key, (None,))[0] is channel:
                    del self._open[key]
                pump.cancel()
