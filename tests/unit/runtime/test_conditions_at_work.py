"""Health lines become minutes; a source that does not meet a condition is recorded, and its alerts say so."""

from __future__ import annotations

from dataclasses import replace

from watchglass.acts.conditions_reading import input_drift, measured, public_words
from watchglass.acts.raise_alert import raise_alert
from watchglass.acts.source_conditions import Hour, degraded_ms, failing, forget_hours, hours_of, keep_hours, spells
from watchglass.charter.conditions import Conditions
from watchglass.charter.model import Charter
from watchglass.charter.permit import RaiseAlert
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.perception.messages import Health
from watchglass.runtime.conditions import SourceConditions
from world import World

LOOKED_AT = frozenset({"street"})


def asking(world: World, conditions: Conditions | None) -> Charter:
    charter = world.house.standing().charter
    assert charter is not None
    sources = tuple(replace(each, conditions=conditions) for each in charter.sources)
    return replace(charter, sources=sources)


def begin(world: World, works: SourceConditions, charter: Charter) -> None:
    works.keep(charter, LOOKED_AT)
    world.clock.advance(MINUTE - world.clock.now() % MINUTE + 5 * SECOND)
    works.keep(charter, LOOKED_AT)


def pass_minutes(world: World, works: SourceConditions, charter: Charter, count: int, brightness: float | None) -> None:
    """Lines of a second, a few each minute; None: nothing comes."""
    for _ in range(count):
        world.clock.advance(MINUTE)
        if brightness is not None:
            now = world.clock.now()
            for at_ms in range(now - 6 * SECOND, now, 2 * SECOND):
                line = Health("street", at_ms, 10.0, 0.0, at_ms // 100 % 10**9, 5, 1, (), brightness=brightness)
                works.take(replace(line, sharpness=1.25, zones=1.0, followed=at_ms // 10_000))
        works.keep(charter, LOOKED_AT)


def test_a_dark_evening_is_recorded_told_with_each_alert_and_over_when_it_is_light(world: World) -> None:
    charter, works = asking(world, Conditions(brightness=(30, 230))), SourceConditions(world.house.acting)
    begin(world, works, charter)
    pass_minutes(world, works, charter, 6, 12.0)
    (found,) = failing(world.house.store.read(), "street")
    assert found.words == "too dark to read: brightness 12, at least 30"
    (record,) = world.records("source_degraded")
    assert record.leaf.clear == {"source": "street", "condition": "too_dark"}
    assert {"measured": 12_000, "allowed": 30_000}.items() <= record.fields.items()
    new = replace(world.new_alert(), brightness=12.0, infrared=True)
    alert = raise_alert(world.house.acting, world.permit(RaiseAlert(new.analytic)), new, review_within_ms=60_000).value
    assert alert.seen is not None
    assert (alert.seen["light"], alert.seen["view"], alert.seen["degraded"]) == ("dark", "infrared", ["too_dark"])
    (raised,) = world.records("alert_raised")
    assert raised.fields["conditions"] == alert.seen
    pass_minutes(world, works, charter, 7, 90.0)
    reader, now = world.house.store.read(), world.clock.now()
    assert not failing(reader, "street")
    (over,) = world.records("source_recovered")
    assert over.leaf.clear == {"source": "street", "condition": "too_dark", "because": "measured"}
    assert over.leaf.refs == (record.hash,)
    told = spells(reader, "street", now - DAY, now)
    assert 5 * MINUTE <= degraded_ms(told, now - DAY, now) <= 8 * MINUTE


def test_what_the_charter_asks_no_longer_is_over_and_the_public_hears_what_the_ledger_says(world: World) -> None:
    charter, works = asking(world, Conditions(uptime_at_least=900)), SourceConditions(world.house.acting)
    source = charter.source("street")
    begin(world, works, charter)
    pass_minutes(world, works, charter, 14, None)
    assert [each.condition for each in failing(world.house.store.read(), "street")] == ["uptime"]
    assert "none of these" in public_words(world.house.store.read(), source)[1]  # its record is not in the ledger yet
    world.settle()
    assert "degraded: pictures missing" in public_words(world.house.store.read(), source)[1]
    pass_minutes(world, works, asking(world, None), 2, 90.0)
    assert not failing(world.house.store.read(), "street")
    (over,) = world.records("source_recovered")
    assert over.leaf.clear["because"] == "charter"
    assert public_words(world.house.store.read(), asking(world, None).source("street")) == (
        "The rules state no conditions for its pictures.",
    )


def test_hours_are_added_up_shown_beside_each_condition_and_destroyed_in_time(world: World) -> None:
    charter, works = asking(world, Conditions(brightness=(100, 230))), SourceConditions(world.house.acting)
    begin(world, works, charter)
    pass_minutes(world, works, charter, 40, 60.0)
    pass_minutes(world, works, charter, 40, 120.0)
    reader, now = world.house.store.read(), world.clock.now()
    hours = hours_of(reader, "street", now - DAY, now)
    assert 1 < len(hours) <= 3
    assert sum(each.asked_ms for each in hours) == 81 * MINUTE  # with the one in which it began
    assert min(each.bright_least or 0 for each in hours) == 60.0
    assert max(each.bright_most or 0 for each in hours) == 120.0
    rows = {each.key: each for each in measured(reader, charter.source("street"), now)}
    assert (rows["brightness"].stated, rows["brightness"].least, rows["brightness"].most) == ("100 to 230", 60.0, 120.0)
    assert rows["brightness"].failed
    assert rows["clock_within"].hours == 0
    world.house.store.commit(lambda tx: forget_hours(tx, now + 63 * DAY))
    assert not hours_of(world.house.store.read(), "street", 0, now)


def test_months_of_hours_warn_where_a_camera_has_become_darker(world: World) -> None:
    now = world.clock.now()
    begin = now - now % DAY - 50 * DAY

    def hour(at: int) -> Hour:
        day, of_day = divmod((at - begin) // HOUR, 24)
        light = 80.0 + 40 * (8 <= of_day < 18) + (day * 37 + of_day * 11) % 7
        bright = light * (0.5 ** (day - 40) if day > 40 else 1.0)
        return Hour("street", at, HOUR, HOUR, 60, bright, bright, bright, 1.0, 1.0, 1.0, followed=9)

    world.house.store.commit(lambda tx: keep_hours(tx, (hour(begin + n * HOUR) for n in range(50 * 24))))
    charter = asking(world, None)
    found = {each.warned.measure: each for each in input_drift(world.house.store.read(), charter.sources[:1], now)}
    assert found["brightness"].warned.warns
    assert not found["brightness"].warned.more
    assert "lamp" in found["brightness"].to_do
    assert not found["sharpness"].warned.warns
