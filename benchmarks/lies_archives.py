"""Lies about what is archived: a past that goes before anybody could have copied it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dishonest import Lie
from lies_running import running
from made_archives import archives
from made_life import Life
from made_stories import begins, draft, signed_audit, was_seen
from made_town import Story
from made_years import state_of
from watchglass.core.time import MINUTE, moment
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import FULL

ARCHIVED: Final = "archived"
Tell = Callable[[Life, bytes, int, int], bytes | None]
"""The lie, given the record that a year began, the year, and how many entries were before it."""


def _after(tell: Tell, *, audited: bool = True, seen: bool = True) -> Callable[[Life], Story]:
    def story(life: Life) -> Story:
        """A year begins, as it should; then what was before it is archived otherwise than it should be."""
        yield from running(life)
        town, log = life.town, life.town.log
        for _ in range(FULL):
            yield from draft(life)
        while log.published is None or log.published.checkpoint.size < FULL:
            yield MINUTE
        head: Checkpoint = log.published.checkpoint
        while not was_seen(log.entries[head.size :], head.size):
            yield MINUTE
        if audited:
            signed = signed_audit(town, head)
            while signed not in log.places:
                yield MINUTE
        began, year = begins(town, head, state_of(log.entries, town.origin, head.size)), moment(town.now).year
        while seen and (began not in log.places or not was_seen(log.entries, log.places[began] + 1)):
            yield MINUTE
        lie = tell(life, began, year, head.size)
        assert lie is not None
        town.planted.append(lie)

    return story


def _too_early(life: Life, began: bytes, year: int, size: int) -> bytes | None:
    return archives(life.town, began, year, size)


def _too_much(life: Life, began: bytes, year: int, size: int) -> bytes | None:
    return archives(life.town, began, year, size, more=1)


def _no_year(life: Life, began: bytes, year: int, size: int) -> bytes | None:
    del began
    return archives(life.town, leaf_hash(b"a year that nobody wrote down"), year, size)


def _twice(life: Life, began: bytes, year: int, size: int) -> bytes | None:
    archives(life.town, began, year, size)
    return archives(life.town, began, year, size, keeper="Nobody in particular")


SHORT: Final = {"days": 1.2, "asides": 0.0, "cases": 0, "year": False}

LIES_OF_ARCHIVES: Final = (
    Lie(
        "archived-too-early",
        "The past is archived on the day on which the year begins, and oversight has audited none of it.",
        (ARCHIVED,),
        _after(_too_early, audited=False),
        changes={**SHORT, "audits": False},
    ),
    Lie(
        "archived-unseen",
        "The past is archived before a witness has seen that the year began.",
        (ARCHIVED,),
        _after(_too_early, seen=False),
        changes=SHORT,
    ),
    Lie(
        "archived-too-much",
        "Entries of the year itself are archived with those from before it.",
        (ARCHIVED,),
        _after(_too_much),
        changes=SHORT,
    ),
    Lie(
        "archived-no-year",
        "The past is archived by the record of a year that never began.",
        (ARCHIVED, "refs"),
        _after(_no_year),
        changes=SHORT,
    ),
    Lie("archived-twice", "The same past is archived twice.", (ARCHIVED,), _after(_twice), changes=SHORT),
)
