"""Who may: people by their roles; signers by the charter's rules about sealed originals."""

from __future__ import annotations

import ast
import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from test_policies import CUSTODIANS, FULL, RELEASE

import watchglass
from watchglass.access.about import About, AboutCase, AboutHold, AboutRequest
from watchglass.access.authorise import authorise, check_public, may_all
from watchglass.access.policies import policies_for, policies_of, public_half
from watchglass.access.roles import AUTHORITY, GRANTS, SIGNED_IN, Actor, Grant, May, Person, Role, Signer
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, Refused

NOW = 1_795_435_200_000
CASE = AboutCase("c1", "ina", "§ 100 StPO", "A fall at the steps", NOW + 1000)
REQUEST = AboutRequest("r1", "ina", "ina+9+k", NOW + 1000)
TAKEN = replace(REQUEST, taken=True)
HOLD = AboutHold("h1", NOW + 1000)
INA = Signer("ina", "investigator", "ina+9+k")
DPO = Signer("dpo", "custodian", public_half(CUSTODIANS[0].key))
LEAD = Signer("lea", "shift-lead", "lea+7+k")
CITY, BOARD = Signer("city", AUTHORITY, "city+1+k"), Signer("board", "oversight", "o+2+k")
SIGNERS = (INA, DPO, LEAD, CITY, BOARD)
PEOPLE = tuple(Person(n, role.value, frozenset({role})) for n, role in enumerate(Role))
ALLOWED: dict[May, tuple[Signer, ...]] = {
    May.PUBLISH_SEALING_KEY: (DPO,),
    May.DESTROY_PERIOD: (DPO,),
    May.KEEP_HOLD: (DPO,),
    May.OPEN_CASE: (INA,),
    May.CLOSE_CASE: (INA,),
    May.REQUEST_RELEASE: (INA,),
    May.TAKE_RELEASE: (INA,),
    May.APPROVE_RELEASE: (DPO,),
    May.REFUSE_RELEASE: (DPO,),
    May.BREAK_GLASS: (LEAD, INA),
    May.FOLLOW_UP_GLASS: (INA,),  # whose use it was
    May.ORDER_HOLD: (CITY, BOARD),
    May.LIFT_HOLD: (CITY, BOARD),
    May.SETTLE_SIGNAL: (BOARD,),
    May.READ_INBOX: (DPO,),
    May.READ_SHARES: (DPO,),
    May.READ_OWN_CASES: (LEAD, INA),
    May.FETCH_RELEASE: (INA,),  # who took it
    May.READ_OFFICE: (BOARD,),
    May.READ_DRAFT: (CITY, BOARD),
    May.FETCH_OPENINGS: (BOARD,),
}
WITHOUT_SEALING = {May.READ_OFFICE, May.READ_DRAFT, May.FETCH_OPENINGS}
"""What may be asked whatever the charter keeps."""


def about_of(what: May) -> About | None:
    if what in {May.OPEN_CASE, May.CLOSE_CASE, May.REQUEST_RELEASE}:
        return CASE
    if what in {May.APPROVE_RELEASE, May.REFUSE_RELEASE, May.TAKE_RELEASE, May.FOLLOW_UP_GLASS}:
        return REQUEST
    if what is May.FETCH_RELEASE:
        return TAKEN
    return HOLD if what is May.READ_SHARES else None


def ask(who: Actor | None, what: May, about: About | None = None, now_ms: int = NOW) -> Grant:
    about = about or about_of(what)
    return authorise(who, what, under=FULL, about=about, now_ms=None if about is None else now_ms)


# ---- the whole matrix ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", May)
def test_everybody_and_every_act(what: May) -> None:
    for signer in SIGNERS:
        if signer in ALLOWED.get(what, ()):
            grant = ask(signer, what)
            assert (grant.who, grant.role, grant.what, grant.policy) == (signer, signer.role, what, FULL.sha256)
            assert len(grant.rules) == 1
            continue
        with pytest.raises(Refused):
            ask(signer, what)
    for person in PEOPLE:
        (role,) = person.roles
        if what in GRANTS[role] | GRANTS[Role.PUBLIC] | SIGNED_IN:
            grant = ask(person, what)
            assert (grant.person, grant.role, grant.what) == (person, role, what)
            continue
        with pytest.raises(Refused):
            ask(person, what)
    with pytest.raises(Refused):
        ask(None, what)


def test_without_a_charter_nothing_that_is_signed_is_allowed() -> None:
    for what in ALLOWED.keys() - WITHOUT_SEALING:
        for signer in SIGNERS:
            with pytest.raises(Refused, match="Nobody may do this here") as caught:
                authorise(signer, what, about=about_of(what), now_ms=NOW if about_of(what) else None)
            assert caught.value.details["policy"] == b64(policies_of(None).sha256)


def test_everybody_may_what_is_public_and_nothing_else() -> None:
    for what in May:
        if what is May.SEE_PUBLIC:
            check_public(what)
            continue
        with pytest.raises(Refused):
            check_public(what)


