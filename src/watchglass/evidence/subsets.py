"""Which sets of custodians may open a sealed segment: "k of n", at least one of them of a named few.

A permitted subset is *minimal*: no custodian in it is superfluous. Each gets shares of its own (see ``shares``), so the
rule is enforced by what exists, not by a check that could be left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations
from math import comb
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.records.fields import NAME

MOST_CUSTODIANS: Final = 16
MOST_SHARES: Final = 4_096
"""Of one segment: the sizes of all its permitted subsets together."""

Subset = tuple[str, ...]
Subsets = tuple[Subset, ...]


def permitted_subsets(names: Collection[str], k: int, one_of: Collection[str] = ()) -> Subsets:
    """Every minimal set of custodians that may open, each sorted, and sorted among themselves.

    Args:
        names: all custodians.
        k: how many of them must agree.
        one_of: at least one of these must be among them; empty where the rule names nobody.

    Raises:
        BadInput: nobody could ever open by this rule, a name is unknown or there twice, or there are too many sets.
    """
    known = sorted(set(names))
    if len(known) != len(names):
        raise BadInput("A custodian is named twice.", fix="Name each custodian once.")
    for name in known:
        NAME.check(name, "custodians")
    if not 1 <= k <= len(known):
        raise BadInput(
            f"{k} of {len(known)} custodians can never agree.", fix=f"Ask for 1 to {len(known)} of them.", k=k
        )
    strangers = sorted(set(one_of) - set(known))
    if strangers:
        raise BadInput(f"'{strangers[0]}' is no custodian.", fix="Take it out of `one_of`.", custodian=strangers[0])
    if len(known) > MOST_CUSTODIANS or shares_count(len(known), k, len(set(one_of))) > MOST_SHARES:
        raise BadInput(
            f"{k} of {len(known)} custodians need more shares than a segment may carry.",
            fix="Name fewer custodians, or ask for fewer of them.",
        )
    return tuple(each for each in combinations(known, k) if not one_of or not set(one_of).isdisjoint(each))


def shares_count(n: int, k: int, one_of: int = 0) -> int:
    """How many shares a segment needs for "k of n", at least one of ``one_of`` (0: of any). One share is 32 bytes."""
    without = comb(n - one_of, k) if one_of else 0
    return k * (comb(n, k) - without)


def check_subsets(subsets: Subsets) -> None:
    """Refuse what are no permitted subsets: unsorted, repeated, empty, one within another, too many.

    Raises:
        BadInput: naming the first that is wrong.
    """
    if not subsets or sum(map(len, subsets)) > MOST_SHARES or len(custodians_of(subsets)) > MOST_CUSTODIANS:
        raise BadInput("A segment has 1 to 4,096 shares, of at most 16 custodians.", fix="Use another rule of release.")
    if list(subsets) != sorted(set(subsets)):
        raise BadInput("Permitted subsets are sorted, without repetition.", fix="Use what `permitted_subsets` gives.")
    for each in subsets:
        if not each or list(each) != sorted(set(each)):
            raise BadInput("A permitted subset names custodians, sorted.", fix="Use what `permitted_subsets` gives.")
        for name in each:
            NAME.check(name, "custodians")
    sets = [frozenset(each) for each in subsets]
    # Sets of one size cannot lie in one another; only a mixed list has to be compared.
    if len(set(map(len, sets))) > 1 and any(a < b for a in sets for b in sets):
        raise BadInput("A permitted subset holds another one.", fix="Leave out the larger: nobody needs it.")


def custodians_of(subsets: Iterable[Subset]) -> Subset:
    """Everybody who is in one of them, sorted."""
    return tuple(sorted({name for each in subsets for name in each}))


def can_still_open(subsets: Iterable[Subset], gone: Collection[str]) -> bool:
    """Whether a permitted subset is left when the custodians ``gone`` no longer hold their keys."""
    lost = set(gone)
    return any(lost.isdisjoint(each) for each in subsets)


def fatal_losses(subsets: Subsets) -> Subsets:
    """Every smallest set of custodians without whom nobody can open any more; shortest first.

    A set of one is a custodian on whom everything depends. "Destroyed" means that all of one such set destroyed theirs.
    """
    everybody = custodians_of(subsets)
    bit = {name: 1 << place for place, name in enumerate(everybody)}
    sets = [sum(bit[name] for name in each) for each in subsets]
    found: list[tuple[int, Subset]] = []
    for size in range(1, len(everybody) + 1):
        for gone in combinations(everybody, size):
            lost = sum(bit[name] for name in gone)
            if all(lost & each for each in sets) and not any(lost & less == less for less, _ in found):
                found.append((lost, gone))
    return tuple(gone for _, gone in found)
