"""The zone editor without a browser: what it shows, what it refuses and why, and what it saves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from a_portal import DATA, Portal, Someone, make_portal

from watchglass.access.authorise import authorise
from watchglass.access.roles import May, Person, Role
from watchglass.acts.confirm_backdrop import confirm_backdrop, withdraw_backdrop
from watchglass.charter.decide import decide
from watchglass.charter.parse import parse
from watchglass.charter.permit import ConfirmBackdrop
from watchglass.perception.ground import Ground
from watchglass.web.portal.drawing import arrow, shapes_from

ZONES = "/sources/street/zones"
LINE = {"shape": "new1", "kind-new1": "line", "was-new1": "", "name-new1": "kerb", "corners-new1": "100, 400\n100, 100"}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = make_portal(tmp_path)
    made.street.house.layout.charter.write_text(made.street.text, "utf-8")
    yield made
    made.street.house.close()


@pytest.fixture
def olga(portal: Portal) -> Someone:
    return portal.person("operator")


def the_form(someone: Someone) -> dict[str, Any]:
    """The form's fields as a browser without script would send them."""
    html = someone.get(ZONES).text.partition("<noscript><h2>")[0]
    fields: dict[str, Any] = {"shape": re.findall(r'name="shape" value="([^"]+)"', html)}
    fields |= dict(re.findall(r'name="((?:kind|was|name|area|draft|seen)[^"]*)" value="([^"]*)"', html))
    fields |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)<', html))
    return fields


def with_line(someone: Someone, **more: str) -> dict[str, Any]:
    fields = the_form(someone)
    return {**fields, **LINE, "shape": [*fields["shape"], "new1"], **more}


def send(someone: Someone, fields: dict[str, Any], **more: str) -> Any:
    return someone.post(ZONES, {**fields, **more}, DATA)


def test_what_is_drawn_is_shown_as_numbers_and_on_grey(olga: Someone, portal: Portal) -> None:
    data = olga.get(f"{ZONES}.json").json()
    charter = parse(portal.street.text.encode())
    assert [shape["name"] for shape in data["shapes"] if shape["kind"] != "never"] == [
        zone.name for zone in charter.sources[0].zones
    ]
    assert data["picture"] == {"width": 768, "height": 576, "known": True, "url": None}
    assert data["draft"]["same_as_in_force"] is True
    page = olga.get(ZONES)
    assert page.status_code == 200
    assert "There is no picture to draw on yet" in page.text
    assert "style=" not in page.text
    assert olga.get(f"{ZONES}/backdrop.png").status_code == 404


def test_only_a_confirmed_scene_is_ever_shown(olga: Someone, portal: Portal) -> None:
    house = portal.street.house
    png = resources.files("watchglass").joinpath("demo/backdrop.png").read_bytes()
    row = house.store.read().one("SELECT id FROM account WHERE name = 'operator'")
    grant = authorise(Person(row["id"], "operator", frozenset({Role.OPERATOR})), May.CONFIRM_BACKDROP)
    permit = decide(house.standing(), ConfirmBackdrop("street"), house.clock.now())
    confirm_backdrop(house.acting, grant, permit, "street", png)
    url = olga.get(f"{ZONES}.json").json()["picture"]["url"]
    assert olga.get(url).content == png
    assert url in olga.get(ZONES).text.replace("&amp;", "&")
    withdraw_backdrop(house.acting, grant, permit, "street")
    assert olga.get(url).status_code == 404
    assert olga.get(f"{ZONES}.json").json()["picture"]["url"] is None


