"""Tests the published limits and scores drills while the house runs: twice a second, so that what crosses one stops.

Half a second here, the rest is the lease's (``runtime.supervisor``). A thread of its own, for nothing that is slow may
hold up what stops an analytic.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from watchglass.acts.context import Acting
from watchglass.acts.judge import Change, judge, resumptions_that_count, stands
from watchglass.acts.judged import WHY
from watchglass.acts.score_drills import score_drills
from watchglass.charter.decide import Standing
from watchglass.core.errors import WatchglassError
from watchglass.quality.states import State

log: Final = logging.getLogger(__name__)

EVERY_S: Final = 0.5


class Limits:
    """One per deployment.

    Args:
        standing: what is in force now.
        cosigned_size: how many entries witnesses have cosigned.
        changed: called when an analytic stands otherwise than before.
    """

    def __init__(
        self,
        acting: Acting,
        standing: Callable[[], Standing],
        cosigned_size: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self._acting = acting
        self._standing = standing
        self._cosigned_size = cosigned_size
        self._changed = changed
        self._complaint = ""

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(EVERY_S):
            try:
                self.look()
                self._complaint = ""
            except WatchglassError as error:
                if error.message != self._complaint:
                    self._complaint = error.message
                    log.error("Published limits cannot be tested now: %s %s", error.message, error.fix)
            except Exception:  # what stops an analytic must not depend on one bad row
                log.exception("Published limits met a fault in Watchglass.")

    def look(self) -> list[Change]:
        """Look once; what crossed a limit is stopped before this returns.

        Raises:
            CannotRecord: something changed and could not be recorded.
        """
        standing = self._standing()
        if standing.charter is None or not stands(standing, self._acting.clock.now()):
            return []
        score_drills(self._acting, standing.charter)
        effective = resumptions_that_count(self._acting.store.read(), standing.deployment, self._cosigned_size())
        done = judge(self._acting, standing.charter, effective=effective)
        changes = done.value if done is not None else []
        if changes:
            self._changed()
        for change in changes:
            if change.stands.state is State.SUSPENDED:
                log.error("%s is stopped by its published limit. %s", change.analytic, WHY.get(change.stands.why, ""))
        return changes
