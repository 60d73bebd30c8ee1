"""Filters of a few parameters, as tools make them: their kernels, and how each rounds.

A line is the kernel along one axis, of odd length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from kernel_demo.imaging import catalogue
from kernel_demo.imaging.kernels import MAX_SIZE
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.passes import Family, Pass, Way

DEEP = 257  # levels of 16 bits to a grey level
OVERSAMPLED = 3  # ImageMagick's KERNEL_RANK
QUANTUM = 1 / 65535  # weights below are left out of ImageMagick's kernels
FIXED = 1 << 24  # Pillow's fixed point
PILLOW_PASSES = 3


def gaussian(sigma: float, size: int) -> np.ndarray:
    """exp(-x^2 / 2 sigma^2), sum 1."""
    return cv2.getGaussianKernel(size, sigma)[:, 0]


def scipy_size(sigma: float) -> int:
    """Of scipy.ndimage.gaussian_filter, which goes to four sigma."""
    return min(2 * int(4 * sigma + 0.5) + 1, MAX_SIZE)


def magick_blur(sigma: float) -> np.ndarray:
    """The line of `convert -blur 0xsigma`: MagickCore/morphology.c, BlurKernel, and gem.c.

    A Gaussian, summed over three points for each weight; as wide as 16 bits see it.
    """
    size, values = 3, gaussian(sigma, 5)
    while values[0] >= QUANTUM and size < MAX_SIZE:
        size, values = len(values), gaussian(sigma, len(values) + 2)
    fine = gaussian(OVERSAMPLED * sigma, OVERSAMPLED * size)
    return fine.reshape(size, OVERSAMPLED).sum(axis=1)


def pillow_box(radius: float) -> np.ndarray:
    """The line of ImageFilter.BoxBlur: libImaging/BoxBlur.c, ImagingHorizontalBoxBlur.

    A fraction of the radius is a weight at both ends; weights are whole numbers over 2^24.
    """
    whole = int(radius)
    inner = int(np.float32(FIXED) / (np.float32(radius) * np.float32(2) + np.float32(1)))
    line = np.full(2 * whole + 3, inner / FIXED)
    line[[0, -1]] = (FIXED - (2 * whole + 1) * inner) // 2 / FIXED
    return line


def pillow_gaussian(radius: float) -> np.ndarray:
    """The line of one of the three box blurs of ImageFilter.GaussianBlur along each axis.

    libImaging/BoxBlur.c, _gaussian_blur_radius (Gwosdek et al., SSVM 2011).
    """
    variance = np.float32(np.float32(radius) ** 2 / np.float32(PILLOW_PASSES))
    length = np.float32(math.sqrt(12 * float(variance) + 1))
    whole = np.float32(math.floor((float(length) - 1) / 2))
    part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
    return pillow_box(float(whole + part / (6 * (variance - (whole + 1) * (whole + 1)))))


def unsharp(sigma: float, amount: float, size: int) -> np.ndarray:
    """k x k: identity + amount (identity - Gaussian)."""
    line, middle = gaussian(sigma, size), catalogue.identity(size)
    return middle + amount * (middle - np.outer(line, line))


def log(sigma: float, gain: float, size: int) -> np.ndarray:
    """k x k: gain (r^2 / sigma^2 - 2) exp(-r^2 / 2 sigma^2), shifted so that its sum is 0."""
    y, x = catalogue.grid(size)
    square = (x**2 + y**2) / sigma**2
    kernel = (square - 2) * np.exp(-square / 2)
    return gain * (kernel - kernel.mean())


# Ways of one parameter or two ---------------------------------------------------------------------


def _both(line: np.ndarray, times: int = 1, **more: Any) -> tuple[Pass, ...]:
    """Along rows, then along columns."""
    return (Pass(line[None], **more),) * times + (Pass(line[:, None], **more),) * times


def by_pillow_gaussian(radius: float) -> Way:
    """ImageFilter.GaussianBlur(radius): three box blurs along rows, then three along columns."""
    passes = _both(pillow_gaussian(radius), PILLOW_PASSES)
    return Way(passes, None, Family.PILLOW_GAUSSIAN, {"radius": radius})


def by_pillow_unsharp(radius: float, percent: float) -> Way:
    """ImageFilter.UnsharpMask(radius, percent, 0)."""
    figures = {"radius": radius, "percent": percent}
    return Way(by_pillow_gaussian(radius).passes, percent, Family.PILLOW_UNSHARP, figures)


def by_pillow_box(radius: float) -> Way:
    """ImageFilter.BoxBlur(radius)."""
    return Way(_both(pillow_box(radius)), None, Family.PILLOW_BOX, {"radius": radius})


def by_boxes(size: int, times: int) -> Way:
    """The mean of a square, several times, rounded each time."""
    passes = (Pass(catalogue.box(size)),) * times
    return Way(passes, None, Family.BOXES, {"size": size, "times": times})


def by_magick_blur(sigma: float) -> Way:
    """`convert -blur 0xsigma -depth 8`: 16 bits along rows and columns, cut off to 8."""
    deep = _both(magick_blur(sigma), finer=DEEP)
    last = Pass(np.ones((1, 1)), Rounding.TRUNCATE)
    return Way((*deep, last), None, Family.MAGICK_BLUR, {"sigma": sigma})


def by_gaussian(sigma: float, like: Way, size: int) -> Way:
    """A sampled Gaussian along the two lines of a way."""
    line, rule = gaussian(sigma, size), like.passes[0].rounding
    shapes = ((1, -1) if one.weights.shape[0] == 1 else (-1, 1) for one in like.passes)
    passes = tuple(Pass(line.reshape(shape), rule) for shape in shapes)
    return Way(passes, None, Family.GAUSSIAN, {"sigma": sigma, "size": size})


FORMULAS: dict[Family, Callable[[dict[str, float]], np.ndarray]] = {
    Family.GAUSSIAN: lambda p: np.outer(*2 * [gaussian(p["sigma"], int(p["size"]))]),
    Family.UNSHARP: lambda p: unsharp(p["sigma"], p["amount"], int(p["size"])),
    Family.LOG: lambda p: log(p["sigma"], p["gain"], int(p["size"])),
    Family.MOTION: lambda p: catalogue.motion_blur(int(p["size"]), p["angle"]),
}


BY_TOOL: dict[Family, Callable[..., Way]] = {
    Family.PILLOW_GAUSSIAN: by_pillow_gaussian,
    Family.PILLOW_UNSHARP: by_pillow_unsharp,
    Family.PILLOW_BOX: by_pillow_box,
    Family.MAGICK_BLUR: by_magick_blur,
}


def remade(way: Way, figures: dict[str, float]) -> Way:
    """The same with other parameters. ValueError: it is of no family, which has none."""
    family = way.family
    if family is None:
        raise ValueError("a way of no family has no parameters")
    if family in BY_TOOL:
        return BY_TOOL[family](**figures)
    first, *rest = way.passes
    if first.weights.shape[0] != first.weights.shape[1]:
        return by_gaussian(figures["sigma"], way, int(figures["size"]))
    passes = (replace(first, weights=FORMULAS[family](figures)), *rest)
    return replace(way, passes=passes, parameters=figures)