def test_a_drawing_is_judged_then_saved_and_recorded(olga: Someone, portal: Portal) -> None:
    before = portal.street.house.draft.read()
    shown = send(olga, with_line(olga), do="show")
    assert shown.status_code == 200
    found = shown.json()
    assert found["faults"] == []
    assert any("kerb" in change["sentence"] for change in found["changes"])
    assert "+      kerb: {line: [[100, 400], [100, 100]]}" in found["lines"]
    assert portal.street.house.draft.read() == before, "looking saves nothing"
    saved = send(olga, with_line(olga), do="save", seen=found["seen"])
    assert saved.json()["version"] == 2
    after = portal.street.house.draft.read()
    assert after is not None
    charter = parse(after)
    assert charter.version == 2
    assert charter.sources[0].zone("kerb").line == ((100, 400), (100, 100))
    acts = [row["act"] for row in portal.street.house.store.read().all("SELECT act FROM outbox ORDER BY seq")]
    assert acts[-1] == "draft_saved"
    assert portal.street.house.standing().charter is not None
    assert olga.get("/charter.json").json()["version"] == 1, "what is in force is as it was"
    again = olga.get(f"{ZONES}.json").json()["draft"]
    assert (again["version"], again["next_version"], again["same_as_in_force"]) == (2, 2, False)
    assert olga.get(f"{ZONES}/charter.yaml").content == after


def test_what_was_not_seen_is_not_saved(olga: Someone, portal: Portal) -> None:
    before = portal.street.house.draft.read()
    first = send(olga, with_line(olga), do="show").json()
    for seen in ("", first["seen"]):
        fields = with_line(olga, **{"corners-new1": "100, 400\n100, 101"})
        answer = send(olga, fields, do="save", seen=seen)
        assert answer.json()["changes"]
        assert portal.street.house.draft.read() == before


def test_a_draft_that_somebody_else_changed_is_not_written_over(olga: Someone, portal: Portal) -> None:
    fields = with_line(olga)
    seen = send(olga, fields, do="show").json()["seen"]
    portal.street.house.layout.charter.write_text(portal.street.text + "# somebody else\n", "utf-8")
    answer = send(olga, fields, do="save", seen=seen)
    assert answer.status_code == 409
    assert "Somebody has changed the draft" in answer.json()["message"]
    assert (portal.street.house.draft.read() or b"").endswith(b"# somebody else\n")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind-new1": "polygon", "corners-new1": "0, 0\n90, 60\n90, 0\n0, 50"}, "crosses itself"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\n6, 6\n7, 7"}, "has no area"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\n60, 6"}, "3 to 64"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\n900, 6\n9, 90"}, "outside the picture of 768 by 576"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\n-9, 6\n9, 90"}, "outside the picture"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\nabc\n9, 90"}, "Corner 2 is written"),
        ({"kind-new1": "polygon", "corners-new1": "5, 5\n6, 90\n90, 9", "area-new1": "big"}, "not a number of square"),
        ({"corners-new1": "5, 5\n5, 5"}, "Line "),
        ({"name-new1": "Kerb Street"}, "cannot be called"),
        ({"name-new1": ""}, "It has no name"),
        ({"name-new1": "lawn"}, "Two areas are called"),
    ],
)
def test_what_cannot_be_is_refused_beside_the_shape(olga: Someone, wrong: dict[str, str], said: str) -> None:
    answer = send(olga, with_line(olga, **wrong), do="save")
    assert answer.status_code == 400
    faults = {shape["id"]: shape["faults"] for shape in answer.json()["shapes"]}
    assert any(said in fault for fault in faults["new1"]), faults
    page = olga.post(ZONES, {**with_line(olga, **wrong), "do": "show"})
    assert page.status_code == 400
    assert "Nothing was saved" in page.text
    assert 'href="#shape-new1"' in page.text


def test_an_area_that_a_rule_needs_cannot_go_alone(olga: Someone) -> None:
    fields = the_form(olga)
    lawn = next(key[5:] for key, value in fields.items() if key.startswith("name-") and value == "lawn")
    answer = send(olga, {**fields, f"remove-{lawn}": "yes"}, do="show")
    assert answer.status_code == 400
    assert re.search(r"Line \d+: There is no zone of street called 'lawn'", " ".join(answer.json()["faults"]))


def test_a_new_name_takes_its_rules_along(olga: Someone) -> None:
    fields = the_form(olga)
    lawn = next(key for key, value in fields.items() if key.startswith("name-") and value == "lawn")
    found = send(olga, {**fields, lawn: "meadow"}, do="show").json()
    assert found["faults"] == []
    assert "+    zone: meadow" in found["lines"]


