"""How near a learned kernel, or what it makes of a picture, is to the true one."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from kernel_demo.imaging.kernels import resized

GREY_LEVELS = 255.0
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5  # an 11 x 11 window, as in the paper
SSIM_K1, SSIM_K2 = 0.01, 0.03
STRIP = 256  # rows worked on at once: large pictures need no more memory than small ones


@dataclass(frozen=True)
class Comparison:
    """Two pictures of one filter, side by side; differences in grey levels (0..255)."""

    psnr: float  # dB; infinite where they are equal
    ssim: float  # 1 where they are equal; NaN where the picture is smaller than the window
    largest: float  # largest absolute difference


def kernel_error(learned: np.ndarray, true: np.ndarray) -> float:
    """max |learned - true|; the smaller kernel counts as surrounded by zeros."""
    size = max(len(learned), len(true))
    return float(np.max(np.abs(resized(learned, size) - resized(true, size))))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of pictures in 0..1, -10 log10(mean (a - b)^2) dB; equal: inf."""
    error = sum(float(np.square(difference).sum()) for difference in _differences(a, b)) / a.size
    return float("inf") if error == 0 else 10 * float(np.log10(1 / error))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13), H x W (x C), 0..1.

    SSIM = (2 ma mb + c1)(2 sab + c2) / ((ma^2 + mb^2 + c1)(sa^2 + sb^2 + c2)) with means and
    (co)variances under an 11 x 11 Gaussian window of sigma 1.5, c1 = 0.01^2 and
    c2 = 0.03^2, averaged over windows that lie inside the picture (and over channels).
    NaN where none does.
    """
    if min(a.shape[:2]) <= 2 * SSIM_RADIUS:
        return float("nan")
    windows = a.shape[0] - 2 * SSIM_RADIUS
    strips = (slice(top, top + STRIP + 2 * SSIM_RADIUS) for top in range(0, windows, STRIP))
    total = sum(float(_ssim_map(a[rows], b[rows]).sum()) for rows in strips)
    return total / (a[0].size - 2 * SSIM_RADIUS * a[0, 0].size) / windows


def compare(true: np.ndarray, learned: np.ndarray) -> Comparison:
    """Compares the outputs (H x W or H x W x C, 0..1) of the true and the learned filter."""
    largest = max(float(np.abs(difference).max()) for difference in _differences(true, learned))
    return Comparison(psnr(true, learned), ssim(true, learned), GREY_LEVELS * largest)


def _differences(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    """a - b in float64, strip by strip."""
    for top in range(0, len(a), STRIP):
        rows = slice(top, top + STRIP)
        yield np.subtract(a[rows], b[rows], dtype=np.float64)


def _ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The similarity of every window."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    mean_a, mean_b = _window(a), _window(b)
    variance_a = _window(a * a) - mean_a**2
    variance_b = _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return above / below


def _window(image: np.ndarray) -> np.ndarray:
    """Local means under the Gaussian window, where the whole window lies inside."""
    width = 2 * SSIM_RADIUS + 1
    blurred = cv2.GaussianBlur(image, (width, width), SSIM_SIGMA)
    return blurred[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]
