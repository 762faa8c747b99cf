"""What counts as found and what as false: signals of a made year held against what was done wrong in it.

Somebody is found by a signal about them of whose evidence at least half was wrong: whoever looks at it sees it. A
signal that holds one wrong access among many honest ones does not count as finding them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

from misuse_insiders import INSIDERS, Wrong
from misuse_room import STAFF, honest_year
from watchglass.access.misuse import (
    DEFAULT,
    Explainer,
    Facts,
    Kind,
    LinkedPlaces,
    Signal,
    Thresholds,
    What,
    linked_place,
    misuse_signals,
)
from watchglass.core.time import DAY

MONTHS = 12
SEEDS_TO_CHOOSE = range(1000, 1003)
SEEDS_TO_REPORT = range(1, 1000)
PLACES_KEY = bytes(range(32))


@dataclass(frozen=True)
class Found:
    """Whether one insider was found within the year.

    Attributes:
        days: from the first wrong access to the first signal about one; None where there was none.
        kinds: of which kinds.
    """

    insider: str
    days: float | None
    kinds: frozenset[Kind]


@lru_cache(maxsize=32)
def _honest(seed: int) -> Facts:
    return honest_year(seed).facts()


def false_signals(seed: int, limits: Thresholds) -> Counter[Kind]:
    """Signals of an honest year about staff, by kind."""
    told = misuse_signals(_honest(seed), limits)
    return Counter(signal.kind for signal in told if signal.person in STAFF)


def explained_share(seed: int, limits: Thresholds) -> float:
    """The share of an honest year's accesses that something explains."""
    facts = _honest(seed)
    explainer = Explainer(facts, limits)
    looked = [each for each in facts.accesses if each.what is not What.CASE_OPENED]
    return sum(explainer.explained(each, each.at_ms + limits.wait_ms) for each in looked) / len(looked)


@lru_cache(maxsize=32)
def year_with(seed: int, insider: str) -> tuple[Facts, Wrong]:
    """An honest year with one insider (the pair: three people) in it, and what was wrong.

    Without what others looked at because the queue led them there, which no signal about the insider rests on: a test
    holds that the signals about them are the same.
    """
    year = honest_year(seed)
    wrong = INSIDERS[insider](year)
    return bearing_on(year.facts(), wrong.people), wrong


def bearing_on(facts: Facts, people: frozenset[str]) -> Facts:
    """The facts without assigned accesses of everybody else."""
    explainer = Explainer(facts, DEFAULT)
    kept = (
        each
        for each in facts.accesses
        if each.person in people
        or each.what not in {What.CLIP_VIEW, What.QUEUE_SEARCH}
        or not explainer.assigned(each, each.at_ms + DEFAULT.wait_ms)
    )
    return replace(facts, accesses=tuple(kept))


def found(seed: int, insider: str, limits: Thresholds, *, places: bool = False) -> Found:
    """Whether the insider of that year is found.

    Args:
        places: oversight also matches its list, in which the neighbour's street stands.
    """
    facts, wrong = year_with(seed, insider)
    signals = list(misuse_signals(facts, limits))
    if places:
        listed = LinkedPlaces.of(PLACES_KEY, [("i1", "camera-14"), ("r1", "camera-17"), ("i2", "camera-9")])
        signals += linked_place(facts, listed, PLACES_KEY, limits)
    asked = {each.id: each.request for each in facts.approvals}
    right = [each for each in signals if each.person in wrong.people and _shows(each, wrong, asked)]
    first = min((signal.at_ms for signal in right), default=None)
    days = None if first is None else (first - wrong.begun_ms) / DAY
    return Found(insider, days, frozenset(signal.kind for signal in right))


def _shows(signal: Signal, wrong: Wrong, asked: dict[str, str]) -> bool:
    """Whether at least half of the evidence was wrong. Of those who answer, what they answered is looked at."""
    if signal.kind in {Kind.ALWAYS_APPROVED, Kind.APPROVERS_AGREE}:
        touched = sum(asked.get(each, each) in wrong.answered for each in signal.evidence)
    else:
        touched = sum(each in wrong.ids for each in signal.evidence)
    return 2 * touched >= len(signal.evidence)
