"""Bars from the scatter of whole blocks of the picture.

Least squares takes the noise of each pixel for independent of all others and of the picture. Where
it is not, the errors of neighbours go together, and bars are too small. So they are taken from the
scatter of whole blocks (the cluster-robust covariance of Liang & Zeger, Biometrika 73, 1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery.alignment import Plane

# Sides of the blocks, in pixels, and how many of them are enough.
SIDES, ENOUGH = (32, 16, 8), 40


@dataclass(frozen=True, eq=False)
class Scatter:
    """What blocks of the picture say of bars, and rounding of the kernel itself."""

    factors: np.ndarray  # k x k, at least 1: by which least squares' bars are too small
    bent: float  # bars by which rounding its own results would bend the kernel, at most


def scatter(
    tiles: list[Plane], kernel: np.ndarray, offset: float, total: Statistics, free: np.ndarray
) -> Scatter:
    """The Scatter of a kernel (k x k) fitted to the tiles.

    tiles: with the pixels used. total: the sums over them, of size k or larger. free: k x k bool,
    the weights that were fitted; the others get 1.
    bent: what least squares makes of the errors by which the kernel's own results are rounded (a
    parametric bootstrap). Where the picture is smooth or has few patches, they go with it.
    """
    size, chosen, total = len(kernel), free.ravel(), total.shrink(len(kernel))
    mean = total.patch_sum / total.count
    gram = total.centred[0][np.ix_(chosen, chosen)].astype(np.float64)
    inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
    block = side(sum(tile.after.size for tile in tiles), 4 * int(free.sum()))
    scores, rounded, energy, count = [], np.zeros(np.count_nonzero(free)), 0.0, 0
    for tile in tiles:
        if min(tile.after.shape) < size:
            continue
        inner, used = tile.inside(size), tile.used[tile.inside(size)]
        value = correlate_valid(tile.before.astype(np.float64), kernel, offset)
        left = np.where(used, tile.after[inner] - value, 0).astype(np.float32)
        off = np.where(used, np.rint(value / tile.step) * tile.step - value, 0).astype(np.float32)
        energy, count = energy + float((left**2).sum()), count + int(used.sum())
        sums, own = _by_block(tile.before - np.float32(mean.mean()), left, off, free, block)
        scores.append(sums)
        # Its mean goes into the offset.
        rounded += own - float(off.sum()) * (mean[chosen] - mean.mean())
    factors, bent = np.ones(kernel.shape), 0.0
    together = np.concatenate(scores) if scores else np.zeros((0, len(rounded)))
    if len(together) >= 8 and energy:
        plain = (energy / count * np.diag(inverse)).clip(1e-300)
        factors[free] = np.sqrt(np.maximum(variances(together, inverse) / plain, 1))
        bent = float((np.abs(inverse @ rounded) / np.sqrt(plain)).max())
    return Scatter(factors, bent)


def variances(scores: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Of m weights, from the scatter of the scores of b blocks (b x m); inverse: m x m, of X'X.

    Each weight takes from the scatter what it was fitted to: as the jackknife, on average. Of a few
    blocks that cannot be said.
    """
    moved = scores @ inverse  # what each block adds to the weights
    blocks, unknowns = moved.shape
    share = unknowns / blocks if blocks >= ENOUGH else 0
    found = (moved**2).sum(axis=0) * blocks / max(blocks - 1, 1)
    return found / (1 - min(share, 1 / 2)) ** 2


def side(pixels: int, enough: int = 0) -> int:
    """Of the blocks whose scatter is measured: the largest that so many pixels hold enough of."""
    enough = max(enough, ENOUGH)
    return next((side for side in SIDES if pixels >= enough * side**2), SIDES[-1])


def numbered(rows: np.ndarray, columns: np.ndarray, side: int) -> np.ndarray:
    """The number of the block of so many pixels a side in which each of n pixels lies."""
    across = columns // side
    return rows // side * (int(across.max(initial=0)) + 1) + across


def by_block(scores: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Sums (b x m) of scores (n x m) over the pixels of each block (n numbers)."""
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    return np.add.reduceat(scores[order], starts, axis=0)


def _by_block(
    before: np.ndarray, left: np.ndarray, off: np.ndarray, free: np.ndarray, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of before, at each of n free places of the patch, times left (blocks x n) and off (n).

    For all columns of the patch at once, by matrix products: B'L of the columns of a block and its
    neighbours on the right (B) and those of what is left of the block (L) has the products at lag j
    on its j-th diagonal.
    """
    size = len(free)
    (tops, down), (starts, across) = (_parts(side, block) for side in left.shape)
    weights = (down[:, None, :, None] * across[None, :, None, :]).astype(np.float32)
    rows, columns = down.shape[1], across.shape[1]
    halves = (_cut(part, tops, starts, rows, columns) * weights for part in (left, off))
    both = np.concatenate([*halves], axis=-1)
    around = np.swapaxes(_cut(before, tops, starts, rows + size - 1, columns + size - 1), -1, -2)
    sums = np.empty((size, size, len(tops), len(starts), 2))
    for i in range(size):
        products = around[..., i : i + rows] @ both
        *outer, lag, column = products.strides
        diagonals = np.lib.stride_tricks.as_strided(
            products,
            (size, *sums.shape[2:], columns),
            (lag, *outer, columns * column, lag + column),
        )
        sums[i] = diagonals.sum(axis=-1)
    of_left, of_off = np.moveaxis(sums[free], -1, 0)
    return of_left.reshape(len(of_left), -1).T, of_off.sum(axis=(1, 2))


def _cut(
    picture: np.ndarray, tops: np.ndarray, starts: np.ndarray, rows: int, columns: int
) -> np.ndarray:
    """Blocks that begin there, len(tops) x len(starts) x rows x columns; past the end, the last."""
    down, across = tops[:, None] + np.arange(rows), starts[:, None] + np.arange(columns)
    height, width = picture.shape
    strips = picture[np.minimum(down, height - 1)]
    return np.ascontiguousarray(np.swapaxes(strips[:, :, np.minimum(across, width - 1)], 1, 2))


def _parts(extent: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """(first pixel (n), share of each pixel from there on (n x m)) of n equal parts of a side.

    They are about `block` long; a pixel across two of them belongs to each by its share.
    """
    ends = np.linspace(0, extent, max(1, round(extent / block)) + 1)
    first = np.floor(ends[:-1]).astype(int)
    pixels = first[:, None] + np.arange(int(np.ceil(extent / (len(ends) - 1))) + 1)
    share = np.minimum(pixels + 1, ends[1:, None]) - np.maximum(pixels, ends[:-1, None])
    return first, share.clip(0, 1)
