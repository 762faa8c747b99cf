"""Hours against a slow second opinion: every minute asked of the wall clock itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from watchglass.charter import schema
from watchglass.charter.hours import HOURS, WEEK, Hours, begin_of, look
from watchglass.core.errors import BadInput
from watchglass.core.time import millis


def by_the_wall(hours: Hours | None, days: tuple[str, ...], zone: str, moment: datetime) -> bool:
    wall = moment.astimezone(ZoneInfo(zone))
    minute = wall.hour * 60 + wall.minute
    today, yesterday = WEEK[wall.weekday()], WEEK[(wall.weekday() - 1) % 7]
    days = days or WEEK
    if hours is None:
        return today in days
    if hours.start < hours.end:
        return today in days and hours.start <= minute < hours.end
    return (minute >= hours.start and today in days) or (minute < hours.end and yesterday in days)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"])
@pytest.mark.parametrize("written", ["01:00-04:30", "22:00-06:00", "02:00-02:30", "00:00-24:00", "23:59-00:01", None])
@pytest.mark.parametrize("days", [(), ("sun",), ("mon", "sat")])
def test_the_answer_is_the_wall_clocks_over_a_change_of_clocks(
    zone: str, written: str | None, days: tuple[str, ...]
) -> None:
    hours = HOURS.read(written) if written else None
    for begin in (
        datetime(2027, 3, 27, 12, tzinfo=UTC),
        datetime(2027, 10, 30, 12, tzinfo=UTC),
        datetime(2027, 4, 3, 12, tzinfo=UTC),
    ):
        for step in range(0, 36 * 60, 10):
            now = begin + timedelta(minutes=step)
            answer = look(hours, days, zone, millis(now))
            assert answer.within == by_the_wall(hours, days, zone, now)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_nothing_changes_before_the_moment_that_is_named(zone: str) -> None:
    hours = Hours(60, 150)
    now = datetime(2027, 3, 27, 12, tzinfo=UTC)
    last = now + timedelta(days=9)
    while now < last:
        answer = look(hours, ("sun", "mon"), zone, millis(now))
        assert answer.until_ms is not None
        assert answer.until_ms > millis(now)
        then = datetime.fromtimestamp(answer.until_ms / 1000, UTC)
        probe = now
        while probe < then:
            assert by_the_wall(hours, ("sun", "mon"), zone, probe) == answer.within
            probe += timedelta(minutes=5)
        now = then


def test_utc_needs_no_time_zone_data_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ZoneInfo:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(schema, "ZoneInfo", missing)
    assert begin_of(date(2027, 1, 1), "UTC") == millis(datetime(2027, 1, 1, tzinfo=UTC))
    assert look(Hours(60, 120), (), "UTC", 60 * 60_000).within
    with pytest.raises(ValueError, match="Europe"):
        schema.TIMEZONE.read("Europe/Berlin")


def test_without_hours_and_days_it_is_always() -> None:
    assert look(None, (), "UTC", 0).within
    assert look(None, (), "UTC", 0).until_ms is None


def test_a_day_begins_where_midnight_does_not_exist() -> None:
    # In Beirut clocks went from 00:00 to 01:00 on 26 March 2028 (a Sunday): the day begins at 01:00 of the wall clock.
    begins = begin_of(date(2028, 3, 26), "Asia/Beirut")
    wall = datetime.fromtimestamp(begins / 1000, ZoneInfo("Asia/Beirut"))
    before = datetime.fromtimestamp((begins - 1) / 1000, ZoneInfo("Asia/Beirut"))
    assert (before.day, wall.day) == (25, 26)


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (1440, 5), (0, 1441), (5, 0)])
def test_hours_that_make_no_sense_do_not_construct(start: int, end: int) -> None:
    with pytest.raises(BadInput):
        Hours(start, end)


def test_midnight_may_be_written_both_ways() -> None:
    assert HOURS.read("22:00-00:00") == HOURS.read("22:00-24:00") == Hours(1320, 1440)
    assert str(Hours(1320, 1440)) == "22:00-24:00"
