"""When what looks at a camera ends, the public view does not go on showing who was there last."""

from __future__ import annotations

from watchglass.bootstrap import MODEL, shipped
from watchglass.core.time import MINUTE, SECOND
from watchglass.perception.messages import Health, Pin, Pins, SourceEnded, SourceOpened
from watchglass.runtime.easel import Seen
from watchglass.runtime.supervisor import Supervisor
from world import World


def test_marks_go_when_the_source_is_given_up(world: World) -> None:
    house = world.house
    models = {MODEL: shipped().sha256}
    works = Supervisor(house.acting, house.standing, house.live, house.bus, media=world.layout.media, models=models)
    charter = house.standing().charter
    assert charter is not None
    works._live.follow(charter)
    delay = charter.safeguards.public_view.delay_ms
    house.live.set_backdrop("street", "day", "1", b"png")
    works._take(SourceOpened("street", 768, 576, 10.0))
    works._take(Pins("street", world.clock.now(), tuple(Pin(100 * n, 100, 0) for n in range(1, 6)), 5, "day"))
    works._take(Health("street", world.clock.now(), 10.0, 1.0, 1, 1, 1, (), scene="day"))
    world.clock.advance(SECOND)
    works._take(SourceEnded("street", 1, 1.0, 1.0, 1.0, "its decoder broke"))
    line = house.live.health()["street"]
    assert (line.scene, line.unsure, line.fault) == ("", "nothing looks at this camera now", "lost")
    world.clock.advance(delay)
    seen = house.live.seen("street")
    assert isinstance(seen, Seen)
    assert seen.shown is not None
    assert (seen.marks, seen.stage, seen.shown.unsure) == ((), None, "nothing looks at this camera now")
    world.clock.advance(MINUTE)
    assert house.live.seen("street") == Seen((768, 576), None, None, seen.hidden, seen.black)
