"""The charters of the log, as they came to count: which one an entry was made under, and which one stood then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from watchglass.charter.decide import in_force
from watchglass.charter.model import Analytic, Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import WatchglassError
from watchglass.evidence.succession import APPROVED, PUBLISHED, Approved, Waiting, Walk
from watchglass.ledger.keys import VerifierKey
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry, Record

_PIN: Final = 1024
_MOST_UNREAD: Final = 1_000
_MOST_IDLE: Final = 256


@lru_cache(maxsize=_PIN)
def key_of(vkey: str) -> VerifierKey:
    """The key that a charter or an enrolment names."""
    return VerifierKey.parse(vkey)


@lru_cache(maxsize=16)
def reads(text: bytes) -> Charter | None:
    """The charter in a publication's text; None where this version cannot read it."""
    try:
        return parse(text)
    except WatchglassError:
        return None


class Known:
    """A charter that both approved.

    Attributes:
        index: of the entry that completed it. begin_ms, end_ms: its days.
        holds_ms: from when on it surely stands, as far as is known: its first day has come and witnesses had seen it,
            or the house acted under it. over_ms: likewise when the next one surely stands.
        named: the first entry that was made under it, or None.
    """

    __slots__ = (
        "analytics", "begin_ms", "charter", "end_ms", "holds_ms", "index", "models", "named", "over_ms", "purposes",
        "recorded_for", "sealing", "sources",
    )  # fmt: skip

    def __init__(self, approved: Approved) -> None:
        self.charter: Charter = approved.charter
        self.index = approved.index
        self.begin_ms, self.end_ms = in_force(approved.charter)
        self.holds_ms: int | None = None
        self.over_ms: int | None = None
        self.named: int | None = None
        charter = self.charter
        self.analytics: Mapping[str, Analytic] = {each.name: each for each in charter.analytics}
        self.purposes = frozenset(each.name for each in charter.purposes)
        self.sources = frozenset(each.name for each in charter.sources)
        self.sealing = charter.safeguards.record is not None
        self.recorded_for = frozenset(each.purpose for each in charter.analytics if charter.records(each.source))
        self.models = {each.name: _base64(each.digest) for each in charter.models}
        self.models |= {each.name: _base64(each.digest) for each in charter.plug_ins}

    @property
    def version(self) -> int:
        """Its number."""
        return self.charter.version


def _base64(digest: str) -> str:
    """`sha256:…` in hex, as leaves write a hash."""
    return b64(bytes.fromhex(digest.removeprefix("sha256:")))


class Charters:
    """What the publications and approvals of the log amount to.

    Attributes:
        order: every charter that counts, in order. by_hash: likewise, by SHA-256.
        under: charters whose first entry was noted, and None.
        publications: how many there were.
        unread: hashes of publications that this version cannot read; of what was done under them it cannot judge.
    """

    def __init__(self, origin: str) -> None:
        self._named: dict[str, int] = {}
        self.under: set[bytes | None] = {None}
        self.walk = Walk(origin, self._named)
        self.order: list[Known] = []
        self.by_hash: dict[bytes, Known] = {}
        self.unread: dict[bytes, int] = {}
        self.publications = 0
        self._merge_within = tolerances.MERGE_BEFORE_A_CHARTER

    def see(self, entry: Entry) -> Known | None:
        """Take an entry whose signature, where it needs one, is genuine; the charter that it completes, if it does."""
        charter = entry.charter
        if charter is not None and charter not in self.under:
            self._note_named(entry, charter)
        if entry.act not in (PUBLISHED, APPROVED):
            return None
        if entry.act == PUBLISHED:
            self.publications += 1
            if self.flooded:
                return None
            self._publication(entry)
        found = self.walk.see(Record(entry.index, entry.leaf))
        if found is None:
            return None
        return self._count(found)

    def _count(self, found: Approved) -> Known:
        known = Known(found)
        self.order.append(known)
        self.by_hash[known.charter.sha256] = known
        before = self._merge_within if len(self.order) > 1 else 0
        self._merge_within = max(before, known.charter.ledger.merge_within_ms)
        return known

    @property
    def flooded(self) -> bool:
        """So many charters were published and not approved that no more are read: each takes a second at worst."""
        return self.publications - len(self.order) > _MOST_IDLE

    def _publication(self, entry: Entry) -> None:
        text = str(entry.clear["text"]).encode()
        digest = sha256(text)
        if b64(digest) == entry.clear["sha256"] and reads(text) is None and len(self.unread) < _MOST_UNREAD:
            self.unread[digest] = entry.index

    def _note_named(self, entry: Entry, charter: bytes) -> None:
        known = self.by_hash.get(charter)
        if known is None:
            return
        self.under.add(charter)
        self._named[known.charter.digest] = entry.index
        known.named = entry.index
        if not entry.signed:  # the house says that it stood then
            self._holds(known, max(known.begin_ms, entry.ends_ms))

    def cosigned(self, size: int, latest_ms: int) -> None:
        """Witnesses had seen the first ``size`` entries at that time."""
        for known in reversed(self.order):
            if known.index < size:
                if known.holds_ms is not None and known.holds_ms <= max(known.begin_ms, latest_ms):
                    return
                self._holds(known, max(known.begin_ms, latest_ms))

    def _holds(self, known: Known, since_ms: int) -> None:
        if known.holds_ms is None or since_ms < known.holds_ms:
            known.holds_ms = since_ms
        for earlier in self.order:
            if earlier is known:
                return
            if earlier.over_ms is None or since_ms < earlier.over_ms:
                earlier.over_ms = since_ms

    def memory(self) -> dict[str, object]:
        """Plain values, for ``recall``."""
        return {
            "approved": [
                (each.charter.data, each.hour, each.index, known.named, known.holds_ms, known.over_ms)
                for each, known in zip(self.walk.approved, self.order, strict=True)
            ],
            "waiting": [
                (
                    each.charter.data,
                    each.hour,
                    {role: [*map(str, keys)] for role, keys in each.allowed.items()},
                    each.by,
                )
                for each in self.walk.waiting.values()
            ],
            "unread": self.unread,
            "publications": self.publications,
        }

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Take up what ``memory`` gave."""
        for text, hour, index, named, holds_ms, over_ms in kept["approved"]:
            approved = Approved(parse(text), hour, index)
            self.walk.approved.append(approved)
            known = self._count(approved)
            known.named, known.holds_ms, known.over_ms = named, holds_ms, over_ms
            if named is not None:
                self.under.add(known.charter.sha256)
                self._named[known.charter.digest] = named
        for text, hour, allowed, by in kept["waiting"]:
            keys = {role: [*map(key_of, vkeys)] for role, vkeys in allowed.items()}
            waiting = Waiting(parse(text), hour, keys, by)
            self.walk.waiting[waiting.charter.digest] = waiting
        self.unread, self.publications = kept["unread"], kept["publications"]

    def stood(self, entry: Entry) -> list[Charter]:
        """The charters that stood when an entry was made, by its place and hour."""
        return self.walk.stood_for(Record(entry.index, entry.leaf))

    def merge_within(self) -> int:
        """The longest time, in milliseconds, that any charter so far gave an entry to be shown."""
        return self._merge_within
