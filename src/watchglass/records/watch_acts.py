"""The acts by which outsiders can tell that nothing was left out: witnessed times, heartbeats, challenges, audits.

A heartbeat shows in the open that a recorder lived, which analytics it ran and how many pictures a camera sent: none of
that depends on who was there. What does (how much was decoded, how many incidents there were) is committed.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, RECORDER, ActSpec, Basis, Lane, Need
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    LINE,
    NAME,
    VKEY,
    Choice,
    ListOf,
    MapOf,
    OrNull,
    Text,
    Whole,
)

_OVERSIGHT: Final = "Oversight, from the opening."
_NOTE: Final = Text(8_000)
"""A signed note as text: a checkpoint with cosignatures, or a witness's receipt."""
_COUNT: Final = Whole(0, MAX_INTEGER)
_SECONDS: Final = Whole(0, 1 << 40)

WATCH_ACTS: Final = (
    ActSpec(
        "checkpoint_witnessed",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "Witnesses cosigned this earlier checkpoint: its entries were there at those times; what follows here was not.",
        "Nothing is hidden.",
        clear={"note": _NOTE},
        charter=Need.NEVER,
        timed=False,
    ),
    ActSpec(
        "recorder_named",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "In this run these sources are recorded by a process that made this key for itself and keeps it in memory.",
        "Nothing is hidden.",
        clear={"run": IDENTIFIER, "vkey": VKEY, "sources": ListOf(NAME, 1_000, as_set=True)},
        charter=Need.MAYBE,
        timed=False,
    ),
    ActSpec(
        "heartbeat",
        Basis.SIGNED,
        Lane.PROMPT,
        RECORDER,
        "A recorder lived through one interval of one source, quiet or not; each beat names the one before it.",
        _OVERSIGHT,
        clear={
            "source": NAME,
            "run": IDENTIFIER,
            "sequence": _COUNT,
            "previous": OrNull(HASH),
            "from_s": _SECONDS,
            "to_s": _SECONDS,
            "software": NAME,
            "models": MapOf(HASH, 64),
            "running": ListOf(NAME, 1_000, as_set=True),
            "received": _COUNT,
        },
        committed={"decoded": _COUNT, "dropped": _COUNT, "alerts": _COUNT, "segments": HASH},
        charter=Need.MAYBE,
    ),
    ActSpec(
        "challenge_told",
        Basis.SIGNED,
        Lane.BATCH,
        frozenset({"oversight"}),
        "Oversight had staged an incident that it lodged with a witness beforehand, and tells whether it was noticed.",
        _OVERSIGHT,
        clear={"challenge": HASH, "lodged": _NOTE, "result": Choice(("noticed", "missed"))},
        committed={
            "source": NAME,
            "kind": NAME,
            "from_ms": _COUNT,
            "to_ms": _COUNT,
            "salt": IDENTIFIER,
            "alert_leaf": OrNull(HASH),
            "note": Text(2_000, may_be_empty=True),
        },
    ),
    ActSpec(
        "audit_published",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight audited the log up to a size and signs what it found.",
        _OVERSIGHT,
        clear={
            "size": _COUNT,
            "root": HASH,
            "depth": Choice(("structure", "openings")),
            "found": MapOf(Choice(("kept", "broken", "unseen", "pending")), 64),
            "breaches": _COUNT,
            "report_sha256": HASH,
            "state": OrNull(HASH),
        },
        later=frozenset({"state"}),
    ),
    ActSpec(
        "year_began",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "A year began in this log: what an audit remembers of its first entries, which witnesses had cosigned.",
        "Nothing is hidden.",
        clear={
            "year": Whole(2000, 9999),
            "size": Whole(1, MAX_INTEGER),
            "root": HASH,
            "form": NAME,
            "state": HASH,
            "audit": OrNull(HASH),
        },
        charter=Need.NEVER,
        timed=False,
    ),
    ActSpec(
        "entries_archived",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "Entries from before a year are no longer served here: who keeps them stands here, their hashes stay for ever.",
        "Nothing is hidden.",
        clear={"year": Whole(2000, 9999), "before": Whole(1, MAX_INTEGER), "kept_by": LINE},
        refs_to=("year_began",),
        charter=Need.NEVER,
        timed=False,
    ),
)
