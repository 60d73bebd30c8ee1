"""The named kernels: as numbers, what each is called and for, and the sizes it exists in.

Drawn where they are fixed, computed where they have a size. All are k x k float64 for correlation
(not flipped). x grows to the right, y downwards; an angle is in degrees, counter-clockwise from the
x axis, as one sees it on the screen. kernels.named() makes a Kernel of an entry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ODD_SIZES = (3, 5, 7, 9, 11, 13, 15)
# cv2.Sobel takes 3, 5 and 7; at 15 its largest weight would be over 3 million.
_SOBEL_SIZES = (3, 5, 7)
# A second derivative or a wave needs more than one pixel on either side.
_WAVE_SIZES = ODD_SIZES[1:]


def _drawn(rows: list[list[int]]) -> NDArray[np.float64]:
    kernel = np.array(rows, np.float64)
    kernel.setflags(write=False)
    return kernel


# Scharr (2000), as in cv2.Scharr: the 3 x 3 derivative that depends least on the edge's direction.
SCHARR_X = _drawn([
    [-3, 0, 3],
    [-10, 0, 10],
    [-3, 0, 3],
])  # fmt: skip

# Roberts (1963) takes the difference of the two diagonal neighbours in a 2 x 2 square. Here they
# stand at the corners of a 3 x 3 square, so that the result does not shift by half a pixel.
ROBERTS_DOWN = _drawn([
    [-1, 0, 0],
    [0, 0, 0],
    [0, 0, 1],
])  # fmt: skip
ROBERTS_UP = _drawn([
    [0, 0, 1],
    [0, 0, 0],
    [-1, 0, 0],
])  # fmt: skip

# The sum of the second differences along the axes: cv2.Laplacian with ksize=1.
LAPLACIAN_4 = _drawn([
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
])  # fmt: skip
# The same with the diagonals.
LAPLACIAN_8 = _drawn([
    [1, 1, 1],
    [1, -8, 1],
    [1, 1, 1],
])  # fmt: skip

# The picture minus its Laplacian.
SHARPEN = _drawn([
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
])  # fmt: skip

# The picture plus its slope towards the lower right.
EMBOSS = _drawn([
    [-2, -1, 0],
    [-1, 1, 1],
    [0, 1, 2],
])  # fmt: skip


def grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(y, x) of every entry, the centre at 0: two k x k arrays, for catalogue."""
    radius = size // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    return y, x


