"""``watchglass quality``: how well it works, and whom it fails: audit sets, disparity, what limits do."""

from __future__ import annotations

from typing import Any

from watchglass.cli import quality_bias, quality_reports, quality_simulate, quality_state


def add(subparsers: Any) -> None:
    """Add the command group."""
    group = subparsers.add_parser("quality", help="how well it works, and whom it fails")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    quality_bias.add(commands)
    quality_reports.add(commands)
    quality_simulate.add(commands)
    quality_state.add(commands)
