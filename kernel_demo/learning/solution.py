"""The least-squares kernel from its normal equations, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Sums of products carry relative rounding of a few units in the last place; a direction whose
# energy is below that share of the total is not told apart from zero.
RANK_TOLERANCE = 16 * np.finfo(np.float64).eps


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
    singular: bool  # True: some combination of weights is undetermined
    cause: str  # why it is singular, one sentence; "" otherwise
    remedy: str  # what to do about it, one sentence; "" otherwise


@dataclass(frozen=True, eq=False)
class Centred:
    """The sums about their means: the normal equations with the offset eliminated.

    Least squares for [kernel, offset] (an extra column of ones in X) is, by the Schur complement,
    least squares for the kernel on sums about the mean. Extended precision (where the machine has
    it) keeps the digits that the subtraction would lose.
    """

    gram: np.ndarray  # (k*k, k*k) longdouble
    cross: np.ndarray  # (k*k,) longdouble
    energy: np.longdouble
    patch_mean: np.ndarray  # (k*k,) longdouble, zeros without an offset
    after_mean: np.longdouble


def centred(statistics, offset: bool) -> Centred:
    """The normal equations of `statistics`, about the mean if an offset is to be fitted."""
    gram = statistics.gram.astype(np.longdouble)
    cross = statistics.cross.astype(np.longdouble)
    energy = np.longdouble(statistics.energy)
    total = np.longdouble(max(statistics.count, 1))
    patch_mean = statistics.patch_sum.astype(np.longdouble) / total * bool(offset)
    after_mean = np.longdouble(statistics.after_sum) / total * bool(offset)
    return Centred(
        gram - total * np.outer(patch_mean, patch_mean),
        cross - total * patch_mean * after_mean,
        energy - total * after_mean**2,
        patch_mean,
        after_mean,
    )


def solve(statistics, offset: bool = True, ridge: float = 0.0) -> Solution:
    """Least squares by the normal equations in float64.

    ridge adds `ridge` times the mean eigenvalue of X'X to its diagonal (the offset is not
    penalised). Directions of no energy get weight 0 (the pseudo-inverse).
    """
    k2, size = statistics.size**2, statistics.size
    sums = centred(statistics, offset)
    trace = float(np.trace(statistics.gram))
    penalty = ridge * trace / k2
    values, vectors = np.linalg.eigh(sums.gram.astype(np.float64))
    known = values > RANK_TOLERANCE * trace
    used = known | (penalty > 0)
    inverse = np.where(used, 1 / np.where(used, np.maximum(values, 0) + penalty, 1), 0)

    weights = np.zeros(k2, np.longdouble)
    for _ in range(2):  # the second round refines: it solves for what the first one left
        rest = sums.cross - sums.gram @ weights - penalty * weights
        weights += vectors @ (inverse * (vectors.T @ rest.astype(np.float64)))
    left = max(float(sums.energy - 2 * weights @ sums.cross + weights @ sums.gram @ weights), 0.0)

    rank = int(known.sum())
    unknowns = k2 + bool(offset)
    freedom = statistics.count - unknowns
    singular = rank < k2 or freedom < 0
    variance = left / freedom if freedom > 0 else 0.0
    spread = (vectors**2 @ inverse) * variance
    open_share = (vectors[:, ~known] ** 2).sum(axis=1)
    spread[open_share > 1e-8] = np.inf
    mean = sums.patch_mean.astype(np.float64)
    mean_spread = variance * (1 / max(statistics.count, 1) + inverse @ (vectors.T @ mean) ** 2)
    if np.linalg.norm(vectors[:, ~known].T @ mean) > 1e-8 * np.linalg.norm(mean):
        mean_spread = np.inf
    cause, remedy = _explain(statistics, rank, unknowns) if singular else ("", "")
    return Solution(
        kernel=weights.astype(np.float64).reshape(size, size),
        offset=float(sums.after_mean - sums.patch_mean @ weights),
        standard_error=np.sqrt(spread).reshape(size, size),
        offset_error=float(np.sqrt(mean_spread)) if offset else 0.0,
        rank=rank,
        condition=condition(statistics.gram),
        residual=float(np.sqrt(left / max(statistics.count, 1))),
        singular=singular,
        cause=cause,
        remedy=remedy,
    )


def condition(gram: np.ndarray) -> float:
    """Largest over smallest eigenvalue of X'X; inf when the smallest is lost in rounding."""
    values = np.linalg.eigvalsh(gram)
    lost = values[0] <= RANK_TOLERANCE * np.trace(gram)
    return float("inf") if lost else float(values[-1] / values[0])


def _explain(statistics, rank: int, unknowns: int) -> tuple[str, str]:
    """Cause and remedy of a singular system."""
    if statistics.count < unknowns:
        return (
            f"There are {statistics.count} usable pixels for {unknowns} unknowns.",
            "Add more or larger pictures, or choose a smaller kernel.",
        )
    return (
        f"The pictures determine only {rank} of the {statistics.size**2} combinations of weights.",
        "Add more or sharper pictures, or send the probe picture through the tool.",
    )
