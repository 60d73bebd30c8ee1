"""Models that cannot be the filter: another border, another size, not one kernel at all.

As in bad_pictures.py: pictures (H x W, 0..1), a kernel and a seed; foretold, then tried.
"""

import numpy as np

from kernel_demo.imaging import kernels, operators
from kernel_demo.imaging.filtering import correlate, pad
from kernel_demo.lab.limit import Limit, kernel_limit, levels
from kernel_demo.lab.prediction import (
    inverse,
    random_largest,
    rounded_sums,
    sums,
    systematic,
)
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.learning.evaluation import kernel_error


def wrong_padding(pictures, kernel, seed) -> Limit:
    """A zero-padded layer learns from a reflect-padded truth: only the border pixels disagree."""
    radius = len(kernel) // 2
    befores = levels(pictures)
    afters = [correlate(one, kernel, "reflect") for one in befores]
    # In a picture inside a frame of zeros every pixel's patch is whole, with the zeros in it.
    framed = [pad(one, radius, "zero") for one in befores]
    answers = [pad(one, radius, "zero") for one in afters]
    wrong = [
        pad(true - correlate(one, kernel, "zero"), radius, "zero")
        for one, true in zip(befores, afters, strict=True)
    ]
    predicted = np.abs(systematic(sums(framed, wrong, len(kernel)))).max()
    learned = sums(framed, answers, len(kernel)).solve(offset=False).kernel
    valid = sums(befores, afters, len(kernel)).solve(offset=False).kernel
    pixels = sum(one.size for one in befores)
    inner = sum((one.shape[0] - 2 * radius) * (one.shape[1] - 2 * radius) for one in befores)
    figures = {"border_share": 1 - inner / pixels}
    return kernel_limit("wrong_padding", predicted, kernel, learned, valid, figures)


def model_too_small(pictures, kernel, seed) -> Limit:
    """The truth is two pixels larger than the model: what is left out is laid on what is kept.

    Omitted variables: w = K_in + (X_in'X_in)^-1 X_in'X_out K_out.
    """
    size = len(kernel)
    truth = kernels.random(size + 2, seed).values
    befores = levels(pictures)
    statistics = sums(befores, [correlate(one, truth) for one in befores], size + 2)
    inside = np.zeros(truth.shape, bool)
    inside[1:-1, 1:-1] = True
    kept = inside.ravel()
    small = statistics.shrink(size)
    laid_on = inverse(small) @ (statistics.gram[kept][:, ~kept] @ truth[~inside])
    predicted = kernel_error(truth[inside].reshape(size, size) + laid_on.reshape(size, size), truth)
    solution, full = small.solve(offset=False), statistics.solve(offset=False)
    figures = {"model": size, "truth": size + 2, "residual": solution.residual}
    return kernel_limit("model_too_small", predicted, truth, solution.kernel, full.kernel, figures)


def model_too_large(pictures, kernel, seed) -> Limit:
    """The model is four pixels larger than the truth: the weights too many come out as zero."""
    size = len(kernel) + 4
    statistics, gain = rounded_sums(levels(pictures), kernel, size)
    predicted = gain * random_largest(statistics, ROUNDING, seed)
    learned = gain * statistics.solve(offset=False).kernel
    figures = {"model": size, "truth": len(kernel)}
    return kernel_limit("model_too_large", predicted, np.pad(kernel, 2), learned, figures=figures)


def even_kernel(pictures, kernel, seed) -> Limit:
    """A 2 x 2 average has no centre pixel: a 3 x 3 model holds it with a row and a column of 0."""
    truth = np.zeros((3, 3))
    truth[:2, :2] = 1 / 4
    statistics, _ = rounded_sums(levels(pictures), truth, 3)
    predicted = random_largest(statistics, ROUNDING, seed)
    learned = statistics.solve(offset=False).kernel
    rows, columns = np.indices(truth.shape) - 1
    shift = {"shift_x": float((learned * columns).sum()), "shift_y": float((learned * rows).sum())}
    return kernel_limit("even_kernel", predicted, truth, learned, figures=shift)


def varying_filter(pictures, kernel, seed) -> Limit:
    """Sharp at the left, blurred at the right. The best single kernel is the one of the middle.

    With the share of blur s even over 0..1, what is left is (s - 1/2) (blurred - sharp), of
    variance mean (blurred - sharp)^2 / 12.
    """
    befores = levels(pictures)
    afters = [operators.varying_blur(one) for one in befores]
    change = np.concatenate([_interior(_blur(one) - one) for one in befores])
    statistics = sums(befores, afters, 9)
    solution = statistics.solve(offset=False)
    predicted = float(np.sqrt(np.mean(change**2) / 12))
    return Limit("varying_filter", "output", predicted, solution.residual, None, solution.kernel)


def non_linear(pictures, kernel, seed) -> Limit:
    """The gradient's length. It is as large from left to right as from right to left.

    So it is uncorrelated with any difference of pixels, the best kernel and offset are close to
    "the mean everywhere", and what is left is close to the standard deviation.
    """
    befores = levels(pictures)
    afters = [operators.magnitude(one) for one in befores]
    predicted = float(np.std(np.concatenate([_interior(one, 1) for one in afters])))
    solution = sums(befores, afters, 3).solve(offset=True)
    return Limit("non_linear", "output", predicted, solution.residual, None, solution.kernel)


def _blur(picture: np.ndarray) -> np.ndarray:
    return correlate(picture, kernels.named("gaussian", 9))


def _interior(picture: np.ndarray, radius: int = 4) -> np.ndarray:
    return picture[radius:-radius, radius:-radius].ravel()
