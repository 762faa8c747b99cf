"""Renders a compliance audit's report. The file needs nothing else: no script, no picture, no address of anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

STATES: Final = {
    "kept": "Kept",
    "broken": "Broken",
    "unseen": "Cannot be told",
    "pending": "Not promised by this version",
}
_ORDER: Final = ("broken", "kept", "unseen", "pending")


def render(audit: Mapping[str, Any]) -> str:
    """The page.

    Args:
        audit: what ``watchglass audit --json`` prints.
    """
    return _environment().get_template("report.html").render(audit=audit, groups=_groups(audit))


def _groups(audit: Mapping[str, Any]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    """The findings by state, what is broken first: (state, its heading, findings)."""
    findings = audit["findings"]
    grouped = ((state, STATES[state], [each for each in findings if each["state"] == state]) for state in _ORDER)
    return [group for group in grouped if group[2]]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("watchglass.web.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = lambda number: f"{number:,}"
    made.filters["listed"] = lambda numbers: ", ".join(f"{number:,}" for number in numbers)
    return made
