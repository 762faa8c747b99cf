"""A small deployment of the record path: clock, keys, recorder, store, ledger directory, sequencer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.core.time import Clock
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.store import Store
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.replay import Replay
from watchglass.ledger.verify import Verified, verify_log
from watchglass.records.outbox import PreparedLeaf
from watchglass.records.recorder import Recorder
from watchglass.runtime.sequencer import Sequencer

ORIGIN = "demo.example.org/log"
NOON = 1_795_435_200_000  # 2026-11-23T12:00:00Z
CHARTER = b"c" * 32

ALERT_SQL = (
    "INSERT INTO alert (id, source, analytic, kind, purpose, charter, at_ms, raised_ms, due_ms, why, facts, boxes,"
    " still, state, leaf_hash) VALUES (?, 'cam', 'track', 'intrusion', 'p', 'c', 1, 2, 3, 'why', '{}', '[]', x'',"
    " 'waiting', ?)"
)

__all__ = ["ALERT_SQL", "CHARTER", "NOON", "ORIGIN", "Replay", "World", "merged_hashes"]


@dataclass
class World:
    root: Path
    clock: Clock
    entropy: SeededEntropy
    signer: SignerKey
    oversight: X25519PrivateKey
    recorder: Recorder

    @classmethod
    def make(cls, root: Path, *, clock: Clock | None = None, seed: str = "world") -> World:
        clock = clock or VirtualClock(NOON)
        entropy = SeededEntropy(seed)
        oversight = X25519PrivateKey.from_private_bytes(SeededEntropy("oversight").bytes(32))
        recorder = Recorder(origin=ORIGIN, clock=clock, entropy=entropy, oversight=oversight.public_key())
        signer = SignerKey.generate(ORIGIN, SeededEntropy("log key"))
        return cls(root, clock, entropy, signer, oversight, recorder)

    @property
    def tiles(self) -> TileDirectory:
        return TileDirectory(self.root / "ledger")

    def store(self, **settings: Any) -> Store:
        return Store(self.root / "watchglass.db", clock=self.clock, signer=self.signer, **settings)

    def sequencer(self, store: Store, **settings: Any) -> Sequencer:
        return Sequencer(store, self.tiles, self.signer, self.clock, **settings)

    def alert(self, number: int = 1) -> PreparedLeaf:
        return self.recorder.attested(
            "alert_raised",
            role="house",
            charter=CHARTER,
            purpose="crowd-safety",
            clear={"analytic": "track", "kind": "intrusion"},
            committed={
                "alert": f"{number:016x}",
                "source": "cam",
                "zone": "track",
                "score": 517,
                "probability": 820,
                "why": "2 persons inside 'track' for 2.1 s",
                "again": None,
                "conditions": None,
                "calibration": None,
            },
        )

    def prompt(self, number: int = 1) -> PreparedLeaf:
        return self.recorder.attested(
            "run_stopped", role="house", charter=None, clear={"run": f"{number:016x}", "cause": "asked"}
        )

    def raise_alert(self, number: int) -> Callable[[Any], bytes]:
        def act(tx: Any) -> bytes:
            leaf = self.alert(number)
            tx.execute(ALERT_SQL, f"{number:016x}", leaf.leaf_hash)
            return tx.record(leaf)

        return act


def merged_hashes(tiles: TileDirectory) -> tuple[Verified, list[bytes]]:
    """Verify the whole log; its leaf hashes in order."""
    found: list[bytes] = []
    verified = verify_log(tiles, on_bundle=lambda _first, hashes: found.extend(hashes))
    return verified, found
