"""Deny by default: every endpoint, asked by every role and by nobody, through the real application.

The endpoints come from the route table. Who may is written down a second time here, by hand; the table, Cedar and what
the application answers must all three agree with it. What is not under one of these prefixes is open to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import httpx
import pytest
from a_portal import DATA, OURS, Portal, Someone, make_portal
from fastapi import FastAPI

from watchglass.access.authorise import authorise, check_public
from watchglass.access.policies import policies_of
from watchglass.access.roles import May, Person, Role
from watchglass.acts.accounts import change_roles, open_account
from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.web.portal import routes, staff
from watchglass.web.portal.app import create_app
from watchglass.web.portal.routes import RULES, Pace, Rule, Table, check, sample

EVERYONE = (
    *("/", "/index.json", "/tour", "/tour.json", "/register", "/charter", "/ledger", "/view", "/log", "/static"),
    *("/healthz", "/api", "/login", "/costs", "/originals", "/audit", "/how-well"),
)
SIGNED_IN = ("/account", "/logout")
OPEN_TO = {
    "reviewer": ("/review",),
    "responder": ("/respond", "/drills"),
    "shift-lead": (
        *("/review", "/doubts", "/notices", "/drills", "/reports", "/figures", "/quality"),
        *("/sources", "/desk"),
    ),
    "operator": ("/notices", "/drills", "/reports", "/quality", "/sources", "/sources/{name}/backdrop"),
    "custodian": ("/desk",),
    "investigator": ("/desk",),
    "privacy-officer": ("/figures",),
    "analyst": (),
    "clerk": (),
    "oversight": ("/oversight", "/drills", "/quality", "/sources"),
    "administrator": ("/accounts",),
}
ONLY_OPERATORS = ("/sources/{name}/backdrop", "/sources/{name}/zones")
UNSIGNED_IN_POSTS = {
    "/login",
    "/api/v1/signed-acts",
    "/api/v1/charters",
    "/api/v1/bundles",
    "/api/v1/queries",
    "/api/v1/segments",
}
"""All that anybody may post without a session: the signature over it is the authority, or a password."""


PLANS_DRILLS = ("shift-lead", "operator")
RUNS_DRILLS = (*PLANS_DRILLS, "responder")


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
    if _under(rule.path, ONLY_OPERATORS) or (rule.method == "POST" and _under(rule.path, ("/quality",))):
        return role == "operator"
    if rule.method == "POST" and _under(rule.path, ("/drills",)):
        return role in (RUNS_DRILLS if rule.path.endswith(("/begin", "/end", "/tell")) else PLANS_DRILLS)
    return _under(rule.path, OPEN_TO[role])


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("routes"))
    yield made
    made.street.house.close()


ROLES = ["", *(role.value for role in list(Role)[1:])]


def by_cedar(role: str, rule: Rule) -> bool:
    """Whether somebody may, by the policies alone."""
    who = Person(1, role, frozenset({Role(role)})) if role else None
    try:
        check_public(rule.needs) if who is None else authorise(who, rule.needs)
    except Refused:
        return False
    return True


async def promptly(person: Someone, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """One request; a stream that opens although it should not would otherwise hold the test for ever."""
    with anyio.fail_after(60):
        return await person.client.request(method, path, headers=headers)


def said(answer: httpx.Response) -> str:
    """The kind of error that was answered, or nothing."""
    if "application/json" not in answer.headers.get("content-type", ""):
        return ""
    value = answer.json()
    return str(value.get("error", "")) if isinstance(value, dict) else ""


def state(portal: Portal) -> dict[str, list[tuple[object, ...]]]:
    """Every table of the database, but for when sessions were used."""
    reader = portal.street.house.store.read()
    tables = [row["name"] for row in reader.all("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: [tuple(row) for row in reader.all(f"SELECT * FROM {name}")] for name in tables if name != "session"}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "nobody")
def test_each_role_reaches_what_is_listed_and_nothing_else(portal: Portal, role: str) -> None:
    person = portal.person(role) if role else portal.someone()
    before, wrong = state(portal), []
    for rule in RULES:
        allowed = expected(role, rule)
        if by_cedar(role, rule) is not allowed:
            wrong.append(f"{rule.method} {rule.path}: Cedar says {not allowed}")
        if rule.stream and allowed:
            continue  # stays open; see test_app_events
        path = sample(rule.path)
        # a POST goes without the session's token: who may is stopped by that, who may not is refused before
        headers = {**DATA, **(OURS if rule.method == "POST" else {})}
        answer = anyio.run(promptly, person, rule.method, path, headers)
        denied = said(answer) in {"Refused", "NotSignedIn"}
        if denied is allowed:
            wrong.append(f"{rule.method} {rule.path}: {answer.status_code} {said(answer)}")
        if denied and answer.status_code != (403 if role else 401):
            wrong.append(f"{rule.method} {rule.path}: denied with {answer.status_code}")
        if rule.method == "POST" and rule.csrf and allowed and said(answer) != "Unacceptable":
            wrong.append(f"{rule.path} went without the token: {answer.status_code} {said(answer)}")
    assert wrong == []
    assert state(portal) == before


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "nobody")
def test_no_post_without_our_own_page_and_its_token(portal: Portal, role: str) -> None:
    person = portal.person(role) if role else portal.someone()
    another = portal.person("rosa").csrf
    before, wrong = state(portal), []
    for rule in RULES:
        if rule.method != "POST" or rule.pace in {Pace.SIGNED, Pace.ASKED}:
            continue
        path, allowed = sample(rule.path), expected(role, rule)
        tries = [
            ("from elsewhere", person.csrf, {"origin": "http://evil.example"}),
            ("from a sister site", person.csrf, {"origin": "http://localhost", "sec-fetch-site": "same-site"}),
            ("from nowhere", person.csrf, {}),
        ]
        if rule.csrf:
            tries += [("with another's token", another, OURS), ("with an empty token", "", OURS)]
        if not allowed:
            tries.append(("with everything in order", person.csrf, OURS))
        for how, token, headers in tries:
            answer = person.send("POST", path, data={"csrf": token}, headers={**DATA, **headers})
            kind = "Unacceptable" if allowed else ("Refused" if role else "NotSignedIn")
            if said(answer) != kind:
                wrong.append(f"{rule.path} {how}: {answer.status_code} {said(answer)}")
    assert wrong == []
    assert state(portal) == before


def test_what_anybody_may_post_is_signed_or_a_password(portal: Portal) -> None:
    open_posts = {rule.path for rule in RULES if rule.method == "POST" and rule.public}
    assert open_posts == UNSIGNED_IN_POSTS
    assert {rule.path for rule in RULES if not rule.csrf and rule.method == "POST"} == UNSIGNED_IN_POSTS
    before, visitor = state(portal), portal.someone(address="192.0.2.77")
    for path in sorted(UNSIGNED_IN_POSTS - {"/login"}):
        for body in (b"", b"{}", b"nonsense"):
            answer = visitor.send("POST", path, content=body, headers=DATA)
            assert answer.status_code in {400, 403, 422}, (path, body, answer.status_code)
    assert state(portal) == before


def test_a_head_is_denied_like_its_get(portal: Portal) -> None:
    for role in ("", "custodian"):
        person = portal.person(role) if role else portal.someone()
        for rule in RULES:
            if rule.method == "GET" and not rule.stream and not expected(role, rule):
                answer = person.send("HEAD", sample(rule.path), headers=DATA)
                assert answer.status_code == (403 if role else 401), rule.path


def test_no_other_method_is_answered(portal: Portal) -> None:
    lead = portal.person("shift-lead")
    for path in {rule.path for rule in RULES}:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert lead.send(method, sample(path), headers={**DATA, **OURS}).status_code == 405, (method, path)


def test_an_endpoint_that_nobody_listed_here_is_open_to_nobody() -> None:
    for path in ("/secret", "/reviews", "/api2", "/oversight2"):
        assert not any(expected(role, Rule("GET", path, May.SEE_QUEUE)) for role in ROLES)


def test_people_with_two_roles_reach_what_either_reaches(portal: Portal) -> None:
    house = portal.street.house
    open_account(house.acting, None, "rita", [Role.REVIEWER, Role.ADMINISTRATOR], "!")
    both = portal.person("rita")
    for path, allowed in (("/review", True), ("/accounts", True), ("/oversight", False), ("/sources", False)):
        assert both.get(path, DATA).status_code == (200 if allowed else 403), path
    change_roles(house.acting, None, "rita", [Role.CLERK])  # and is signed out by that
    portal.people.pop("rita")
    assert both.get("/review", DATA).status_code == 401
    assert portal.person("rita").get("/review", DATA).status_code == 403


def test_a_refusal_says_by_which_policies(portal: Portal) -> None:
    answer = portal.person("clerk").get("/review", DATA).json()
    policies = policies_of(portal.street.house.standing().charter)
    assert answer["policy"] == b64(policies.sha256)
    assert "reviewer, shift-lead" in answer["fix"]


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
