from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from record_world import NOON, World, merged_hashes

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem
from watchglass.core.time import HOUR, MINUTE
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.tiles import TileDirectory
from watchglass.edge.witness import WitnessDirectory
from watchglass.edge.witness_client import LocalWitness
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.witness import Request
from watchglass.records.act_spec import Lane
from watchglass.runtime.cosigning import Cosigning
from watchglass.runtime.sequencer import EVERYTHING, Sequencer

HERE = Path(__file__).parent


class Down:
    """A witness that cannot be reached until it is ``up``."""

    def __init__(self, real: LocalWitness) -> None:
        self.real = real
        self.up = False

    def cosign(self, request: Request) -> bytes:
        if not self.up:
            raise Problem("The witness cannot be reached.", fix="Start it.")
        return self.real.cosign(request)


def witness(world: World, name: str = "witness.example.org") -> tuple[LocalWitness, SignerKey]:
    key = SignerKey.generate(name, SeededEntropy(name), KeyType.COSIGNATURE_V1)
    directory = world.root / name
    directory.mkdir(exist_ok=True)
    return LocalWitness(WitnessDirectory(directory, key, [world.signer.verifier], world.clock)), key


def clock_of(world: World) -> VirtualClock:
    assert isinstance(world.clock, VirtualClock)
    return world.clock


def fill(store: Any, world: World, numbers: range) -> None:
    store.commit(lambda tx: [tx.record(world.alert(number)) for number in numbers])


