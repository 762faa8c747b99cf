"""Originals were opened only by a permitted set of custodians, for who asked, and nobody approved their own request."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from watchglass.charter.model import Charter
from watchglass.core.digest import unb64
from watchglass.core.time import HOUR
from watchglass.evidence.subsets import permitted_subsets
from watchglass.oversight import tolerances
from watchglass.oversight.charters import key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import CUSTODIAN, OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_KEPT_HOURS: Final = 24 * 21
"""A request is valid for a week at most. After three it is forgotten, and what refers to it is too late."""
_SLACK_HOURS: Final = 2 * tolerances.SIGNER_HOURS


class Request:
    """A request for originals.

    Attributes:
        until: the last hour in which it may be valid. key: the requester's public key.
        approvals: leaf hash to (custodian, index). by: names of custodians who approved.
    """

    __slots__ = ("approvals", "by", "charter", "granted", "index", "key", "purpose", "taken", "until")

    def __init__(self, index: int, charter: bytes, purpose: str | None, key: bytes, until: int) -> None:
        self.index = index
        self.charter = charter
        self.purpose = purpose
        self.key = key
        self.until = until
        self.approvals: dict[bytes, tuple[str, int]] = {}
        self.granted: int | None = None
        self.taken: int | None = None

    def remembered(self) -> tuple[object, ...]:
        """Plain values."""
        return (
            self.index, self.charter, self.purpose, self.key, self.until, self.approvals, self.granted, self.taken,
        )  # fmt: skip


class Releases(Promise):
    name = "releases"
    title = "Originals were released only to who asked, when a permitted set of others had approved that request."
    acts = frozenset({"release_requested", "release_approved", "release_refused", "release_granted", "release_taken"})
    keeps = ("kept", "grants", "granted", "taken")

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, Request] = {}
        self.grants: dict[int, int] = {}
        """Grants to requests, by index."""
        self.granted = 0
        self.taken = 0

    @property
    def kept(self) -> list[tuple[object, ...]]:
        """The open requests as plain values."""
        return [each.remembered() for each in self.requests.values()]

    @kept.setter
    def kept(self, values: list[tuple[object, ...]]) -> None:
        for index, charter, purpose, key, until, approvals, granted, taken in values:
            request = Request(index, charter, purpose, key, until)  # type: ignore[arg-type]  # as `remembered` gave them
            request.approvals, request.granted, request.taken = approvals, granted, taken  # type: ignore[assignment]  # likewise
            self.requests[request.index] = request

    def see(self, entry: Entry, world: World) -> None:
        match entry.act:
            case "release_requested":
                self._requested(entry, world)
            case "release_granted":
                self._granted(entry, world)
            case "release_taken":
                self._taken(entry, world)
            case _:
                self._answered(entry, world)

    def _requested(self, entry: Entry, world: World) -> None:
        self.checked += 1
        known, signature = world.under(entry), entry.leaf.signature
        release = known.charter.safeguards.release if known is not None else None
        if release is None or entry.charter is None or signature is None:
            return  # that the charter keeps no originals is another promise's
        until = entry.hour + _SLACK_HOURS + -(-release.valid_ms // HOUR) + 1
        self.requests[entry.index] = Request(entry.index, entry.charter, entry.purpose, signature.key.public, until)
        for old in [each.index for each in self.requests.values() if each.until + _KEPT_HOURS < world.newest_hour]:
            self.grants = {grant: request for grant, request in self.grants.items() if request != old}
            del self.requests[old]

    def _of(self, entry: Entry, world: World) -> Request | None:
        """The request that an answer or a grant is of; what does not fit it is named."""
        index = world.references.index(entry.refs[0], "release_requested")
        request = self.requests.get(-1 if index is None else index)
        if index is None or request is None:
            return None
        if (entry.charter, entry.purpose) != (request.charter, request.purpose):
            self.breach(
                f"('{entry.act}') names another charter or purpose than the request", OPERATOR, world, entry, index
            )
            return None
        if entry.hour > request.until:
            self.breach(f"('{entry.act}') came when the request had run out", OPERATOR, world, entry, index)
        return request

    def _answered(self, entry: Entry, world: World) -> None:
        request, signature = self._of(entry, world), entry.leaf.signature
        if request is None or signature is None:
            return
        name = custodian_of(world.charters.by_hash[request.charter].charter, signature.key.public)
        if signature.key.public == request.key:
            self.breach(
                "answers a request that was signed with the same key: nobody decides on their own",
                CUSTODIAN,
                world,
                entry,
                request.index,
            )
        elif name is None:
            self.breach(
                "answers a request with a key of no custodian of that charter", OPERATOR, world, entry, request.index
            )
        elif entry.act == "release_approved":
            request.approvals[entry.hash] = (name, entry.index)

    def _granted(self, entry: Entry, world: World) -> None:
        request = self._of(entry, world)
        if request is None:
            return
        if request.granted is not None:
            self.breach("grants a request that was granted before", OPERATOR, world, entry, request.granted)
            return
        self.granted += 1
        request.granted = entry.index
        self.grants[entry.index] = request.index
        named = [unb64(each) for each in entry.clear["approvals"]]
        strange = [each for each in named if each not in request.approvals]
        by = {request.approvals[each][0] for each in named if each in request.approvals}
        charter = world.charters.by_hash[request.charter].charter
        if not any(by.issuperset(each) for each in subsets_of(charter)):
            release = charter.safeguards.release
            rule = f"{release.custodians}" if release is not None else "nobody"
            who = f"{count(len(by), 'custodian')} of them approved it" if by else "none of them approved it"
            self.breach(
                f"grants a request, and no permitted set of custodians had approved it: {who}, and the charter asks "
                f"for {rule}" + (" with one of some among them" if release is not None and release.one_of else ""),
                OPERATOR,
                world,
                entry,
                request.index,
                *(index for _, index in request.approvals.values()),
            )
        elif strange and not self._forged(strange, world):
            self.breach(
                "names an approval of another request, or none that the log holds",
                OPERATOR,
                world,
                entry,
                request.index,
            )

    def _forged(self, strange: list[bytes], world: World) -> bool:
        """Whether all of them are records in the log that failed already, as somebody else's signature does."""
        return all(world.hashes.find(each) is not None and world.references.find(each) is None for each in strange)

    def _taken(self, entry: Entry, world: World) -> None:
        index, signature = world.references.index(entry.refs[0], "release_granted"), entry.leaf.signature
        request = self.requests.get(self.grants.get(-1 if index is None else index, -1))
        if index is None or request is None or signature is None:
            return
        self.taken += 1
        if signature.key.public != request.key:
            self.breach("takes what somebody else had asked for", OPERATOR, world, entry, index, request.index)
        if request.taken is not None:
            self.breach("takes again what was taken before", OPERATOR, world, entry, request.taken)
        if entry.hour > request.until:
            self.breach("takes what was released when its time was over", OPERATOR, world, entry, index, request.index)
        request.taken = entry.index

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'request')} for originals, of which {self.granted:,} were granted and "
            f"{self.taken:,} taken. Each grant was reckoned again: signed approvals of that request by "
            "different custodians that its charter pins, none of them the one who asked, together a permitted set. "
            "Cases, scopes and reasons are sealed."
        )


@lru_cache(maxsize=64)
def subsets_of(charter: Charter) -> tuple[tuple[str, ...], ...]:
    """The permitted sets of custodians of a charter."""
    release = charter.safeguards.release
    names = [each.name for each in charter.safeguards.custodians]
    return permitted_subsets(names, release.k, release.one_of) if release is not None else ()


def custodian_of(charter: Charter, public: bytes) -> str | None:
    """The custodian whose identity key that is; None: nobody's."""
    custodians = charter.safeguards.custodians
    return next((each.name for each in custodians if key_of(each.key).public == public), None)
