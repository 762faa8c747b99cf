"""Audits what was made, honest or not, as an outsider or as oversight does it: verify the log, then every promise."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dishonest import Depth, Lie, Made
from made_log import files_of
from made_years import remaker_of
from watchglass.core.errors import DidNotVerify
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight import carried
from watchglass.oversight.audit import Auditor
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.report import Report
from watchglass.records.leaf import Leaf
from watchglass.records.opening import key_id_of, unseal_with, unwrap

INTACT = "intact"
"""The promise that verifying the log's bytes keeps; what that finds is raised before anything else is looked at."""


@dataclass(frozen=True)
class Result:
    """What an audit said.

    Attributes:
        broken: for each broken promise the numbers of all entries that its breaches name.
        sentences: of the breaches. report: None where the log itself did not verify.
    """

    broken: dict[str, frozenset[int]]
    sentences: tuple[str, ...]
    report: Report | None


class EveryKey:
    """Openings under several keys of oversight: it changed, and each opens what was sealed in its time."""

    def __init__(self, made: Made) -> None:
        self._log, self._origin = made.town.log, made.town.origin
        self._private = made.town.openings
        self._ciphers: dict[bytes, AESGCM] = {}

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        """The committed values; None where there is no opening.

        Raises:
            DidNotVerify: no key opens it, or it is not what the leaf committed to.
        """
        sealed = self._log.sealed.get(digest)
        if sealed is None:
            return None
        key_id = key_id_of(sealed)
        if key_id not in self._ciphers:
            self._ciphers[key_id] = self._unwrap(key_id)
        return unseal_with(leaf, sealed, key_id, self._ciphers[key_id], origin=self._origin)

    def _unwrap(self, key_id: bytes) -> AESGCM:
        for private in self._private[:-1]:
            with suppress(DidNotVerify):
                return unwrap(self._log.keys[key_id], private, origin=self._origin)
        return unwrap(self._log.keys[key_id], self._private[-1], origin=self._origin)


def audited(made: Made, depth: Depth = "structure") -> Result:
    """Verify and audit."""
    policy = policies.parse(made.trust.encode())
    seen = {made.town.origin: made.seen} if made.seen is not None else None
    try:
        verified = verify_log(files_of(made.entries, made.note), policy, seen=seen)
    except DidNotVerify as error:
        entry = error.details.get("entry")
        return Result({INTACT: frozenset([entry] if isinstance(entry, int) else [])}, (error.message,), None)
    auditor = auditor_of(made, depth)
    for index, data in enumerate(made.entries):
        auditor.see(index, data, leaf_hash(data))
    return result(auditor.finish(verified.checkpoint, verified.witnesses))


def audited_from(made: Made, size: int, *, year: int | None = None) -> Result:
    """Audit what follows the first ``size`` entries, and take over what an audit of the log alone remembers of them.

    Args:
        year: that begins with it, for the report.
    """
    policy = policies.parse(made.trust.encode())
    verified = verify_log(files_of(made.entries, made.note), policy)
    remaker, hashes = remaker_of(made.entries, made.town.origin), Hashes()
    for data in made.entries[:size]:
        hashes.append(leaf_hash(data))
    auditor = Auditor.from_carried(
        carried.read(remaker.state(size), made.town.origin),
        hashes,
        made.town.origin,
        policy=policy,
        oversight=made.oversight,
        receipts=made.receipts,
        lodged=made.lodged,
        now_ms=made.at_ms,
        remake=remaker,
        begun=year,
    )
    for index, data in enumerate(made.entries[size:], size):
        auditor.see(index, data, leaf_hash(data))
    return result(auditor.finish(verified.checkpoint, verified.witnesses))


def auditor_of(made: Made, depth: Depth) -> Auditor:
    """Who has read nothing yet."""
    return Auditor(
        made.town.origin,
        policy=policies.parse(made.trust.encode()),
        oversight=made.oversight,
        openings=EveryKey(made) if depth == "openings" else None,
        receipts=made.receipts,
        lodged=made.lodged,
        now_ms=made.at_ms,
        remake=remaker_of(made.entries, made.town.origin),
    )


def result(report: Report) -> Result:
    """What a report says is broken."""
    return Result(
        {each.promise: frozenset(n for one in each.breaches for n in one.entries) for each in report.broken},
        tuple(f"{one.promise}: {one.sentence}" for each in report.broken for one in each.breaches),
        report,
    )


def named(lie: Lie, planted: Sequence[int], found: Result) -> bool:
    """Whether the audit named what a lie broke, with the entries that show it, and nothing else."""
    entries = frozenset[int]().union(*found.broken.values()) if found.broken else frozenset()
    return found.broken.keys() == set(lie.promises) and set(planted) <= entries
