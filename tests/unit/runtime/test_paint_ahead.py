"""Threads that hand on in order: everything, every error, and no thread that is left over."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator

import pytest

from watchglass.runtime.paint.ahead import ahead


def workers() -> int:
    return sum(thread.name == "ahead" for thread in threading.enumerate())


def test_everything_comes_in_order() -> None:
    assert list(ahead(iter(range(100)), 3)) == list(range(100))
    assert list(ahead(iter([None, None]), 1)) == [None, None]
    assert workers() == 0


def test_what_is_raised_comes_in_its_turn() -> None:
    def broken() -> Generator[int]:
        yield 1
        yield 2
        raise KeyboardInterrupt

    items = ahead(broken(), 5)
    seen = [next(items), next(items)]
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert seen == [1, 2]
    assert workers() == 0


def test_whoever_stops_early_ends_all_of_them() -> None:
    closed = []

    def endless() -> Generator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.append(True)

    inner = ahead(endless(), 2)
    outer = ahead((n * 2 for n in inner), 2)
    assert [next(outer) for _ in range(5)] == [0, 2, 4, 6, 8]
    outer.close()
    inner.close()
    assert closed == [True]
    assert workers() == 0
