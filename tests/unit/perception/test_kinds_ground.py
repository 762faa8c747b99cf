"""The ground plane: metres from pixels, and every way in which its points can be wrong."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.ground import Ground

# A camera that looks along Y: the far side of a 10 m x 20 m field is half as wide in the picture.
FIELD = ((100.0, 500.0, 0.0, 0.0), (700.0, 500.0, 10.0, 0.0), (550.0, 200.0, 10.0, 20.0), (250.0, 200.0, 0.0, 20.0))


def test_the_points_are_where_they_were_measured() -> None:
    ground = Ground(FIELD)
    table = np.array(FIELD)
    assert ground.metres(table[:, :2]) == pytest.approx(table[:, 2:], abs=1e-6)
    assert ground.pixels(table[:, 2:]) == pytest.approx(table[:, :2], abs=1e-6)
    assert ground.worst_m == pytest.approx(0, abs=1e-6)
    assert ground.exact


def test_far_pixels_are_longer_than_near_ones_and_areas_follow() -> None:
    ground = Ground(FIELD)
    assert ground.area(((100, 500), (700, 500), (550, 200), (250, 200))) == pytest.approx(200)
    (near,) = np.diff(ground.metres(np.array([[400.0, 490.0], [400.0, 480.0]])), axis=0)
    (far,) = np.diff(ground.metres(np.array([[400.0, 220.0], [400.0, 210.0]])), axis=0)
    assert far[1] > 2 * near[1] > 0


def test_more_points_are_fitted_by_least_squares() -> None:
    exact = Ground(FIELD)
    spots = np.array([[x, y] for x in (1.0, 5.0, 9.0) for y in (1.0, 8.0, 18.0)])
    noise = np.random.default_rng(1).normal(0, 1.0, spots.shape)
    seen = exact.pixels(spots) + noise
    fitted = Ground(tuple((*p, *m) for p, m in zip(seen.tolist(), spots.tolist(), strict=True)))
    assert fitted.worst_m < 0.5
    assert np.abs(fitted.metres(exact.pixels(spots)) - spots).max() < 0.5


def test_what_lies_beyond_the_horizon_is_nowhere() -> None:
    ground = Ground(FIELD)
    assert np.isnan(ground.metres(np.array([[400.0, -200.0]]))).all()
    with pytest.raises(BadInput, match="beyond the horizon"):
        ground.area(((100, 500), (700, 500), (400, -200)))


def test_a_scale_alone_is_rough_and_says_so() -> None:
    ground = Ground.flat(0.05)
    assert not ground.exact
    assert ground.area(((0, 0), (100, 0), (100, 100), (0, 100))) == pytest.approx(25)
    with pytest.raises(BadInput, match="none"):
        Ground.flat(0)


def test_a_ground_goes_to_a_worker_and_is_equal_there() -> None:
    ground = Ground(FIELD)
    again = pickle.loads(pickle.dumps(ground))
    assert again == ground
    assert again.metres(np.array([[400.0, 300.0]])) == pytest.approx(ground.metres(np.array([[400.0, 300.0]])))


MIRRORED = tuple((x, y, a, -b) for x, y, a, b in FIELD)
EXCHANGED = (FIELD[0], (*FIELD[1][:2], *FIELD[2][2:]), (*FIELD[2][:2], *FIELD[1][2:]), FIELD[3])


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (FIELD[:3], "at least four"),
        ((*FIELD[:3], (1.0, 2.0, float("nan"), 3.0)), "at least four"),
        (tuple((100.0 + 50 * i, 300.0, float(i), 0.1 * i * i) for i in range(4)), "one line in the picture"),
        (tuple((x, y, a, 0.0) for x, y, a, _ in FIELD), "one line in the ground"),
        (MIRRORED, "mirrored"),
        (EXCHANGED, "mixed up"),
        ((*FIELD, (400.0, 350.0, 5.0, 25.0)), "do not fit|mixed up"),
    ],
)
def test_points_that_cannot_be_a_plane_are_refused(points: tuple[tuple[float, ...], ...], says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        Ground(points)  # type: ignore[arg-type] # as it may come from a charter
    assert refused.value.fix
