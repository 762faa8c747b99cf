"""The acts around samples of what was not alerted: drawn, kept, looked at, judged; and how many near-misses there were.

All of it is committed: that a moment was drawn tells that somebody was somewhere. That there was any shows with the
batch, and not of which analytic.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane
from watchglass.records.fields import HASH, IDENTIFIER, MINUTE, NAME, Choice, ListOf, Members, OrNull, Text, Whole

_OVERSIGHT: Final = "Oversight, from the opening."
_SAMPLE: Final = {"sample": IDENTIFIER}
_BAND: Final = Choice(("near", "very_near"))
_DRAWN: Final = {"number": Whole(0, 999_999_999), "below": Whole(1, 1_000_000_000)}
"""A number that was drawn, from 0 to a thousand million, and below which one it was taken."""

SAMPLES: Final[tuple[ActSpec, ...]] = (
    ActSpec(
        "sample_taken",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "A moment was drawn for people to look at: one that came near an alert and was none (`near`), one whatever was "
        "in the picture (`quiet`), or an old alert whose answer is known (`known`), so that nobody can tell which.",
        _OVERSIGHT,
        committed={
            **_SAMPLE,
            **_DRAWN,
            "analytic": NAME,
            "source": NAME,
            "kind": Choice(("near", "quiet", "known")),
            "band": OrNull(_BAND),
            "closeness": OrNull(Whole(500, 999)),
            "of": OrNull(HASH),
            "kept_until": MINUTE,
        },
    ),
    ActSpec(
        "sample_kept",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "The mosaicked clip of a drawn moment was sealed and kept.",
        _OVERSIGHT,
        committed={
            **_SAMPLE,
            "ciphertext_sha256": HASH,
            "seconds_ms": Whole(0, MAX_INTEGER),
            "masked_per_mille": Whole(0, 1000),
        },
        refs_to=("sample_taken",),
    ),
    ActSpec(
        "sample_viewed",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"reviewer", "shift-lead", "oversight"}),
        "A person looked at the mosaicked clip of a drawn moment.",
        _OVERSIGHT,
        committed={**_SAMPLE, "account": Text(100)},
        refs_to=("sample_taken",),
    ),
    ActSpec(
        "sample_judged",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"reviewer", "shift-lead"}),
        "A person said whether what the rule is about had happened in a drawn moment; nobody is sent anywhere.",
        _OVERSIGHT,
        committed={**_SAMPLE, "answer": Choice(("yes", "no", "cannot-tell")), "account": Text(100)},
        refs_to=("sample_taken",),
    ),
    ActSpec(
        "near_misses_counted",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "Once a day for each analytic, whether or not there were any: each moment that came near an alert, "
        "with the number that was drawn for it; those below were taken.",
        _OVERSIGHT,
        clear={"analytic": NAME},
        committed={"day": Whole(0, MAX_INTEGER), "draws": ListOf(Members({**_DRAWN, "band": _BAND}), 5_000)},
    ),
)

SAMPLE_ACTS: Final = frozenset(spec.name for spec in SAMPLES)
