"""Watches of change: they warn soon, seldom without cause, and go on from where they were kept."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.quality.drift import NORMAL, RUN_LENGTH, Watch, watch_from
from watchglass.statistics.detectors import after, begin, count_steps, forecast_steps, level, share_steps, warns_at


def fed(watch: Watch, outcomes: list[bool], said: int | None = None) -> tuple[Watch, int | None]:
    """The watch after these, and with which of them it warned."""
    for place, right in enumerate(outcomes):
        watch = watch.after(right=right, decided=True, said=said)
        if watch.warns:
            return watch, place + 1
    return watch, None


def test_every_bet_is_fair_while_nothing_has_changed() -> None:
    for limit in (1, 50, 400, 999):
        gains = np.exp(share_steps(limit, [False, True]))
        assert np.allclose(gains[0] * (1 - limit / 1000) + gains[1] * limit / 1000, 1)
    for said in (0.02, 0.5, 0.97):
        gains = np.exp(forecast_steps([said, said], [False, True]))
        assert np.allclose(gains[0] * (1 - said) + gains[1] * said, 1)
    counts = np.arange(200)
    for more in (True, False):
        chances = np.exp(-3.0 + counts * math.log(3.0) - np.array([math.lgamma(k + 1) for k in counts]))
        gains = np.exp(count_steps(counts, np.full(200, 3.0), more=more))[:, -32:]
        assert (chances @ gains <= 1 + 1e-6).all()


def test_the_sum_grows_by_one_where_bets_are_even() -> None:
    logs = begin(2)
    for count in range(1, 6):
        logs = after(logs, np.zeros(2))
        assert level(logs) == pytest.approx(math.log(count))
    with pytest.raises(BadInput, match="no run length"):
        warns_at(1)


def test_a_thousand_good_alerts_do_not_hide_a_turn() -> None:
    good = [place % 50 != 0 for place in range(1000)]
    watch, warned = fed(Watch("wrong"), good)
    assert (warned, watch.normal, watch.limit) == (None, NORMAL, 53)
    kept = watch_from(json.loads(json.dumps(watch.as_json())))
    assert kept == watch
    bad = [place % 10 != 0 for place in range(300)]
    watch, warned = fed(kept, bad)
    assert warned is not None
    assert warned < 250
    assert watch.evidence()["log_m"] >= 1000 * math.log(RUN_LENGTH)


def test_what_was_said_is_held_against_what_came_true() -> None:
    _, warned = fed(Watch("calibration"), [place % 10 < 8 for place in range(500)], said=800)
    assert warned is None
    _, warned = fed(Watch("calibration"), [place % 10 < 4 for place in range(500)], said=800)
    assert warned is not None
    assert warned < 40
    untold, warned = fed(Watch("calibration"), [False] * 50)
    assert (untold, warned) == (Watch("calibration"), None)
