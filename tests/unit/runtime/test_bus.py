"""The bus: topics, slow readers, and an end that wakes everybody."""

from __future__ import annotations

import asyncio
import threading

from watchglass.runtime.bus import RESYNC, Bus

SOON = 5.0


def test_a_reader_hears_its_topics_only_from_any_thread() -> None:
    async def story() -> None:
        bus = Bus()
        reader = bus.subscribe("queue", "ledger")
        thread = threading.Thread(
            target=lambda: [bus.publish(topic, {"type": topic}) for topic in ("queue", "health", "ledger")]
        )
        thread.start()
        heard = [await reader.next(SOON), await reader.next(SOON)]
        thread.join()
        assert heard == [{"topic": "queue", "type": "queue"}, {"topic": "ledger", "type": "ledger"}]
        assert await reader.next(0.01) is None

    asyncio.run(story())


def test_a_slow_reader_loses_old_news_and_is_told_to_look_again() -> None:
    async def story() -> None:
        bus = Bus()
        reader, quick = bus.subscribe("queue"), bus.subscribe("queue")
        for number in range(300):
            bus.publish("queue", {"n": number})
            await asyncio.sleep(0)
            event = await quick.next(SOON)
            assert event is not None
            assert event["n"] == number
        first = await reader.next(SOON)
        assert first == RESYNC
        rest = []
        while (event := await reader.next(0.01)) is not None:
            rest.append(event["n"])
        assert rest == list(range(256, 300))

    asyncio.run(story())


def test_the_end_wakes_whoever_waits() -> None:
    async def story() -> None:
        bus = Bus()
        reader = bus.subscribe("queue")
        waits = asyncio.create_task(reader.next(60))
        await asyncio.sleep(0)
        threading.Thread(target=bus.close).start()
        assert await asyncio.wait_for(waits, SOON) is None
        assert reader.closed
        bus.publish("queue", {"type": "late"})
        assert await reader.next(0.01) is None
        assert [event async for event in reader] == []

    asyncio.run(story())


def test_a_reader_whose_loop_is_gone_harms_nobody() -> None:
    bus = Bus()

    async def leave() -> None:
        bus.subscribe("queue")

    asyncio.run(leave())
    bus.publish("queue", {"type": "late"})
    bus.close()


def test_one_who_leaves_hears_no_more() -> None:
    async def story() -> None:
        bus = Bus()
        reader = bus.subscribe("queue")
        reader.close()
        reader.close()
        bus.publish("queue", {})
        await asyncio.sleep(0)
        assert await reader.next(0.01) is None

    asyncio.run(story())
