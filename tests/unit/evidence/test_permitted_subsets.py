from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.charter.sealing import Custodian, Quorum, Release, groups
from watchglass.core.errors import BadInput
from watchglass.evidence.subsets import (
    can_still_open,
    check_subsets,
    custodians_of,
    fatal_losses,
    permitted_subsets,
    shares_count,
)

THREE = ["dpo", "oversight", "control-room"]


def test_two_of_three_are_three_pairs_and_one_of_leaves_two() -> None:
    assert permitted_subsets(THREE, 2) == (("control-room", "dpo"), ("control-room", "oversight"), ("dpo", "oversight"))
    assert permitted_subsets(THREE, 2, ["oversight"]) == (("control-room", "oversight"), ("dpo", "oversight"))
    assert permitted_subsets(THREE, 3, ["oversight"]) == (("control-room", "dpo", "oversight"),)
    assert permitted_subsets(["one"], 1) == (("one",),)


@given(st.integers(1, 7), st.data())
def test_exactly_the_smallest_sets_that_the_rule_allows(n: int, data: st.DataObject) -> None:
    names = [f"c{number}" for number in range(n)]
    k = data.draw(st.integers(1, n))
    one_of = data.draw(st.sets(st.sampled_from(names)))
    subsets = permitted_subsets(names, k, one_of)
    check_subsets(subsets)
    assert shares_count(n, k, len(one_of)) == sum(map(len, subsets))
    for size in range(n + 1):
        for group in combinations(names, size):
            allowed = len(group) >= k and (not one_of or bool(one_of & set(group)))
            assert allowed == any(set(group) >= set(each) for each in subsets)
            gone = set(names) - set(group)
            assert can_still_open(subsets, gone) == allowed


@given(st.integers(1, 6), st.data())
def test_a_fatal_loss_is_the_smallest_after_which_nobody_opens(n: int, data: st.DataObject) -> None:
    names = [f"c{number}" for number in range(n)]
    subsets = permitted_subsets(names, data.draw(st.integers(1, n)), data.draw(st.sets(st.sampled_from(names))))
    losses = fatal_losses(subsets)
    for gone in losses:
        assert not can_still_open(subsets, gone)
        assert all(can_still_open(subsets, set(gone) - {name}) for name in gone)
    for size in range(n + 1):
        for gone in combinations(names, size):
            assert can_still_open(subsets, gone) == (not any(set(gone) >= set(loss) for loss in losses))


def test_who_can_be_missed_is_known_beforehand() -> None:
    any_two = permitted_subsets(THREE, 2)
    assert can_still_open(any_two, ["dpo"])
    assert not can_still_open(any_two, ["dpo", "oversight"])
    assert fatal_losses(any_two) == (("control-room", "dpo"), ("control-room", "oversight"), ("dpo", "oversight"))
    never_without = permitted_subsets(THREE, 2, ["oversight"])
    assert fatal_losses(never_without) == (("oversight",), ("control-room", "dpo"))
    assert custodians_of(never_without) == ("control-room", "dpo", "oversight")


def test_the_charters_reader_counts_the_same_sets() -> None:
    """The charter's floor is below this room and counts for itself, before there is anything to seal."""
    for n in range(1, 6):
        names = [f"c{number}" for number in range(n)]
        for k in range(1, n + 1):
            for one_of in ((), ("c0",), tuple(names[:2])):
                rule = Release(Quorum(k, n), one_of)
                found = tuple(groups(tuple(Custodian(name, "") for name in names), rule))
                assert found == permitted_subsets(names, k, one_of)
                assert rule.groups_count == len(found)


@pytest.mark.parametrize(
    ("names", "k", "one_of", "said"),
    [
        (THREE, 4, [], "4 of 3"),
        (THREE, 0, [], "0 of 3"),
        ([], 1, [], "1 of 0"),
        (["dpo", "dpo"], 1, [], "twice"),
        (THREE, 2, ["mayor"], "'mayor' is no custodian"),
        (["a b"], 1, [], "custodians"),
        ([f"c{n}" for n in range(17)], 1, [], "more shares"),
        ([f"c{n}" for n in range(16)], 8, [], "more shares"),
    ],
)
def test_a_rule_that_nobody_can_keep_is_refused(names: list[str], k: int, one_of: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        permitted_subsets(names, k, one_of)


@pytest.mark.parametrize(
    "subsets",
    [
        (),
        ((),),
        (("b", "a"),),
        (("a", "a"),),
        (("b",), ("a",)),
        (("a",), ("a",)),
        (("a",), ("a", "b")),
        (("a b",),),
        tuple((f"c{n:02}",) for n in range(17)),
    ],
)
def test_what_are_no_permitted_subsets_is_refused(subsets: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(BadInput):
        check_subsets(subsets)
