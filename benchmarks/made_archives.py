"""Entries of a made log that are archived: the record of it, rightly or not. (The entries stay: audits read them.)"""

from __future__ import annotations

from made_town import Town
from watchglass.ledger.tiles import FULL

KEEPER = "The town's archive"


def archives(town: Town, began: bytes, year: int, size: int, *, more: int = 0, keeper: str = KEEPER) -> bytes | None:
    """Record that what was before a year is archived, where that is a whole file at least; its leaf hash.

    Args:
        began: the leaf hash of the record that the year began, after ``size`` entries. more: files too many.
    """
    before = (size // FULL + more) * FULL
    if not before:
        return None
    clear = {"year": year, "before": before, "kept_by": keeper}
    return town.attest("entries_archived", under=None, clear=clear, refs=(began,))
