"""Edits that give a test's charter limits of its own, whatever limits the demo's charter states."""

from __future__ import annotations

import re

from watchglass.demo import CHARTER

LIMITS = """quality:
  on-the-lawn:
    expected_alerts_per_week: 200
    precision_at_least: 0.8
    trial: 30d
"""


def limited(quality: str = LIMITS, matures: str = "1d") -> tuple[tuple[str, str], ...]:
    """Edits of the demo's charter: these limits, and when an alert is final at the latest."""
    text = CHARTER.read_text("utf-8")
    stated = re.search(r"\nquality:\n(?:  .*\n)+", text)
    old = stated.group() if stated else "\nledger:"
    review = re.search(r"\n  review: \{(.*)\}", text)
    assert review is not None
    return (
        (old, f"\n{quality}" + ("" if stated else "\nledger:")),
        (review.group(), f"\n  review: {{{review.group(1)}, matures: {matures}}}"),
    )
