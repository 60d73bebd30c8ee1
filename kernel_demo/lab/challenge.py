"""A hidden random kernel: guess it from the pictures, or let the layer learn it."""

import math
from dataclasses import dataclass

import numpy as np

from kernel_demo.errors import DemoError, one_of
from kernel_demo.imaging.kernels import Kernel, check, random
from kernel_demo.lab.limits import random_largest
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.statistics import Statistics

SIZES = (3, 5, 7)
HALVES = 2  # the hidden weights are multiples of a half: a person can find them, too
LARGEST = 2  # of them


@dataclass(frozen=True)
class Score:
    """A guess, against the best that the pictures allow."""

    points: float  # 0 (a weight is off as far as in a kernel of zeros) to 100 (all are right)
    kernel_error: float  # largest |guess - truth|
    best_kernel_error: float  # what to expect of the best fit to 8-bit pictures
    output_error: float  # RMS over the pictures, in their unit
    best_output_error: float  # what to expect of the best fit
    exact: bool  # every weight is right
    nearest_exact: bool  # every weight is right once rounded to the halves that are asked for

    @property
    def whole_points(self) -> int:
        """Points cut off to a whole number: only an exact guess has 100."""
        return math.floor(self.points)


def hidden(size: int, seed: int) -> Kernel:
    """The kernel behind a link: k x k multiples of 1/2 from -2 to 2, the same for the same seed."""
    one_of("a size", size, SIZES)
    drawn = np.rint(random(size, seed).values * size * HALVES) / HALVES
    values = np.clip(drawn, -LARGEST, LARGEST)
    if not values.any():
        values[size // 2, size // 2] = 1.0
    return Kernel(f"Hidden {size} × {size}, number {seed}", values, "Guess it from the pictures.")


def impossible(guess: np.ndarray) -> np.ndarray:
    """Which weights of a guess (k, k) no hidden kernel has: bools."""
    return (guess * HALVES != np.rint(guess * HALVES)) | (np.abs(guess) > LARGEST)


def score(guess: np.ndarray, truth: np.ndarray, statistics: Statistics) -> Score:
    """Points for a guess (k, k): 100 (1 - kernel error / largest |true weight|), at least 0.

    They fall with every rise of the kernel error, until it reaches that of the zero kernel; 100 are
    for the exact kernel alone. statistics: of the before pictures (their X'X is what counts), of
    the truth's size. The best to expect of a fit is least squares on answers rounded to a grey
    level: an RMS error of sigma sqrt(k^2 / n). DemoError: a guess of another size.
    """
    truth = check(truth)
    guess = np.asarray(guess, np.float64)
    if guess.shape != truth.shape or not np.isfinite(guess).all():
        shape = " × ".join(map(str, guess.shape))
        raise DemoError(f"{len(truth)} × {len(truth)} numbers", shape, "Fill in every weight.")
    if statistics.size != len(truth) or statistics.count == 0:
        raise DemoError(
            f"sums of {len(truth)} × {len(truth)} patches", f"{statistics.size}", "Take them anew."
        )
    sigma = ROUNDING * statistics.peak / 255

    def output_error(difference: np.ndarray) -> float:
        weights = difference.ravel()
        return math.sqrt(max(weights @ statistics.gram @ weights, 0.0) / statistics.count)

    error = kernel_error(guess, truth)
    exact = bool(np.array_equal(guess, truth))
    points = max(100 * (1 - error / float(np.abs(truth).max())), 0.0)
    return Score(
        # An error below the spacing of floats near 1 would come out as 100.
        points=100.0 if exact else min(points, math.nextafter(100.0, 0.0)),
        kernel_error=error,
        best_kernel_error=random_largest(statistics, sigma, seed=0),
        output_error=output_error(guess - truth),
        best_output_error=sigma * math.sqrt(truth.size / statistics.count),
        exact=exact,
        nearest_exact=bool(np.array_equal(np.rint(guess * HALVES), truth * HALVES)),
    )
