"""What a house does by itself, however quiet it is: retention, looking for misuse, last night's audit, a new year."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from watchglass.acts.apply_retention import Leftovers, apply_retention
from watchglass.acts.context import Acting
from watchglass.acts.misuse import look_for_misuse
from watchglass.bootstrap.nightly import NightlyAudit
from watchglass.bootstrap.originals import VERSIONS, keeps_versions
from watchglass.bootstrap.yearly import YearBegins
from watchglass.charter.model import Charter
from watchglass.core.errors import WatchglassError
from watchglass.core.time import HOUR
from watchglass.edge.bucket import ObjectBucket
from watchglass.edge.objects import ObjectFiles
from watchglass.edge.store.committer import Store

log: Final = logging.getLogger(__name__)
_EVERY_S: Final = 1.0
_RETENTION_MS: Final = HOUR


class Upkeep:
    """Does it, in a thread of its own: a store that is far away must not hold up what watches the log.

    Args:
        store: the acts' own, which can also be scrubbed. charter: the one in force now.
        originals: where sealed originals lie.
        nightly: the audit of each night. yearly: lets a year begin in the ledger.
        judge: tests the published limits with all that is final by now.
    """

    def __init__(
        self,
        acting: Acting,
        store: Store,
        charter: Callable[[], Charter | None],
        originals: ObjectFiles | ObjectBucket,
        nightly: NightlyAudit,
        yearly: YearBegins,
        judge: Callable[[], object],
    ) -> None:
        self._acting = acting
        self._store = store
        self._charter = charter
        self._originals = originals
        self._nightly = nightly
        self._yearly = yearly
        self._judge = judge
        self._last_retention = 0

    def run(self, stop: threading.Event) -> None:
        """Do what is due, until told to stop."""
        self._look_at_originals()
        while not stop.wait(_EVERY_S):
            self.keep_retention()
            self.look_for_misuse()
            self._nightly.tend()
            self._yearly.tend()

    def close(self) -> None:
        """Stop what runs beside; it is done again."""
        self._nightly.close()
        self._yearly.close()

    def keep_retention(self) -> None:
        """Once an hour: destroy what the charter keeps no longer.

        Before that limits are tested with it: a house that stood still for long would forget what speaks against it.
        """
        now = self._acting.clock.now()
        if now - self._last_retention < _RETENTION_MS:
            return
        try:
            charter = self._charter()
            if charter is None:
                return
            self._last_retention = now
            self._count_first()
            left = Leftovers()
            if any(apply_retention(self._acting, charter, left).values()):
                self._store.scrub()  # what was destroyed must not live on in the write-ahead log
            if left.trouble is not None:
                count = f"{left.count} objects whose keys are destroyed" if left.count else "Objects"
                log.error("%s wait to be removed: %s %s", count, left.trouble.message, left.trouble.fix)
            if left.missing:
                log.error(
                    "Sealed segments that are recorded and not in their store: %d. Nobody can open them. Find out who "
                    "deleted them, and restore them from a backup.",
                    left.missing,
                )
        except (WatchglassError, OSError) as error:  # the log must go on being watched; the next hour tries again
            log.error("Retention waits: %s", error)

    def _count_first(self) -> None:
        try:
            self._judge()
        except Exception:  # nothing is kept for longer because of that
            log.exception("Published limits cannot be tested before retention.")

    def look_for_misuse(self) -> None:
        """Once an hour: judge the record of accesses. What is found goes to oversight alone."""
        try:
            charter = self._charter()
            if charter is not None and charter.safeguards.record is not None:
                look_for_misuse(self._acting, charter)
        except WatchglassError as error:
            log.error("The record of accesses was not judged: %s %s", error.message, error.fix)

    def _look_at_originals(self) -> None:
        """Say at once, not with the first incident, what is wrong with the store that sealed originals go to."""
        try:
            charter = self._charter()
            if charter is None or charter.safeguards.record is None:
                return
            self._originals.check()
            if keeps_versions(self._originals):
                log.warning("%s", VERSIONS)
        except WatchglassError as error:
            log.error("Sealed originals will wait: %s %s", error.message, error.fix)
