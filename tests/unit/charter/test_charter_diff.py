"""The comparison: every field of the model is told, and weighs on the right side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from watchglass.charter.diff import Change, compare
from watchglass.charter.hours import Hours
from watchglass.charter.model import (
    Charter,
    Custodian,
    FileSource,
    Intrusion,
    Model,
    PlanePoint,
    PlugInCode,
    QualityLimits,
    Quorum,
    Setting,
    Witness,
)
from watchglass.charter.noticed import ANALYTICS
from watchglass.charter.parse import parse
from watchglass.charter.scene import SOURCES
from watchglass.charter.schema import Choice, Many, Named, Pair, Part, Spec, entries
from watchglass.charter.telling import DESTINATIONS
from watchglass.charter.told import TOLD
from watchglass.core.geometry import Polygon


def rebuilt(value: Any, /, **changes: Any) -> Any:
    """A copy with other fields and without the constructor's checks: the comparison must not depend on them."""
    copy = object.__new__(type(value))
    for field in dataclasses.fields(value):
        object.__setattr__(copy, field.name, changes.get(field.name, getattr(value, field.name)))
    return copy


def other(value: Any) -> Any:
    """Some other value of the same type."""
    match value:
        case bool():
            result: Any = not value
        case int() | float():
            result = value + 1
        case str():
            result = value + "x"
        case date():
            result = value + timedelta(days=1)
        case Hours():
            result = Hours(value.start, value.end + 1)
        case Quorum():
            result = Quorum(value.k, value.n + 1)
        case Polygon():
            result = Polygon(tuple((x + 1, y) for x, y in value.corners))
        case tuple():
            result = value[:-1] if value else ("mon",)
        case _:
            raise AssertionError(value)
    return result


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """(path, copy) with one thing changed, for every described field at every depth."""
    for entry in entries(type(value)):
        held = getattr(value, entry.field)
        for path, changed in of_spec(entry.spec, held):
            yield f"{type(value).__name__}.{entry.field}{path}", rebuilt(value, **{entry.field: changed})


def of_spec(spec: Spec | Pair, held: Any) -> Iterator[tuple[str, Any]]:
    if held is None:
        return  # one of the charters sets it
    if isinstance(spec, Named):
        yield from of_named(spec, held)
    elif isinstance(spec, Part):
        yield from ((f".{path}", changed) for path, changed in mutations(held))
    elif isinstance(spec, Many) and isinstance(spec.item, Part):
        yield from ((path, changed) for path, changed in of_items(held) if changed != held)
    else:
        yield "", other(held)


def of_named(spec: Named, held: Any) -> Iterator[tuple[str, Any]]:
    if not held:
        return  # one of the charters has some
    yield "[come]", (*held, rebuilt(held[0], name="another"))
    yield "[renamed]", (rebuilt(held[0], name=held[0].name + "x"), *held[1:])
    yield from of_items(held)
    if isinstance(spec.item, Pair):
        field = spec.item.field
        yield f"[0].{field}", (rebuilt(held[0], **{field: other(getattr(held[0], field))}), *held[1:])


def of_items(held: Any) -> Iterator[tuple[str, Any]]:
    yield "[gone]", held[1:]
    for index, item in enumerate(held):
        for path, changed in mutations(item):
            yield f"[{index}].{path}", (*held[:index], changed, *held[index + 1 :])


@pytest.fixture
def full(charter: Charter) -> Charter:
    """The harbour charter with every optional field set."""
    purposes = tuple(replace(p, regime="led", national_law="Police Act") for p in charter.purposes)
    analytics = tuple(replace(a, hours=Hours(60, 270), days=("mon", "tue")) for a in charter.analytics)
    authority = replace(charter.authority, competent_under="Police Act 2")
    oversight = replace(charter.oversight, quorum=1)
    return replace(charter, purposes=purposes, analytics=analytics, authority=authority, oversight=oversight)


@pytest.fixture
def measured(judged_charter: Charter) -> Charter:
    """The judged harbour charter with every limit set, of one analytic."""
    assert judged_charter.quality is not None
    limits = replace(
        judged_charter.quality.limits[0],
        strata=("day", "night"),
        disparity_at_most=2000,
        recall_at_least=800,
        drills_planned=100,
    )
    return replace(judged_charter, quality=replace(judged_charter.quality, limits=(limits,)))


