"""Policies: compiled from the table of roles and the charter, checked before use; whatever goes wrong is a no."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cedarpy
import pytest

from watchglass.access import reference
from watchglass.access.authorise import authorise
from watchglass.access.policies import (
    ABOUT_CASE,
    ABOUT_REQUEST,
    ABOUT_SHARES,
    Policies,
    Rule,
    encode,
    entities_of,
    of_offices,
    of_roles,
    policies_for,
    policies_of,
    prepare,
    public_half,
    rule,
    schema_text,
)
from watchglass.access.roles import GRANTS, IN_WORDS, SIGNED_IN, May, Person, Role
from watchglass.charter.sealing import Custodian, GlassRule, Quorum, Release
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput, Refused
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey
from watchglass.records.fields import NAME


def vkey(name: str) -> str:
    return str(SignerKey.generate(f"{name}.example", SeededEntropy(name)).verifier)


CUSTODIANS = tuple(Custodian(name, vkey(name)) for name in ("dpo", "oversight", "control-room"))
GLASS = GlassRule("x25519", ("shift-lead", "investigator"), 10 * MINUTE, 2 * HOUR, DAY)
RELEASE = Release(Quorum(2, 3), ("oversight",), break_glass=GLASS)
FULL = policies_for(CUSTODIANS, RELEASE)
PERSON = {"uid": {"type": "Person", "id": "1"}, "attrs": {"name": "x"}, "parents": [{"type": "Role", "id": "reviewer"}]}
ASKS = {
    "principal": PERSON["uid"],
    "action": {"type": "Action", "id": "see-queue"},
    "resource": {"type": "House", "id": "this"},
    "context": {},
}


def with_rules(*more: Rule) -> Policies:
    return Policies((*of_roles(), *more))


# ---- what is published ---------------------------------------------------------------------------------------------


def test_the_hash_is_of_exactly_the_text() -> None:
    for policies in (policies_of(None), FULL):
        assert policies.sha256 == sha256(policies.text.encode())
    assert policies_of(None).sha256 != FULL.sha256


def test_the_same_rules_have_the_same_hash_and_others_another() -> None:
    assert policies_for(CUSTODIANS, replace(RELEASE, longest_ms=MINUTE * 30)).sha256 == FULL.sha256
    assert policies_for(CUSTODIANS[:2], RELEASE).sha256 != FULL.sha256
    assert policies_for(CUSTODIANS, replace(RELEASE, break_glass=None)).sha256 != FULL.sha256


def test_every_rule_has_an_id_and_words_and_both_stand_in_the_text() -> None:
    ids = [rule.id for rule in FULL.rules]
    assert len(set(ids)) == len(ids)
    for each in FULL.rules:
        NAME.check(each.id, "rule")  # records name it
        assert re.fullmatch(r"[A-Z].*\.", each.words)
        assert f'@id("{each.id}")' in each.cedar
        assert f"// {each.words}\n{each.cedar}" in FULL.text


def test_each_act_has_words_and_is_permitted_by_a_rule() -> None:
    assert IN_WORDS.keys() == set(May)
    for act in May:
        assert any(rule.effect == "permit" for rule in FULL.about(act)), act
    listed = {act for rule in FULL.rules for act in rule.acts}
    assert listed == set(May)


def test_only_one_rule_forbids_and_signed_acts_have_no_rule_without_a_charter() -> None:
    assert [rule.id for rule in FULL.rules if rule.effect == "forbid"] == ["release.never-ones-own"]
    in_the_portal = set(SIGNED_IN) | {act for acts in GRANTS.values() for act in acts}
    offices = {act for rule in of_offices() for act in rule.acts}
    assert offices == {May.READ_OFFICE, May.READ_DRAFT, May.FETCH_OPENINGS}
    assert {act for rule in policies_of(None).rules for act in rule.acts} == in_the_portal | offices
    assert not in_the_portal & (ABOUT_CASE | ABOUT_REQUEST | ABOUT_SHARES | offices)


def test_without_break_glass_nobody_may() -> None:
    assert policies_for(CUSTODIANS, replace(RELEASE, break_glass=None)).about(May.BREAK_GLASS) == ()


# ---- checked before use --------------------------------------------------------------------------------------------


def bad(when: str, effect: str = "forbid") -> Rule:
    return rule("bad", "A fault.", [May.SEE_QUEUE], who="principal is Person", when=when, effect=effect)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("principal.nothing == 3", "nothing"),
        ('principal.name < "z"', "do not fit together"),
        ("context.now > 3", "now"),
        ('principal in Role::"king"', "king"),
        ("principal.name ==", "cannot be read|do not fit together"),
    ],
)
def test_a_rule_that_does_not_fit_the_schema_is_never_used(when: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        with_rules(bad(when))
    assert caught.value.fix.endswith(".")


def test_an_act_or_a_role_that_does_not_exist_is_never_used() -> None:
    unknown = Rule("x", "permit", (), "A fault.", '@id("x")\npermit (principal, action == Action::"fly", resource);\n')
    with pytest.raises(BadInput, match="fly"):
        with_rules(unknown)


def test_two_rules_with_one_id_are_never_used() -> None:
    twice = of_roles()[0]
    with pytest.raises(BadInput, match="one id"):
        with_rules(twice)


def test_a_rule_hidden_in_the_text_of_another_is_found() -> None:
    hidden = replace(of_roles()[0], id="two", cedar=of_roles()[0].cedar + "\npermit (principal, action, resource);\n")
    with pytest.raises(BadInput, match="as many as"):
        prepare((hidden,), hidden.cedar)


def test_the_schema_alone_is_whole() -> None:
    assert len(cedarpy.PolicySet.from_str(policies_of(None).text)) == len(policies_of(None).rules)
    assert all(f'"{act}"' in schema_text() for act in May)
    assert all(f'"{role}"' in schema_text() for role in Role)


# ---- every error is a no -------------------------------------------------------------------------------------------


def test_a_forbid_that_errors_denies_although_cedar_says_allow() -> None:
    # Valid by the schema; the sum is too large for 64 bits, so the rule raises an error each time.
    overflow = bad("9223372036854775807 + 1 > 0")
    policies = with_rules(overflow)
    raw = cedarpy.is_authorized(ASKS, cedarpy.PolicySet.from_str(policies.text), [PERSON])
    assert raw.decision is cedarpy.Decision.Allow  # the trap
    assert raw.diagnostics.errors
    with pytest.raises(Refused, match="could not be decided") as caught:
        policies.decide(ASKS, entities_of(encode(PERSON)))
    assert "overflow" in str(caught.value.details["why"])
    with pytest.raises(Refused, match="could not be decided"):
        authorise(Person(1, "x", frozenset({Role.REVIEWER})), May.SEE_QUEUE, under=policies)


@pytest.mark.parametrize(
    "change",
    [
        {"action": {"type": "Action", "id": "fly"}},
        {"action": "nonsense"},
        {"context": {"now": 1}},
        {"context": "nonsense"},
        {"principal": {"type": "King", "id": "1"}},
        {"resource": {"type": "House", "id": "another"}},
        {"resource": {"type": "Request", "id": "r"}},
        {"action": {"type": "Action", "id": "open-case"}, "resource": {"type": "Case", "id": "c"}},
        {
            "action": {"type": "Action", "id": "open-case"},
            "resource": {"type": "Case", "id": "c"},
            "context": {"now": "1"},
        },
        {"principal": None},
        {"principal": 3},
    ],
)
def test_what_cedar_cannot_decide_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="could not be decided") as caught:
        FULL.decide({**ASKS, **change}, entities_of(encode(PERSON)))
    assert caught.value.details["why"]


def test_a_thing_that_is_not_among_the_entities_is_refused() -> None:
    signer = {
        "uid": {"type": "Signer", "id": "k"},
        "attrs": {"name": "dpo", "key": public_half(CUSTODIANS[0].key)},
        "parents": [{"type": "Role", "id": "custodian"}],
    }
    asked = {
        "principal": signer["uid"],
        "action": {"type": "Action", "id": "approve-release"},
        "resource": {"type": "Request", "id": "missing"},
        "context": {"now": 1},
    }
    with pytest.raises(Refused, match="could not be decided") as caught:
        FULL.decide(asked, entities_of(encode(signer)))
    assert "missing" in str(caught.value.details["why"])


def test_somebody_who_is_not_among_the_entities_has_no_role() -> None:
    allowed, rules = FULL.decide(ASKS, entities_of(encode()))
    assert (allowed, rules) == (False, ())


@pytest.mark.parametrize(
    "change",
    [
        {"attrs": {}},
        {"attrs": {"name": 3}},
        {"attrs": {"name": "x", "roles": []}},
        {"parents": [{"type": "Role", "id": "king"}]},
    ],
)
def test_entities_that_do_not_fit_the_schema_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        entities_of(encode({**PERSON, **change}))


def test_the_answer_names_the_rules() -> None:
    assert FULL.decide(ASKS, entities_of(encode(PERSON))) == (True, ("role.reviewer",))
    both = {**PERSON, "parents": [{"type": "Role", "id": role} for role in ("reviewer", "shift-lead")]}
    assert FULL.decide(ASKS, entities_of(encode(both))) == (True, ("role.reviewer", "role.shift-lead"))


def test_the_reference_page_is_what_the_policies_make() -> None:
    written = (Path(__file__).parents[3] / "docs/reference/access.md").read_text("utf-8")
    assert written == reference.page(), "run: python -m watchglass.access.reference > docs/reference/access.md"
    for each in FULL.rules:
        assert f"`{each.id}`" in written
