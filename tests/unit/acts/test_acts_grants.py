"""Each act that takes a grant refuses one of anything else before it does or reads anything; no act is forgotten."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from watchglass import acts
from watchglass.access.authorise import authorise, may_all
from watchglass.access.policies import policies_of
from watchglass.access.roles import May, Person, Role
from watchglass.acts.context import Acting
from watchglass.acts.signed import _HANDLERS
from watchglass.acts.who_signed import NEEDS
from watchglass.core.errors import Refused
from watchglass.records.act_spec import Basis
from watchglass.records.vocabulary import ACTS
from watchglass.review.model import HandoverState, Outcome, VerdictValue
from world import World, make_house

NEEDED = {
    "accounts.open_account": May.MANAGE_ACCOUNTS,
    "accounts.change_roles": May.MANAGE_ACCOUNTS,
    "accounts.close_account": May.MANAGE_ACCOUNTS,
    "accounts.change_password": May.MANAGE_ACCOUNTS,  # of somebody else
    "claim_alert.claim_alert": May.DECIDE_ALERT,
    "claim_alert.release_claim": May.DECIDE_ALERT,
    "confirm_backdrop.confirm_backdrop": May.CONFIRM_BACKDROP,
    "confirm_backdrop.withdraw_backdrop": May.CONFIRM_BACKDROP,
    "decide_alert.decide_alert": May.DECIDE_ALERT,
    "drills.plan_drill": May.PLAN_DRILL,
    "drills.call_off_drill": May.PLAN_DRILL,
    "drills.begin_drill": May.RUN_DRILL,
    "drills.end_drill": May.RUN_DRILL,
    "drills.tell_drill": May.RUN_DRILL,
    "give_up_notice.give_up_notice": May.SETTLE_NOTICES,
    "reports.take_reports": May.KEEP_REPORTS,
    "reports.set_report_aside": May.KEEP_REPORTS,
    "judge_sample.judge_sample": May.DECIDE_ALERT,
    "judge_sample.view_sample": May.SEE_CLIP,
    "inspect_openings.take_openings": May.TAKE_OPENINGS,
    "progress_handover.progress_handover": May.RESPOND,
    "recalibrate.recalibrate": May.RECALIBRATE,
    "recalibrate.withdraw_recalibration": May.RECALIBRATE,
    "record_outcome.record_outcome": May.RESPOND,
    "retry_notice.retry_notice": May.SETTLE_NOTICES,
    "save_draft.save_draft": May.EDIT_DRAFT,
    "try_destination.try_destination": May.SETTLE_NOTICES,
    "view_clip.view_clip": May.SEE_CLIP,
    "withdraw_verdict.withdraw_verdict": May.DECIDE_ALERT,
}
INSIDE = {"context.attest", "context.prepare", "send_notice.put", "settle_notice.settle"}
"""Parts of acts, inside a transaction; the act that calls them has checked the grant."""

VALUES: dict[str, Any] = {
    "drill_id": "0123456789abcdef",
    "what": "Somebody walks in.",
    "from_ms": 0,
    "to_ms": 0,
    "begun_ms": 0,
    "ended_ms": 0,
    "alert_id": "0123456789abcdef",
    "notice_id": "0123456789abcdef",
    "value": VerdictValue.CONFIRM,
    "step": HandoverState.ACKNOWLEDGED,
    "outcome": Outcome.NOT_FOUND,
    "name": "clerk",
    "roles": [Role.ADMINISTRATOR],
    "password_hash": "x",
    "source": "street",
    "png": b"",
    "text": b"",
}
"""What else an act is given; everything that is not here is None, so that looking at it first would be an error."""


def with_a_grant() -> dict[str, Callable[..., Any]]:
    """Every function of the room of acts that has a parameter of type ``Grant``."""
    found = {}
    for module in pkgutil.iter_modules(acts.__path__):
        code = importlib.import_module(f"watchglass.acts.{module.name}")
        for name, value in vars(code).items():
            if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != code.__name__:
                continue
            if any(
                "Grant" in str(each.annotation).split(" | ") for each in inspect.signature(value).parameters.values()
            ):
                found[f"{module.name}.{name}"] = value
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with make_house(tmp_path_factory.mktemp("grants")) as made:
        yield made


def call(function: Callable[..., Any], acting: Acting, grant: object) -> None:
    given = {}
    for name, each in inspect.signature(function).parameters.items():
        if "Grant" in str(each.annotation).split(" | "):
            given[name] = grant
        elif name == "acting":
            given[name] = acting
        elif name in VALUES or each.default is inspect.Parameter.empty:
            given[name] = VALUES.get(name)
    function(**given)


def test_every_act_that_takes_a_grant_is_listed() -> None:
    assert with_a_grant().keys() == NEEDED.keys() | INSIDE


@pytest.mark.parametrize("name", NEEDED)
def test_a_grant_of_anything_else_is_refused_and_nothing_happens(world: World, name: str) -> None:
    everything = Person(world.people[Role.OPERATOR].account, "operator", frozenset(Role))
    others = may_all(everything) - {NEEDED[name]}
    assert len(others) > 10
    before = world.state()
    for what in sorted(others):
        grant = authorise(everything, what, under=policies_of(world.standing().charter))
        with pytest.raises(Refused, match=f"of {what}, not of {NEEDED[name]}"):
            call(with_a_grant()[name], world.house.acting, grant)
    assert world.state() == before


def test_ones_own_password_needs_its_own_grant(world: World) -> None:
    change = with_a_grant()["accounts.change_password"]
    clerk = world.people[Role.CLERK]
    everything = Person(clerk.account, clerk.name, frozenset(Role))
    for what in sorted(may_all(everything) - {May.KEEP_OWN_ACCOUNT}):
        with pytest.raises(Refused, match="not of keep-own-account"):
            call(change, world.house.acting, authorise(everything, what))
    call(change, world.house.acting, authorise(clerk, May.KEEP_OWN_ACCOUNT))


def test_what_is_signed_needs_a_grant_or_is_named_as_needing_none() -> None:
    assert _HANDLERS.keys() <= NEEDS.keys()
    signed = {spec.name for spec in ACTS.values() if spec.basis is Basis.SIGNED}
    # verified against both charters' keys when one is published; against the key that a run named for its recorder
    assert NEEDS.keys() == signed - {"charter_approved", "heartbeat"}
    assert {act for act, what in NEEDS.items() if what is None} == {
        "suspension_ordered",
        "suspension_lifted",
        "resumption_proposed",
        "analytic_resumed",
        "key_enrolled",
        "audit_published",
        "challenge_told",
    }
