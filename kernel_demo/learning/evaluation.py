"""How near a learned kernel, or what it makes of a picture, is to the true one."""

from dataclasses import dataclass

import cv2
import numpy as np

GREY_LEVELS = 255.0
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5  # an 11 x 11 window, as in the paper
SSIM_K1, SSIM_K2 = 0.01, 0.03


@dataclass(frozen=True)
class Comparison:
    """Two pictures of one filter, side by side; differences in grey levels (0..255)."""

    psnr: float  # dB; infinite where they are equal
    ssim: float  # 1 where they are equal; NaN where the picture is smaller than the window
    largest: float  # largest absolute difference
    largest_interior: float  # the same where no pixel depends on the border mode
    largest_border: float  # the same on the rest


def kernel_error(learned: np.ndarray, true: np.ndarray) -> float:
    """max |learned - true|; the smaller kernel counts as surrounded by zeros."""
    size = max(learned.shape[0], true.shape[0])
    return float(np.max(np.abs(_grow(learned, size) - _grow(true, size))))


def psnr(a: np.ndarray, b: np.ndarray, peak: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean (a - b)^2); equal: infinity."""
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float64))))
    return float("inf") if error == 0 else 10 * float(np.log10(peak**2 / error))


def ssim(a: np.ndarray, b: np.ndarray, peak: float = 1.0) -> float:
    """Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13), H x W (x C).

    SSIM = (2 ma mb + c1)(2 sab + c2) / ((ma^2 + mb^2 + c1)(sa^2 + sb^2 + c2)) with means and
    (co)variances under an 11 x 11 Gaussian window of sigma 1.5, c1 = (0.01 peak)^2 and
    c2 = (0.03 peak)^2, averaged over windows that lie inside the picture (and over channels).
    NaN where none does.
    """
    if min(a.shape[:2]) <= 2 * SSIM_RADIUS:
        return float("nan")
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    mean_a, mean_b = _window(a), _window(b)
    variance_a = _window(a * a) - mean_a**2
    variance_b = _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    c1, c2 = (SSIM_K1 * peak) ** 2, (SSIM_K2 * peak) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return float(np.mean(above / below))


def compare(true: np.ndarray, learned: np.ndarray, radius: int) -> Comparison:
    """Compares the outputs (H x W or H x W x C, 0..1) of the true and the learned filter.

    radius: of the kernel; pixels nearer than that to an edge make the border.
    """
    difference = np.abs(np.subtract(true, learned, dtype=np.float64)) * GREY_LEVELS
    inside = np.zeros(true.shape[:2], bool)
    inside[radius : true.shape[0] - radius, radius : true.shape[1] - radius] = True
    return Comparison(
        psnr=psnr(true, learned),
        ssim=ssim(true, learned),
        largest=float(difference.max()),
        largest_interior=float(difference[inside].max(initial=0.0)),
        largest_border=float(difference[~inside].max(initial=0.0)),
    )


def _window(image: np.ndarray) -> np.ndarray:
    """Local means under the Gaussian window, where the whole window lies inside."""
    width = 2 * SSIM_RADIUS + 1
    blurred = cv2.GaussianBlur(image, (width, width), SSIM_SIGMA)
    return blurred[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]


def _grow(kernel: np.ndarray, size: int) -> np.ndarray:
    return np.pad(np.asarray(kernel, np.float64), (size - kernel.shape[0]) // 2)
