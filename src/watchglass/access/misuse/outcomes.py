"""Looked at, and nothing came of it: releases without an outcome, clips of alerts about which nobody decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from watchglass.access.misuse.explain import day
from watchglass.access.misuse.facts import Access, Facts, What
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY, HOUR


class Came:
    """What came of requests, cases and alerts: when the first of each was recorded."""

    def __init__(self, facts: Facts) -> None:
        self._outcomes: dict[str, list[int]] = defaultdict(list)
        self._decided: dict[str, int] = {}
        for outcome in facts.outcomes:
            self._outcomes[outcome.about].append(outcome.at_ms)
        for verdict in facts.verdicts:
            self._decided[verdict.alert] = min(verdict.at_ms, self._decided.get(verdict.alert, verdict.at_ms))

    def of_release(self, access: Access, until_ms: int) -> bool:
        """Whether something came of a release, or of its case since."""
        named = [name for name in (access.request, access.case) if name is not None]
        return any(access.at_ms <= at_ms <= until_ms for name in named for at_ms in self._outcomes.get(name, ()))

    def decided(self, alert: str, until_ms: int) -> bool:
        return self._decided.get(alert, until_ms + 1) <= until_ms


def no_outcome(
    came: Came, person: str, accesses: Sequence[Access], limits: Thresholds, earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Several releases of one person, or several clips, of which nothing came."""
    taken = [
        Mark(access.id, access.at_ms + limits.outcome_ms, access)
        for access in accesses
        if access.what is What.RELEASE_TAKEN and not came.of_release(access, access.at_ms + limits.outcome_ms)
    ]
    seen = [
        Mark(access.id, access.at_ms + limits.verdict_ms, access)
        for access in accesses
        if access.what is What.CLIP_VIEW
        and access.alert is not None
        and not came.decided(access.alert, access.at_ms + limits.verdict_ms)
    ]

    def releases(_: int, found: Sequence[Mark[Access]]) -> str | None:
        if len(found) < limits.outcome_times:
            return None
        return (
            f"{person} took originals {len(found)} times within {limits.outcome_window_ms // DAY} days of which "
            f"nothing had come {limits.outcome_ms // DAY} days later, the last time on {day(found[-1].value.at_ms)}."
        )

    def clips(_: int, found: Sequence[Mark[Access]]) -> str | None:
        clips = len({mark.value.alert for mark in found})
        if clips < limits.unjudged_times:
            return None
        return (
            f"{person} looked at {clips} clips within {limits.unjudged_window_ms // DAY} days about whose alerts "
            f"nobody had decided {limits.verdict_ms // HOUR} hours later, the last time on "
            f"{day(found[-1].value.at_ms)}."
        )

    yield from patterns(
        Kind.NO_OUTCOME, person, taken, releases,
        window_ms=limits.outcome_window_ms, earlier=earlier, until_ms=until_ms,
    )  # fmt: skip
    yield from patterns(
        Kind.NO_OUTCOME, person, seen, clips,
        window_ms=limits.unjudged_window_ms, earlier=earlier, until_ms=until_ms,
    )  # fmt: skip
