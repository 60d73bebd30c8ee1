"""Whether one kernel holds everywhere: what it leaves, looked at for a period.

A change of size and back filters pixels in turn by kernels of their own, and again after a few rows
and columns; so do a mosaic, interlacing and a lossy file's blocks. The best single kernel may leave
no more than rounding of that. But times the differences of neighbouring pixels, and added up along
each column, what is left has a line in its spectrum. Where a kernel holds everywhere, power at a
frequency over its mean is distributed exponentially (Priestley, Spectral Analysis and Time Series,
1981, section 6.1.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate, patch_view
from kernel_demo.recovery.alignment import Pair, between, sample
from kernel_demo.recovery.channels import Arrangement, Mixture
from kernel_demo.recovery.fitting import NEARLY_EXACT

SIDE = 3  # of the patches whose differences are taken
SHORTEST = 40  # pixels a side, of a picture that shows one
# Times the mean power: of 3,600 the highest is 8 by chance; 13 was seen in photos. Changes of size
# and back that pass for rounding begin at 55. Two roundings in skies reach 30.
DOUBTED, CLEARLY = 25.0, 50.0
CLEAR = 4.0  # times what is left, from where after is cut off
PIXELS = 400_000  # of mixtures, in tiles
# Periods in a side: fewer are not looked at, and up to the second what is slow is the picture's.
FEW, MANY = 6, 12
NEAR = 101  # frequencies about one, whose median tells the mean
MEDIAN = float(np.log(2))  # of an exponential distribution, over its mean


@dataclass(frozen=True)
class Period:
    """What comes again in a residual."""

    length: float  # pixels
    axis: int  # 0: from row to row, 1: from column to column
    power: float  # over the mean of its neighbours
    times: float  # that it comes

    @property
    def clear(self) -> bool:
        """Neither chance nor a slow change of the picture."""
        return self.power > CLEARLY and self.times > MANY


def find(found: Arrangement) -> Period | None:
    """The clearest period of what the kernels leave. None: there may be none."""
    periods = (period for rest, befores in _parts(found) for period in _of(rest, befores))
    told = [one for one in periods if one.power > (DOUBTED if one.times > MANY else CLEARLY)]
    return max(told, key=lambda one: one.power, default=None)


def _parts(found: Arrangement) -> Iterator[tuple[np.ndarray, Sequence[np.ndarray]]]:
    """What is left, H x W, 0 where pixels do not count; and the pictures (H x W) it was made of."""
    for fit in found.fits:
        for tile in fit.tiles if fit.residual > NEARLY_EXACT * fit.step else ():
            yield tile.left(fit.kernel, fit.offset, CLEAR * fit.residual)[0], [tile.before]
    if found.mixed is not None:
        yield from _of_mixture(found.pairs, found.mixed)


def _of_mixture(
    pairs: Sequence[Pair], mixed: Mixture
) -> Iterator[tuple[np.ndarray, Sequence[np.ndarray]]]:
    """The same where all channels go into each."""
    margin = CLEAR * mixed.residual
    for tile in sample([pair.plane() for pair in pairs], PIXELS):
        befores = list(np.moveaxis(tile.before.astype(np.float64), 2, 0))
        edge = mixed.kernels.shape[-1] // 2
        whole = np.ones(tile.after.shape[:2], bool) if tile.counted is None else tile.counted
        counted = np.pad(whole[edge:-edge, edge:-edge], edge)
        for output, offset in enumerate(mixed.offsets):
            made = sum(map(correlate, befores, mixed.kernels[output]), offset)
            kept = counted & between(made, tile.clip, margin)
            yield np.where(kept, tile.after[..., output] - made, 0), befores


def _of(rest: np.ndarray, befores: Sequence[np.ndarray]) -> Iterator[Period]:
    """The clearest of each axis and difference."""
    inner = rest[SIDE // 2 : -(SIDE // 2), SIDE // 2 : -(SIDE // 2)]
    for seen in _differences(befores):
        product = inner * seen
        for axis in (0, 1):
            if inner.shape[axis] >= SHORTEST:
                yield _clearest(product.sum(axis=1 - axis), axis)


def _differences(befores: Sequence[np.ndarray]) -> Iterator[np.ndarray | float]:
    """Of each pixel's neighbours and itself; and 1, for what is added to rows."""
    yield 1.0
    for before in befores:
        patches = patch_view(before.astype(np.float64), SIDE).reshape(
            *(side - SIDE + 1 for side in before.shape), SIDE**2
        )
        middle = SIDE**2 // 2
        for neighbour in range(SIDE**2):
            if neighbour != middle:
                yield patches[..., neighbour] - patches[..., middle]


def _clearest(sums: np.ndarray, axis: int) -> Period:
    """The period of the highest power over that of its neighbours."""
    power = np.abs(np.fft.rfft((sums - sums.mean()) * np.hanning(len(sums))))[FEW:] ** 2
    near = min(NEAR, len(power))
    medians = np.median(sliding_window_view(power, near), axis=1)
    before = (len(power) - len(medians)) // 2
    medians = np.pad(medians, (before, len(power) - len(medians) - before), "edge")
    over = power * MEDIAN / np.maximum(medians, 1e-300)
    at = int(over.argmax())
    return Period(len(sums) / (at + FEW), axis, float(over[at]), at + FEW)
