"""How large a kernel is and where it lies, from the sums at the largest size."""

from __future__ import annotations

import numpy as np

from kernel_demo.learning.statistics import Statistics

# What noise that is not white (JPEG's, WebP's) adds to the gain of a larger kernel: measured.
COLOURED_GAIN = 1.04
# By how much taking off the sides of a kernel may raise the variance in such noise.
TRIMMED_GAIN = 1.01
# A standard error above this share of the largest weight leaves open whether the weight is 0.
UNTOLD = 0.02


def size(total: Statistics, white: bool, step: int) -> int:
    """The smallest size at the floor, else what the Bayesian information criterion prefers.

    BIC = n log(residual^2) + log(n) * unknowns holds for white noise. Lossy files leave noise with
    structure of its own, which every further weight explains a little: there, the smallest size
    whose variance is within COLOURED_GAIN of the largest's.
    """
    sizes = range(1, total.size + 1, 2)
    variance = {k: least_squares(total.shrink(k))[2] / step**2 + 1e-8 for k in sizes}
    if not white:
        return next(k for k in sizes if variance[k] <= COLOURED_GAIN * variance[total.size])
    count = total.count
    return min(sizes, key=lambda k: count * np.log(variance[k]) + np.log(count) * k * k)


def least_squares(total: Statistics, free: np.ndarray | None = None):
    """(kernel, offset, variance) of least squares, without the eigenvectors of a full solution.

    free: k x k bool, the weights that may differ from 0.
    """
    chosen = np.ones(total.size**2, bool) if free is None else free.ravel()
    mean = total.patch_sum[chosen].astype(np.longdouble) / total.count
    gram = total.gram[np.ix_(chosen, chosen)] - np.outer(mean, total.patch_sum[chosen])
    cross = total.cross[chosen] - mean * total.after_sum
    energy = total.energy - np.longdouble(total.after_sum) ** 2 / total.count
    ridge = 1e-14 * np.trace(total.gram) + 1e-300
    damped = gram.astype(np.float64) + ridge * np.eye(len(gram))
    weights = np.linalg.solve(damped, cross.astype(np.float64))
    left = max(float(energy - 2 * weights @ cross + weights @ gram @ weights), 0) / total.count
    kernel = np.zeros(total.size**2)
    kernel[chosen] = weights
    offset = float(total.after_sum / total.count - mean @ weights)
    return kernel.reshape(total.size, total.size), offset, left


def support(total: Statistics, solution, white: bool) -> tuple[int, int, int, int]:
    """top, left, height, width of the smallest box that explains as much as the square does.

    In white noise that is the box of the significant weights. In other noise errors are larger
    than least squares says: there, sides are taken off as long as the variance hardly rises.
    """
    if not white:
        return _trimmed(total)
    weights = np.abs(solution.kernel)
    error = np.where(np.isfinite(solution.standard_error), solution.standard_error, 0)
    largest = weights.max()
    significant = weights > np.maximum(5 * error, 1e-6 * largest)
    # A weight that the picture cannot tell from 0 is not 0 for that.
    rows, columns = np.nonzero(significant | (error > UNTOLD * largest))
    if len(rows) == 0:
        return total.size // 2, total.size // 2, 1, 1
    top, left = int(rows.min()), int(columns.min())
    return top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1


def _trimmed(total: Statistics) -> tuple[int, int, int, int]:
    allowed = TRIMMED_GAIN * least_squares(total)[2]
    top, left, bottom, right = 0, 0, total.size, total.size
    while True:
        options = []
        for box in (
            (top + 1, left, bottom, right),
            (top, left + 1, bottom, right),
            (top, left, bottom - 1, right),
            (top, left, bottom, right - 1),
        ):
            if box[0] < box[2] and box[1] < box[3]:
                free = np.zeros((total.size, total.size), bool)
                free[box[0] : box[2], box[1] : box[3]] = True
                options.append((least_squares(total, free)[2], box))
        if not options or min(options)[0] > allowed:
            return top, left, bottom - top, right - left
        top, left, bottom, right = min(options)[1]


def reaches_edge(kernel: np.ndarray) -> bool:
    """Whether the outermost ring carries weight as the middle does: more than 2 % of it each."""
    ring = np.ones(kernel.shape, bool)
    ring[1:-1, 1:-1] = False
    weights = np.abs(kernel)
    return len(kernel) > 1 and weights[ring].mean() > 0.02 * weights.max()
