from __future__ import annotations

from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Packet
from watchglass.perception.ring import ClipOrder, Ring


def whole(orders: list[ClipOrder]) -> list[ClipOrder]:
    return [order for order in orders if order.whole]


def packets(n: int, gop: int = 10, start: int = 0) -> list[Packet]:
    return [Packet(start + 100 * i, i % gop == 0, 1000, None) for i in range(n)]


def test_a_clip_begins_at_a_keyframe_and_has_what_was_asked_for() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    orders = []
    for packet in packets(200):
        if packet.at_ms == 15_050 - 50:
            ring.want("x", packet.at_ms)
        orders += ring.keep(packet)
    (order,) = whole(orders)
    assert (order.incident, order.start_ms, order.end_ms) == ("x", 13_000, 16_000)
    assert order.packets[0].keyframe
    assert order.packets[0].at_ms == 13_000
    assert order.packets[-1].at_ms == 16_000


def test_where_keyframes_are_rare_it_reaches_back_to_the_last_one() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    orders = []
    for packet in packets(400, gop=250):
        if packet.at_ms == 20_000:
            ring.want("x", packet.at_ms)
        orders += ring.keep(packet)
    assert whole(orders)[0].packets[0].at_ms == 0


def test_it_keeps_no_more_than_a_clip_can_need() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    for packet in packets(2000):
        ring.keep(packet)
        ring.saw(Tracks.none(packet.at_ms))
    ring.want("x", 199_900)
    (order,) = ring.finish()
    assert order.packets[0].at_ms >= 196_000
    assert len(order.tracks) < 60


def test_it_is_bounded_in_bytes() -> None:
    ring = Ring("cam", before_ms=600_000, after_ms=1000)
    for i in range(100):
        ring.keep(Packet(1000 * i, True, 2 * 1024 * 1024, None))
    ring.want("x", 99_000)
    (order,) = ring.finish()
    assert sum(p.size for p in order.packets) <= 48 * 1024 * 1024


def test_it_is_bounded_in_bytes_where_no_keyframe_comes() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    for i in range(100):
        ring.keep(Packet(1000 * i, i == 0, 2 * 1024 * 1024, None))
    ring.want("x", 99_000)
    (order,) = ring.finish()
    assert 0 < sum(p.size for p in order.packets) <= 48 * 1024 * 1024


def test_where_packets_never_come_nothing_piles_up() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    for i in range(5000):
        ring.saw(Tracks.none(i * 400))
        if i % 100 == 0:
            ring.want(f"{i}", i * 400)
    assert [o.incident for o in ring.finish()] == ["4900"]
    ring.want("x", 2_000_000)
    assert len(ring.finish()[0].tracks) < 200


def test_what_is_cut_off_does_not_go_on_but_where_things_were_is_kept() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    for packet in packets(50):
        ring.keep(packet)
        ring.saw(Tracks.none(packet.at_ms))
    ring.cut_off()
    for packet in packets(20, start=5000):
        ring.keep(packet)
    ring.want("x", 5_500)
    (order,) = ring.finish()
    assert order.packets[0].at_ms == 5000
    assert order.tracks[0].at_ms < 3_000


def test_clear_forgets_everything_at_once() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1000)
    for packet in packets(50):
        ring.keep(packet)
    ring.want("x", 4900)
    ring.clear()
    assert ring.finish() == []
    assert not [o for p in packets(50, start=5000) for o in ring.keep(p)]


def test_what_is_there_of_a_clip_is_ordered_at_once_and_at_each_keyframe() -> None:
    ring = Ring("cam", before_ms=2000, after_ms=1500)
    orders = []
    for packet in packets(200):
        if packet.at_ms == 15_300:
            ring.want("x", packet.at_ms)
        ring.saw(Tracks.none(packet.at_ms))
        orders += ring.keep(packet)
    assert [(o.whole, o.packets[0].at_ms, o.packets[-1].at_ms) for o in orders] == [
        (False, 14_000, 15_300),
        (False, 14_000, 16_000),
        (True, 14_000, 16_800),
    ]
    assert [len(o.tracks) > 0 for o in orders] == [False, False, True]
