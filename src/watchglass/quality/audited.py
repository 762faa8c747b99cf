"""What an audit set shows: of the things in each stratum how many were missed, and how often there was a false box.

Pure: what the detector found in each picture comes in as ``Look``; what goes out is tables with intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchglass.quality import appearance
from watchglass.quality.audit_set import personal
from watchglass.quality.compare import ALPHA, FEWEST, Comparison, Tally, clustered, rates, shares

ALL: Final = "all"
"""The only group of a kind as a whole."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One labelled thing that counts."""

    found: bool
    strata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What became of one kind of thing in one picture.

    Attributes:
        unit: the name of the picture, or of the stretch of video: what is seen in one unit is not independent.
        strata: of the picture.
        things: that are there.
        false: strata of each box with nothing of the kind in it.
    """

    unit: str
    strata: Mapping[str, str]
    things: tuple[Thing, ...]
    false: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of thing by one stratum.

    Attributes:
        kind: of thing.
        stratum: its name; ``ALL`` for the kind as a whole.
        annotated: by a person; otherwise measured in the picture.
        misses: of the things in each group, how many were not found.
        false: false boxes for each picture of the group; None where a box cannot be said to belong to one.
    """

    kind: str
    stratum: str
    annotated: bool
    misses: Comparison
    false: Comparison | None

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "stratum": self.stratum,
            "annotated": self.annotated,
            "personal": bool(self.annotated and self.stratum != ALL and personal((self.stratum,))),
            "meant": "" if self.annotated else appearance.MEANT.get(self.stratum, ""),
            "misses": self.misses.as_json(),
            "false": None if self.false is None else self.false.as_json(),
        }


def tables(
    kind: str, looks: Sequence[Look], annotated: Sequence[str] = (), *, alpha: float = ALPHA, fewest: int = FEWEST
) -> tuple[Table, ...]:
    """Everything about one kind: as a whole first, then by each annotated stratum, then by each measured one.

    The intervals of one column of one table hold together; those of two columns or tables need not.

    Args:
        kind: of thing.
        looks: one for each picture.
        annotated: the set's own strata. A measured one of the same name is replaced.
        alpha, fewest: as in ``compare``.
    """
    whole = Table(
        kind, ALL, annotated=False,
        misses=shares({ALL: _misses(looks, None, "")}, alpha=alpha, fewest=fewest),
        false=rates({ALL: _false(looks, None, "")}, alpha=alpha, fewest=fewest),
    )  # fmt: skip
    result = [whole]
    for name in (*annotated, *(n for n in appearance.ORDER if n not in annotated)):
        table = _table(kind, looks, name, annotated=name in annotated, alpha=alpha, fewest=fewest)
        if table is not None:
            result.append(table)
    return tuple(result)


def _table(kind: str, looks: Sequence[Look], name: str, *, annotated: bool, alpha: float, fewest: int) -> Table | None:
    """One kind by one stratum; None where nothing in the set has it."""
    of_things = {t.strata[name] for look in looks for t in look.things if name in t.strata}
    of_pictures = {look.strata[name] for look in looks if name in look.strata}
    of_false = {strata[name] for look in looks for strata in look.false if name in strata}
    if not of_things | of_pictures | of_false:
        return None
    there = _ordered(name, of_things, annotated=annotated)
    of_boxes = set(appearance.ORDER[name]) if of_false and not annotated else of_false
    claimed = _ordered(name, of_pictures or of_boxes, annotated=annotated)
    return Table(
        kind, name, annotated,
        misses=shares({group: _misses(looks, name, group) for group in there}, alpha=alpha, fewest=fewest),
        false=rates({group: _false(looks, name, group) for group in claimed}, alpha=alpha, fewest=fewest)
        if claimed else None,
    )  # fmt: skip


def _ordered(name: str, found: set[str], *, annotated: bool) -> tuple[str, ...]:
    return tuple(sorted(found)) if annotated else tuple(g for g in appearance.ORDER[name] if g in found)


def _misses(looks: Sequence[Look], name: str | None, group: str) -> Tally:
    units: dict[str, tuple[int, int]] = {}
    for look in looks:
        there = [t for t in look.things if name is None or t.strata.get(name) == group]
        missed, count = units.get(look.unit, (0, 0))
        units[look.unit] = (missed + sum(not t.found for t in there), count + len(there))
    return clustered(units.values(), share=True)


def _false(looks: Sequence[Look], name: str | None, group: str) -> Tally:
    """False boxes by the picture's stratum; where pictures have none, by the box's own, in all pictures."""
    by_picture = name is not None and any(name in look.strata for look in looks)
    units: dict[str, tuple[int, int]] = {}
    for look in looks:
        if by_picture and name is not None and look.strata.get(name) != group:
            continue
        own = [s for s in look.false if name is None or by_picture or s.get(name) == group]
        count, pictures = units.get(look.unit, (0, 0))
        units[look.unit] = (count + len(own), pictures + 1)
    return clustered(units.values(), share=False)
