"""The audit of last night: the house lets itself be audited by the very command that outsiders run.

It runs in a process of its own that yields to everything else, once a day, and as soon as there is none yet. What it
found is kept as files, so that pages only read. Nobody has to believe it: it is the operator's own machine that ran it,
and the page that shows it says so, with the command beside it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap.beside import Beside
from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.core.time import DAY, HOUR, Clock, moment
from watchglass.edge.tiles import write_durably

log: Final = logging.getLogger(__name__)
KEPT: Final = 30
"""Nights that are kept."""
AFTER: Final = 2 * HOUR
"""A night's audit begins this long after midnight, UTC."""
_LARGEST: Final = 64 << 20
_CRASHED: Final[tuple[int, dict[str, Any]]] = (
    Problem.exit_code,
    {
        "ok": False,
        "message": "The audit was stopped, or ended without saying what it found.",
        "fix": "The next one begins tomorrow night. Run the command yourself: it says why.",
    },
)
"""A night like that is told too: a page that goes on showing the night before would hide it."""


class NightlyAudit:
    """Starts the audit when it is due, and knows what the last ones found.

    Args:
        folder: where results are kept. ledger: the log's directory.
        trust: the text of the trust file that the portal gives out, for it is that which is tried here.
        year: the newest year whose past is archived: an audit that cannot go on from the last one begins there.
    """

    def __init__(
        self,
        folder: Path,
        ledger: Path,
        trust: Callable[[], str],
        clock: Clock,
        year: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._trust = trust
        self._clock = clock
        self._year = year
        self._from_year: int | None = None
        self._beside = Beside("The nightly audit", folder / "printed", clock)
        self._day = ""

    def tend(self) -> None:
        """Start what is due and take in what has ended. Waits for nothing."""
        if self._beside.running:
            self._look()
        elif self._due():
            self._start()

    def close(self) -> None:
        """Stop an audit that runs; the next one begins where the last finished one ended."""
        self._beside.stop()

    def latest(self) -> dict[str, Any] | None:
        """What the newest audit printed, as ``watchglass audit --json`` does; or the error that kept it from that."""
        days = self.days()
        return self.of(days[0]) if days else None

    def days(self) -> list[str]:
        """The days of which there is an audit (`2026-11-23`), the newest first."""
        return sorted((path.stem for path in self._folder.glob("*.json")), reverse=True)

    def of(self, day: str) -> dict[str, Any] | None:
        """The audit of one day."""
        path = self._folder / f"{day}.json"
        if path.parent != self._folder or day not in self.days():
            return None
        with suppress(OSError, ValueError):
            value = json.loads(path.read_bytes()[:_LARGEST])
            return value if isinstance(value, dict) else None
        return None

    def page(self, day: str) -> bytes | None:
        """The report of one day as the HTML file that stands alone."""
        if day not in self.days():
            return None
        with suppress(OSError):
            return (self._folder / f"{day}.html").read_bytes()
        return None

    def _today(self) -> str:
        return moment(self._clock.now()).date().isoformat()

    def _due(self) -> bool:
        if not (self._ledger / "checkpoint").exists():
            return False
        days, today = self.days(), self._today()
        return not days or (today > days[0] and self._clock.now() % DAY >= AFTER)

    def _start(self) -> None:
        self._day = self._today()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / "running.html").unlink(missing_ok=True)  # a night that fails has no report of another's
            write_durably([(self._folder / "own.trust", self._trust().encode())])
            self._beside.start(
                *("audit", str(self._ledger), "--trust", str(self._folder / "own.trust"), "--json"),
                *("--html", str(self._folder / "running.html")),
                *(() if self._from_year is None else ("--from-year", str(self._from_year))),
            )
        except (OSError, CannotRecord) as error:
            log.error("The nightly audit waits: %s", error)

    def _look(self) -> None:
        ended = self._beside.ended()
        if ended is None and self._beside.running:
            return
        code, result = ended or _CRASHED
        if code == BadInput.exit_code and "archived" in result and self._from_year is None:
            self._from_year = self._year()
            if self._from_year is not None:
                self._start()
                return
        self._from_year = None
        try:
            files = [(self._folder / f"{self._day}.json", json.dumps({**result, "exit": code}).encode())]
            with suppress(FileNotFoundError):
                files.append((self._folder / f"{self._day}.html", (self._folder / "running.html").read_bytes()))
            write_durably(files, mode=0o600)
            for old in self.days()[KEPT:]:
                for suffix in ("json", "html"):
                    (self._folder / f"{old}.{suffix}").unlink(missing_ok=True)
        except (OSError, CannotRecord) as error:
            log.error("What the nightly audit found could not be kept: %s", error)
            return
        if code:
            log.warning("The nightly audit found something: %s", result.get("verdict") or result.get("message"))
