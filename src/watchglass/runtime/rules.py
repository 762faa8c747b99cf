"""Puts a rule to work as the charter states it: one of ours, or a plug-in in its sandbox."""

from __future__ import annotations

from watchglass.core.errors import BadInput
from watchglass.edge.plugins.host import Sandboxed
from watchglass.edge.plugins.installed import plug_in
from watchglass.perception.analytics import Analytic, build
from watchglass.perception.messages import AnalyticSpec


def rule_of(spec: AnalyticSpec) -> Analytic:
    """The analytic behind ``spec``.

    Raises:
        BadInput: its settings cannot be used, or its plug-in is not the one that the charter pins.
    """
    if spec.kind != "plug_in":
        return build(spec)
    settings = dict(spec.settings)
    name, sha256, for_ms = settings.pop("plug_in", ""), settings.pop("sha256", ""), settings.pop("for_ms", 0)
    numbers = {key: float(value) for key, value in settings.items() if isinstance(value, int | float)}
    if not isinstance(for_ms, int) or len(numbers) != len(settings):
        raise BadInput(f"The settings of {spec.name!r} are not numbers.", fix="Correct them in the charter.")
    found = plug_in(str(name), str(sha256))
    return Sandboxed(found, found.checked(numbers), spec.zone, for_ms)
