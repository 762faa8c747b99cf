"""The emergency rule: used and not reported on, or used again and again by one person.

That nothing explains a use (no alert at that source, no dispatch) is told with everything else that is unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchglass.access.misuse.explain import day
from watchglass.access.misuse.facts import GlassBreak
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY


def glass(breaks: Sequence[GlassBreak], limits: Thresholds, earlier: Earlier, until_ms: int) -> Iterator[Signal]:
    """Signals about the emergency rule, person by person."""
    for person in sorted({each.person for each in breaks}):
        own = [each for each in breaks if each.person == person]
        late = [
            Mark(each.id, each.due_ms + 1, each)
            for each in own
            if each.followed_ms is None or each.followed_ms > each.due_ms
        ]

        def not_followed(_: int, found: Sequence[Mark[GlassBreak]], person: str = person) -> str | None:
            last = found[-1].value
            return (
                f"{person} used the emergency rule on {day(last.at_ms)} and had not reported what came of it by "
                f"{day(last.due_ms)}."
            )

        def again(_: int, found: Sequence[Mark[GlassBreak]], person: str = person) -> str | None:
            if len(found) < limits.glass_times:
                return None
            return (
                f"{person} used the emergency rule {len(found)} times within {limits.glass_window_ms // DAY} days, the "
                f"last time on {day(found[-1].value.at_ms)}."
            )

        yield from patterns(
            Kind.GLASS_NOT_FOLLOWED, person, late, not_followed, window_ms=1, earlier=earlier, until_ms=until_ms
        )
        yield from patterns(
            Kind.GLASS_AGAIN, person, [Mark(each.id, each.at_ms, each) for each in own], again,
            window_ms=limits.glass_window_ms, earlier=earlier, until_ms=until_ms,
        )  # fmt: skip
