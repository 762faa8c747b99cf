"""A deployment's log as a signer's own machine sees it: read wholly, accepted by a trust file, remembered.

From it follow the charter that is in force, the keys that oversight enrolled and those that custodians published.
Nothing of that is taken from a portal's word: every entry is hashed again up to a checkpoint that the witnesses of the
trust file cosigned, and that continues what this machine saw before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from watchglass.bootstrap.copies import Copies
from watchglass.charter.decide import in_force
from watchglass.charter.model import Charter
from watchglass.core.errors import BadInput, DidNotVerify, WatchglassError
from watchglass.core.time import MINUTE, SECOND, iso
from watchglass.edge.trust import Trust, keeping_evidence, load_trust, pin_oversight, remember
from watchglass.evidence.succession import Succession, signed_by, walk
from watchglass.ledger import merkle
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.merkle import HASH_BYTES, leaf_hash
from watchglass.ledger.policy import Deployment, told
from watchglass.ledger.proof import Proof
from watchglass.ledger.tiles import CHECKPOINT, TileReader, node_reader, read_entry
from watchglass.ledger.verify import Verified, verify_log
from watchglass.records.leaf import Leaf
from watchglass.records.statement import SignedStatement

CLOCKS_APART_MS: Final = 5 * MINUTE
"""How far witnesses' clocks may be ahead of this machine's before this one's is called wrong."""
_GOVERNING: Final = tuple(
    f'{{"act":"{act}"'.encode()
    for act in (
        "charter_published",
        "charter_approved",
        "key_enrolled",
        "sealing_key_published",
        "period_destroyed",
        "release_approved",
        "hold_ordered",
        "hold_lifted",
        "suspension_ordered",
        "suspension_obeyed",
        "suspension_lifted",
        "analytic_judged",
        "resumption_proposed",
        "analytic_resumed",
        "misuse_settled",
    )
)
_UNDER: Final = b'"charter":"'
_DIGEST: Final = 44
"""Characters of a hash in base64."""
_TRIES: Final = 8
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log."""

    index: int
    data: bytes
    leaf: Leaf

    @property
    def hash(self) -> bytes:
        """Its leaf hash."""
        return leaf_hash(self.data)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A log that was read wholly and accepted.

    Attributes:
        verified: the checkpoint and who cosigned it. trust: the trust file that accepts it.
        succession: every charter that both approved, with the keys that could.
        governing: the records of charters, keys, approvals, holds and of what oversight ordered, in order.
        hashes: of all entries, one after the other.
        pinned_now: oversight's key was remembered for the first time: a person should compare it.
        fetched_again: the copies on this machine did not fit, were thrown away, and all of it was fetched again.
    """

    verified: Verified
    trust: Trust
    succession: Succession
    governing: tuple[Entry, ...]
    pinned_now: bool
    fetched_again: bool
    hashes: bytes = field(repr=False)
    reader: TileReader = field(repr=False)

    @property
    def charters(self) -> tuple[Charter, ...]:
        """Every charter that both approved, with the keys that could, by version."""
        return self.succession.charters

    @property
    def checkpoint(self) -> Checkpoint:
        """Origin, size and root."""
        return self.verified.checkpoint

    @property
    def note(self) -> bytes:
        """The cosigned checkpoint, as signed bytes."""
        return self.verified.signed.note.encode()

    def as_json(self) -> dict[str, object]:
        """What was verified, for people and programs."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "witnesses": told(self.verified.witnesses),
            "deployment": self.verified.deployment.value,
            "notice": self.verified.deployment.sentence,
            "oversight_remembered": self.pinned_now,
            "fetched_again": self.fetched_again,
        }

    def charter(self, now: int) -> Charter:
        """The charter that is in force at ``now``, as the log shows it.

        Raises:
            DidNotVerify: none is.
        """
        for charter in reversed(self.charters):
            begin, end = in_force(charter)
            if begin <= now:
                if now >= end:
                    raise DidNotVerify(
                        f"The newest charter in the log ended at {iso(end)}.",
                        fix="Nothing can be asked for or approved until authority and oversight publish another.",
                        field="charter",
                    )
                return charter
        raise DidNotVerify(
            "The log shows no charter that authority and oversight both approved and that has begun.",
            fix="Do nothing that this deployment asks for; tell oversight.",
            field="charter",
        )

    def charter_of(self, sha256: bytes) -> Charter:
        """The approved charter with that hash, which may be an earlier one.

        Raises:
            DidNotVerify: the log shows none.
        """
        for charter in self.charters:
            if charter.sha256 == sha256:
                return charter
        raise DidNotVerify(
            "The log shows no charter with this hash that authority and oversight approved.",
            fix="Do nothing that rests on it; tell oversight.",
            field="charter",
        )

    def index_of(self, wanted: bytes) -> int | None:
        """The number of the entry with that leaf hash; None where there is none, as far as witnesses cosigned it."""
        at = self.hashes.find(wanted) if len(wanted) == HASH_BYTES else -1
        while at >= 0 and at % HASH_BYTES:
            at = self.hashes.find(wanted, at + 1)
        return None if at < 0 else at // HASH_BYTES

    def find(self, wanted: bytes, what: str) -> Entry:
        """The entry with that leaf hash.

        Args:
            what: what it is, for the error: ``the request``.

        Raises:
            DidNotVerify: the log, as far as witnesses cosigned it, does not hold it.
        """
        index = self.index_of(wanted)
        if index is None:
            raise DidNotVerify(
                f"The log does not hold {what}, as far as witnesses have cosigned it.",
                fix="Wait for the next checkpoint and try again; if it stays so, do nothing and tell oversight.",
                field="leaf",
            )
        data = read_entry(self.reader, index, self.checkpoint.size)
        if leaf_hash(data) != wanted:
            raise DidNotVerify(
                f"Entry {index} of the log changed while it was read.", fix="Try again; keep what you saw.", index=index
            )
        return Entry(index, data, Leaf.parse(data))

    def record_of(self, statement: SignedStatement, wanted: bytes, what: str) -> Entry:
        """The entry with that leaf hash, if it is the record of exactly this statement.

        Raises:
            DidNotVerify: the log holds another one, or none.
        """
        entry = self.find(wanted, what)
        if entry.leaf.body() != statement.leaf.body() or entry.leaf.signature != statement.leaf.signature:
            raise DidNotVerify(
                f"The log holds another record than the one that was shown as {what}.",
                fix="Do nothing with it: keep both, and tell oversight.",
                field="leaf",
            )
        return entry

    def prove(self, index: int) -> Proof:
        """The proof that entry ``index`` is in the log, under the checkpoint that was accepted."""
        size = self.checkpoint.size
        path = merkle.inclusion_proof(node_reader(self.reader, size), index, size)
        proof = Proof(index, tuple(path), self.note)
        merkle.check_inclusion(
            self.hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES], index, size, path, self.checkpoint.root
        )
        return proof

    def of(self, act: str) -> Iterator[Entry]:
        """The governing records of one act, in order."""
        return (entry for entry in self.governing if entry.leaf.act == act)

    def check_signer(self, entry: Entry, custodian: str = "") -> None:
        """Check that a record is signed with a key that its role had by the charters that stood when it was made.

        Args:
            custodian: which one, where custodians sign such records.

        Raises:
            DidNotVerify: it is not.
        """
        keys = self.keys_then(entry, custodian)
        signed_by(entry.leaf, origin=self.checkpoint.origin, keys=keys)

    def keys_then(self, entry: Entry, custodian: str = "") -> dict[str, list[VerifierKey]]:
        """For each role that a charter pins keys for, those of the charters that stood when a record was made."""
        stood = self.succession.stood_for(entry)
        return {
            "authority": [VerifierKey.parse(each.authority.key) for each in stood],
            "oversight": [VerifierKey.parse(each.oversight.key) for each in stood],
            "custodian": [
                VerifierKey.parse(one.key)
                for each in stood
                for one in each.safeguards.custodians
                if one.name == custodian
            ],
        }

    def enrolment(self, key: VerifierKey, *, role: str, month: str) -> Entry:
        """The record with which oversight, whoever that was when it was made, enrolled ``key`` for role and month.

        Raises:
            DidNotVerify: the log has none that oversight signed.
        """
        for entry in self.of("key_enrolled"):
            clear = entry.leaf.clear
            if (clear["vkey"], clear["enrolled_role"], clear["month"]) != (str(key), role, month):
                continue
            with suppress(DidNotVerify):
                allowed = self.succession.oversight_for(entry)
                signed_by(entry.leaf, origin=self.checkpoint.origin, keys={"oversight": allowed})
                return entry
        raise DidNotVerify(
            f"Oversight has enrolled the key {key.name} for no {role} in {month}: the log shows no such record.",
            fix="Do nothing that this key asks for; tell oversight who asked.",
            field="requester",
            key=str(key),
        )


def look(
    trust_file: Path,
    tiles: TileReader,
    now: int,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Witnessed:
    """Read a log wholly, and accept and remember it as ``watchglass ledger verify --trust`` does.

    Args:
        tiles: where the log's files are; ``Copies`` keeps what never changes.
        now: this machine's time.
        pause: waits so many seconds, where a checkpoint is so new that witnesses have not cosigned it yet.

    Raises:
        DidNotVerify: it is not accepted, its past was rewritten, its charters do not follow from each other, its first
            oversight is not the one that was remembered, or this machine's clock is behind the witnesses'.
    """
    trust = load_trust(trust_file)
    found, fetched_again = _read(trust, tiles, pause)
    verified = found.verified
    _check_clock(verified, now)
    succession = walk(found.governing, verified.checkpoint.origin, found.named)
    charters = succession.charters
    _check_oversight(trust, charters)
    remember(trust, verified.signed.note.encode())
    if charters and trust.oversight is None:
        pin_oversight(trust, VerifierKey.parse(charters[0].oversight.key))
    return Witnessed(
        verified=verified,
        trust=trust,
        succession=succession,
        governing=tuple(found.governing),
        pinned_now=bool(charters) and trust.oversight is None,
        fetched_again=fetched_again,
        hashes=bytes(found.hashes),
        reader=tiles,
    )


@dataclass(slots=True)
class _Found:
    """What is taken out of a log while it is read; to be believed once all of it was verified.

    Attributes:
        hashes: of all entries. named: for each charter the index of the first record that was made under it.
    """

    reader: TileReader
    hashes: bytearray = field(default_factory=bytearray)
    governing: list[Entry] = field(default_factory=list)
    named: dict[str, int] = field(default_factory=dict)
    _verified: Verified | None = None

    @property
    def verified(self) -> Verified:
        assert self._verified is not None
        return self._verified

    def read(self, trust: Trust) -> None:
        with keeping_evidence(trust):
            self._verified = verify_log(self.reader, trust.policy, seen=trust.seen, on_entries=self._take)

    def _take(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        self.hashes += b"".join(hashes)
        for index, data in enumerate(entries, first):
            at = data.find(_UNDER)  # canonical JSON: no text that stands before it can hold an unescaped quote
            if at >= 0:
                under = data[at + len(_UNDER) : at + len(_UNDER) + _DIGEST]
                self.named.setdefault(under.decode("utf-8", "replace"), index)
            if data.startswith(_GOVERNING):
                self.governing.append(Entry(index, data, Leaf.parse(data)))


def _read(trust: Trust, reader: TileReader, pause: Callable[[float], None]) -> tuple[_Found, bool]:
    """What the log holds, and whether this machine's copies were thrown away to find out."""
    copies, fetched_again = reader if isinstance(reader, Copies) else None, False
    for left in reversed(range(_TRIES)):
        found = _Found(reader)
        if copies:
            copies.start()
        try:
            found.read(trust)
        except (DidNotVerify, BadInput) as error:
            if "quorum" in error.details and left:
                pause(_PAUSE_S)
                continue
            if copies and copies.used and not fetched_again and copies.throw_away():
                fetched_again = True
                continue
            if "archived" in error.details or (copies and copies.archived()):
                raise _archived(error) from error
            raise
        if not found.verified.witnesses and trust.policy.deployment is not Deployment.TRIAL:
            raise DidNotVerify(
                "No witness cosigned the checkpoint, and this trust file asks for none.",
                fix="Use a trust file that names at least one witness and a quorum.",
                field="witnesses",
            )
        return found, fetched_again
    raise AssertionError  # the last try raises by itself


