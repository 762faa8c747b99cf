"""Isotonic regression against known answers, and what is said where little is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.perception.calibration import parse
from watchglass.statistics.isotonic import Block, Curve, enough, fit

_PAIRS = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=120)


def test_violators_are_pooled_as_in_the_textbook() -> None:
    # Outcomes in the order of scores: 0 1 0 1 1. The 1 and the 0 in the middle violate, and become a half.
    curve = fit([0.1, 0.2, 0.3, 0.4, 0.5], [False, True, False, True, True], block=1)
    # Smoothed: 1/3, 2/4, 3/4.
    assert [(b.least, b.right, b.n) for b in curve.blocks] == [(0.1, 0, 1), (0.2, 1, 2), (0.4, 2, 2)]
    assert [b.probability for b in curve.blocks] == pytest.approx([1 / 3, 1 / 2, 3 / 4])


def test_a_block_rests_on_enough() -> None:
    scores = [0.2] * 3 + [0.5] * 30 + [0.9] * 30
    right = [False] * 3 + [True, False] * 15 + [True] * 29 + [False]
    assert [b.n for b in fit(scores, right).blocks] == [33, 30]


@given(_PAIRS)
def test_the_higher_the_score_the_likelier_and_never_certain(pairs: list[tuple[float, bool]]) -> None:
    curve = fit([s for s, _ in pairs], [r for _, r in pairs])
    said = [curve.block(score / 50).probability for score in range(51)]
    assert said == sorted(said)
    assert said[0] > 0
    assert said[-1] < 1
    assert curve.n == len(pairs)


@given(st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=12))
def test_where_there_is_much_it_is_the_least_squares_fit(pairs: list[tuple[float, bool]]) -> None:
    """The min-max formula of isotonic regression (Barlow et al. 1972) gives the same shares; 200 of each pair."""
    many = pairs * 200
    curve = fit([s for s, _ in many], [r for _, r in many])
    scores = sorted({s for s, _ in many})
    n = np.array([sum(s == t for s, _ in many) for t in scores], float)
    k = np.array([sum(r for s, r in many if s == t) for t in scores], float)
    for i, score in enumerate(scores):
        best = max(min(k[a : b + 1].sum() / n[a : b + 1].sum() for b in range(i, len(scores))) for a in range(i + 1))
        block = curve.block(score)
        assert block.right / block.n == pytest.approx(best)


def test_rules_without_a_score_have_one_block() -> None:
    curve = fit([None] * 40, [True] * 30 + [False] * 10)
    assert curve.blocks == (Block(1.0, 30, 40),)
    assert curve.block(None).probability == pytest.approx(31 / 42)


@pytest.mark.parametrize(
    ("right", "wrong", "is_enough"), [(25, 5, True), (24, 5, False), (100, 4, False), (5, 25, True)]
)
def test_too_little_is_not_enough(right: int, wrong: int, is_enough: bool) -> None:
    assert enough([True] * right + [False] * wrong) is is_enough


def test_a_curve_that_falls_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="rise"):
        Curve((Block(0.1, 9, 10), Block(0.5, 1, 10)))
    with pytest.raises(ValueError, match="one block"):
        Curve(())


def test_the_table_says_nothing_about_kinds_of_which_little_is_known() -> None:
    table = parse(
        json.dumps(
            {
                "model_sha256": "ab",
                "kinds": {
                    "intrusion": {"blocks": [[0.4, 3, 10], [0.7, 90, 100]], "synthetic": False, "about": "PETS"},
                    "fall": {"blocks": [], "synthetic": False, "about": "URFD"},
                },
            }
        )
    )
    assert table.probability("intrusion", 0.5) == pytest.approx(4 / 12, abs=5e-4)
    assert table.probability("intrusion", 0.99) == pytest.approx(91 / 102, abs=5e-4)
    assert table.probability("fall", 0.9) is None
    assert table.probability("of a plug-in", 0.9) is None


@pytest.mark.parametrize("text", ["[]", "{}", '{"model_sha256": "", "kinds": {"a": {"blocks": [1]}}}', "nothing"])
def test_what_is_not_a_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each says another thing)
        parse(text)