def identity(size: int) -> NDArray[np.float64]:
    """One in the centre."""
    kernel = np.zeros((size, size))
    kernel[size // 2, size // 2] = 1
    return kernel


def sobel_x(size: int) -> NDArray[np.float64]:
    """Binomial smoothing in y, binomial derivative in x: cv2.getDerivKernels(1, 0, size)."""
    smooth: np.ndarray = np.ones(1)
    difference: np.ndarray = np.array([-1.0, 0.0, 1.0])
    for _ in range(size - 1):
        smooth = np.convolve(smooth, [1, 1])
    for _ in range(size - 3):
        difference = np.convolve(difference, [1, 1])
    return np.outer(smooth, difference)


def prewitt_x(size: int) -> NDArray[np.float64]:
    """The least-squares slope over the window, unscaled: x itself (Prewitt 1970, for 3 x 3)."""
    return grid(size)[1]


def box(size: int) -> NDArray[np.float64]:
    """The mean of the window: cv2.blur."""
    return np.full((size, size), 1 / size**2)


def gaussian(size: int, sigma: float = 0.0) -> NDArray[np.float64]:
    """cv2.GaussianBlur of that size. With sigma 0: up to 9 OpenCV's fixed fractions (at 3 and 5 the
    binomials), above that sigma = 0.3 ((k - 1) / 2 - 1) + 0.8.
    """
    weights: np.ndarray = cv2.getGaussianKernel(size, sigma)
    return np.outer(weights, weights)


def unsharp(size: int) -> NDArray[np.float64]:
    """identity + (identity - gaussian): what the blur takes away is added once more."""
    return identity(size) + (identity(size) - gaussian(size))


def motion_blur(size: int, angle: float = 0.0) -> NDArray[np.float64]:
    """A line of length k through the centre, antialiased: 1 - distance to it, sum 1."""
    y, x = grid(size)
    turn = math.radians(angle)
    along = x * math.cos(turn) - y * math.sin(turn)
    across = x * math.sin(turn) + y * math.cos(turn)
    beyond = np.maximum(np.abs(along) - size // 2, 0)
    # Rounded because cos(90 degrees) is 6e-17 here: along an axis the rest must be zero.
    weights = np.round(np.maximum(1 - np.hypot(across, beyond), 0), 12)
    return weights / weights.sum()


def laplacian_of_gaussian(size: int) -> NDArray[np.float64]:
    """sigma^2 times the Laplacian of a Gaussian, sigma = k / 6, shifted so that its sum is 0.

    (r^2 / sigma^2 - 2) G(r); the factor sigma^2 makes sizes comparable (Lindeberg 1998).
    """
    sigma = size / 6
    y, x = grid(size)
    square = (x**2 + y**2) / sigma**2
    weights = np.exp(-square / 2)
    kernel = (square - 2) * weights / weights.sum()
    return kernel - kernel.mean()


def gabor(size: int, angle: float = 0.0) -> NDArray[np.float64]:
    """A cosine wave that varies along `angle`, under a round Gaussian: cv2.getGaborKernel.

    Wavelength k / 2, sigma k / 5; divided by the sum of the absolute values.
    """
    y, x = grid(size)
    turn = math.radians(angle)
    along = x * math.cos(turn) - y * math.sin(turn)
    envelope = np.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    kernel = envelope * np.cos(2 * math.pi * along / (size / 2))
    return kernel / np.abs(kernel).sum()


@dataclass(frozen=True, eq=False)
class Named:
    """An entry of the catalogue: a kernel for each of some sizes."""

    label: str
    sizes: tuple[int, ...]
    formula: (
        NDArray[np.float64] | Callable[..., NDArray[np.float64]]
    )  # fixed, or of the size (and the angle)
    purpose: str  # one line, for a visitor
    takes_angle: bool = False

    def build(self, size: int, angle: float) -> NDArray[np.float64]:
        """The kernel, size x size. angle: degrees; read only where the entry takes one."""
        if isinstance(self.formula, np.ndarray):
            return self.formula
        return self.formula(size, angle) if self.takes_angle else self.formula(size)


CATALOGUE: dict[str, Named] = {
    "identity": Named("Identity", ODD_SIZES, identity,
        "Leaves the picture as it is: the simplest thing to learn."),
    "sobel_x": Named("Sobel x", _SOBEL_SIZES, sobel_x,
        "Finds vertical edges: how fast the brightness rises to the right."),
    "sobel_y": Named("Sobel y", _SOBEL_SIZES, lambda size: sobel_x(size).T,
        "Finds horizontal edges: how fast the brightness rises downwards."),
    "scharr_x": Named("Scharr x", (3,), SCHARR_X,
        "Finds vertical edges, and measures slanted ones more evenly than Sobel."),
    "scharr_y": Named("Scharr y", (3,), SCHARR_X.T,
        "Finds horizontal edges, and measures slanted ones more evenly than Sobel."),
    "prewitt_x": Named("Prewitt x", ODD_SIZES, prewitt_x,
        "Finds vertical edges by the slope of the best-fitting plane."),
    "prewitt_y": Named("Prewitt y", ODD_SIZES, lambda size: prewitt_x(size).T,
        "Finds horizontal edges by the slope of the best-fitting plane."),
    "roberts_down": Named("Roberts, down", (3,), ROBERTS_DOWN,
        "Compares neighbours along the diagonal that falls to the right."),
    "roberts_up": Named("Roberts, up", (3,), ROBERTS_UP,
        "Compares neighbours along the diagonal that rises to the right."),
    "laplacian_4": Named("Laplacian, 4 neighbours", (3,), LAPLACIAN_4,
        "Shows where brightness bends: fine lines, spots and both sides of an edge."),
    "laplacian_8": Named("Laplacian, 8 neighbours", (3,), LAPLACIAN_8,
        "The Laplacian with diagonals: fine detail in every direction."),
    "sharpen": Named("Sharpen", (3,), SHARPEN,
        "Makes edges crisper by adding the fine detail once more."),
    "unsharp": Named("Unsharp mask", ODD_SIZES, unsharp,
        "Sharpens as photo editors do: adds what a blur would take away."),
    "emboss": Named("Emboss", (3,), EMBOSS,
        "Makes the picture look pressed into metal, lit from one corner."),
    "box": Named("Box blur", ODD_SIZES, box,
        "Averages all pixels of the window alike: the simplest blur."),
    "gaussian": Named("Gaussian blur", ODD_SIZES, gaussian,
        "A soft blur without corners: near pixels count more than far ones."),
    "motion_blur": Named("Motion blur", ODD_SIZES, motion_blur,
        "Smears along a line, as when the camera moves during the shot.", takes_angle=True),
    "log": Named("Laplacian of Gaussian", _WAVE_SIZES, laplacian_of_gaussian,
        "Finds spots and edges of one scale, and ignores finer noise."),
    "gabor": Named("Gabor", _WAVE_SIZES, gabor,
        "Answers to stripes of one width and direction, as cells in the eye's cortex do.",
        takes_angle=True),
}  # fmt: skip