def _archived(error: WatchglassError) -> DidNotVerify:
    return DidNotVerify(
        f"The log has archived entries that this machine has never read, or has a damaged copy of: {error.message}",
        fix="Nothing is signed on the word of a log that was read in part. Get the archive from whoever keeps it (the "
        "ledger's page says who), and run `watchglass ledger adopt ARCHIVE --keys FOLDER --trust FILE` once.",
        **{"path": CHECKPOINT, **error.details},
    )


def _check_clock(verified: Verified, now: int) -> None:
    witnessed = max((seconds for _, seconds in verified.witnesses), default=0) * SECOND
    if witnessed > now + CLOCKS_APART_MS:
        raise DidNotVerify(
            f"Witnesses say that it is {iso(witnessed)} at least, and this machine says {iso(now)}: its clock was set "
            "back, or is wrong.",
            fix="Set this machine's clock right, then look again. With a wrong clock, what is over looks valid.",
            field="now",
        )


def _check_oversight(trust: Trust, charters: Sequence[Charter]) -> None:
    if not charters or trust.oversight is None:
        return
    first = VerifierKey.parse(charters[0].oversight.key)
    if first != trust.oversight:
        raise DidNotVerify(
            f"The log's first charter names {first.name} ({first}) as oversight; {trust.path.name}.oversight remembers "
            f"{trust.oversight}.",
            fix="This is another deployment than the one that you know, or its first charter was forged. Do nothing; "
            "ask oversight.",
            field="oversight",
        )
