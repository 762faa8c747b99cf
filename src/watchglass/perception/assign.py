"""Who belongs to whom: the cheapest one-to-one assignment, exact."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FORBIDDEN: Final = 1e6
"""A cost that no pair may have; such pairs are left out of the result."""


def assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost; every row or every column takes part, unless forbidden.

    Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(rows² · columns) with the inner
    loop in NumPy: exact, deterministic, and fast enough for the few dozen things in one picture.

    Args:
        cost: (n, m) finite costs; ``FORBIDDEN`` or more where a pair must not be.
    """
    rows, columns = cost.shape
    if not rows or not columns:
        return []
    if rows > columns:
        return sorted((r, c) for c, r in assign(cost.T))
    row_price = np.zeros(rows)
    column_price = np.zeros(columns)
    owner = np.full(columns, -1)
    for row in range(rows):
        _augment(cost, row, row_price, column_price, owner)
    return sorted((int(r), c) for c, r in enumerate(owner) if r >= 0 and cost[r, c] < FORBIDDEN)


def _augment(
    cost: NDArray[np.float64],
    start: int,
    row_price: NDArray[np.float64],
    column_price: NDArray[np.float64],
    owner: NDArray[np.int_],
) -> None:
    """Find the shortest path from row ``start`` to a free column, and change owners along it."""
    columns = cost.shape[1]
    shortest = np.full(columns, np.inf)
    previous = np.full(columns, -1)
    done = np.zeros(columns, bool)
    row, column, reached = start, -1, [start]
    while True:
        reach = cost[row] - row_price[row] - column_price
        if column >= 0:
            reach = reach + shortest[column]
        better = ~done & (reach < shortest)
        shortest[better] = reach[better]
        previous[better] = column
        column = int(np.argmin(np.where(done, np.inf, shortest)))
        done[column] = True
        if owner[column] < 0:
            break
        row = int(owner[column])
        reached.append(row)
    least = shortest[column]
    passed = done.copy()
    passed[column] = False
    row_price[start] += least
    for c in np.flatnonzero(passed):
        row_price[owner[c]] += least - shortest[c]
        column_price[c] -= least - shortest[c]
    while column >= 0:
        before = int(previous[column])
        owner[column] = owner[before] if before >= 0 else start
        column = before
