"""Whether pixels tell one kernel of whole numbers from all others.

A kernel that differs by d from the true one reproduces all pixels with the probability
exp(-sum |x_i . d|) (x_i: distinct patches, in grey levels), as the errors of rounding lie anywhere
within a level. Integrated over d this is the volume of what explains the pixels as well; fractions
over all divisors D up to one fill it with D^m points a unit, in m unknown weights (the Gaussian
heuristic). Where that makes one point or so, some fraction fits by chance, and its fitting proves
nothing. Real kernels are simple: few different weights, a sum that is kept, a multiple of some
pattern. The count is made in each such family to which the kernel belongs; of multiples, by their
very interval. Nearby kernels are then held against the pixels themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd, lgamma, log, pi

import numpy as np

from kernel_demo.recovery.alignment import between, distinct
from kernel_demo.recovery.candidates import DIVISORS, FIXED_POINT, Candidate, nearest_plane

ENOUGH = 8  # distinct patches for each unknown
RARE = 1e-3  # kernels that fit by chance, at most
# Of multiples of one pattern, by the largest divisor for which it holds: their interval is known to
# the end, and tools are more likely to divide by little. (Pillow's SMOOTH / 13 makes 0.04.)
RARE_MULTIPLES = {1: 0.2, 16: 0.05, np.inf: 0.01}
SINGULAR = 1e-10  # of a weight's energy: less of it on its own is none
FIRST = 2_000  # patches that rivals are held against before they are held against all
EDGE = 1e-9  # grey levels: sums between two levels may go to either


@dataclass(frozen=True, eq=False)
class Evidence:
    """Distinct patches of before, and what came of them."""

    patches: np.ndarray  # n x k*k float64, in grey levels of after
    after: np.ndarray  # n float64, grey levels
    clip: tuple[np.ndarray, np.ndarray]  # n each, grey levels: where after is cut off

    @classmethod
    def of(
        cls,
        patches: np.ndarray,
        after: np.ndarray,
        clip: tuple[np.ndarray, np.ndarray],
        step: int,
    ) -> Evidence | None:
        """Of m patches (m x k*k whole numbers, working units), the distinct ones. None: too few."""
        first = distinct(patches)
        found = cls(patches[first] / step, after[first], tuple(end[first] for end in clip))
        inside = between(found.after, found.clip)
        return found if np.count_nonzero(inside) >= ENOUGH * (patches.shape[1] + 1) else None

    def pins(self, candidate: Candidate, offset: float) -> bool:
        """Whether the pixels tell the candidate from all other kernels that are no less simple.

        offset: grey levels, rounded half up. Pixels that are not reproduced do not count.
        """
        obeying = self._obeying(candidate, offset)
        return obeying._tells(candidate, offset) and obeying._alone(candidate)

    def tight(self, candidate: Candidate, offset: float) -> bool:
        """Whether the pixels allow no other multiple of the kernel, be it ever so near."""
        kernel = (candidate.numerators / candidate.divisor).ravel()
        return self._obeying(candidate, offset)._interval(kernel, kernel, offset) <= EDGE

    def _obeying(self, candidate: Candidate, offset: float) -> Evidence:
        """The pixels that are reproduced."""
        kernel = (candidate.numerators / candidate.divisor).ravel()
        left = self.after - np.clip(self.patches @ kernel + offset, *self.clip)
        kept = np.abs(left) <= 0.5 + EDGE
        low, high = self.clip
        return Evidence(self.patches[kept], self.after[kept], (low[kept], high[kept]))

    def _tells(self, candidate: Candidate, offset: float) -> bool:
        """Whether hardly a kernel of each family fits by chance."""
        if candidate.axes is None:
            units = DIVISORS[candidate.divisor >= DIVISORS].astype(float)
            families = _families(candidate.numerators.ravel(), candidate.divisor)
        else:
            units = np.array([unit for unit in FIXED_POINT if unit <= candidate.unit], float)
            families = _families_of_products(candidate.axes / candidate.unit)
        kernel = (candidate.numerators / candidate.divisor).ravel()
        multiples = next(rare for most, rare in RARE_MULTIPLES.items() if candidate.divisor <= most)
        return all(
            units.sum() * self._interval(moves[:, 0], kernel, offset) < multiples
            if moves.shape[1] == 1
            else self._by_chance(moves, units) < log(RARE)
            for moves in families
        )

    def _interval(self, move: np.ndarray, kernel: np.ndarray, offset: float) -> float:
        """How many times `move` may be added to the kernel: the highest less the lowest number."""
        value, change = self.patches @ kernel + offset, self.patches @ move
        low, high = self.clip
        fall = np.where(self.after > low, np.maximum(value - self.after + 0.5, 0), np.inf)
        rise = np.where(self.after < high, np.maximum(self.after + 0.5 - value, 0), np.inf)
        up, down = change > EDGE, change < -EDGE
        most = np.minimum(_least(rise[up], change[up]), _least(fall[down], -change[down]))
        least = np.minimum(_least(fall[up], change[up]), _least(rise[down], -change[down]))
        return float(most + least)

    def _by_chance(self, moves: np.ndarray, units: np.ndarray) -> float:
        """Logarithm of the expected number of kernels that fit.

        moves: k*k x m, what each unknown changes; units: the numbers that stand for one in them.
        """
        inside = between(self.after, self.clip)
        changes, m = self.patches[inside] @ moves, moves.shape[1]
        if m < len(moves):
            changes = np.unique(np.round(changes, 6), axis=0)
        factor = _factor(changes - changes.mean(axis=0))
        if factor is None or len(changes) < ENOUGH * (m + 1):
            return np.inf
        # sum |x_i . d| >= least * |factor d|: over as many directions as there are unknowns.
        directions = np.linalg.solve(factor.T, (changes - changes.mean(axis=0)).T)
        least = np.abs(directions).sum(axis=1).min()
        ball = m / 2 * log(pi) - lgamma(m / 2 + 1) + lgamma(m + 1)
        volume = ball - m * log(least) - np.log(np.diag(factor)).sum()
        return float(volume + np.logaddexp.reduce(m * np.log(units)))

    def _alone(self, candidate: Candidate) -> bool:
        """Whether no rival reproduces these pixels as well, with any offset."""
        factor = _factor(self.patches - self.patches.mean(axis=0))
        if factor is None:
            return False
        rivals = _rivals(candidate, factor)
        for rows in (slice(FIRST), slice(None)):
            rivals = rivals[:, self._explained(rivals, rows)]
        return rivals.shape[1] == 0

    def _explained(self, kernels: np.ndarray, rows: slice) -> np.ndarray:
        """For each of m kernels (k*k x m): whether some offset makes it reproduce the pixels."""
        after, (low, high) = self.after[rows], (end[rows] for end in self.clip)
        left = after[:, None] - self.patches[rows] @ kernels
        least = np.where((after > low)[:, None], left - 0.5, -np.inf).max(axis=0)
        most = np.where((after < high)[:, None], left + 0.5, np.inf).min(axis=0)
        return least <= most + EDGE


def _factor(rows: np.ndarray) -> np.ndarray | None:
    """Upper triangular R, R'R the sums of products. None: a column tells nothing of its own."""
    gram = rows.T @ rows
    try:
        factor = np.linalg.cholesky(gram).T
    except np.linalg.LinAlgError:
        return None
    return None if (np.diag(factor) ** 2 <= SINGULAR * np.diag(gram)).any() else factor


