"""How fast acts become durable and receipted, and how fast a log is verified. Read by ``watchglass bench ledger``.

An act here is what the house does for an alert: check the fields, make salts and commitments, seal the opening, write
the alert's row and the record's row, commit durably, and hand back a receipt that the log signed. Writers are
coroutines on one event loop, as in the portal. SQLite alone is measured in the same run, on the same disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import beats
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.store import Store
from watchglass.edge.store.database import connect
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import receipt as receipts
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.verify import verify_log
from watchglass.records.outbox import PreparedLeaf, Transaction
from watchglass.records.recorder import Recorder
from watchglass.runtime.sequencer import EVERYTHING, Sequencer

Figure = dict[str, Any]
Progress = Callable[[str], None]

ORIGIN = "demo.benchmark.example/log"
CHARTER = bytes(range(32))
ROUNDS = 5
TARGET_ACTS = 20_000
TARGET_VERIFY = 250_000
_INSERT = (
    "INSERT INTO alert (id, source, analytic, kind, zone, purpose, charter, at_ms, raised_ms, due_ms, score_per_mille,"
    " why, facts, boxes, still, state, leaf_hash) VALUES (?, 'steps-cam', 'on-the-track', 'intrusion', 'track',"
    " 'restricted-area', 'c', ?, ?, ?, 517, '2 persons inside ''track'' for 2.1 s', '{\"persons\":2}',"
    " '[[10,10,50,90,0]]', x'', 'waiting', ?)"
)


class House:
    """A deployment without pictures: recorder, store, sequencer."""

    def __init__(self, root: Path) -> None:
        self.clock = SystemClock()
        self.entropy = SystemEntropy()
        self.signer = SignerKey.generate(ORIGIN, self.entropy)
        self.recorder = Recorder(
            origin=ORIGIN,
            clock=self.clock,
            entropy=self.entropy,
            oversight=X25519PrivateKey.generate().public_key(),
        )
        self.tiles = TileDirectory(root / "ledger")
        self.store = Store(root / "watchglass.db", clock=self.clock, signer=self.signer)
        self.number = int.from_bytes(self.entropy.bytes(6), "big") << 12

    def leaf(self, identifier: str) -> PreparedLeaf:
        return self.recorder.attested(
            "alert_raised",
            role="house",
            charter=CHARTER,
            purpose="restricted-area",
            clear={"analytic": "on-the-track", "kind": "intrusion"},
            committed={
                "alert": identifier,
                "source": "steps-cam",
                "zone": "track",
                "score": 517,
                "probability": None,
                "why": "2 persons inside 'track' for 2.1 s",
                "again": None,
                "conditions": None,
                "calibration": None,
            },
        )

    def act(self) -> Callable[[Transaction], bytes]:
        self.number += 1
        identifier = f"{self.number & 0xFFFFFFFFFFFFFFFF:016x}"

        def act(tx: Transaction) -> bytes:
            leaf = self.leaf(identifier)
            now = self.clock.now()
            tx.execute(_INSERT, identifier, now, now, now + 120_000, leaf.leaf_hash)
            return tx.record(leaf)

        return act


async def _load(house: House, writers: int, seconds: float) -> tuple[int, float, list[float]]:
    """So many coroutines that act again and again: acts, seconds, each act's delay."""
    delays: list[float] = []
    begun = time.perf_counter()
    until = begun + seconds

    async def writer() -> None:
        while (started := time.perf_counter()) < until:
            done = await house.store.commit_async(house.act())
            delays.append(time.perf_counter() - started)
            assert len(done.receipts) == 1

    await asyncio.gather(*(writer() for _ in range(writers)))
    return len(delays), time.perf_counter() - begun, delays


def _check_some(house: House) -> None:
    """Receipts verify, and what was acknowledged is there."""
    done = house.store.commit(house.act())
    receipts.check(done.receipts[0], done.value, house.signer.verifier)


def _acts(root: Path, seconds: float, progress: Progress) -> list[Figure]:
    figures = []
    delays: list[float] = []
    for writers in (1, 16, 256):
        progress(f"acts with {writers} writers")
        rates, costs, total = [], [], 0
        folder = root / f"acts-{writers}"
        folder.mkdir()
        house = House(folder)
        _check_some(house)
        asyncio.run(_load(house, writers, 0.2))
        for _ in range(ROUNDS):
            cpu = time.process_time()
            acts, wall, delays = asyncio.run(_load(house, writers, seconds / ROUNDS))
            costs.append((time.process_time() - cpu) / acts * 1e6)
            rates.append(acts / wall)
            total += acts
        figure = _rate(f"acts_per_s_{writers}", "acts/s", rates, total)
        if writers == 256:
            figure |= {"target": TARGET_ACTS, "ok": figure["value"] >= TARGET_ACTS}
            figure["note"] = "durable, with commitments, sealed opening, rows and a signed receipt; coroutines"
            figures += [figure, _cost(costs, total), _delay(delays), _integration(house, progress)]
        else:
            figures.append(figure)
        house.store.close()
    return figures


