"""Kernels worth trying: whole numerators over one divisor that are near the least-squares kernel.

Which whole numbers are nearest to it, in the metric of the data, is a closest-vector problem; it is
answered for every divisor by Babai's nearest plane (Combinatorica 6, 1986).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np

from kernel_demo.recovery.fitting import Fit

DIVISORS = np.array([*range(1, 513), 1000, 1024, 2048, 4096, 10000, 16384, 32768, 65536])
FIXED_POINT = (16, 32, 64, 128, 256, 512, 1024)
FEW = 64  # divisors up to here are tried first, however unlikely
TRIED = 150  # candidates taken to the pixels


@dataclass(frozen=True, eq=False)
class Candidate:
    """A kernel to try."""

    numerators: np.ndarray  # k x k int64
    divisor: int
    axes: np.ndarray | None = None  # 2 x k int64: the column and row whose product it is ...
    unit: int = 0  # ... and the number that stands for one in them: of FIXED_POINT


def candidates(fit: Fit) -> Iterator[Candidate]:
    """Those that fit about as well as the best kernel, simplest first."""
    sums, solution = fit.core, fit.core.solve()
    gram = sums.centred[0].astype(np.float64)
    unknowns = len(gram)
    try:
        factor = np.linalg.cholesky(gram + 1e-13 * np.trace(gram) * np.eye(unknowns)).T
    except np.linalg.LinAlgError:
        return
    best = solution.kernel.ravel()
    whole = nearest_plane(factor, best[:, None] * DIVISORS)
    axes = _axes(solution.kernel)
    products = [np.outer(*pair).ravel() for pair in axes]
    whole = np.column_stack([whole, *products])
    divisors = np.concatenate([DIVISORS, np.square(FIXED_POINT[: len(axes)])])
    # What a wrong kernel adds to the squared error, against what chance adds (chi-squared with
    # `unknowns` degrees of freedom). Over a small divisor the rounding errors are few values that
    # go with the picture, not noise: the limit is wide, and the likely ones come first.
    added = ((factor @ (whole / divisors - best[:, None])) ** 2).sum(0)
    noise = max(solution.residual**2, fit.floor**2 / 4)
    chance = noise * (unknowns + 10 * (2 * unknowns) ** 0.5)
    possible = np.flatnonzero((added <= 100 * chance) & whole.any(axis=0))
    tried = 0
    unlikely = (divisors[possible] > FEW) & (added[possible] > 2 * chance)
    order = np.lexsort((divisors[possible], unlikely, divisors[possible] > FEW))
    for column in possible[order]:
        numerators, divisor = whole[:, column].reshape(sums.size, -1), int(divisors[column])
        common = gcd(divisor, *map(int, numerators.ravel()))
        product = column - len(DIVISORS)
        if product >= 0:
            unit = FIXED_POINT[product]
            yield Candidate(numerators // common, divisor // common, axes[product], unit)
        elif common == 1:
            yield Candidate(numerators, divisor)
        else:
            continue
        tried += 1
        if tried == TRIED:
            return


def _axes(kernel: np.ndarray) -> list[np.ndarray]:
    """Column and row in fixed point, as OpenCV's Gaussian (n / 256 each); for each FIXED_POINT."""
    left, values, right = np.linalg.svd(kernel)
    column, row = left[:, 0], right[0]
    if len(values) < 2 or values[1] > 0.02 * values[0] or abs(column.sum() * row.sum()) < 0.1:
        return []
    column, row = (axis / axis.sum() * np.sqrt(abs(kernel.sum())) for axis in (column, row))
    pair = np.stack([column * np.sign(kernel.sum()), row])
    return [np.rint(pair * n).astype(np.int64) for n in FIXED_POINT]


def nearest_plane(factor: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Whole vectors z (columns) for which |factor (z - goal)| is small; factor upper triangular."""
    whole = np.zeros(goals.shape)
    target = factor @ goals
    for row in reversed(range(len(factor))):
        rest = target[row] - factor[row, row + 1 :] @ whole[row + 1 :]
        whole[row] = np.rint(rest / factor[row, row])
    return whole.astype(np.int64)
