"""The acts around sealed originals: keys, segments, cases, releases, holds, destruction, and signals of misuse.

What discloses is told in the open by its kind alone: that there was a request, so many approvals, a grant. Which
source, which minutes, which case, why and for whom are committed. An approval names the request that it approves; that
link exposes power and no person. A request does not name its case in the open, for that would tell how busy a case is.
Holds and what was made of signals come in batches (law 10): when they came would tell of what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane, Need
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    MONTH,
    NAME,
    X25519,
    Choice,
    FieldType,
    ListOf,
    Members,
    OrNull,
    Text,
    Whole,
)

_OVERSIGHT: Final = "Oversight, from the opening."
_PARTIES: Final = "The investigator, the custodians and oversight, from the statement or the opening."
_ACCOUNT: Final = Text(100)
_INSTANT: Final = Whole(0, MAX_INTEGER)
"""Milliseconds since 1970."""
_CUSTODIAN: Final = frozenset({"custodian"})
_INVESTIGATOR: Final = frozenset({"investigator"})
_BREAKERS: Final = frozenset({"investigator", "shift-lead"})
_SCOPE: Final[Mapping[str, FieldType]] = {"source": NAME, "from_ms": _INSTANT, "to_ms": _INSTANT}
_REQUEST: Final[Mapping[str, FieldType]] = {"request": IDENTIFIER}
_SEEN: Final = Members({"size": Whole(0, MAX_INTEGER), "root": HASH})
_REASON: Final = Text(2_000)

_KEYS: Final = (
    ActSpec(
        "sealing_key_published",
        Basis.SIGNED,
        Lane.PROMPT,
        _CUSTODIAN,
        "A custodian published the key to which this month's shares are sealed; its private half never leaves them.",
        "Nothing but the minute is hidden.",
        clear={"custodian": NAME, "period": MONTH, "key": X25519},
    ),
    ActSpec(
        "period_destroyed",
        Basis.SIGNED,
        Lane.PROMPT,
        _CUSTODIAN,
        "A custodian destroyed the key of a month. What no permitted set of custodians can open any more is destroyed.",
        "Nothing but the minute is hidden.",
        clear={"custodian": NAME, "period": MONTH},
        refs_to=("sealing_key_published",),
    ),
)

_SEGMENTS: Final = (
    ActSpec(
        "segment_sealed",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "A few seconds of original video were sealed in memory and stored; nobody but a permitted set of custodians "
        "can open them.",
        _OVERSIGHT,
        committed={
            **_SCOPE,
            "segment": IDENTIFIER,
            "alert": OrNull(IDENTIFIER),
            "ciphertext_sha256": HASH,
            "key_commitment": HASH,
            "bytes": Whole(0, MAX_INTEGER),
        },
        purpose=Need.ALWAYS,
    ),
)

_CASES: Final = (
    ActSpec(
        "case_opened",
        Basis.SIGNED,
        Lane.PROMPT,
        _INVESTIGATOR,
        "An investigator opened a case with a legal authority; releases are asked for within a case.",
        _PARTIES,
        committed={
            "case": IDENTIFIER,
            "number": Text(100),
            "authority": Text(500),
            "reason": _REASON,
            "case_key": X25519,
            "until_ms": _INSTANT,
        },
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "case_closed",
        Basis.SIGNED,
        Lane.PROMPT,
        _INVESTIGATOR,
        "An investigator closed a case; nothing more can be asked for within it.",
        _PARTIES,
        committed={"case": IDENTIFIER, "opened": HASH, "result": _REASON},
        purpose=Need.ALWAYS,
    ),
)

_RELEASES: Final = (
    ActSpec(
        "release_requested",
        Basis.SIGNED,
        Lane.PROMPT,
        _INVESTIGATOR,
        "An investigator asked the custodians for originals: one source, from a time to a time, for one case.",
        _PARTIES,
        committed={
            **_REQUEST,
            **_SCOPE,
            "case": IDENTIFIER,
            "opened": HASH,
            "reason": _REASON,
            "recipient": X25519,
            "until_ms": _INSTANT,
        },
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "release_denied",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"house"}),
        "The house did not let a request for originals reach the custodians, and why.",
        _OVERSIGHT,
        committed={
            "statement_sha256": HASH,
            "by": _ACCOUNT,
            "case": OrNull(IDENTIFIER),
            "source": OrNull(NAME),
            "why": Text(2_000),
        },
    ),
    ActSpec(
        "release_approved",
        Basis.SIGNED,
        Lane.PROMPT,
        _CUSTODIAN,
        "A custodian approved a request, having seen it in a cosigned checkpoint, and sealed shares anew for the "
        "investigator's key.",
        _PARTIES,
        committed={
            **_REQUEST,
            "custodian": NAME,
            "scope_sha256": HASH,
            "recipient": X25519,
            "bundle_sha256": HASH,
            "until_ms": _INSTANT,
            "seen": _SEEN,
        },
        refs_to=("release_requested",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "release_refused",
        Basis.SIGNED,
        Lane.PROMPT,
        _CUSTODIAN,
        "A custodian refused a request.",
        _PARTIES,
        committed={**_REQUEST, "custodian": NAME, "reason": _REASON},
        refs_to=("release_requested",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "release_granted",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "A permitted set of custodians had approved; once witnesses have cosigned this, the house hands the sealed "
        "segments and the shares to the investigator.",
        _PARTIES,
        clear={"approvals": ListOf(HASH, 64, as_set=True)},
        committed={**_REQUEST, "segments": Whole(0, MAX_INTEGER)},
        refs_to=("release_requested",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "release_taken",
        Basis.SIGNED,
        Lane.PROMPT,
        _INVESTIGATOR,
        "The one who asked took the released segments to their own machine.",
        _PARTIES,
        committed={**_REQUEST, "segments": Whole(0, MAX_INTEGER)},
        refs_to=("release_granted",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "glass_broken",
        Basis.SIGNED,
        Lane.PROMPT,
        _BREAKERS,
        "Somebody used the charter's emergency rule to open originals at once, without custodians. Oversight is told.",
        _PARTIES,
        committed={**_REQUEST, **_SCOPE, "reason": _REASON, "follow_up_by_ms": _INSTANT},
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "glass_followed_up",
        Basis.SIGNED,
        Lane.PROMPT,
        _BREAKERS,
        "The one who used the emergency rule reported what was seen and done.",
        _PARTIES,
        committed={**_REQUEST, "report": _REASON, "case": OrNull(Text(100))},
        refs_to=("glass_broken",),
        purpose=Need.ALWAYS,
    ),
)

_HOLDS: Final = (
    ActSpec(
        "hold_ordered",
        Basis.SIGNED,
        Lane.BATCH,
        frozenset({"authority", "oversight"}),
        "The authority or oversight ordered that some originals be kept beyond their retention.",
        _PARTIES,
        committed={**_SCOPE, "hold": IDENTIFIER, "reason": _REASON, "until_ms": _INSTANT},
    ),
    ActSpec(
        "hold_kept",
        Basis.SIGNED,
        Lane.BATCH,
        _CUSTODIAN,
        "A custodian sealed their shares of what is held to a key of the hold, so that the month's key can still die.",
        _PARTIES,
        committed={"hold": IDENTIFIER, "custodian": NAME, "recipient": X25519, "bundle_sha256": HASH},
        refs_to=("hold_ordered",),
    ),
    ActSpec(
        "hold_lifted",
        Basis.SIGNED,
        Lane.BATCH,
        frozenset({"authority", "oversight"}),
        "What was held may be destroyed again.",
        _PARTIES,
        committed={"hold": IDENTIFIER, "reason": _REASON},
        refs_to=("hold_ordered",),
    ),
)

_MISUSE: Final = (
    ActSpec(
        "misuse_signalled",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "Something in the record of accesses is explained by nothing, or looks like misuse; oversight looks at it.",
        "Oversight alone.",
        committed={"signal": HASH, "kind": NAME, "sentence": Text(1_000)},
    ),
    ActSpec(
        "misuse_settled",
        Basis.SIGNED,
        Lane.BATCH,
        frozenset({"oversight"}),
        "Oversight said what it made of a signal of misuse.",
        "Oversight alone.",
        committed={
            "signal": HASH,
            "finding": Choice(("explained", "mistake", "misuse", "unclear")),
            "note": Text(2_000, may_be_empty=True),
        },
    ),
)

GUARD_ACTS: Final = (*_KEYS, *_SEGMENTS, *_CASES, *_RELEASES, *_HOLDS, *_MISUSE)
