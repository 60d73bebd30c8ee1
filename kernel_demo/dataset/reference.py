"""Pictures that contradict the first ones of their shard, where all sums are too large to keep.

Whether two sets of pictures can have one kernel is told by three least squares: the best kernel of
both together leaves as much as the two best kernels alone, and no more than noise does besides
(Chow, "Tests of equality between sets of coefficients in two linear regressions", Econometrica 28,
1960). No kernel is compared: what smooth pictures leave open, rough ones may decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from kernel_demo.dataset.planes import Prediction
from kernel_demo.dataset.totals import Array, packed, squared_error
from kernel_demo.learning.statistics import Solution, Statistics

# So far apart, in grey levels RMS over a picture, are two filters: half a rounding.
APART = 0.5
# So many times the error of its own kernel, or the usual one, has the common kernel to leave.
TIMES = 3.0
# Grey levels RMS: 12**-0.5 is what one rounding leaves, and some for the tool.
# Both the usual error and the picture's own have to be a rounding's. Behind JPEG and noise,
# clipped besides, kernels differ from picture to picture: of 390 sets of one filter with
# such damage 25 had a pair accused before this was asked for. Of these nothing is told.
ONE_ROUNDING = 0.35
# The error of its own kernel against the usual one, and in grey levels: beyond both, no kernel of
# this size made it alone.
UNLIKE, UNLIKE_LEVELS = 10.0, 6.0


@dataclass(frozen=True, eq=False)
class Judged:
    """What a picture's sums say of it. Errors are squared, and summed over its pixels."""

    left: float  # the error of the reference's kernel
    own: float  # of its own best one; NaN where the first is too small to ask
    contradicts: bool


@dataclass(frozen=True, eq=False)
class Reference:
    """What most of a shard's first pictures have in common."""

    sums: Statistics
    solution: Solution

    @property
    def weights(self) -> Array:
        """(k*k + 1,): the kernel and its offset."""
        return np.append(self.solution.kernel, self.solution.offset)

    def judge(self, picture: Statistics) -> Judged:
        """Whether no kernel can have made both the picture and these."""
        level, count = picture.peak / 255, picture.count
        usual = self.solution.residual
        left = _error(picture, self.weights)
        if left <= max(APART * level, TIMES * usual) ** 2 * count:
            return Judged(left, np.nan, False)
        own = _least(picture)
        if contradict(_least(self.sums + picture), self.least, own, usual, count, level):
            return Judged(left, own, True)
        unlike = max(UNLIKE * usual, UNLIKE_LEVELS * level) ** 2 * count
        return Judged(left, own, own > unlike)

    @property
    def least(self) -> float:
        """The squared error of these pictures."""
        return self.solution.residual**2 * self.sums.count


def contradict(
    both: float, first: float, second: float, usual: float, count: int, level: float
) -> bool:
    """Whether two sets of pictures have no kernel in common, by what their best kernels leave.

    both, first, second: squared errors. usual: RMS of the first. count: pixels of the second.
    """
    beyond = both - first - second
    noise = max(second, usual**2 * count)
    clean = usual < ONE_ROUNDING * level and second < (ONE_ROUNDING * level) ** 2 * count
    return clean and beyond > (APART * level) ** 2 * count and beyond > (TIMES**2 - 1) * noise


def reference(firsts: Sequence[Statistics], guess: Prediction | None) -> Reference | None:
    """Of a shard's first pictures those that its guess is of; None where they do not tell."""
    if guess is None:
        return None
    weights = np.append(guess.kernel, guess.offset)
    alike = []
    for sums in firsts:
        most = max(TIMES * guess.residual, APART * sums.peak / 255)
        if _error(sums, weights) < most**2 * sums.count:
            alike.append(sums)
    if 2 * len(alike) <= len(firsts):
        return None
    sums = reduce(add, alike)
    solution = sums.solve()
    return None if solution.singular else Reference(sums, solution)


def _error(sums: Statistics, weights: Array) -> float:
    return float(squared_error(packed(sums), sums.count, weights[:-1], float(weights[-1])))


def _least(sums: Statistics) -> float:
    return sums.solve().residual ** 2 * sums.count
