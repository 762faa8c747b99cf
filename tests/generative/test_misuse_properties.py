"""What holds of signals for every record of accesses: same facts, same signals; no evidence twice; runs add up."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.access.misuse import (
    Access,
    Approval,
    Case,
    Dispatch,
    Earlier,
    Facts,
    GlassBreak,
    Incident,
    Outcome,
    Review,
    Shift,
    Thresholds,
    Verdict,
    What,
    misuse_signals,
)
from watchglass.core.time import DAY, HOUR, MINUTE

T0, DAYS = 20_700 * DAY, 120
PEOPLE, SOURCES = ("anna", "ben", "carl"), ("square", "quiet", "harbour")
LOW = Thresholds(
    unexplained_views=2, repeat_days=2, repeat_window_ms=10 * DAY, repeat_chance=0.9, across_days=2, across_cases=2,
    across_window_ms=14 * DAY, across_chance=0.9, one_case_days=4, baseline_ms=14 * DAY, baseline_least=4,
    baseline_share=0.5, vague_times=2, copied_times=2, reason_window_ms=10 * DAY, others_times=2,
    others_window_ms=10 * DAY, after_times=2, after_window_ms=10 * DAY, pair_window_ms=10 * DAY, pair_least=2,
    pair_chance=0.9, glass_times=2, glass_window_ms=10 * DAY, outcome_ms=3 * DAY, outcome_times=2,
    outcome_window_ms=10 * DAY, unjudged_times=2, unjudged_window_ms=10 * DAY, settle_ms=4 * DAY, review_ms=10 * DAY,
    own_verdict_ms=3 * DAY, wait_ms=DAY,
)  # fmt: skip
"""Thresholds so low that made records of a few weeks reach them."""


def made(seed: int, accesses: int) -> Facts:
    """Facts at random: nothing fits anything on purpose, so that every rule has something to say."""
    rng = random.Random(seed)
    when = lambda: T0 + rng.randrange(DAYS * DAY // MINUTE) * MINUTE  # noqa: E731  # shortest so
    cases = []
    for n in range(6):
        opened = when()
        cases.append(Case(f"c{n}", opened, frozenset({rng.choice(PEOPLE)}), opened + rng.randrange(60) * DAY))
    incidents = []
    for n in range(30):
        raised = when()
        incidents.append(Incident(f"a{n}", rng.choice(SOURCES), raised, raised + rng.randrange(1, 9) * HOUR))
    done = []
    for n in range(accesses):
        at, what = when(), rng.choice(list(What))
        case = rng.choice((None, "c9", *(each.id for each in cases)))
        named = at + rng.randrange(40) * HOUR if case is not None and rng.random() < 0.3 else None
        done.append(
            Access(
                f"x{n}", rng.choice(PEOPLE), at, what, rng.choice((None, *SOURCES)), case=case, named_ms=named,
                reason=rng.choice(("", "see case", "theft of a wallet", "theft of a wallet 2", "fight at the gate")),
                alert=rng.choice((None, *(f"a{n}" for n in range(30)))),
            )
        )  # fmt: skip
    approvals = []
    for n in range(60):
        asked = when()
        for who in rng.sample(("dora", "emil", "fred"), 2):
            took = rng.choice((20_000, HOUR))
            approvals.append(
                Approval(f"y{n}{who}", f"q{n}", rng.choice(PEOPLE), who, asked, asked + took, rng.random() < 0.9)
            )
    breaks = [
        GlassBreak(each.id, each.person, each.at_ms, each.at_ms + DAY, rng.choice((None, each.at_ms + HOUR)))
        for each in done
        if each.what is What.GLASS_BROKEN
    ]
    return Facts(
        T0, T0 + DAYS * DAY, tuple(done), tuple(cases),
        tuple(Shift(person, T0 + day * DAY, T0 + day * DAY + 10 * HOUR) for person in PEOPLE for day in range(DAYS)),
        tuple(Dispatch(f"d{n}", at, at + HOUR, frozenset(PEOPLE[:2]), "square") for n in range(5) for at in [when()]),
        tuple(incidents),
        tuple(Verdict(f"v{n}", f"a{n}", rng.choice(PEOPLE), incidents[n].raised_ms + HOUR) for n in range(0, 30, 2)),
        tuple(approvals), tuple(breaks),
        tuple(Outcome(f"o{n}", f"c{n % 6}", when()) for n in range(4)),
        tuple(Review(f"w{n}", "olga", when()) for n in range(4)),
    )  # fmt: skip


def until(facts: Facts, moment: int, since: int = T0) -> Facts:
    """What of the facts was there at a moment; the time from ``since`` on."""
    return replace(
        facts,
        from_ms=since,
        until_ms=moment,
        accesses=tuple(each for each in facts.accesses if since < each.at_ms <= moment),
        approvals=tuple(each for each in facts.approvals if since < each.asked_ms <= moment),
    )


SEEDS = st.integers(0, 10**6)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 120))
def test_the_same_facts_in_any_order_give_the_same_signals(seed: int, accesses: int) -> None:
    facts, rng = made(seed, accesses), random.Random(seed)
    mixed = {}
    for name in ("accesses", "cases", "shifts", "incidents", "verdicts", "approvals", "breaks", "outcomes", "reviews"):
        values = list(getattr(facts, name))
        rng.shuffle(values)
        mixed[name] = tuple(values)
    assert misuse_signals(facts, LOW) == misuse_signals(replace(facts, **mixed), LOW)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 160))
def test_no_evidence_stands_in_two_signals_of_one_kind_and_people(seed: int, accesses: int) -> None:
    signals = misuse_signals(made(seed, accesses), LOW)
    assert len({signal.id for signal in signals}) == len(signals)
    used = Counter((signal.kind, signal.person, signal.other, each) for signal in signals for each in signal.evidence)
    assert not [key for key, count in used.items() if count > 1]
    assert all(T0 <= signal.at_ms <= T0 + DAYS * DAY for signal in signals)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 160), st.integers(1, 6))
def test_runs_one_after_the_other_say_what_one_run_says(seed: int, accesses: int, every: int) -> None:
    facts = made(seed, accesses)
    known: tuple[object, ...] = ()
    told, last = [], -1
    steps = list(range(T0 + every * 9 * DAY + 7, T0 + DAYS * DAY, every * 9 * DAY + 7))
    for moment in [*steps, facts.until_ms]:
        since = max(T0, last - LOW.lookback_ms)
        recent = tuple(each for each in told if each.at_ms > since - LOW.settle_ms - 7 * DAY)
        told += misuse_signals(until(facts, moment, since), LOW, Earlier(last, recent))
        last = moment
    known = tuple(sorted(told, key=lambda signal: (signal.at_ms, signal.id)))
    assert known == misuse_signals(facts, LOW)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 120))
def test_the_same_run_again_says_nothing_new(seed: int, accesses: int) -> None:
    facts = made(seed, accesses)
    first = misuse_signals(facts, LOW)
    assert misuse_signals(facts, LOW, Earlier(facts.until_ms, first)) == ()


def test_made_records_reach_nearly_every_rule() -> None:
    kinds = {signal.kind for seed in range(12) for signal in misuse_signals(made(seed, 160), LOW)}
    assert len(kinds) >= 14
