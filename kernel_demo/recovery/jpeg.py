"""What a JPEG file tells of the filter in spite of its compression.

A decoded JPEG keeps its quantisation: every coefficient of its 8 x 8 cosine transforms is a whole
multiple of a step that can be read off. Least squares takes the small coefficients that were
rounded to zero for the truth, which bends a kernel by up to half of its largest weight. Here each
coefficient says what it really says: that before rounding it lay within half a step of the multiple
found. The kernel of maximum likelihood under such interval-censored observations (Stewart, Rev.
Econ. Stud. 50, 1983, with known limits) has no such bend: a log-concave problem, solved by Newton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.fitting import box

# Annex K of ITU-T T.81, the luminance table that nearly all encoders scale (IJG's "quality").
LUMINANCE = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
])  # fmt: skip

# Orthonormal DCT-II of length 8: C x C' transforms a block.
COSINES = np.sqrt(2 / 8) * np.cos(np.pi * np.outer(np.arange(8), 2 * np.arange(8) + 1) / 16)
COSINES[0] /= np.sqrt(2)

# Rounding to grey levels before compression: 12**-0.5 in every coefficient, and a little for the
# rounding of the decoder.
SPREAD = 0.35
# Newton starts from a wide distribution, under which even a poor kernel is not impossible.
SPREADS = (3.0, 1.5, 0.8, 0.45, SPREAD, SPREAD)
PRODUCTS = 6_000_000  # observations times unknowns: 48 MB
COMMON = 2.5066282746310002  # sqrt(2 pi)


@dataclass(frozen=True)
class Compression:
    """The quantisation of a picture that went through a JPEG file."""

    steps: np.ndarray  # 8 x 8; 0 where nothing tells
    quality: int | None  # IJG's, where the steps are those of its table

    def __str__(self) -> str:
        return "JPEG" if self.quality is None else f"JPEG, quality {self.quality}"


def blocks(picture: np.ndarray) -> np.ndarray:
    """The whole 8 x 8 blocks of a picture, as n x 8 x 8."""
    height, width = (side // 8 for side in picture.shape)
    cut = picture[: height * 8, : width * 8].reshape(height, 8, width, 8)
    return cut.transpose(0, 2, 1, 3).reshape(-1, 8, 8)


def coefficients(picture: np.ndarray) -> np.ndarray:
    """n x 64: the transforms of the blocks."""
    return (COSINES @ blocks(picture.astype(np.float64)) @ COSINES.T).reshape(-1, 64)


def compression(after: np.ndarray) -> Compression | None:
    """The quantisation of an 8-bit picture (H x W), if its blocks bear the marks of one."""
    whole = blocks(after)
    open_blocks = ((whole > 0) & (whole < 255)).all(axis=(1, 2))
    if np.count_nonzero(open_blocks) < 100:
        return None
    values = coefficients(after.astype(np.float64) - 128)[open_blocks][:20_000]
    found = np.array([_step(column) for column in values.T])
    known = found > 0
    if np.count_nonzero(found > 2) < 8:
        return None
    qualities = range(1, 101)
    match, quality = max((float((steps(q).ravel() == found)[known].mean()), q) for q in qualities)
    if match > 0.8:
        return Compression(steps(quality), quality)
    return Compression(found.reshape(8, 8), None)


def steps(quality: int) -> np.ndarray:
    """IJG's luminance table, 8 x 8, for a quality of 1..100 (jcparam.c)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((LUMINANCE * scale + 50) // 100, 1, 255)


def _step(values: np.ndarray) -> int:
    """The largest step of which all larger values are multiples, up to rounding; 0 if none is."""
    found = 0
    for step in range(2, 122):
        large = values[np.abs(values) > step / 2]
        if len(large) < 20:
            break
        rest = large - step * np.rint(large / step)
        # Rounding leaves 12**-0.5 = 0.29; values that are no multiples leave step * 12**-0.5.
        if np.sqrt((rest**2).mean()) < min(0.4, 0.2 * step):
            found = step
    return found


@dataclass(frozen=True, eq=False)
class Censored:
    """The kernel of maximum likelihood, given the intervals of the coefficients."""

    kernel: np.ndarray  # k x k
    offset: float
    standard_error: np.ndarray  # k x k, from the Fisher information
    consistent: float  # share of the coefficients that it puts within their interval (+- 1 level)


