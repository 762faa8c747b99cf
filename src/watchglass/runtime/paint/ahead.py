"""Work on what comes next while somebody else works on what came: threads that hand on, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_PATIENCE_S: Final = 0.1


def ahead(items: Iterator[T], most: int) -> Generator[T]:
    """The same items in the same order, taken from ``items`` in a thread of its own, at most so many in advance.

    Whatever ``items`` raises is raised here in its turn. Whoever closes this early ends the thread and ``items`` too.
    """
    hand = _Hand(items, most)
    hand.start()
    try:
        while (what := hand.waiting.get()) is not None:
            if isinstance(what, BaseException):
                raise what
            yield what[0]
    finally:
        hand.stop.set()
        hand.join()


class _Hand(threading.Thread, Generic[T]):
    """Takes items and hands them on, until there are none or nobody wants any."""

    def __init__(self, items: Iterator[T], most: int) -> None:
        super().__init__(name="ahead", daemon=True)
        self.waiting: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(most)
        self.stop = threading.Event()
        self._items = items

    def run(self) -> None:
        try:
            for item in self._items:
                self._put((item,))
                if self.stop.is_set():
                    break
            self._put(None)
        except BaseException as error:  # noqa: BLE001  (it is raised again where it is waited for)
            self._put(error)
        finally:
            if isinstance(self._items, Generator):
                self._items.close()

    def _put(self, what: tuple[T] | BaseException | None) -> None:
        while not self.stop.is_set():
            try:
                self.waiting.put(what, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return
