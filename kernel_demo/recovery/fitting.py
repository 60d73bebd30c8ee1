"""The kernel that explains planes best: its size, place and support, from sums at the largest size.

Two passes. The first takes the sums at the largest size over a sample, and finds from their
sub-blocks how large the kernel is and where it lies; the second takes them at that size and place
over (nearly) all pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery import extent, noise
from kernel_demo.recovery.noise import Noise
from kernel_demo.recovery.planes import Plane, predictable, sample, share, sums

SAMPLE = 300_000  # pixels of the first pass: 226 unknowns want no more
REFINED = 4_000_000  # pixels of the second
# Rounding once leaves 1.0 times ROUNDING; a rounding between two passes adds at most as much again.
# Pillow's Gaussian rounds after each of six passes.
ONE_ROUNDING, SEVERAL_ROUNDINGS, MANY_ROUNDINGS = 1.1, 1.6, 2.4
FEW = 1e-3  # share of pixels beyond the bound: some pixels were touched by something else


@dataclass(frozen=True, eq=False)
class Fit:
    """The least-squares kernel of some planes, in working units."""

    kernel: np.ndarray  # k x k, k odd: centred on the pixel, however the support lies in it
    offset: float
    standard_error: np.ndarray  # k x k; 0 outside the support
    support: tuple[int, int, int, int]  # top, left, height, width of what is not zero
    residual: float  # RMS
    floor: float  # RMS of rounding to one grey level of the after file
    noise: Noise
    used: float  # share of pixels not clipped
    explained: float  # share of the after picture's variance
    condition: float  # of X'X
    singular: bool  # the pictures leave some weights open
    searched: int  # the largest size that there were pixels for
    reaches_edge: bool  # significant weights at the rim of the largest size: it may be larger still
    core: Statistics  # sums of the second pass, about `centre`
    centre: tuple[int, int]  # rows, columns from the pixel to the middle of `core`'s kernel
    tiles: list[Plane]  # the sample of the first pass ...
    masks: list[np.ndarray]  # ... and which of its pixels were used

    @property
    def at_floor(self) -> bool:
        """Nothing is left but rounding: errors of its size, and bounded as it is."""
        if self.residual <= ONE_ROUNDING * self.floor:
            return self.noise.beyond_1 < FEW
        return self.residual <= SEVERAL_ROUNDINGS * self.floor and self.noise.beyond_2 < FEW / 10

    @property
    def in_passes(self) -> bool:
        """As small as what rounding to whole grey levels after each of many passes leaves."""
        return self.residual <= MANY_ROUNDINGS * self.floor and self.noise.beyond_2 < FEW


def fit(planes: list[Plane], max_size: int) -> Fit | None:
    """The kernel of at most max_size that explains all planes. None: too few unclipped pixels."""
    tiles = sample(planes, SAMPLE)
    masks = [tile.unclipped() for tile in tiles]
    total = _largest(tiles, masks, max_size)
    if total is None:
        return None
    floor = ROUNDING * planes[0].step
    noisy = extent.least_squares(total)[2] ** 0.5 > SEVERAL_ROUNDINGS * floor
    if noisy:
        masks, total = _without_bias(tiles, masks, total)
    white = not noisy or noise.measure(tiles, masks, *extent.least_squares(total)[:2]).white
    square = total.shrink(extent.size(total, white, planes[0].step))
    found = square.solve()
    centre, side = _place(extent.support(square, found, white), square.size, total.size)
    core = _refined(planes, centre, side, noisy, found) or square
    if core is square:
        centre = (0, 0)
    solution = core.solve()
    kernel, error, support = _placed(extent.support(core, solution, white), solution, centre)
    at_least_3 = square if square.size > 1 else total.shrink(min(3, total.size))
    return Fit(
        kernel=kernel,
        offset=solution.offset,
        standard_error=error,
        support=support,
        residual=solution.residual,
        floor=floor,
        noise=noise.measure(tiles, masks, found.kernel, found.offset),
        used=share([plane.unclipped() for plane in planes]),
        explained=1 - solution.residual**2 / max(_variance(core), 1e-12),
        condition=solution.condition,
        singular=(found if at_least_3 is square else at_least_3.solve()).singular,
        searched=total.size,
        reaches_edge=square.size == total.size and extent.reaches_edge(found.kernel),
        core=core,
        centre=centre,
        tiles=tiles,
        masks=masks,
    )


def _variance(sums_: Statistics) -> float:
    """Of the after pictures, over the pixels used."""
    return sums_.energy / sums_.count - (sums_.after_sum / sums_.count) ** 2


def _place(support, size: int, largest: int) -> tuple[tuple[int, int], int]:
    """Middle (rows, columns from the pixel) and odd side of a square about the support."""
    top, left, height, width = support
    side = max(height, width) | 1
    most = largest // 2 - side // 2  # the kernel stays within the largest size
    down, right = (
        min(max(first + length // 2 - size // 2, -most), most)
        for first, length in ((top, height), (left, width))
    )
    return (down, right), side


def _largest(tiles: list[Plane], masks: list[np.ndarray], max_size: int) -> Statistics | None:
    for size in range(max_size, 0, -2):
        if size == 1 or any(min(mask.shape) >= 2 * size for mask in masks):
            total = sums(tiles, masks, size)
            if total is not None:
                return total
    return None


def _without_bias(tiles, masks, total: Statistics):
    """Masks by what is predicted instead of by what came out, until they settle."""
    for _ in range(3):
        kernel, offset, variance = extent.least_squares(total)
        new = predictable(tiles, kernel, offset, 2.5 * variance**0.5)
        if share(new) < 0.02 or all(mask.all() for mask in masks):
            break
        fresh = sums(tiles, new, total.size)
        if fresh is None:
            break
        moved = share([a ^ b for a, b in zip(new, masks, strict=True)])
        masks, total = new, fresh
        if moved < 0.01:
            break
    return masks, total


def _refined(planes, centre, side: int, noisy: bool, found) -> Statistics | None:
    """The sums at the size and place found, over nearly all pixels. None: too few of them."""
    moved = sample([plane.moved(*centre) for plane in planes], REFINED)
    masks = [plane.unclipped() for plane in moved]
    if noisy and not all(mask.all() for mask in masks):
        top, left = (len(found.kernel) // 2 + c - side // 2 for c in centre)
        near = np.pad(found.kernel, side)[top + side :, left + side :][:side, :side]
        masks = predictable(moved, near, found.offset, 2.5 * found.residual)
    return sums(moved, masks, side)


def _placed(support, solution, centre: tuple[int, int]):
    """Kernel, errors and support as odd squares about the pixel itself, trimmed to the support."""
    top, left, height, width = support
    first = [
        c + edge - len(solution.kernel) // 2 for c, edge in zip(centre, (top, left), strict=True)
    ]
    last = [begin + extent - 1 for begin, extent in zip(first, (height, width), strict=True)]
    radius = max(1, *(abs(v) for v in (*first, *last)))
    at = np.s_[first[0] + radius : last[0] + radius + 1, first[1] + radius : last[1] + radius + 1]
    box = np.s_[top : top + height, left : left + width]
    kernel, error = np.zeros((2, 2 * radius + 1, 2 * radius + 1))
    kernel[at], error[at] = solution.kernel[box], solution.standard_error[box]
    return kernel, error, (first[0] + radius, first[1] + radius, height, width)
