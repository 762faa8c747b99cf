"""What a charter says about original video: what is sealed, whose keys open it, and what a release needs.

Nothing here opens anything. Cryptography enforces the rule (``evidence/``); the charter is where it is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Annotated, Final, Literal

from watchglass.charter import schema
from watchglass.charter.schema import Key, Many, Part, Scalar
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

MOST_CUSTODIANS: Final = 16
"""More people than this do not keep keys together."""
MOST_SHARES: Final = 64
"""A segment carries no more shares of its key than this; one for each custodian of each group that may open it."""

When = Literal["incidents", "always"]
Need = Literal["case", "legal_authority", "reason"]
Breaker = Literal["shift-lead", "investigator"]
Use = Literal["lawfulness", "self-monitoring", "integrity", "criminal-proceedings"]

NEEDS: Final[tuple[Need, ...]] = ("case", "legal_authority", "reason")
BREAKERS: Final[tuple[Breaker, ...]] = ("shift-lead", "investigator")
"""The roles that a charter may let break the glass. Nobody who manages accounts or cameras is among them."""
USES: Final[tuple[Use, ...]] = ("lawfulness", "self-monitoring", "integrity", "criminal-proceedings")
"""The only uses of the record of who looked at what: LED Art. 25(2)."""


def _between(value: int, lowest: int, highest: int, what: str, fix: str) -> None:
    if not lowest <= value <= highest:
        raise BadInput(what, fix=fix)


@dataclass(frozen=True, slots=True)
class Record:
    """Which original video is kept, sealed.

    Attributes:
        before_ms: kept from the memory ring, before an incident; 0 where everything is recorded.
        after_ms: kept after it.
        sources: the sources that are recorded; empty means every source.
    """

    when: Annotated[
        When,
        Key(
            schema.word("incidents", "always"),
            "What is recorded: `incidents` around alerts only; `always` everything that the camera sends.",
        ),
    ]
    before_ms: Annotated[
        int, Key(schema.DURATION, "For `incidents`: how much from before the alert; at most 10m.", "before")
    ] = 0
    after_ms: Annotated[
        int, Key(schema.DURATION, "For `incidents`: how much from after it; from 1s to 1h.", "after")
    ] = 0
    segment_ms: Annotated[int, Key(schema.DURATION, "How long one sealed piece is, from 1s to 5m.", "segment")] = (
        10 * SECOND
    )
    sources: Annotated[
        tuple[str, ...], Key(Many(schema.NAME, fewest=1), "Which `sources` are recorded. Without it: every one.")
    ] = ()

    def __post_init__(self) -> None:
        if self.when == "always" and (self.before_ms or self.after_ms):
            raise BadInput(
                "Where everything is recorded, nothing is before or after.",
                fix="Remove `before` and `after`, or write `when: incidents`.",
            )
        if self.when == "incidents":
            _between(
                self.before_ms, 0, 10 * MINUTE, "At most 10 minutes from before an alert are kept in memory.",
                "Write `before: 10m` or less.",
            )  # fmt: skip
            _between(
                self.after_ms, SECOND, HOUR, "A recording goes on for a second to an hour after the alert.",
                "Write for example `after: 40s`.",
            )  # fmt: skip
        _between(
            self.segment_ms, SECOND, 5 * MINUTE, "A sealed piece is from a second to five minutes long.",
            "Write for example `segment: 10s`.",
        )  # fmt: skip
        if len(set(self.sources)) != len(self.sources):
            raise BadInput("`sources` names a source twice.", fix="Name each once.")


@dataclass(frozen=True, slots=True)
class Custodian:
    """Someone who keeps keys to sealed originals on their own machine. ``key``: their identity key, a verifier key."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of how many custodians must agree: ``2 of 3``."""

    k: int
    n: int

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise BadInput(
                f"{self.k} of {self.n} custodians can never agree.",
                fix="Write first how many must agree, then how many there are, such as 2 of 3.",
            )

    def __str__(self) -> str:
        return f"{self.k} of {self.n}"


_QUORUM = re.compile(r"(0|[1-9][0-9]?) of (0|[1-9][0-9]?)", re.ASCII)


def _read_quorum(text: str) -> Quorum:
    match = _QUORUM.fullmatch(text)
    if not match:
        raise ValueError(text[:60])
    return Quorum(int(match[1]), int(match[2]))


QUORUM: Final = Scalar("how many of how many, such as 2 of 3", _read_quorum)


