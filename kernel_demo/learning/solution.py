"""The least-squares kernel from its normal equations, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

# Sums of products carry relative rounding of a few units in the last place; a direction whose
# energy is below that share of the total is not told apart from zero.
RANK_TOLERANCE = 16 * np.finfo(np.float64).eps
OPEN_SHARE = 1e-8  # a weight with less than this share in the unknown directions is determined


class Singularity(Enum):
    """Why the best kernel is not unique; its value is the cause and the remedy, as sentences."""

    TOO_FEW_PIXELS = (
        "There are {0.pixels:,} usable pixels for {0.unknowns:,} unknowns.",
        "Add more or larger pictures, or choose a smaller kernel.",
    )
    OPEN_COMBINATIONS = (
        "The pictures determine only {0.rank} of the {0.kernel.size} combinations of weights.",
        "Add more or sharper pictures, or send the probe picture through the tool.",
    )


@dataclass(frozen=True, eq=False)
class Solution:
    """The best kernel that a set of sums allows. A singular system is a value, not an error."""

    kernel: np.ndarray  # (k, k) float64; of smallest norm where the pictures leave a choice
    offset: float  # in the pictures' units; 0 where none was asked for
    standard_error: np.ndarray  # (k, k); inf for weights that the pictures leave open
    offset_error: float  # standard error of the offset; 0 where none was asked for
    rank: int  # combinations of weights that the pictures determine, at most k*k
    condition: float  # of X'X: largest eigenvalue / smallest; inf when singular
    residual: float  # RMS of what the kernel leaves unexplained, in the pictures' units
    pixels: int  # that the sums are of
    unknowns: int  # weights, and the offset if one was asked for

    @property
    def singularity(self) -> Singularity | None:
        """Why some combination of weights is undetermined; None: all of them are determined."""
        if self.pixels < self.unknowns:
            return Singularity.TOO_FEW_PIXELS
        return Singularity.OPEN_COMBINATIONS if self.rank < self.kernel.size else None

    @property
    def singular(self) -> bool:
        return self.singularity is not None

    @property
    def cause(self) -> str:
        """Why it is singular, in a sentence; "" otherwise."""
        return self.singularity.value[0].format(self) if self.singularity else ""

    @property
    def remedy(self) -> str:
        """What to do about it, in a sentence; "" otherwise."""
        return self.singularity.value[1] if self.singularity else ""


class Equations:
    """The normal equations with the offset eliminated, and the eigenvectors of their matrix.

    Least squares for [kernel, offset] (a column of ones added to X) is, by the Schur complement,
    least squares for the kernel on sums about the mean. Extended precision (where the machine has
    it) keeps the digits that the subtraction would lose.
    """

    def __init__(self, statistics, offset: bool) -> None:
        """statistics: of a `Statistics`; offset: whether one is to be fitted."""
        self.statistics, self.offset = statistics, offset
        self.total = np.longdouble(max(statistics.count, 1))
        self.patch_mean = statistics.patch_sum.astype(np.longdouble) / self.total * bool(offset)
        self.after_mean = np.longdouble(statistics.after_sum) / self.total * bool(offset)
        patch_mean, after_mean = self.patch_mean, self.after_mean
        self.gram = statistics.gram - self.total * np.outer(patch_mean, patch_mean)  # (k*k, k*k)
        self.cross = statistics.cross - self.total * patch_mean * after_mean  # (k*k,)
        self.energy = statistics.energy - self.total * after_mean**2
        # Ascending eigenvalues, and eigenvectors as columns; the known ones come last.
        self.values, self.vectors = np.linalg.eigh(self.gram.astype(np.float64))
        self.known = self.values > RANK_TOLERANCE * np.trace(statistics.gram)

    def inverse(self, penalty: float = 0.0) -> np.ndarray:
        """(k*k,) eigenvalues of the (pseudo-)inverse of gram + penalty I."""
        used = self.known | (penalty > 0)
        return np.where(used, 1 / np.where(used, np.maximum(self.values, 0) + penalty, 1), 0)

    def weights(self, penalty: float = 0.0) -> np.ndarray:
        """(k*k,) longdouble: the minimum of the penalised squared error."""
        inverse, weights = self.inverse(penalty), np.zeros(len(self.cross), np.longdouble)
        for _ in range(2):  # the second round refines: it solves for what the first one left
            rest = self.cross - self.gram @ weights - penalty * weights
            weights += self.vectors @ (inverse * (self.vectors.T @ rest.astype(np.float64)))
        return weights

    def squared_error(self, weights: np.ndarray) -> float:
        """The sum over all pixels, with the best offset for these weights."""
        fitted = weights @ self.gram @ weights - 2 * weights @ self.cross
        return max(float(self.energy + fitted), 0.0)

    @property
    def freedom(self) -> int:
        """Pixels less unknowns."""
        return self.statistics.count - len(self.cross) - bool(self.offset)

    def variance(self, weights: np.ndarray) -> float:
        """s^2, the noise of one pixel, if these are the best; inf where no pixel is to spare.

        The squared error is a difference of sums: what their rounding leaves of it is about eps
        times the sums that go in, however well the weights fit.
        """
        if self.freedom <= 0:
            return np.inf
        size = np.abs(weights)
        rounding = np.finfo(np.float64).eps * float(size @ np.abs(self.statistics.gram) @ size)
        return max(self.squared_error(weights), rounding) / self.freedom

    def spread(self, penalty: float = 0.0) -> np.ndarray:
        """(k*k,): the variance of each weight for noise of variance 1; inf if undetermined."""
        spread = self.vectors**2 @ self.inverse(penalty)
        spread[(self.vectors[:, ~self.known] ** 2).sum(axis=1) > OPEN_SHARE] = np.inf
        return spread

    def offset_spread(self, penalty: float = 0.0) -> float:
        """The same of the offset."""
        mean = self.vectors.T @ self.patch_mean.astype(np.float64)
        if np.linalg.norm(mean[~self.known]) > OPEN_SHARE * np.linalg.norm(mean):
            return np.inf
        return float(1 / self.total + self.inverse(penalty) @ mean**2) * bool(self.offset)


def solve(statistics, offset: bool = True, ridge: float = 0.0) -> Solution:
    """Least squares for a `Statistics`, by the normal equations in float64.

    Standard errors are the square roots of the diagonal of s^2 (X'X)^-1, s^2 the squared error
    over the degrees of freedom. ridge adds `ridge` times the mean eigenvalue of X'X to its
    diagonal (the offset is not penalised). Directions of no energy get weight 0.
    """
    return solution_of(Equations(statistics, offset), ridge)


def solution_of(equations: Equations, ridge: float = 0.0) -> Solution:
    """`solve` for equations whose eigenvectors are already known."""
    statistics, size = equations.statistics, equations.statistics.size
    penalty = ridge * float(np.trace(statistics.gram)) / size**2
    weights = equations.weights(penalty)
    residual = float(np.sqrt(equations.squared_error(weights) / equations.total))
    variance = equations.variance(weights)
    return Solution(
        kernel=weights.astype(np.float64).reshape(size, size),
        offset=float(equations.after_mean - equations.patch_mean @ weights),
        standard_error=_error(variance, equations.spread(penalty)).reshape(size, size),
        offset_error=float(_error(variance, np.array(equations.offset_spread(penalty)))),
        rank=int(equations.known.sum()),
        condition=condition(statistics.gram),
        residual=residual,
        pixels=statistics.count,
        unknowns=statistics.count - equations.freedom,
    )


def condition(gram: np.ndarray) -> float:
    """Largest over smallest eigenvalue of X'X; inf when the smallest is lost in rounding."""
    values = np.linalg.eigvalsh(gram)
    lost = values[0] <= RANK_TOLERANCE * np.trace(gram)
    return float("inf") if lost else float(values[-1] / values[0])


def _error(variance: float, spread: np.ndarray) -> np.ndarray:
    """sqrt(variance * spread), where nothing is known inf, of what needs no estimate 0."""
    with np.errstate(invalid="ignore"):
        product = np.where(np.isinf(spread), np.inf, variance * spread)
    return np.sqrt(np.nan_to_num(product, nan=0.0, posinf=np.inf))
