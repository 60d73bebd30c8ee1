"""What theory says about a least-squares kernel before it is computed.

With the sums of the before pictures, X'X, and the truth K, the kernel that will be learned from
y = X K + d is K + (X'X)^-1 X'd: certain where the disturbance d is known, and as random as
s^2 (X'X)^-1 says where d is noise of variance s^2.
"""

from collections.abc import Sequence

import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.learning.statistics import Statistics, accumulate

_DRAWS = 400


def sums(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    size: int,
    masks: Sequence[np.ndarray] | None = None,
) -> Statistics:
    """The sums over pairs of H x W pictures in any one unit."""
    masks = [None] * len(befores) if masks is None else masks
    total, problems = accumulate(zip(befores, afters, masks, strict=True), size)
    if total.count == 0:
        raise ValueError("; ".join(problems))
    return total


def rounded_sums(
    befores: Sequence[np.ndarray],
    kernel: np.ndarray,
    size: int,
    noise: float = 0.0,
    seed: int = 0,
) -> tuple[Statistics, float]:
    """The sums of afters that fit in 8 bits (and a sign), rounded to whole grey levels.

    Afters are divided by a gain, max(1, sum |K|), as every tool does that keeps them in range.
    noise: standard deviation in grey levels of what is added before rounding. Returns the sums and
    the gain: the kernel is gain times what they tell.
    """
    gain = max(1.0, float(np.abs(kernel).sum()))
    random = np.random.default_rng(seed)
    afters = [
        np.rint(correlate(before, kernel) / gain + noise * random.standard_normal(before.shape))
        for before in befores
    ]
    return sums(befores, afters, size), gain


def inverse(statistics: Statistics) -> np.ndarray:
    """(X'X)^-1, (k^2, k^2), of the kernel alone (no offset is fitted)."""
    return np.linalg.pinv(statistics.gram, rcond=1e-13, hermitian=True)


def systematic(statistics: Statistics) -> np.ndarray:
    """(X'X)^-1 X'd, (k, k): how far a disturbance d shifts the kernel.

    statistics: of the before pictures with d in the place of the after pictures.
    """
    shift = inverse(statistics) @ statistics.cross
    return shift.reshape(statistics.size, statistics.size)


def random_largest(statistics: Statistics, sigma: float, seed: int) -> float:
    """The largest of k^2 errors of covariance sigma^2 (X'X)^-1: its median over random draws.

    sigma: standard deviation of the noise on the after pictures, in their unit.
    """
    values, vectors = np.linalg.eigh(inverse(statistics))
    spread = vectors * np.sqrt(np.maximum(values, 0))
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, len(values))) @ spread.T
    return float(sigma * np.median(np.abs(draws).max(axis=1)))
