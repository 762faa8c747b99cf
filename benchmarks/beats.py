"""What heartbeats cost: signing one in a worker, verifying and recording it in the house, and its bytes in the ledger.

Part of ``watchglass bench ledger``. The worker's side and the house's are the product's; only the runs and keys that an
act would have recorded before are put into the database directly. Processor time is the whole process's.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.acts.context import Acting
from watchglass.acts.heartbeat import keep_beats
from watchglass.core.time import DAY, SECOND
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.objects import ClipMemory
from watchglass.edge.store import Store
from watchglass.ledger.keys import SignerKey
from watchglass.perception.messages import Follow, Health, HeartbeatSpec, SourceSpec
from watchglass.records.recorder import Recorder
from watchglass.runtime.heart import Heart
from watchglass.runtime.pulse import Pulse

Figure = dict[str, Any]
Progress = Callable[[str], None]

ORIGIN: Final = "demo.benchmark.example/log"
CHARTER: Final = bytes(range(32))
RUN: Final = "0123456789abcdef"
EVERY_S: Final = 60
ROUNDS: Final = 5
SOURCES: Final = 30
RUNNING: Final = frozenset({"gathering", "on-the-lawn", "entrance-only", "in-the-bays", "camera"})


def figures(root: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """What a heartbeat costs, and what those of a source take in a day."""
    progress("heartbeats")
    beats = 5 if quick else 30
    folder = root / "beats"
    folder.mkdir()
    town = Town(folder)
    signed: list[float] = []
    kept_alone: list[float] = []
    kept_together: list[float] = []
    n = 0
    for _ in range(ROUNDS):
        for together, costs in ((1, kept_alone), (SOURCES, kept_together)):
            sign_us, keep_us, done = town.round(beats, together)
            signed.append(sign_us)
            costs.append(keep_us)
            n += done
    leaf, sealed = town.sizes()
    town.store.close()
    a_day = DAY // SECOND // EVERY_S
    return [
        _figure("cpu_us_per_beat_signed", signed, "µs", n, "in the worker: commitments, signature, text"),
        _figure("cpu_us_per_beat_kept_1", kept_alone, "µs", n, "in the house: verified, sealed, durable, alone"),
        _figure(
            f"cpu_us_per_beat_kept_{SOURCES}",
            kept_together,
            "µs",
            n,
            f"the same, {SOURCES} sources of one worker in one transaction",
        ),
        _figure("cpu_us_per_sign_of_life", [_signs_of_life()], "µs", 5_000, f"of a worker with {SOURCES} sources"),
        _figure("bytes_per_beat", [leaf], "bytes", n, "the leaf; its place in the tree takes 32 more"),
        _figure(
            "ledger_kb_per_source_day",
            [a_day * (leaf + 2 + 32 * 257 / 256) / 1000],
            "kB",
            n,
            f"with a heartbeat every {EVERY_S} s; its sealed opening takes {sealed} bytes more of the database",
        ),
    ]


def _figure(name: str, values: list[float], unit: str, n: int, note: str) -> Figure:
    return {
        "name": name,
        "value": round(statistics.median(values), 1),
        "unit": unit,
        "better": "lower",
        "target": None,
        "ok": None,
        "interval": [round(min(values), 1), round(max(values), 1)] if len(values) > 1 else None,
        "n": n,
        "against": None,
        "note": note,
    }


class Town:
    """Thirty sources of one worker, and the house that they belong to."""

    def __init__(self, root: Path) -> None:
        entropy = SystemEntropy()
        now = SystemClock().now()
        self.clock = VirtualClock(now - now % (EVERY_S * SECOND))
        signer = SignerKey.generate(ORIGIN, entropy)
        self.store = Store(root / "watchglass.db", clock=self.clock, signer=signer)
        recorder = Recorder(origin=ORIGIN, clock=self.clock, entropy=entropy)
        recorder.seal_to(X25519PrivateKey.generate().public_key())
        clips = ClipMemory()
        self.acting = Acting(self.store, recorder, self.clock, entropy, clips, clips)
        key = SignerKey.generate("recorder/a", entropy)
        spec = HeartbeatSpec(ORIGIN, CHARTER, EVERY_S, ("street",))
        names = [f"camera-{number}" for number in range(SOURCES)]
        self.pulses = [
            Pulse(name, spec, key, entropy, {"nanodet-416-int8": bytes(32)}, self.clock.now(), hung_ms=DAY)
            for name in names
        ]
        for pulse in self.pulses:
            pulse.follow(Follow(pulse.source, RUN, -1, None, 0))
        values: dict[str, Any] = {"run": RUN, "sources": json.dumps(names), "charter": CHARTER, "every_s": EVERY_S}
        run: dict[str, Any] = {**values, "started_ms": self.clock.now(), "started_leaf_hash": bytes(32)}
        named: dict[str, Any] = {"vkey": str(key.verifier), "run": RUN, "sources": json.dumps(names), "named_ms": 0}
        self.store.commit(lambda tx: tx.insert("run", run))
        self.store.commit(lambda tx: tx.insert("recorder", {**named, "leaf_hash": bytes(32)}))

    def round(self, beats: int, together: int) -> tuple[float, float, int]:
        """(µs to sign one, µs to keep one, how many) over so many intervals."""
        sign_s = keep_s = 0.0
        done = 0
        for _ in range(beats):
            self.clock.advance(EVERY_S * SECOND)
            for pulse in self.pulses:
                pulse.heard(Health(pulse.source, 0, 0.0, 0.0, 1500, 60, 60, ()))
                pulse.live(self.clock.now(), RUNNING)
            for first in range(0, SOURCES, together):
                some = self.pulses[first : first + together]
                begun = time.process_time()
                statements = [data for pulse in some if (data := pulse.due(self.clock.now())) is not None]
                signed = time.process_time()
                kept = keep_beats(self.acting, RUN, statements).value
                keep_s += time.process_time() - signed
                sign_s += signed - begun
                assert len(kept.links) == len(statements) == together
                assert not kept.turned
                for pulse in some:
                    link = kept.links[pulse.source]
                    pulse.follow(Follow(pulse.source, RUN, link.sequence, link.leaf_hash, link.to_s))
                done += together
        return sign_s / done * 1e6, keep_s / done * 1e6, done

    def sizes(self) -> tuple[int, int]:
        """Bytes of the last leaf and of its sealed opening."""
        row = self.store.read().one(
            "SELECT length(leaf) AS leaf, length(sealed) AS sealed FROM outbox ORDER BY seq DESC LIMIT 1"
        )
        assert row is not None
        return int(row["leaf"]), int(row["sealed"])


def _signs_of_life() -> float:
    """µs of a call that ends no interval, as the loop of a worker makes them."""
    spec = HeartbeatSpec(ORIGIN, CHARTER, 3_600, ())
    sources = tuple(SourceSpec(f"camera-{number}", "", (), heartbeat=spec) for number in range(SOURCES))
    begin = 3_600 * SECOND
    heart = Heart(sources, send=lambda _: None, entropy=SystemEntropy(), models_of=lambda _: {}, now_ms=begin)
    pairs = frozenset((source.name, analytic) for source in sources for analytic in RUNNING)
    begun = time.process_time()
    for call in range(5_000):
        heart.beat(begin + 200 * call, pairs)
    return (time.process_time() - begun) / 5_000 * 1e6
