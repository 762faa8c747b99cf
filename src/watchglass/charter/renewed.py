"""Whether a new charter changes what an analytic's limits were tested on, so that their tests begin anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from watchglass.charter.limits import LIMITS, LimitName
from watchglass.charter.model import Charter, PlugIn
from watchglass.charter.quality_told import tightened
from watchglass.charter.scene import HasName

_Item = TypeVar("_Item", bound=HasName)


def rule_of(charter: Charter, analytic: str) -> tuple[Any, ...] | None:
    """What makes an analytic the one that was tested: its rule, zone, view, model and code.

    Equal for two charters where nothing of that changed; its hours, whom it tells and what its zone is called are no
    part of it. None where the charter has no such analytic.
    """
    found = _named(charter.analytics, analytic)
    if found is None:
        return None
    source, model = _named(charter.sources, found.source), _named(charter.models, found.model)
    zone = _named(source.zones, found.zone) if source is not None else None
    code = _named(charter.plug_ins, found.plug_in) if isinstance(found, PlugIn) else None
    return (
        found.kind,
        found.source,
        sorted(found.settings.items()),
        zone and replace(zone, name=""),
        source and source.view,
        model and model.digest,
        code and code.digest,
    )


def _named(items: tuple[_Item, ...], name: str | None) -> _Item | None:
    return next((item for item in items if item.name == name), None)


def is_sooner(old: Charter, new: Charter) -> bool:
    """Whether people have less time to decide than before: then what was in time counts no more for what is."""
    return new.safeguards.review.within_ms < old.safeguards.review.within_ms


def begun_anew(old: Charter, new: Charter, analytic: str) -> tuple[LimitName, ...]:
    """The limits of an analytic that are counted anew under another charter; the others keep what was counted.

    All of them where its model or its rule changed, and otherwise those that are tighter or new, or compare other
    strata; and the one about review in time where people have less time.
    """
    before, after = old.limits_of(analytic), new.limits_of(analytic)
    if after is None:
        return ()
    if before is None or rule_of(old, analytic) != rule_of(new, analytic):
        return after.stated
    others = set(before.strata) != set(after.strata) and after.disparity_at_most is not None
    sooner = is_sooner(old, new) and after.reviewed_in_time_at_least is not None
    also = {"disparity_at_most": others, "reviewed_in_time_at_least": sooner}
    return tuple(
        limit
        for limit in LIMITS
        if tightened(limit, getattr(before, limit), getattr(after, limit)) or also.get(limit, False)
    )
