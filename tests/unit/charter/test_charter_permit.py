"""A permit cannot be made, changed, copied or kept."""

from __future__ import annotations

import ast
import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

import watchglass
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter
from watchglass.charter.permit import Decide, LookAt, Permit, RunAnalytic
from watchglass.core.errors import Refused

NOON = 1_799_146_800_000


@pytest.fixture
def permit(unwitnessed: Charter) -> Permit:
    standing = Standing(unwitnessed, "production", frozenset({"authority", "oversight"}), "cosigned")
    return decide(standing, LookAt("steps-cam"), NOON)


@pytest.mark.parametrize("seal", [None, object(), "seal", True])
def test_nobody_else_makes_a_permit(seal: object) -> None:
    with pytest.raises(TypeError, match=r"Only charter\.decide"):
        Permit(b"\0" * 32, 1, "crowd-safety", LookAt("steps-cam"), 10**13, seal)


def test_a_permit_cannot_be_stretched(permit: Permit) -> None:
    with pytest.raises(FrozenInstanceError):
        permit.until_ms = 10**14  # type: ignore[misc]  # what the test is about
    with pytest.raises((TypeError, ValueError)):
        replace(permit, until_ms=10**14)


def test_a_permit_cannot_be_copied_or_sent(permit: Permit) -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            attempt(permit)


def test_a_permit_holds_for_its_own_act_and_time_only(permit: Permit) -> None:
    assert permit.require(LookAt, NOON) == LookAt("steps-cam")
    with pytest.raises(Refused, match="not for RunAnalytic"):
        permit.require(RunAnalytic, NOON)
    with pytest.raises(Refused, match="not for Decide"):
        permit.require(Decide, NOON)
    permit.require(LookAt, permit.until_ms - 1)
    with pytest.raises(Refused, match="ran out"):
        permit.require(LookAt, permit.until_ms)


def test_only_decide_knows_the_seal() -> None:
    root = Path(watchglass.__file__).parent
    users = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("permit"):
                users |= {file.relative_to(root).as_posix() for name in node.names if name.name in {"_SEAL", "*"}}
            if isinstance(node, ast.Attribute) and node.attr == "_SEAL":
                users.add(file.relative_to(root).as_posix())
    assert users == {"charter/decide.py"}
