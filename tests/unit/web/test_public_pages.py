"""The public pages over a small real deployment: what they say, as pages and as data, in every state of the charter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from a_portal import Someone
from a_street import DAY, NOON, Street, make_street
from markupsafe import escape

from watchglass.access.policies import policies_of
from watchglass.core.digest import b64
from watchglass.review.model import VerdictValue
from watchglass.web.portal.app import create_app

VERDICTS = [VerdictValue.CONFIRM] * 2 + [VerdictValue.REJECT, VerdictValue.UNSURE, None] + [VerdictValue.CONFIRM] * 19
PAGES = (
    "/",
    "/tour",
    "/register",
    "/register/sources/street",
    "/register/analytics/on-the-lawn",
    "/register/models/nanodet-416-int8",
    "/charter",
    "/charter/versions",
    "/charter/versions/1",
    "/charter/diff/1/2",
    "/view/street",
    "/ledger",
    "/ledger/entries/0",
    "/ledger/verify",
    "/audit",
)
LARGEST = 100_000


def client_of(street: Street) -> Someone:
    return Someone(create_app(street.house))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Two versions of the charter, 24 alerts of the last month, marks in view, everything cosigned."""
    made = make_street(tmp_path_factory.mktemp("street"))
    made.publish()
    made.clock.advance(2 * DAY)
    made.alerts(VERDICTS)
    made.publish(("version: 1\n", "version: 2\n"), ("delay: 0s, hide_below: 0", "delay: 15m, hide_below: 2"))
    made.clock.set(NOON)
    made.settle()
    made.show(((100, 320, 0), (180, 420, 0), (620, 250, 1)), 2)
    made.clock.advance(15 * 60_000)
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def client(street: Street) -> Someone:
    return client_of(street)