def test_prompt_and_batch_lanes_wait_for_their_own_moments(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    clock = clock_of(world)
    clock.advance(5)
    with world.store() as store:
        sequencer = world.sequencer(store)
        store.commit(lambda tx: tx.record(world.alert(1)))
        store.commit(lambda tx: tx.record(world.prompt(1)))
        assert sequencer.tick().size == 0, "nothing before the next full minute"
        clock.set(NOON + MINUTE)
        assert sequencer.tick().size == 1, "the prompt one at the full minute"
        clock.set(NOON + 59 * MINUTE)
        assert sequencer.tick().size == 1, "the alert's growth tells nobody its minute"
        clock.set(NOON + HOUR)
        assert sequencer.tick().size == 2
        _, merged = merged_hashes(world.tiles)
        entries = store.read().all("SELECT idx, leaf_hash, act, analytic FROM entry ORDER BY idx")
        assert [row["leaf_hash"] for row in entries] == merged
        assert [(row["act"], row["analytic"]) for row in entries] == [("run_stopped", None), ("alert_raised", "track")]
        openings = store.read().all("SELECT idx FROM opening")
        assert [row["idx"] for row in openings] == [1]
        sequencer.close()


def test_what_comes_after_the_full_hour_waits_for_the_next_one(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    clock = clock_of(world)
    with world.store() as store:
        sequencer = world.sequencer(store)
        fill(store, world, range(1))
        clock.set(NOON + HOUR + 40_000)
        fill(store, world, range(1, 3))
        assert sequencer.tick().size == 1
        clock.set(NOON + 2 * HOUR)
        assert sequencer.tick().size == 3
        sequencer.close()


def test_the_merge_promise_stands_above_the_lane(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store(merge_within=10 * MINUTE) as store:
        sequencer = world.sequencer(store)
        fill(store, world, range(1))
        clock_of(world).set(NOON + 8 * MINUTE)
        assert sequencer.tick().size == 0
        clock_of(world).set(NOON + 9 * MINUTE)
        assert sequencer.tick().size == 1
        sequencer.close()


def test_a_quiet_tick_writes_nothing(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        sequencer = world.sequencer(store)
        fill(store, world, range(3))
        sequencer.tick(EVERYTHING)
        before = (world.root / "ledger/checkpoint").stat()
        clock_of(world).advance(5 * HOUR)
        sequencer.tick()
        after = (world.root / "ledger/checkpoint").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        sequencer.close()


def test_partial_tiles_stay_until_they_are_full(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        sequencer = world.sequencer(store)
        for first, last in ((0, 10), (10, 200), (200, 300)):
            fill(store, world, range(first, last))
            sequencer.tick(EVERYTHING)
            if last < 256:
                assert f"tile/0/000.p/{last}" in set(world.tiles.paths())
        paths = set(world.tiles.paths())
        assert {"tile/0/000", "tile/entries/000", "tile/0/001.p/44", "tile/1/000.p/1"} <= paths
        assert "tile/0/000.p/10" not in paths
        verified, _ = merged_hashes(world.tiles)
        assert verified.checkpoint.size == 300
        sequencer.close()


def test_more_than_one_round_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass.runtime.sequencer.LARGEST_ROUND", 100)
    world = World.make(tmp_path)
    with world.store() as store:
        fill(store, world, range(950))
        sequencer = world.sequencer(store)
        assert sequencer.tick(EVERYTHING).size == 950
        assert merged_hashes(world.tiles)[0].checkpoint.size == 950
        sequencer.close()


# ---- witnesses ---------------------------------------------------------------------------------------------------


def test_a_cosignature_is_published_with_the_checkpoint(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, key = witness(world)
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        for last in (1, 5, 300):
            fill(store, world, range(last))
            sequencer.tick(EVERYTHING)
            assert sequencer.cosigned_size() == sequencer.head.size
            data = world.tiles.read("checkpoint")
            assert data is not None
            signed = checkpoints.open_checkpoint(data, [world.signer.verifier, key.verifier])
            assert {verified.key for verified in signed.note.verified} == {world.signer.verifier, key.verifier}
        sequencer.close()
        again = world.sequencer(store, witnesses={"one": local})
        assert again.cosigned_size() == 306, "remembered over a restart"
        again.close()


def test_a_witness_that_is_down_stops_nothing(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    down = Down(local)
    other, _ = witness(world, "other.example.org")
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"down": down, "other": other}, quorum=2)
        fill(store, world, range(4))
        assert sequencer.tick(EVERYTHING).size == 4
        assert sequencer.cosigned_size() == 0
        assert "cannot be reached" in sequencer.cosigning.problems["down"].message
        down.up = True
        sequencer.tick()
        assert sequencer.cosigned_size() == 4
        assert sequencer.cosigning.problems == {}
        sequencer.close()


def test_a_witness_that_knows_more_or_less_is_met_where_it_stands(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        fill(store, world, range(300))
        sequencer.tick(EVERYTHING)
        store.commit(lambda tx: tx.execute("DELETE FROM setting WHERE key = 'ledger.cosigned'"))
        sequencer.close()
        forgetful = world.sequencer(store, witnesses={"one": local})
        assert forgetful.cosigned_size() == 0
        fill(store, world, range(300, 310))
        forgetful.tick(EVERYTHING)
        assert forgetful.cosigned_size() == 310
        shutil.rmtree(tmp_path / "witness.example.org")
        fresh, _ = witness(world)
        fill(store, world, range(310, 320))
        forgetful.close()
        third = world.sequencer(store, witnesses={"one": fresh})
        third.tick(EVERYTHING)
        assert third.cosigned_size() == 320
        third.close()


# ---- crashes, exchanged directories ------------------------------------------------------------------------------


class Crash(BaseException):
    """Stands for the end of the process at this very point."""


STEPS = ["write", "publish", "remember", "cosign"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_is_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        fill(store, world, range(100))
        sequencer.tick(EVERYTHING)
        fill(store, world, range(100, 400))
        owner: Any = {"write": TileDirectory, "publish": TileDirectory, "remember": Sequencer, "cosign": Cosigning}[
            step
        ]
        name = {"remember": "_remember", "cosign": "_add_cosignature"}.get(step, step)
        real = getattr(owner, name)

        def crash(*given: Any) -> None:
            if after:
                real(*given)
            raise Crash

        with monkeypatch.context() as patched:
            patched.setattr(owner, name, crash)
            with pytest.raises(Crash):
                sequencer.tick(EVERYTHING)
        sequencer.close()
        again = world.sequencer(store, witnesses={"one": local})
        fill(store, world, range(400, 410))
        assert again.tick(EVERYTHING).size == 410
        assert again.cosigned_size() == 410
        _, merged = merged_hashes(world.tiles)
        assert len(set(merged)) == 410
        again.close()


def grown(world: World, sizes: tuple[int, ...] = (50, 120)) -> None:
    with world.store() as store:
        sequencer = world.sequencer(store)
        done = 0
        for size in sizes:
            fill(store, world, range(done, size))
            sequencer.tick(EVERYTHING)
            done = size
            shutil.copytree(world.root / "ledger", world.root / f"ledger-{size}")
            store.scrub()
            shutil.copy(world.root / "watchglass.db", world.root / f"database-{size}")
        sequencer.close()


def put_back(world: World, *, ledger: int | None = None, database: int | None = None) -> None:
    if ledger is not None:
        shutil.rmtree(world.root / "ledger")
        shutil.copytree(world.root / f"ledger-{ledger}", world.root / "ledger")
    if database is not None:
        for leftover in world.root.glob("watchglass.db*"):
            leftover.unlink()
        shutil.copy(world.root / f"database-{database}", world.root / "watchglass.db")


def refuses(world: World, message: str) -> None:
    before = {path: world.tiles.read(path) for path in ("checkpoint", *world.tiles.paths())}
    with world.store() as store, pytest.raises(DidNotVerify, match=message) as caught:
        world.sequencer(store)
    assert "restore" in caught.value.fix.lower() or "keep" in caught.value.fix.lower()
    assert {path: world.tiles.read(path) for path in ("checkpoint", *world.tiles.paths())} == before


def test_a_rolled_back_ledger_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    grown(world)
    put_back(world, ledger=50)
    refuses(world, "shows 50 entries, and 120 were published")


def test_a_lost_ledger_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    grown(world)
    shutil.rmtree(tmp_path / "ledger")
    with world.store() as store, pytest.raises(DidNotVerify, match="shows 0 entries"):
        world.sequencer(store)


def test_a_rolled_back_database_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    grown(world)
    put_back(world, database=50)
    refuses(world, "shows 120 entries, and the database knows of 50 only")


def test_both_rolled_back_is_found_by_the_witness(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    grown(world, (50,))
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        fill(store, world, range(50, 120))
        sequencer.tick(EVERYTHING)
        sequencer.close()
    put_back(world, ledger=50, database=50)
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        sequencer.tick()
        assert "has cosigned 120 entries" in sequencer.cosigning.problems["one"].message
        assert sequencer.cosigned_size() == 0
        sequencer.close()


def test_another_logs_directory_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    grown(world)
    stranger = World.make(tmp_path / "other")
    stranger.root.mkdir()
    stranger.signer = SignerKey.generate("demo.stranger.example/log", SeededEntropy("stranger"))
    grown(stranger)
    shutil.rmtree(tmp_path / "ledger")
    shutil.copytree(stranger.root / "ledger", tmp_path / "ledger")
    refuses(world, "not signed by this deployment's log key")


def test_a_directory_with_the_same_key_and_another_past_is_refused(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    grown(world)
    twin = World.make(tmp_path / "twin", seed="another past")
    twin.root.mkdir()
    grown(twin)
    shutil.rmtree(tmp_path / "ledger")
    shutil.copytree(twin.root / "ledger", tmp_path / "ledger")
    refuses(world, "are not those that were published")


def test_two_sequencers_do_not_share_a_ledger(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with world.store() as store:
        first, second = world.sequencer(store), world.sequencer(store)
        fill(store, world, range(1))
        first.tick()
        with pytest.raises(CannotRecord, match="Another process works on"):
            second.tick()
        first.close()
        second.tick()
        second.close()


# ---- a disk that refuses -----------------------------------------------------------------------------------------

REFUSING = """
import os, resource, sys
from pathlib import Path
from record_world import World, merged_hashes
from watchglass.core.errors import CannotRecord
from watchglass.runtime.sequencer import EVERYTHING

world = World.make(Path(sys.argv[1]))
ledger = world.root / "ledger"
store = world.store()
sequencer = world.sequencer(store)
store.commit(lambda tx: [tx.record(world.alert(n)) for n in range(20)])
sequencer.tick(EVERYTHING)
if os.geteuid() == 0:  # nothing refuses root, so go on as somebody else
    sequencer.close()
    store.close()
    for path in (world.root, *world.root.rglob("*")):
        os.chown(path, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
    store = world.store()
    sequencer = world.sequencer(store)
store.commit(lambda tx: [tx.record(world.alert(n)) for n in range(20, 50)])
for folder in (ledger, *ledger.rglob("*")):
    if folder.is_dir():
        folder.chmod(0o555)
for _ in range(2):
    try:
        sequencer.tick(EVERYTHING)
    except CannotRecord as error:
        print("told", error.message, "|", error.fix)
assert len(store.read().all("SELECT 1 FROM outbox")) == 30
assert merged_hashes(world.tiles)[0].checkpoint.size == 20
store.commit(lambda tx: tx.record(world.alert(99)))  # acts go on: their records wait
for folder in (ledger, *ledger.rglob("*")):
    if folder.is_dir():
        folder.chmod(0o755)
assert sequencer.tick(EVERYTHING).size == 51
assert merged_hashes(world.tiles)[0].checkpoint.size == 51
sequencer.close()
store.close()
print("ok")
"""


def test_a_ledger_that_cannot_be_written_keeps_everything_in_the_outbox(tmp_path: Path) -> None:
    root = tmp_path / "deployment"
    root.mkdir()
    root.chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if os.geteuid() == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", REFUSING, str(root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("told") == 2
    assert "ok" in done.stdout


# ---- threads -----------------------------------------------------------------------------------------------------


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to be")


def test_a_trouble_is_shown_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.make(tmp_path)
    broken = [True]
    real = TileDirectory.write

    def write(self: TileDirectory, files: Any) -> None:
        if broken[0]:
            raise CannotRecord("The disk refused.", fix="Make room.")
        real(self, files)

    monkeypatch.setattr(TileDirectory, "write", write)
    with world.store() as store:
        sequencer = world.sequencer(store)
        store.commit(lambda tx: tx.record(world.prompt(1)))
        sequencer.start()
        sequencer.nudge()
        wait_until(lambda: sequencer.problem is not None)
        assert sequencer.problem is not None
        assert sequencer.problem.message == "The disk refused."
        broken[0] = False
        sequencer.nudge()
        wait_until(lambda: sequencer.head.size == 1)
        wait_until(lambda: sequencer.problem is None)
        sequencer.close()


def test_a_charters_witnesses_and_pace_are_taken_on(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    with world.store() as store:
        sequencer = world.sequencer(store)
        fill(store, world, range(3))
        sequencer.tick(EVERYTHING)
        assert sequencer.cosigned_size() == 0
        sequencer.watched_by({"one": local})
        sequencer.pace(checkpoint_every=1000, batch_every=2000)
        fill(store, world, range(3, 5))
        clock_of(world).advance(2000)
        assert sequencer.tick().size == 5
        assert sequencer.cosigned_size() == 5
        with pytest.raises(BadInput, match="longer than zero"):
            sequencer.pace(checkpoint_every=0, batch_every=1)
        sequencer.close()


def test_the_threads_integrate_nudge_and_stop(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    local, _ = witness(world)
    with world.store() as store:
        sequencer = world.sequencer(store, witnesses={"one": local})
        store.commit(lambda tx: tx.record(world.prompt(1)))
        sequencer.start()
        sequencer.nudge((Lane.PROMPT,))
        wait_until(lambda: sequencer.cosigned_size() == 1)
        sequencer.close()
        assert sequencer.problem is None
        assert sequencer.cosigned_size() == 1
