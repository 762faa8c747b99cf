"""Jobs side by side, each under a name: a slow one holds up nobody else, and never runs twice at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping


class Aside:
    """Runs named jobs in threads of their own.

    Args:
        name: what the threads are called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def run(self, jobs: Mapping[str, Callable[[], None]], wait_s: float) -> None:
        """Start each job whose last run is over, and wait until all are done, or for ``wait_s``.

        A single job runs in the caller's thread. Jobs handle their own errors.
        """
        with self._lock:
            fresh = {name: job for name, job in jobs.items() if name not in self._busy}
            self._busy |= fresh.keys()
        if len(jobs) == 1:
            for name, job in fresh.items():
                self._do(name, job)
            return
        threads = [
            threading.Thread(target=self._do, args=(name, job), name=f"watchglass-{self._name}", daemon=True)
            for name, job in fresh.items()
        ]
        until = time.monotonic() + wait_s
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _do(self, name: str, job: Callable[[], None]) -> None:
        try:
            job()
        finally:
            with self._lock:
                self._busy.discard(name)
