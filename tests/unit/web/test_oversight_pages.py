"""Oversight's place, the administrator's list, one's own account, and the interface for programs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import DATA, PASSWORD, Portal, Someone, make_portal
from a_street import Seeded, make_street

from watchglass.access.roles import Role
from watchglass.bootstrap import open_bundle, read_openings_key
from watchglass.charter.parse import parse
from watchglass.cli.main import parser
from watchglass.core.digest import b64, unb64
from watchglass.edge.keys import new_openings_key, openings_key_text, write_openings_key
from watchglass.web.portal.accounts import ROLE_WORDS
from watchglass.web.portal.api import StandingNow
from watchglass.web.portal.app import create_app
from watchglass.web.portal.routes import ADMINISTRATION, OVERSIGHT, SESSION, STAFF


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("oversight"))
    made.street.settle()
    yield made
    made.street.house.close()


# ---- everything done -----------------------------------------------------------------------------------------------


def test_everything_done_is_listed_newest_first_and_can_be_narrowed(portal: Portal) -> None:
    oversight = portal.person("oversight")
    data = oversight.get("/oversight.json").json()
    places = [entry["index"] for entry in data["entries"]]
    assert places == sorted(places, reverse=True)
    assert data["entries_in_all"] == sum(data["acts"].values()) == places[0] + 1
    accounts = oversight.get("/oversight.json?act=account_changed").json()["entries"]
    assert len(accounts) == data["acts"]["account_changed"] == 12
    hour = accounts[0]["hour"]
    assert oversight.get(f"/oversight.json?act=account_changed&hour={hour[:10]}").json()["entries"] == accounts
    assert oversight.get("/oversight.json?hour=1999").json()["entries"] == []
    assert oversight.get(f"/oversight.json?before={places[3]}").json()["entries"][0]["index"] == places[4]
    assert f'href="/ledger/entries/{places[0]}"' in oversight.get("/oversight").text


@pytest.mark.parametrize("query", ["hour=%25", "hour=2026-11-23T14%20OR%201", "before=x"])
def test_a_filter_that_makes_no_sense_is_told(portal: Portal, query: str) -> None:
    answer = portal.person("oversight").get(f"/oversight.json?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")


def test_the_suspension_page_writes_a_command_that_the_command_line_takes(portal: Portal) -> None:
    oversight = portal.person("oversight")
    reason = "it's wrong; rm -rf /"
    data = oversight.send(
        "GET", "/oversight/suspend.json", params={"analytic": "gathering", "reason": reason, "key": "my key.pem"}
    ).json()
    words = shlex.split(data["command"])
    assert words[0] == "watchglass"
    args = parser("oversight").parse_args(words[1:])
    assert (args.where, args.analytic, args.reason, str(args.key)) == (
        "http://localhost",
        "gathering",
        reason,
        "my key.pem",
    )
    everything = shlex.split(oversight.get("/oversight/suspend.json?analytic=unknown").json()["command"])
    assert "--all" in everything
    assert portal.street.house.store.read().all("SELECT * FROM suspension") == []  # nothing was ordered by looking


def test_taking_the_openings_gives_one_file_and_is_recorded(portal: Portal, tmp_path: Path) -> None:
    house, oversight = portal.street.house, portal.person("oversight")
    answer = oversight.post("/oversight/openings")
    assert answer.headers["content-disposition"].startswith('attachment; filename="openings-')
    portal.street.settle()
    assert oversight.get("/oversight.json?act=openings_taken").json()["entries"]
    bundle = tmp_path / "openings.json"
    bundle.write_bytes(answer.content)
    key = new_openings_key(Seeded("openings"))  # the street's
    assert openings_key_text(key.public_key()) in portal.street.text
    write_openings_key(tmp_path / "key", key, passphrase=None)
    opened = open_bundle(bundle, str(house.layout.ledger), read_openings_key(tmp_path / "key"), None)
    assert {"reviewer", "administrator"} <= {entry["fields"].get("account") for entry in opened}


# ---- accounts ------------------------------------------------------------------------------------------------------


def test_an_administrator_opens_changes_and_closes_accounts(portal: Portal) -> None:
    administrator = portal.person("administrator")
    page = administrator.post("/accounts", {"name": "nina", "roles": ["reviewer", "responder"]})
    shown = re.search(r'class="big mono">([a-z-]+)<', page.text)
    assert shown
    nina = portal.someone(address="198.51.100.99")
    assert nina.sign_in("nina", shown[1]).headers["location"] == "/review"
    assert shown[1] not in administrator.get("/accounts").text  # shown once
    listed = administrator.get("/accounts.json").json()["accounts"]
    found = next(account for account in listed if account["name"] == "nina")
    assert (found["roles"], found["closed_ms"]) == (["responder", "reviewer"], None)
    assert "password" not in json.dumps(listed)
    assert administrator.post(f"/accounts/{found['id']}/roles", {"roles": ["clerk"]}).status_code == 303
    assert nina.get("/review.json").status_code == 401
    again = re.search(r'class="big mono">([a-z-]+)<', administrator.post(f"/accounts/{found['id']}/password").text)
    assert again
    assert nina.sign_in("nina", shown[1]).status_code == 401
    assert nina.sign_in("nina", again[1]).headers["location"] == "/account"
    assert administrator.post(f"/accounts/{found['id']}/close").status_code == 303
    assert nina.get("/account.json").status_code == 401


def test_an_account_that_cannot_be_is_told_beside_its_field(portal: Portal) -> None:
    administrator = portal.person("administrator")
    for fields in ({"name": "reviewer", "roles": "clerk"}, {"name": "Ä", "roles": "clerk"}, {"name": "nobody"}):
        answer = administrator.post("/accounts", fields)
        assert answer.status_code == 400
        assert "No account was opened" in answer.text
    assert administrator.post("/accounts", {"name": "x1", "roles": "king"}, DATA).json()["error"] == "BadInput"


def test_nobody_gives_themselves_a_role(portal: Portal) -> None:
    administrator = portal.person("administrator")
    listed = administrator.get("/accounts.json").json()["accounts"]
    me = next(account["id"] for account in listed if account["name"] == "administrator")
    for what in ("roles", "close", "password"):
        answer = administrator.post(f"/accounts/{me}/{what}", {"roles": "reviewer"}, DATA)
        assert (answer.status_code, answer.json()["error"]) == (403, "Refused")


def test_people_change_their_own_password(portal: Portal) -> None:
    clerk, elsewhere = portal.someone(address="198.51.100.77"), portal.someone(address="198.51.100.78")
    assert clerk.sign_in("clerk").status_code == 303
    assert elsewhere.sign_in("clerk").status_code == 303
    fresh = "quite another set of words"
    for old, new, again in (
        ("wrong words entirely", fresh, fresh),
        (PASSWORD, fresh, "something different"),
        (PASSWORD, "short", "short"),
    ):
        refused = clerk.post("/account", {"old": old, "new": new, "again": again})
        assert refused.status_code == 400
        assert "The password was not changed" in refused.text
    assert clerk.post("/account", {"old": PASSWORD, "new": fresh, "again": fresh}).status_code == 303
    assert clerk.get("/account").status_code == 200
    assert elsewhere.get("/account.json").status_code == 401
    assert portal.someone(address="198.51.100.79").sign_in("clerk", fresh).status_code == 303


# ---- programs ------------------------------------------------------------------------------------------------------


def test_the_standing_says_what_a_signer_needs_as_its_description_says(portal: Portal) -> None:
    data = portal.someone().get("/api/v1/standing").json()
    StandingNow.model_validate(data)
    house = portal.street.house
    assert data["origin"] == house.origin
    assert data["deployment"] == "demo"
    assert unb64(data["charter"]["sha256"]) == house.standing().charter.sha256
    assert data["log_vkey"] == house.log_vkey
    assert {analytic["name"]: analytic["runs"] for analytic in data["analytics"]}["gathering"] is True
    assert data["suspensions"] == []


def test_oversights_signed_order_is_obeyed_without_any_account(tmp_path: Path) -> None:
    portal = make_portal(tmp_path)
    street, visitor = portal.street, portal.someone()
    portal.alert()
    statement = street.signed(
        "suspension_ordered", "oversight", {"scope": "analytic", "analytic": "gathering"}, {"reason": "A test."}
    )
    answer = visitor.send("POST", "/api/v1/signed-acts", content=statement.encode())
    assert answer.status_code == 200
    assert answer.json()["receipt"]["origin"] == street.house.origin
    standing = visitor.get("/api/v1/standing").json()
    order = standing["suspensions"][0]
    assert (order["leaf_hash"], order["analytic"], order["lifted"]) == (answer.json()["leaf_hash"], "gathering", False)
    gathering = next(analytic for analytic in standing["analytics"] if analytic["name"] == "gathering")
    assert gathering["runs"] is False
    assert any("suspended" in reason for reason in gathering["reasons"])
    again = visitor.send("POST", "/api/v1/signed-acts", content=statement.encode())
    assert (again.status_code, again.json()["error"]) == (409, "Problem")
    forged = statement.encode().replace(b'"gathering"', b'"in-the-bays"')
    wrong = visitor.send("POST", "/api/v1/signed-acts", content=forged)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "DidNotVerify")
    for nonsense in (b"", b"{}", b"[1", b"\xff", b'{"watchglass_statement":1}'):
        refused = visitor.send("POST", "/api/v1/signed-acts", content=nonsense)
        assert (refused.status_code, refused.json()["error"]) == (400, "BadInput"), nonsense
    orders = portal.person("oversight").get("/oversight/suspend.json").json()
    assert shlex.split(orders["lift"][0])[2:4] == ["resume", "http://localhost"]
    parser("oversight").parse_args(shlex.split(orders["lift"][0])[1:])
    street.house.close()


def test_signed_acts_are_paced(portal: Portal) -> None:
    visitor = portal.someone(address="203.0.113.200")
    statuses = [visitor.send("POST", "/api/v1/signed-acts", content=b"{}").status_code for _ in range(31)]
    assert statuses == [400] * 30 + [429]


def test_a_charter_is_published_by_its_two_signatures(tmp_path: Path) -> None:
    portal = make_portal(tmp_path)
    street, visitor = portal.street, portal.someone()
    text = street.text.replace("version: 1", "version: 2")
    assert text != street.text
    charter = parse(text.encode())
    approvals = [json.loads(street._approval(charter, role).encode()) for role in ("authority", "oversight")]
    one = visitor.send("POST", "/api/v1/charters", json={"text": text, "approvals": approvals[:1]})
    assert (one.status_code, one.json()["error"]) == (400, "DidNotVerify")
    both = visitor.send("POST", "/api/v1/charters", json={"text": text, "approvals": approvals})
    assert (both.status_code, both.json()["version"], both.json()["sha256"]) == (200, 2, b64(charter.sha256))
    for nonsense in (b"", b"[]", b'{"text":1}', b'{"text":"x"}', b'{"text":"x","approvals":[1.5]}'):
        assert visitor.send("POST", "/api/v1/charters", content=nonsense).json()["error"] == "BadInput", nonsense
    street.house.close()


def test_nobody_publishes_the_first_charter_from_afar(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    visitor = Someone(create_app(street.house))
    charter = parse(street.text.encode())
    approvals = [json.loads(street._approval(charter, role).encode()) for role in ("authority", "oversight")]
    answer = visitor.send("POST", "/api/v1/charters", json={"text": street.text, "approvals": approvals})
    assert (answer.status_code, answer.json()["error"]) == (403, "Refused")
    assert street.house.standing().charter is None
    street.house.close()


def test_the_interface_is_described_for_machines_and_people(portal: Portal) -> None:
    described = portal.someone().get("/api/openapi.json").json()
    assert {"/api/v1/standing", "/api/v1/signed-acts", "/api/v1/charters"} <= set(described["paths"])
    for path, methods in described["paths"].items():
        assert not path.startswith(("/review", "/respond", "/accounts", "/oversight", "/sources")), path
        for call in methods.values():
            assert call.get("description"), path
    page = portal.someone().get("/api").text
    assert "POST /api/v1/signed-acts" in page
    assert portal.someone().get("/healthz").json() == {"ok": True}


def test_every_reference_page_names_every_endpoint() -> None:
    docs = Path(__file__).parents[3] / "docs/reference"
    staff, api = (docs / "portal-staff.md").read_text("utf-8"), (docs / "api.md").read_text("utf-8")
    for rule in (*STAFF, *OVERSIGHT, *ADMINISTRATION, *SESSION):
        assert f"`{rule.path.removesuffix('.json')}`" in staff, rule.path
    for path in ("/api/v1/standing", "/api/v1/signed-acts", "/api/v1/charters", "/api/openapi.json", "/healthz"):
        assert f"`{path}`" in api.replace("GET ", "").replace("POST ", ""), path


def test_no_role_is_without_words() -> None:
    assert set(ROLE_WORDS) == set(Role) - {Role.PUBLIC}