def _least(room: np.ndarray, change: np.ndarray) -> float:
    return float(np.min(room / change, initial=np.inf))


def _families_of_products(axes: np.ndarray) -> Iterator[np.ndarray]:
    """Moves (k*k x m) of a column times a row (2 x k): any weights; the like ones together."""
    column, row = axes
    size = len(row)
    # What a factor in one axis does, one in the other does as well: of the row, a weight stays.
    down, across = np.eye(size), np.eye(size)[:, np.flatnonzero(row)[0] != np.arange(size)]
    yield _products(axes, down, across)
    if np.array_equal(column, row):
        alike = _alike(column)
        yield np.kron(alike, row[:, None]) + np.kron(column[:, None], alike)
    else:
        yield _products(axes, _alike(column), _alike(row)[:, 1:])


def _families(weights: np.ndarray, divisor: int) -> Iterator[np.ndarray]:
    """Moves (k*k x m): any; the like ones together; these with the sum kept; multiples."""
    yield np.eye(len(weights))
    alike = _alike(weights)
    yield alike
    sums = alike.sum(axis=0)
    if alike.shape[1] > 1 and sums.any():
        pivot = int(np.argmin(np.where(sums == 0, np.inf, np.abs(sums))))
        kept = alike - np.outer(alike[:, pivot], sums / sums[pivot])
        yield np.delete(kept, pivot, axis=1)
    rest = weights.copy()
    rest[np.argmax(np.abs(weights))] -= divisor  # the picture itself, and so much of a pattern
    for pattern in (weights, rest) if weights.sum() == divisor else (weights,):
        if pattern.any():
            yield pattern[:, None] / gcd(*map(int, pattern))


def _products(axes: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """What the moves of column and row do to their product: k*k x m."""
    column, row = axes
    return np.hstack([np.kron(down, row[:, None]), np.kron(column[:, None], across)])


def _alike(weights: np.ndarray) -> np.ndarray:
    """n x m: the weights that are as large (with either sign) move together; 0 stays."""
    sizes = np.unique(np.abs(weights[weights != 0]))
    return (np.abs(weights)[:, None] == sizes) * np.sign(weights)[:, None]


def _rivals(candidate: Candidate, factor: np.ndarray) -> np.ndarray:
    """Other kernels near the candidate, in the metric of the data: k*k x m.

    Over each smaller divisor, the nearest. Over the same, one weight is changed by one unit and
    those before it follow as well as they can; of a product, a unit goes from one weight of an axis
    to another.
    """
    kernel = (candidate.numerators / candidate.divisor).ravel()
    smaller = DIVISORS[min(candidate.divisor, 513) > DIVISORS]
    nearest = nearest_plane(factor, kernel[:, None] * smaller) / smaller
    rivals = [nearest]
    if candidate.axes is None:
        following = np.linalg.solve(factor, np.diag(np.diag(factor))) - np.eye(len(factor))
        changes = (np.eye(len(factor)) + nearest_plane(factor, following)) / candidate.divisor
        rivals += [kernel[:, None] + changes, kernel[:, None] - changes]
    else:
        (column, row), size = candidate.axes, len(candidate.numerators)
        moved = [a - b for a in np.eye(size) for b in np.eye(size) if a is not b]
        moved += [*np.eye(size), *-np.eye(size)]
        pairs = [(column + move, row) for move in moved] + [(column, row + move) for move in moved]
        rivals.append(np.stack([np.outer(*p).ravel() for p in pairs], axis=1) / candidate.unit**2)
    found = np.hstack(rivals)
    return found[:, np.abs(found - kernel[:, None]).max(axis=0) > 1e-12]
