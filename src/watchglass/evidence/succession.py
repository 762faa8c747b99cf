"""The charters of a log, in succession: the first approved with its own keys, each later one with the outgoing keys.

A signer's machine walks all of them out of the whole log; whoever verifies an export walks those in its manifest. Both
walk them here, so that what the one accepts the other does too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from watchglass.charter.decide import in_force
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import DidNotVerify, WatchglassError
from watchglass.core.time import HOUR, millis
from watchglass.ledger.keys import VerifierKey
from watchglass.records.leaf import Leaf
from watchglass.records.statement import verify_leaf

PUBLISHED: Final = "charter_published"
APPROVED: Final = "charter_approved"
BOTH: Final = ("authority", "oversight")


class Record(Protocol):
    """A record and its place in the log."""

    @property
    def index(self) -> int: ...

    @property
    def leaf(self) -> Leaf: ...


@dataclass(frozen=True, slots=True)
class Approved:
    """A charter that both approved, with the keys that could.

    Attributes:
        hour: of its publication. index: of the record that completed it: the second approval.
    """

    charter: Charter
    hour: str
    index: int


@dataclass(frozen=True, slots=True)
class Succession:
    """The charters that count, in the order in which they came to count."""

    approved: tuple[Approved, ...]

    @property
    def charters(self) -> tuple[Charter, ...]:
        """The charters alone."""
        return tuple(each.charter for each in self.approved)

    def approvers_of(self, published: Record) -> dict[str, list[VerifierKey]]:
        """For each role the keys that could approve the charter of this publication; none where it cannot be read."""
        charter = _parsed(published.leaf)
        before = [each for each in self.approved if each.index < published.index]
        return {} if charter is None else _may_approve(charter, published.leaf.hour, before)

    def oversight_for(self, record: Record) -> list[VerifierKey]:
        """The keys that could speak for oversight in a record: of the charters that stood in its hour, at its place.

        A record from before the first charter is put to that one. Empty where there is no charter.
        """
        before = [each for each in self.approved if each.index < record.index] or self.approved[:1]
        return [VerifierKey.parse(each.oversight.key) for each in _stood(before, record.leaf.hour)]


@dataclass(slots=True)
class _Waiting:
    charter: Charter
    hour: str
    allowed: Mapping[str, list[VerifierKey]]
    by: set[str] = field(default_factory=set)


def walk(records: Iterable[Record], origin: str) -> Succession:
    """Walk publications and approvals in the order of the log. What does not follow counts for nothing.

    Args:
        records: in the order of the log; other acts are passed over.
        origin: the log, which every signature names.
    """
    waiting: dict[str, _Waiting] = {}
    approved: list[Approved] = []
    for record in records:
        leaf = record.leaf
        if leaf.act == PUBLISHED:
            charter = _parsed(leaf)
            if charter is not None and (not approved or charter.version > approved[-1].charter.version):
                waiting[charter.digest] = _Waiting(charter, leaf.hour, _may_approve(charter, leaf.hour, approved))
        elif leaf.act == APPROVED:
            published, role = waiting.get(leaf.clear["sha256"]), leaf.clear["as_role"]
            if published is None or leaf.role != role:
                continue
            with suppress(DidNotVerify):  # somebody else's signature makes nothing valid, and nothing invalid
                signed_by(leaf, origin=origin, keys={role: published.allowed[role]})
                published.by.add(role)
            if published.by.issuperset(BOTH):
                approved.append(Approved(published.charter, published.hour, record.index))
                del waiting[published.charter.digest]
    return Succession(tuple(approved))


def signed_by(leaf: Leaf, *, origin: str, keys: Mapping[str, Sequence[VerifierKey]]) -> VerifierKey:
    """Which of the ``keys`` of the record's role signed it. It is the key that counts: a file may name it otherwise.

    Raises:
        DidNotVerify: none of them did.
    """
    signature = leaf.signature
    allowed = keys.get(leaf.role, ())
    known = next((key for key in allowed if signature is not None and key.public == signature.key.public), None)
    if known is None or signature is None:
        return verify_leaf(leaf, origin=origin, keys=keys)  # which says why not
    verify_leaf(leaf, origin=origin, keys={leaf.role: [signature.key]})
    return known


def _parsed(leaf: Leaf) -> Charter | None:
    """The charter in a publication; None where its text is not what its hash says, or this version cannot read it."""
    text = str(leaf.clear["text"]).encode()
    if b64(sha256(text)) != leaf.clear["sha256"]:
        return None
    try:
        return parse(text)
    except WatchglassError:
        return None


def _may_approve(charter: Charter, hour: str, approved: Sequence[Approved]) -> dict[str, list[VerifierKey]]:
    """For each role the keys that could approve ``charter`` in that hour: those of the charter that stood then."""
    outgoing = _stood(approved, hour) or [charter]
    return {
        "authority": [VerifierKey.parse(each.authority.key) for each in outgoing],
        "oversight": [VerifierKey.parse(each.oversight.key) for each in outgoing],
    }


def _stood(approved: Sequence[Approved], hour: str) -> list[Charter]:
    """The charters that stood in an hour: when it began, and when it ended. A record tells no more than its hour."""
    stood = (_standing(approved, hour, at_end=end) for end in (False, True))
    return [each for each in stood if each is not None]


def _standing(approved: Sequence[Approved], hour: str, *, at_end: bool) -> Charter | None:
    begin = millis(datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC))
    for each in reversed(approved):
        since = in_force(each.charter)[0]
        if (since < begin + HOUR and each.hour <= hour) if at_end else (since <= begin and each.hour < hour):
            return each.charter
    return approved[0].charter if approved else None
