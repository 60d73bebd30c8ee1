"""What a kernel is called, and by what it was scaled or turned."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE, identity

# Largest difference, as a share of the largest weight, at which two kernels are the same.
SAME = 0.01
ANGLES = range(0, 180, 15)
SIGMAS = np.geomspace(0.3, 6, 120)


@dataclass(frozen=True)
class Name:
    """A kernel of the catalogue, or of a family, and how this one differs from it."""

    name: str  # "Sobel x 3×3"
    scale: float  # this kernel = scale * the named one
    flipped: bool  # turned by 180 degrees: the tool convolves where we correlate

    def __str__(self) -> str:
        turned = ", flipped (a convolution in the strict sense)" if self.flipped else ""
        return self.name + _scaled(self.scale) + turned


def name(kernel: np.ndarray) -> Name | None:
    """The name of a kernel (k x k), if it has one."""
    largest = np.abs(kernel).max()
    if largest == 0:
        return None
    named = _of_catalogue(kernel, SAME * largest)
    return named or _box(kernel, SAME * largest) or _gaussian(kernel) or _unsharp(kernel)


def _of_catalogue(kernel: np.ndarray, tolerance: float) -> Name | None:
    size = len(kernel)
    found = []
    for key, entry in CATALOGUE.items():
        if size not in entry.sizes:
            continue
        for angle in ANGLES if entry.takes_angle else (0,):
            known = kernels.named(key, size, angle)
            for flipped in (False, True):
                values = known.values[::-1, ::-1] if flipped else known.values
                scale = float((kernel * values).sum() / (values * values).sum())
                # A symmetric kernel has no flip to tell a negative scale from.
                symmetric = np.array_equal(known.values, known.values[::-1, ::-1])
                if (scale > 0 or symmetric) and np.abs(kernel - scale * values).max() <= tolerance:
                    found.append(Name(known.name, scale, flipped))
    return min(found, key=lambda n: (n.flipped, abs(n.scale - 1) > 1e-6), default=None)


def _box(kernel: np.ndarray, tolerance: float) -> Name | None:
    rows, columns = np.nonzero(np.abs(kernel) > tolerance)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    inner = kernel[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if inner.size < 2 or np.abs(inner - inner.mean()).max() > tolerance or inner.mean() < 0:
        return None
    return Name(f"Box blur {height}×{width}", float(inner.sum()), False)


def _closest(kernel: np.ndarray, family) -> tuple[float, float]:
    """The parameter of SIGMAS whose member comes closest, and the largest difference."""
    errors = [np.abs(kernel - family(sigma)).max() for sigma in SIGMAS]
    best = int(np.argmin(errors))
    finer = np.linspace(SIGMAS[max(best - 1, 0)], SIGMAS[min(best + 1, len(SIGMAS) - 1)], 41)
    errors = [np.abs(kernel - family(sigma)).max() for sigma in finer]
    return float(finer[int(np.argmin(errors))]), float(min(errors))


def _bell(size: int, sigma: float) -> np.ndarray:
    weights = cv2.getGaussianKernel(size, sigma)
    return np.outer(weights, weights)


def _gaussian(kernel: np.ndarray) -> Name | None:
    total = kernel.sum()
    if total <= 0 or len(kernel) > 31:
        return None
    sigma, error = _closest(kernel, lambda s: total * _bell(len(kernel), s))
    if error > SAME * kernel.max():
        return None
    return Name(f"Gaussian blur, sigma {sigma:.2f}", float(total), False)


def _unsharp(kernel: np.ndarray) -> Name | None:
    """identity + amount * (identity - Gaussian), the amount by least squares."""
    middle = identity(len(kernel))
    if abs(kernel.sum() - 1) > 0.02 or kernel.max() != kernel[len(kernel) // 2, len(kernel) // 2]:
        return None

    def amount(sigma: float) -> float:
        detail = middle - _bell(len(kernel), sigma)
        return float(((kernel - middle) * detail).sum() / (detail**2).sum())

    def member(sigma: float) -> np.ndarray:
        return middle + amount(sigma) * (middle - _bell(len(kernel), sigma))

    sigma, error = _closest(kernel, member)
    inside = 0.4 < sigma < len(kernel) / 3  # else the Gaussian is no longer to be recognised
    if error > SAME * np.abs(kernel - middle).max() or amount(sigma) <= 0.01 or not inside:
        return None
    return Name(f"Unsharp mask, sigma {sigma:.2f}, amount {amount(sigma):.2f}", 1.0, False)


def _scaled(scale: float) -> str:
    """ ", divided by 4", or nothing for 1."""
    if abs(scale - 1) < 0.005:
        return ""
    simple = Fraction(scale).limit_denominator(32)
    if abs(float(simple) - scale) > SAME / 2 * abs(scale):
        return f", times {scale:.4g}"
    if simple.numerator == 1:
        return f", divided by {simple.denominator}"
    return f", times {simple}"
