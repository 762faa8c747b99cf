"""Damaged video through the whole line: whatever was done to a file, it ends, and what was lost is told.

Ten thousand such inputs are ``watchglass bench fuzz``; these are the first of them. A failure names its number, which
makes the same bytes again: ``python benchmarks/fuzz.py NUMBER``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from fuzz import Canary, Outcome, Walking, make, play
from mutations import KINDS, Original, case, originals

HUNDREDS = range(3)


@pytest.fixture(scope="module")
def found() -> tuple[Original, ...]:
    return originals()


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """FFmpeg has something to say about each of them."""
    level = av.logging.get_level()
    av.logging.set_level(None)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
    av.logging.set_level(level)


@pytest.mark.parametrize("hundred", HUNDREDS)
def test_whatever_is_done_to_a_file_it_ends_and_what_was_lost_is_told(
    hundred: int, found: tuple[Original, ...], tmp_path: Path
) -> None:
    (tmp_path / "good.mp4").write_bytes(found[0].data)
    outcomes: list[Outcome] = []
    with Canary() as canary:
        for number in range(100 * hundred, 100 * hundred + 100):
            path, kind = make(number, found, tmp_path, canary.address)
            outcomes.append(play(path, number, kind, Walking()))
            path.unlink()
    assert [(o.number, o.stray) for o in outcomes if o.stray] == []
    assert [(o.number, o.kind, o.met) for o in outcomes if o.unreported] == []
    assert [o.number for o in outcomes if o.kind == "playlists" and o.frames] == []
    assert canary.asked == 0
    for outcome in outcomes:
        for word in outcome.told:
            if word.startswith("ended: "):
                assert word.count(". ") >= 1, f"{outcome.number} says what happened, not what to do: {word}"
    assert sum(bool(o.told) for o in outcomes) >= 40


def test_every_kind_of_damage_is_among_any_hundred_and_the_same_each_time(found: tuple[Original, ...]) -> None:
    cases = [case(number, found) for number in range(100, 200)]
    assert {each.kind for each in cases} == KINDS.keys()
    assert cases == [case(number, found) for number in range(100, 200)]
    sound = {original.data for original in found}
    assert sum(each.data in sound for each in cases) <= 3


def test_sound_videos_come_through_whole(found: tuple[Original, ...], tmp_path: Path) -> None:
    for number, one in enumerate(found):
        path = tmp_path / f"sound{one.suffix}"
        path.write_bytes(one.data)
        outcome = play(path, 4 * number + 1, "sound", Walking())
        assert (outcome.met, outcome.told, outcome.stray, outcome.frames) == ("", (), "", 30), one.suffix
