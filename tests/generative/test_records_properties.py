"""Whatever an act says, its leaf, its opening and the database tell the same."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

sys.path.insert(0, str(Path(__file__).parents[1] / "edge"))

from record_world import NOON, World, merged_hashes

from watchglass.core import canonical
from watchglass.core.errors import BadInput
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.records.leaf import Leaf
from watchglass.records.opening import unseal
from watchglass.records.recorder import Recorder
from watchglass.runtime.sequencer import EVERYTHING

ORIGIN = "demo.example.org/log"
PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(
    source=names,
    zone=st.none() | names,
    score=st.none() | st.integers(0, 1000),
    why=texts,
    purpose=names,
    analytic=names,
    kind=names,
    number=st.integers(0, 2**64 - 1),
    now=st.integers(0, 4_000_000_000_000),
    seed=st.binary(max_size=8),
)
def test_the_fast_path_is_canonical_and_opens(
    source: str, zone: str | None, score: int | None, why: str, purpose: str, analytic: str, kind: str, number: int,
    now: int, seed: bytes,
) -> None:  # fmt: skip
    recorder = Recorder(
        origin=ORIGIN, clock=VirtualClock(now), entropy=SeededEntropy(seed), oversight=PRIVATE.public_key()
    )
    sure = {"score": score, "probability": score, "again": None, "calibration": None}
    sure["conditions"] = None
    hidden = {"alert": f"{number:016x}", "source": source, "zone": zone, "why": why, **sure}
    made = recorder.attested(
        "alert_raised",
        role="house",
        charter=bytes(32),
        purpose=purpose,
        clear={"analytic": analytic, "kind": kind},
        committed=hidden,
    )
    assert canonical.encode(json.loads(made.data)) == made.data
    leaf = Leaf.parse(made.data)
    assert leaf.encode() == made.data
    assert made.sealed is not None
    assert made.key is not None
    opened = unseal(leaf, made.sealed, made.key, PRIVATE, origin=ORIGIN)
    assert {name: value for name, value in opened.items() if name != "minute"} == hidden
    assert opened["minute"].startswith(leaf.hour[:-1])
    public = made.data.decode()
    assert len(why) < 8 or json.dumps(why, ensure_ascii=False)[1:-1] not in public


@given(st.binary(min_size=1, max_size=6), st.integers(0, 10_000))
def test_no_changed_leaf_parses_as_the_same(noise: bytes, place: int) -> None:
    data = World.make(Path()).alert().data
    at = place % len(data)
    changed = data[:at] + noise + data[at + len(noise) :]
    if changed == data:
        return
    try:
        leaf = Leaf.parse(changed)
    except BadInput:
        return
    assert leaf.encode() == changed


class RecordPath(RuleBasedStateMachine):
    """Acts, ticks, leaps of the clock and restarts in any order: the log holds exactly what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World.make(Path(self.folder.name))
        self.promised: list[bytes] = []
        self.number = 0
        self.size = 0
        self.open()

    def open(self) -> None:
        self.store = self.world.store()
        self.sequencer = self.world.sequencer(self.store)

    @rule(prompt=st.booleans(), many=st.integers(1, 40))
    def act(self, prompt: bool, many: int) -> None:
        def record(tx: Any) -> list[bytes]:
            found = []
            for _ in range(many):
                self.number += 1
                found.append(tx.record(self.world.prompt(self.number) if prompt else self.world.alert(self.number)))
            return found

        self.promised += self.store.commit(record).value

    @rule()
    def fail(self) -> None:
        def record(tx: Any) -> None:
            tx.record(self.world.alert(0))
            raise ZeroDivisionError

        try:
            self.store.commit(record)
        except ZeroDivisionError:
            return
        raise AssertionError("a failed closure was committed")

    @rule(minutes=st.integers(0, 90))
    def wait(self, minutes: int) -> None:
        assert isinstance(self.world.clock, VirtualClock)
        self.world.clock.advance(minutes * 60_000)

    @rule(everything=st.booleans())
    def tick(self, everything: bool) -> None:
        self.sequencer.tick(EVERYTHING if everything else ())
        if everything:
            assert self.sequencer.head.size == len(self.promised)

    @rule()
    def restart(self) -> None:
        self.sequencer.close()
        self.store.close()
        self.open()

    @invariant()
    def only_grows_and_verifies(self) -> None:
        size = self.sequencer.head.size
        assert size >= self.size
        if size > self.size:
            verified, merged = merged_hashes(self.world.tiles)
            assert verified.checkpoint.size == size == len(merged)
            assert set(merged) <= set(self.promised)
            assert len(set(merged)) == size
        self.size = size

    def teardown(self) -> None:
        self.sequencer.tick(EVERYTHING)
        if self.promised:
            assert set(merged_hashes(self.world.tiles)[1]) == set(self.promised)
        self.sequencer.close()
        self.store.close()
        self.folder.cleanup()


TestRecordPath = RecordPath.TestCase
TestRecordPath.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
assert NOON
