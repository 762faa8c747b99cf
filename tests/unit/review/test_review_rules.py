"""The rules of an alert's life, as values."""

from __future__ import annotations

import itertools

import pytest

from watchglass.core.errors import Problem
from watchglass.review.model import (
    OUTCOME_WORDS,
    REASONS,
    UNDO_WINDOW,
    Alert,
    AlertState,
    Handover,
    HandoverState,
    Outcome,
    Verdict,
    VerdictValue,
    check_reason,
)


def alert(**more: object) -> Alert:
    values: dict[str, object] = {
        "id": "0" * 16, "source": "s", "analytic": "a", "kind": "intrusion", "zone": None, "purpose": "p",
        "charter": "c", "at_ms": 1, "raised_ms": 2, "due_ms": 100, "score_per_mille": None, "why": "w", "facts": {},
        "boxes": (), "state": AlertState.WAITING, "leaf_hash": b"h" * 32,
    }  # fmt: skip
    return Alert(**{**values, **more})  # type: ignore[arg-type]


def test_overdue_is_after_the_charters_time_and_only_while_it_waits() -> None:
    assert not alert().overdue(100)
    assert alert().overdue(101)
    assert not alert(state=AlertState.DECIDED).overdue(101)


def test_a_claim_holds_against_others_until_it_ends() -> None:
    held = alert(claimed_by=7, claimed_until_ms=50)
    assert held.held_by_other(8, 49)
    assert not held.held_by_other(7, 49)
    assert not held.held_by_other(8, 50)
    assert not alert().held_by_other(8, 0)


def test_undo_is_for_the_person_who_decided_within_ten_seconds_once() -> None:
    verdict = Verdict(1, "a", 7, VerdictValue.CONFIRM, "as-described", 1000, None, b"")
    assert verdict.can_undo(7, 1000 + UNDO_WINDOW)
    assert not verdict.can_undo(7, 1001 + UNDO_WINDOW)
    assert not verdict.can_undo(8, 1000)
    assert not Verdict(1, "a", 7, VerdictValue.CONFIRM, "as-described", 1000, 1500, b"").can_undo(7, 1600)


@pytest.mark.parametrize(("now", "step"), list(itertools.product(HandoverState, repeat=2)))
def test_steps_go_forwards_only(now: HandoverState, step: HandoverState) -> None:
    order = list(HandoverState)
    handover = Handover("a", now, 1)
    if order.index(step) > order.index(now):
        handover.next_is(step)
    else:
        with pytest.raises(Problem, match="already"):
            handover.next_is(step)


@pytest.mark.parametrize(("value", "other"), list(itertools.product(VerdictValue, repeat=2)))
def test_reasons_belong_to_their_verdict(value: VerdictValue, other: VerdictValue) -> None:
    assert check_reason(value, "") == REASONS[value][0][0]
    for code, words in REASONS[other]:
        assert words
        if value is other:
            assert check_reason(value, code) == code
        else:
            with pytest.raises(Problem, match="not a reason"):
                check_reason(value, code)


def test_every_outcome_has_words() -> None:
    assert OUTCOME_WORDS.keys() == set(Outcome)
