"""The charters of a log, in succession: the first approved with its own keys, each later one with the outgoing keys.

A signer's machine walks all of them out of the whole log; whoever verifies an export walks those in its manifest. Both
walk them here, so that what the one accepts the other does too.

Whose keys counted for a record follows from its place in the log and from its hour. The hour is the signer's word, and
a key that was retired could write an old one. So once any record names a later charter as the one it was made under,
the keys before that one sign nothing more that enters the log after it.
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
from watchglass.records.act_spec import Lane
from watchglass.records.leaf import Leaf
from watchglass.records.statement import verify_leaf

PUBLISHED: Final = "charter_published"
APPROVED: Final = "charter_approved"
BOTH: Final = ("authority", "oversight")
MOST_WAITING: Final = 64
"""Publications that may wait for approvals at once; both are recorded together, and a hostile log must not fill us."""


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
    """The charters that count, in the order in which they came to count.

    Attributes:
        named: for the digest of each charter the index of the first record that was made under it.
    """

    approved: tuple[Approved, ...]
    named: Mapping[str, int]

    @property
    def charters(self) -> tuple[Charter, ...]:
        """The charters alone."""
        return tuple(each.charter for each in self.approved)

    def approvers_of(self, published: Record) -> dict[str, list[VerifierKey]]:
        """For each role the keys that could approve the charter of this publication; none where it cannot be read."""
        charter = _parsed(published.leaf)
        return {} if charter is None else _may_approve(charter, self.stood_for(published))

    def stood_for(self, record: Record) -> list[Charter]:
        """The charters that stood when a record was made: of those before it in the log, by its hour. Perhaps none."""
        return _stood(self.approved, self.named, record)

    def oversight_for(self, record: Record) -> list[VerifierKey]:
        """The keys that could speak for oversight in a record: of the charters that stood in its hour, at its place.

        A record from before the first charter is put to that one. Empty where there is no charter.
        """
        stood = self.stood_for(record) or [each.charter for each in self.approved[:1]]
        return [VerifierKey.parse(each.oversight.key) for each in stood]


@dataclass(slots=True)
class Waiting:
    """A charter that was published and lacks an approval.

    Attributes:
        hour: of its publication. allowed: for each role the keys that may approve it. by: the roles that did.
    """

    charter: Charter
    hour: str
    allowed: Mapping[str, list[VerifierKey]]
    by: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Walk:
    """The walk through a log, a record at a time.

    Attributes:
        origin: the log, which every signature names.
        named: for the digest of each charter the index of the first record that was made under it; it may grow with
            the walk, for only what is before a record counts for it.
        approved: the charters that count so far. waiting: by hash, those that lack an approval.
    """

    origin: str
    named: Mapping[str, int]
    approved: list[Approved] = field(default_factory=list)
    waiting: dict[str, Waiting] = field(default_factory=dict)

    def see(self, record: Record) -> Approved | None:
        """Take the next record; the charter that it completes, if it does. What does not follow counts for nothing."""
        if record.leaf.act == PUBLISHED:
            self._published(record)
        elif record.leaf.act == APPROVED:
            return self._approved(record)
        return None

    def stood_for(self, record: Record) -> list[Charter]:
        """See ``Succession.stood_for``, as far as the walk has come."""
        return _stood(self.approved, self.named, record)

    def may_approve(self, digest: str) -> Mapping[str, Sequence[VerifierKey]]:
        """For each role the keys that may approve the charter that waits with this hash; empty where none waits."""
        waiting = self.waiting.get(digest)
        return waiting.allowed if waiting is not None else {}

    def _published(self, record: Record) -> None:
        charter = _parsed(record.leaf)
        if charter is not None and (not self.approved or charter.version > self.approved[-1].charter.version):
            if len(self.waiting) >= MOST_WAITING:
                del self.waiting[next(iter(self.waiting))]
            allowed = _may_approve(charter, self.stood_for(record))
            self.waiting[charter.digest] = Waiting(charter, record.leaf.hour, allowed)

    def _approved(self, record: Record) -> Approved | None:
        leaf = record.leaf
        published, role = self.waiting.get(leaf.clear["sha256"]), leaf.clear["as_role"]
        if published is None or leaf.role != role:
            return None
        with suppress(DidNotVerify):  # somebody else's signature makes nothing valid, and nothing invalid
            signed_by(leaf, origin=self.origin, keys={role: published.allowed[role]})
            published.by.add(role)
        if not published.by.issuperset(BOTH):
            return None
        found = Approved(published.charter, published.hour, record.index)
        self.approved.append(found)
        del self.waiting[published.charter.digest]
        return found


def walk(records: Iterable[Record], origin: str, named: Mapping[str, int]) -> Succession:
    """Walk publications and approvals in the order of the log. What does not follow counts for nothing.

    Args:
        records: in the order of the log; other acts are passed over.
        origin: the log, which every signature names.
        named: for the digest of each charter the index of the first record that was made under it.
    """
    walking = Walk(origin, named)
    for record in records:
        walking.see(record)
    return Succession(tuple(walking.approved), named)


def first_named(records: Iterable[Record]) -> dict[str, int]:
    """For the digest of each charter the index of the first of these records that was made under it."""
    named: dict[str, int] = {}
    for record in records:
        if record.leaf.charter is not None:
            digest = b64(record.leaf.charter)
            named[digest] = min(record.index, named.get(digest, record.index))
    return named


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


def _may_approve(charter: Charter, stood: Sequence[Charter]) -> dict[str, list[VerifierKey]]:
    """For each role the keys that could approve ``charter``: those of the charters that stood then, or its own."""
    outgoing = stood or [charter]
    return {
        "authority": [VerifierKey.parse(each.authority.key) for each in outgoing],
        "oversight": [VerifierKey.parse(each.oversight.key) for each in outgoing],
    }


def _stood(approved: Sequence[Approved], named: Mapping[str, int], record: Record) -> list[Charter]:
    """The charters that stood in a record's hour: when it began, and when it ended. It tells no more than its hour.

    Not those before the newest charter that an earlier record was made under: that one stood already. (What comes in
    batches may enter the log an hour after it was signed; of that the hour alone decides.)
    """
    before = [each for each in approved if each.index < record.index]
    if record.leaf.spec.lane is Lane.PROMPT:
        in_use = [at for at, each in enumerate(before) if named.get(each.charter.digest, record.index) < record.index]
        before = before[max(in_use, default=0) :]
    stood = (_standing(before, record.leaf.hour, at_end=end) for end in (False, True))
    return [each for each in stood if each is not None]


def _standing(approved: Sequence[Approved], hour: str, *, at_end: bool) -> Charter | None:
    begin = millis(datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC))
    for each in reversed(approved):
        since = in_force(each.charter)[0]
        if (since < begin + HOUR and each.hour <= hour) if at_end else (since <= begin and each.hour < hour):
            return each.charter
    return approved[0].charter if approved else None
