from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from a_release import BOARD, DPO, IDENTITIES, INVESTIGATOR, ROOM, STRANGER, SmallLog, signed
from three_custodians import ANY_TWO, KEYS, NAMES, ORIGIN, PLAIN, PRIVATE, context, shares_of

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.envelope import open_sealed, seal
from watchglass.evidence.keys import enrolled, sealable, sealing_keys
from watchglass.evidence.shares import SealingKeys, recover
from watchglass.evidence.subsets import permitted_subsets
from watchglass.ledger.keys import SignerKey
from watchglass.records.statement import SignedStatement

PINNED = {name: key.verifier for name, key in IDENTITIES.items()}


def published(name: str, by: SignerKey | None = None, *, period: str = "2026-11", key: str | None = None) -> Any:
    public = key or b64(PRIVATE[name].public_key().public_bytes_raw())
    clear = {"custodian": name, "period": period, "key": public}
    return signed("sealing_key_published", by or IDENTITIES[name], "custodian", {}, purpose=None, clear=clear)


def keys_of(*statements: SignedStatement, period: str = "2026-11") -> SealingKeys:
    return sealing_keys(statements, origin=ORIGIN, custodians=PINNED, period=period)


def test_keys_that_their_custodians_signed_are_relied_on() -> None:
    found = keys_of(*(published(name) for name in NAMES))
    assert found.ids == KEYS.ids
    assert found.period == "2026-11"


def test_it_is_the_key_that_counts_and_not_what_a_file_calls_it() -> None:
    same = SignerKey.from_seed("dpo-2026", b"d" * 32)
    assert keys_of(published("dpo", same)).ids == {"dpo": KEYS.ids["dpo"]}


def test_a_portal_that_swaps_a_custodians_key_is_refused() -> None:
    """With a key of its own making, whoever signs it; with another custodian's; with another month's."""
    other = b64(STRANGER.verifier.public)
    for statement in (published("dpo", STRANGER, key=other), published("dpo", ROOM)):
        with pytest.raises(DidNotVerify, match="not signed by dpo") as caught:
            keys_of(statement)
        assert caught.value.details["custodian"] == "dpo"
    good = published("dpo")
    changed = dataclasses.replace(
        good, leaf=dataclasses.replace(good.leaf, clear={**good.leaf.clear, "key": other}, signature=good.signature)
    )
    with pytest.raises(DidNotVerify, match="not signed by dpo"):
        keys_of(changed)
    with pytest.raises(DidNotVerify, match="no key of a custodian for 2026-12"):
        keys_of(good, period="2026-12")
    with pytest.raises(DidNotVerify, match="of nobody"):
        keys_of(signed("case_closed", DPO, "investigator", {"case": "0" * 16, "opened": other, "result": "x"}))
    with pytest.raises(DidNotVerify, match="not signed by dpo"):
        sealing_keys([good], origin="demo.other.example", custodians=PINNED, period="2026-11")
    with pytest.raises(DidNotVerify, match="of mayor"):
        sealing_keys([published("mayor", DPO, key=other)], origin=ORIGIN, custodians=PINNED, period="2026-11")
    with pytest.raises(BadInput, match="two keys"):
        keys_of(good, good)


def test_without_one_custodian_the_others_go_on_and_too_few_say_so_before() -> None:
    without = SealingKeys("2026-11", {name: KEYS.public[name] for name in ("dpo", "oversight")})
    subsets = sealable(ANY_TWO, without)
    assert subsets == (("dpo", "oversight"),)
    one = seal(PLAIN, context(), without, subsets, SeededEntropy("few"))
    assert open_sealed(one.data, recover(one.header, shares_of(one, "dpo", "oversight"))) == PLAIN
    assert sealable(ANY_TWO, KEYS) == ANY_TWO
    alone = SealingKeys("2026-11", {"dpo": KEYS.public["dpo"]})
    with pytest.raises(BadInput, match="without control-room and oversight no permitted set") as caught:
        sealable(ANY_TWO, alone)
    assert caught.value.details["missing"] == "control-room, oversight"
    board = permitted_subsets(NAMES, 2, ["oversight"])
    with pytest.raises(BadInput, match="Nothing can be recorded: without oversight no"):
        sealable(board, SealingKeys("2026-11", {name: KEYS.public[name] for name in ("dpo", "control-room")}))


def enrolment(by: SignerKey = BOARD, role: str = "investigator", month: str = "2026-11") -> bytes:
    clear = {"enrolled_role": role, "vkey": str(INVESTIGATOR.verifier), "month": month}
    return SmallLog().signed_act(signed("key_enrolled", by, "oversight", {"person": "Kim"}, purpose=None, clear=clear))


def test_a_key_is_enrolled_by_oversight_for_one_role_and_month() -> None:
    asked = {"origin": ORIGIN, "oversight": BOARD.verifier, "role": "investigator", "month": "2026-11"}
    assert enrolled(enrolment(), **asked) == INVESTIGATOR.verifier  # type: ignore[arg-type]  # each of its own type
    for wrong, said in (
        (enrolment(by=STRANGER), "may not speak as oversight"),
        (enrolment(role="reviewer"), "enrolled for reviewer in 2026-11"),
        (enrolment(month="2026-12"), "enrolled for investigator in 2026-12"),
    ):
        with pytest.raises(DidNotVerify, match=said):
            enrolled(wrong, **asked)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="not of an enrolment"):
        enrolled(SmallLog().signed_act(published("dpo")), **asked)  # type: ignore[arg-type]
