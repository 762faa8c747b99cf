"""What scores are worth: the rising step function that fits outcomes best, never saying "always" or "never".

Isotonic regression by pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution
function for sampling with incomplete information", Annals of Mathematical Statistics 26 (1955), 641-647), as Zadrozny
and Elkan calibrate with it ("Transforming classifier scores into accurate multiclass probability estimates", KDD 2002):
the higher the score, the likelier, and nothing else is assumed. What a block says is smoothed after Laplace,
(right + 1) / (n + 2).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

FEWEST: Final = 30
"""Incidents, right and wrong together, below which nothing is said about a kind."""

FEWEST_RARER: Final = 5
"""Incidents of the rarer outcome below which nothing is said: a kind that was never wrong may be so by chance."""

BLOCK: Final = 10
"""The fewest incidents that a block may rest on; smaller ones join the neighbour that says most nearly the same."""

NO_SCORE: Final = 1.0
"""Stands for the score of rules that give none: all their incidents are then one block."""


@dataclass(frozen=True, slots=True)
class Block:
    """Scores from ``least`` up to the next block's: ``right`` of ``n`` incidents were right."""

    least: float
    right: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.n or not self.n:
            raise ValueError(f"{self.right} of {self.n} is not a part of a whole")

    @property
    def probability(self) -> float:
        """Laplace's estimate, strictly between 0 and 1."""
        return (self.right + 1) / (self.n + 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """Blocks of rising scores that say more and more. Scores below the first block's are taken for its."""

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if not self.blocks:
            raise ValueError("a curve has one block at least")
        for low, high in pairwise(self.blocks):
            if low.least >= high.least or low.probability >= high.probability:
                raise ValueError("blocks must rise, in score and in what they say")

    def block(self, score: float | None) -> Block:
        """The block that a score (0..1; None where the rule gives none) falls into."""
        score = NO_SCORE if score is None else score
        return self.blocks[max(0, bisect_right(self.blocks, score, key=lambda b: b.least) - 1)]

    @property
    def n(self) -> int:
        """How many incidents it was learnt from."""
        return sum(block.n for block in self.blocks)


def enough(right: Sequence[bool]) -> bool:
    """Whether so many incidents, some right and some wrong, are enough to learn from."""
    rarer = min(sum(right), len(right) - sum(right))
    return len(right) >= FEWEST and rarer >= FEWEST_RARER


def fit(scores: Sequence[float | None], right: Sequence[bool], *, block: int = BLOCK) -> Curve:
    """The rising step function that fits best (least squares), smoothed, no step of it on fewer than ``block``.

    Args:
        scores: raw scores, 0..1; None where the rule gives none.
        right: for each whether it was right.
        block: the fewest that a step may rest on, as far as there are so many.

    Raises:
        ValueError: there is nothing to fit, or the two are not of one length.
    """
    pairs = sorted((NO_SCORE if s is None else s, bool(r)) for s, r in zip(scores, right, strict=True))
    blocks: list[Block] = []
    for score, same in groupby(pairs, key=lambda pair: pair[0]):
        outcomes = [r for _, r in same]
        blocks.append(Block(score, sum(outcomes), len(outcomes)))
        while len(blocks) > 1 and _share(blocks[-2]) >= _share(blocks[-1]):
            blocks[-2:] = [_joined(blocks[-2], blocks[-1])]
    while len(blocks) > 1 and min(b.n for b in blocks) < block:
        small = min(range(len(blocks)), key=lambda i: blocks[i].n)
        near = [i for i in (small - 1, small + 1) if 0 <= i < len(blocks)]
        other = min(near, key=lambda i: abs(_share(blocks[i]) - _share(blocks[small])))
        first = min(small, other)
        blocks[first : first + 2] = [_joined(blocks[first], blocks[first + 1])]
    return Curve(tuple(_rising(blocks)))


def _share(block: Block) -> float:
    return block.right / block.n


def _joined(low: Block, high: Block) -> Block:
    return Block(low.least, low.right + high.right, low.n + high.n)


def _rising(blocks: Sequence[Block]) -> list[Block]:
    """Smoothing draws small blocks towards a half: those that no longer rise are joined."""
    result: list[Block] = []
    for block in blocks:
        result.append(block)
        while len(result) > 1 and result[-2].probability >= result[-1].probability:
            result[-2:] = [_joined(result[-2], result[-1])]
    return result
