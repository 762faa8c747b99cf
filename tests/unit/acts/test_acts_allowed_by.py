"""What the server attests of people's acts says which rules of access let them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of
from watchglass.access.roles import May, Person, Role
from watchglass.acts.accounts import open_account
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.records.act_spec import ALLOWED_BY, STAFF, Basis
from watchglass.records.leaf import Leaf
from watchglass.records.vocabulary import ACTS
from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path) as made:
        yield made


def test_a_verdict_names_the_policies_and_the_rule_in_its_opening_only(world: World) -> None:
    world.decide(world.raise_alert())
    policies = policies_of(world.standing().charter)
    record = world.records("alert_decided")[-1]
    assert record.fields[ALLOWED_BY] == {"policy": b64(policies.sha256), "rules": ["role.reviewer"]}
    assert b"role.reviewer" not in record.data


def test_every_rule_that_let_somebody_is_named(world: World) -> None:
    both = Person(
        world.people[Role.ADMINISTRATOR].account, "administrator", frozenset({Role.ADMINISTRATOR, Role.CLERK})
    )
    open_account(world.house.acting, authorise(both, May.MANAGE_ACCOUNTS), "rita", [Role.CLERK], "!")
    record = world.records("account_changed")[-1]
    assert record.fields[ALLOWED_BY]["rules"] == ["role.administrator"]
    assert record.leaf.role == "administrator"


def test_what_the_house_does_by_itself_was_let_by_no_rule(world: World) -> None:
    open_account(world.house.acting, None, "rita", [Role.CLERK], "!")
    assert world.records("account_changed")[-1].fields[ALLOWED_BY] is None
    world.raise_alert()
    assert ALLOWED_BY not in world.records("alert_raised")[-1].fields


def test_all_attested_acts_of_people_have_the_field_and_older_records_lack_it(world: World) -> None:
    with_it = {spec.name for spec in ACTS.values() if ALLOWED_BY in spec.committed}
    assert with_it == {spec.name for spec in ACTS.values() if spec.basis is Basis.ATTESTED and spec.roles & STAFF}
    assert {"alert_decided", "clip_viewed", "account_changed", "openings_taken"} <= with_it
    assert all(ALLOWED_BY in ACTS[name].later for name in with_it)
    world.decide(world.raise_alert())
    leaf = world.records("alert_decided")[-1].leaf
    older = replace(leaf, commitments={name: value for name, value in leaf.commitments.items() if name != ALLOWED_BY})
    assert Leaf.parse(older.encode()) == older
    with pytest.raises(BadInput):
        replace(leaf, commitments={name: value for name, value in leaf.commitments.items() if name != "verdict"})