@dataclass(frozen=True, slots=True)
class GlassRule:
    """A way for one person to open a little at once, in an emergency, which everybody who oversees hears of."""

    key: Annotated[
        str,
        Key(schema.OPENINGS_KEY, "The X25519 public key to which the key of every sealed piece is wrapped as well."),
    ]
    by: Annotated[
        tuple[Breaker, ...],
        Key(Many(schema.word(*BREAKERS), fewest=1, most=len(BREAKERS)), "Which roles may use it."),
    ]
    longest_ms: Annotated[int, Key(schema.DURATION, "How much video one use opens; from 1s to 1h.", "longest")]
    not_older_than_ms: Annotated[int, Key(schema.DURATION, "How far back it reaches; from 1m to 1d.", "not_older_than")]
    follow_up_ms: Annotated[
        int, Key(schema.DURATION, "How soon its use must be explained; from 1m to 7d.", "follow_up")
    ]

    def __post_init__(self) -> None:
        if len(set(self.by)) != len(self.by):
            raise BadInput("`by` names a role twice.", fix="Name each once.")
        _between(
            self.longest_ms, SECOND, HOUR, "In an emergency at most an hour is opened.",
            "Write for example `longest: 10m`.",
        )  # fmt: skip
        _between(
            self.not_older_than_ms, MINUTE, DAY, "An emergency is not older than a day.",
            "Write for example `not_older_than: 2h`; for what is older, request a release.",
        )  # fmt: skip
        _between(
            self.follow_up_ms, MINUTE, 7 * DAY, "Whoever breaks the glass explains it within a week.",
            "Write for example `follow_up: 24h`.",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """What it takes to open sealed originals.

    Attributes:
        custodians: how many must agree; ``k`` and ``n`` are its two numbers.
        one_of: custodians of whom at least one must agree; empty where anybody's will do.
        valid_ms: for how long a request may be approved and taken.
        longest_ms: how much video one request may open.
    """

    custodians: Annotated[Quorum, Key(QUORUM, "How many of the custodians must agree.")]
    one_of: Annotated[
        tuple[str, ...],
        Key(Many(schema.NAME, fewest=1, most=MOST_CUSTODIANS), "At least one of these custodians must be among them."),
    ] = ()
    needs: Annotated[
        tuple[Need, ...],
        Key(Many(schema.word(*NEEDS), fewest=1, most=len(NEEDS)), "What a request must state: always all three."),
    ] = NEEDS
    valid_ms: Annotated[
        int, Key(schema.DURATION, "How long a request may be approved and taken; from 10m to 7d.", "valid")
    ] = DAY
    longest_ms: Annotated[
        int, Key(schema.DURATION, "How much video one request may open; from 1s to 1d.", "longest")
    ] = HOUR
    break_glass: Annotated[
        GlassRule | None, Key(Part(GlassRule), "What one person may open alone in an emergency. Without it: nothing.")
    ] = None

    def __post_init__(self) -> None:
        if len(set(self.one_of)) != len(self.one_of):
            raise BadInput("`one_of` names a custodian twice.", fix="Name each once.")
        if len(set(self.needs)) != len(self.needs) or set(self.needs) != set(NEEDS):
            raise BadInput(
                "A release always needs a case, a legal authority and a reason.",
                fix=f"Write `needs: [{', '.join(NEEDS)}]`, or leave it out.",
            )
        _between(
            self.valid_ms, 10 * MINUTE, 7 * DAY, "A request is valid for ten minutes to a week.",
            "Write for example `valid: 24h`.",
        )  # fmt: skip
        _between(
            self.longest_ms, SECOND, DAY, "One release opens a second to a day of video.",
            "Write for example `longest: 1h`.",
        )  # fmt: skip
        if self.break_glass is not None and self.break_glass.longest_ms > self.longest_ms:
            raise BadInput(
                "Breaking the glass would open more than a release.",
                fix="Let `break_glass.longest` be at most `longest`.",
            )

    @property
    def k(self) -> int:
        """How many custodians must agree."""
        return self.custodians.k

    @property
    def n(self) -> int:
        """How many custodians there are."""
        return self.custodians.n

    @property
    def groups_count(self) -> int:
        """How many smallest groups of custodians may open a sealed piece: k of n with one of ``one_of``."""
        without = comb(max(0, self.n - len(self.one_of)), self.k) if self.one_of else 0
        return comb(self.n, self.k) - without

    @property
    def shares(self) -> int:
        """How many shares of its key every sealed piece carries: one for each custodian of each group."""
        return self.k * self.groups_count


@dataclass(frozen=True, slots=True)
class AccessLog:
    """What the record of who looked at what may be used for."""

    uses: Annotated[
        tuple[Use, ...],
        Key(
            Many(schema.word(*USES), fewest=1, most=len(USES)),
            "The only uses of the record of who looked at what. Never how well somebody works: LED Art. 25(2).",
        ),
    ] = USES

    def __post_init__(self) -> None:
        if len(set(self.uses)) != len(self.uses):
            raise BadInput("`uses` names a use twice.", fix="Name each once.")
        if "lawfulness" not in self.uses:
            raise BadInput(
                "Nobody could check whether somebody looked unlawfully.", fix="Add `lawfulness` to `access_log.uses`."
            )


def groups(custodians: tuple[Custodian, ...], release: Release) -> Iterator[tuple[str, ...]]:
    """The smallest groups of custodians that may open a sealed piece, each sorted, in order of their names."""
    for names in combinations(sorted(custodian.name for custodian in custodians), release.k):
        if not release.one_of or set(names) & set(release.one_of):
            yield names