def test_hidden_parts_come_and_go(olga: Someone) -> None:
    fields = the_form(olga)
    more = {
        "shape": [*fields["shape"], "new1"],
        "kind-new1": "never",
        "corners-new1": "1, 1\n30, 1\n30, 30",
        "remove-n0": "yes",
    }
    found = send(olga, {**fields, **more}, do="show").json()
    assert found["faults"] == []
    assert "+    never_see: [[[1, 1], [30, 1], [30, 30]]]" in found["lines"]
    assert any(change["weight"] == "widening" for change in found["changes"]), "what is no longer hidden widens"


def test_grey_parts_come_and_go_and_are_not_hidden_parts(olga: Someone, portal: Portal) -> None:
    """What is looked at and never shown to the public stands in a list of its own; each list keeps to itself."""
    fields = the_form(olga)
    first = {"shape": [*fields["shape"], "new1"], "kind-new1": "grey", "corners-new1": "1, 1\n30, 1\n30, 30"}
    found = send(olga, {**fields, **first}, do="show").json()
    assert found["faults"] == []
    assert "+    never_show: [[[1, 1], [30, 1], [30, 30]]]" in found["lines"]
    assert any(change["weight"] == "narrowing" for change in found["changes"]), "less is shown"
    assert send(olga, {**fields, **first}, do="save", seen=found["seen"]).json()["version"] == 2
    drawn = parse(portal.street.house.draft.read() or b"").sources[0]
    assert [polygon.corners for polygon in drawn.never_show] == [((1, 1), (30, 1), (30, 30))]
    again = the_form(olga)
    assert [
        (shape, again[f"kind-{shape}"]) for shape in again["shape"] if again[f"kind-{shape}"] in {"never", "grey"}
    ] == [
        ("n0", "never"),
        ("g0", "grey"),
    ]
    moved = send(olga, {**again, "corners-g0": "1, 1\n40, 1\n30, 30"}, do="show").json()
    assert "+    never_show: [[[1, 1], [40, 1], [30, 30]]]" in moved["lines"]
    assert "-    never_show: [[[1, 1], [30, 1], [30, 30]]]" in moved["lines"]
    gone = send(olga, {**again, "remove-g0": "yes"}, do="show").json()
    assert [line for line in gone["lines"] if line.startswith(("-    ", "+    "))] == [
        "-    never_show: [[[1, 1], [30, 1], [30, 30]]]"
    ]
    assert any(change["weight"] == "widening" for change in gone["changes"])
    wrong = send(olga, {**again, "corners-g0": "1, 1\n30, 30"}, do="show").json()
    assert [shape["id"] for shape in wrong["shapes"] if shape["faults"]] == ["g0"]


def test_the_page_tells_hidden_and_grey_parts_apart(olga: Someone) -> None:
    page = olga.get(ZONES).text
    assert "black before anything looks at the picture: no rule, no reviewer and no clip sees it" in page
    assert "is looked at: rules work there, and reviewers see its mosaic. The public view shows it grey" in page
    without_script = page.partition("<noscript><h2>")[2].partition("</noscript>")[0]
    assert "New grey part" in without_script
    assert 'name="kind-new-grey" value="grey"' in without_script
    assert 'name="corners-new-grey"' in without_script


def test_nothing_new_is_nothing_to_save(olga: Someone) -> None:
    answer = send(olga, the_form(olga), do="save")
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.json()["faults"][0]


def test_a_draft_with_mistakes_is_not_drawn_in(olga: Someone, portal: Portal) -> None:
    fields = with_line(olga)
    portal.street.house.layout.charter.write_text("watchglass: 1\ncharter: [\n", "utf-8")
    page = olga.get(ZONES)
    assert "The draft has mistakes" in page.text
    assert "line 3" in page.text
    assert send(olga, fields, do="show").status_code == 409


def test_without_a_draft_it_begins_with_what_is_in_force(olga: Someone, portal: Portal) -> None:
    portal.street.house.layout.charter.unlink()
    data = olga.get(f"{ZONES}.json").json()
    assert data["draft"]["file"] is False
    assert olga.get(f"{ZONES}/charter.yaml").status_code == 404
    seen = send(olga, with_line(olga), do="show").json()["seen"]
    assert send(olga, with_line(olga), do="save", seen=seen).json()["version"] == 2
    assert portal.street.house.draft.read() is not None


