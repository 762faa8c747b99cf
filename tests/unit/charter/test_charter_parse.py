"""Strict parsing: what is accepted, and every mistake with its place."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from watchglass.charter.hours import Hours
from watchglass.charter.model import CameraFault, Charter, CrowdDensity, Intrusion
from watchglass.charter.parse import CharterErrors, CharterRefused, Fault, parse
from watchglass.charter.tree import MAX_BYTES


def faults(data: bytes) -> tuple[Fault, ...]:
    with pytest.raises(CharterErrors) as caught:
        parse(data)
    assert caught.value.exit_code == 2
    return caught.value.faults


def test_the_harbour_charter_is_read_as_it_is_written(charter: Charter, harbour: str) -> None:
    assert charter.data == harbour.encode()
    assert charter.sha256 == hashlib.sha256(harbour.encode()).digest()
    assert (charter.in_force.since, charter.in_force.until) == (date(2026, 12, 1), date(2027, 11, 30))
    crowding, track, health = charter.analytics
    assert isinstance(crowding, CrowdDensity)
    assert (crowding.people_per_m2, crowding.for_ms, crowding.hours) == (0.3, 20_000, None)
    assert isinstance(track, Intrusion)
    assert track.of == ("person", "vehicle")
    assert track.hours == Hours(60, 270)
    assert isinstance(health, CameraFault)
    assert charter.source("steps-cam").zone("track").polygon.corners[1] == (768.0, 180.0)
    assert charter.safeguards.retention.alerts_ms == 365 * 24 * 3600 * 1000
    assert charter.model(track.model).digest.startswith("sha256:aeba")


def test_an_analytic_without_a_model_uses_the_only_one(charter: Charter) -> None:
    assert charter.analytic("crowding").model == "street"


def test_with_two_models_each_analytic_must_name_its_own(edit) -> None:
    data = edit(("models:\n", "models:\n  other: sha256:" + "0" * 64 + "\n"))
    found = faults(data)
    assert [fault.path for fault in found] == ["analytics.crowding", "analytics.on-the-track"]
    assert all("`model`" in fault.message for fault in found)


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("version: 3", "version: 1e3", "version", "whole number"),
        ("version: 3", "version: 0x10", "version", "whole number"),
        ("version: 3", "version: 0", "version", "outside"),
        ("version: 3", "version:", "version", "found nothing"),
        ("watchglass: 1", "watchglass: 2", "watchglass", "outside"),
        ("loop: true", "loop: yes", "sources.steps-cam.loop", "true or false"),
        ("loop: true", "loop: True", "sources.steps-cam.loop", "true or false"),
        ("from: 2026-12-01", "from: 2026-02-30", "in_force.from", "a day such as"),
        ("from: 2026-12-01", "from: 2028-12-01", "in_force", "before it begins"),
        ("from: 2026-12-01", "from: 1026-12-01", "in_force.from", "year"),
        ("for: 20s", "for: 1:30", "analytics.crowding.for", "length of time"),
        ("for: 20s", "for: 20", "analytics.crowding.for", "length of time"),
        ("for: 20s", "for: 3d", "analytics.crowding", "longer than a day"),
        ("people_per_m2: 0.3", "people_per_m2: .inf", "analytics.crowding.people_per_m2", "a number"),
        ("people_per_m2: 0.3", "people_per_m2: 99", "analytics.crowding.people_per_m2", "outside"),
        ('"01:00-04:30"', '"01:00-01:00"', "analytics.on-the-track.hours", "no length"),
        ('"01:00-04:30"', '"25:00-26:00"', "analytics.on-the-track.hours", "hours such as"),
        ('"01:00-04:30"', '"24:30-01:00"', "analytics.on-the-track.hours", "24:00"),
        ("[person, vehicle]", "[person, person]", "analytics.on-the-track", "twice"),
        ("[person, vehicle]", "[]", "analytics.on-the-track.of", "1 to 4 parts"),
        ("[person, vehicle]", "person", "analytics.on-the-track.of", "list"),
        ("timezone: Europe/Berlin", "timezone: Europe/Berlino", "timezone", "time zone"),
        ("timezone: Europe/Berlin", "timezone: ../../etc/passwd", "timezone", "time zone"),
        ("path: steps.mp4", "path: /steps.mp4", "sources.steps-cam.path", "media folder"),
        ("path: steps.mp4", "path: a/../../steps.mp4", "sources.steps-cam.path", "media folder"),
        ("lat: 51.0000", "lat: 91", "sources.steps-cam.place.lat", "outside"),
        ("{width_m: 28,", "{width_m: 0,", "sources.steps-cam.view.width_m", "outside"),
        ("regime: gdpr", "regime: no", "authority.regime", "gdpr, led or other"),
        ("mode: painted", "mode: filmed", "safeguards.public_view.mode", "painted"),
        ("sha256:aeba", "sha256:AEBA", "models.street", "64 hex digits"),
        ("  street: sha", "  Street: sha", "models.Street", "small letters"),
        ("tell: [oversight, shift-lead]", "tell: [the-mayor]", "safeguards.on_suspension.tell[0]", "reviewer"),
        ("batch_every: 1h", "batch_every: 0s", "ledger", "between a second and a week"),
        ("heartbeat_every: 60s", "heartbeat_every: 2h", "ledger", "once a second to once an hour"),
        ("witnessed_within: 1h", "witnessed_within: 119s", "ledger", "twice `checkpoint_every`"),
        ("witnessed_within: 1h", "witnessed_within: 31d", "ledger", "at most 30 days"),
        ("  witnesses:", "  quorum: 2\n  witnesses:", "oversight", "can never agree"),
        ("  witnesses:", "  quorum: 0\n  witnesses:", "oversight.quorum", "1 to 16"),
        ("zone: steps", "zone: step", "analytics.crowding.zone", "Did you mean `steps`" ),
        ("source: steps-cam, zone: steps", "source: cam, zone: steps", "analytics.crowding.source", "no source"),
        ("purpose: restricted-area", "purpose: restricted", "analytics.on-the-track.purpose", "no purpose"),
        (", area_m2: 140", "", "sources.steps-cam.zones.steps", "area_m2"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[0,200],[768,230],[768,190],[0,290]]",
         "sources.steps-cam.zones.track.polygon", "crosses itself"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[0,200],[769,180],[768,230],[0,250]]",
         "sources.steps-cam.zones.track.polygon", "outside the picture"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[0,200],[768,180]]",
         "sources.steps-cam.zones.track.polygon", "3 to 64"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[0,0],[5,5],[9,9]]",
         "sources.steps-cam.zones.track.polygon", "no area"),
        ("[[[0,0],[300,0],[300,120],[0,120]]]", "[[[0,0],[300,0],[300,920],[0,120]]]",
         "sources.steps-cam.never_see[0]", "outside the picture"),
        ("AQ7V2OFE", "AQ7V2OFF", "authority.key", "does not belong"),
        ("may: [suspend, inspect]", "may: [suspend, suspend]", "oversight", "twice"),
        ("lzvZ3FlU", "lzvZ3Fl", "oversight.openings_key", "32 bytes"),
        ('url: "https://witness.liberties.example"', 'url: "file:///etc/passwd"', "oversight.witnesses[0].url", "http"),
        ("crowding: ", "all: ", "analytics.all", "suspensions use that word"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place_and_says_what_was_expected(edit, old: str, new: str, path: str, words: str) -> None:
    found = faults(edit((old, new)))
    assert [fault.path for fault in found] == [path]
    assert words in found[0].message + " " + found[0].fix
    assert found[0].fix
    lines = edit((old, new)).decode().splitlines()
    assert found[0].line <= len(lines)
    assert 1 <= found[0].column <= len(lines[found[0].line - 1]) + 1


def test_line_and_column_point_at_the_value(edit) -> None:
    data = edit(("regime: gdpr", "regime: gpdr"))
    (fault,) = faults(data)
    line = data.decode().splitlines()[fault.line - 1]
    assert line[fault.column - 1 :] == "gpdr"
    assert "Did you mean `gdpr`?" in fault.fix


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [
        ("sources:", "source:", "sources"),
        ("retention:", "retension:", "retention"),
        ("hide_below:", "hide_bellow:", "hide_below"),
        ("kind: intrusion", "kind: intrution", "intrusion"),
        ("gate: auto", "gate: outo", "auto"),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_the_right_word(edit, old: str, new: str, near: str) -> None:
    assert any(f"Did you mean `{near}`?" in fault.fix for fault in faults(edit((old, new))))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(edit) -> None:
    found = faults(
        edit(
            ("version: 3", "version: three"),
            ("regime: gdpr", "regime: x"),
            ("for: 20s", "for: soon"),
            ("delay: 15m", "delay: 15"),
        )
    )
    assert [fault.path for fault in found] == [
        "version", "authority.regime", "analytics.crowding.for", "safeguards.public_view.delay",
    ]  # fmt: skip


def test_what_is_missing_is_named_with_what_it_means(edit) -> None:
    (fault,) = faults(edit(("  contact: privacy@exampleton.example\n", "")))
    assert "'authority' has no `contact`" in fault.message
    assert "write to" in fault.message


def test_an_almost_empty_charter_names_every_missing_section() -> None:
    found = faults(b"watchglass: 1\n")
    named = " ".join(fault.message for fault in found)
    for section in ("charter", "version", "authority", "purposes", "sources", "analytics", "safeguards", "oversight"):
        assert f"`{section}`" in named


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "list of `name: value`"),
        (b"- a\n- b\n", "list of `name: value`"),
        (b"watchglass: 1\nwatchglass: 1\n", "written twice"),
        (b"a: &x 1\nb: *x\n", "Anchors"),
        (b"a: *x\n", "Anchors"),
        (b"a: !!python/object:os.system 1\n", "Tags"),
        (b"a: ! 1\n", "Tags"),
        (b"%YAML 1.1\n---\na: 1\n", "directives"),
        (b"a: 1\n---\nb: 2\n", "second document"),
        (b"<<: {a: 1}\n", "Merge keys"),
        (b"? [a, b]\n: 1\n", "plain text"),
        (b"a: [1, 2\n", "YAML"),
        (b"a:\n\t- 1\n", "YAML"),
        (b"a: \xff\xfe\n", "UTF-8"),
        (b"\xef\xbb\xbfa: 1\n", "byte order mark"),
        (b'a: "\\ud800"\n', "surrogate"),
        (b'a: "\\UFFFFFFFF"\n', "cannot hold"),
        (b"a: \x07\n", "cannot hold"),
        (b"a: " + b"[" * 50 + b"]" * 50, "nested deeper"),
        (b"a: " + b"x" * MAX_BYTES, "60000"),
    ],
)
def test_what_makes_a_file_mean_something_else_than_it_shows_is_refused(data: bytes, words: str) -> None:
    (fault,) = faults(data)
    assert words in fault.message


def test_the_second_of_two_sections_with_one_name_is_found(edit) -> None:
    (fault,) = faults(edit(("  crowding: ", "  on-the-track: {}\n  crowding: ")))
    assert "'on-the-track' is written twice" in fault.message


def test_no_scalar_changes_its_meaning_by_looking_like_another_type(edit) -> None:
    data = edit(("name: City of Exampleton", "name: no"), ("contact: privacy@exampleton.example", "contact: 1:30:00"))
    charter = parse(data)
    assert (charter.authority.name, charter.authority.contact) == ("no", "1:30:00")


def test_a_refused_charter_also_lists_its_mistakes(edit) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(edit(("regime: gdpr", "regime: x"), ("mode: painted", "mode: painted, archive: 1h")))
    assert caught.value.exit_code == 3
    assert [fault.path for fault in caught.value.refusals] == ["safeguards.public_view.archive"]
    assert [fault.path for fault in caught.value.faults] == ["authority.regime"]
    assert caught.value.as_json()["faults"]


def test_a_witness_key_is_not_a_signing_key_and_the_other_way_round(edit, charter: Charter) -> None:
    witness = charter.oversight.witnesses[0].key
    (fault,) = faults(edit((charter.oversight.key, witness)))
    assert fault.path == "oversight.key"
    (fault,) = faults(edit((witness, charter.oversight.key)))
    assert fault.path == "oversight.witnesses[0].key"
