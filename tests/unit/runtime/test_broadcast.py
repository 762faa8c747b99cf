"""One message for many: made once for each change, newest first, and a slow viewer skips what is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from watchglass.runtime.broadcast import Broadcast
from watchglass.runtime.bus import Bus


class House:
    """Something to tell, and how often it was asked for it."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.broadcast = Broadcast(self.bus)
        self.now = b"0"
        self.asked = 0

    def make(self) -> bytes:
        self.asked += 1
        return self.now

    def listen(self, patience: float = 60.0) -> AsyncIterator[bytes]:
        return self.broadcast.listen("view", ("pins",), self.make, still_here=b".", patience=patience)

    def say(self, message: bytes) -> None:
        self.now = message
        self.bus.publish("pins", {"type": "pins"})


def run(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_each_change_is_made_once_for_two_hundred_viewers() -> None:
    async def story() -> None:
        house = House()
        viewers = [house.listen() for _ in range(200)]
        assert set(await asyncio.gather(*(anext(viewer) for viewer in viewers))) == {b"0"}
        assert house.asked == 1
        for n, message in enumerate((b"1", b"2", b"3"), 2):
            waiting = [asyncio.ensure_future(anext(viewer)) for viewer in viewers]
            house.say(message)
            assert set(await asyncio.gather(*waiting)) == {message}
            assert house.asked == n
        for viewer in viewers:
            await viewer.aclose()

    run(story())


def test_what_stays_the_same_is_not_told_again() -> None:
    async def story() -> None:
        house = House()
        viewer = house.listen()
        await anext(viewer)
        house.say(b"0")
        while house.asked < 2:  # noqa: ASYNC110  (it is asked in a thread)
            await asyncio.sleep(0.001)
        house.say(b"1")
        assert await anext(viewer) == b"1"
        await viewer.aclose()

    run(story())


def test_a_slow_viewer_gets_the_newest_and_one_who_comes_late_the_present() -> None:
    async def story() -> None:
        house = House()
        slow, quick = house.listen(), house.listen()
        await anext(slow)
        await anext(quick)
        for message in (b"1", b"2", b"3"):
            house.say(message)
            assert await anext(quick) == message
        assert await anext(slow) == b"3"
        late = house.listen()
        assert await anext(late) == b"3"
        for viewer in (slow, quick, late):
            await viewer.aclose()

    run(story())


def test_it_is_asked_again_when_nothing_happens_and_viewers_hear_that_the_line_stands() -> None:
    async def story() -> None:
        house = House()
        viewer = house.listen(patience=0.01)
        assert await anext(viewer) == b"0"
        assert await anext(viewer) == b"."
        house.now = b"stopped"
        while (told := await anext(viewer)) == b".":
            pass
        assert told == b"stopped"
        await viewer.aclose()

    run(story())


def test_viewers_hear_that_the_line_stands_also_where_much_happens_that_changes_nothing() -> None:
    async def story() -> None:
        house = House()
        viewer = house.listen(patience=0.05)
        assert await anext(viewer) == b"0"
        heard = asyncio.ensure_future(anext(viewer))
        while not heard.done():
            house.say(b"0")
            await asyncio.sleep(0.001)
        assert heard.result() == b"."
        await viewer.aclose()

    run(story())


def test_viewers_are_let_go_when_the_house_closes() -> None:
    async def story() -> None:
        house = House()
        viewer = house.listen()
        await anext(viewer)
        house.bus.close()
        assert [message async for message in viewer] == []

    run(story())


def test_when_the_last_one_leaves_nothing_is_made_any_more_and_the_next_one_starts_anew() -> None:
    async def story() -> None:
        house = House()
        first, second = house.listen(), house.listen()
        await anext(first)
        await anext(second)
        await first.aclose()
        house.say(b"1")
        assert await anext(second) == b"1"
        await second.aclose()
        await asyncio.sleep(0.01)
        asked = house.asked
        house.bus.publish("pins", {"type": "pins"})
        await asyncio.sleep(0.02)
        assert house.asked == asked
        again = house.listen()
        assert await anext(again) == b"1"
        await again.aclose()

    run(story())


def test_what_cannot_be_made_lets_viewers_go_instead_of_waiting_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        house = House()
        broken = house.broadcast.listen("broken", ("pins",), lambda: b"%d" % (1 // 0), patience=60.0)
        assert [message async for message in broken] == []

    run(story())
    assert "a channel ended" in caplog.text