def _cost(costs: list[float], n: int) -> Figure:
    """What an act costs in processor time: other programs on the machine disturb this less than the wall's rate."""
    return {
        "name": "cpu_us_per_act_256",
        "value": round(statistics.median(costs), 1),
        "unit": "µs",
        "better": "lower",
        "target": None,
        "ok": None,
        "interval": [round(min(costs), 1), round(max(costs), 1)],
        "n": n,
        "against": None,
        "note": "user and system time of the whole process, writers included",
    }


def _delay(delays: list[float]) -> Figure:
    ordered = sorted(delays)
    value = ordered[int(0.95 * (len(ordered) - 1))]
    return {
        "name": "receipt_delay_p95_s",
        "value": round(value, 5),
        "unit": "s",
        "better": "lower",
        "target": None,
        "ok": None,
        "interval": None,
        "n": len(ordered),
        "against": None,
        "note": "from the call to the receipt, 256 writers, disk always busy",
    }


def _integration(house: House, progress: Progress) -> Figure:
    """How fast the sequencer takes what the writers left into tiles, checkpoint and look-up tables."""
    progress("integrating")
    sequencer = Sequencer(house.store, house.tiles, house.signer, house.clock)
    begun = time.perf_counter()
    size = sequencer.tick(EVERYTHING).size
    wall = time.perf_counter() - begun
    sequencer.close()
    assert verify_log(house.tiles).checkpoint.size == size
    figure = _rate("integrated_per_s", "entries/s", [size / wall], size)
    figure["note"] = "outbox to durable tiles, checkpoint and tables; not part of an act's way to its receipt"
    return figure


def _sqlite(root: Path, seconds: float, progress: Progress) -> list[Figure]:
    """Rows as wide as an act's record, in the same database settings, without anything else."""
    figures = []
    for name, rows in (("sqlite_inserts_per_s", 1), ("sqlite_batched_inserts_per_s", 256)):
        progress(f"SQLite alone, {rows} rows a transaction")
        connection = connect(root / f"{name}.db")
        connection.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, leaf BLOB, sealed BLOB)")
        payload = [(os.urandom(690), os.urandom(450))] * rows
        rates, total = [], 0
        for _ in range(ROUNDS):
            inserted, wall = _insert(connection, payload, seconds / ROUNDS / 2)
            rates.append(inserted / wall)
            total += inserted
        connection.close()
        figure = _rate(name, "rows/s", rates, total)
        figure["note"] = f"WAL, synchronous=FULL, {rows} row{'s' * (rows > 1)} a transaction, 1,140 bytes each"
        figures.append(figure)
    return figures


def _insert(connection: sqlite3.Connection, rows: list[tuple[bytes, bytes]], seconds: float) -> tuple[int, float]:
    inserted = 0
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO plain (leaf, sealed) VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        inserted += len(rows)
    return inserted, time.perf_counter() - begun


def _verification(root: Path, entries: int, progress: Progress) -> Figure:
    progress(f"writing a log of {entries:,} entries to verify")
    folder = root / "verify"
    folder.mkdir()
    house = House(folder)
    growth = Growth()
    for start in range(0, entries, 10_000):
        made = [house.leaf(f"{number:016x}") for number in range(start, min(start + 10_000, entries))]
        growth.append([leaf.data for leaf in made], [leaf.leaf_hash for leaf in made])
        for path, data in growth.files():
            target = folder / "ledger" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        growth.written()
    house.tiles.publish(Checkpoint(ORIGIN, growth.size, growth.root()).sign([house.signer]))
    house.store.close()
    rates = []
    for _ in range(3):
        progress("verifying")
        begun = time.perf_counter()
        verified = verify_log(house.tiles)
        rates.append(entries / (time.perf_counter() - begun))
        assert verified.checkpoint.size == entries
    figure = _rate("verify_entries_per_s", "entries/s", rates, entries)
    figure |= {"target": TARGET_VERIFY, "ok": figure["value"] >= TARGET_VERIFY}
    figure["note"] = f"every byte read and hashed, every tile compared; {verified.octets // entries} bytes an entry"
    return figure


def _rate(name: str, unit: str, rates: list[float], n: int) -> Figure:
    return {
        "name": name,
        "value": round(statistics.median(rates)),
        "unit": unit,
        "better": "higher",
        "target": None,
        "ok": None,
        "interval": [round(min(rates)), round(max(rates))] if len(rates) > 1 else None,
        "n": n,
        "against": None,
        "note": "median, least and most of the rounds",
    }


@contextmanager
def _disk() -> Iterator[Path]:
    """A folder beside the checkout: the system's temporary folder may be memory, where nothing is durable."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path(__file__).parent) as folder:
        yield Path(folder)


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """All figures of ``bench ledger``."""
    seconds = 3.0 if quick else 12.0
    with _disk() as root:
        return [
            *_acts(root, seconds, progress),
            *_sqlite(root, seconds, progress),
            _verification(root, 60_000 if quick else 400_000, progress),
            *beats.figures(root, quick=quick, progress=progress),
        ]