def fit(
    planes: list[Plane], compressed: Compression, kernel: np.ndarray, offset: float
) -> Censored | None:
    """The kernel of the size of `kernel` (the start), trimmed to its significant weights."""
    whole = _fit(planes, compressed, kernel, offset, np.ones(kernel.shape, bool))
    if whole is None:
        return None
    significant = np.abs(whole.kernel) > 4 * whole.standard_error
    top, left, height, width = box(significant)
    free = np.zeros(kernel.shape, bool)
    free[top : top + height, left : left + width] = True
    if free.all() or not significant.any():
        return whole
    return _fit(planes, compressed, whole.kernel, whole.offset, free)


def _fit(planes, compressed, kernel, offset, free: np.ndarray) -> Censored | None:
    """The kernel with its `free` weights (k x k bool), from blocks far from black and white.

    planes: 8-bit, before and after aligned, after's blocks starting at its corner. None: too few
    blocks, or they leave weights open.
    """
    found = _observations(planes, compressed, free)
    if found is None:
        return None
    design, low, high = found
    weights = np.append(kernel[free], offset)
    for spread in SPREADS:
        slope, curvature = _likelihood(design @ weights, low, high, spread)
        telling = curvature > 1e-6 / spread**2  # far inside its interval a value tells nothing
        weighted = design[telling] * np.sqrt(curvature[telling])[:, None]
        information = weighted.T @ weighted
        try:
            weights = weights + np.linalg.solve(information, design.T @ slope)
            covariance = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
    predicted = design @ weights
    consistent = np.mean((predicted > low - 1) & (predicted < high + 1))
    values, errors = np.zeros((2, *kernel.shape))
    values[free], errors[free] = weights[:-1], np.sqrt(np.maximum(np.diag(covariance)[:-1], 0))
    return Censored(values, float(weights[-1]), errors, float(consistent))


def _observations(planes, compressed: Compression, free: np.ndarray):
    """(design n x (free + 1), lower limits, upper limits) of the coefficients with a known step."""
    size, unknowns = len(free), np.count_nonzero(free) + 1
    known = np.flatnonzero(compressed.steps.ravel())
    steps = compressed.steps.ravel()[known]
    budget = max(200, PRODUCTS // (len(known) * unknowns) // len(planes))
    constant = coefficients(np.ones((8, 8)))[0, known]
    edge, designs, values = size // 2, [], []
    for plane in planes:
        margin = -(-edge // 8) * 8
        height, width = ((side - 2 * margin) // 8 * 8 for side in plane.after.shape)
        if min(height, width) < 8:
            continue
        inner = plane.after[margin : margin + height, margin : margin + width]
        whole = blocks(inner)
        clear = np.flatnonzero(((whole > 3) & (whole < 252)).all(axis=(1, 2)))
        clear = np.random.default_rng(0).permutation(clear)[:budget]
        columns = []
        for i, j in np.argwhere(free) + margin - edge:
            moved = plane.before[i : i + height, j : j + width]
            columns.append((COSINES @ blocks(moved)[clear] @ COSINES.T).reshape(-1, 64)[:, known])
        columns.append(np.broadcast_to(constant, columns[0].shape))
        designs.append(np.stack(columns, axis=-1).reshape(-1, unknowns))
        values.append(coefficients(inner.astype(np.float64))[clear][:, known] - 128 * constant)
    if not values or sum(map(len, values)) < 50:
        return None
    middle = np.rint(np.concatenate(values) / steps) * steps + 128 * constant
    return np.concatenate(designs), (middle - steps / 2).ravel(), (middle + steps / 2).ravel()


def _likelihood(predicted, low, high, spread: float):
    """Slope and (negative) curvature of log P(low < value < high), value normal about predicted."""
    a, b = (low - predicted) / spread, (high - predicted) / spread
    inside = _normal(b) - _normal(a)
    likely = inside > 1e-8
    inside = np.where(likely, inside, 1)
    at_a, at_b = (np.exp(-0.5 * v**2) / COMMON for v in (a, b))
    # Far outside the interval the distribution's tail is that of its nearer end.
    slope = np.where(likely, (at_a - at_b) / inside, np.where(a > 0, a, b))
    finite_a, finite_b = (np.clip(v, -40, 40) for v in (a, b))
    curvature = (finite_b * at_b - finite_a * at_a) / inside + slope**2
    return slope / spread, np.where(likely, curvature, 1) / spread**2


def _normal(values: np.ndarray) -> np.ndarray:
    """The standard normal distribution function."""
    return torch.special.ndtr(torch.from_numpy(np.ascontiguousarray(values))).numpy()
