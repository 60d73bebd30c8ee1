"""A kernel that works on light: after = encode(K * decode(before)), where files hold stored values.

Its weights come from least squares of the stored values, in which rounding is alike everywhere:
with p = K * decode(before), encode(p + dp) is nearly encode(p) + encode'(p) dp (Gauss and Newton).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.catalogue import gaussian
from kernel_demo.imaging.filtering import correlate
from kernel_demo.recovery.alignment import Pair, Plane, planes_of
from kernel_demo.recovery.operations import WHITE, Light

PIXELS, VALUES = 30_000, 8_000_000  # of all pairs, to find the size; in their patches, after that
LARGEST = 15
ROUNDS = 4  # of Gauss and Newton: each squares the error
DARKEST = 1e-4  # of white: below, the slope of a power law goes to infinity
STEP = 1e-6  # of white, for that slope
BARS, DIVISORS = 4.0, 400  # within which a plainer kernel is this one; of whole numbers
SIGMAS = np.geomspace(0.3, 6, 3000)  # of Gaussians: in steps of a thousandth


@dataclass(frozen=True, eq=False)
class Found:
    """The kernel of the light."""

    kernel: np.ndarray  # k x k float64
    offset: float  # white is 1
    standard_error: np.ndarray  # k x k


def maker(curve: Light, kernel: np.ndarray, offset: float) -> Callable[[np.ndarray], np.ndarray]:
    """What makes a picture in 255ths of white of another."""

    def make(image: np.ndarray) -> np.ndarray:
        lit = curve.decode(image.astype(np.float64) / WHITE)
        return WHITE * curve.encode(correlate(lit, kernel, "reflect", offset))

    return make


def fit(pairs: Sequence[Pair], curve: Light) -> Found | None:
    """The kernel of the smallest size that explains as much as larger ones. None: too few pixels.

    Schwarz's criterion, n log(residual^2) + log(n) weights, of the linear model about the largest.
    """
    planes = [plane.unclipped() for plane in planes_of(list(pairs))]
    whole = min(LARGEST, *(min(plane.after.shape) // 4 | 1 for plane in planes))
    drawn = _drawn(planes, curve, whole, PIXELS)
    if drawn is None:
        return None
    light, after = drawn
    weights = _solved(light, after, np.zeros(light.shape[1]), curve)[0]
    slope, left = _linear(light, after, weights, curve)
    gram, squares, count = slope.T @ slope, float(left @ left), len(after)
    cross = gram @ weights
    scores = {}
    for size in range(1, whole + 1, 2):
        free = _free(size, whole)
        found = np.linalg.lstsq(gram[np.ix_(free, free)], cross[free], rcond=1e-12)[0]
        more = float(weights @ cross - found @ cross[free])
        scores[size] = count * np.log(squares + max(more, 0.0)) + np.log(count) * len(free)
    size = max(3, min(scores, key=lambda size: scores[size]))
    weights = weights[_free(size, whole)]
    drawn = _drawn(planes, curve, size, VALUES // size**2)
    if drawn is None:
        return None
    light, after = drawn
    # An offset of light is rare: without it, unless it is plainly there.
    weights, errors = _solved(light, after, weights, curve)
    if abs(weights[-1]) <= BARS * errors[-1]:
        weights, errors = _solved(light[:, :-1], after, weights[:-1], curve)
        weights, errors = np.append(weights, 0.0), np.append(errors, 0.0)
    square = (size, size)
    return Found(weights[:-1].reshape(square), float(weights[-1]), errors[:-1].reshape(square))


def simpler(found: Found) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """(kernel, parameters): plainer ones within its bars, and itself.

    Whole numbers over a divisor, and Gaussians.
    """
    for divisor in range(1, DIVISORS + 1):
        near = np.rint(divisor * found.kernel) / divisor
        if _within(near, found):
            yield near, {}
            break
    best = float(min(SIGMAS, key=lambda sigma: _distance(sigma, found)))
    for sigma in dict.fromkeys((round(best, 1), round(best, 2), best)):
        if sigma > 0 and _within(gaussian(len(found.kernel), sigma), found):
            yield gaussian(len(found.kernel), sigma), {"sigma": sigma}
    yield found.kernel, {}


def _within(kernel: np.ndarray, found: Found) -> bool:
    return bool((np.abs(kernel - found.kernel) <= BARS * found.standard_error).all())


def _distance(sigma: float, found: Found) -> float:
    """Of a Gaussian from the kernel, in bars."""
    apart = gaussian(len(found.kernel), sigma) - found.kernel
    return float(np.square(apart / np.maximum(found.standard_error, 1e-12)).sum())


def _free(size: int, whole: int) -> np.ndarray:
    """Where the weights of a smaller kernel are in a larger one, and the offset."""
    edge = (whole - size) // 2
    inner = np.arange(whole**2).reshape(whole, whole)[edge : whole - edge, edge : whole - edge]
    return np.append(inner.ravel(), whole**2)


def _drawn(
    planes: Sequence[Plane], curve: Light, size: int, most: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """n x (k * k + 1) light about pixels, with ones, and what is stored after; white is 1.

    None: there are too few.
    """
    rng, peak = np.random.default_rng(0), planes[0].peak
    parts = [plane.drawn(size, most // len(planes), rng)[:2] for plane in planes]
    patches, after = (np.concatenate(part) for part in zip(*parts, strict=True))
    if len(after) < 8 * size * size:
        return None
    light = curve.decode(patches.reshape(len(after), -1) / peak)
    return np.c_[light, np.ones(len(after))], after / peak


def _linear(
    light: np.ndarray, after: np.ndarray, weights: np.ndarray, curve: Light
) -> tuple[np.ndarray, np.ndarray]:
    """How what is stored goes with each weight, and what these leave of it."""
    made = np.clip(light @ weights, DARKEST, 1 - STEP)
    slope = (curve.encode(made + STEP) - curve.encode(made - STEP)) / (2 * STEP)
    return light * slope[:, None], after - curve.encode(made)


def _solved(
    light: np.ndarray, after: np.ndarray, weights: np.ndarray, curve: Light
) -> tuple[np.ndarray, np.ndarray]:
    """(weights, standard errors)."""
    if not weights.any():
        weights = np.linalg.lstsq(light, curve.decode(after), rcond=1e-12)[0]
    for _ in range(ROUNDS):
        slope, left = _linear(light, after, weights, curve)
        gram = slope.T @ slope
        weights = weights + np.linalg.lstsq(gram, slope.T @ left, rcond=1e-12)[0]
    inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
    return weights, np.sqrt(np.diag(inverse) * float(left @ left) / len(after))
