"""Randomness of the edge: the system's, and a seeded stream for tests and for the demo's schedule."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import Final

_POOL: Final = 8192
_FROM_POOL: Final = 512


class SystemEntropy:
    """The operating system's randomness.

    Small requests (the salts and nonces of records) are cut from a pool, because asking the kernel costs more than
    sealing a record. No byte is given twice; a forked process forgets the pool; what is larger is asked for directly.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._pool = b""
        self._at = 0

    def bytes(self, n: int) -> bytes:
        """``n`` fresh unpredictable bytes."""
        if n > _FROM_POOL:
            return os.urandom(n)
        with self._lock:
            start = self._at
            if start + n > len(self._pool):
                self._pool = os.urandom(_POOL)
                start = 0
            self._at = start + n
            return self._pool[start : start + n]


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
