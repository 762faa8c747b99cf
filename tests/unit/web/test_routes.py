"""Deny by default: the whole table of roles and endpoints, written down a second time by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_portal import DATA, OURS, Portal, make_portal
from fastapi import FastAPI

from watchglass.access.roles import May, Role
from watchglass.web.portal import routes, staff
from watchglass.web.portal.app import create_app
from watchglass.web.portal.routes import RULES, Rule, Table, check, sample

EVERYONE = (
    *("/", "/index.json", "/tour", "/tour.json", "/register", "/charter", "/ledger", "/view", "/log", "/static"),
    *("/healthz", "/api", "/login", "/costs"),
)
SIGNED_IN = ("/account", "/logout")
OPEN_TO = {
    "reviewer": ("/review",),
    "responder": ("/respond",),
    "shift-lead": ("/review", "/notices", "/figures", "/sources"),
    "operator": ("/notices", "/sources", "/sources/{name}/backdrop"),
    "custodian": (),
    "investigator": (),
    "privacy-officer": ("/figures",),
    "analyst": (),
    "clerk": (),
    "oversight": ("/oversight", "/sources"),
    "administrator": ("/accounts",),
}
ONLY_OPERATORS = ("/sources/{name}/backdrop", "/sources/{name}/zones")


def _under(path: str, prefixes: tuple[str, ...]) -> bool:
    path = path.removesuffix(".json")
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def expected(role: str, rule: Rule) -> bool:
    """Whether somebody may, by the lists above and nothing else."""
    if _under(rule.path, EVERYONE) or rule.path == "/index.json":
        return True
    if not role:
        return False
    if _under(rule.path, SIGNED_IN):
        return True
    if _under(rule.path, ONLY_OPERATORS):
        return role == "operator"
    return _under(rule.path, OPEN_TO[role])


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("routes"))
    yield made
    made.street.house.close()


ROLES = ["", *(role.value for role in list(Role)[1:])]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "nobody")
def test_each_role_reaches_what_is_listed_and_nothing_else(portal: Portal, role: str) -> None:
    person = portal.person(role) if role else portal.someone()
    wrong = []
    for rule in RULES:
        allowed = expected(role, rule)
        if rule.stream and allowed:
            continue  # stays open; see test_app_events
        path = sample(rule.path)
        # a POST goes without the session's token: who may is stopped by that, who may not is refused before
        answer = person.send(rule.method, path, headers={**DATA, **(OURS if rule.method == "POST" else {})})
        error = answer.json().get("error") if "application/json" in answer.headers.get("content-type", "") else None
        denied = error in {"Refused", "NotSignedIn"}
        if denied is allowed:
            wrong.append(f"{rule.method} {rule.path}: {answer.status_code} {error}")
        if rule.method == "POST" and rule.csrf and allowed and error != "Unacceptable":
            wrong.append(f"{rule.path} went without the token: {answer.status_code} {error}")
    assert wrong == []


def test_no_administrator_role_reaches_a_picture() -> None:
    pictures = [rule for rule in RULES if rule.path.endswith((".png", ".mp4")) and not rule.public]
    assert len(pictures) >= 4
    assert not any(expected("administrator", rule) for rule in pictures)


def test_what_is_not_listed_does_not_exist(portal: Portal) -> None:
    for path in ("/nope", "/review/alerts/x/nope", "/docs", "/openapi.json", "/redoc", "/log/../charter.yaml", "/.env"):
        assert portal.someone().get(path, DATA).status_code == 404, path


def test_the_wrong_method_is_told(portal: Portal) -> None:
    answer = portal.someone().send("PUT", "/login", headers={**DATA, **OURS})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


def test_an_endpoint_without_a_rule_stops_the_start(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    router = type(staff.router)()
    router.include_router(staff.router)

    @router.get("/review/secret")
    def secret() -> dict[str, str]:
        return {}

    monkeypatch.setattr(staff, "router", router)
    with pytest.raises(RuntimeError, match="GET /review/secret has no rule"):
        create_app(portal.street.house)


def test_a_rule_without_an_endpoint_stops_the_start(portal: Portal) -> None:
    with pytest.raises(RuntimeError, match="GET /ghost"):
        check(portal.app, (*RULES, Rule("GET", "/ghost", May.SEE_QUEUE)))


def test_a_request_judged_by_one_rule_and_answered_by_another_stops_the_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    rules = (Rule("GET", "/a/{x}", May.SEE_PUBLIC), Rule("GET", "/a/{x}.json", May.SEE_QUEUE))
    app.add_api_route("/a/{x}", lambda x: x)  # comes first, so it would also answer for its twin
    app.add_api_route("/a/{x}.json", lambda x: x)
    with pytest.raises(RuntimeError, match=r"judged by the rule of /a/\{x\}\.json and answered by /a/\{x\}\."):
        check(app, rules)


def test_the_application_and_the_table_choose_the_same_endpoint(portal: Portal) -> None:
    for rule in RULES:
        found = Table().find(rule.method, sample(rule.path))
        assert found is not None
        assert found.path == rule.path


def test_sample_paths_are_concrete() -> None:
    assert routes.sample("/charter/diff/{a}/{b}") == "/charter/diff/1/2"
    assert all("{" not in sample(rule.path) for rule in RULES)
