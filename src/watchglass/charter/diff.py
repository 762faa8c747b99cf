"""What changes between two charters, as sentences for residents, each weighed for the people under the cameras.

*Widening*: it may see, keep or do more, or protects less. *Narrowing*: the opposite. *Maintenance*: neither. Where it
cannot be told, a change counts as widening.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from watchglass.charter.conditions import Conditions
from watchglass.charter.model import (
    AccessLog,
    Analytic,
    Charter,
    Costs,
    GlassRule,
    OnSuspension,
    Oversight,
    Picture,
    PlugIn,
    Quality,
    QualityLimits,
    Record,
    Release,
    Reports,
    Safeguards,
    Samples,
    SeededChecks,
    Source,
    View,
)
from watchglass.charter.quality_told import limits_said
from watchglass.charter.renewed import begun_anew, is_sooner, rule_of
from watchglass.charter.told import TOLD
from watchglass.charter.weighing import Show, Told, Weight
from watchglass.charter.words import listed, plain, said, sentence
from watchglass.core.geometry import Polygon


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different.

    Attributes:
        weight: what it means for the people under the cameras.
        path: where in the charter, dotted.
        sentence: it in words for a resident.
    """

    weight: Weight
    path: str
    sentence: str

    def as_json(self) -> dict[str, object]:
        """The change as a JSON-ready object."""
        return asdict(self)


def compare(old: Charter, new: Charter) -> list[Change]:
    """Everything that differs, widening first."""
    changes = [*_compare(old, new)]
    if not changes and old.data != new.data:
        changes.append(Change("maintenance", "", "Only the notes and the form of the file change, not the rules."))
    order = ("widening", "narrowing", "maintenance")
    return sorted(changes, key=lambda change: order.index(change.weight))


def _compare(old: Charter, new: Charter) -> Iterator[Change]:
    yield from _fields(old, new, "", "")
    yield from _fields(old.authority, new.authority, "authority", "")
    yield from _fields(old.in_force, new.in_force, "in_force", "")
    yield from _named("purposes", old.purposes, new.purposes, lambda p: f"the purpose “{said(p.name)}”: {p.text}")
    yield from _named("models", old.models, new.models, lambda model: f"the software “{said(model.name)}”")
    yield from _named("plug_ins", old.plug_ins, new.plug_ins, lambda code: f"the plug-in “{said(code.name)}”.")
    yield from _sources(old, new)
    yield from _analytics(old, new)
    yield from _destinations(old, new)
    yield from _safeguards(old.safeguards, new.safeguards)
    if old.quality is not None and new.quality is not None:
        yield from _quality(old, new, old.quality, new.quality)
    if old.costs is not None and new.costs is not None:
        yield from _fields(old.costs, new.costs, "costs", "")
    yield from _fields(old.ledger, new.ledger, "ledger", "")
    yield from _fields(old.oversight, new.oversight, "oversight", "")
    yield from _witnesses(old.oversight, new.oversight)


def _fields(old: Any, new: Any, path: str, who: str) -> Iterator[Change]:
    """The changes of a part's own fields."""
    for name, told in TOLD[type(old)].items():
        before, after = getattr(old, name), getattr(new, name)
        if name == "hours":
            before, after = (old.hours, old.days), (new.hours, new.days)
        if before == after or (_is_part(before) and _is_part(after)):
            continue
        words = told.words.format(who=who, old=_shown(told, before, before), new=_shown(told, after, before))
        yield Change(told.weigh(before, after), f"{path}.{name}".strip("."), _capital(words))


def _shown(told: Told, value: Any, old: Any) -> str:
    if isinstance(value, Polygon) and isinstance(old, Polygon):
        return f"{round(100 * value.area / old.area)} %"
    return told.show(value)


def _is_part(value: object) -> bool:
    if isinstance(value, Conditions):
        return True
    return isinstance(
        value,
        View
        | Picture
        | OnSuspension
        | Costs
        | Record
        | Release
        | GlassRule
        | Quality
        | Reports
        | Samples
        | SeededChecks,
    )


def _named(path: str, old: tuple[Any, ...], new: tuple[Any, ...], describe: Show) -> Iterator[Change]:
    """The changes of things with names: gone, come, or different."""
    before, after = {item.name: item for item in old}, {item.name: item for item in new}
    for name in (name for name in before if name not in after):
        yield Change("narrowing", f"{path}.{name}", f"No longer there: {describe(before[name])}")
    for name in (name for name in after if name not in before):
        yield Change("widening", f"{path}.{name}", f"New: {describe(after[name])}")
    for name in (name for name in before if name in after):
        yield from _fields(before[name], after[name], f"{path}.{name}", f"“{said(name)}”")


