"""Acts: oversight publishes what an audit found, and tells of an incident that it had staged. The house only records.

Neither is judged here: a house that could turn away an audit of itself would be no watched one.
"""

from __future__ import annotations

from watchglass.acts.handed import Handed
from watchglass.core.errors import Refused


def publish_audit(handed: Handed) -> None:
    """Let everybody read what oversight found."""
    _may_audit(handed)


def tell_challenge(handed: Handed) -> None:
    """Let everybody read whether a staged incident was noticed."""
    _may_audit(handed)


def _may_audit(handed: Handed) -> None:
    if "audit" not in handed.charter.oversight.may:
        raise Refused(
            "The charter does not let oversight audit.",
            fix="`oversight.may` in the charter names what it may do: add `audit` in the next version. Until then "
            "publish the report elsewhere; anybody can audit.",
        )