def test_the_full_charter_sets_every_field(full: Charter, measured: Charter) -> None:
    def unset(value: Any) -> Iterator[str]:
        for entry in entries(type(value)):
            held = getattr(value, entry.field)
            if held is None and not (isinstance(value, Charter)):
                yield f"{type(value).__name__}.{entry.field}"
            if isinstance(entry.spec, Part) and held is not None:
                yield from unset(held)
            if isinstance(entry.spec, Named):
                for item in held:
                    yield from unset(item)

    missing = set(unset(full))
    missing -= {"Zone.area_m2", "Zone.line"}  # the track's; the steps' is set, and the other charter has lines
    judged = {"Review.second_read", "Review.seeded_checks", "Safeguards.samples", "Safeguards.reports"}
    missing -= {"FileSource.conditions"}  # see test_source_conditions
    assert missing - judged == {
        "Retention.sealed_ms",
        "Safeguards.record",
        "Safeguards.release",
        "Safeguards.access_log",
    }
    assert not set(unset(SEALED.safeguards)) - judged
    assert not set(unset(measured)) & (judged | {f"QualityLimits.{entry.field}" for entry in entries(QualityLimits)})


CHARTERS = Path(__file__).parents[2] / "spec" / "charters"
EVERY_KIND = parse((CHARTERS / "every-kind.yaml").read_bytes())
SEALED = parse((CHARTERS / "sealed" / "harbour-square.yaml").read_bytes())


def test_the_charter_of_every_kind_has_every_kind() -> None:
    assert {type(source) for source in EVERY_KIND.sources} == {*SOURCES} - {FileSource}
    assert {type(analytic) for analytic in EVERY_KIND.analytics} == {*ANALYTICS}
    assert {type(destination) for destination in EVERY_KIND.destinations} == {*DESTINATIONS}


@pytest.mark.parametrize("which", ["full", "every kind", "sealed", "measured"])
def test_every_field_of_the_model_yields_a_change_when_it_changes(full: Charter, measured: Charter, which: str) -> None:
    seen = 0
    old = {"full": full, "every kind": EVERY_KIND, "sealed": SEALED, "measured": measured}[which]
    for path, changed in mutations(old):
        seen += 1
        changes = compare(old, rebuilt(changed, data=b"another file"))
        assert changes, path
        assert not any("Only the notes" in change.sentence for change in changes), path
        assert all(change.weight in {"narrowing", "maintenance", "widening"} for change in changes), path
        assert all(change.sentence.endswith((".", "”", "!", "?")) or path.endswith("[come]") for change in changes), (
            path
        )
    assert seen > 90


_PAIRS: dict[type, set[str]] = {
    Model: {"digest"},
    PlugInCode: {"digest"},
    Setting: {"value"},
    Custodian: {"key"},
}


def test_the_table_of_sentences_names_only_and_all_fields_of_the_model() -> None:
    def holds_parts(spec: Spec) -> bool:
        return isinstance(spec, Part | Named) or (isinstance(spec, Many) and isinstance(spec.item, Part))

    for model, told in TOLD.items():
        described = {entry.field for entry in entries(model) if not holds_parts(entry.spec)}
        described |= _PAIRS.get(model, set())
        # Hours and days are told together; a witness is known by its key, which comes or goes.
        described -= {"days"} | ({"key"} if model is Witness else set())
        assert set(told) - _PARTS == described, model


_PARTS = {
    "view",
    "picture",
    "conditions",
    "on_suspension",
    "plane",
    "costs",
    "record",
    "release",
    "break_glass",
    "quality",
} | {
    "seeded_checks",
    "samples",
    "reports",
}
"""Parts that may come and go; what changes inside them is told by their own fields."""


def test_every_class_of_the_model_is_in_the_table() -> None:
    found: set[type] = set()

    def visit(spec: Spec | Pair | type) -> None:
        match spec:
            case type():
                found.add(spec)
                for entry in entries(spec):
                    visit(entry.spec)
            case Part(of) | Pair(of, _):
                visit(of)
            case Named(item, _):
                visit(item)
            case Choice(kinds):
                for _, model in kinds:
                    visit(model)
            case Many(item):
                visit(item)

    visit(Charter)
    assert found - {PlanePoint} == set(TOLD)  # points are told together, as the view's plane


def changed(edit, charter: Charter, *pairs: tuple[str, str]) -> list[Change]:
    return compare(charter, parse(edit(*pairs)))


