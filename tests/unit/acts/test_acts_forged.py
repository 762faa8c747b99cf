"""Requests forged across roles: every act that people sign, in every role, with every key but those that may.

Whose key may speak in which role is written down a second time here, by hand; what the house does must agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from guarded import CUSTODIANS, Guarded, enrol, guarded
from watchglass.acts.signed import _HANDLERS
from watchglass.acts.who_signed import NEEDS
from watchglass.bootstrap import SeededEntropy
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.keys import SignerKey
from watchglass.records.act_spec import ROLES, ActSpec, Basis, Need
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    MONTH,
    NAME,
    VKEY,
    X25519,
    Choice,
    FieldType,
    MapOf,
    Members,
    OrNull,
    Text,
    Whole,
)
from watchglass.records.vocabulary import ACTS

SPEAKS: dict[str, tuple[str, ...]] = {
    "authority": ("authority",),
    "oversight": ("board",),
    "custodian": CUSTODIANS,
    "investigator": ("investigator",),
    "shift-lead": ("shift-lead",),
}
KEYS = (*CUSTODIANS, "investigator", "shift-lead", "reviewer", "administrator", "last-month", "stranger", "authority",
        "board")  # fmt: skip
STRANGER = SignerKey.generate("stranger.example", SeededEntropy("stranger"))
SAMPLES: dict[int, Any] = {
    id(HASH): b64(b"h" * 32),
    id(IDENTIFIER): "0123456789abcdef",
    id(MONTH): "2026-11",
    id(NAME): "street",
    id(VKEY): str(STRANGER.verifier),
    id(X25519): b64(b"k" * 32),
}


def sample(kind: FieldType) -> Any:
    """A value of a type."""
    if id(kind) in SAMPLES:
        return SAMPLES[id(kind)]
    match kind:
        case Text():
            return "Said."
        case Choice():
            return kind.among[0]
        case Whole():
            return kind.least
        case Members():
            return {name: sample(inner) for name, inner in kind.members.items()}
        case MapOf() | OrNull():
            return {"alerts": sample(kind.item)} if isinstance(kind, MapOf) else None
    raise AssertionError(kind)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("forged")) as made:
        for name in ("reviewer", "administrator", "last-month"):
            made.keys[name] = SignerKey.generate(f"{name}.example", SeededEntropy(name))
        for name in ("reviewer", "administrator"):
            enrol(made.world, name, name, made.keys[name])
        clear = {
            "enrolled_role": "investigator",
            "vkey": str(made.keys["last-month"].verifier),
            "month": "2026-12",
        }
        made.world.house.hand_in(made.world.sign("key_enrolled", "oversight", clear, {"person": "Of Another Month"}))
        made.keys |= {"stranger": STRANGER, "authority": made.world.keys["authority"]}
        made.keys["board"] = made.world.keys["oversight"]
        made.world.settle()
        yield made


def signed(scene: Guarded, spec: ActSpec, role: str, who: str) -> Any:
    committed = {name: sample(kind) for name, kind in spec.committed.items() if name != "minute"}
    return scene.world.sign(
        spec.name,
        role,
        {name: sample(kind) for name, kind in spec.clear.items()},
        committed,
        key=scene.keys[who],
        refs=[bytes(32)] * len(spec.refs_to),
        purpose=None if spec.purpose is Need.NEVER else scene.purpose,
    )


def test_every_signed_act_that_is_accepted_says_what_it_needs() -> None:
    assert set(_HANDLERS) == set(NEEDS)
    by_people = {name for name, spec in ACTS.items() if spec.basis is Basis.SIGNED}
    assert set(_HANDLERS) <= by_people
    assert {role for act in _HANDLERS for role in ACTS[act].roles} == set(SPEAKS)


@pytest.mark.parametrize("act", sorted(_HANDLERS))
def test_nobody_speaks_with_a_key_that_is_not_of_the_role(scene: Guarded, act: str) -> None:
    spec, before, wrong = ACTS[act], scene.world.state(), []
    for role in sorted(spec.roles):
        for who in (who for who in KEYS if who not in SPEAKS[role]):
            try:
                scene.hand_in(signed(scene, spec, role, who), b"{}")
            except DidNotVerify as error:
                if "may not speak as" not in error.message:
                    wrong.append(f"{who} as {role}: {error.message}")
            else:
                wrong.append(f"{who} as {role} was accepted")
    assert wrong == []
    assert scene.world.state() == before


@pytest.mark.parametrize("act", sorted(_HANDLERS))
def test_no_role_does_what_is_not_its_own(scene: Guarded, act: str) -> None:
    spec = ACTS[act]
    for role in sorted(ROLES - spec.roles):
        with pytest.raises(BadInput, match=r"role"):
            signed(scene, spec, role, "board")
