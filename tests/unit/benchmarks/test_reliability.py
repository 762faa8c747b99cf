"""Out-of-sample reliability: against worlds whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from evaluate_calibration import gathered
from kinds_score import Told
from reliability import figures_of, judged


def world(n: int, *, honest: bool, clips: int = 10) -> list[Told]:
    """Incidents whose score is how likely they are right; or has nothing to do with it."""
    rng = np.random.default_rng(3)
    scores = rng.uniform(0, 1, n).round(3)
    right = rng.random(n) < (scores if honest else 0.8)
    return [Told(float(s), bool(r), f"clip {i % clips}") for i, (s, r) in enumerate(zip(scores, right, strict=True))]


def test_what_is_said_comes_true_and_beats_the_base_rate() -> None:
    found = judged(world(2000, honest=True))
    assert found.error < 0.05
    assert found.brier < found.base_brier - 0.05
    assert sum(n for _, _, n in found.bins) == 2000
    assert [said for said, _, _ in found.bins] == sorted(said for said, _, _ in found.bins)
    low, high = found.spread()
    assert low <= found.error <= high


def test_scores_that_mean_nothing_are_not_made_to_mean_something() -> None:
    found = judged(world(2000, honest=False))
    assert found.brier == pytest.approx(found.base_brier, abs=0.01)


def test_a_clip_is_never_judged_by_itself() -> None:
    """One clip is all wrong with the highest scores: what is said of it comes from the others, where all were right."""
    told = [Told(0.5 + i / 1000, True, f"clip {i % 3}") for i in range(60)]
    found = judged([*told, *(Told(0.9, False, "bad") for _ in range(20))])
    bad = found.said[found.right == 0]
    assert (bad > 0.95).all()
    assert found.error > 0.2


def test_too_little_is_null_and_says_so() -> None:
    told = [Told(0.5, i % 10 > 0, f"clip {i}") for i in range(29)]
    (one,) = figures_of("fall", told, "made for this test")
    assert one["value"] is None
    assert "not enough data" in one["note"]
    error, brier = figures_of("fall", [*told, *(Told(0.4, False, f"more {i}") for i in range(5))], "made")
    assert error["value"] is not None
    assert brier["against"].startswith("always saying the base rate")
    assert sum(n for _, _, n, _, _ in error["bins"]) == 34


def test_real_clips_count_alone_unless_nothing_real_was_right() -> None:
    def row(name: str, *told: tuple[float, int, str]) -> dict[str, object]:
        return {"name": name, "note": f"{name}; more", "told": [list(one) for one in told]}

    found = gathered(
        [
            row("stopped_vehicle_false_per_hour", (0.6, 0, "highway")),
            row("stopped_vehicle_synthetic_false_per_hour", (0.7, 1, "stop0"), (0.8, 1, "stop1")),
            row("wrong_way_false_per_hour", (0.9, 1, "PETS 0 s")),
            row("fall_precision", (0.5, 1, "fall-01")),
            {"name": "gate_recall", "note": ""},
        ]
    )
    assert {kind: (len(told), synthetic) for kind, (told, synthetic, _) in found.items()} == {
        "stopped_vehicle": (3, True),
        "wrong_way": (1, False),
        "fall": (1, False),
    }