def _destinations(old: Charter, new: Charter) -> Iterator[Change]:
    before, after = {item.name: item for item in old.destinations}, {item.name: item for item in new.destinations}
    for name in (name for name in before if name in after and type(before[name]) is not type(after[name])):
        yield Change("widening", f"destinations.{name}", f"“{said(name)}” is now told in another way.")
    alike = [name for name in before if name not in after or type(before[name]) is type(after[name])]
    yield from _named(
        "destinations",
        tuple(before[name] for name in alike),
        tuple(item for name, item in after.items() if name in alike or name not in before),
        lambda item: f"messages to “{said(item.name)}” ({item.who}).",
    )


def _sources(old: Charter, new: Charter) -> Iterator[Change]:
    kinds = {source.name: type(source) for source in new.sources}
    same = tuple(source for source in old.sources if kinds.get(source.name, type(source)) is type(source))
    for was in old.sources:
        if was not in same:
            yield Change("widening", f"sources.{was.name}", f"“{said(was.name)}” is now another kind of camera.")
    changed = {source.name for source in old.sources} - {source.name for source in same}
    others = tuple(source for source in new.sources if source.name not in changed)
    yield from _named("sources", same, others, lambda source: f"the camera at {source.place.name}.")
    for was in old.sources:
        now = next((source for source in new.sources if source.name == was.name), None)
        if now is not None:
            yield from _source(was, now)


def _source(was: Source, now: Source) -> Iterator[Change]:
    path, who = f"sources.{was.name}", f"“{said(was.name)}”"
    yield from _fields(was.place, now.place, f"{path}.place", who)
    if was.view is not None and now.view is not None:
        yield from _fields(was.view, now.view, f"{path}.view", who)
    if was.conditions is not None and now.conditions is not None:
        yield from _fields(was.conditions, now.conditions, f"{path}.conditions", who)
    if was.picture is not None and now.picture is not None:
        yield from _fields(was.picture, now.picture, f"{path}.picture", who)
    yield from _named(f"{path}.zones", was.zones, now.zones, lambda zone: f"the area “{said(zone.name)}” of {who}.")


def _analytics(old: Charter, new: Charter) -> Iterator[Change]:
    before = {analytic.name: analytic for analytic in old.analytics}
    after = {analytic.name: analytic for analytic in new.analytics}
    for name in (name for name in before if name not in after):
        yield Change(
            "narrowing", f"analytics.{name}", f"“{said(name)}” is gone. It no longer: {sentence(old, before[name])}"
        )
    for name in (name for name in after if name not in before):
        told = f"“{said(name)}” is new. {sentence(new, after[name])}{_in_place_of(old, new, after[name])}"
        yield Change("widening", f"analytics.{name}", told)
    for name in (name for name in before if name in after):
        yield from _analytic(old, before[name], new, after[name])


def _in_place_of(old: Charter, new: Charter, now: Analytic) -> str:
    """What a new name leaves behind: tests and stops of limits go by names."""
    kept = {analytic.name for analytic in new.analytics}
    for was in old.analytics:
        alike = type(was) is type(now) and (was.source, was.zone) == (now.source, now.zone)
        if alike and was.name not in kept and old.limits_of(was.name) is not None:
            return (
                f" “{said(was.name)}”, which is gone, looked for the same at the same place: what was counted for its "
                "limits, and that a limit stopped it, does not count for the new name."
            )
    return ""


def _analytic(old: Charter, was: Analytic, new: Charter, now: Analytic) -> Iterator[Change]:
    path, who = f"analytics.{was.name}", f"“{said(was.name)}”"
    if type(was) is not type(now):
        yield Change(
            "widening", path, f"{who} now does something else. {sentence(new, now)} Before: {sentence(old, was)}"
        )
        return
    if isinstance(was, PlugIn) and isinstance(now, PlugIn):
        yield from _named(
            f"{path}.settings",
            was.numbers,
            now.numbers,
            lambda item: f"“{item.name}” of {who}, set to {plain(item.value)}.",
        )
    for change in _fields(was, now, path, who):
        more = set(getattr(was, "of", ())) < set(getattr(now, "of", ()))
        yield _also(new, was, now) if more and change.path == f"{path}.of" else change


def _also(charter: Charter, was: Analytic, now: Analytic) -> Change:
    kinds = [kind for kind in getattr(now, "of", ()) if kind not in getattr(was, "of", ())]
    things = listed([_MANY[kind] for kind in kinds])
    place = charter.source(now.source).place.name
    return Change(
        "widening",
        f"analytics.{now.name}.of",
        f"The camera at {place} may now also look for {things} (“{said(now.name)}”).",
    )


