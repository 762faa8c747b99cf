"""A year begins: a process of its own makes what audits carry over, then the house records it (ADR 38).

The order makes a crash harmless: the state lies in the ledger's folder, whole and synced, before the record names it.
Without a record it is nobody's; it is made again and written over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from watchglass.acts.begin_year import Due, OtherState, begin_year, due
from watchglass.acts.context import Acting
from watchglass.bootstrap.beside import Beside
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, CannotRecord, WatchglassError
from watchglass.core.time import HOUR, MINUTE
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger.tiles import MAX_STATE_BYTES

log: Final = logging.getLogger(__name__)
_LOOKS_MS: Final = MINUTE
"""How often it is looked whether a year should begin."""
_TRIES_MS: Final = HOUR
"""When it is tried again where it did not work."""


class YearBegins:
    """Lets years begin.

    Args:
        folder: where the state is made before it goes into the ledger's folder.
        began: called when a year has begun.
    """

    def __init__(self, acting: Acting, tiles: TileDirectory, folder: Path, began: Callable[[], None]) -> None:
        self._acting = acting
        self._tiles = tiles
        self._folder = folder
        self._began = began
        self._beside = Beside("What audits carry over into the new year", folder / "printed", acting.clock)
        self._wanted: Due | None = None
        self._unlike: set[bytes] = set()
        self._next_ms = 0

    def tend(self) -> None:
        """Start what is due and take in what has ended. Waits for nothing."""
        now = self._acting.clock.now()
        try:
            if self._wanted is not None:
                self._look(self._wanted)
            elif now >= self._next_ms:
                self._next_ms = now + _LOOKS_MS
                wanted = due(self._acting.store.read(), self._tiles, now, without=self._unlike)
                if wanted is not None:
                    self._start(wanted)
        except (WatchglassError, OSError) as error:
            self._wanted, self._next_ms = None, now + _TRIES_MS
            log.error("The new year waits to begin in the ledger: %s", error)

    def close(self) -> None:
        """Stop what runs; it is done again."""
        self._beside.stop()
        self._wanted = None

    @property
    def _made(self) -> Path:
        return self._folder / "carried.state"

    def _start(self, wanted: Due) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._made.unlink(missing_ok=True)
        self._beside.start(
            *("ledger", "carry", str(self._tiles.path), "--size", str(wanted.size)),
            *("-o", str(self._made), "--json"),
        )
        self._wanted = wanted

    def _look(self, wanted: Due) -> None:
        ended = self._beside.ended()
        if ended is None:
            if not self._beside.running:
                raise CannotRecord("What audits carry over was not made.", fix="It is tried again in an hour.")
            return
        self._wanted = None
        code, printed = ended
        if code:
            raise BadInput(
                f"What audits carry over could not be made: {printed.get('message')}",
                fix=str(printed.get("fix") or "Run `watchglass ledger verify` on the ledger's folder."),
            )
        self._begin(wanted, printed)

    def _begin(self, wanted: Due, printed: dict[str, Any]) -> None:
        with self._made.open("rb") as file:
            data = file.read(MAX_STATE_BYTES + 1)
        state = sha256(data)
        found = (printed.get("sha256"), printed.get("size"), printed.get("root"))
        if len(data) > MAX_STATE_BYTES or found != (b64(state), wanted.size, b64(wanted.root)):
            raise CannotRecord(
                "What audits carry over is not what the process that made it said.", fix="It is made again in an hour."
            )
        if self._acting.store.read().one("SELECT 1 FROM setting WHERE key = ?", f"year_began.{wanted.year:04d}"):
            return
        self._tiles.keep_state(wanted.year, data)
        try:
            begin_year(self._acting, wanted, state, str(printed.get("form")))
        except OtherState:
            if wanted.audit is not None:
                self._unlike.add(wanted.audit)
            raise
        self._made.unlink(missing_ok=True)
        log.info("%s began in the ledger, with %s entries before it.", wanted.year, wanted.size)
        self._began()
