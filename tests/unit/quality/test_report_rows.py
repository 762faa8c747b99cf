"""A log that others keep is read: what is kept of a row, what is dropped, and what a file is refused for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.reporting import Reports
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, MINUTE
from watchglass.quality.report_rows import MOST_BYTES, Asked, Row, Taken, mapping_of, read_rows

CHARTER: Charter = parse((Path(__file__).parents[2] / "spec" / "charters" / "every-kind.yaml").read_bytes())
REPORTS: Reports = CHARTER.safeguards.reports  # type: ignore[assignment]  # that charter has the clause
NOW = round(datetime(2026, 12, 20, 12, tzinfo=UTC).timestamp()) * 1000
AT = round(datetime(2026, 12, 19, 13, 5, tzinfo=UTC).timestamp()) * 1000
ASKED = Asked({})


def read(text: str | bytes, asked: Asked = ASKED) -> Taken:
    return read_rows(text.encode() if isinstance(text, str) else text, asked, CHARTER, REPORTS, NOW)


def test_only_minute_source_and_kind_are_kept_and_the_rest_is_counted() -> None:
    taken = read(
        "\ufefftime;source;kind;caller;plate;note\n"
        '2026-12-19T13:05:59Z;hall;person_down;Anna Muster;B-XY 1;"lay; on\nthe floor"\n'
        "2026-12-19 13:07Z;stairs;fall;;;\n"
    )
    assert taken.rows == (Row(AT, "hall", "down"), Row(AT + 2 * MINUTE, "stairs", "fall"))
    assert (taken.read, taken.dropped_columns, taken.dropped_values) == (2, 3, 3)
    assert "Muster" not in repr(taken)


def test_what_stands_in_a_known_column_is_kept_only_if_it_is_a_known_word_and_is_never_told() -> None:
    with pytest.raises(BadInput) as refused:
        read("time,source,kind\n2026-12-19T13:05Z,Anna Muster,person_down\n2026-12-19T13:05Z,hall,Bert Muster\n")
    told = f"{refused.value.message} {refused.value.fix} {refused.value.as_json()}"
    assert "Row 2 has a source that the charter does not have" in told
    assert "Row 3 has a kind that has no meaning here" in told
    assert "Muster" not in told


def test_a_place_is_that_of_the_nearest_camera_and_is_not_kept() -> None:
    taken = read("time,lat,lon,kind\n2026-12-19T13:05Z,51.00302,1.00301,down\n")
    assert taken.rows == (Row(AT, "hall", "down"),)
    with pytest.raises(BadInput, match="Row 2 has a place where no rule"):
        read("time,lat,lon,kind\n2026-12-19T13:05Z,51.2,1.2,down\n")
    with pytest.raises(BadInput, match="no place as degrees"):
        read("time,lat,lon,kind\n2026-12-19T13:05Z,nan,1.2,down\n")


def test_kinds_are_said_in_a_mapping_or_for_all_rows() -> None:
    asked = Asked(mapping_of("# theirs = ours\nCardiac arrest = person_down\nnoise = -\n"))
    taken = read("time,source,kind\n2026-12-19T13:05Z,hall,cardiac ARREST\n2026-12-19T13:05Z,gate,noise\n", asked)
    assert (taken.rows, dict(taken.left_out)) == ((Row(AT, "hall", "down"),), {"other": 1})
    all_of = read("time,source,kind\n2026-12-19T13:05Z,hall,whatever\n", Asked({}, kind="down"))
    assert (all_of.rows, all_of.dropped_columns) == ((Row(AT, "hall", "down"),), 1)
    wronged = read("time,source,kind\n2026-12-19T13:05Z,hall,wrongly-approached\n")
    assert wronged.rows == (Row(AT, "hall", ""),)
    with pytest.raises(BadInput, match="mapping names 'crowding'"):
        read("time,source\n2026-12-19T13:05Z,quay\n", Asked({}, kind="crowding"))
    with pytest.raises(BadInput, match="Line 1 of the mapping"):
        mapping_of("cardiac arrest")


@pytest.mark.parametrize(
    ("rows", "timezone", "kept"),
    [
        (("2026-12-19T14:05+01:00",), None, AT),
        (("2026-12-19T14:05",), "Europe/Berlin", AT),
        (("2026-12-19T14:05+01:00", "2026-12-19T14:06"), "Europe/Berlin", AT),
    ],
)
def test_times_with_a_zone(rows: tuple[str, ...], timezone: str | None, kept: int) -> None:
    text = "time,source,kind\n" + "".join(f"{row},hall,down\n" for row in rows)
    assert read(text, Asked({}, timezone=timezone)).rows[0].at_ms == kept


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        ("time,source,kind\n2026-12-19T14:05,hall,down\n", ASKED, "Row 2 has a time that does not say its time zone"),
        (
            "time,source,kind\n2026-12-19T14:05+01:00,hall,down\n2026-12-19T14:05,hall,down\n",
            ASKED,
            "Row 3 has a time with another distance",
        ),
        (
            "time,source,kind\n2026-12-19T14:05+01:00,hall,down\n2026-12-19T14:09+02:00,hall,down\n",
            ASKED,
            "Row 3 has a time with another distance",
        ),
        ("time,source,kind\n2026-12-19T14:05+02:00,hall,down\n", Asked({}, timezone="Europe/Berlin"), "not the one"),
        ("time,source,kind\nyesterday,hall,down\n", ASKED, "Row 2 has no time as"),
        ("time,source,kind\n2026-13-19T14:05Z,hall,down\n", ASKED, "Row 2 has no time as"),
        ("time,source,kind\n2026-12-20T12:01Z,hall,down\n", ASKED, "has not come yet"),
        ("time,source,kind\n2026-11-01T12:01Z,hall,down\n", ASKED, "before what the charter lets anybody keep"),
        ("time,source,kind\n2026-12-19T12:01Z,quay,down\n", ASKED, "no rule of the clause looks"),
        (
            "time,source,kind\n2026-12-19T12:01Z,hall,down\n2026-12-19T12:01:40Z,hall,person_down\n",
            ASKED,
            "Row 3 has the same minute",
        ),
        ("time,source,kind\n2026-12-19T12:01Z,hall\n", ASKED, "Row 2 has another number of columns"),
        ('time,source,kind\n2026-12-19T12:01Z,hall,"do', ASKED, "ends within a quoted text"),
        (b"time,source,kind\n2026-12-19T12:01Z,hall,d\xf6wn\n", ASKED, "Line 2 of the file is not UTF-8"),
        (b"time,source,kind\n2026-12-19T12:01Z,hall,do\0wn\n", ASKED, "zero bytes"),
        ("when,where\n", ASKED, "does not name a column `time`"),
        ("time,kind\n", ASKED, "No column says where"),
        ("time,time,source\n", ASKED, "two columns 'time'"),
        ("time,source\n2026-12-19T12:01Z,hall\n", ASKED, "No column says of what kind"),
        ("time,source,kind\n", ASKED, "no rows"),
        ("time,source,kind\n2026-12-19T12:01,hall,down\n", Asked({}, timezone="Mars/Base"), "no such time zone"),
    ],
)
def test_a_file_is_refused_with_the_rows(text: str | bytes, asked: Asked, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(text, asked)
    assert said in refused.value.message
    assert refused.value.fix


def test_an_hour_that_comes_twice_is_asked_about() -> None:
    late = round(datetime(2026, 10, 30, tzinfo=UTC).timestamp()) * 1000
    berlin = Asked({}, timezone="Europe/Berlin")

    def at(time: str) -> tuple[Row, ...]:
        return read_rows(f"time,source,kind\n{time},hall,down\n".encode(), berlin, CHARTER, REPORTS, late).rows

    with pytest.raises(BadInput, match="showed twice, or never"):
        at("2026-10-25T02:30")
    assert at("2026-10-25T02:30+02:00")[0].at_ms + 60 * MINUTE == at("2026-10-25T02:30+01:00")[0].at_ms


def test_rows_are_left_out_only_where_that_is_asked_and_are_counted() -> None:
    text = "time,source,kind\n" + "".join(
        f"{each},down\n"
        for each in (
            "2026-12-19T13:05Z,hall",
            "2026-12-19T13:05Z,hall",
            "2026-12-19T13:05Z,quay",
            "2026-11-01T00:00Z,hall",
        )
    )
    taken = read(text, Asked({}, leave_out=frozenset({"elsewhere", "old", "repeated"})))
    assert dict(taken.left_out) == {"elsewhere": 1, "old": 1, "repeated": 1}
    assert len(taken.rows) == 1


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(BadInput, match="at most 8,000,000"):
        read(b"time," * (MOST_BYTES // 4))


def test_two_rules_of_one_kind_at_one_place_are_told_apart_by_name() -> None:
    two = replace(
        CHARTER,
        analytics=(*CHARTER.analytics, replace(CHARTER.analytic("down"), name="down-too")),
        safeguards=replace(CHARTER.safeguards, reports=replace(REPORTS, of=("down", "down-too"))),
    )
    clause = two.safeguards.reports
    assert clause is not None
    with pytest.raises(BadInput, match="two rules of the clause"):
        read_rows(b"time,source,kind\n2026-12-19T13:05Z,hall,person_down\n", ASKED, two, clause, NOW)
    named = read_rows(b"time,source,kind\n2026-12-19T13:05Z,hall,down-too\n", ASKED, two, clause, NOW)
    assert named.rows == (Row(AT, "hall", "down-too"),)
    assert NOW - clause.kept_ms == NOW - 30 * DAY
