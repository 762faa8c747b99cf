"""The acts by which it shows what was missed: staged drills, samples of what was not alerted, reports from outside.

A drill exposes power and no person, so what became of it is told in the open: for which rule, at which camera, on which
day, and whether it was noticed. When exactly it is to be is committed, for those who judge alerts read the public
ledger too; it is said a day later, as the alerts that were its own are.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane
from watchglass.records.fields import DATE, HASH, IDENTIFIER, NAME, Choice, ListOf, OrNull, Text, Whole
from watchglass.records.report_acts import REPORT_ACTS
from watchglass.records.sample_acts import SAMPLES

_INSTANT: Final = Whole(0, MAX_INTEGER)
"""Milliseconds since 1970."""
_PLANNERS: Final = frozenset({"operator", "shift-lead"})
_ON_THE_SPOT: Final = _PLANNERS | {"responder"}
_RUNNERS: Final = "Those who run drills; oversight, from the opening."
_ACCOUNT: Final = Text(100)

_DRILLS: Final[tuple[ActSpec, ...]] = (
    ActSpec(
        "drill_planned",
        Basis.ATTESTED,
        Lane.PROMPT,
        _PLANNERS,
        "A drill was announced, at least an hour ahead: people will play what a rule is for. It counts as missed "
        "unless it is run in its time or called off before.",
        _RUNNERS,
        clear={"drill": IDENTIFIER, "analytic": NAME, "source": NAME, "day": DATE},
        committed={"from_ms": _INSTANT, "to_ms": _INSTANT, "what": Text(500), "account": _ACCOUNT},
    ),
    ActSpec(
        "drill_begun",
        Basis.ATTESTED,
        Lane.BATCH,
        _ON_THE_SPOT,
        "A person on the spot said that a drill began in that moment.",
        _RUNNERS,
        committed={"begun_ms": _INSTANT, "account": _ACCOUNT},
        refs_to=("drill_planned",),
    ),
    ActSpec(
        "drill_ended",
        Basis.ATTESTED,
        Lane.BATCH,
        _ON_THE_SPOT,
        "A person said that a drill was over: there and then, or afterwards with the times of both.",
        _RUNNERS,
        clear={"told": Choice(("there", "afterwards"))},
        committed={"begun_ms": _INSTANT, "ended_ms": _INSTANT, "account": _ACCOUNT},
        refs_to=("drill_planned",),
    ),
    ActSpec(
        "drill_called_off",
        Basis.ATTESTED,
        Lane.PROMPT,
        _PLANNERS,
        "A drill was called off before its time; it counts for nothing.",
        _RUNNERS,
        committed={"reason": Text(500), "account": _ACCOUNT},
        refs_to=("drill_planned",),
    ),
    ActSpec(
        "drill_scored",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "What became of a drill, worked out by the house after its day. `alerts` were its own: they count neither as "
        "right nor as wrong. `cause` says why it does not count.",
        _RUNNERS,
        clear={
            "drill": IDENTIFIER,
            "analytic": NAME,
            "source": NAME,
            "day": DATE,
            "stratum": Choice(("day", "night")),
            "result": Choice(("noticed", "missed", "not-run", "not-counted")),
            "cause": OrNull(Choice(("stopped", "dark", "outside-hours", "not-allowed"))),
        },
        committed={
            "begun_ms": OrNull(_INSTANT),
            "ended_ms": OrNull(_INSTANT),
            "alerts": ListOf(HASH, 200),
        },
        refs_to=("drill_planned",),
    ),
)

MISSED_ACTS: Final[tuple[ActSpec, ...]] = (*_DRILLS, *SAMPLES, *REPORT_ACTS)
