"""Who may what, for any roles, names and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.access.about import AboutRequest
from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_for, public_half
from watchglass.access.roles import GRANTS, SIGNED_IN, Actor, May, Person, Role, Signer
from watchglass.charter.sealing import Custodian, Quorum, Release
from watchglass.core.errors import Refused
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey

TEXT = st.text(max_size=40)
INSTANTS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
KEYS = tuple(str(SignerKey.generate("k.example", SeededEntropy(str(n))).verifier) for n in range(3))
CUSTODIANS = st.lists(
    st.builds(Custodian, TEXT, st.sampled_from(KEYS)), min_size=1, max_size=4, unique_by=lambda one: one.name
)


def allowed(*arguments: object, **more: object) -> bool:
    try:
        authorise(*arguments, **more)  # type: ignore[arg-type]
    except Refused:
        return False
    return True


@given(st.frozensets(st.sampled_from(Role)), st.sampled_from(May), TEXT, INSTANTS)
def test_people_may_what_one_of_their_roles_may(roles: frozenset[Role], what: May, name: str, account: int) -> None:
    expected = SIGNED_IN | GRANTS[Role.PUBLIC] | frozenset(act for role in roles for act in GRANTS[role])
    assert allowed(Person(account, name, roles), what) is (what in expected)


@given(CUSTODIANS, st.data(), TEXT, TEXT, INSTANTS, INSTANTS)
def test_a_custodian_answers_others_in_time(
    custodians: list[Custodian], data: st.DataObject, requester: str, key: str, until: int, now: int
) -> None:
    policies = policies_for(tuple(custodians), Release(Quorum(1, len(custodians))))
    names = st.sampled_from([one.name for one in custodians]) | TEXT
    keys = st.sampled_from([public_half(key) for key in KEYS]) | TEXT
    who: Actor = Signer(data.draw(names), Role.CUSTODIAN, data.draw(keys))
    pinned = (who.name, who.key) in {(one.name, public_half(one.key)) for one in custodians}
    about = AboutRequest("r", requester, key, until)
    may = pinned and now < until
    own = requester == who.name or key == who.key
    for what in (May.APPROVE_RELEASE, May.REFUSE_RELEASE):
        assert allowed(who, what, under=policies, about=about, now_ms=now) is (may and not own)


@pytest.mark.parametrize("key", ["\ud800", "a\udfff"])
def test_half_a_character_is_nobodys_key(key: str) -> None:
    policies = policies_for((Custodian("dpo", KEYS[0]),), Release(Quorum(1, 1)))
    assert not allowed(Signer("dpo", Role.CUSTODIAN, key), May.DESTROY_PERIOD, under=policies)