def test_links_show_what_cedar_allows() -> None:
    for person in PEOPLE:
        (role,) = person.roles
        assert may_all(person) == GRANTS[role] | GRANTS[Role.PUBLIC] | SIGNED_IN


# ---- custodians ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signer",
    [
        replace(DPO, key=CUSTODIANS[0].key),
        replace(DPO, key=DPO.key.lower()),
        replace(DPO, name="stranger"),
        replace(DPO, key=public_half(CUSTODIANS[1].key)),
        replace(DPO, name=""),
        replace(DPO, role="investigator"),
        replace(DPO, role="oversight"),
    ],
)
def test_a_custodian_is_a_name_of_the_charter_with_its_own_key(signer: Signer) -> None:
    for what in (what for what, who in ALLOWED.items() if who == (DPO,)):
        with pytest.raises(Refused):
            ask(signer, what)


def test_where_the_charter_names_no_custodian_nobody_is_one() -> None:
    nobody = policies_for((), RELEASE)
    for what in (May.APPROVE_RELEASE, May.DESTROY_PERIOD):
        about = about_of(what)
        with pytest.raises(Refused, match="not allowed"):
            authorise(DPO, what, under=nobody, about=about, now_ms=NOW if about else None)


@pytest.mark.parametrize(
    "own", [replace(REQUEST, requester="dpo"), replace(REQUEST, requester_key=DPO.key)], ids=["by name", "by key"]
)
def test_nobody_answers_their_own_request(own: AboutRequest) -> None:
    for what in (May.APPROVE_RELEASE, May.REFUSE_RELEASE):
        with pytest.raises(Refused, match="made themselves") as caught:
            ask(DPO, what, own)
        assert caught.value.details["rules"] == "release.never-ones-own"


def test_a_name_from_a_charter_cannot_become_a_rule() -> None:
    nasty = 'x") || true || ("\\" == "\n\u2028\U0001f511*'
    policies = policies_for((replace(CUSTODIANS[0], name=nasty),), RELEASE)
    assert authorise(replace(DPO, name=nasty), May.DESTROY_PERIOD, under=policies).rules == ("custodian.keys",)
    for name in ("", "x", nasty + " ", nasty[:-1] + "anything"):
        with pytest.raises(Refused):
            authorise(replace(DPO, name=name), May.DESTROY_PERIOD, under=policies)
    with pytest.raises(BadInput):
        policies_for((replace(CUSTODIANS[0], key=nasty),), RELEASE)


# ---- time, cases and requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "what"),
    [
        (DPO, May.APPROVE_RELEASE),
        (DPO, May.REFUSE_RELEASE),
        (INA, May.TAKE_RELEASE),
        (INA, May.OPEN_CASE),
        (INA, May.REQUEST_RELEASE),
        (INA, May.FETCH_RELEASE),
        (DPO, May.READ_SHARES),
    ],
)
def test_what_runs_out_runs_out_to_the_millisecond(who: Signer, what: May) -> None:
    ask(who, what, now_ms=NOW + 999)
    with pytest.raises(Refused, match="not allowed here and now"):
        ask(who, what, now_ms=NOW + 1000)


@pytest.mark.parametrize("what", [what for what in ALLOWED if about_of(what)])
def test_without_the_time_or_without_what_it_is_about_there_is_no_answer(what: May) -> None:
    who = ALLOWED[what][0]
    with pytest.raises(Refused, match="could not be decided"):
        authorise(who, what, under=FULL, about=about_of(what))
    with pytest.raises(Refused, match="could not be decided"):
        authorise(who, what, under=FULL, now_ms=NOW)
    wrong = REQUEST if about_of(what) is CASE else CASE  # of shares neither is wrong but the case
    with pytest.raises(Refused, match="could not be decided"):
        authorise(who, what, under=FULL, about=wrong, now_ms=NOW)


@pytest.mark.parametrize("now_ms", [2**63, -(2**63) - 1, 1.5, "1", True])
def test_a_time_that_is_none_gives_no_answer(now_ms: object) -> None:
    with pytest.raises(Refused, match="could not be decided"):
        authorise(INA, May.OPEN_CASE, under=FULL, about=CASE, now_ms=now_ms)  # type: ignore[arg-type]


def test_a_case_needs_an_authority_and_a_reason_and_a_request_an_open_case() -> None:
    for less in (replace(CASE, authority=""), replace(CASE, reason=""), replace(CASE, opened_by="ivo")):
        with pytest.raises(Refused, match="not allowed"):
            ask(INA, May.OPEN_CASE, less)
    with pytest.raises(Refused, match="not allowed"):
        ask(INA, May.CLOSE_CASE, replace(CASE, opened_by="ivo"))
    for less in (replace(CASE, authority=""), replace(CASE, closed=True), replace(CASE, opened_by="ivo")):
        with pytest.raises(Refused, match="not allowed") as caught:
            ask(INA, May.REQUEST_RELEASE, less)
        assert "neither closed nor ended" in caught.value.fix


