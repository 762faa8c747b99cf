"""How many of those who misuse a control room are signalled, how soon, and how many signals honest work causes.

``watchglass bench misuse``. The room is made (``misuse_room``), so are its insiders (``misuse_insiders``); what counts
is in ``misuse_measure``. Thresholds were chosen on other seeds (``misuse_choose``). What the signals are, and what they
cannot see, is told in docs/explanation/misuse-signals.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median

from measures import Figure, figure, quantile_interval, wilson
from misuse_insiders import INSIDERS
from misuse_measure import MONTHS, SEEDS_TO_REPORT, Found, explained_share, false_signals, found
from misuse_room import STAFF
from watchglass.access.misuse import DEFAULT, Kind
from watchglass.review.costs import estimate

Progress = Callable[[str], None]

PARTS = ("honest", "insiders")
HONEST = {True: 3, False: 30}
"""Honest years."""

EACH = {True: 2, False: 20}
"""Years with each insider."""

_FEWEST_FOR_STUDENT = 8
_MADE = "in a made control room; thresholds were chosen on other seeds"
_NOT_FOUND = "nothing tells this from work: whoever has a real case and a good reason is not found"


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass bench misuse``."""
    parts = only or PARTS
    made: list[Figure] = []
    if "insiders" in parts:
        made += _insiders(EACH[quick], progress)
    if "honest" in parts:
        made += _honest(HONEST[quick], progress)
    return made


def _insiders(years: int, progress: Progress) -> list[Figure]:
    progress(f"Making {years} years with each of {len(INSIDERS)} insiders ...")
    seen: dict[str, list[Found]] = {name: [] for name in INSIDERS}
    listed: list[Found] = []
    for seed in SEEDS_TO_REPORT[:years]:
        for name, told in seen.items():
            told.append(found(seed, name, DEFAULT))
        listed.append(found(seed, "neighbour", DEFAULT, places=True))
    everybody = [each for told in seen.values() for each in told]
    missed = [name for name, told in seen.items() if not any(each.days is not None for each in told)]
    never = f"never found: {', '.join(missed)}" if missed else "each kind was found at least once"
    note = f"{years} years with each of {len(INSIDERS)} kinds of insider, {_MADE}; {never}"
    made = [_rate("misuse_detection_rate", everybody, note)]
    for name, told in seen.items():
        kinds = Counter(kind for each in told for kind in each.kinds)
        by = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        why = f"; {_NOT_FOUND}" if name == "careful" else ""
        made.append(_rate(f"misuse_detection_rate_{name}", told, f"by (years): {by or 'nothing'}{why}"))
    made.append(
        _rate(
            "misuse_detection_rate_neighbour_with_places", listed,
            "where oversight also matches its own list of places that are linked to staff",
        )
    )  # fmt: skip
    made += [_days(f"misuse_days_to_first_signal_{name}", told) for name, told in seen.items()]
    made.append(_days("misuse_days_to_first_signal_neighbour_with_places", listed))
    return made


def _rate(name: str, told: Sequence[Found], note: str) -> Figure:
    right = sum(each.days is not None for each in told)
    return figure(
        name,
        right / len(told),
        better="higher",
        unit="share",
        interval=wilson(right, len(told)),
        n=len(told),
        note=note,
    )


def _days(name: str, told: Sequence[Found]) -> Figure:
    """The median over all years, those without a signal counted as longer than any."""
    days = [math.inf if each.days is None else each.days for each in told]
    value = median(sorted(days))
    low, high = quantile_interval(days, 0.5)
    note = f"median from the first wrong access, {sum(map(math.isinf, days))} years without a signal counted as longest"
    if not math.isfinite(value):
        return figure(name, None, unit="days", n=len(days), note="in most years there is no signal")
    return figure(
        name, value, unit="days", interval=(low, high) if math.isfinite(high) else None, n=len(days), note=note
    )


def _honest(years: int, progress: Progress) -> list[Figure]:
    progress(f"Making {years} honest years ...")
    by_year = [false_signals(seed, DEFAULT) for seed in SEEDS_TO_REPORT[:years]]
    kinds = sum(by_year, Counter[Kind]())
    often = ", ".join(f"{kind} {count / years / MONTHS:.2f}" for kind, count in kinds.most_common())
    months = [told.total() / MONTHS for told in by_year]
    share = [explained_share(seed, DEFAULT) for seed in SEEDS_TO_REPORT[: min(years, EACH[False])]]
    return [
        figure(
            "misuse_false_signals_per_month", sum(months) / years, unit="signals",
            interval=_interval(months), n=years,
            note=f"an honest control room of {len(STAFF)}, {_MADE}; by kind: {often}",
        ),
        figure(
            "misuse_explained_share", sum(share) / len(share), better="higher", unit="share",
            interval=_interval(share), n=len(share),
            note="of honest accesses, how many a case, alert, dispatch or verdict explains; the room was made to have "
            "about 94 %, as was found in hospitals",
        ),
    ]  # fmt: skip


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval over years; where they are few, the least and the greatest."""
    around = estimate(values, _FEWEST_FOR_STUDENT)
    return (min(values), max(values)) if around is None else (around.low, around.high)
