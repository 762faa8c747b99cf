"""Who is watched, who is acted on: exposure is exact, alerts are set against it, groups are compared together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.core.errors import BadInput
from watchglass.quality.areas import Areas, parse
from watchglass.quality.disparity import UNPLACED, Row, acted_on, gini, lorenz, part_of, watched
from watchglass.quality.outside import Question, answer

YAML = """
areas:
  harbour: {population: 12000, sources: [quay-1, quay-2]}
  market: {population: 4000, sources: [hall]}
  heath: {population: 9000}
"""
CSV = "source,area,population\nquay-1,harbour,12000\nquay-2,harbour,\nhall,market,4000\n"


def row(source: str, hour: int, alerts: int, confirmed: int, hours: float, **more: object) -> Row:
    return Row(source, hour, alerts, confirmed, hours, **more)  # type: ignore[arg-type]


ROWS = [
    row("quay-1", 3, 10, 8, 300.0), row("quay-2", 14, 20, 15, 300.0), row("hall", 14, 90, 30, 600.0),
    row("lost", 20, 1, 0, 100.0),
]  # fmt: skip


def test_exposure_is_exact_and_every_source_is_somewhere() -> None:
    found = watched(ROWS, parse(YAML))
    by_area = {one.area: one for one in found.exposure}
    assert list(by_area) == ["harbour", "market", "heath", UNPLACED]
    assert by_area["harbour"].camera_hours == 600
    assert by_area["harbour"].sources == 2
    assert by_area["market"].per_residents == pytest.approx(150.0)
    assert by_area["heath"].camera_hours == 0
    assert by_area["heath"].share_of_people == pytest.approx(9 / 25)
    assert by_area[UNPLACED].population is None
    assert sum(one.share for one in found.exposure) == pytest.approx(1)
    # Market: half of the placed camera-hours, 4 of 25 residents; heath: nobody watches.
    assert found.concentration is not None
    assert found.concentration.top == "market"
    assert found.concentration.top_share == pytest.approx(0.5)
    assert found.concentration.top_expected == pytest.approx(4 / 25)
    assert found.concentration.low is None, "camera-hours are counted, not sampled"


def test_alerts_are_set_against_camera_hours() -> None:
    found = watched(ROWS, parse(YAML), random=np.random.default_rng(1))
    market, harbour = found.alerts.group("market"), found.alerts.group("harbour")
    assert market is not None
    assert harbour is not None
    assert market.value == pytest.approx(0.15)
    assert harbour.value == pytest.approx(0.05)
    assert found.alerts.differs is True
    heath = found.alerts.group("heath")
    assert heath is not None
    assert not heath.enough, "nothing was watched there"
    assert found.spread is not None
    assert found.spread.top == "market"
    assert found.spread.low is not None
    assert found.spread.low > found.spread.top_expected
    assert found.spread.by_chance is not None
    assert found.spread.gini > found.spread.by_chance[1]
    assert found.as_json()["alerts_over_camera_hours"]["interval"] is not None


def test_an_even_spread_is_within_chance() -> None:
    rows = [row(f"s{i}", 5, int(n), 0, 100.0) for i, n in enumerate(np.random.default_rng(2).poisson(4, 30))]
    found = watched(rows, random=np.random.default_rng(3))
    assert found.spread is not None
    assert found.spread.by_chance is not None
    assert found.spread.by_chance[0] <= found.spread.gini <= found.spread.by_chance[1]
    assert found.spread.gini > 0.1, "few alerts over many areas are uneven by chance"


def test_who_is_acted_on_by_area_and_by_hour() -> None:
    by_area = acted_on(ROWS, parse(YAML))
    market = by_area.confirmed.group("market")
    assert market is not None
    assert market.value == pytest.approx(1 / 3)
    assert by_area.confirmed.worst_over_best is not None
    assert by_area.confirmed.worst_over_best.first == "harbour"
    assert all(not group.enough for group in by_area.found.groups), "no outcome was entered"
    by_hour = acted_on(ROWS, by="hour")
    assert [group.name for group in by_hour.confirmed.groups] == ["0-6", "6-12", "12-18", "18-24"]
    assert (by_hour.confirmed.groups[2].happened, by_hour.confirmed.groups[2].of) == (45, 110)
    assert {part_of(hour) for hour in range(24)} == {"0-6", "6-12", "12-18", "18-24"}


def test_blocks_that_differ_widen_the_intervals() -> None:
    def days(counts: list[int], *, told: bool) -> list[Row]:
        return [row("s", 1, n, 0, 10.0, block=f"d{i}" if told else "") for i, n in enumerate(counts)]

    counts = [30, 0, 0, 0, 0, 0] * 3
    told, untold = (watched(days(counts, told=t)).alerts.groups[0] for t in (True, False))
    assert told.value == untold.value
    assert (told.high or 0) > 2 * (untold.high or 0) - (untold.value or 0)


def test_lorenz_and_gini_of_known_spreads() -> None:
    assert gini(lorenz({"a": 1, "b": 1}, {"a": 5, "b": 5})) == pytest.approx(0)
    assert gini(lorenz({"a": 1, "b": 0}, {"a": 1, "b": 1})) == pytest.approx(0.5)
    assert gini(lorenz({"a": 3, "b": 1}, {"a": 1, "b": 1})) == pytest.approx(0.25)
    with pytest.raises(BadInput, match="no exposure"):
        lorenz({"a": 1, "b": 1}, {"a": 0, "b": 1})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.1, 1e6)), min_size=1, max_size=12))
def test_a_lorenz_curve_rises_below_the_diagonal(pairs: list[tuple[float, float]]) -> None:
    amounts = {str(i): a for i, (a, _) in enumerate(pairs)}
    if sum(amounts.values()) <= 0:
        return
    curve = lorenz(amounts, {str(i): e for i, (_, e) in enumerate(pairs)})
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == pytest.approx((1.0, 1.0))
    assert all(y <= x + 1e-9 for x, y in curve)
    assert 0 <= gini(curve) <= 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("s", 24, 0, 0, 1.0), "0 to 23"),
        (("s", 1, 3, 4, 1.0), "confirmed"),
        (("s", 1, 3, 1, 0.0), "without camera-hours"),
        (("s", 1, 0, 0, float("nan")), "cannot be"),
    ],
)
def test_rows_that_cannot_be(values: tuple[str, int, int, int, float], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Row(*values)
    with pytest.raises(BadInput, match="Nothing was watched"):
        watched([])


# ---- areas -----------------------------------------------------------------------------------------------------------


def test_areas_as_yaml_and_as_csv_are_the_same() -> None:
    assert dict(parse(YAML).of_source) == dict(parse(CSV).of_source)
    assert dict(parse(CSV).population) == {"harbour": 12000, "market": 4000}
    assert parse(YAML).names == ("harbour", "market", "heath")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no `areas`"),
        ("areas: {}", "names no source"),
        ("areas: {a: {sources: [s]}, b: {sources: [s]}}", "in two areas"),
        ("areas: {a: {sources: [s], population: 0}}", "population of a"),
        ("areas: {a: {sources: [s], population: many}}", "population of a"),
        ("areas: {a: {sources: [s], residents: 5}}", "other keys"),
        ("areas: {a: {sources: s}}", "no list"),
        ("areas: {a: &x {sources: [s]}, b: *x}", "anchors"),
        ("areas: [", "neither YAML nor CSV"),
        ("source,area,population\ns,a,5\nt,a,6\n", "two populations"),
        ("source,area,population\ns,a\n", "too many or too few"),
        ("source,population\ns,5\n", "columns"),
    ],
)
def test_files_of_areas_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse(text)


def test_areas_need_a_source() -> None:
    with pytest.raises(BadInput):
        Areas({}, {"a": 5})


# ---- tables from elsewhere -------------------------------------------------------------------------------------------


def table() -> list[dict[str, str]]:
    rows = [{"who": "a", "searched": "YES", "place": str(i % 12)} for i in range(30)]
    rows += [{"who": "a", "searched": "NO", "place": str(i % 12)} for i in range(70)]
    rows += [{"who": "b", "searched": "YES", "place": str(i % 12)} for i in range(10)]
    rows += [{"who": "b", "searched": "NO", "place": str(i % 12)} for i in range(90)]
    rows += [{"who": "", "searched": "NO", "place": "1"}, {"who": "a", "searched": "NA", "place": "1"}]
    return rows


def test_what_is_left_out_is_said() -> None:
    found = answer(table(), Question("who", ("searched", "YES"), reference="b"))
    assert (found.lines, found.counted) == (202, 200)
    assert dict(found.left_out) == {"who unknown": 1, "searched unknown": 1}
    assert [(g.name, g.happened, g.of) for g in found.comparison.groups] == [("a", 30, 100), ("b", 10, 100)]
    assert found.ratios[0].value == pytest.approx(3)
    only = answer(table(), Question("who", ("searched", "YES"), among=(("place", "3"),), without=("b",)))
    assert [g.name for g in only.comparison.groups] == ["a"]
    assert only.left_out["who is b"] == 9


def test_per_resident_and_in_blocks() -> None:
    per = answer(table(), Question("who", ("searched", "YES"), residents={"a": 1000, "b": 500}))
    assert [g.value for g in per.comparison.groups] == pytest.approx([0.03, 0.02])
    blocks = answer(table(), Question("who", ("searched", "YES"), block="place"))
    assert [g.units for g in blocks.comparison.groups] == [12, 12]


def test_questions_that_the_table_cannot_answer() -> None:
    for question, said in (
        (Question("race", ("searched", "YES")), "no column 'race'"),
        (Question("who", ("found", "YES")), "no column 'found'"),
        (Question("who", ("searched", "YES"), among=(("place", "nowhere"),)), "No line"),
        (Question("who", ("searched", "YES"), reference="c"), "not enough data of 'c'"),
    ):
        with pytest.raises(BadInput, match=said):
            answer(table(), question)
