"""Sums that lose nothing, however many are added.

A number is kept as two of float64, the nearest one and what that leaves (Dekker, "A floating-point
technique for extending the available precision", Numer. Math. 18, 1971); added by AccurateDWPlusDW
(Joldes, Muller & Popescu, "Tight and rigorous error bounds for basic building blocks of
double-word arithmetic", ACM TOMS 44, 2017, algorithm 6), whose relative error is below 3 * 2**-106.

Whole numbers below 2**104 are exact, and there is but one way to write each: so the sums of 8-bit
pictures have the same bits in whatever order they were added. int64 would end at 1.4e14 pixels
(255**2 * pixels < 2**63), which is less than LAION-5B has; here it is 3e26. Of other numbers the
order is part of the result, and is that of the shards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernel_demo.learning.statistics import Statistics

Array = NDArray[np.float64]
EXACT = 2.0**104  # whole numbers below it are kept as they are
# Relative to the sums that it is a difference of, a squared error is not told apart from zero.
LOST = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class Total:
    """A vector of sums: high + low, high the nearest float64."""

    high: Array
    low: Array

    @classmethod
    def of(cls, vector: Array) -> Total:
        """The sums as one pass leaves them."""
        return cls(np.asarray(vector, np.float64), np.zeros(len(vector)))

    @classmethod
    def zero(cls, size: int) -> Total:
        """The sums of no picture, for a k x k kernel."""
        return cls.of(np.zeros(length(size)))

    def __add__(self, other: Total) -> Total:
        sum_high, rest_high = _two_sum(self.high, other.high)
        sum_low, rest_low = _two_sum(self.low, other.low)
        high, low = _fast_two_sum(sum_high, rest_high + sum_low)
        return Total(*_fast_two_sum(high, rest_low + low))

    def __neg__(self) -> Total:
        return Total(-self.high, -self.low)

    @property
    def fits(self) -> bool:
        """Whether whole numbers of this size are exact."""
        return bool(np.abs(self.high).max(initial=0.0) < EXACT)

    def statistics(self, size: int, count: int, peak: float) -> Statistics:
        """The same as sums that can be solved, each the nearest float64."""
        return unpacked(self.high, size, count, peak)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and exactly what the rounding left (Knuth)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _fast_two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The same where |a| >= |b| (Dekker)."""
    total = a + b
    return total, b - (total - a)


def length(size: int) -> int:
    """How many numbers the sums of a k x k kernel are: half of X'X, X'y, X'1, y'y and y'1."""
    k2 = size * size
    return k2 * (k2 + 1) // 2 + 2 * k2 + 2


def packed(sums: Statistics) -> Array:
    """(length(k),): the sums without what X'X, which is symmetric, has twice."""
    half = sums.gram[np.triu_indices(sums.size**2)]
    return np.concatenate([half, sums.cross, sums.patch_sum, [sums.energy, sums.after_sum]])


def unpacked(vector: Array, size: int, count: int, peak: float) -> Statistics:
    """The sums that were packed."""
    k2 = size * size
    half = k2 * (k2 + 1) // 2
    gram = np.zeros((k2, k2))
    gram[np.triu_indices(k2)] = vector[:half]
    gram += np.triu(gram, 1).T
    cross, patch_sum = vector[half : half + k2].copy(), vector[half + k2 : half + 2 * k2].copy()
    energy, after_sum = vector[-2:].tolist()
    return Statistics(size, gram, cross, patch_sum, energy, after_sum, count, peak)


def squared_error(vectors: Array, counts: Array | float, weights: Array, offset: float) -> Array:
    """Of a kernel (k*k,) and offset on each set of packed sums (..., length(k)); at least 0.

    sum (y - w'p - o)^2 = y'y - 2 w'X'y + w'X'X w - 2 o (y'1 - w'X'1) + o^2 n.
    """
    k2 = len(weights)
    rows, columns = np.triu_indices(k2)
    twice = np.where(rows == columns, 1.0, 2.0) * weights[rows] * weights[columns]
    gram, cross, plain, rest = np.split(
        vectors, [len(rows), len(rows) + k2, len(rows) + 2 * k2], -1
    )
    energy, after_sum = rest[..., 0], rest[..., 1]
    fitted = gram @ twice
    found = energy - 2 * (cross @ weights) + fitted
    found = found - 2 * offset * (after_sum - plain @ weights) + offset**2 * counts
    return np.maximum(found, LOST * (np.abs(energy) + np.abs(fitted)))
