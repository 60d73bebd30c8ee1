"""Pictures that cannot tell the kernel: flat, blurred, cut, compressed, noisy.

Each takes pictures (H x W, 0..1), a kernel and a seed, makes befores and afters in grey levels,
and foretells from the befores and the kernel alone the error of what is then learned.
"""

import cv2
import numpy as np

from kernel_demo.imaging import operators
from kernel_demo.imaging.filtering import correlate
from kernel_demo.lab import jpeg
from kernel_demo.lab.limit import Limit, as_file, kernel_limit, levels
from kernel_demo.lab.prediction import random_largest, rounded_sums, sums, systematic
from kernel_demo.learning.certificate import ROUNDING

NOISE_LEVELS = 5.0
BLUR_SIGMA = 2.0
# Without it, rounding would not be noise: in a blurred picture whole regions round the same way.
CAMERA_NOISE = 1.0
JPEG_QUALITY = 75
_MARGIN = 2  # a clipped pixel of a JPEG is told by being this near to black or white


def constant(pictures, kernel, seed) -> Limit:
    """A flat picture shows the sum of the weights and nothing else: all come out as their mean."""
    flat = [np.full_like(levels([picture])[0], round(255 * picture.mean())) for picture in pictures]
    flat = [np.maximum(picture, 1) for picture in flat]  # a black one would not show even the sum
    solution = sums(flat, [correlate(one, kernel) for one in flat], len(kernel)).solve(offset=False)
    predicted = np.abs(kernel - kernel.mean()).max()
    figures = {"rank": solution.rank, "weights": kernel.size}
    return kernel_limit("constant", predicted, kernel, solution.kernel, figures=figures)


def blurred(pictures, kernel, seed) -> Limit:
    """Blurred pictures hold no fine detail: what is left of it drowns in one level of noise."""
    soft = levels([cv2.GaussianBlur(picture, (0, 0), BLUR_SIGMA) for picture in pictures])
    blind, gain = rounded_sums(soft, kernel, len(kernel), CAMERA_NOISE, seed)
    clear, _ = rounded_sums(levels(pictures), kernel, len(kernel), CAMERA_NOISE, seed)
    solution, remedy = blind.solve(offset=False), clear.solve(offset=False)
    return kernel_limit(
        "blurred",
        gain * random_largest(blind, np.hypot(CAMERA_NOISE, ROUNDING), seed),
        kernel,
        gain * solution.kernel,
        gain * remedy.kernel,
        {"condition": solution.condition, "condition_sharp": remedy.condition},
    )


def eight_bit_clipping(pictures, kernel, seed) -> Limit:
    """A file cuts at black and white. The fit takes the cut values for answers."""
    befores = levels(pictures)
    exact = [correlate(one, kernel) for one in befores]
    afters = [as_file(one) for one in exact]
    masks = [(one > 0) & (one < 255) for one in afters]
    cut = [np.clip(one, 0, 255) - one for one in exact]
    predicted = np.abs(systematic(sums(befores, cut, len(kernel)))).max()
    naive = sums(befores, afters, len(kernel)).solve(offset=False)
    masked = sums(befores, afters, len(kernel), masks).solve(offset=False)
    share = 1 - np.mean([mask.mean() for mask in masks])
    figures = {"clipped_share": float(share)}
    return kernel_limit(
        "eight_bit_clipping", predicted, kernel, naive.kernel, masked.kernel, figures
    )


def jpeg_file(pictures, kernel, seed) -> Limit:
    """JPEG rounds the detail away in blocks of 8 x 8: foretold from its quantisation table."""
    befores = levels(pictures)
    exact = [correlate(one, kernel) for one in befores]
    foretold = [jpeg.quantised(as_file(one), JPEG_QUALITY) for one in exact]
    afters = [np.rint(operators.jpeg(as_file(one) / 255, JPEG_QUALITY) * 255.0) for one in exact]

    def inside(files):
        return [(one > _MARGIN) & (one < 255 - _MARGIN) for one in files]

    lost = [kept - true for kept, true in zip(foretold, exact, strict=True)]
    predicted = np.abs(systematic(sums(befores, lost, len(kernel), inside(foretold)))).max()
    solution = sums(befores, afters, len(kernel), inside(afters)).solve(offset=False)
    figures = {"quality": JPEG_QUALITY, "residual": solution.residual}
    return kernel_limit("jpeg_file", predicted, kernel, solution.kernel, figures=figures)


def noise_after(pictures, kernel, seed) -> Limit:
    """Noise on the after pictures: no bias, and ten times less with a hundred times the pixels."""
    befores = levels(pictures)
    random = np.random.default_rng(seed)
    afters = [
        correlate(one, kernel) + NOISE_LEVELS * random.standard_normal(one.shape) for one in befores
    ]
    statistics = sums(befores, afters, len(kernel))
    predicted = random_largest(statistics, NOISE_LEVELS, seed)
    figures = {"noise": NOISE_LEVELS, "pixels": statistics.count}
    return kernel_limit(
        "noise_after", predicted, kernel, statistics.solve(offset=False).kernel, figures=figures
    )


def noise_before(pictures, kernel, seed) -> Limit:
    """Noise on the before pictures shrinks the kernel: w = (X'X + n s^2 I)^-1 X'X K.

    Errors in variables (Fuller, Measurement Error Models, 1987, section 1.1); more pixels do not
    help, knowing s does: n s^2 is taken off the diagonal again.
    """
    befores = levels(pictures)
    random = np.random.default_rng(seed)
    noisy = [one + NOISE_LEVELS * random.standard_normal(one.shape) for one in befores]
    afters = [correlate(one, kernel) for one in befores]
    clean, seen = (sums(side, afters, len(kernel)) for side in (befores, noisy))
    added = clean.count * NOISE_LEVELS**2 * np.eye(kernel.size)
    shrunk = np.linalg.solve(clean.gram + added, clean.gram @ kernel.ravel())
    mended = np.linalg.solve(seen.gram - added, seen.cross).reshape(kernel.shape)
    predicted = np.abs(shrunk - kernel.ravel()).max()
    learned = seen.solve(offset=False).kernel
    figures = {"noise": NOISE_LEVELS}
    return kernel_limit("noise_before", predicted, kernel, learned, mended, figures)
