"""Signed questions: who asks, of whom, and for how long that holds."""

from __future__ import annotations

import dataclasses
import json

import pytest
from leaves import KEY, LOG, NOON

from watchglass.core import canonical
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import MINUTE
from watchglass.records.query import FRESH_MS, SignedQuery, ask

QUERY = ask("segments", about="0123456789abcdef", key=KEY, origin=LOG, now=NOON)


def test_from_one_machine_to_the_other() -> None:
    carried = SignedQuery.parse(QUERY.encode())
    assert carried == QUERY
    assert carried.verify(origin=LOG, now=NOON + FRESH_MS) == KEY.verifier


@pytest.mark.parametrize("now", [NOON + FRESH_MS + 1, NOON - FRESH_MS - 1])
def test_it_holds_for_minutes_only(now: int) -> None:
    with pytest.raises(DidNotVerify, match="and here it is"):
        QUERY.verify(origin=LOG, now=now)


@pytest.mark.parametrize(
    "change", [{"what": "inbox"}, {"about": "f" * 16}, {"at_ms": NOON + MINUTE}, {"sig": bytes(64)}], ids=str
)
def test_nothing_in_it_can_be_changed(change: dict[str, object]) -> None:
    with pytest.raises(DidNotVerify, match="does not belong"):
        dataclasses.replace(QUERY, **change).verify(origin=LOG, now=NOON)  # type: ignore[arg-type]


def test_it_is_for_one_deployment() -> None:
    with pytest.raises(DidNotVerify, match=r"not for other\.example"):
        QUERY.verify(origin="other.example", now=NOON)


@pytest.mark.parametrize(
    "change",
    [{"what": "x" * 201}, {"about": 3}, {"at_ms": "now"}, {"key": "nobody"}, {"sig": "AA=="}, {"more": 1}],
    ids=str,
)
def test_what_is_no_question_is_refused(change: dict[str, object]) -> None:
    value = {**json.loads(QUERY.encode()), **change}
    with pytest.raises(BadInput):
        SignedQuery.parse(canonical.encode(value))
    with pytest.raises(BadInput, match="too large"):
        SignedQuery.parse(b"{" + b" " * 3_000)
