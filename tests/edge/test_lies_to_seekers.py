"""More of what a portal may try with those who ask, and what stays on their machine when something breaks."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_lying_portals import Lie, lying

from guarded import enrol
from signers_world import Signers, signers
from watchglass.bootstrap import Office, SeededEntropy, VirtualClock, exporting, seeking
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, HOUR
from watchglass.ledger.keys import SignerKey
from world import NOON, read_json


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path, clock=VirtualClock(NOON)) as made:
        made.film()
        yield made


def opened(people: Signers, number: str, lie: Lie) -> seeking.Release:
    with lying(people, lie) as url:
        return seeking.release(people.office("investigator", url), number)


def forget(people: Signers, number: str) -> None:
    """As on another machine: what was signed is not there to compare with."""
    (people.machine("investigator") / "keys" / f"{number}.statement").unlink()


def test_somebody_elses_request_is_not_opened_as_ones_own(people: Signers) -> None:
    """An enrolled colleague signed it, for this person's case key and with other reasons; the log holds it."""
    number = people.taken()
    forget(people, number)
    other = SignerKey.generate("other.example", SeededEntropy("other"))
    enrol(people.scene.world, "investigator", "Otto Other", other)

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            statement = people.scene.sign(
                "release_requested", "investigator", _values(value["request"]), key=other, purpose=people.scene.purpose
            )
            value["request"]["statement"] = _json(statement)

    with pytest.raises(DidNotVerify, match=r"other\.example.* may not speak as investigator"):
        opened(people, number, lie)
    assert opened(people, number, lambda _what, _value: None).number == number


def test_what_ran_out_is_not_opened_even_if_it_is_still_handed_out(people: Signers) -> None:
    number = people.taken()
    answer = people.office("investigator").ask("release", number)
    cases = people.office("investigator").ask("cases")
    people.scene.world.clock.advance(24 * HOUR)  # type: ignore[attr-defined]  # it is a virtual clock

    class Late(Office):
        def ask(self, what: str, about: str = "") -> dict[str, Any]:
            return {"release": answer, "cases": cases}[what]

    machine = people.machine("investigator")
    known = people.office("investigator")
    office = Late(people.url, known.keys, machine / "trust", clock=people.scene.world.clock)
    people.offices.append(office)
    with pytest.raises(Refused, match="was valid until"):
        seeking.release(office, number)


def test_pieces_whose_record_does_not_show_yet_are_said_to_be_so(people: Signers, tmp_path: Path) -> None:
    """Without the opening, or with the record of another piece, nothing proves what a piece is."""
    number = people.taken()

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "release":
            first, second, _third = value["segments"]
            first["opened"] = None
            second["opened"], second["leaf_hash"] = None, first["leaf_hash"]

    found = opened(people, number, lie)
    assert len(found.as_json()["unrecorded"]) == 2
    with lying(people, lie) as url, pytest.raises(Problem, match="is not in the log yet"):
        exporting.export(people.office("investigator", url), number, tmp_path / "a.mp4")
    assert opened(people, number, lambda _what, _value: None).as_json()["unrecorded"] == []


def test_an_export_waits_until_the_log_shows_that_it_was_taken(people: Signers, tmp_path: Path) -> None:
    number = people.granted()
    seeking.take(people.office("investigator"), number)
    with pytest.raises(Problem, match="that this release was taken"):
        exporting.export(people.office("investigator"), number, tmp_path / "a.mp4")
    assert list(tmp_path.glob("a.mp4*")) == []
    people.settle()
    exporting.export(people.office("investigator"), number, tmp_path / "a.mp4")


@pytest.mark.parametrize("name", ["../trust", "0" * 15, "", "a/b", None, 7])
def test_an_id_that_is_none_names_no_file(people: Signers, name: object) -> None:
    number = people.taken()

    def lie(what: str, value: dict[str, Any]) -> None:
        if what == "cases":
            value["cases"][0]["requests"][0]["id"] = name

    with pytest.raises(WatchglassError):
        opened(people, str(name) if name else number, lie)


def test_what_the_portal_recorded_must_show(people: Signers) -> None:
    """It gives the receipt of something else, and leaves out the record."""
    case = people.case()
    before = people.office("investigator").hand_in(people.scene.case())

    def lie(what: str, value: dict[str, Any]) -> None:
        if "receipt" in value:
            value.update(leaf=None, leaf_hash=before["leaf_hash"], receipt=before["receipt"])

    people.settle()
    with lying(people, lie) as url, pytest.raises(DidNotVerify, match="another record than the one that was shown"):
        seeking.close_case(people.office("investigator", url), case, "Nothing more.")


def test_a_record_that_is_in_the_log_already_is_found_there(people: Signers) -> None:
    case = people.case()

    def lie(what: str, value: dict[str, Any]) -> None:
        if "receipt" in value:
            people.settle()
            value["leaf"] = None

    with lying(people, lie) as url:
        done = seeking.close_case(people.office("investigator", url), case, "Nothing more.")
    assert done["act"] == "case_closed"


# ---- what stays on the machine ---------------------------------------------------------------------------------------


def open_case(people: Signers, url: str, until_ms: int) -> None:
    seeking.open_case(
        people.office("investigator", url), purpose=people.scene.purpose, number="1", authority="2", reason="3",
        until_ms=until_ms,
    )  # fmt: skip


def files(people: Signers, pattern: str) -> list[str]:
    return sorted(file.name for file in (people.machine("investigator") / "keys").glob(pattern))


def test_a_cases_key_is_kept_unless_the_house_said_no(people: Signers) -> None:
    """The answer is lost, the case is recorded: without its key nothing of it would ever open."""
    with pytest.raises(Refused):
        open_case(people, people.url, people.scene.now + 400 * DAY)
    assert (files(people, "case-*.key"), files(people, "*.statement")) == ([], [])

    def lie(what: str, value: dict[str, Any]) -> None:
        if "receipt" in value:
            value.clear()

    with lying(people, lie) as url, pytest.raises(WatchglassError):
        open_case(people, url, people.scene.now + DAY)
    (record,) = people.scene.world.records("case_opened")
    assert files(people, "case-*.key") == [f"case-{record.fields['case']}.key"]
    assert files(people, "*.statement") == [f"{record.fields['case']}.statement"]
    people.settle()
    assert people.request(record.fields["case"])


def test_a_statement_that_cannot_be_read_is_not_taken_for_none(people: Signers) -> None:
    number = people.taken()
    file = people.machine("investigator") / "keys" / f"{number}.statement"
    data = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    file.mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        opened(people, number, lambda _what, _value: None)
    file.rmdir()
    file.write_bytes(data[:-40])
    with pytest.raises(BadInput):
        opened(people, number, lambda _what, _value: None)


def test_opened_pieces_are_for_their_owner_alone(people: Signers, tmp_path: Path) -> None:
    number, into = people.taken(), tmp_path / "opened"
    office = people.office("investigator")
    seeking.write_opened(office, seeking.release(office, number), into)
    assert stat.S_IMODE(into.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in into.iterdir()} == {0o600}
    assert len(list(into.iterdir())) == 3


def _values(told: dict[str, Any]) -> dict[str, Any]:
    return {name: part["value"] for name, part in told["statement"]["opening"]["fields"].items()}


def _json(statement: Any) -> dict[str, Any]:
    return read_json(statement.encode().decode())
