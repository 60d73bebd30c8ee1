"""Ways to break it: pictures that cannot tell the kernel, and models that cannot be the filter.

Each takes pictures (H x W, 0..1), a kernel and a seed, makes befores and afters in grey levels,
foretells the error of what is then learned from the befores and the kernel alone, and tries it.

With the sums of the before pictures, X'X, and the truth K, the kernel that will be learned from
y = X K + d is K + (X'X)^-1 X'd: certain where the disturbance d is known, and as random as
s^2 (X'X)^-1 says where d is noise of variance s^2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from kernel_demo.errors import DemoError, odd, one_of
from kernel_demo.imaging import kernels, operators
from kernel_demo.imaging.filtering import correlate, pad, to_uint8
from kernel_demo.lab.pixels import teach
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.statistics import Statistics, accumulate
from kernel_demo.recovery.quantisation import COSINES, steps

Pictures: TypeAlias = Sequence[np.ndarray]
LARGEST_KERNEL = 15
MIN_SIDE = 64  # several times the largest kernel
DRAWS = 400
NOISE_LEVELS = 5.0
BLUR_SIGMA = 2.0
# Without it, rounding would not be noise: in a blurred picture whole regions round the same way.
CAMERA_NOISE = 1.0
JPEG_QUALITY = 75
SHOTS = 16  # of one scene, averaged against noise
STRIPS = 4  # of the narrowest picture, each is twice as wide as a kernel of 9
JPEG_MARGIN = 2  # a clipped pixel of a JPEG is told by being this near to black or white


@dataclass(frozen=True, eq=False)
class Limit:
    """One way to break it, foretold and tried."""

    measure: str  # "kernel": largest weight error; "output": RMS error in grey levels
    predicted: float  # by theory, from the before pictures and the truth alone
    measured: float  # of the kernel that was then found
    truth: np.ndarray | None  # (k, k); None where there is no such kernel
    learned: np.ndarray  # (k, k), same size as the truth where there is one
    remedied: float | None = None  # the error with the remedy applied; None: there is none


def levels(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As an 8-bit file holds them: whole grey levels 0..255, as float64."""
    return [to_uint8(picture).astype(np.float64) for picture in pictures]


def as_file(exact: np.ndarray) -> np.ndarray:
    """Any grey levels as an 8-bit file holds them: rounded, cut at 0 and 255."""
    return np.floor(np.clip(exact, 0, 255) + 0.5)


def kernel_limit(
    predicted: float, truth: np.ndarray, learned: np.ndarray, remedied: np.ndarray | None = None
) -> Limit:
    """A Limit told by the largest weight error of the kernels learned without and with a remedy."""
    return Limit(
        "kernel",
        float(predicted),
        kernel_error(learned, truth),
        truth,
        learned,
        None if remedied is None else kernel_error(remedied, truth),
    )


def sums(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    size: int,
    masks: Sequence[np.ndarray] | None = None,
) -> Statistics:
    """The sums over pairs of H x W pictures in any one unit."""
    chosen = [None] * len(befores) if masks is None else masks
    total, problems = accumulate(zip(befores, afters, chosen, strict=True), size)
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
    draws = np.random.default_rng(seed).standard_normal((DRAWS, len(values))) @ spread.T
    return float(sigma * np.median(np.abs(draws).max(axis=1)))