@pytest.mark.parametrize(
    ("old", "new", "weight"),
    [
        ("until: 2027-11-30", "until: 2028-11-30", "widening"),
        ("until: 2027-11-30", "until: 2027-10-30", "narrowing"),
        ("from: 2026-12-01", "from: 2026-11-01", "widening"),
        ("for: 20s", "for: 10s", "widening"),
        ("for: 20s", "for: 30s", "narrowing"),
        ("people_per_m2: 0.3", "people_per_m2: 0.2", "widening"),
        ('"01:00-04:30"', '"01:00-05:00"', "widening"),
        ('"01:00-04:30"', '"01:30-04:30"', "narrowing"),
        ('"01:00-04:30"', '"05:00-06:00"', "widening"),
        ('"01:00-04:30"', '"01:00-04:30", days: [mon]', "narrowing"),
        ('"01:00-04:30"', '"01:00-04:30", days: [mon,tue,wed,thu,fri,sat,sun]', "maintenance"),
        ("[person, vehicle]", "[person]", "narrowing"),
        ("[person, vehicle]", "[vehicle, person]", "maintenance"),
        ("delay: 15m", "delay: 0s", "widening"),
        ("delay: 15m", "delay: 1h", "narrowing"),
        ("hide_below: 3", "hide_below: 1", "widening"),
        ("grid_m: 1", "grid_m: 2", "narrowing"),
        ("reviewer_clips: 7d", "reviewer_clips: 8d", "widening"),
        ("within: 2m", "within: 1m", "narrowing"),
        ("gate: auto", "gate: always_open", "widening"),
        ("may: [suspend, inspect]", "may: [inspect]", "widening"),
        ("may: [suspend, inspect]", "may: [suspend, inspect, audit]", "narrowing"),
        ("heartbeat_every: 60s", "heartbeat_every: 5m", "widening"),
        ("heartbeat_every: 60s", "heartbeat_every: 10s", "narrowing"),
        (", heartbeat_every: 60s", "", "widening"),
        ("witnessed_within: 1h", "witnessed_within: 2h", "widening"),
        ("witnessed_within: 1h", "witnessed_within: 30m", "narrowing"),
        (", witnessed_within: 1h", "", "widening"),
        ("tell: [oversight, shift-lead]", "tell: [oversight, shift-lead, clerk]", "narrowing"),
        (
            "[[[0,0],[300,0],[300,120],[0,120]]]",
            "[[[0,0],[300,0],[300,120],[0,120]],[[400,0],[500,0],[500,90]]]",
            "narrowing",
        ),
        ("[[[0,0],[300,0],[300,120],[0,120]]]", "[[[0,0],[200,0],[200,120],[0,120]]]", "widening"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[10,205],[700,190],[700,225],[10,240]]", "narrowing"),
        ("[[0,200],[768,180],[768,230],[0,250]]", "[[0,100],[768,80],[768,130],[0,150]]", "widening"),
        ("contact: privacy@", "contact: board@", "maintenance"),
        ("# private windows", "# windows", "maintenance"),
    ],
)
def test_each_change_weighs_on_the_right_side(edit, charter: Charter, old: str, new: str, weight: str) -> None:
    assert [change.weight for change in changed(edit, charter, (old, new))] == [weight]


def test_a_resident_reads_what_a_camera_may_now_also_do(edit, charter: Charter) -> None:
    (change,) = changed(edit, charter, ("[person, vehicle]", "[person, vehicle, bicycle]"))
    assert change.weight == "widening"
    assert change.sentence == "The camera at Harbour steps may now also look for bicycles (“on the track”)."


def test_a_new_analytic_is_told_with_its_whole_rule(edit, charter: Charter) -> None:
    line = "  bags: {kind: intrusion, source: steps-cam, zone: steps, purpose: crowd-safety, of: [bag], for: 60s}\n"
    (change,) = changed(edit, charter, ("analytics:\n", "analytics:\n" + line))
    assert change.weight == "widening"
    assert "Tells a person when a bag is in the area “steps” (Harbour steps) for 1 minute or longer" in change.sentence
    (back,) = compare(parse(edit(("analytics:\n", "analytics:\n" + line))), charter)
    assert back.weight == "narrowing"


def test_a_name_that_now_stands_for_another_kind_is_widening(charter: Charter) -> None:
    track = charter.analytic("on-the-track")
    assert isinstance(track, Intrusion)
    fault = replace(charter.analytic("camera-health"), name="on-the-track")
    new = replace(charter, analytics=(charter.analytics[0], fault, charter.analytics[2]), data=b"x")
    assert [(c.weight, c.path) for c in compare(charter, new)] == [("widening", "analytics.on-the-track")]


def test_the_same_file_changes_nothing(charter: Charter) -> None:
    assert compare(charter, charter) == []


def test_widening_is_told_first(edit, charter: Charter) -> None:
    weights = [
        c.weight
        for c in changed(
            edit, charter, ("within: 2m", "within: 1m"), ("delay: 15m", "delay: 1m"), ("version: 3", "version: 4")
        )
    ]
    assert weights == ["widening", "narrowing", "maintenance"]


def test_a_source_that_moves_is_widening(charter: Charter) -> None:
    source: FileSource = charter.source("steps-cam")
    moved = replace(source, place=replace(source.place, lat=52.0))
    (change,) = compare(charter, replace(charter, sources=(moved,), data=b"x"))
    assert (change.weight, change.path) == ("widening", "sources.steps-cam.place.lat")
