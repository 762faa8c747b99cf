"""What retention says that it destroyed was due: no more, and no less, than the charter says."""

from __future__ import annotations

from typing import Final

from watchglass.core.time import MINUTE
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_AT_ONCE: Final = frozenset({"segments", "shares", "samples"})
"""Each of these carries its own end."""
_SLACK: Final = 2 * MINUTE


class RetentionTold(Promise):
    name = "retention-told"
    title = "What retention says that it destroyed was what the charter's time for it was over for."
    depth = "openings"
    acts = frozenset({"retention_applied"})

    def see(self, entry: Entry, world: World) -> None:
        values, known = world.opened(entry), world.under(entry)
        if values is None or known is None:
            return
        self.checked += 1
        keeps, what = known.charter.safeguards.retention, entry.clear["what"]
        keep = 0 if what in _AT_ONCE else keeps.reviewer_clips_ms if what == "clips" else keeps.alerts_ms
        if what == "reports":
            clause = known.charter.safeguards.reports
            keep = clause.kept_ms if clause is not None else 0
        told, right = minute_ms(values["before"]), minute_ms(values["minute"]) - keep
        if abs(told - right) > _SLACK:
            when = "later" if told > right else "earlier"
            self.breach(
                f"destroyed '{what}' up to a time {when} than the charter says", OPERATOR, world, entry, known.index
            )

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"{count(self.checked, 'record')} of retention reckoned again from the minute and the charter's times."