_MANY: Final = {
    "person": "people",
    "vehicle": "vehicles",
    "bicycle": "bicycles",
    "bag": "bags",
    "cart": "carts",
    "skateboard": "skateboards",
}


def _safeguards(old: Safeguards, new: Safeguards) -> Iterator[Change]:
    yield from _fields(old, new, "safeguards", "")
    yield from _fields(old.public_view, new.public_view, "safeguards.public_view", "")
    yield from _fields(old.retention, new.retention, "safeguards.retention", "")
    yield from _fields(old.review, new.review, "safeguards.review", "")
    if old.review.seeded_checks is not None and new.review.seeded_checks is not None:
        at = "safeguards.review.seeded_checks"
        yield from _fields(old.review.seeded_checks, new.review.seeded_checks, at, "")
    if old.samples is not None and new.samples is not None:
        yield from _fields(old.samples, new.samples, "safeguards.samples", "")
    if old.reports is not None and new.reports is not None:
        yield from _fields(old.reports, new.reports, "safeguards.reports", "")
    if old.on_suspension is not None and new.on_suspension is not None:
        yield from _fields(old.on_suspension, new.on_suspension, "safeguards.on_suspension", "")
    yield from _sealed(old, new)


def _quality(old: Charter, new: Charter, was: Quality, now: Quality) -> Iterator[Change]:
    """Limits that come, go, tighten or loosen; where they go, nothing stops the analytic by itself any more."""
    yield from _fields(was, now, "quality", "")
    before, after = {limits.name: limits for limits in was.limits}, {limits.name: limits for limits in now.limits}
    for name in (name for name in before if name not in after):
        lost = limits_said(before[name])
        yield Change("widening", f"quality.{name}", f"“{said(name)}” has no limits any more. Before: {lost}.")
    for name in (name for name in after if name not in before):
        yield Change(
            "narrowing", f"quality.{name}", f"“{said(name)}” now has limits, and stops when it crosses one: "
            f"{limits_said(after[name])}."
        )  # fmt: skip
    for name in (name for name in before if name in after):
        yield from _limits(old, new, before[name], after[name])


def _limits(old: Charter, new: Charter, was: QualityLimits, now: QualityLimits) -> Iterator[Change]:
    path, who = f"quality.{was.name}", f"“{said(was.name)}”"
    if rule_of(old, was.name) != rule_of(new, now.name):
        trial = " It is on trial again, until its alerts have shown that it keeps them." if now.trial_ms else ""
        yield Change("maintenance", path, f"{who} works by another model or rule: its limits are counted anew.{trial}")
        yield from _fields(was, now, path, who)
        return
    anew = begun_anew(old, new, was.name)
    for change in _fields(was, now, path, who):
        limit = change.path.rpartition(".")[2]
        told = " It is counted anew." if limit in anew else " What was counted so far still counts."
        yield replace(change, sentence=change.sentence + told) if limit in now.stated else change
    if is_sooner(old, new) and "reviewed_in_time_at_least" in anew:
        told = f"There is less time for alerts of {who}: how many are looked at in time is counted anew."
        yield Change("maintenance", path, told)


def _sealed(old: Safeguards, new: Safeguards) -> Iterator[Change]:
    """What changes about original video, for residents: what is kept, and who can open it."""
    if old.record is not None and new.record is not None:
        changes = [*_fields(old.record, new.record, "safeguards.record", "")]
        only = [change for change in changes if change.path == "safeguards.record.when"]
        yield from only or changes  # all the time: nothing is before or after
    yield from _named(
        "safeguards.custodians",
        old.custodians,
        new.custodians,
        lambda custodian: f"“{said(custodian.name)}” keeps keys to original video.",
    )
    if old.release is not None and new.release is not None:
        yield from _fields(old.release, new.release, "safeguards.release", "")
        if old.release.break_glass is not None and new.release.break_glass is not None:
            yield from _fields(old.release.break_glass, new.release.break_glass, "safeguards.release.break_glass", "")
    was, now = AccessLog(old.log_uses), AccessLog(new.log_uses)
    yield from _fields(was, now, "safeguards.access_log", "")


def _witnesses(old: Oversight, new: Oversight) -> Iterator[Change]:
    before, after = {w.key: w for w in old.witnesses}, {w.key: w for w in new.witnesses}
    path = "oversight.witnesses"
    for key in (key for key in before if key not in after):
        yield Change("widening", path, f"{key.partition('+')[0]} no longer keeps watch on the ledger.")
    for key in (key for key in after if key not in before):
        yield Change("narrowing", path, f"{key.partition('+')[0]} now keeps watch on the ledger.")
    for key in (key for key in before if key in after):
        yield from _fields(before[key], after[key], path, "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
