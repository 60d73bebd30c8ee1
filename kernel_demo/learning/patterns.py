"""The patterns that pictures are made of, and how wrong a kernel is along each.

The eigenvectors of the patch covariance X'X are k x k patterns of unit length. Every patch is a mix
of them, and the eigenvalue is how much of a pattern the pictures hold. With e = learned - true,

    loss above the best possible = e'X'X e / n = sum over i of (eigenvalue_i / n) (v_i . e)^2:

an error along a pattern that is rare costs next to nothing, however large it is. Natural pictures
hold nearly nothing but the smooth ones: neighbouring pixels are nearly equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning.statistics import RANK_TOLERANCE, Statistics

MOST = 11  # patterns in all: the nine of 3 x 3, and as many as can be seen side by side
TIE = 1e-6  # relative: entries of a pattern whose magnitudes differ by less are equally large


@dataclass(frozen=True, eq=False)
class Patterns:
    """Some or all of the eigenvectors of X'X, the most frequent one first."""

    vectors: np.ndarray  # (n, k, k) float64, each of unit length
    shares: np.ndarray  # (n,) eigenvalue / trace: of all that the pictures hold; 0 where unseen
    of: int  # how many there are in all: k*k
    alike: float  # mean product of neighbouring pixels / mean square; 1: they are equal

    def __post_init__(self) -> None:
        for array in (self.vectors, self.shares):
            array.setflags(write=False)

    def error(self, learned: np.ndarray, true: np.ndarray) -> np.ndarray:
        """(n,): |v_i . (learned - true)|, how wrong a (k, k) kernel is along each."""
        return np.abs(np.tensordot(self.vectors, np.subtract(learned, true), 2))

    @property
    def smooth_first(self) -> bool:
        """Whether they go from smooth to fine: the first changes least, the last more than most."""
        down, across = (np.square(np.diff(self.vectors, axis=a)).sum(axis=(1, 2)) for a in (1, 2))
        changes = down + across
        return bool(changes.argmin() == 0 and changes[-1] >= np.median(changes))

    def telling(self, most: int) -> np.ndarray:
        """The places of at most so many (2 or more) of them, in ascending order.

        The most and the least frequent one, then one after the other that whose share is, on a
        logarithmic scale, farthest from those taken: so they are spread evenly, and no two are
        alike while a gap is open. Of equals the more frequent one.
        """
        height = np.log(np.maximum(self.shares, RANK_TOLERANCE))
        taken = [0, len(height) - 1][: len(height)]
        while len(taken) < min(most, len(height)):
            apart = np.abs(height[:, None] - height[taken]).min(axis=1)
            apart[taken] = -1
            taken.append(int(apart.argmax()))
        return np.sort(taken)


def patterns(statistics: Statistics, most: int = MOST) -> Patterns:
    """At most so many of the eigenvectors of X'X (see `Patterns.telling`), from these sums alone.

    An eigenvector points either way: here its largest entry is above zero, of equally large ones
    the first. Shares that the rounding of sums hides are 0; which eigenvectors those patterns are,
    as of all that have equal shares, is left to LAPACK. DemoError for pictures that are all black.
    """
    size, trace = statistics.size, float(np.trace(statistics.gram))
    if not trace > 0:
        raise DemoError("pictures that are not all black", "black alone", "Choose others.")
    values, vectors = np.linalg.eigh(statistics.gram / trace)
    shares = np.where(values > RANK_TOLERANCE, values, 0.0)[::-1]
    turned = _turned(vectors.T[::-1]).reshape(-1, size, size)
    every = Patterns(turned, shares.copy(), size**2, _alike(statistics.gram / trace, size))
    if len(shares) <= most:
        return every
    chosen = every.telling(most)
    return replace(every, vectors=turned[chosen], shares=shares[chosen])


def _alike(gram: np.ndarray, size: int) -> float:
    """Of a gram of trace 1: mean of x_a x_b over neighbours a, b, by the mean of x_a^2."""
    products = gram.reshape((size,) * 4)
    rows, columns = np.mgrid[:size, : size - 1]
    across = products[rows, columns, rows, columns + 1]
    down = products[columns, rows, columns + 1, rows]
    return float(np.concatenate([across, down]).mean() * size**2)


def _turned(rows: np.ndarray) -> np.ndarray:
    """Each row with the sign that makes the first of its largest entries positive."""
    size = np.abs(rows)
    first = (size > (1 - TIE) * size.max(axis=1, keepdims=True)).argmax(axis=1)
    return rows * np.sign(rows[np.arange(len(rows)), first])[:, None]
