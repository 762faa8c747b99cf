"""Lies about where a year begins: what was before is told otherwise to whoever does not read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dishonest import Lie
from lies_running import running
from made_life import Life
from made_log import root_of
from made_stories import begins, signed_audit, was_seen
from made_town import Story
from made_years import state_of
from watchglass.core.time import HOUR, MINUTE
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey

YEARS: Final = "years"


def _head(life: Life) -> Checkpoint:
    published = life.town.log.published
    assert published is not None
    return published.checkpoint


def _seen(life: Life, size: int) -> Story:
    """Wait until the log records that witnesses saw so many entries."""
    while not was_seen(life.town.log.entries[size:], size):
        yield MINUTE


def another_past(life: Life) -> Story:
    """Whoever begins with the year is told another past."""
    yield from running(life)
    town, head = life.town, _head(life)
    yield from _seen(life, head.size)
    town.planted.append(begins(town, head, b"nothing happened"))


def unseen(life: Life) -> Story:
    """The year begins after entries that no witness has seen yet."""
    yield from running(life)
    town, log = life.town, life.town.log
    while not was_seen(log.entries, 1) or was_seen(log.entries, len(log.entries)):
        yield MINUTE
    size = len(log.entries)
    head = Checkpoint(town.origin, size, root_of(log.entries))
    town.planted.append(begins(town, head, state_of(log.entries, town.origin, size)))


def twice(life: Life) -> Story:
    """A year begins rightly, and an hour later once more."""
    yield from running(life)
    town, head = life.town, _head(life)
    yield from _seen(life, head.size)
    begins(town, head, state_of(town.log.entries, town.origin, head.size))
    yield HOUR
    later = _head(life)
    yield from _seen(life, later.size)
    town.planted.append(begins(town, later, state_of(town.log.entries, town.origin, later.size)))


def too_early(life: Life) -> Story:
    """The year after this one begins already."""
    yield from running(life)
    town, head = life.town, _head(life)
    yield from _seen(life, head.size)
    town.planted.append(begins(town, head, state_of(town.log.entries, town.origin, head.size), years=1))


def _rests(life: Life, audit: Callable[[Life, Checkpoint, bytes], bytes]) -> Story:
    """The year begins rightly, but for what it rests on."""
    yield from running(life)
    town, head = life.town, _head(life)
    state = state_of(town.log.entries, town.origin, head.size)
    signed = audit(life, head, state)
    yield from _seen(life, head.size)
    while signed not in town.log.places:
        yield MINUTE
    town.planted.append(begins(town, head, state, audit=signed))


def on_an_earlier_audit(life: Life) -> Story:
    """The year is said to rest on an audit of fewer entries."""

    def audit(life: Life, head: Checkpoint, _: bytes) -> bytes:
        town, size = life.town, head.size - 1
        early = Checkpoint(town.origin, size, root_of(town.log.entries[:size]))
        return signed_audit(town, early, state_of(town.log.entries, town.origin, size))

    yield from _rests(life, audit)


def on_nobodys_audit(life: Life) -> Story:
    """The house publishes the audit in oversight's name that the year rests on."""

    def audit(life: Life, head: Checkpoint, state: bytes) -> bytes:
        town = life.town
        liar = SignerKey.generate(town.keys["oversight-office"].name, town.entropy)
        made = signed_audit(town, head, state, key=liar)
        town.planted.append(made)
        return made

    yield from _rests(life, audit)


SHORT: Final = {"days": 1.2, "asides": 0.0, "cases": 0}
"""Long enough: a year may begin late."""

LIES_OF_YEARS: Final = (
    Lie(
        "another-past",
        "A year begins with a state that the entries before it do not leave.",
        (YEARS,),
        another_past,
        changes=SHORT,
    ),
    Lie("year-unseen", "A year begins after entries that no witness had seen.", (YEARS,), unseen, changes=SHORT),
    Lie("year-twice", "A year begins twice.", (YEARS,), twice, changes=SHORT),
    Lie("year-too-early", "A year begins before its first day.", (YEARS,), too_early, changes=SHORT),
    Lie(
        "year-earlier-audit",
        "A year is said to rest on an audit of fewer entries.",
        (YEARS,),
        on_an_earlier_audit,
        changes=SHORT,
    ),
    Lie(
        "year-nobodys-audit",
        "A year is said to rest on an audit that the house signed in oversight's name.",
        (YEARS, "signatures"),
        on_nobodys_audit,
        changes=SHORT,
    ),
)