def quantised(levels: np.ndarray, quality: int) -> np.ndarray:
    """A grey picture (H x W, whole grey levels) as JPEG would keep it, whole levels 0..255.

    Blocks of 8 x 8 about 128, their cosine transform C b C' rounded to multiples of the steps; the
    edge pixels are repeated to fill the last blocks.
    """
    height, width = levels.shape
    padded = np.pad(levels, ((0, -height % 8), (0, -width % 8)), mode="edge").astype(float) - 128
    blocks = padded.reshape(len(padded) // 8, 8, -1, 8).swapaxes(1, 2)
    step = steps(quality)
    kept = np.rint(COSINES @ blocks @ COSINES.T / step) * step
    pixels = (COSINES.T @ kept @ COSINES).swapaxes(1, 2).reshape(padded.shape)
    return np.clip(np.rint(pixels + 128), 0, 255)[:height, :width]


def constant(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """A flat picture shows the sum of the weights and nothing else: all come out as their mean."""
    flat = [np.full_like(levels([picture])[0], round(255 * picture.mean())) for picture in pictures]
    flat = [np.maximum(picture, 1) for picture in flat]  # a black one would not show even the sum
    solution = sums(flat, [correlate(one, kernel) for one in flat], len(kernel)).solve(offset=False)
    rich, gain = rounded_sums(levels(pictures), kernel, len(kernel))
    predicted, remedied = np.abs(kernel - kernel.mean()).max(), gain * rich.solve(False).kernel
    return kernel_limit(predicted, kernel, solution.kernel, remedied)


def blurred(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """Blurred pictures hold no fine detail: what is left of it drowns in one level of noise."""
    soft = levels([cv2.GaussianBlur(picture, (0, 0), BLUR_SIGMA) for picture in pictures])
    blind, gain = rounded_sums(soft, kernel, len(kernel), CAMERA_NOISE, seed)
    clear, _ = rounded_sums(levels(pictures), kernel, len(kernel), CAMERA_NOISE, seed)
    predicted = gain * random_largest(blind, np.hypot(CAMERA_NOISE, ROUNDING), seed)
    learned, remedied = (gain * one.solve(offset=False).kernel for one in (blind, clear))
    return kernel_limit(predicted, kernel, learned, remedied)


def eight_bit_clipping(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """A file cuts at black and white. The fit takes the cut values for answers."""
    befores = levels(pictures)
    exact = [correlate(one, kernel) for one in befores]
    afters = [as_file(one) for one in exact]
    masks = [(one > 0) & (one < 255) for one in afters]
    cut = [np.clip(one, 0, 255) - one for one in exact]
    predicted = np.abs(systematic(sums(befores, cut, len(kernel)))).max()
    naive = sums(befores, afters, len(kernel)).solve(offset=False)
    masked = sums(befores, afters, len(kernel), masks).solve(offset=False)
    return kernel_limit(predicted, kernel, naive.kernel, masked.kernel)


def jpeg_file(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """JPEG rounds the detail away in blocks of 8 x 8: foretold from its quantisation table."""
    befores = levels(pictures)
    exact = [correlate(one, kernel) for one in befores]
    files = [as_file(one) for one in exact]
    foretold = [quantised(one, JPEG_QUALITY) for one in files]
    afters = [np.rint(operators.jpeg(one / 255, JPEG_QUALITY) * 255.0) for one in files]

    def inside(pictures: Pictures) -> list[np.ndarray]:
        return [(one > JPEG_MARGIN) & (one < 255 - JPEG_MARGIN) for one in pictures]

    lost = [kept - true for kept, true in zip(foretold, exact, strict=True)]
    predicted = np.abs(systematic(sums(befores, lost, len(kernel), inside(foretold)))).max()
    solution, lossless = (
        sums(befores, saved, len(kernel), inside(saved)).solve(offset=False)
        for saved in (afters, files)
    )
    return kernel_limit(predicted, kernel, solution.kernel, lossless.kernel)


def noise_after(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """Noise on the after pictures: no bias, and ten times less with a hundred times the pixels."""
    befores = levels(pictures)
    random = np.random.default_rng(seed)
    exact = [correlate(one, kernel) for one in befores]

    def noisy() -> list[np.ndarray]:
        return [one + NOISE_LEVELS * random.standard_normal(one.shape) for one in exact]

    statistics = sums(befores, noisy(), len(kernel))
    predicted = random_largest(statistics, NOISE_LEVELS, seed)
    shots = [noisy() for _ in range(SHOTS)]
    averaged = [np.mean(same, axis=0) for same in zip(*shots, strict=True)]
    learned, remedied = (
        one.solve(offset=False).kernel for one in (statistics, sums(befores, averaged, len(kernel)))
    )
    return kernel_limit(predicted, kernel, learned, remedied)


def noise_before(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
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
    return kernel_limit(predicted, kernel, learned, mended)


def wrong_padding(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """A zero-padded layer learns from a reflect-padded truth: only the border pixels disagree."""
    radius, befores = len(kernel) // 2, levels(pictures)
    # In a picture inside a frame of zeros every pixel's patch is whole, with the zeros in it.
    framed = [pad(one, radius, "zero") for one in befores]
    wrong = [
        pad(correlate(one, kernel, "reflect") - correlate(one, kernel, "zero"), radius, "zero")
        for one in befores
    ]
    predicted = np.abs(systematic(sums(framed, wrong, len(kernel)))).max()
    taught = teach(befores, kernel, "zero", "reflect")
    return kernel_limit(predicted, kernel, taught.padded, taught.valid)


def model_too_small(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
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
    return kernel_limit(predicted, truth, solution.kernel, full.kernel)


def model_too_large(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """The model is four pixels larger than the truth: the weights too many come out as zero."""
    size = len(kernel) + 4
    statistics, gain = rounded_sums(levels(pictures), kernel, size)
    predicted = gain * random_largest(statistics, ROUNDING, seed)
    learned = gain * statistics.solve(offset=False).kernel
    return kernel_limit(predicted, np.pad(kernel, 2), learned)


def even_kernel(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """A 2 x 2 average has no centre pixel: a 3 x 3 model holds it with a row and a column of 0."""
    truth = np.zeros((3, 3))
    truth[:2, :2] = 1 / 4
    statistics, _ = rounded_sums(levels(pictures), truth, 3)
    predicted = random_largest(statistics, ROUNDING, seed)
    return kernel_limit(predicted, truth, statistics.solve(offset=False).kernel)


def varying_filter(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """Sharp at the left, blurred at the right. The best single kernel is the one of the middle.

    With the share of blur s even over 0..1, what is left is (s - 1/2) (blurred - sharp), of
    variance mean (blurred - sharp)^2 / 12.
    """
    befores = levels(pictures)
    afters = [operators.varying_blur(one) for one in befores]
    blur = kernels.named("gaussian", 9).values
    change = np.concatenate([_interior(correlate(one, blur) - one) for one in befores])
    statistics = sums(befores, afters, 9)
    solution = statistics.solve(offset=False)
    predicted = float(np.sqrt(np.mean(change**2) / 12))
    remedied = _in_strips(befores, afters, 9)
    return Limit("output", predicted, solution.residual, None, solution.kernel, remedied)


def _in_strips(befores: Pictures, afters: Pictures, size: int) -> float:
    """The RMS error with a kernel of its own for each of STRIPS from left to right."""
    strips = []
    for number in range(STRIPS):
        before, after = (
            [np.array_split(one, STRIPS, 1)[number] for one in side] for side in (befores, afters)
        )
        strips.append(sums(before, after, size))
    squares = sum(one.count * one.solve(offset=False).residual ** 2 for one in strips)
    return float(np.sqrt(squares / sum(one.count for one in strips)))


def non_linear(pictures: Pictures, kernel: np.ndarray, seed: int) -> Limit:
    """The gradient's length. It is as large from left to right as from right to left.

    So it is uncorrelated with any difference of pixels, the best kernel and offset are close to
    "the mean everywhere", and what is left is close to the standard deviation.
    """
    befores = levels(pictures)
    afters = [operators.magnitude(one) for one in befores]
    predicted = float(np.std(np.concatenate([_interior(one, 1) for one in afters])))
    solution = sums(befores, afters, 3).solve(offset=True)
    return Limit("output", predicted, solution.residual, None, solution.kernel)


def _interior(picture: np.ndarray, radius: int = 4) -> np.ndarray:
    return picture[radius:-radius, radius:-radius].ravel()


LIMITS: dict[str, Callable[[Pictures, np.ndarray, int], Limit]] = {
    case.__name__: case
    for case in (
        constant,
        blurred,
        eight_bit_clipping,
        jpeg_file,
        noise_after,
        noise_before,
        wrong_padding,
        model_too_small,
        model_too_large,
        even_kernel,
        varying_filter,
        non_linear,
    )
}


def break_it(key: str, pictures: Sequence[np.ndarray], kernel: np.ndarray, seed: int = 0) -> Limit:
    """One case of LIMITS on grey pictures (H x W, 0..1), at least MIN_SIDE on each side.

    kernel: (k, k), k up to LARGEST_KERNEL. seed: of the noise and of the kernel that is too large.
    DemoError: an unknown key, no or too small a picture, too large a kernel.
    """
    case = LIMITS[one_of("a way to break it", key, LIMITS)]
    values = kernels.check(kernel)
    odd("kernel size", len(values), 1, LARGEST_KERNEL)
    if not pictures or min(min(picture.shape) for picture in pictures) < MIN_SIDE:
        raise DemoError(
            f"pictures of at least {MIN_SIDE} × {MIN_SIDE} pixels",
            "a smaller one" if pictures else "none",
            "Choose larger pictures.",
        )
    return case(pictures, values, seed)
