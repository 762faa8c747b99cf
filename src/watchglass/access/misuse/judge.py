"""All rules over all facts: one run, or the next one after an earlier run."""

from __future__ import annotations

from collections import defaultdict

from watchglass.access.misuse.approvals import always_approved, approvers_agree
from watchglass.access.misuse.cases import wrong_case
from watchglass.access.misuse.explain import Explainer, unexplained
from watchglass.access.misuse.facts import Access, Facts
from watchglass.access.misuse.glass import glass
from watchglass.access.misuse.hours import isolated_session, off_shift
from watchglass.access.misuse.outcomes import Came, no_outcome
from watchglass.access.misuse.reasons import Reasons, copied_reason, vague_reason
from watchglass.access.misuse.reviews import review_missing
from watchglass.access.misuse.signal import NOTHING_EARLIER, Earlier, Signal
from watchglass.access.misuse.targets import Chosen, repeated_target
from watchglass.access.misuse.thresholds import DEFAULT, Thresholds


def misuse_signals(
    facts: Facts, thresholds: Thresholds = DEFAULT, earlier: Earlier = NOTHING_EARLIER
) -> tuple[Signal, ...]:
    """What oversight should look at, in the order in which it could first be known. The same facts give the same.

    A run after an earlier one needs the facts of the last ``thresholds.lookback_ms`` before ``earlier.until_ms`` and
    ``earlier``'s signals of that time; it then says what one run over everything would have said since. Facts that
    reach the record only after they could be judged are an exception: what they explain has been told by then.
    """
    explainer, until_ms = Explainer(facts, thresholds), facts.until_ms
    accesses = sorted(facts.accesses, key=lambda access: (access.at_ms, access.id))
    chosen, reasons, came = Chosen(explainer, facts), Reasons(explainer, accesses), Came(facts)
    own: dict[str, list[Access]] = defaultdict(list)
    for access in accesses:
        own[access.person].append(access)
    found: list[Signal] = []
    for person, theirs in own.items():
        for rule in (unexplained, off_shift, isolated_session, vague_reason, wrong_case):
            found += rule(explainer, person, theirs, earlier, until_ms)
        found += repeated_target(chosen, person, thresholds, earlier, until_ms)
        found += copied_reason(reasons, explainer, person, earlier, until_ms)
        found += no_outcome(came, person, theirs, thresholds, earlier, until_ms)
    approvals = sorted(
        (each for each in facts.approvals if each.at_ms <= until_ms), key=lambda each: (each.at_ms, each.id)
    )
    found += always_approved(approvals, thresholds, earlier, until_ms)
    found += approvers_agree(approvals, thresholds, earlier, until_ms)
    found += glass(facts.breaks, thresholds, earlier, until_ms)
    found += review_missing(facts, thresholds, earlier, (*earlier.signals, *found))
    return tuple(sorted(found, key=lambda signal: (signal.at_ms, signal.id)))


def cannot_judge(facts: Facts) -> tuple[str, ...]:
    """Which signals are impossible because a kind of fact is missing altogether: a sentence each.

    To stand beside signals, so that none is not taken for all is well.
    """
    missing = (
        (facts.shifts, "There is no roster, so accesses outside a shift do not show."),
        (facts.dispatches, "There are no dispatches, so accesses because of one look unexplained."),
        (facts.cases, "There are no cases, so every request for originals looks unexplained."),
        (facts.approvals, "There are no answers of custodians, so those who always agree do not show."),
        (facts.outcomes, "There are no outcomes of releases, so every release looks as if nothing came of it."),
        (facts.verdicts, "There are no verdicts, so every clip looks as if nobody had decided."),
    )
    return tuple(sentence for values, sentence in missing if not values)
