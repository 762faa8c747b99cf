"""Cosignatures for a log: which witnesses are asked, how many must agree, and what they have agreed on.

They are asked side by side, so that a slow one holds up nobody. Each answer is published with the checkpoint at once,
and what the log remembers of it is written in one transaction with whatever follows from it (``on_agreement``).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from watchglass.core.errors import CannotRecord, DidNotVerify, Problem, WatchglassError
from watchglass.core.time import Clock
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import note as notes
from watchglass.ledger.agreement import Agreement
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import consistency_proof
from watchglass.ledger.tiles import CHECKPOINT, node_reader
from watchglass.ledger.witness import NotCosigned, Request
from watchglass.records.outbox import Store, Transaction
from watchglass.runtime.aside import Aside

ASK_S: Final = 5.0
"""How long a round waits for witnesses. Who answers later counts then; nobody waits for them."""
_HEADS: Final = 8
"""Published checkpoints for which late cosignatures are still collected."""
_FRESH: Final = 4
"""How often, within the time that a charter lets pass without a cosignature, witnesses of a quiet log are asked."""
_COSIGNED: Final = "ledger.cosigned"
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"

OnAgreement = Callable[[Transaction, int, bytes], object]
"""Called with (transaction, entries, the checkpoint with enough cosignatures)."""


class Witness(Protocol):
    """Asks one witness for its cosignature (c2sp.org/tlog-witness)."""

    def cosign(self, request: Request) -> bytes:
        """The checkpoint of ``request`` with the witness's cosignature added.

        Raises:
            NotCosigned: it refuses; on a conflict its ``size`` is where the proof has to start.
            WatchglassError: it cannot be reached, or answers nonsense.
        """
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """The published log: its size and its root (32 bytes)."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What a witness cosigned last: so many entries, when it was asked (ms, this machine's time)."""

    size: int
    asked_ms: int


@dataclass(frozen=True, slots=True)
class Witnessing:
    """How a witness stands, for the pages that people look at."""

    name: str
    size: int
    asked_ms: int | None
    problem: str | None


@dataclass(slots=True)
class _Collected:
    """A published checkpoint with the cosignatures that came for it."""

    note: bytes
    by: set[str]


@dataclass(frozen=True, slots=True)
class Publishing:
    """The log that is published.

    Attributes:
        signer: the log's key. publishing: held while its checkpoint is replaced.
        head: the published log. is_writer: whether this process may write to it now.
    """

    tiles: TileDirectory
    signer: SignerKey
    publishing: threading.Lock
    head: Callable[[], Head]
    is_writer: Callable[[], bool]


