"""Whether a rule's alerts have begun to be otherwise than before, for staff: worked out from the alerts there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watchglass.acts.recalibrate import Said
from watchglass.quality.drift import NORMAL, RUN_LENGTH, WHATS, Watch, What
from watchglass.quality.finality import Value


@dataclass(frozen=True, slots=True)
class Warned:
    """A watch warned.

    Attributes:
        raised_ms: of the alert with which it did. normal, normal_bad: what was normal. taken, bad: what came since.
    """

    raised_ms: int
    normal: int
    normal_bad: int
    taken: int
    bad: int


@dataclass(frozen=True, slots=True)
class Watched:
    """One watch over all the final alerts that are still there.

    Attributes:
        seen: how many it could use. warned: the newest first. waits_for: how many more say what is normal.
        run_length: final alerts to a false warning, at least, in the mean.
    """

    what: What
    seen: int
    warned: tuple[Warned, ...]
    waits_for: int
    run_length: int


def watched(alerts: Iterable[Said]) -> tuple[Watched, ...]:
    """Every watch over these alerts, which are in the order in which they were raised."""
    known = list(alerts)
    return tuple(_one(what, known) for what in WHATS)


def _one(what: What, alerts: list[Said]) -> Watched:
    watch, warned, seen = Watch(what), [], 0
    for each in alerts:
        after = watch.after(right=each.value is Value.RIGHT, decided=each.value is not Value.UNDECIDED, said=each.said)
        seen += after is not watch
        watch = after
        if watch.warns:
            warned.append(Warned(each.raised_ms, watch.normal, watch.normal_bad, watch.taken, watch.bad))
            watch = Watch(what)
    waits = max(0, NORMAL - watch.normal) if what == "wrong" else 0
    return Watched(what, seen, tuple(reversed(warned)), waits, RUN_LENGTH)
