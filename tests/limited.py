"""The demo's charter without its limits, and edits that give a test's charter limits of its own."""

from __future__ import annotations

import re

LIMITS = """quality:
  on-the-lawn:
    expected_alerts_per_week: 200
    precision_at_least: 0.8
    trial: 30d
"""
_STATED = re.compile(r"(?:^#.*\n)*^quality:\n(?:  .*\n)+\n?", re.MULTILINE)


def without_limits(text: str) -> str:
    """A charter's text without what it says of quality: most tests are about what is trusted already."""
    return _STATED.sub("", text)


def limited(quality: str = LIMITS, matures: str = "1d") -> tuple[tuple[str, str], ...]:
    """Edits of a world's charter: these limits, and when an alert is final at the latest."""
    return (
        ("\nledger:", f"\n{quality}ledger:"),
        ("  review: {within: 2m", f"  review: {{within: 2m, matures: {matures}"),
    )
