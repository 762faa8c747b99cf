"""What comes between: an order to stop, another charter, a closed case, a clock set back, a statement seen before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guarded import Guarded, enrol, guarded
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.grant_releases import grant_releases
from watchglass.acts.misuse import facts_of
from watchglass.acts.oversight_reading import emergencies
from watchglass.acts.signed import accept
from watchglass.bootstrap import SeededEntropy, VirtualClock
from watchglass.core.digest import b64
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger.keys import SignerKey
from watchglass.records.outbox import Transaction
from watchglass.records.query import ask
from watchglass.records.statement import SignedStatement


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def suspend(scene: Guarded) -> None:
    order = scene.world.sign(
        "suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "Something is wrong."}
    )
    scene.hand_in(order)


def approved(scene: Guarded, **more: Any) -> str:
    """A request that enough custodians approved, and that is not granted yet."""
    request = scene.requested(**more)
    for name in ("oversight", "dpo"):
        scene.approve(request, name)
    return request


def close(scene: Guarded, case: tuple[str, bytes]) -> None:
    values = {"case": case[0], "opened": b64(case[1]), "result": "The order was quashed."}
    scene.hand_in(scene.sign("case_closed", "investigator", values, purpose=scene.purpose))


def glass(scene: Guarded) -> SignedStatement:
    values = {
        "request": scene.number(),
        "source": "street",
        "from_ms": scene.now - 60 * SECOND,
        "to_ms": scene.now,
        "reason": "A child is missing.",
        "follow_up_by_ms": scene.now + 24 * HOUR,
    }
    return scene.sign("glass_broken", "shift-lead", values, purpose=scene.purpose)


def fetch(scene: Guarded, who: str, request: str, segment: str) -> bytes:
    origin = scene.world.house.origin
    query = ask("segment", about=f"{request}/{segment}", key=scene.keys[who], origin=origin, now=scene.now)
    return scene.world.house.sealed_segment(query)


def granted(scene: Guarded) -> int:
    return len(scene.world.records("release_granted"))


# ---- an order to stop --------------------------------------------------------------------------------------------


def test_an_order_to_stop_that_came_a_moment_before_counts(scene: Guarded) -> None:
    """The house read what stands, the order came, and only then the request is done."""
    scene.record()
    request = scene.request(scene.open_case())
    house, stale = scene.world.house, scene.world.standing()
    suspend(scene)
    with pytest.raises(Refused, match="suspended by oversight"):
        accept(house.acting, stale, request, cosigned_size=house.cosigned_size())
    assert scene.world.records("release_requested") == []


def test_a_charter_that_came_a_moment_before_counts(scene: Guarded) -> None:
    statement = scene.case()
    house, stale = scene.world.house, scene.world.standing()
    scene.world.publish(scene.world.edited(("review: {within: 2m}", "review: {within: 3m}")))
    with pytest.raises(DidNotVerify, match="another charter"):
        accept(house.acting, stale, statement, cosigned_size=house.cosigned_size())
    assert scene.world.records("case_opened") == []


def test_nothing_is_granted_that_was_stopped_a_moment_before(scene: Guarded) -> None:
    scene.record()
    approved(scene)
    house, stale = scene.world.house, scene.world.standing()
    suspend(scene)
    assert grant_releases(house.acting, stale, cosigned_size=house.cosigned_size()) == []
    house.grant_releases()
    assert granted(scene) == 0


def test_what_was_granted_is_neither_taken_nor_given_out_while_everything_is_stopped(scene: Guarded) -> None:
    (kept,) = scene.record(1)
    first, second = scene.granted(), scene.granted()
    scene.hand_in(scene.taking(first))
    assert fetch(scene, "investigator", first, kept)
    suspend(scene)
    with pytest.raises(Refused, match="suspended by oversight"):
        scene.hand_in(scene.taking(second))
    with pytest.raises(Refused, match="suspended by oversight"):
        scene.ask("release", "investigator", first)
    with pytest.raises(Refused, match="suspended by oversight"):
        fetch(scene, "investigator", first, kept)


def test_an_emergency_does_not_go_on_while_everything_is_stopped(scene: Guarded) -> None:
    (kept,) = scene.record(1)
    statement = glass(scene)
    scene.hand_in(statement)
    request = str(statement.values["request"])
    assert fetch(scene, "shift-lead", request, kept)
    suspend(scene)
    with pytest.raises(Refused, match="suspended by oversight"):
        fetch(scene, "shift-lead", request, kept)
    with pytest.raises(Refused, match="suspended by oversight"):
        scene.ask("release", "shift-lead", request)


class Between:
    """The house's store, with something that comes between what an act looks at first and its own transaction."""

    def __init__(self, store: Any, then: Callable[[], object]) -> None:
        self._store, self._then = store, then

    def read(self) -> Any:
        return self._store.read()

    def commit(self, act: Callable[[Transaction], Any]) -> Any:
        then, self._then = self._then, lambda: None
        then()
        return self._store.commit(act)


