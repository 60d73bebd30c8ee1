"""Whole numbers over a divisor that come close to a least-squares kernel.

A tool's kernel is nearly always some whole numbers over a divisor. Which whole numbers are nearest,
in the metric of the data, is a closest-vector problem; it is answered for every divisor by Babai's
nearest plane (Combinatorica 6, 1986).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

import numpy as np

from kernel_demo.recovery.fitting import Fit

DIVISORS = np.array([*range(1, 513), 1000, 1024, 2048, 4096, 10000, 16384, 32768, 65536])
FIXED_POINT = (16, 32, 64, 128, 256, 512, 1024)
FEW = 64  # divisors up to here are tried first, however unlikely
TRIED = 150  # candidates taken to the pixels


def candidates(fit: Fit) -> Iterator[tuple[np.ndarray, int]]:
    """Numerators (k x k) and divisor that fit about as well as the best kernel, simplest first."""
    sums, solution = fit.core, fit.core.solve()
    gram = sums.gram - np.outer(sums.patch_sum, sums.patch_sum) / sums.count
    unknowns = len(gram)
    try:
        factor = np.linalg.cholesky(gram + 1e-13 * np.trace(gram) * np.eye(unknowns)).T
    except np.linalg.LinAlgError:
        return
    best = solution.kernel.ravel()
    whole = nearest_plane(factor, best[:, None] * DIVISORS)
    separable, squares = _separable(solution.kernel)
    whole = np.concatenate([whole, separable], axis=1)
    divisors = np.concatenate([DIVISORS, squares])
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
        numerators, divisor = whole[:, column], int(divisors[column])
        if gcd(divisor, *map(int, numerators)) > 1:
            continue
        yield numerators.reshape(sums.size, sums.size), divisor
        tried += 1
        if tried == TRIED:
            return


def _separable(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Candidates column times row in fixed point, as OpenCV's Gaussian (n / 256 each): k*k x n."""
    left, values, right = np.linalg.svd(kernel)
    column, row = left[:, 0], right[0]
    if len(values) < 2 or values[1] > 0.02 * values[0] or abs(column.sum() * row.sum()) < 0.1:
        return np.zeros((kernel.size, 0), np.int64), np.zeros(0, np.int64)
    column, row = (axis / axis.sum() * np.sqrt(abs(kernel.sum())) for axis in (column, row))
    products = [
        np.outer(np.rint(column * n), np.rint(row * n)).ravel() * np.sign(kernel.sum())
        for n in FIXED_POINT
    ]
    return np.stack(products, axis=1).astype(np.int64), np.array(FIXED_POINT) ** 2


def nearest_plane(factor: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Whole vectors z (columns) for which |factor (z - goal)| is small; factor upper triangular."""
    whole = np.zeros(goals.shape)
    target = factor @ goals
    for row in reversed(range(len(factor))):
        rest = target[row] - factor[row, row + 1 :] @ whole[row + 1 :]
        whole[row] = np.rint(rest / factor[row, row])
    return whole.astype(np.int64)
