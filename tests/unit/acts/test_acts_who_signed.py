"""Acts that people sign have their grant: the policies of the charter in force have the last word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from guarded import Guarded, enrol, guarded
from watchglass.access.policies import policies_for, policies_of
from watchglass.access.roles import May
from watchglass.acts import who_signed
from watchglass.acts.handed import Handed
from watchglass.acts.who_signed import allow
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, month_of
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey
from watchglass.records.statement import SignedStatement


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def handed(scene: Guarded, statement: SignedStatement) -> Handed:
    """A statement that was verified, without what the act itself checks."""
    house = scene.world.house
    standing = scene.world.standing()
    assert standing.charter is not None
    reader = house.store.read()
    return Handed(house.acting, reader, standing, standing.charter, statement, statement.values, bytes(32), 0)  # type: ignore[arg-type]


def destroyed(scene: Guarded, custodian: str, key: str) -> SignedStatement:
    clear = {"custodian": custodian, "period": month_of(scene.now)}
    return scene.sign("period_destroyed", key, {}, clear=clear, refs=[bytes(32)])


def test_a_grant_names_the_signer_the_rule_and_the_policies_in_force(scene: Guarded) -> None:
    grant = allow(handed(scene, destroyed(scene, "dpo", "dpo")))
    assert grant is not None
    charter = scene.world.standing().charter
    assert (grant.what, grant.role, grant.rules) == (May.DESTROY_PERIOD, "custodian", ("custodian.keys",))
    assert grant.policy == policies_of(charter).sha256


def test_a_custodian_is_held_to_the_name_that_they_claim(scene: Guarded) -> None:
    with pytest.raises(Refused, match="destroy-period"):
        allow(handed(scene, destroyed(scene, "dpo", "oversight")))
    scene.record()
    request = scene.requested()
    approval = scene.approval(request, "dpo")
    grant = allow(handed(scene, approval))
    assert grant is not None
    assert grant.rules == ("release.answer",)
    with pytest.raises(Refused, match="approve-release"):
        allow(handed(scene, scene.approval(request, "dpo", custodian="oversight")))


def test_an_answer_that_comes_too_late_is_refused(scene: Guarded) -> None:
    scene.record()
    given = handed(scene, scene.approval(scene.requested(), "dpo"))
    assert allow(given) is not None
    scene.world.clock.advance(24 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="not allowed here and now") as caught:
        allow(given)
    assert "has not run out" in caught.value.fix


def test_an_investigator_asks_in_a_case_of_their_own_that_is_open(scene: Guarded) -> None:
    case = scene.open_case()
    request = scene.request(case)
    assert allow(handed(scene, request)) is not None
    other = SignerKey.generate("ivo.example", SeededEntropy("ivo"))
    enrol(scene.world, "investigator", "Ivo Berg", other)
    with pytest.raises(Refused, match="request-release") as caught:
        allow(handed(scene, scene.request(case, key=other)))
    assert "of their own" in caught.value.fix
    scene.world.clock.advance(30 * DAY)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="request-release"):
        allow(handed(scene, request))


def test_the_glass_is_broken_by_whom_the_charter_names(scene: Guarded) -> None:
    values = {
        "request": scene.number(),
        "source": "street",
        "from_ms": scene.now - 1000,
        "to_ms": scene.now,
        "reason": "Somebody does not move.",
        "follow_up_by_ms": scene.now + HOUR,
    }
    grant = allow(handed(scene, scene.sign("glass_broken", "shift-lead", values, purpose=scene.purpose)))
    assert grant is not None
    assert grant.rules == ("glass.shift-lead",)
    with pytest.raises(Refused, match="break-glass"):
        allow(handed(scene, scene.sign("glass_broken", "investigator", values, purpose=scene.purpose)))


def test_what_stops_is_not_put_to_the_policies(scene: Guarded) -> None:
    order = scene.world.sign(
        "suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "A test."}
    )
    assert allow(replace(handed(scene, order), charter=None)) is None  # type: ignore[arg-type]  # nothing is asked of it


def test_what_the_policies_refuse_did_not_happen(scene: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = scene.case()
    before = scene.world.state()
    monkeypatch.setattr(who_signed, "policies_of", lambda _charter: policies_for((), None))  # those of no charter
    with pytest.raises(Refused, match="Nobody may do this here"):
        scene.hand_in(statement)
    assert scene.world.state() == before
    order = scene.world.sign(
        "suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "A test."}
    )
    scene.hand_in(order)  # and stopping still works
    monkeypatch.undo()
    scene.hand_in(statement)
    assert scene.world.state() != before
