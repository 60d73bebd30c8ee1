"""Smoothing kernels of which the weights are not to be seen, but their family and width.

Compression keeps little of what a blur lets through: the weights are known to some per cent each,
and together well enough to tell a Gaussian from a box, and its sigma. The family is fitted to the
weights by their covariance (minimum distance, Ferguson, Ann. Math. Stat. 29, 1958).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

# A family is told where the weights' chi-squared is below so many times their number, and that of
# all others above: rounding that follows the picture makes 0.8 to 2.2 of the right one, and bars by
# half too small (measured over five photos; wrong families have 9 times as much and more).
CONTRADICTED, LIKELIER, STRETCH = 3.0, 30.0, 2.0
# Noise in before, as of a JPEG, bends the width by up to this share (measured).
BENT = 0.005
FINE = 24  # points for each pixel of a line


@dataclass(frozen=True, eq=False)
class Smoothing:
    """A member of a family, and how well it is known."""

    family: str
    width: float  # sigma of a Gaussian, else the length, in pixels
    bar: float  # of the width
    kernel: np.ndarray  # k x k
    standard_error: np.ndarray  # k x k
    far: float  # chi-squared of the weights


def _averaged(profile: Callable[[np.ndarray], np.ndarray], size: int) -> np.ndarray:
    """A line of `size` weights, each the mean of a profile over its pixel; sum 1."""
    at = (np.arange(size * FINE) + 0.5) / FINE - size / 2
    line = profile(at).reshape(size, FINE).mean(axis=1)
    return line / line.sum()


def _gaussian(sigma: float, size: int, taps: int) -> np.ndarray:
    at = np.arange(size) - size // 2
    line = np.exp(-0.5 * (at / sigma) ** 2) * (np.abs(at) <= taps // 2)
    return line / line.sum()


def _box(length: float, size: int, taps: int) -> np.ndarray:
    return _averaged(lambda at: np.clip((length / 2 - np.abs(at)) * FINE + 0.5, 0, 1), size)


def _triangle(length: float, size: int, taps: int) -> np.ndarray:
    return _averaged(lambda at: np.maximum(length / 2 - np.abs(at), 0), size)


# Lines of which kernels are made, and the widths (in pixels) that they are looked for with.
FAMILIES = {
    "Gaussian": (_gaussian, 0.35, 0.5),
    "box": (_box, 1.2, 1.0),
    "triangle": (_triangle, 2.2, 1.0),
}


def smoothing(kernel: np.ndarray, covariance: np.ndarray) -> Smoothing | None:
    """The family of a kernel (k x k) with the covariance of its weights, if one alone fits."""
    certain = np.linalg.pinv(covariance, hermitian=True, rcond=1e-10)
    found = sorted(_members(kernel.ravel(), certain), key=lambda member: member.far)
    if not found or found[0].far > CONTRADICTED * kernel.size:
        return None
    best = found[0]
    unsure = LIKELIER * max(1.0, best.far / kernel.size)
    likely = [member for member in found if member.far < best.far + unsure]
    if any(member.family != best.family for member in likely):
        return None
    errors, bar = best.standard_error, best.bar
    for other in likely[1:]:
        errors = np.maximum(errors, np.abs(other.kernel - best.kernel))
        bar = max(bar, abs(other.width - best.width))
    return replace(best, bar=bar, standard_error=errors)


def _members(weights: np.ndarray, certain: np.ndarray) -> Iterator[Smoothing]:
    """Of each family, and each number of a Gaussian's taps, the one that comes closest."""
    size = round(len(weights) ** 0.5)
    for family, (line, least, most) in FAMILIES.items():
        for taps in range(3, size + 1, 2) if family == "Gaussian" else (size,):
            widths = np.geomspace(least, most * size, 60)
            shape = partial(line, size=size, taps=taps)
            member = _closest(weights, certain, family, shape, widths)
            if member is not None:
                yield member


def _closest(
    weights: np.ndarray,
    certain: np.ndarray,
    family: str,
    line: Callable[[float], np.ndarray],
    widths: np.ndarray,
) -> Smoothing | None:
    """The width and the gain by which the family comes closest; None: none does."""

    def shape(width: float) -> np.ndarray:
        values = line(width)
        return np.outer(values, values).ravel()

    def fitted(width: float) -> tuple[float, float, float]:
        unit = shape(width)
        square = unit @ certain @ unit
        gain = (unit @ certain @ weights) / square
        rest = weights - gain * unit
        return float(rest @ certain @ rest), float(gain), float(square)

    for _ in range(3):  # finer each time
        best = int(np.argmin([fitted(width)[0] for width in widths]))
        if best in (0, len(widths) - 1):
            return None
        before, width, after = widths[best - 1 : best + 2]
        widths = np.linspace(before, after, 25)
    far, gain, square = fitted(width)
    step = 0.01 * width
    bent = fitted(width + step)[0] - 2 * far + fitted(width - step)[0]
    if gain <= 0 or bent <= 0:
        return None
    stretch = STRETCH * np.sqrt(max(1.0, far / len(weights)))
    bar = float(np.hypot(np.sqrt(2 / bent) * step * stretch, BENT * width))
    slope = gain * (shape(width + step) - shape(width - step)) / (2 * step)
    of_gain = shape(width) * np.hypot(stretch / square**0.5, BENT * gain)
    errors = np.hypot(slope * bar, of_gain)
    side = round(len(weights) ** 0.5)
    kernel, errors = (v.reshape(side, side) for v in (gain * shape(width), errors))
    return Smoothing(family, float(width), bar, kernel, errors, far)
