"""Acts: a recorder's key is named for one run, and its heartbeats are verified and recorded.

Only what makes a beat this recorder's, whole and next in its chain is checked here. What it says is not judged: a beat
that tells of something that was not allowed is evidence, and the audit reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, WatchglassError
from watchglass.core.time import MINUTE, SECOND
from watchglass.ledger.keys import KeyType, VerifierKey
from watchglass.oversight.dark import state_of
from watchglass.records.fields import VKEY
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.records.statement import SignedStatement, check_hour, verify

ROLE: Final = "recorder"
AHEAD_MS: Final = 5 * SECOND
"""So far may a recorder's clock be ahead of the house's; they run on one machine."""
SET_BACK_MS: Final = 10 * MINUTE
"""A last beat that ends so far in the future was signed before the clock was set back: the chain then begins again at
the time of now, overlapping itself in the open, for otherwise no beat could come until the clock has caught up."""


@dataclass(frozen=True, slots=True)
class Link:
    """What the next heartbeat of a source must go on from.

    Attributes:
        sequence: of the last one; -1 where there was none. leaf_hash: of its record.
        to_s: where its interval ended; 0 where the next may begin whenever it does.
    """

    sequence: int = -1
    leaf_hash: bytes | None = None
    to_s: int = 0


@dataclass(frozen=True, slots=True)
class Turned:
    """A statement that was not accepted.

    Attributes:
        source: that it claims to be of; "" where that cannot be read.
        own: its key is named for this run and this source: whoever sent it may be told how to go on.
    """

    source: str
    own: bool
    error: WatchglassError


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of some statements: the chains' new ends, and what was turned away."""

    links: Mapping[str, Link]
    turned: tuple[Turned, ...] = field(default=())


def name_recorder(
    acting: Acting, charter: Charter, run: str, vkey: str, sources: Sequence[str]
) -> Done[dict[str, Link]]:
    """Record that these sources are recorded in this run by a process with this key.

    Returns:
        How the heartbeats of each source go on.

    Raises:
        BadInput: it is no signing key, it was named before, or the charter has no such source.
    """
    VKEY.check(vkey, "vkey")
    if VerifierKey.parse(vkey).kind is not KeyType.ED25519:
        raise BadInput("A recorder's key is an Ed25519 key that signs.", fix="Start the recorder again.")
    names = sorted(set(sources))
    unknown = set(names) - {source.name for source in charter.sources}
    if unknown or not names:
        raise BadInput(
            f"The charter has no source called {', '.join(sorted(unknown)) or 'so'}.", fix="Start the recorder again."
        )

    def act(tx: Transaction) -> dict[str, Link]:
        if tx.one("SELECT 1 FROM recorder WHERE vkey = ?", vkey):
            raise BadInput("This recorder's key was named before.", fix="Start the recorder again; it makes a new one.")
        leaf = attest(
            acting,
            tx,
            "recorder_named",
            by=None,
            under=charter,
            clear={"run": run, "vkey": vkey, "sources": names},
        )
        tx.insert(
            "recorder",
            {
                "vkey": vkey,
                "run": run,
                "sources": json.dumps(names),
                "named_ms": acting.clock.now(),
                "leaf_hash": leaf,
            },
        )
        return {name: link_of(tx, name, acting.clock.now()) for name in names}

    return do(acting, act)


def link_of(reader: Reader, source: str, now_ms: int) -> Link:
    """What the next heartbeat of ``source`` must go on from."""
    row = reader.one("SELECT sequence, to_s, leaf_hash FROM heartbeat WHERE source = ?", source)
    if row is None:
        return Link()
    to_s = 0 if row["to_s"] * SECOND > now_ms + SET_BACK_MS else int(row["to_s"])
    return Link(int(row["sequence"]), bytes(row["leaf_hash"]), to_s)


