"""An audit that begins with a year finds what one from the start finds, in honest lives and in dishonest ones."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from audited import audited, audited_from
from dishonest import Made, handed_over, tell
from lies import BY_NAME
from made_life import Life, plan
from made_stories import live
from made_years import remaker_of, state_of
from watchglass.oversight.report import State
from watchglass.records.leaf import Leaf

LOST = {"rewritten-past", "cut-off", "fork"}
"""Lies about the log as a whole: no audit begins where it does not verify."""
SEEN = sorted(name for name, lie in BY_NAME.items() if lie.depth == "structure" and name not in LOST)


def check(made: Made, size: int) -> set[str]:
    """The same finding of each promise, with the same breaches and counts, from any size on; the broken ones."""
    whole, begun = audited(made).report, audited_from(made, size).report
    assert whole is not None
    assert begun is not None
    assert begun.findings == whole.findings, size
    return {each.promise for each in begun.broken}


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32), share=st.floats(0.02, 0.98))
def test_an_honest_life_is_found_honest_from_any_size_on(seed: int, share: float) -> None:
    made = handed_over(live(Life(plan(seed, days=1.5))))
    assert not check(made, max(1, round(share * len(made.entries))))


@settings(max_examples=4, deadline=None, derandomize=True)
@given(name=st.sampled_from(SEEN), seed=st.integers(1, 1 << 32), share=st.floats(0.1, 1.0))
def test_a_lie_before_or_after_the_year_is_named_as_from_the_start(name: str, seed: int, share: float) -> None:
    made = tell(BY_NAME[name], seed)
    assert check(made, max(1, round(share * len(made.entries)))) == set(BY_NAME[name].promises)


@pytest.fixture(scope="module")
def begun() -> Made:
    """A life in which a year begins."""
    return handed_over(live(Life(replace(plan(17, days=1.5), year=True))))


def test_an_audit_that_begins_with_a_year_says_what_it_took_over(begun: Made) -> None:
    clear = next(Leaf.parse(data).clear for data in begun.entries if data.startswith(b'{"act":"year_began"'))
    report = audited_from(begun, clear["size"], year=clear["year"]).report
    assert report is not None
    assert report.broken == ()
    assert report.begun is not None
    assert report.as_json()["begun"]["state"] == clear["state"]
    assert f"{clear['size']:,} entries before {clear['year']} say" in report.cannot_see[0]
    assert report.by_promise["years"].state is State.KEPT


def test_a_state_that_goes_on_from_a_state_has_the_same_bytes(begun: Made) -> None:
    size = len(begun.entries)
    step, dice = remaker_of(begun.entries, begun.town.origin), Random(5)
    for at in sorted(dice.sample(range(1, size), 3)):
        step.state(at)
    assert step.state(size) == state_of(begun.entries, begun.town.origin, size)


def test_another_process_makes_the_same_bytes() -> None:
    """The order of sets and the seed of hashes change nothing."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from made_life import Life, plan; from made_stories import live; from made_years import state_of\n"
        "from watchglass.core.digest import sha256\n"
        "town = live(Life(plan(4, days=0.5)))\n"
        "print(sha256(state_of(town.log.entries, town.origin, len(town.log.entries))).hex())\n"
    )
    made = [
        subprocess.run(  # this very program
            [sys.executable, "-c", program, str(BENCHMARKS)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "77")
    ]
    assert made[0] == made[1]