def test_only_who_requested_it_takes_it_and_only_who_broke_it_reports() -> None:
    for other in (replace(INA, name="ivo"), replace(INA, key="ina+9+another")):
        with pytest.raises(Refused):
            ask(other, May.TAKE_RELEASE)
    with pytest.raises(Refused):
        ask(LEAD, May.FOLLOW_UP_GLASS)
    assert ask(LEAD, May.FOLLOW_UP_GLASS, replace(REQUEST, requester="lea")).role == "shift-lead"


def test_what_was_released_is_fetched_by_who_took_it_and_what_was_broken_by_who_broke_it() -> None:
    broken = replace(REQUEST, requester="lea", requester_key=LEAD.key, emergency=True)
    assert ask(LEAD, May.FETCH_RELEASE, broken).rules == ("glass.fetch.shift-lead",)
    mine = replace(broken, requester="ina", requester_key=INA.key)
    assert ask(INA, May.FETCH_RELEASE, mine).rules == ("glass.fetch.investigator",)
    for who, about in (
        (INA, REQUEST),  # not taken
        (INA, broken),
        (LEAD, TAKEN),
        (LEAD, replace(broken, emergency=False, taken=True)),  # a shift lead requests nothing of custodians
        (LEAD, replace(broken, requester_key="another")),
        (INA, replace(TAKEN, requester="ivo")),
        (DPO, TAKEN),
        (BOARD, TAKEN),
    ):
        with pytest.raises(Refused):
            ask(who, May.FETCH_RELEASE, about)


def test_shares_are_read_of_what_is_open() -> None:
    assert ask(DPO, May.READ_SHARES, REQUEST).rules == ("custodian.shares",)
    assert ask(DPO, May.READ_SHARES, HOLD).rules == ("custodian.held-shares",)
    for about in (replace(REQUEST, emergency=True), replace(HOLD, lifted=True), replace(HOLD, until_ms=NOW)):
        with pytest.raises(Refused):
            ask(DPO, May.READ_SHARES, about)


def test_the_glass_is_broken_by_whom_the_charter_names() -> None:
    assert RELEASE.break_glass is not None
    leads = policies_for(CUSTODIANS, replace(RELEASE, break_glass=replace(RELEASE.break_glass, by=("shift-lead",))))
    assert authorise(LEAD, May.BREAK_GLASS, under=leads).rules == ("glass.shift-lead",)
    with pytest.raises(Refused):
        authorise(INA, May.BREAK_GLASS, under=leads)
    none = policies_for(CUSTODIANS, replace(RELEASE, break_glass=None))
    with pytest.raises(Refused, match="Nobody may do this here"):
        authorise(LEAD, May.BREAK_GLASS, under=none)


# ---- the grant -----------------------------------------------------------------------------------------------------


def test_a_grant_names_the_first_role_and_every_rule_that_let_them() -> None:
    both = Person(1, "x", frozenset({Role.SHIFT_LEAD, Role.REVIEWER, Role.CLERK}))
    grant = authorise(both, May.DECIDE_ALERT)
    assert (grant.role, grant.rules) == (Role.REVIEWER, ("role.reviewer", "role.shift-lead"))
    assert authorise(both, May.SEE_SOURCES).role is Role.SHIFT_LEAD
    assert authorise(both, May.KEEP_OWN_ACCOUNT).role is Role.REVIEWER
    assert grant.as_json() == {"policy": b64(policies_of(None).sha256), "rules": ["role.reviewer", "role.shift-lead"]}


def test_a_signers_grant_is_of_nobody_who_is_signed_in() -> None:
    with pytest.raises(Refused, match="signed in here"):
        _ = ask(INA, May.OPEN_CASE).person


def test_a_grant_cannot_be_made_changed_or_copied() -> None:
    grant = authorise(PEOPLE[1], May.SEE_QUEUE)
    for token in (None, object(), True):
        with pytest.raises(TypeError, match="authorise only"):
            Grant(grant.who, grant.role, May.MANAGE_ACCOUNTS, grant.policy, grant.rules, token)
    with pytest.raises(TypeError, match="authorise only"):
        replace(grant, what=May.MANAGE_ACCOUNTS, token=None)
    with pytest.raises(FrozenInstanceError):
        grant.what = May.MANAGE_ACCOUNTS  # type: ignore[misc]  # what the test is about
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            attempt(grant)


def test_only_authorise_knows_the_token() -> None:
    root, users = Path(watchglass.__file__).parent, set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            used = getattr(node, "attr", "") == "_TOKEN" or getattr(node, "id", "") == "_TOKEN"
            if "_TOKEN" in names or used:
                users.add(path.relative_to(root).as_posix())
    assert users == {"access/roles.py", "access/authorise.py"}
