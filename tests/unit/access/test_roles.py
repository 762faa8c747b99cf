"""Who may what: one table, denied by default."""

from __future__ import annotations

import pytest

from watchglass.access.authorise import authorise, may_all
from watchglass.access.roles import GRANTS, SIGNED_IN, Grant, May, Person, Role
from watchglass.core.errors import Refused

PICTURES = {May.SEE_CLIP, May.CONFIRM_BACKDROP, May.SEE_QUEUE, May.RESPOND}


def test_every_role_is_in_the_table_and_everybody_may_see_what_is_public() -> None:
    assert GRANTS.keys() == set(Role)
    for role in Role:
        assert May.SEE_PUBLIC in may_all(Person(1, "x", frozenset({role})))


def test_no_administrator_and_no_oversight_sees_pictures() -> None:
    assert not GRANTS[Role.ADMINISTRATOR] & PICTURES
    assert not GRANTS[Role.OVERSIGHT] & PICTURES
    for role in (Role.CUSTODIAN, Role.ANALYST, Role.CLERK, Role.PRIVACY_OFFICER):
        assert not GRANTS[role] & PICTURES


def test_no_role_both_manages_accounts_and_decides() -> None:
    for role in Role:
        assert not {May.MANAGE_ACCOUNTS, May.DECIDE_ALERT} <= GRANTS[role]


@pytest.mark.parametrize("what", [act for act in May if act is not May.SEE_PUBLIC and act not in SIGNED_IN])
def test_what_is_not_granted_is_refused(what: May) -> None:
    for role in Role:
        person = Person(1, "x", frozenset({role}))
        assert (what in may_all(person)) == (what in GRANTS[role])
        if what in GRANTS[role]:
            grant = authorise(person, what)
            assert (grant.person, grant.role, grant.what) == (person, role, what)
            grant.require(what)
        else:
            with pytest.raises(Refused) as caught:
                authorise(person, what)
            assert all(needed in caught.value.fix for needed in Role if what in GRANTS[needed])
    with pytest.raises(Refused):
        authorise(None, what)


def test_a_grant_is_bound_to_what_it_was_given_for() -> None:
    grant = authorise(Person(1, "x", frozenset({Role.REVIEWER})), May.SEE_QUEUE)
    for other in set(May) - {May.SEE_QUEUE}:
        with pytest.raises(Refused, match=f"not of {other}"):
            grant.require(other)
    with pytest.raises(TypeError):
        Grant(grant.person, Role.REVIEWER, May.DECIDE_ALERT, policy=grant.policy, rules=grant.rules, token=None)
