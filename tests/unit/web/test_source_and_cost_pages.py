"""The page of one source for staff, and the page of costs for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import Portal, make_portal

from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.perception.messages import Health
from watchglass.review.costs import Use, camera_cost
from watchglass.review.model import VerdictValue
from watchglass.runtime.measure import Measure
from watchglass.web.portal.costs import camera_sentences, money
from watchglass.web.portal.source_page import _round_up

PRICES = "costs: {currency: EUR, hardware_per_year: 480, watts: 50, kwh_price: 0.30, reviewer_minute: 0.75}\n"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = make_portal(tmp_path)
    yield made
    made.street.house.close()


def runs(portal: Portal, minutes: int, *, fault: bool = False) -> None:
    """The camera is heard for so many minutes until now, at a steady pace."""
    house = portal.street.house
    measure = Measure(house.store, house.clock, cores=2)
    begin = house.clock.now()
    for second in range(0, 60 * minutes, 5):
        n = second / 60
        measure.take(
            Health(
                "street",
                begin + second * 1000,
                10.0,
                0.25,
                round(600 * n),
                round(120 * n),
                round(30 * n),
                (),
                dropped={"late_ms": round(n)},
                fault="frozen" if fault else None,
                cpu_seconds=6 * n,
                decode_seconds=1.2 * n,
                detect_seconds=1.5 * n,
                gate="keyframes every 2.0 s",
                group_ms=2000,
                kbit_s=812.4,
            )
        )
    measure.close()
    portal.street.clock.advance(minutes * MINUTE)


def priced(portal: Portal, prices: str = PRICES) -> None:
    """A charter with these prices comes into force."""
    text = re.sub(r"^costs:.*\n", "", portal.street.text, flags=re.MULTILINE)
    portal.street.text = text.replace("version: 1\n", "version: 2\n", 1)
    portal.street.publish(("\npurposes:\n", f"\n{prices}\npurposes:\n"))


# ---- one source ----------------------------------------------------------------------------------------------------


def test_before_anything_was_heard_the_page_says_what_will_be_there(portal: Portal) -> None:
    page = portal.person("operator").get("/sources/street")
    assert page.status_code == 200
    assert "Nothing was kept yet" in page.text
    assert "nothing heard yet" in page.text


def test_a_day_is_drawn_and_told_hour_by_hour(portal: Portal) -> None:
    runs(portal, 3 * 60)
    house = portal.street.house
    house.live.take_health(
        Health(
            "street", house.clock.now(), 10.0, 0.25, 9, 5, 3, (), gate="keyframes every 2.0 s", group_ms=2000,
            kbit_s=812.4, cpu_seconds=77.0, notes=("times of arrival: the camera sends none of its own",),
        )
    )  # fmt: skip
    page = portal.person("shift-lead").get("/sources/street")
    assert page.status_code == 200
    assert "keyframes every 2.0 s" in page.text
    assert "812 kbit/s" in page.text
    assert "times of arrival: the camera sends none of its own" in page.text
    assert "In all, the gate was open 25 of 100 parts of the time." in page.text
    assert "In all, looking took 10 of 100 parts of one core." in page.text
    assert "30.0 a minute" in page.text
    assert page.text.count("<figure") == 4
    assert "style=" not in page.text
    assert len(page.content) < 100_000
    data = portal.person("shift-lead").get("/sources/street.json").json()
    heard = [hour for hour in data["past"]["hours"] if hour["heard_s"]]
    assert 3 <= len(heard) <= 4
    assert sum(hour["decoded"] for hour in heard) == data["past"]["whole"]["decoded"]
    assert data["past"]["hours"][0]["fps"] is None
    assert (data["past"]["decode_ms"], data["past"]["detect_ms"]) == (10.0, 50.0)
    assert data["past"]["dropped"]["late_ms"] > 100
    assert re.search(r"Lost work: late: 1 s\.", page.text)


def test_a_fault_is_drawn_as_a_band(portal: Portal) -> None:
    runs(portal, 20, fault=True)
    page = portal.person("operator").get("/sources/street").text
    assert 'class="day-fault"' in page
    assert "with a fault for 20 minutes" in page


def test_how_a_source_fared_is_for_staff_only(portal: Portal) -> None:
    for path in ("/sources/street", "/sources/street.json"):
        assert portal.person("reviewer").get(path).status_code == 403
        assert portal.person("oversight").get(path).status_code == 200
    assert portal.someone().get("/sources/street").status_code == 303
    assert portal.person("operator").get("/sources/moon").status_code == 404
    page = portal.person("operator").get("/sources/street").text
    assert 'href="/sources/street/zones"' in page
    assert 'href="/sources/street/zones"' not in portal.person("oversight").get("/sources/street").text


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 0.1), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (37.0, 50.0), (501.0, 1000.0)]
)
def test_the_top_of_a_drawing_is_a_round_number(value: float, top: float) -> None:
    assert _round_up(value) == top


# ---- costs ---------------------------------------------------------------------------------------------------------


def test_without_prices_what_looking_takes_is_told_all_the_same(portal: Portal) -> None:
    priced(portal, "")
    runs(portal, 60)
    assert portal.someone().get("/costs.json").json()["costs"]["prices"] is None
    page = portal.someone().get("/costs").text
    assert "The rules state no prices" in page
    assert "50 of 1,000 parts (likely between" in page
    assert "EUR" not in page


def test_a_camera_s_cost_stands_in_words_beside_what_else_it_would_have_cost(portal: Portal) -> None:
    priced(portal)
    runs(portal, 60)
    page = portal.someone().get("/costs")
    assert page.status_code == 200
    assert "Looking through this camera costs about 2.5" in page.text
    assert "likely between" in page.text
    assert "50 of 1,000 parts" in page.text
    assert "1.8 times that" in page.text
    assert "6.5 times" in page.text or "6.6 times" in page.text
    assert "The whole machine costs 40.00" in page.text
    assert "style=" not in page.text
    data = portal.someone().get("/costs.json").json()["costs"]
    (camera,) = data["cameras"]
    assert camera["share"]["value"] == pytest.approx(0.05, rel=0.01)
    assert camera["otherwise"]["decode_ms"] == 10.0
    assert camera["total"]["low"] <= camera["total"]["value"] <= camera["total"]["high"]
    assert data["cores"] == 2


def test_where_all_was_decoded_anyway_it_says_that() -> None:
    busy = [Use(60, 600, 590, 150, 12_000, 2_400, 7_500, 2)] * 20
    said = camera_sentences(camera_cost("cam", "A square", busy, None), "", whole_days=False)
    assert said[-1].startswith("Nearly every picture was decoded anyway")
    assert "2.9 times that" in said[-1]


def test_too_little_gives_no_figure(portal: Portal) -> None:
    priced(portal)
    runs(portal, 5)
    page = portal.someone().get("/costs").text
    assert "Not enough data yet: this camera was measured for 5 minutes" in page
    assert "Not enough data yet: 0 decisions" in page


def test_a_confirmed_alert_has_a_price_once_there_are_enough(portal: Portal) -> None:
    priced(portal)
    portal.street.alerts([VerdictValue.CONFIRM] * 25 + [VerdictValue.REJECT] * 5)
    portal.street.clock.advance(DAY)
    runs(portal, 60)
    page = portal.someone().get("/costs").text
    assert "from 30 decisions" in page
    assert "So each alert that a person confirmed costs about" in page
    assert "there were 25 of them" in page


def test_elsewhere_than_in_the_demo_only_whole_days_count(portal: Portal) -> None:
    """What follows the minute or the hour would tell when somebody was there (law 10)."""
    priced(portal)
    portal.street.house.kind = "production"
    clock = portal.street.clock
    clock.advance(DAY - clock.now() % DAY)
    for day in range(9):
        runs(portal, 60)
        data = portal.someone().get("/costs.json").json()["costs"]
        assert data["until_ms"] == clock.now() - clock.now() % DAY
        assert (data["cameras"][0]["cores"] is None) == (day < 8), "today does not count"
        clock.advance(DAY - HOUR)
        Measure(portal.street.house.store, clock).keep()
    assert data["cameras"][0]["cores"]["value"] == pytest.approx(0.1, rel=0.01)
    morning = portal.someone().get("/costs.json").json()["costs"]["cameras"]
    clock.advance(13 * HOUR)
    runs(portal, 30, fault=True)
    Measure(portal.street.house.store, clock).keep()
    assert portal.someone().get("/costs.json").json()["costs"]["cameras"] == morning, "all day long it stays the same"
    assert "only whole days count" in portal.someone().get("/costs").text


def test_before_there_are_enough_days_it_says_so(portal: Portal) -> None:
    portal.street.house.kind = "production"
    runs(portal, 180)
    portal.street.clock.advance(DAY)
    assert "measured for 3 hours. A figure is shown from 8 whole days on." in portal.someone().get("/costs").text


def test_costs_can_be_found_from_the_first_page(portal: Portal) -> None:
    assert 'href="/costs"' in portal.someone().get("/").text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.00"),
        (0.004, "less than 0.01"),
        (1.426, "1.43"),
        (99.99, "99.99"),
        (1234.5, "1\u202f234"),
        (100.0, "100"),
    ],
)
def test_money_has_no_false_precision(value: float, said: str) -> None:
    assert money(value, "EUR") == f"{said}\u00a0EUR"
