"""What is said of a public view with which one person can be followed (ADR 24)."""

from __future__ import annotations

from watchglass.charter.lint import lint
from watchglass.charter.parse import read

DEFAULT = "delay: 15m, hide_below: 3, grid_m: 1"


def said(edit, view: str, rule: str, deployment: str = "production") -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in lint(read(edit((DEFAULT, view))), deployment) if f.rule == rule]


def test_who_comes_alone_and_shows_at_once_can_be_gone_after(edit) -> None:
    ((severity, message),) = said(edit, "delay: 0s, hide_below: 0, grid_m: 1", "hide-below")
    assert severity == "warning"
    assert "go after them" in message


def test_who_comes_alone_and_shows_late_or_only_in_company_cannot(edit) -> None:
    ((_, late),) = said(edit, "delay: 15m, hide_below: 0, grid_m: 1", "hide-below")
    ((_, steady),) = said(edit, "delay: 0s, hide_below: 1, grid_m: 1", "hide-below")
    assert late == steady == "One person alone shows in the public view."
    assert not said(edit, "delay: 0s, hide_below: 2, grid_m: 1", "hide-below")


def test_a_grid_below_a_metre_is_warned_of_and_noted_in_a_demo(edit) -> None:
    assert not said(edit, "delay: 15m, hide_below: 3, grid_m: 1", "grid")
    assert [s for s, _ in said(edit, "delay: 15m, hide_below: 3, grid_m: 0.5", "grid")] == ["warning"]
    assert [s for s, _ in said(edit, "delay: 15m, hide_below: 3, grid_m: 0.5", "grid", "demo")] == ["notice"]
