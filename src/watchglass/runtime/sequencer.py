"""The one writer of the log: takes the outbox into tiles, publishes the checkpoint last, then asks the witnesses.

The steps of a round, each safe to repeat, in this order:

1. give the outbox rows that are due their places in the log, durably (``outbox.idx``);
2. write bundles and tiles;
3. sign and publish the checkpoint;
4. move the rows from ``outbox`` to ``entry`` and ``opening``, and remember size and root;
5. ask the witnesses that lag, side by side, and publish the checkpoint again with each cosignature as it comes.

A crash between any two is repaired by the next round: the places are durable, so the same bytes are written again.

Rows are due at fixed moments only: those of the prompt lane at multiples of ``checkpoint_every``, those of the batch
lane at multiples of ``batch_every``, so that the tree's growth tells nobody when somebody was somewhere (law 10).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, WatchglassError
from watchglass.core.time import HOUR, MINUTE, SECOND, Clock
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.agreement import Agreement
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.tiles import CHECKPOINT, FULL, Tile
from watchglass.records.act_spec import Lane
from watchglass.records.outbox import Store, Transaction
from watchglass.runtime.cosigning import Cosigning, Head, Publishing, Witness

LARGEST_ROUND: Final = 8192
"""Leaves given places at once; a round repeats until nothing is due."""
EVERYTHING: Final = frozenset(Lane)
_PUBLISHED: Final = "ledger.published"

_ASSIGN: Final = """
UPDATE outbox SET idx = ? + due.place FROM (
    SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place FROM outbox
    WHERE idx IS NULL AND (created_ms < CASE lane WHEN 'prompt' THEN ? ELSE ? END OR merge_by_ms <= ?)
    ORDER BY seq LIMIT ?
) AS due WHERE outbox.seq = due.seq
"""
_ENTER: Final = """
INSERT OR IGNORE INTO entry (idx, leaf_hash, act, analytic, hour)
SELECT idx, leaf_hash, act, analytic, hour FROM outbox WHERE idx < ? ORDER BY idx
"""
_OPEN: Final = """
INSERT OR IGNORE INTO opening (idx, leaf_hash, key_id, sealed)
SELECT idx, leaf_hash, key_id, sealed FROM outbox WHERE idx < ? AND sealed IS NOT NULL ORDER BY idx
"""
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Sequencer:
    """Keeps one log. ``tick`` is one round; ``start`` runs rounds on threads until ``close``.

    Args:
        store: whose outbox is taken in.
        tiles: the ledger's directory.
        signer: the log's key; its name is the origin.
        clock: decides what is due.
        checkpoint_every, batch_every: milliseconds; the charter's.
        witnesses: by name, which is their key's ``name+keyid``; quorum: how many of them make a checkpoint count as
            cosigned, until ``watched_by`` says otherwise.

    Raises:
        DidNotVerify: the directory holds another log than the database remembers: one of them was rolled back or
            exchanged. Nothing is written then.
        BadInput: a file at the right edge of the log is missing or torn.
    """

    def __init__(
        self,
        store: Store,
        tiles: TileDirectory,
        signer: SignerKey,
        clock: Clock,
        *,
        checkpoint_every: int = MINUTE,
        batch_every: int = HOUR,
        witnesses: Mapping[str, Witness] | None = None,
        quorum: int = 1,
    ) -> None:
        self._store = store
        self._tiles = tiles
        self._signer = signer
        self._clock = clock
        self._held = ExitStack()
        self._holding = False
        self._rounds = threading.Lock()
        self._publishing = threading.Lock()
        self._wake = threading.Event()
        self._ask = threading.Event()
        self._stopping = threading.Event()
        self._hurry: set[Lane] = set()
        self._looked: tuple[int, int] | None = None
        self._threads: list[threading.Thread] = []
        self.problem: WatchglassError | None = None
        self._head, self._growth = self._recover()
        log = Publishing(tiles, signer, self._publishing, lambda: self._head, self._is_writer)
        self.cosigning = Cosigning(store, clock, log, witnesses or {}, quorum)
        self.pace(checkpoint_every=checkpoint_every, batch_every=batch_every)

    @property
    def head(self) -> Head:
        """The published log."""
        return self._head

    def pace(self, *, checkpoint_every: int, batch_every: int, witnessed_within: int | None = None) -> None:
        """Take on the intervals of a charter.

        Args:
            witnessed_within: how old the last cosignature may become; where there is one, witnesses are asked again
                although the log did not grow.

        Raises:
            BadInput: an interval is not positive.
        """
        if checkpoint_every <= 0 or batch_every <= 0:
            raise BadInput("The ledger's intervals must be longer than zero.", fix="Correct them in the charter.")
        self._checkpoint_every = checkpoint_every
        self._batch_every = batch_every
        self.cosigning.witnessed_within = witnessed_within
        self._looked = None

    def watched_by(self, witnesses: Mapping[str, Witness], agreements: Sequence[Agreement] | None = None) -> None:
        """Ask these witnesses from now on. What others cosigned before stays cosigned.

        Args:
            agreements: how many of which must agree; any of these agreements is enough. None: as it was before.
        """
        self.cosigning.watched_by(witnesses, agreements)
        self._ask.set()

    def cosigned_size(self) -> int:
        """How many entries the largest checkpoint covers that enough witnesses have cosigned; 0 if none."""
        return self.cosigning.agreed.size

    def ask_witnesses(self) -> None:
        """Step 5: ask those that lag. One that is down, slow or lies stops nothing."""
        self.cosigning.ask()

    def _is_writer(self) -> bool:
        return self._holding

    # ---- one round -----------------------------------------------------------------------------------------------

    def tick(self, hurry: Collection[Lane] = ()) -> Head:
        """One round: integrate what is due, publish, and ask the witnesses that lag.

        Args:
            hurry: lanes whose rows are due now, whatever the time; for the end of a run, or a charter's publication.

        Raises:
            CannotRecord: the ledger's directory cannot be written; the outbox keeps everything for the next round.
        """
        self.integrate(hurry)
        self.ask_witnesses()
        return self._head

    def integrate(self, hurry: Collection[Lane] = ()) -> Head:
        """Steps 1 to 4 of a round. Raises as ``tick`` does."""
        with self._rounds:
            self._hold()
            now = self._clock.now()
            while True:
                self._take_in()
                if self._growth.size > self._head.size:
                    self._publish()
                    self._ask.set()
                if not self._assign(now, hurry):
                    return self._head

    def _hold(self) -> None:
        if not self._holding:
            self._held.enter_context(self._tiles.lock())
            self._holding = True

    def _assign(self, now: int, hurry: Collection[Lane]) -> int:
        """Step 1: how many rows got a place."""
        later = now + self._checkpoint_every
        prompt = later if Lane.PROMPT in hurry else now - now % self._checkpoint_every
        batch = later if Lane.BATCH in hurry else now - now % self._batch_every
        if not hurry and self._looked == (prompt, batch):
            return 0  # nothing was due at these moments, and what came since is due at later ones
        due = "created_ms < CASE lane WHEN 'prompt' THEN ? ELSE ? END OR merge_by_ms <= ?"
        waiting = self._store.read().one(
            f"SELECT 1 FROM outbox WHERE idx IS NULL AND ({due}) LIMIT 1",  # noqa: S608  # constant text
            prompt,
            batch,
            later,
        )
        if waiting is None:
            self._looked = (prompt, batch)
            return 0

        def assign(tx: Transaction) -> int:
            return tx.execute(_ASSIGN, self._growth.size, prompt, batch, later, LARGEST_ROUND)

        return self._store.commit(assign).value

    def _take_in(self) -> None:
        """Append the rows that have places to the growing edge."""
        rows = self._store.read().all(
            "SELECT idx, leaf, leaf_hash FROM outbox WHERE idx >= ? ORDER BY idx", self._growth.size
        )
        if not rows:
            return
        if [row["idx"] for row in rows] != list(range(self._growth.size, self._growth.size + len(rows))):
            raise Problem(
                "The outbox has a gap in the places that it gave.",
                fix="Stop, keep the database and the ledger directory, and report this: it is a fault.",
            )
        self._growth.append([row["leaf"] for row in rows], [row["leaf_hash"] for row in rows])

    def _publish(self) -> None:
        """Steps 2 to 4."""
        files = self._growth.files()
        self._tiles.write(files)
        head = Head(self._growth.size, self._growth.root())
        signed = Checkpoint(self._signer.name, head.size, head.root).sign([self._signer])
        with self._publishing:
            self._tiles.publish(signed)
            self._remember(head)
            self._head = head
        self._growth.written()
        for path, _ in files:
            if Tile.parse(path).width == FULL:
                with suppress(OSError):  # only tidying: a reader takes the full tile where the partial one is gone
                    self._tiles.drop_partials(path)

    def _remember(self, head: Head) -> None:
        """Step 4."""

        def remember(tx: Transaction) -> None:
            tx.execute(_ENTER, head.size)
            tx.execute(_OPEN, head.size)
            tx.execute("DELETE FROM outbox WHERE idx < ?", head.size)
            tx.execute(_SET, _PUBLISHED, json.dumps({"size": head.size, "root": head.root.hex()}))

        self._store.commit(remember)

    # ---- recovery ------------------------------------------------------------------------------------------------

    def _recover(self) -> tuple[Head, Growth]:
        """Where the log stands, after checking that directory and database tell one story."""
        known = self._remembered_head()
        data = self._tiles.read(CHECKPOINT)
        size, root = self._published(data)
        if size < known.size:
            raise _differs(
                f"The ledger directory shows {size} entries, and {known.size} were published already.",
                "The ledger directory was rolled back or exchanged: restore the newest copy of it.",
                directory=size,
                database=known.size,
            )
        growth = Growth.resume(self._tiles, known.size)
        if growth.root() != known.root:
            raise _differs(
                f"The first {known.size} entries in the ledger directory are not those that were published.",
                "The ledger directory was exchanged or changed: keep it as evidence and restore the true one.",
                expected=known.root.hex(),
                found=growth.root().hex(),
            )
        rows = self._store.read().all(
            "SELECT idx, leaf, leaf_hash FROM outbox WHERE idx >= ? AND idx < ? ORDER BY idx", known.size, size
        )
        if len(rows) != size - known.size:
            raise _differs(
                f"The ledger directory shows {size} entries, and the database knows of {known.size + len(rows)} only.",
                "The database was rolled back or is another one's: restore the newest copy of it.",
                directory=size,
                database=known.size + len(rows),
            )
        growth.append([row["leaf"] for row in rows], [row["leaf_hash"] for row in rows])
        if size and growth.root() != root:
            raise _differs(
                f"The checkpoint of {size} entries is not of the entries that the database holds.",
                "The ledger directory or the database was exchanged: restore the two that belong together.",
                expected=growth.root().hex(),
                found=root.hex(),
            )
        head = Head(size, growth.root())
        if rows:  # published, but the crash came before the database heard of it
            self._remember(head)
            growth = Growth.resume(self._tiles, size)
        return head, growth

    def _published(self, data: bytes | None) -> tuple[int, bytes]:
        if data is None:
            return 0, b""
        try:
            published = checkpoints.open_checkpoint(data, [self._signer.verifier]).checkpoint
        except DidNotVerify as error:
            raise _differs(
                "The checkpoint in the ledger directory was not signed by this deployment's log key.",
                "This is another log's directory, or the key was exchanged: restore the ones that belong together.",
                reason=error.message,
            ) from error
        return published.size, published.root

    def _remembered_head(self) -> Head:
        row = self._store.read().one("SELECT value FROM setting WHERE key = ?", _PUBLISHED)
        if row is None:
            return Head(0, Growth().root())
        value = json.loads(row["value"])
        return Head(int(value["size"]), bytes.fromhex(value["root"]))

    # ---- running -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run rounds until ``close``: one thread integrates and another asks the witnesses, who may be slow."""
        self._stopping.clear()
        for target in (self._integrate_loop, self._witness_loop):
            thread = threading.Thread(target=target, name=f"watchglass{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def nudge(self, hurry: Collection[Lane] = (Lane.PROMPT,)) -> None:
        """Let the threads make a round now, in which the lanes ``hurry`` are due: for charters and suspensions."""
        self._hurry.update(hurry)
        self._wake.set()

    def close(self) -> None:
        """Stop the threads and let go of the directory. What is in the outbox stays there."""
        self._stopping.set()
        self._wake.set()
        self._ask.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        with self._publishing:  # a witness that answers only now must not write any more
            self._held.close()
            self._holding = False

    def _integrate_loop(self) -> None:
        while not self._stopping.is_set():
            hurry = frozenset(self._hurry)
            self._hurry.difference_update(hurry)
            if not self._attempt(lambda lanes=hurry: self.integrate(lanes)):  # type: ignore[misc]  # bound at once
                self._hurry.update(hurry)
            pause = self._checkpoint_every - self._clock.now() % self._checkpoint_every
            self._wake.wait(pause / SECOND)
            self._wake.clear()

    def _witness_loop(self) -> None:
        while not self._stopping.is_set():
            self._attempt(self.ask_witnesses)
            self._ask.wait(self._checkpoint_every / SECOND)
            self._ask.clear()

    def _attempt(self, step: Callable[[], object]) -> bool:
        """Run a step of a loop; keep what went wrong for the health page, and try again next time."""
        try:
            step()
        except WatchglassError as error:
            self.problem = error
        except Exception as error:  # noqa: BLE001  # a loop that dies silently would stop the log
            self.problem = CannotRecord(
                f"The sequencer stumbled: {type(error).__name__}: {error}.",
                fix="It tries again; report it if it stays.",
            )
        else:
            if step != self.ask_witnesses:
                self.problem = None
            return True
        return False


def _differs(message: str, fix: str, **details: str | int) -> DidNotVerify:
    return DidNotVerify(message, fix=fix, **details)