def keep_beats(acting: Acting, run: str, statements: Sequence[bytes]) -> Done[Kept]:
    """Verify heartbeats and record those that are right, all in one transaction.

    Args:
        run: that is going on; beats of another are turned away.
        statements: as recorders sent them, each source's in order.

    Raises:
        CannotRecord: nothing can be written now, and nothing was.
    """
    read = [_read(acting, data) for data in statements]

    def act(tx: Transaction) -> Kept:
        links: dict[str, Link] = {}
        turned: list[Turned] = []
        for statement in read:
            if isinstance(statement, Turned):
                turned.append(statement)
                continue
            source = str(statement.leaf.clear["source"])
            own = False
            try:
                recorder = _recorder(tx, statement, run, source)
                own = True
                verify(statement, origin=acting.origin, keys={ROLE: (statement.signature.key,)})
                links[source] = _keep(acting, tx, statement, recorder)
            except CannotRecord:
                raise
            except WatchglassError as error:
                turned.append(Turned(source, own, error))
                if own:
                    links[source] = link_of(tx, source, acting.clock.now())
        return Kept(links, tuple(turned))

    return do(acting, act)


def _read(acting: Acting, data: bytes) -> SignedStatement | Turned:
    try:
        statement = SignedStatement.parse(data)
        if statement.leaf.act != "heartbeat":
            return Turned("", own=False, error=BadInput("A recorder signs heartbeats only.", fix="It is not kept."))
        check_hour(statement, now=acting.clock.now())
    except WatchglassError as error:
        return Turned("", own=False, error=error)
    return statement


def _recorder(tx: Transaction, statement: SignedStatement, run: str, source: str) -> Row:
    """The row of the recorder that may speak here.

    Raises:
        DidNotVerify: its key was not named for this run and this source.
    """
    row = tx.one(
        "SELECT recorder.run, recorder.sources, run.charter, run.every_s FROM recorder JOIN run USING (run)"
        " WHERE vkey = ?",
        statement.signature.vkey,
    )
    if row is None or row["run"] != run or source not in json.loads(row["sources"]):
        raise DidNotVerify(
            f"A heartbeat of {source} came with a key that may not speak for it in this run.",
            fix="It is not kept. Look at the machine: somebody there claims to be a recorder.",
            field="sig.key",
        )
    return row


def _keep(acting: Acting, tx: Transaction, statement: SignedStatement, recorder: Row) -> Link:
    leaf, clear, now = statement.leaf, statement.leaf.clear, acting.clock.now()
    source, last = str(clear["source"]), link_of(tx, str(clear["source"]), acting.clock.now())
    expected = b64(last.leaf_hash) if last.leaf_hash is not None else None
    if clear["sequence"] != last.sequence + 1 or clear["previous"] != expected:
        raise Problem(f"A heartbeat of {source} does not follow the one before it.", fix="It is not kept.")
    if clear["run"] != recorder["run"] or leaf.charter != recorder["charter"]:
        raise Problem(f"A heartbeat of {source} names another run or charter than its own.", fix="It is not kept.")
    begin, end = int(clear["from_s"]), int(clear["to_s"])
    if not 0 < end - begin <= int(recorder["every_s"] or 0) or begin < last.to_s or end * SECOND > now + AHEAD_MS:
        raise Problem(
            f"A heartbeat of {source} has an interval that is empty, too long, told before or not over yet.",
            fix="It is not kept. Check the machine's clock.",
        )
    prepared = acting.recorder.signed(statement)
    tx.record(prepared)
    tx.execute(_SET_LAST, source, clear["sequence"], end, now, prepared.leaf_hash)
    state = state_of(clear["running"], clear["received"]).value
    joined = tx.execute(_JOIN, end, prepared.leaf_hash, source, clear["run"], state, begin)
    if not joined:
        tx.insert(
            "watched",
            {
                "source": source,
                "run": clear["run"],
                "state": state,
                "from_s": begin,
                "to_s": end,
                "beats": 1,
                "first_leaf_hash": prepared.leaf_hash,
                "last_leaf_hash": prepared.leaf_hash,
            },
        )
    return Link(int(clear["sequence"]), prepared.leaf_hash, end)


_SET_LAST: Final = (
    "INSERT INTO heartbeat (source, sequence, to_s, kept_ms, leaf_hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT (source) DO"
    " UPDATE SET sequence = excluded.sequence, to_s = excluded.to_s, kept_ms = excluded.kept_ms,"
    " leaf_hash = excluded.leaf_hash"
)
_JOIN: Final = (
    "UPDATE watched SET to_s = ?, beats = beats + 1, last_leaf_hash = ? WHERE id = (SELECT id FROM watched"
    " WHERE source = ? AND run = ? AND state = ? AND to_s = ? ORDER BY id DESC LIMIT 1)"
)
"""The row that the beat follows without a gap, where there is one that says the same."""
