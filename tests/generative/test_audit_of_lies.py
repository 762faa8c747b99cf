"""Every lie is named: the promise that it breaks, the entries that show it, and no other promise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from audited import audited
from dishonest import Lie, tell
from lies import BY_NAME, LIES, PENDING
from watchglass.oversight.report import State

WITHOUT_ENTRIES = {"rewritten-past", "cut-off", "fork", "receipt-not-honoured", "lodged-ignored"}
"""What no single entry shows: something is not there, or the whole log is another."""


def check(lie: Lie, seed: int) -> None:
    made = tell(lie, seed)
    assert made.planted or lie.name in WITHOUT_ENTRIES, "the lie was not told"
    found = audited(made, lie.depth)
    assert found.broken.keys() == set(lie.promises), (lie.name, seed, found.sentences[:4])
    if lie.depth == "openings":  # else an outsider would be told what they cannot check
        assert not audited(made, "structure").broken, (lie.name, seed)
    assert set(made.planted) <= set().union(*found.broken.values()), (lie.name, seed, made.planted, found.sentences[:4])


@pytest.mark.parametrize("name", BY_NAME)
def test_the_audit_names_it(name: str) -> None:
    check(BY_NAME[name], 1)


@settings(max_examples=8, deadline=None, derandomize=True)  # `bench audit` tries fresh seeds
@given(name=st.sampled_from(sorted(BY_NAME)), seed=st.integers(2, 1 << 32))
def test_the_audit_names_it_in_any_deployment(name: str, seed: int) -> None:
    check(BY_NAME[name], seed)


def test_names_are_told_once_and_every_lie_breaks_something() -> None:
    assert len(BY_NAME) == len(LIES)
    assert all(lie.promises and lie.told.endswith(".") for lie in LIES)
    assert len(LIES) >= 20


def test_what_is_not_built_is_said_to_be_so() -> None:
    report = audited(tell(LIES[0], 1)).report
    assert report is not None
    assert set(PENDING) == {each.promise for each in report.findings if each.state is State.PENDING}


def test_every_promise_that_is_made_is_broken_by_some_lie() -> None:
    """A promise that nobody can be caught breaking would be an empty one."""
    report = audited(tell(LIES[0], 1), "openings").report
    assert report is not None
    made = {each.promise for each in report.findings if each.state is not State.PENDING}
    assert made == {lie.promises[0] for lie in LIES}
