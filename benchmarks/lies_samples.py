"""Lies about what was not alerted, and is looked at by lot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dishonest import Lie
from lies_running import running, some_look
from made_life import Life
from made_samples import WHOLE, answer, counting, looked_at, near, take
from made_town import Search, Story
from watchglass.charter.permit import RaiseAlert, TakeSample
from watchglass.core.time import DAY, MINUTE
from watchglass.runtime.specs import samples_of

SAMPLES: Final = "samples"
LOOKED: Final = {
    "samples": True,
    "days": 1.5,
    "sealing": False,
    "heartbeat_ms": None,
    "cases": 0,
    "asides": 0.0,
    "alerts_a_day": 1.0,
}


def moment(life: Life) -> Search[tuple[str, object]]:
    """An analytic that runs, and the charter's yes to looking at a moment of it."""
    yield from running(life)
    name = some_look(life)
    permit = life.town.permit(TakeSample(name, life.town.now))
    assert permit is not None
    return name, permit


def without_clause(life: Life) -> Story:
    """People look at what was not alerted, and the charter says nothing of it."""
    yield from running(life)
    name = some_look(life)
    permit = life.town.permit(RaiseAlert(name))  # to raise alerts it may
    made = take(life, name, permit, kind="near", number=3, below=WHOLE // 5, band="near", closeness=600)
    life.town.planted.append(made.leaf)


def undrawn(life: Life) -> Story:
    """Somebody picks a moment on which the lot did not fall."""
    name, permit = yield from moment(life)
    asked = samples_of(life.town.charter)
    assert asked is not None
    made = take(life, name, permit, kind="near", number=asked.near, below=asked.near, band="near", closeness=600)
    life.town.planted.append(made.leaf)


def another_chance(life: Life) -> Story:
    """More is looked at than the charter says."""
    name, permit = yield from moment(life)
    made = take(life, name, permit, kind="near", number=7, below=WHOLE, band="near", closeness=600)
    life.town.planted.append(made.leaf)


def left_out(life: Life) -> Story:
    """The lot falls on a moment, and nobody is asked."""
    name, _ = yield from moment(life)
    asked = samples_of(life.town.charter)
    assert asked is not None
    life.near.append((life.town.now // DAY * DAY, name, {"number": 1, "below": asked.near, "band": "near"}))
    yield DAY - life.town.now % DAY + 1  # right after midnight, before the house itself counts
    life.town.planted.append(counting(life, life.town.now // DAY * DAY - DAY)[name])


def another_count(life: Life) -> Story:
    """A near-miss that was taken is left out of the count, as if nothing had come near."""
    name, permit = yield from moment(life)
    made = near(life, name, permit, number=0)
    assert made is not None
    life.town.planted.append(made.leaf)
    life.near.pop()
    yield 1


def twice(life: Life) -> Story:
    """A sample is judged again until the answer is liked."""
    name, permit = yield from moment(life)
    made = near(life, name, permit, number=0)
    assert made is not None
    yield MINUTE
    answer(life, made)
    yield MINUTE
    again = answer(life, made)
    assert again is not None
    life.town.planted.append(again)


def outlives(life: Life) -> Story:
    """The clip of a sample is kept for ever."""
    name, permit = yield from moment(life)
    made = near(life, name, permit, number=0)
    assert made is not None
    yield MINUTE
    life.town.planted.append(made.leaf)
    yield from looked_at(life, made)
    life.sins.add("keep-samples")
    yield 4 * DAY


def _lie(name: str, told: str, play: Callable[[Life], Story], **changes: object) -> Lie:
    return Lie(name, told, (SAMPLES,), play, depth="openings", changes={**LOOKED, **changes})


ABOUT_SAMPLES: Final[tuple[Lie, ...]] = (
    _lie(
        "sampled-without-clause",
        "People look at what was not alerted, and the charter says nothing of it.",
        without_clause,
        samples=False,
    ),
    _lie("sampled-undrawn", "Somebody picks a moment on which the lot did not fall.", undrawn),
    _lie("sampled-more-often", "More of what was not alerted is looked at than the charter says.", another_chance),
    _lie("sample-left-out", "The lot falls on a moment, and nobody is asked.", left_out, days=3.0),
    _lie("near-miss-not-counted", "A near-miss that was looked at stands in no count.", another_count, days=6.0),
    _lie("sample-judged-twice", "A sample is judged again until the answer is liked.", twice),
    _lie("sample-outlives", "Clips of what was not alerted are kept for ever.", outlives, days=6.0),
)
