"""A command of our own in a process of its own, which yields to everything else and prints one JSON object."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from watchglass.core.time import SECOND, Clock

log: Final = logging.getLogger(__name__)
PATIENCE_S: Final = 6 * 3600
_IDLE: Final = 19
_LARGEST: Final = 64 << 20


class Beside:
    """Runs one command at a time.

    Args:
        what: what it is, as a sentence begins: ``The nightly audit``.
        printed: the file that takes what it prints; its folder is there.
    """

    def __init__(self, what: str, printed: Path, clock: Clock) -> None:
        self._what = what
        self._printed = printed
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0

    @property
    def running(self) -> bool:
        """Whether a command was started whose end nobody took in yet."""
        return self._process is not None

    def start(self, *words: str) -> None:
        """Start ``watchglass WORDS``.

        Raises:
            OSError: there is no room for what it prints, or no process can be made.
        """
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(  # noqa: S603  # our own program, with paths of our own
                [sys.executable, "-m", "watchglass", *words],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.DEVNULL,
                close_fds=True,
            )
        self._until = self._clock.now() + PATIENCE_S * SECOND
        with suppress(OSError, AttributeError):  # a machine without priorities does it too
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _IDLE)

    def ended(self) -> tuple[int, dict[str, Any]] | None:
        """Its exit code and what it printed, once; None while it runs, and where it left nothing that can be read."""
        assert self._process is not None
        if self._process.poll() is None:
            if self._clock.now() > self._until:
                log.error("%s took longer than six hours and was stopped.", self._what)
                self.stop()
            return None
        code, self._process = self._process.returncode, None
        try:
            with self._printed.open("rb") as printed:
                result = json.loads(printed.read(_LARGEST))
            if isinstance(result, dict):
                return code, result
            problem: object = "it printed something else"
        except (OSError, ValueError, RecursionError) as error:
            problem = error
        log.error("%s ended with %s and left nothing that can be read: %s", self._what, code, problem)
        return None

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None
