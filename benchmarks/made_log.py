"""A log in memory that grows as the house's does: an outbox in two lanes, rounds at fixed moments, timed witnesses.

Leaves come from the real recorder; tiles, checkpoints, cosignatures and receipts from the ledger's own code. What is
left out is the disk: a year of a house is made in seconds, and the same bytes come from the same seed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from watchglass.acts.note_witnessed import WAITED_FOR
from watchglass.core.digest import b64
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.edge.clock import VirtualClock
from watchglass.ledger import receipt as receipts
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.note import Note, Signature, sign_text
from watchglass.ledger.receipt import Receipt
from watchglass.ledger.tiles import CHECKPOINT
from watchglass.records.act_spec import Lane
from watchglass.records.opening import WrappedKey
from watchglass.records.outbox import PreparedLeaf

Cosigned = tuple[tuple[str, int], ...]
"""Who cosigned, by their names in the trust file, and when (POSIX seconds)."""


@dataclass(frozen=True)
class Watcher:
    """A witness: its key, how late (ms) it answers at most, and when it does not answer at all."""

    name: str
    key: SignerKey
    slow_ms: int = 2 * SECOND
    away: tuple[tuple[int, int], ...] = ()
    skew_s: int = 0

    def answers(self, now: int) -> bool:
        return not any(begin <= now < end for begin, end in self.away)


@dataclass(frozen=True)
class Published:
    """A checkpoint that was published, its note with every cosignature, and when the quorum had cosigned it (ms)."""

    checkpoint: Checkpoint
    note: bytes
    cosigned: Cosigned
    at_ms: int


class MemoryTiles:
    """The files of a log, as a reader reads them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self) -> Iterable[str]:
        return [path for path in sorted(self.files) if path != CHECKPOINT]

    def write_to(self, folder: Path) -> Path:
        """Write them below ``folder``, as any web server could serve them."""
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder


@dataclass
class Waiting:
    """A row of the outbox."""

    leaf: PreparedLeaf
    created_ms: int
    merge_by_ms: int


