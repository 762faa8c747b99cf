"""A signal: something in the record of accesses that a person of oversight should look at. Not a finding, not a score.

Signals go to oversight and to nobody else. There is no total of a person, no order of people and no weight, and there
may be none: the log of accesses serves lawfulness, self-monitoring, integrity and criminal proceedings (Directive (EU)
2016/680, Art. 25(2)), never the management of performance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput

_DOMAIN: Final = b"watchglass/misuse-signal/v1\n"
LONGEST: Final = 1000
"""Characters of a sentence: what the record ``misuse_signalled`` takes."""

OVERSIGHT: Final = "oversight"
"""Whom a signal about missing reviews is about."""


class Kind(StrEnum):
    """Which pattern. The names are stable: they stand in records."""

    UNEXPLAINED = "unexplained"
    REPEATED_TARGET = "repeated-target"
    OFF_SHIFT = "off-shift"
    ISOLATED_SESSION = "isolated-session"
    VAGUE_REASON = "vague-reason"
    COPIED_REASON = "copied-reason"
    CASE_ABSENT = "case-absent"
    CASE_CLOSED = "case-closed"
    CASE_OF_OTHERS = "case-of-others"
    CASE_AFTER_ACCESS = "case-after-access"
    ALWAYS_APPROVED = "always-approved"
    APPROVERS_AGREE = "approvers-agree"
    GLASS_NOT_FOLLOWED = "glass-not-followed"
    GLASS_AGAIN = "glass-again"
    NO_OUTCOME = "no-outcome"
    LINKED_PLACE = "linked-place"
    REVIEW_MISSING = "review-missing"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to look at.

    Attributes:
        person: whose accesses these are: an account's name; ``oversight`` where its own review is missing.
        sentence: what was seen, in plain words.
        evidence: the ids of the accesses, approvals or signals that it rests on, sorted.
        at_ms: when it could first be known.
        other: the other one, where two people are concerned.
    """

    kind: Kind
    person: str
    sentence: str
    evidence: tuple[str, ...]
    at_ms: int
    other: str | None = None

    def __post_init__(self) -> None:
        if not self.person or not self.evidence or not 0 < len(self.sentence) <= LONGEST:
            raise BadInput(
                "A signal needs a person, a sentence of at most 1,000 characters, and evidence.",
                fix="Say what was seen, and name the records that show it.",
            )
        if list(self.evidence) != sorted(set(self.evidence)):
            raise BadInput("Evidence must be sorted, each once.", fix="Sort the ids and leave out doubles.")

    @property
    def id(self) -> str:
        """SHA-256, in base64, of kind, people and evidence: the same evidence is the same signal."""
        said = {"kind": self.kind.value, "person": self.person, "other": self.other, "evidence": list(self.evidence)}
        return b64(sha256(_DOMAIN + canonical.encode(said)))


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was signalled before, so that nothing is told twice.

    Attributes:
        until_ms: up to when earlier runs judged; what they let pass is not judged again.
        signals: theirs.
    """

    until_ms: int
    signals: tuple[Signal, ...] = ()

    def used(self, kind: Kind) -> frozenset[tuple[str, str | None, str]]:
        """(person, other, evidence) of all earlier signals of that kind."""
        return frozenset(
            (signal.person, signal.other, evidence)
            for signal in self.signals
            if signal.kind is kind
            for evidence in signal.evidence
        )


NOTHING_EARLIER: Final = Earlier(-1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mark(Generic[T]):
    """One thing that may become evidence, and when it can be judged."""

    id: str
    judged_ms: int
    value: T


def runs(
    marks: Iterable[Mark[T]], *, window_ms: int, earlier: Earlier, used: frozenset[str]
) -> Iterator[tuple[int, list[Mark[T]]]]:
    """Walk through marks in time; yield after each that is new what of the window is not yet evidence of anything.

    The caller takes the list as evidence by clearing it. So no mark is evidence twice, and a run from where the last
    one ended finds the same as one over everything.
    """
    pending: list[Mark[T]] = []
    for mark in sorted(marks, key=lambda each: (each.judged_ms, each.id)):
        if mark.id in used:
            continue
        pending[:] = [each for each in pending if each.judged_ms > mark.judged_ms - window_ms]
        pending.append(mark)
        if mark.judged_ms > earlier.until_ms:
            yield mark.judged_ms, pending


def patterns(  # the parts of one rule
    kind: Kind,
    person: str,
    marks: Iterable[Mark[T]],
    says: Callable[[int, Sequence[Mark[T]]], str | None],
    *,
    window_ms: int,
    earlier: Earlier,
    until_ms: int,
    other: str | None = None,
) -> Iterator[Signal]:
    """A signal whenever ``says`` has a sentence for what lies in the window up to that moment.

    Args:
        says: from the moment and the marks to a sentence; None while there are too few.
        until_ms: marks that can be judged only later are left to a later run.
    """
    used = frozenset(evidence for who, with_whom, evidence in earlier.used(kind) if (who, with_whom) == (person, other))
    ripe = (mark for mark in marks if mark.judged_ms <= until_ms)
    for at_ms, pending in runs(ripe, window_ms=window_ms, earlier=earlier, used=used):
        sentence = says(at_ms, pending)
        if sentence is not None:
            evidence = tuple(sorted({mark.id for mark in pending}))
            pending.clear()
            yield Signal(kind, person, sentence, evidence, at_ms, other)
