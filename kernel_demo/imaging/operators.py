"""What no single convolution can do, and what happens to pictures on their way into a file.

Pure functions, picture to picture: float32, H x W or H x W x 3, nominally 0..1. Results are not
clipped unless that is the point.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from kernel_demo.imaging.catalogue import gaussian
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named

_SOBEL_X = named("sobel_x").values


def magnitude(image: np.ndarray, kernel: np.ndarray = _SOBEL_X) -> np.ndarray:
    """The gradient's length, sqrt(gx^2 + gy^2): by a derivative along x and its transpose."""
    return np.hypot(correlate(image, kernel), correlate(image, np.asarray(kernel).T))


def absolute(image: np.ndarray, kernel: np.ndarray = _SOBEL_X) -> np.ndarray:
    """The absolute value of a linear filter's result: the edge without its sign."""
    return np.abs(correlate(image, kernel))


def clipped(image: np.ndarray, kernel: np.ndarray = _SOBEL_X) -> np.ndarray:
    """A linear filter's result cut off at 0 and 1, as every 8-bit file does."""
    return np.clip(correlate(image, kernel), 0, 1)


def threshold_unsharp(
    image: np.ndarray, size: int = 5, amount: float = 1.0, threshold: float = 0.02
) -> np.ndarray:
    """Unsharp mask that leaves alone what differs from its blur by less than the threshold."""
    detail = image - correlate(image, gaussian(size))
    return image + amount * np.where(np.abs(detail) >= threshold, detail, 0)


def to_light(stored: np.ndarray) -> np.ndarray:
    """The light of stored values by sRGB's curve (IEC 61966-2-1): a power law, a linear foot."""
    stored = np.clip(stored, 0, 1)
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def from_light(light: np.ndarray) -> np.ndarray:
    """The way back: the values that are stored for light."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def varying_blur(image: np.ndarray, size: int = 9) -> np.ndarray:
    """Sharp at the left, blurred at the right: another kernel in each column."""
    share = np.linspace(0, 1, image.shape[1], dtype=image.dtype)
    share = share.reshape((1, -1) + (1,) * (image.ndim - 2))
    return (1 - share) * image + share * correlate(image, gaussian(size))


def median(image: np.ndarray, size: int = 3) -> np.ndarray:
    """The middle value of the window; the border is replicated.

    Beyond 5 x 5 OpenCV does it in 8 bits alone: there, values (0..1) come in steps of 1 / 255.
    """
    if size <= 5:
        return cv2.medianBlur(np.asarray(image, np.float32), size)
    whole = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return cv2.medianBlur(whole, size).astype(np.float32) / 255


def dilate(image: np.ndarray, size: int = 3) -> np.ndarray:
    """The largest value of the window."""
    return cv2.dilate(image, np.ones((size, size), np.uint8))


def bilateral(image: np.ndarray, size: int = 7, tone: float = 0.1, reach: float = 3) -> np.ndarray:
    """A blur that stops at edges: weights fall with distance (pixels) and with tone (0..1)."""
    return cv2.bilateralFilter(np.asarray(image, np.float32), size, tone, reach)


def jpeg(image: np.ndarray, quality: int = 75) -> np.ndarray:
    """Through a JPEG file of that quality (1..100) and back."""
    # OpenCV calls the first channel blue: the file's red and blue must be ours.
    pixels = to_uint8(image)[..., ::-1] if image.ndim == 3 else to_uint8(image)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    back = cv2.imdecode(data, cv2.IMREAD_COLOR if image.ndim == 3 else cv2.IMREAD_GRAYSCALE)
    assert back is not None  # what was encoded just now
    return _from_uint8(back[..., ::-1] if image.ndim == 3 else back)


def degrade(
    image: np.ndarray, noise_levels: float = 0.0, eight_bit: bool = False, seed: int = 0
) -> tuple[np.ndarray, NDArray[np.bool_]]:
    """The picture as a camera or a file would keep it, and which of its pixels can be trusted.

    noise_levels: standard deviation of Gaussian noise, in grey levels (0..255).
    eight_bit: clip and round to 256 levels (halves up).
    Returns (float32 picture, bool mask of the same shape); the mask is False where the 8-bit
    pixel is 0 or 255: what was below or above was clipped there.
    """
    noise = np.random.default_rng(seed).standard_normal(image.shape) * (noise_levels / 255)
    noisy = (image + noise).astype(image.dtype)
    if not eight_bit:
        return noisy.astype(np.float32), np.ones(image.shape, bool)
    pixels = to_uint8(noisy)
    return _from_uint8(pixels), (pixels > 0) & (pixels < 255)


def _from_uint8(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255