def test_other_people_and_other_sources(olga: Someone, portal: Portal) -> None:
    assert olga.get("/sources/moon/zones").status_code == 404
    for name in ("reviewer", "shift-lead", "administrator"):
        assert portal.person(name).get(ZONES).status_code == 403
        assert portal.person(name).post(ZONES, {"do": "save"}).status_code == 403
    assert portal.someone().get(ZONES).status_code == 303


@pytest.mark.parametrize(
    "fields",
    [
        [("shape", "a"), ("shape", "a"), ("kind-a", "line")],
        [("shape", "a"), ("kind-a", "circle")],
        [("shape", "../a"), ("kind-../a", "line")],
        [("shape", f"a{n}") for n in range(161)],
    ],
)
def test_a_form_that_is_not_ours_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Exception, match="not a form of the zone editor"):
        shapes_from(fields, ())


def test_many_shapes_fit_into_one_form(olga: Someone) -> None:
    """A form has up to a thousand fields, and the token of the session is found among them."""
    fields = the_form(olga)
    ids = [f"n{n}x" for n in range(60)]
    for n, each in enumerate(ids):
        fields |= {f"kind-{each}": "line", f"name-{each}": f"l-{n}", f"corners-{each}": f"{n}, 1\n{n}, 90"}
    answer = send(olga, {**fields, "shape": [*fields["shape"], *ids]}, do="show")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["shapes"]) >= 60


def test_what_came_from_an_empty_row_leaves_it_empty(olga: Someone) -> None:
    """Without a script the same empty rows are in the next page again."""
    fields = the_form(olga)
    row = {"kind-new-line": "line", "name-new-line": "kerb", "corners-new-line": "1, 90\n1, 1"}
    more = {**fields, **row, "shape": [*fields["shape"], "new-line", "row0"], "kind-row0": "never"}
    more["corners-row0"] = "1, 1\n30, 1\n30, 30"
    found = send(olga, more, do="show").json()
    ids = [shape["id"] for shape in found["shapes"]]
    assert "new-line" not in ids
    assert len(set(ids)) == len(ids)
    page = olga.post(ZONES, {**more, "do": "show"}).text
    assert page.count('name="shape" value="new-line"') == 2, "the row without a script, and the script's template"


def test_the_arrow_leads_from_left_to_right_as_it_is_seen() -> None:
    """Seen from the first end towards the second: upwards on the screen, the right hand is at larger x."""
    up = arrow([(100, 400), (100, 100)], 10)
    assert up.startswith("M90.0 250.0L110.0 250.0")
    right = arrow([(0, 50), (100, 50)], 10)
    assert right.startswith("M50.0 40.0L50.0 60.0"), "towards the right of the screen, the right hand is below"
    assert arrow([(1, 1), (1, 1)], 10) == ""
    assert arrow([(1, 1)], 10) == ""


BAY = "80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, 12\n190, 230 = 0, 12"


def test_a_measured_ground_is_saved_and_gives_sizes(olga: Someone, portal: Portal) -> None:
    found = send(olga, the_form(olga), plane=BAY, do="show").json()
    assert found["faults"] == []
    assert "+        - {at: [80, 520], m: [0, 0]}" in found["lines"]
    assert any("measured anew" in change["sentence"] for change in found["changes"])
    assert found["ground"]["grid_m"] == 1
    assert found["ground"]["worst_m"] == pytest.approx(0, abs=0.01)
    assert len(found["ground"]["grid"]) == 10 + 13
    assert send(olga, the_form(olga), plane=BAY, do="save", seen=found["seen"]).json()["version"] == 2
    charter = parse(portal.street.house.draft.read() or b"")
    view = charter.sources[0].view
    assert view is not None
    assert [(*point.at, *point.m) for point in view.plane][1] == (690, 520, 9, 0)
    again = olga.get(f"{ZONES}.json").json()
    assert again["ground"]["text"] == BAY
    ground = Ground(tuple((*point.at, *point.m) for point in view.plane))
    lawn = charter.sources[0].zone("lawn")
    shown = {shape["name"]: shape["ground_m2"] for shape in again["shapes"]}
    assert shown["lawn"] == pytest.approx(ground.area(lawn.points), abs=0.06)
    assert [shape["ground_m2"] for shape in again["shapes"] if shape["kind"] == "never"] == [None]
    page = olga.get(ZONES)
    assert f"{shown['lawn']} m² on the measured ground" in page.text
    assert 'class="draw-grid"' in page.text
    gone = send(olga, the_form(olga), plane="", do="show").json()
    assert "-      plane:" in gone["lines"]


