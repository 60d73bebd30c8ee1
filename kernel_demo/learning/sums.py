"""One pass over a pair of pictures: the sums of products of k x k patches, in blocks of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Patches held at once: 2**16 rows of k*k float64 are 4.7 MB at 3x3 and 500 MB at 31x31.
BLOCK_VALUES = 2**22


class Sums(NamedTuple):
    """What one pass leaves: p is a patch (k*k values, row by row), y the pixel after it."""

    gram: np.ndarray  # (k*k, k*k) sum of p p'
    cross: np.ndarray  # (k*k,)    sum of p y
    patch_sum: np.ndarray  # (k*k,) sum of p
    energy: float  # sum of y*y
    after_sum: float  # sum of y
    count: int  # pixels used


def patch_sums(
    before: np.ndarray, after: np.ndarray, size: int, mask: np.ndarray | None = None
) -> Sums:
    """Sums over the pixels whose whole patch lies inside the picture (and whose mask is True).

    before, after: H x W, any real dtype; after's border of radius size // 2 is never read.
    Products are taken in float64: exact for whole numbers while the sums stay below 2**53.
    """
    radius = size // 2
    height, width = before.shape[0] - 2 * radius, before.shape[1] - 2 * radius
    inside = np.s_[radius : radius + height, radius : radius + width]
    target = after[inside]
    keep = None if mask is None else mask[inside]
    total = np.zeros((size * size + 2, size * size + 2))
    count = 0
    rows = max(1, BLOCK_VALUES // (width * size * size))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        patches = sliding_window_view(before[top : bottom + 2 * radius], (size, size))
        block = np.empty((bottom - top, width, size * size + 2))
        block[..., :-2] = patches.reshape(bottom - top, width, -1)
        block[..., -2] = target[top:bottom]
        block[..., -1] = 1.0
        block = block.reshape(-1, size * size + 2) if keep is None else block[keep[top:bottom]]
        total += block.T @ block
        count += len(block)
    return Sums(
        total[:-2, :-2].copy(),
        total[:-2, -2].copy(),
        total[:-2, -1].copy(),
        float(total[-2, -2]),
        float(total[-2, -1]),
        count,
    )
