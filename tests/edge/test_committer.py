from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from record_world import World

from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.core.time import HOUR
from watchglass.ledger import receipt as receipts
from watchglass.records.leaf import Leaf
from watchglass.records.opening import unseal


def count(store: Any, table: str) -> int:
    return int(store.read().one(f"SELECT count(*) AS n FROM {table}")["n"])


def test_an_act_its_record_and_its_receipt_are_one(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store(merge_within=2 * HOUR) as store:
        done = store.commit(world.raise_alert(7))
        row = store.read().one("SELECT * FROM outbox")
        assert row is not None
        assert row["leaf_hash"] == done.value
        (receipt,) = done.receipts
        receipts.check(receipt, done.value, world.signer.verifier)
        assert receipt.merge_by_ms == world.clock.now() + 2 * HOUR == row["merge_by_ms"]
        assert count(store, "alert") == 1
        key = store.read().one("SELECT * FROM opening_key")
        assert key is not None
        assert key["key_id"] == row["key_id"]
        leaf = Leaf.parse(row["leaf"])
        assert leaf.hash() == done.value
        assert unseal(leaf, row["sealed"], world.alert().key, world.oversight, origin=world.signer.name)["score"] == 517


def test_many_leaves_of_one_act_have_a_receipt_each(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        done = store.commit(lambda tx: [tx.record(world.alert(n)) for n in range(5)])
        assert len(done.receipts) == 5
        for receipt, leaf_hash in zip(done.receipts, done.value, strict=True):
            receipts.check(receipt, leaf_hash, world.signer.verifier)


def test_a_closure_that_raises_rolls_back_alone(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    gate = threading.Event()

    def hold(_: Any) -> None:
        gate.wait(10)

    def fails(tx: Any) -> None:
        world.raise_alert(1)(tx)
        tx.insert("setting", {"key": "half", "value": "done"})
        raise BadInput("No.", fix="Do not.")

    async def both(store: Any) -> list[Any]:
        first = store.commit_async(hold)
        others = [store.commit_async(world.raise_alert(n)) for n in (2, 3)]
        bad = store.commit_async(fails)
        more = [store.commit_async(world.raise_alert(n)) for n in (4, 5)]
        gate.set()
        return await asyncio.gather(first, *others, bad, *more, return_exceptions=True)

    with world.store() as store:
        results = asyncio.run(both(store))
        assert [type(result).__name__ for result in results] == ["Committed"] * 3 + ["BadInput"] + ["Committed"] * 2
        assert {row["id"] for row in store.read().all("SELECT id FROM alert")} == {f"{n:016x}" for n in (2, 3, 4, 5)}
        assert count(store, "outbox") == 4
        assert count(store, "setting") == 0
        batch = {result.receipts[0].batch for result in results if getattr(result, "receipts", ())}
        assert len(batch) == 1, "one signature for the group"
        assert results[1].receipts[0].size == 4


def test_threads_and_coroutines_together(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:

        def write(first: int) -> None:
            for n in range(first, first + 25):
                done = store.commit(world.raise_alert(n))
                receipts.check(done.receipts[0], done.value, world.signer.verifier)

        async def tasks() -> None:
            await asyncio.gather(*(store.commit_async(world.raise_alert(n)) for n in range(10_000, 10_100)))

        threads = [threading.Thread(target=write, args=(n * 100,)) for n in range(8)]
        for thread in threads:
            thread.start()
        asyncio.run(tasks())
        for thread in threads:
            thread.join()
        assert count(store, "alert") == count(store, "outbox") == 300


def test_a_cancelled_coroutine_does_not_disturb_the_others(tmp_path: Path) -> None:
    world = World.make(tmp_path)

    async def main(store: Any) -> None:
        futures = [store.commit_async(world.raise_alert(n)) for n in range(3)]
        futures[1].cancel()
        await asyncio.gather(futures[0], futures[2])

    with world.store() as store:
        asyncio.run(main(store))


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_whatever_a_closure_raises_reaches_its_caller_and_the_writer_lives(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    world = World.make(tmp_path)

    def fails(_: Any) -> None:
        raise kind

    with world.store() as store:
        with pytest.raises(kind):
            store.commit(fails)
        store.commit(world.raise_alert(1))


def test_a_conflict_is_told_to_the_one_who_made_it(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        store.commit(world.raise_alert(1))
        with pytest.raises(BadInput, match=r"alert\.id"):
            store.commit(world.raise_alert(1))
        assert count(store, "outbox") == 1


def test_a_transaction_ends_with_its_closure(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    kept: list[Any] = []
    with world.store() as store:
        store.commit(kept.append)
        with pytest.raises(RuntimeError, match="over"):
            kept[0].execute("DELETE FROM setting")
        with pytest.raises(RuntimeError, match="over"):
            kept[0].record(world.alert())


def test_no_commit_inside_a_commit(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store, pytest.raises(RuntimeError, match="both into one"):
        store.commit(lambda _: store.commit(world.raise_alert(1)))


def test_a_closure_that_ends_the_transaction_makes_nothing_happen(tmp_path: Path) -> None:
    world = World.make(tmp_path)

    def rogue(tx: Any) -> None:
        tx.insert("setting", {"key": "a", "value": "b"})
        tx.execute("ROLLBACK")

    with world.store() as store:
        with pytest.raises(CannotRecord):
            store.commit(rogue)
        assert count(store, "setting") == 0
        store.commit(world.raise_alert(1))


def test_after_close_nothing_is_taken(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    store = world.store()
    store.commit(world.raise_alert(1))
    store.close()
    store.close()
    with pytest.raises(CannotRecord, match="closed"):
        store.commit(world.raise_alert(2))
    with pytest.raises(Problem, match="closed"):
        store.read()


def test_when_the_receipt_cannot_be_signed_nothing_happened(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        store.merge_within = -1  # a receipt that is due before it is issued cannot be made
        with pytest.raises(CannotRecord):
            store.commit(world.raise_alert(1))
        store.merge_within = HOUR
        assert count(store, "alert") == count(store, "outbox") == 0
        store.commit(world.raise_alert(1))


def test_reading_writes_nothing(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        with pytest.raises(CannotRecord):
            store.read().all("DELETE FROM setting")
        with store.read().snapshot() as reader:
            assert reader.one("SELECT count(*) AS n FROM alert")["n"] == 0  # type: ignore[index]
            store.commit(world.raise_alert(1))
            assert reader.one("SELECT count(*) AS n FROM alert")["n"] == 0  # type: ignore[index]
        assert count(store, "alert") == 1


def test_erased_rows_leave_no_trace_after_scrubbing(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    secret = "what-nobody-may-find-again"
    with world.store() as store:
        store.commit(lambda tx: tx.insert("setting", {"key": "s", "value": secret}))
        store.scrub()
        assert secret.encode() in (tmp_path / "watchglass.db").read_bytes()
        store.commit(lambda tx: tx.execute("DELETE FROM setting"))
        store.scrub()
        for path in tmp_path.glob("watchglass.db*"):
            assert secret.encode() not in path.read_bytes(), path.name
