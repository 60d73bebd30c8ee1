"""The named kernels as numbers: drawn where they are fixed, computed where they have a size.

All are k x k float64 for correlation (not flipped). x grows to the right, y downwards; an angle is
in degrees, counter-clockwise from the x axis, as one sees it on the screen.
"""

import math

import cv2
import numpy as np

# Scharr (2000), as in cv2.Scharr: the 3 x 3 derivative that depends least on the edge's direction.
SCHARR_X = np.array([
    [-3, 0, 3],
    [-10, 0, 10],
    [-3, 0, 3],
])  # fmt: skip

# Roberts (1963) takes the difference of the two diagonal neighbours in a 2 x 2 square. Here they
# stand at the corners of a 3 x 3 square, so that the result does not shift by half a pixel.
ROBERTS_DOWN = np.array([
    [-1, 0, 0],
    [0, 0, 0],
    [0, 0, 1],
])  # fmt: skip
ROBERTS_UP = np.array([
    [0, 0, 1],
    [0, 0, 0],
    [-1, 0, 0],
])  # fmt: skip

# The sum of the second differences along the axes: cv2.Laplacian with ksize=1.
LAPLACIAN_4 = np.array([
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
])  # fmt: skip
# The same with the diagonals.
LAPLACIAN_8 = np.array([
    [1, 1, 1],
    [1, -8, 1],
    [1, 1, 1],
])  # fmt: skip

# The picture minus its Laplacian.
SHARPEN = np.array([
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
])  # fmt: skip

# The picture plus its slope towards the lower right.
EMBOSS = np.array([
    [-2, -1, 0],
    [-1, 1, 1],
    [0, 1, 2],
])  # fmt: skip


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """(y, x) of every entry, the centre at 0: two k x k arrays, for formulas."""
    radius = size // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    return y, x


def identity(size: int) -> np.ndarray:
    """One in the centre."""
    kernel = np.zeros((size, size))
    kernel[size // 2, size // 2] = 1
    return kernel


def sobel_x(size: int) -> np.ndarray:
    """Binomial smoothing in y, binomial derivative in x: cv2.getDerivKernels(1, 0, size)."""
    smooth, difference = np.ones(1), np.array([-1.0, 0.0, 1.0])
    for _ in range(size - 1):
        smooth = np.convolve(smooth, [1, 1])
    for _ in range(size - 3):
        difference = np.convolve(difference, [1, 1])
    return np.outer(smooth, difference)


def prewitt_x(size: int) -> np.ndarray:
    """The least-squares slope over the window, unscaled: x itself (Prewitt 1970, for 3 x 3)."""
    return grid(size)[1]


def box(size: int) -> np.ndarray:
    """The mean of the window: cv2.blur."""
    return np.full((size, size), 1 / size**2)


def gaussian(size: int) -> np.ndarray:
    """cv2.GaussianBlur of that size with sigma 0: up to 9 OpenCV's fixed fractions (at 3 and 5 the
    binomials), above that sigma = 0.3 ((k - 1) / 2 - 1) + 0.8.
    """
    weights = cv2.getGaussianKernel(size, 0)
    return np.outer(weights, weights)


def unsharp(size: int, amount: float = 1.0) -> np.ndarray:
    """identity + amount (identity - gaussian): what the blur takes away is added once more."""
    return identity(size) + amount * (identity(size) - gaussian(size))


def motion_blur(size: int, angle: float = 0.0) -> np.ndarray:
    """A line of length k through the centre, antialiased: 1 - distance to it, sum 1."""
    y, x = grid(size)
    turn = math.radians(angle)
    along = x * math.cos(turn) - y * math.sin(turn)
    across = x * math.sin(turn) + y * math.cos(turn)
    beyond = np.maximum(np.abs(along) - size // 2, 0)
    # Rounded because cos(90 degrees) is 6e-17 here: along an axis the rest must be zero.
    weights = np.round(np.maximum(1 - np.hypot(across, beyond), 0), 12)
    return weights / weights.sum()


def laplacian_of_gaussian(size: int) -> np.ndarray:
    """sigma^2 times the Laplacian of a Gaussian, sigma = k / 6, shifted so that its sum is 0.

    (r^2 / sigma^2 - 2) G(r); the factor sigma^2 makes sizes comparable (Lindeberg 1998).
    """
    sigma = size / 6
    y, x = grid(size)
    square = (x**2 + y**2) / sigma**2
    weights = np.exp(-square / 2)
    kernel = (square - 2) * weights / weights.sum()
    return kernel - kernel.mean()


def gabor(size: int, angle: float = 0.0) -> np.ndarray:
    """A cosine wave that varies along `angle`, under a round Gaussian: cv2.getGaborKernel.

    Wavelength k / 2, sigma k / 5; divided by the sum of the absolute values.
    """
    y, x = grid(size)
    turn = math.radians(angle)
    along = x * math.cos(turn) - y * math.sin(turn)
    envelope = np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    kernel = envelope * np.cos(2 * math.pi * along / (size / 2))
    return kernel / np.abs(kernel).sum()
