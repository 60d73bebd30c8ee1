"""How sure is a kernel, what can the pictures not tell, and when is there nothing left to learn?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning.statistics import Equations, Solution, Statistics

NEAR = 0.1  # standard errors: nearer to the optimum than this, there is nothing left to learn
VISIBLE = 0.5  # grey levels of 255: a combination that moves results by less is lost in rounding
ROUNDING = 12**-0.5  # RMS error of rounding, in units of the step
MAX_PATTERNS = 16  # of each sort that a certificate carries


@dataclass(frozen=True, eq=False)
class Certificate:
    """What a set of sums proves. Figures only: the page words them."""

    solution: Solution  # the best kernel, its error bars, rank and condition
    undetermined: tuple[np.ndarray, ...]  # (k, k) patterns of norm 1 that the pictures never excite
    undetermined_count: int  # of all such; at most MAX_PATTERNS are listed
    weak: tuple[np.ndarray, ...]  # those excited by less than half a grey level (RMS)
    weak_count: int  # of all such; at most MAX_PATTERNS are listed
    # (k, k): standard error if 8-bit rounding were the only noise. Equal patches are rounded alike:
    # where many are, errors are larger (10 times in a chart of few colours, 50 in a checkerboard).
    rounding_error: np.ndarray
    excess_loss: float | None  # of the kernel that was asked about, mean squared
    distance: float | None  # of that kernel from the best, see Optimum.distance


def certify(
    statistics: Statistics,
    kernel: np.ndarray | None = None,
    offset: float = 0.0,
    *,
    fit_offset: bool = True,
) -> Certificate:
    """The certificate of these sums, and of a learned kernel (k x k) if one is given.

    fit_offset: whether the model has an offset. Before learning, leave `kernel` out. DemoError: a
    kernel of another size.
    """
    optimum = Optimum(statistics, fit_offset)
    equations, solution = optimum.equations, optimum.solution
    patterns = equations.vectors.T.reshape(-1, statistics.size, statistics.size)
    response = np.sqrt(np.maximum(equations.values, 0) / float(equations.total))
    grey_level = (statistics.peak or 1.0) / 255
    nothing = np.flatnonzero(~equations.known)
    weak = np.flatnonzero(equations.known & (response < VISIBLE * grey_level))
    return Certificate(
        solution=solution,
        undetermined=tuple(patterns[nothing[:MAX_PATTERNS]]),
        undetermined_count=len(nothing),
        weak=tuple(patterns[weak[:MAX_PATTERNS]]),
        weak_count=len(weak),
        rounding_error=optimum.error_bars(ROUNDING * grey_level),
        excess_loss=None if kernel is None else optimum.excess(kernel, offset),
        distance=None if kernel is None else optimum.distance(kernel, offset),
    )


def distinct_share(
    pairs: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray | None]], size: int
) -> float:
    """How many different k x k patches there are for each pixel that counts, 0 to 1.

    pairs: before (H x W float32), after (not read) and a mask of the pixels that count, or None.
    """
    edge, seen = size // 2, []
    for before, _, mask in pairs:
        if min(before.shape) >= size:
            inner = tuple(slice(edge, side - edge) for side in before.shape)
            hashed = _hashed(before, size)
            seen.append(hashed.ravel() if mask is None else hashed[mask[inner]])
    together = np.sort(np.concatenate(seen)) if seen else np.zeros(0)
    different = np.count_nonzero(np.diff(together)) + 1
    return different / max(len(together), 1)


def _hashed(picture: np.ndarray, size: int) -> np.ndarray:
    """A number for each k x k patch (H-k+1 x W-k+1): a multilinear hash modulo 2**64."""
    found = np.ascontiguousarray(picture, np.float32).view(np.uint32).astype(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, (2, size), np.uint64) | 1
    for own in factors:  # of columns, then of rows
        found = sum(factor * row for factor, row in zip(own, _moved(found.T, size), strict=True))
    return found


def _moved(picture: np.ndarray, size: int) -> Iterable[np.ndarray]:
    """The picture (H x W) from each of `size` rows on: H-k+1 x W."""
    return (picture[first : len(picture) - size + 1 + first] for first in range(size))


class Optimum:
    """The best kernel that some sums allow, and how far any other is from it."""

    def __init__(self, statistics: Statistics, offset: bool = True):
        """offset: whether the model has one."""
        self.statistics = statistics
        self.equations = Equations(statistics, offset)
        self.solution = self.equations.solution()
        self._best = self.solution.kernel.ravel()
        self._known = self.equations.vectors[:, self.equations.known]
        values = self.equations.values[self.equations.known]
        # Differences of a weight that the arithmetic of the sums cannot resolve: the condition
        # number multiplies its relative rounding. A weight of 1e-3 moves no result by a grey level:
        # 0 is rounded like that one.
        spread = values.max() / values.min() if len(values) else 1.0
        floor = np.finfo(np.float64).eps * spread * max(np.abs(self._best).max(), 1e-3)
        mean = float(np.abs(self.equations.patch_mean).sum())
        variance = self.equations.variance(self._best)
        if np.isinf(variance):  # no pixel to spare, no error bar: the arithmetic decides alone
            variance = 0.0
        error = np.sqrt(variance * (self._known**2 @ (1 / values)))
        self._bars = np.maximum(error, floor / NEAR)
        self._shift_bar = max(np.sqrt(variance / float(self.equations.total)), floor * mean / NEAR)

    def excess(self, kernel: np.ndarray, offset: float = 0.0) -> float:
        """Mean squared loss above that of the best kernel and offset, without cancellation."""
        change = self._change(kernel)
        coordinates = self.equations.vectors.T @ change
        energy = coordinates**2 @ np.maximum(self.equations.values, 0)
        return float(energy / self.equations.total + self._shift(change, offset) ** 2)

    def distance(self, kernel: np.ndarray, offset: float = 0.0) -> float:
        """The largest |weight - best weight| in standard errors; the offset counts like a weight.

        Where rounding is larger than a tenth of the error bar, the bar is ten times the rounding:
        below NEAR, a kernel is as good as these pictures and this arithmetic allow. Directions
        that the pictures never excite do not count.
        """
        change = self._change(kernel)
        seen = self._known @ (self._known.T @ change)
        shift = abs(self._shift(change, offset)) / self._shift_bar if self.equations.offset else 0
        return float(max(np.max(np.abs(seen) / self._bars), shift))

    def reached(self, kernel: np.ndarray, offset: float = 0.0) -> bool:
        """Whether there is nothing left to learn."""
        return self.distance(kernel, offset) < NEAR

    def error_bars(self, noise: float) -> np.ndarray:
        """(k, k): the standard error of every weight if the after pictures had noise of that RMS.

        In the pictures' units; inf for weights that the pictures leave open.
        """
        spread = self.equations.spread()
        return (noise * np.sqrt(spread)).reshape(self.solution.kernel.shape)

    def _shift(self, change: np.ndarray, offset: float) -> float:
        """What change and offset add to the mean result: the offset's part that is its own."""
        return float(offset - self.solution.offset + self.equations.patch_mean @ change)

    def _change(self, kernel: np.ndarray) -> np.ndarray:
        kernel = np.asarray(kernel, np.float64)
        size = self.statistics.size
        if kernel.shape != (size, size):
            received = " × ".join(map(str, kernel.shape))
            raise DemoError(f"a {size} × {size} kernel", received, "Take the sums at its size.")
        return kernel.ravel() - self._best
