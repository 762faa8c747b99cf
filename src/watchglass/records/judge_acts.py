"""The acts by which published limits act: how an analytic stands, that it stopped, and how it may run again.

How an analytic stands is told in the open, as everybody may know what runs: its state and why it began. The counts that
brought it there are committed, with the first and the last alert that were counted: with the openings of those alerts
and of their verdicts anybody who may read them finds the same crossing.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane
from watchglass.records.fields import HASH, NAME, Choice, ListOf, Members, OrNull, Text, Whole

_COUNT: Final = Whole(0, MAX_INTEGER)
_OVERSIGHT: Final = "Oversight, from the opening."
_SIGNED_BY: Final = "The authority and oversight, from the statement; what was changed everybody, on the register."

_MILLIONTHS: Final = Whole(-1_000_000, 1_000_000)
_WORTH: Final = Members(
    {
        "brier": _MILLIONTHS,
        "miscalibration": _MILLIONTHS,
        "discrimination": _MILLIONTHS,
        "uncertainty": _MILLIONTHS,
    }
)
_MOST_POINTS: Final = 1_001
"""One for each score, per mille."""

_RECALIBRATED: Final = ActSpec(
    "recalibrated",
    Basis.ATTESTED,
    Lane.BATCH,
    frozenset({"operator"}),
    "From here on alerts of an analytic say how likely they are right by what its own earlier alerts were; `cause` "
    "says whether this is `learnt` for the first time, `renewed` from more alerts, or `withdrawn`. `calibration` holds "
    "what was learnt, from which alerts, and what it was worth on later ones, in millionths of a Brier score.",
    "Everybody, on the page of how well it works, that it was done; oversight, from the opening.",
    clear={"analytic": NAME, "cause": Choice(("learnt", "renewed", "withdrawn"))},
    committed={
        "calibration": OrNull(
            Members(
                {
                    "points": ListOf(
                        Members({"least": Whole(0, 1000), "right": _COUNT, "n": Whole(1, MAX_INTEGER)}), _MOST_POINTS
                    ),
                    "learnt": _COUNT,
                    "shown": _COUNT,
                    "first": HASH,
                    "last": HASH,
                    "before": OrNull(_WORTH),
                    "after": _WORTH,
                }
            )
        ),
        "account": Text(100),
    },
)

JUDGE_ACTS: Final = (
    ActSpec(
        "analytic_judged",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "How an analytic stands to its published limits from here on, and why: on trial, within, unknown, or suspended "
        "because it crossed the limit that `cause` names. `evidence` is the test that decided it.",
        _OVERSIGHT,
        clear={
            "analytic": NAME,
            "state": Choice(("trial", "within", "unknown", "suspended")),
            "cause": NAME,
        },
        committed={
            "evidence": OrNull(
                Members(
                    {
                        "test": NAME,
                        "limit": Whole(1, MAX_INTEGER),
                        "alerts": _COUNT,
                        "bad": _COUNT,
                        "log_e": Whole(-MAX_INTEGER, MAX_INTEGER),
                        "first": OrNull(HASH),
                        "last": OrNull(HASH),
                    }
                )
            )
        },
    ),
    ActSpec(
        "limit_obeyed",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "Nothing of an analytic ran any more that its published limit had stopped, so many milliseconds after that.",
        _OVERSIGHT,
        clear={"analytic": NAME, "within_ms": _COUNT},
        refs_to=("analytic_judged",),
    ),
    ActSpec(
        "resumption_proposed",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"authority"}),
        "The authority proposed that an analytic may run again that its limit had stopped, and states what changed.",
        _SIGNED_BY,
        clear={"analytic": NAME},
        committed={"what_changed": Text(2_000)},
        refs_to=("analytic_judged",),
    ),
    ActSpec(
        "analytic_resumed",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight let an analytic run again that its limit had stopped, on trial; it takes effect once witnesses have "
        "cosigned it.",
        _SIGNED_BY,
        clear={"analytic": NAME},
        committed={"reason": Text(2_000)},
        refs_to=("analytic_judged", "resumption_proposed"),
    ),
    _RECALIBRATED,
)
