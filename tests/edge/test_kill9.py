"""``kill -9`` at random moments under load: nothing acknowledged is lost, and the log verifies each time."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from record_world import World, merged_hashes

from thorough import tries
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.ledger import receipt as receipts
from watchglass.runtime.sequencer import EVERYTHING

KILLS = tries(200, 75)
KILLS_PER_LOG = 25
WRITERS = 4
VERIFY = "watchglass.ledger.verify"


def work(root: str, ready: Connection) -> None:
    """Commit and sequence as fast as possible until killed; tell every acknowledged leaf hash."""
    world = World.make(Path(root), clock=SystemClock(), seed=SystemEntropy().bytes(16).hex())
    store = world.store()
    sequencer = world.sequencer(store, checkpoint_every=5, batch_every=5)
    sequencer.start()
    telling = threading.Lock()

    def write(writer: int) -> None:
        first = int.from_bytes(SystemEntropy().bytes(6), "big") << 8
        number = first
        while True:
            number += 1
            if number % 3:
                committed = store.commit(world.raise_alert(number))
            else:
                leaf = world.prompt(number)
                committed = store.commit(lambda tx, leaf=leaf: tx.record(leaf))
            receipts.check(committed.receipts[0], committed.value, world.signer.verifier)
            with telling:
                ready.send_bytes(committed.value)

    threads = [threading.Thread(target=write, args=(writer,), daemon=True) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def acknowledged(process: multiprocessing.process.BaseProcess, heard: Connection, pause: float) -> list[bytes]:
    """Let the child work for a while, kill it, and give everything that it was told is durable."""
    found = [heard.recv_bytes()]
    timer = threading.Timer(pause, process.kill)
    timer.start()
    try:
        while True:
            found.append(heard.recv_bytes())
    except (EOFError, OSError):
        return found
    finally:
        timer.cancel()
        process.kill()
        process.join()


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "watchglass.runtime.sequencer", "watchglass.records.recorder", VERIFY])
    chance = random.Random(20261123)
    total = 0
    for log in range(KILLS // KILLS_PER_LOG):
        root = tmp_path / str(log)
        root.mkdir()
        promised: set[bytes] = set()
        size = 0
        for _ in range(KILLS_PER_LOG):
            heard, ready = context.Pipe(duplex=False)
            process = context.Process(target=work, args=(str(root), ready))
            process.start()
            ready.close()
            promised |= set(acknowledged(process, heard, chance.uniform(0, 0.06)))
            heard.close()
            size = check(root, promised, size)
        total += len(promised)
    assert total > KILLS


def check(root: Path, promised: set[bytes], before: int) -> int:
    """Verify the log as the crash left it, then start again, take in what waits, and look for every promise."""
    world = World.make(root, clock=SystemClock())
    if world.tiles.read("checkpoint") is not None:
        crashed, _ = merged_hashes(world.tiles)
        assert crashed.checkpoint.size >= before
    with world.store() as store:
        sequencer = world.sequencer(store)
        head = sequencer.tick(EVERYTHING)
        sequencer.close()
        assert store.read().all("SELECT 1 FROM outbox") == []
        acts = {row["leaf_hash"] for row in store.read().all("SELECT leaf_hash FROM alert")}
    verified, merged = merged_hashes(world.tiles)
    assert verified.checkpoint.size == head.size == len(merged)
    assert max(Counter(merged).values()) == 1, "a leaf was placed twice"
    assert promised <= set(merged), "an acknowledged record is lost"
    assert acts <= set(merged), "an act happened without its record"
    assert verified.unpublished == ()
    return head.size
