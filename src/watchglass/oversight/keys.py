"""Whose key could speak for which role when: pinned in a charter, enrolled for a month, or named for a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import HOUR, month_of
from watchglass.evidence.succession import APPROVED, signed_by
from watchglass.ledger.keys import VerifierKey
from watchglass.oversight import tolerances
from watchglass.oversight.charters import Charters, key_of
from watchglass.oversight.entry import Entry
from watchglass.records.statement import verify_leaf

PINNED: Final = frozenset({"authority", "oversight", "custodian"})
NOT_ITS_KEY: Final = "sig.key"
"""In an error's ``field``: the key is not one of the role's; otherwise the signature itself is wrong."""


class Named:
    """A recorder's key of one run."""

    __slots__ = ("index", "run", "sources", "vkey")

    def __init__(self, index: int, run: str, vkey: str, sources: Sequence[str]) -> None:
        self.index = index
        self.run = run
        self.vkey = vkey
        self.sources = tuple(sources)


class Keys:
    """Keys that the log itself gives, besides those that charters pin.

    Attributes:
        enrolled: (role, month, public key) -> the entry that enrolled it. recorders: by vkey; a key may be named again.
    """

    def __init__(self, origin: str, charters: Charters) -> None:
        self.origin = origin
        self.charters = charters
        self.enrolled: dict[tuple[str, str, bytes], int] = {}
        self.recorders: dict[str, Named] = {}

    def see(self, entry: Entry) -> None:
        """Take an entry whose signature, where it needs one, is genuine."""
        clear = entry.clear
        if entry.act == "key_enrolled":
            key = (clear["enrolled_role"], clear["month"], key_of(clear["vkey"]).public)
            self.enrolled.setdefault(key, entry.index)
        elif entry.act == "recorder_named":
            self.recorders[clear["vkey"]] = Named(entry.index, clear["run"], clear["vkey"], clear["sources"])

    def check(self, entry: Entry) -> VerifierKey:
        """The key that signed ``entry``, if it is one that could speak for its role then.

        Raises:
            DidNotVerify: it is not, or the signature is wrong; ``field`` says which.
        """
        leaf, role = entry.leaf, entry.role
        assert leaf.signature is not None
        if entry.act == APPROVED:
            return signed_by(leaf, origin=self.origin, keys={role: self._approvers(entry)})
        if role in PINNED:
            return signed_by(leaf, origin=self.origin, keys={role: self._pinned(entry)})
        known = self._named(entry) if role == "recorder" else self._enrolled(entry)
        if known:
            return verify_leaf(leaf, origin=self.origin, keys={role: [leaf.signature.key]})
        return verify_leaf(leaf, origin=self.origin, keys={})  # which says that the key is not one of this role's

    def _approvers(self, entry: Entry) -> list[VerifierKey]:
        """The keys that may approve a charter: those of the one that stood when it was published, or its own."""
        waiting = self.charters.walk.may_approve(str(entry.clear["sha256"]))
        return [*waiting.get(entry.role, ())] if waiting else self._pinned(entry)

    def _pinned(self, entry: Entry) -> list[VerifierKey]:
        stood = self.charters.stood(entry)
        match entry.role:
            case "authority":
                return [key_of(each.authority.key) for each in stood]
            case "oversight":
                return [key_of(each.oversight.key) for each in stood]
        name = entry.clear.get("custodian")
        return [
            key_of(one.key) for each in stood for one in each.safeguards.custodians if name is None or one.name == name
        ]

    def _enrolled(self, entry: Entry) -> bool:
        signature = entry.leaf.signature
        assert signature is not None
        margin = tolerances.SIGNER_HOURS * HOUR
        months = {month_of(entry.begins_ms - margin), month_of(entry.ends_ms - 1 + margin)}
        return any((entry.role, month, signature.key.public) in self.enrolled for month in months)

    def _named(self, entry: Entry) -> bool:
        signature = entry.leaf.signature
        named = self.recorders.get(signature.vkey) if signature else None
        return named is not None and named.run == entry.clear["run"] and entry.clear["source"] in named.sources


def why_not(error: DidNotVerify | BadInput) -> str:
    """What is wrong with a signature, as the middle of a sentence."""
    if error.details.get("field") == NOT_ITS_KEY:
        return "is signed with a key that could not speak for that role then"
    return "bears a signature that its key did not make over it"