def test_an_order_to_keep_that_comes_between_is_kept(scene: Guarded) -> None:
    scene.record()
    first = scene.now
    scene.world.clock.advance(4 * DAY)  # type: ignore[attr-defined]
    charter = scene.world.standing().charter
    assert charter is not None

    def hold() -> str:
        return scene.order_hold(from_ms=first - 60 * SECOND, to_ms=first)

    acting = scene.world.house.acting
    done = apply_retention(replace(acting, store=Between(acting.store, hold)), charter)
    assert done["segments"] == 0
    assert len(list(scene.world.layout.sealed.iterdir())) == 3
    assert len(scene.world.house.store.read().all("SELECT 1 FROM segment WHERE header IS NOT NULL")) == 3
    assert scene.world.records("retention_applied") == []


def test_nothing_is_granted_in_a_case_that_is_closed_in_between(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    approved(scene, case=case)
    acting, standing = scene.world.house.acting, scene.world.standing()
    between = replace(acting, store=Between(acting.store, lambda: close(scene, case)))
    assert grant_releases(between, standing, cosigned_size=scene.world.house.cosigned_size()) == []
    assert granted(scene) == 0


# ---- cases, charters, approvals ----------------------------------------------------------------------------------


def test_nothing_is_approved_or_granted_in_a_case_that_was_closed_meanwhile(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    request, other = approved(scene, case=case), scene.requested(case)
    close(scene, case)
    scene.world.house.grant_releases()
    assert granted(scene) == 0
    with pytest.raises(Refused, match="was closed"):
        scene.approve(other, "dpo")
    scene.refuse(other, "dpo")  # a no is still a no
    assert scene.ask("inbox", "control-room")["requests"] == []
    with pytest.raises(Refused, match="not granted"):
        scene.hand_in(scene.taking(request))


def test_nothing_is_granted_in_a_case_that_ran_out_meanwhile(scene: Guarded) -> None:
    scene.record()
    approved(scene, case=scene.open_case(until_ms=scene.now + HOUR))
    scene.world.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    scene.world.house.grant_releases()
    assert granted(scene) == 0


def test_what_was_granted_before_the_case_was_closed_may_be_taken(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    request = scene.granted(case=case)
    close(scene, case)
    scene.hand_in(scene.taking(request))
    assert scene.ask("release", "investigator", request)["segments"]


def test_what_was_granted_under_an_earlier_charter_is_not_taken(scene: Guarded) -> None:
    scene.record()
    request = scene.granted()
    scene.world.publish(scene.world.edited(("review: {within: 2m}", "review: {within: 3m}")))
    with pytest.raises(Refused, match="earlier charter"):
        scene.hand_in(scene.taking(request))


def test_an_approval_that_has_run_out_opens_nothing(scene: Guarded) -> None:
    """A custodian may let a yes end before the request does."""
    (kept,) = scene.record(1)
    first, second = scene.requested(), scene.requested()
    for request in (first, second):
        for name, hours in (("oversight", 3), ("dpo", 24)):
            bundle = scene.bundle(request, name)
            until = min(scene.now + hours * HOUR, scene.now + 23 * HOUR)
            scene.hand_in(scene.approval(request, name, bundle, until_ms=until), bundle.encoded)
    scene.world.house.grant_releases()
    scene.world.settle()
    scene.hand_in(scene.taking(first))
    assert fetch(scene, "investigator", first, kept)
    scene.world.clock.advance(4 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="Not enough approvals hold"):
        scene.hand_in(scene.taking(second))
    with pytest.raises(Refused, match="Not enough approvals hold"):
        fetch(scene, "investigator", first, kept)


# ---- handed in again, and keys under other names -----------------------------------------------------------------


def test_whoever_saw_a_request_cannot_accuse_its_signer_by_handing_it_in_again(scene: Guarded) -> None:
    scene.record()
    good = scene.request(scene.open_case())
    scene.hand_in(good)
    for _ in range(3):
        with pytest.raises(Problem, match="accepted before"):
            scene.hand_in(good)
    assert scene.world.records("release_denied") == []
    bad = scene.request(scene.open_case(), until_ms=scene.now + 48 * HOUR)
    with pytest.raises(Refused, match="valid for"):
        scene.hand_in(bad)
    for _ in range(3):
        with pytest.raises(Problem, match="turned away"):
            scene.hand_in(bad)
    assert len(scene.world.records("release_denied")) == 1


def test_one_key_is_enrolled_once_whatever_it_is_called(scene: Guarded) -> None:
    key = scene.keys["investigator"].verifier
    vkey = str(replace(key, name="somebody-else.example"))
    assert vkey != str(key)
    clear = {"enrolled_role": "investigator", "vkey": vkey, "month": "2026-11"}
    with pytest.raises(Problem, match="enrolled already"):
        scene.world.house.hand_in(scene.world.sign("key_enrolled", "oversight", clear, {"person": "Somebody Else"}))


# ---- clocks ------------------------------------------------------------------------------------------------------


def set_back(scene: Guarded, ms: int) -> Any:
    """What acts are given after the house was stopped and started again with an earlier clock."""
    return replace(scene.world.house.acting, clock=VirtualClock(scene.now - ms))


def test_a_clock_that_was_set_back_makes_nothing_valid_again(scene: Guarded) -> None:
    scene.record()
    house, request = scene.world.house, approved(scene)
    scene.world.clock.advance(25 * HOUR)  # type: ignore[attr-defined]
    house.grant_releases()
    assert granted(scene) == 0
    enrol(scene.world, "investigator", "Ivo", SignerKey.generate("ivo.example", SeededEntropy("ivo")))
    back = set_back(scene, 24 * HOUR)
    assert grant_releases(back, scene.world.standing(), cosigned_size=house.cosigned_size()) == []
    late = scene.world.sign(
        "release_refused",
        "custodian",
        {},
        {"request": request, "custodian": "control-room", "reason": "No."},
        key=scene.keys["control-room"],
        purpose=scene.purpose,
        refs=[scene.world.records("release_requested")[0].hash],
        now=back.clock.now(),
    )
    accept(back, scene.world.standing(), late, cosigned_size=house.cosigned_size())  # a no may always be said
    assert granted(scene) == 0


def test_nobody_asks_for_originals_by_a_clock_that_was_set_back(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    scene.world.clock.advance(20 * MINUTE)  # type: ignore[attr-defined]
    enrol(scene.world, "investigator", "Ivo", SignerKey.generate("ivo.example", SeededEntropy("ivo")))
    back, standing = set_back(scene, 15 * MINUTE), scene.world.standing()
    asked = scene.request(case, from_ms=scene.now - 25 * MINUTE, to_ms=scene.now - 20 * MINUTE)
    with pytest.raises(Refused, match="set back"):
        accept(back, standing, asked, cosigned_size=scene.world.house.cosigned_size())
    stop = scene.world.sign("suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "Stop."})
    accept(back, standing, stop, cosigned_size=scene.world.house.cosigned_size())  # stopping waits for no clock


def test_oversight_reads_signals_although_a_clock_was_set_back(scene: Guarded) -> None:
    scene.open_case()
    facts = facts_of(scene.world.house.store.read(), scene.now - DAY)
    assert [access.what.value for access in facts.accesses] == ["case-opened"]
    assert facts.until_ms == scene.now


# ---- what oversight sees -----------------------------------------------------------------------------------------


def test_an_emergency_that_nobody_reported_on_cannot_be_hidden_behind_others(
    scene: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.record()
    first = glass(scene)
    scene.hand_in(first)
    monkeypatch.setattr("watchglass.acts.oversight_reading.LIMIT", 2)
    for _ in range(3):
        scene.world.clock.advance(5 * SECOND)  # type: ignore[attr-defined]
        statement = glass(scene)
        leaf = scene.hand_in(statement)
        said = {"request": statement.values["request"], "report": "All is well.", "case": None}
        scene.hand_in(scene.sign("glass_followed_up", "shift-lead", said, purpose=scene.purpose, refs=[leaf]))
    scene.world.clock.advance(25 * HOUR)  # type: ignore[attr-defined]
    seen = emergencies(scene.world.house.store.read(), scene.now)
    assert seen[0].id == first.values["request"]
    assert len(seen) == 3