class Cosigning:
    """Asks witnesses, and remembers what they cosigned.

    Attributes:
        agreed: the largest size that enough witnesses cosigned, and when enough were asked last that have since.
        problems: why a witness does not cosign now, by name.
        witnessed_within: how old the last cosignature may become (ms); where there is one, witnesses are asked again
            although the log did not grow.

    Args:
        witnesses: by name, which is their key's ``name+keyid``.
        quorum: how many of them must agree, until ``watched_by`` says otherwise.
    """

    def __init__(
        self, store: Store, clock: Clock, log: Publishing, witnesses: Mapping[str, Witness], quorum: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._witnesses = dict(witnesses)
        self._quorum = quorum
        self._agreements = self._any_of(self._witnesses)
        self._asking = Aside("asks-witnesses")
        self._collected: dict[int, _Collected] = {}
        self._on_agreement: OnAgreement | None = None
        self.witnessed_within: int | None = None
        self.problems: dict[str, WatchglassError] = {}
        self._seen, self.agreed = self._remembered_cosignatures()
        self._reconsider = True

    def watched_by(self, witnesses: Mapping[str, Witness], agreements: Sequence[Agreement] | None = None) -> None:
        """Ask these witnesses from now on. What others cosigned before stays cosigned.

        What was cosigned before by too few, and is by enough now, counts from the next round on, when that is recorded.

        Args:
            agreements: how many of which must agree; any of these agreements is enough. None: as it was before.
        """
        self._witnesses = dict(witnesses)
        if agreements is not None:
            self._agreements = tuple(agreements)
        elif not self._agreements:
            self._agreements = self._any_of(witnesses)
        self.agreed = Seen(self.agreed.size, max(self.agreed.asked_ms, self._asked_ms(self._seen)))
        self._reconsider = True

    def _any_of(self, witnesses: Mapping[str, Witness]) -> tuple[Agreement, ...]:
        return (Agreement(frozenset(witnesses), self._quorum),) if witnesses else ()

    def witnessed_ms(self) -> int | None:
        """When enough witnesses were asked that have cosigned since; None where too few ever have.

        Under another charter others may have been enough: what they saw they saw, and from then on the time runs.
        """
        return self.agreed.asked_ms or None

    def on_agreement(self, tell: OnAgreement) -> None:
        """Let ``tell`` act in each transaction that makes a checkpoint count as cosigned by enough witnesses."""
        self._on_agreement = tell

    def witnessing(self) -> tuple[Witnessing, ...]:
        """How each witness stands that is asked now."""
        found = []
        for name in sorted(self._witnesses):
            seen, problem = self._seen.get(name), self.problems.get(name)
            told = f"{problem.message} {problem.fix}" if problem else None
            found.append(Witnessing(name, seen.size if seen else 0, seen.asked_ms if seen else None, told))
        return tuple(found)

    def _agreement(self, seen: Mapping[str, Seen], fresh: Mapping[int, set[str]] | None = None) -> Seen:
        """How far, and when, enough witnesses have agreed; never less than before.

        They agree on one checkpoint, under which all their cosignatures stand: that is what a trust file asks for.
        """
        by = {size: each.by for size, each in self._collected.items()} | dict(fresh or {})
        by.setdefault(
            self._log.head().size, {name for name, each in seen.items() if each.size == self._log.head().size}
        )
        sizes = [size for size, names in by.items() if self._enough(names)]
        return Seen(max(self.agreed.size, *sizes, 0), max(self.agreed.asked_ms, self._asked_ms(seen)))

    def _asked_ms(self, seen: Mapping[str, Seen]) -> int:
        asked = {name: each.asked_ms for name, each in seen.items()}
        return max((agreement.reached(asked) for agreement in self._agreements), default=0)

    def _enough(self, names: Collection[str]) -> bool:
        here = dict.fromkeys(names, 1)
        return any(agreement.reached(here) for agreement in self._agreements)

    def ask(self) -> None:
        """Ask the witnesses that lag. One that is down, slow or lies stops nothing; ``problems`` says which and why."""
        if self._reconsider:
            with suppress(CannotRecord):  # the next round tries again
                self._count_again()
        jobs = {name: self._asking_of(name, witness) for name, witness in self._witnesses.items() if self._lags(name)}
        self._asking.run(jobs, ASK_S)

    def _lags(self, name: str) -> bool:
        seen, size = self._seen.get(name), self._log.head().size
        if not size:
            return False
        if seen is None or seen.size < size:
            return True
        within = self.witnessed_within
        return within is not None and not 0 <= self._clock.now() - seen.asked_ms < within // _FRESH

    def _asking_of(self, name: str, witness: Witness) -> Callable[[], None]:
        def ask() -> None:
            try:
                head, asked_ms = self._log.head(), self._clock.now()
                self._add_cosignature(name, self._cosignature(name, witness, head), head, asked_ms)
                self.problems.pop(name, None)
            except WatchglassError as error:
                self.problems[name] = error
            except Exception as error:  # noqa: BLE001  # whatever a witness sends, the others must be heard
                self.problems[name] = Problem(
                    f"Asking the witness stumbled: {type(error).__name__}: {error}.",
                    fix="It is asked again; report it if it stays.",
                )

        return ask

    def _cosignature(self, name: str, witness: Witness, head: Head) -> bytes:
        bare = Checkpoint(self._log.signer.name, head.size, head.root).sign([self._log.signer])
        seen = self._seen.get(name)
        old = min(seen.size, head.size) if seen else 0
        for _ in range(2):
            try:
                return witness.cosign(Request(old, self._proof(old, head.size), bare))
            except NotCosigned as error:
                if error.size is None:
                    raise
                if error.size > head.size:
                    raise _differs(
                        f"The witness {name} has cosigned {error.size} entries of this log, and here are only "
                        f"{head.size}.",
                        "This deployment was rolled back: restore the newest copy of its directory.",
                        witness=error.size,
                        here=head.size,
                    ) from error
                if error.size == old == head.size:
                    break
                if error.size == old:
                    raise
                old = error.size
        raise _differs(
            f"The witness {name} has cosigned other entries of this log than these.",
            "This log has two pasts. Stop, keep this deployment's directory as evidence, and ask the witness for its "
            "own.",
            witness=old,
            here=head.size,
        )

    def _proof(self, old: int, size: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(node_reader(self._log.tiles, size), old, size))

    def _add_cosignature(self, name: str, cosigned: bytes, head: Head, asked_ms: int) -> None:
        """Remember the cosignature, and publish it with the checkpoint unless the log has grown since."""
        lines = notes.parse_note(cosigned).signatures
        with self._log.publishing:
            current = self._log.tiles.read(CHECKPOINT)
            if not self._log.is_writer() or current is None:
                return
            collected = self._collect(head, current)
            collected.note = notes.replace_signatures(collected.note, lines)
            by = collected.by | {name}
            if self._log.head() == head:
                self._log.tiles.publish(collected.note)
            seen = self._seen.get(name, Seen(0, 0))
            now_seen = {**self._seen, name: Seen(max(seen.size, head.size), max(seen.asked_ms, asked_ms))}
            agreed = self._agreement(now_seen, {head.size: by})
            self._remember(now_seen, agreed, head.size, collected.note if self._enough(by) else None)
            collected.by, self._seen, self.agreed = by, now_seen, agreed

    def _count_again(self) -> None:
        """Let count what so many have cosigned before as are enough only now, under another charter; and record it.

        Raises:
            CannotRecord: it cannot be recorded, so it does not count.
        """
        with self._log.publishing:
            current = self._log.tiles.read(CHECKPOINT)
            if not self._log.is_writer() or current is None:
                return
            self._collect(self._log.head(), current)
            sizes = [size for size, each in self._collected.items() if self._enough(each.by)]
            size = max(sizes, default=0)
            if size > self.agreed.size:
                agreed = self._agreement(self._seen)
                self._remember(self._seen, agreed, size, self._collected[size].note)
                self.agreed = agreed
            self._reconsider = False

    def _remember(self, seen: Mapping[str, Seen], agreed: Seen, size: int, note: bytes | None) -> None:
        """Keep what witnesses cosigned, and, where that is enough, what follows from it, in one transaction."""
        tell = self._on_agreement if note is not None else None

        def remember(tx: Transaction) -> None:
            tx.execute(_SET, _COSIGNED, _cosigned_json(seen, agreed))
            if tell is not None and note is not None:
                tell(tx, size, note)

        self._store.commit(remember)

    def _collect(self, head: Head, current: bytes) -> _Collected:
        """The checkpoint of ``head`` with what came for it so far."""
        collected = self._collected.get(head.size)
        if collected is None:
            note, by = Checkpoint(self._log.signer.name, head.size, head.root).sign([self._log.signer]), set[str]()
            if self._log.head() == head:  # what was published before this process began
                note, by = current, {name for name, seen in self._seen.items() if seen.size == head.size}
            collected = self._collected[head.size] = _Collected(note, by)
            for old in sorted(self._collected)[:-_HEADS]:
                del self._collected[old]
        return self._collected.get(head.size, collected)

    def _remembered_cosignatures(self) -> tuple[dict[str, Seen], Seen]:
        """What each witness, of whichever charter, cosigned last; and how far enough of them had agreed."""
        row = self._store.read().one("SELECT value FROM setting WHERE key = ?", _COSIGNED)
        value = json.loads(row["value"]) if row else {}
        if "agreed" not in value:  # before quorums: sizes by name, and one witness was enough
            return {}, Seen(max(map(int, value.values()), default=0), 0)
        seen = {name: Seen(int(size), int(asked)) for name, (size, asked) in value["witnesses"].items()}
        return seen, Seen(*map(int, value["agreed"]))


def _cosigned_json(seen: Mapping[str, Seen], agreed: Seen) -> str:
    witnesses = {name: [each.size, each.asked_ms] for name, each in seen.items()}
    return json.dumps({"agreed": [agreed.size, agreed.asked_ms], "witnesses": witnesses}, sort_keys=True)


def _differs(message: str, fix: str, **details: str | int) -> DidNotVerify:
    return DidNotVerify(message, fix=fix, **details)
