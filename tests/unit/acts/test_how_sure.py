"""What scores were worth on test clips, in words that people can use."""

from __future__ import annotations

import dataclasses

import pytest

from watchglass.acts.how_sure import Step, about, of_alert, on_test_clips
from watchglass.perception.calibration import Calibration, Known
from watchglass.review.model import Alert, AlertState
from watchglass.statistics.isotonic import Block, Curve

TABLE = Calibration(
    "ab",
    {
        "intrusion": Known(Curve((Block(0.4, 7, 14), Block(0.6, 50, 62))), synthetic=False, about="PETS"),
        "crowd_surge": Known(Curve((Block(0.5, 29, 38),)), synthetic=True, about="made"),
    },
)
ALERT = Alert(
    id="0" * 16, source="cam", analytic="a", kind="intrusion", zone=None, purpose="p", charter="c", at_ms=0,
    raised_ms=0, due_ms=1, score_per_mille=700, why="w", facts={}, boxes=(), state=AlertState.WAITING,
    leaf_hash=bytes(32),
)  # fmt: skip


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.05, "about 5 of 100"),
        (0.06, "about 1 of 10"),
        (0.5, "about 5 of 10"),
        (0.81, "about 8 of 10"),
        (0.949, "about 9 of 10"),
        (0.97, "about 97 of 100"),
        (0.999, "about 99 of 100"),
        (0.001, "about 1 of 100"),
    ],
)
def test_natural_frequencies_that_never_say_always(probability: float, words: str) -> None:
    assert about(probability) == words


def test_an_alert_says_how_often_such_alerts_were_right_and_of_how_many() -> None:
    sure = round(1000 * TABLE.probability("intrusion", 0.7))  # type: ignore[arg-type] # the kind is known
    sentence = of_alert(TABLE, dataclasses.replace(ALERT, probability_per_mille=sure))
    assert sentence == "On test clips, about 8 of 10 such alerts were right (n\u00a0=\u00a062)."


def test_made_clips_are_called_so() -> None:
    alert = dataclasses.replace(ALERT, kind="crowd_surge", probability_per_mille=750)
    assert of_alert(TABLE, alert) == (
        "On made-up test clips (synthetic), about 8 of 10 such alerts were right (n\u00a0=\u00a038)."
    )


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert of_alert(TABLE, ALERT) is None
    assert on_test_clips(TABLE, "fall") is None


def test_what_an_older_table_said_is_said_without_its_number() -> None:
    for kind in ("intrusion", "fall"):
        sentence = of_alert(TABLE, dataclasses.replace(ALERT, kind=kind, probability_per_mille=300))
        assert sentence == "On test clips, about 3 of 10 such alerts were right."


def test_a_kind_has_its_steps() -> None:
    known = on_test_clips(TABLE, "intrusion")
    assert known is not None
    assert known.steps == (Step(40, "about 5 of 10", 14), Step(60, "about 8 of 10", 62))
