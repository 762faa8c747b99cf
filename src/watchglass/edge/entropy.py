"""Randomness of the edge: the system's, and a seeded stream for tests and for the demo's schedule."""

from __future__ import annotations

import hashlib
import os
import threading


class SystemEntropy:
    """The operating system's randomness."""

    def bytes(self, n: int) -> bytes:
        """``n`` fresh unpredictable bytes."""
        return os.urandom(n)


class SeededEntropy:
    """The same bytes for the same seed: SHA-256 in counter mode. Never for keys of anything that is real."""

    def __init__(self, seed: bytes | str) -> None:
        self._seed = hashlib.sha256(
            b"watchglass/seeded\x00" + (seed.encode() if isinstance(seed, str) else seed)
        ).digest()
        self._counter = 0
        self._rest = b""
        self._lock = threading.Lock()

    def bytes(self, n: int) -> bytes:
        """The next ``n`` bytes of the stream."""
        with self._lock:
            parts, have = [self._rest], len(self._rest)
            while have < n:
                parts.append(hashlib.sha256(self._seed + self._counter.to_bytes(8, "big")).digest())
                self._counter += 1
                have += 32
            stream = b"".join(parts)
            self._rest = stream[n:]
            return stream[:n]
