"""What oversight said in public: audits that it signed, incidents that it had staged. Read from the ledger itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

from watchglass.acts.public_ledger import Entry, entries_of
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import SECOND
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.lodging import open_receipt
from watchglass.ledger.tiles import TileReader
from watchglass.oversight.audit import Auditor
from watchglass.oversight.promises.every import PENDING, not_at_this_depth
from watchglass.records.outbox import Reader

NEWEST: Final = 20
"""Entries of each kind that are shown."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that an audit calls broken; its ``title`` is its name where this version does not know it."""

    promise: str
    title: str


@dataclass(frozen=True, slots=True)
class PublishedAudit:
    """An audit that oversight signed.

    Attributes:
        index: its entry. size: of how many entries it is. found: how many promises are in each state.
        broken: the promises that it calls broken. otherwise: how last night's audit here says otherwise, in sentences.
        compared: whether last night's covers all that this one does; without that nothing can differ.
    """

    index: int
    hour: str
    size: int
    depth: str
    breaches: int
    found: Mapping[str, int]
    broken: tuple[Broken, ...]
    report_sha256: str
    compared: bool
    otherwise: tuple[str, ...]

    DERIVED: ClassVar = ("differs",)

    @property
    def differs(self) -> bool:
        """Whether it says otherwise than last night's."""
        return bool(self.otherwise)


@dataclass(frozen=True, slots=True)
class ToldChallenge:
    """What came of a staged incident; ``lodged_ms`` is None where no known witness vouches for when it was lodged."""

    index: int
    hour: str
    result: str
    challenge: str
    lodged_ms: int | None


def published_audits(
    reader: Reader, tiles: TileReader, size: int, nightly: Mapping[str, Any] | None
) -> tuple[PublishedAudit, ...]:
    """The newest audits that oversight published, each compared with what the house's own audit found last.

    Args:
        nightly: what that one printed, as ``watchglass audit --json`` does; None, or an error, if there is none.
    """
    last = nightly if nightly is not None and "findings" in nightly else None
    return tuple(_audit(entry, last) for entry in _newest(reader, tiles, size, "audit_published"))


def told_challenges(
    reader: Reader, tiles: TileReader, size: int, witnesses: Iterable[VerifierKey]
) -> tuple[ToldChallenge, ...]:
    """The newest challenges that oversight told.

    Args:
        witnesses: whose receipts count: those that the charter in force names.
    """
    keys = list(witnesses)
    return tuple(_challenge(entry, keys) for entry in _newest(reader, tiles, size, "challenge_told"))


def _newest(reader: Reader, tiles: TileReader, size: int, act: str) -> list[Entry]:
    rows = reader.all("SELECT idx FROM entry WHERE act = ? AND idx < ? ORDER BY idx DESC LIMIT ?", act, size, NEWEST)
    found = entries_of(reader, tiles, size, [int(row["idx"]) for row in rows])
    return [entry for entry in found if entry.act == act and not entry.archived]


def _audit(entry: Entry, nightly: Mapping[str, Any] | None) -> PublishedAudit:
    said = dict(entry.clear or {})
    states: Mapping[str, str] = said["found"]
    compared = nightly is not None and nightly["size"] > entry.index
    return PublishedAudit(
        index=entry.index,
        hour=entry.hour,
        size=said["size"],
        depth=said["depth"],
        breaches=said["breaches"],
        found={state: list(states.values()).count(state) for state in ("kept", "broken", "unseen", "pending")},
        broken=tuple(Broken(name, _title(name)) for name, state in sorted(states.items()) if state == "broken"),
        report_sha256=said["report_sha256"],
        compared=compared,
        otherwise=tuple(_otherwise(entry.index, states, nightly)) if compared and nightly is not None else (),
    )


def _otherwise(index: int, states: Mapping[str, str], nightly: Mapping[str, Any]) -> Iterable[str]:
    """How last night's audit, which read that entry too, says otherwise.

    It compared what was called kept itself, and the entries that it was an audit of; what was called broken must still
    be broken now, for a breach does not go away.
    """
    for finding in nightly["findings"]:
        if finding["promise"] == "audits":
            yield from (each["sentence"] for each in finding["breaches"] if index in each["entries"])
        elif finding["state"] == "kept" and states.get(finding["promise"]) == "broken":
            yield f"It calls this broken, and the audit of last night here calls it kept: {_title(finding['promise'])}"


def _title(name: str) -> str:
    return _titles().get(name, name)


@cache
def _titles() -> Mapping[str, str]:
    """The promises that this version knows, in words."""
    shallow = Auditor("nobody's", policy=None, oversight=None, now_ms=0).promises
    return {each.name: each.title for each in shallow} | {
        each.promise: each.title for each in (*not_at_this_depth(), *PENDING)
    }


def _challenge(entry: Entry, keys: list[VerifierKey]) -> ToldChallenge:
    said = dict(entry.clear or {})
    try:
        lodged = open_receipt(said["lodged"].encode(), keys).seconds * SECOND
    except (BadInput, DidNotVerify):
        lodged = None
    return ToldChallenge(entry.index, entry.hour, said["result"], said["challenge"], lodged)