def test_the_ground_may_be_the_size_of_the_bay_that_was_measured(olga: Someone) -> None:
    fields = {**with_line(olga), "kind-new1": "polygon", "plane": BAY}
    fields["corners-new1"] = "80, 520\n690, 520\n540, 230\n190, 230"
    found = send(olga, fields, do="show").json()
    assert {shape["id"]: shape["ground_m2"] for shape in found["shapes"]}["new1"] == pytest.approx(9 * 12)


@pytest.mark.parametrize(
    ("plane", "said"),
    [
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, 12", "four"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, 12\n190, 230 =", "Point 4 has no metres yet"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, 12\n190, 230 = a, b", "Point 4 is written"),
        ("80 520", "Point 1 is written"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 3, 0\n190, 230 = 6, 0", "on one line"),
        ("80, 500 = 0, 0\n690, 500 = 9, 0\n540, 500 = 9, 12\n190, 500 = 0, 12", "on one line"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, -12\n190, 230 = 0, -12", "mirrored"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 0, 12\n190, 230 = 9, 12", "mixed up"),
        ("80, 520 = 0, 0\n690, 520 = 9, 0\n540, 230 = 9, 12\n900, 230 = 0, 12", "outside the picture"),
        ("80, 520 = 0, 0\n690, 520 = 20000, 0\n540, 230 = 20000, 20000\n190, 230 = 0, 20000", "of the new text"),
    ],
)
def test_a_ground_that_cannot_be_is_refused(olga: Someone, portal: Portal, plane: str, said: str) -> None:
    before = portal.street.house.draft.read()
    answer = send(olga, the_form(olga), plane=plane, do="save")
    assert answer.status_code == 400
    faults = answer.json()["ground"]["faults"]
    assert any(said in fault for fault in faults), faults
    page = olga.post(ZONES, {**the_form(olga), "plane": plane, "do": "show"})
    assert 'href="#shape-ground"' in page.text
    assert portal.street.house.draft.read() == before


def test_a_source_without_a_view_is_asked_for_its_width(olga: Someone, portal: Portal) -> None:
    text = re.sub(r"\n    view:[^\n]*(\n      [^\n]*)*", "", portal.street.text, count=1)
    portal.street.house.layout.charter.write_text(text, "utf-8")
    assert 'name="width"' in olga.get(ZONES).text
    missing = send(olga, the_form(olga), plane=BAY, do="show")
    assert "how many metres" in missing.json()["ground"]["faults"][0]
    found = send(olga, the_form(olga), plane=BAY, width="14,5", do="show").json()
    assert found["faults"] == []
    assert any(line.startswith("+    view: {width_m: 14.5, plane: [{at: [80, 520]") for line in found["lines"])


def test_a_ground_that_was_wrong_before_does_not_stop_a_drawing(olga: Someone, portal: Portal) -> None:
    """A hidden part can be drawn at once; the page says beside it what is wrong with the ground."""
    send(olga, the_form(olga), plane=BAY, do="save", seen=send(olga, the_form(olga), plane=BAY).json()["seen"])
    file = portal.street.house.layout.charter
    file.write_text(file.read_text("utf-8").replace("m: [9, 12]", "m: [9, -12]"), "utf-8")
    found = send(olga, with_line(olga), do="show")
    assert found.status_code == 200
    assert found.json()["changes"]
    assert "mixed up" in found.json()["ground"]["faults"][0]
