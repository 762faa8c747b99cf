"""Signals of misuse in the record of accesses: pure functions over values, for oversight alone.

``misuse_signals`` runs in the house over its own records, or at oversight's over opened ones; ``linked_place`` only at
oversight's, which alone holds its list and key. ``quarterly_counts`` is what the public learns. A file a family:
``explain`` (and what is unexplained), ``targets``, ``hours``, ``reasons``, ``cases``, ``approvals``, ``glass``,
``outcomes``, ``reviews``, ``places``.

There is no function that counts, orders or weighs people, and a test holds that (Directive (EU) 2016/680, Art. 25(2)).
"""

from watchglass.access.misuse.counts import QuarterlyCounts, quarterly_counts
from watchglass.access.misuse.explain import Explainer, Explanation
from watchglass.access.misuse.facts import (
    Access,
    Approval,
    Case,
    Dispatch,
    Disposition,
    Facts,
    Finding,
    GlassBreak,
    Incident,
    Outcome,
    Review,
    Shift,
    Verdict,
    What,
)
from watchglass.access.misuse.judge import cannot_judge, misuse_signals
from watchglass.access.misuse.places import LinkedPlaces, linked_place
from watchglass.access.misuse.signal import Earlier, Kind, Signal
from watchglass.access.misuse.thresholds import DEFAULT, Thresholds

__all__ = [
    "DEFAULT",
    "Access",
    "Approval",
    "Case",
    "Dispatch",
    "Disposition",
    "Earlier",
    "Explainer",
    "Explanation",
    "Facts",
    "Finding",
    "GlassBreak",
    "Incident",
    "Kind",
    "LinkedPlaces",
    "Outcome",
    "QuarterlyCounts",
    "Review",
    "Shift",
    "Signal",
    "Thresholds",
    "Verdict",
    "What",
    "cannot_judge",
    "linked_place",
    "misuse_signals",
    "quarterly_counts",
]