@dataclass
class Log:
    """The outbox, the log and its witnesses.

    Attributes:
        pace: checkpoint_every, batch_every, merge_within (ms); as in the charter that was published last.
        quorum: how many watchers make a checkpoint count. none of them: a trial.
        keep_receipt: the share of records whose receipt somebody keeps.
    """

    signer: SignerKey
    clock: VirtualClock
    dice: Random
    watchers: Sequence[Watcher] = ()
    quorum: int = 1
    pace: tuple[int, int, int] = (MINUTE, HOUR, 2 * HOUR)
    keep_receipt: float = 0.02
    entries: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    places: dict[bytes, int] = field(default_factory=dict)
    sealed: dict[bytes, bytes] = field(default_factory=dict)
    keys: dict[bytes, WrappedKey] = field(default_factory=dict)
    kept: list[tuple[Receipt, bytes]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    published: Published | None = None
    cosigned_size: int = 0
    witnessed_ms: int = 0
    grown: bool = False
    """Whether something besides a ``checkpoint_witnessed`` has entered since the last note was written."""
    waited_for: bool = False
    """Whether something has entered since that others wait for until it is cosigned."""
    _next: int | None = None
    _growth: Growth = field(default_factory=Growth)

    # ---- recording ---------------------------------------------------------------------------------------------------

    def record(self, *leaves: PreparedLeaf) -> list[bytes]:
        """Put leaves of one act into the outbox; their hashes. Now and then somebody keeps the receipt."""
        now, due = self.clock.now(), self.clock.now() + self.pace[2]
        for leaf in leaves:
            row = Waiting(leaf, now, due)
            self.waiting.append(row)
            if self._next is not None:
                self._next = min(self._next, self._round_of(row))
            if leaf.sealed is not None and leaf.key is not None:
                self.sealed[leaf.leaf_hash] = leaf.sealed
                self.keys.setdefault(leaf.key.key_id, leaf.key)
        hashes = [leaf.leaf_hash for leaf in leaves]
        if self.dice.random() < self.keep_receipt:
            made = receipts.issue(hashes, issued_ms=now, merge_by_ms=due, signer=self.signer)
            self.kept += [(receipt, leaf.data) for receipt, leaf in zip(made, leaves, strict=True)]
        return hashes

    # ---- rounds ------------------------------------------------------------------------------------------------------

    def next_round(self) -> int | None:
        """When the next round takes something in; None where nothing waits."""
        if self._next is None:
            self._next = min(map(self._round_of, self.waiting), default=None)
        return self._next

    def keep_pace(self, pace: tuple[int, int, int]) -> None:
        """Take on the intervals of a charter."""
        self.pace, self._next = pace, None

    def _round_of(self, row: Waiting) -> int:
        checkpoint, batch, _ = self.pace
        every = checkpoint if row.leaf.lane is Lane.PROMPT else batch
        due = row.created_ms - row.created_ms % every + every
        latest = row.merge_by_ms - checkpoint
        return min(due, max(latest + -latest % checkpoint, row.created_ms - row.created_ms % checkpoint + checkpoint))

    def round(self, hurry: Collection[Lane] = ()) -> bool:
        """One round at the clock's time: take in what is due, publish, ask the witnesses. Whether the log grew."""
        now = self.clock.now()
        due = [row for row in self.waiting if row.leaf.lane in hurry or self._round_of(row) <= now]
        if not due:
            return False
        self.waiting = [row for row in self.waiting if not (row.leaf.lane in hurry or self._round_of(row) <= now)]
        self._next = None
        self.append([row.leaf.data for row in due], [row.leaf.leaf_hash for row in due])
        self.grown |= any(row.leaf.act != "checkpoint_witnessed" for row in due)
        self.waited_for |= any(row.leaf.act in WAITED_FOR for row in due)
        self.publish()
        return True

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None) -> None:
        """Add entries at the end."""
        hashes = [leaf_hash(entry) for entry in entries] if hashes is None else hashes
        for place, each in enumerate(hashes, len(self.entries)):
            self.places.setdefault(each, place)
        self.entries += entries
        self.hashes += hashes
        self._growth.append(entries, hashes)

    def publish(self) -> Published:
        """Sign the checkpoint of what is there, and let every watcher that answers cosign it."""
        now = self.clock.now()
        checkpoint = Checkpoint(self.signer.name, len(self.entries), self._growth.root())
        text = checkpoint.text
        lines: list[Signature] = [sign_text(text, self.signer)]
        cosigned = []
        for watcher in self.watchers:
            if watcher.answers(now):
                at = (now + self.dice.randrange(watcher.slow_ms + 1)) // SECOND + watcher.skew_s
                lines.append(sign_text(text, watcher.key, seconds=at))
                cosigned.append((watcher.name, at))
        enough = len(cosigned) >= self.quorum if self.watchers else True
        at_ms = max((at * SECOND for _, at in cosigned), default=now)
        note = Note(text, tuple(lines)).encode()
        self.published = Published(checkpoint, note, tuple(cosigned), max(now, at_ms))
        if enough:
            self.cosigned_size = len(self.entries)
            self.witnessed_ms = self.published.at_ms
        return self.published

    def is_cosigned(self, leaf: bytes) -> bool:
        """Whether that record is in a checkpoint that the quorum cosigned."""
        place = self.places.get(leaf)
        return place is not None and place < self.cosigned_size

    # ---- what readers get --------------------------------------------------------------------------------------------

    def kept_hashes(self) -> list[tuple[Receipt, bytes]]:
        """The receipts that somebody kept, each with the leaf hash that it is for."""
        return [(receipt, leaf_hash(data)) for receipt, data in self.kept]

    def bundle(self) -> dict[str, object]:
        """Every sealed opening and wrapped key, as the house hands them to oversight."""
        return {
            "watchglass": "openings/v1",
            "origin": self.signer.name,
            "keys": [
                {"key_id": b64(key.key_id), "hour": key.hour, "wrapped": b64(key.wrapped)} for key in self.keys.values()
            ],
            "openings": [
                {"leaf_hash": b64(leaf), "sealed": b64(sealed)}
                for leaf, sealed in self.sealed.items()
                if leaf in self.places
            ],
        }

    def bundle_bytes(self) -> bytes:
        return json.dumps(self.bundle(), indent=1).encode()


def files_of(entries: Sequence[bytes], note: bytes) -> MemoryTiles:
    """The files of a log with these entries and this checkpoint."""
    growth = Growth()
    growth.append(entries)
    return MemoryTiles({**dict(growth.files()), CHECKPOINT: note})


def root_of(entries: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over entries."""
    growth = Growth()
    growth.append(entries)
    return growth.root()


def trust_text(log: VerifierKey, witnesses: Sequence[tuple[str, VerifierKey]], quorum: int) -> str:
    """A tlog-policy that asks for ``quorum`` of the witnesses."""
    lines = [f"log {log}"]
    lines += [f"witness {name} {key} https://{name}.example" for name, key in witnesses]
    if not witnesses:
        return "\n".join([*lines, "quorum none", ""])
    names = " ".join(name for name, _ in witnesses)
    return "\n".join([*lines, f"group agreed {quorum} {names}", "quorum agreed", ""])