class Outline(HTMLParser):
    """What a reader without eyes meets: headings, landmarks, links, attributes that the security policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.landmarks: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"main", "header", "footer", "nav"}:
            self.landmarks.append(tag)
        for name in ("href", "src"):
            if values.get(name):
                self.links.append(str(values[name]))
        if (
            "style" in values
            or any(name.startswith("on") for name in values)
            or (tag == "script" and "src" not in values)
        ):
            self.inline.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_whole_small_and_keeps_the_security_policy(client: Someone, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < LARGEST
    assert "set-cookie" not in answer.headers
    outline = Outline(answer.text)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert {"main", "header", "footer", "nav"} <= set(outline.landmarks)
    assert not outline.inline
    assert len(outline.ids) == len(set(outline.ids))
    assert not [link for link in outline.links if re.match(r"(https?:)?//", link)]


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_also_data(client: Someone, path: str) -> None:
    twin = "/index.json" if path == "/" else f"{path}.json"
    answer = client.get(twin)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert not [key for key in json.loads(answer.text) if key.startswith("_")]
    assert f'href="{twin}"' in client.get(path).text


def test_no_link_leads_nowhere(client: Someone) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen or re.match(r"/ledger/entries/|/ledger\?|/login|/review|/sources", path):
            continue  # the ledger's entries have a test of their own; staff pages belong to others
        seen.add(path)
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            links = [link.split("#")[0] for link in Outline(answer.text).links]
            waiting += [link for link in links if link.startswith("/")]
    assert set(PAGES) - {"/ledger/entries/0"} <= seen


def test_every_anchor_is_there(client: Someone) -> None:
    for path in PAGES:
        for link in Outline(client.get(path).text).links:
            where, hash_, anchor = link.partition("#")
            if hash_ and not link.startswith("mailto:"):
                assert anchor in Outline(client.get(where or path).text).ids, link


# ---- home -----------------------------------------------------------------------------------------------------------


def test_home_tells_how_often_it_was_wrong_counting_against_the_machine(client: Someone) -> None:
    month = client.get("/index.json").json()["month"]
    assert (month["alerts"], month["right"], month["wrong"], month["unsure"], month["undecided"]) == (24, 21, 1, 1, 1)
    assert month["was_wrong"]["k"] == 3
    assert month["was_wrong"]["sentence"] in client.get("/").text


def test_counts_stop_at_midnight_so_that_nobody_can_watch_them_move(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.publish()
        street.alerts([VerdictValue.REJECT])
        client = client_of(street)
        assert client.get("/index.json").json()["month"]["alerts"] == 0
        assert "Not enough data yet: no alerts here so far." in client.get("/").text
        street.clock.advance(DAY)
        assert client.get("/index.json").json()["month"]["alerts"] == 1
    finally:
        street.house.close()


def test_home_is_honest_about_what_is_not_built(client: Someone) -> None:
    html = client.get("/").text
    assert "Asking here is not built yet" in html
    assert "These rules were not consulted on, and having a say here is not built yet" in html
    assert "mailto:privacy@exampleton.example" in html
    assert "Original video around alerts, locked" in html
    assert "3 days, unless a hold keeps a part of it" in html


# ---- every state of the charter -------------------------------------------------------------------------------------


def test_the_demo_says_so_on_every_page(client: Someone) -> None:
    for path in PAGES:
        assert "one computer plays everyone; this proves nothing about a real place." in client.get(path).text


def test_without_a_charter_every_page_says_that_nothing_is_watched(tmp_path: Path) -> None:
    street = make_street(tmp_path, origin="town.example/log")
    try:
        client = client_of(street)
        for path in ("/", "/register", "/charter"):
            html = client.get(path).text
            assert "No charter is in force." in html
            assert "<h1>Nothing is watched here</h1>" in html
        assert client.get("/index.json").json() == {"condition": "no-charter"}
        for path in ("/register/sources/street", "/view/street", "/charter/versions/1", "/ledger/entries/0"):
            assert client.get(path).status_code == 404
        assert "Nothing published yet" in client.get("/ledger").text
        assert "demo" not in client.get("/").text.lower()
    finally:
        street.house.close()


def test_a_suspension_shows_everywhere_and_blanks_the_view(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.publish()
        street.show(((100, 320, 0),), 1)
        client = client_of(street)
        assert client.get("/view/street.json").json()["view"]["pins"]
        street.suspend()
        view = client.get("/view/street.json").json()["view"]
        assert (view["state"], view["pins"], view["backdrop"], view["people"]) == ("stopped", [], None, None)
        assert client.get("/view/street/backdrop.png").status_code == 403
        for path in ("/", "/register", "/charter", "/tour", "/ledger"):
            assert "Everything is suspended." in client.get(path).text
        assert "The caretaker walks past" in client.get("/").text
        assert not any(item["may_run"] for item in client.get("/register.json").json()["analytics"])
    finally:
        street.house.close()


def test_one_suspended_rule_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.publish()
        street.suspend("on-the-lawn")
        client = client_of(street)
        assert "“on-the-lawn” is suspended." in client.get("/").text
        runs = {item["name"]: item["may_run"] for item in client.get("/register.json").json()["analytics"]}
        assert not runs.pop("on-the-lawn")
        assert all(runs.values())
        assert client.get("/index.json").json()["condition"] == "partly-suspended"
    finally:
        street.house.close()


def test_a_charter_that_ran_out_says_when(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.publish(("2027-09-30", "2026-11-10"))
        street.clock.set(NOON)
        client = client_of(street)
        assert "The charter ran out on 10 November 2026." in client.get("/").text
        assert client.get("/view/street.json").json()["view"]["state"] == "stopped"
    finally:
        street.house.close()


# ---- register -------------------------------------------------------------------------------------------------------


def test_the_register_has_everything_that_the_charter_has(street: Street, client: Someone) -> None:
    charter = street.house.standing().charter
    assert charter is not None
    data = client.get("/register.json").json()
    assert [item["name"] for item in data["sources"]] == [item.name for item in charter.sources]
    assert [item["name"] for item in data["analytics"]] == [item.name for item in charter.analytics]
    assert [item["name"] for item in data["models"]] == [item.name for item in charter.models]
    for item in data["analytics"]:
        assert item["rule"].startswith("Tells a person when ")
        assert item["legal_basis"]


def test_a_source_shows_its_areas_and_what_is_never_seen(client: Someone) -> None:
    html = client.get("/register/sources/street").text
    assert html.count('<polygon class="zone-picture"') == len(
        client.get("/register/sources/street.json").json()["zones"]
    )
    assert html.count('<polygon class="never-see"') == 1


def test_a_rule_shows_how_often_it_was_right(client: Someone) -> None:
    assert "Of the last 24 alerts here, 21 were real" in client.get("/register/analytics/on-the-lawn").text
    assert "Not enough data yet: no alerts here so far" in client.get("/register/analytics/camera").text


def test_a_model_shows_whether_the_charter_names_its_file(client: Someone) -> None:
    data = client.get("/register/models/nanodet-416-int8.json").json()
    assert data["card_matches_charter"] is True
    assert data["card"]["known_weaknesses"]


def test_a_model_says_on_what_nobody_tested_it(client: Someone) -> None:
    tested = client.get("/register/models/nanodet-416-int8.json").json()["tested"]
    assert {"age", "skin tone", "wheelchair users and people with walking aids"} <= set(tested["not_tested"])
    assert "how large things look" not in tested["not_tested"], "the sets that ship compare it"
    assert {one["tested_by"] for one in tested["audits"]} == {"the makers of this software"}
    assert all(
        row["between"] is None or row["between"][0] <= row["of_100"] for one in tested["audits"] for row in one["rows"]
    )
    assert "Not tested on</strong>: age, skin tone" in client.get("/register").text
    page = client.get("/register/models/nanodet-416-int8").text
    assert "Not tested on</strong>: age, skin tone" in page
    assert "not enough data: " in page
    assert "Person, by how much it stands out: “low” is missed" in page


@pytest.mark.parametrize(
    "path",
    [
        "/register/sources/nowhere",
        "/register/analytics/nothing",
        "/register/models/none",
        "/charter/versions/99",
        "/charter/versions/-1",
        "/charter/versions/9999999999",
        "/charter/versions/%D9%A1",
        "/charter/diff/1/x",
        "/view/nowhere",
        "/view/nowhere/still.png",
        "/view/nowhere/events",
    ],
)
def test_what_is_not_there_is_said(client: Someone, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "What to do" in answer.text


# ---- charter --------------------------------------------------------------------------------------------------------


def test_the_charter_shows_its_signatures_and_their_entries(client: Someone) -> None:
    record = client.get("/charter.json").json()["record"]
    assert record["in_force"]
    assert [approval["as_role"] for approval in record["approvals"]] == ["authority", "oversight"]
    for approval in record["approvals"]:
        entry = client.get(f"/ledger/entries/{approval['index']}.json").json()["entry"]
        assert (entry["act"], entry["basis"], entry["leaf_hash"]) == (
            "charter_approved",
            "signed",
            approval["leaf_hash"],
        )
    assert "not consulted on" in client.get("/charter").text


def test_the_charter_says_who_may_do_what_rule_by_rule(street: Street, client: Someone) -> None:
    data = client.get("/charter.json").json()["access"]
    charter = street.house.standing().charter
    assert charter is not None
    policies = policies_of(charter)
    assert data["policy_sha256"] == b64(policies.sha256)
    assert data["rules"] == [{"id": r.id, "effect": r.effect, "words": r.words} for r in policies.rules]
    html = client.get("/charter").text
    inside = html[html.index("<details>") : html.index("</details>")]
    for rule in policies.rules:
        assert f"<code>{rule.id}</code>" in inside
        assert str(escape(rule.words)) in inside
    assert inside.count(">forbidden<") == sum(rule.effect == "forbid" for rule in policies.rules) == 1
    older = client.get("/charter/versions/1.json").json()["access"]["rules"]
    assert older  # an older version's own


def test_versions_and_diffs_tell_what_changed(street: Street, client: Someone) -> None:
    data = client.get("/charter/versions.json").json()
    assert [(item["version"], item["in_force"]) for item in data["versions"]] == [(2, True), (1, False)]
    changes = client.get("/charter/diff/1/2.json").json()["changes"]
    assert {change["weight"] for change in changes} == {"narrowing", "maintenance"}
    back = client.get("/charter/diff/2/1.json").json()["changes"]
    assert "widening" in {change["weight"] for change in back}
    assert client.get("/charter/versions/2.json").json()["text"] == street.text


def test_untrusted_words_are_escaped(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.publish(("Assembly point by the car park", "<script>alert(1)</script>&amp;"))
        client = client_of(street)
        for path in ("/", "/register", "/register/sources/street", "/view/street", "/charter", "/charter/versions/1"):
            html = client.get(path).text
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert(1)" in html
    finally:
        street.house.close()
