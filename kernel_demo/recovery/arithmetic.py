"""What floating point makes of sums that lie exactly on the edge between two grey levels.

Over an even divisor that is no power of two (6, 10, 100) one pixel in a few has a sum that ends in
exactly one half. float32 does not see one half there, nor float64: which way it falls depends on
the order of the operations. Each entry of ORDERS is the order of some tools.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from kernel_demo.recovery.explanations import Rounding


def _by_rows(patches, numerators, divisor, start, upwards):
    """Each row's products summed, then the rows: Pillow's Filter.c, from the lowest row upwards."""
    size, real = len(numerators), np.float32
    weights = numerators.astype(real) / real(divisor)
    patches = patches.astype(real).reshape(-1, size, size)
    total = np.full(len(patches), start, real)
    for row in range(size - 1, -1, -1) if upwards else range(size):
        part = patches[:, row, 0] * weights[row, 0]
        for column in range(1, size):
            part = part + patches[:, row, column] * weights[row, column]
        total = total + part
    return total


def _one_by_one(patches, numerators, divisor, start, real, wide, backwards=False):
    """Product after product. wide: the type that holds a product until it is added (FMA units)."""
    weights = (numerators / divisor).astype(real).ravel()
    total = np.full(len(patches), start, real)
    places = np.flatnonzero(weights)
    for place in places[::-1] if backwards else places:
        product = patches[:, place].astype(wide) * wide(weights[place])
        total = (total.astype(wide) + product).astype(real)
    return total


def _reciprocal(patches, numerators, divisor, start, real):
    """The whole sum times 1 / divisor: ffmpeg's vf_convolution.c."""
    total = (patches.astype(np.float64) @ numerators.ravel()).astype(real)
    return total * (real(1) / real(divisor)) + real(start)


_SINGLE, _DOUBLE = np.float32, np.float64
ORDERS: dict[str, Callable] = {
    "float32, rows upwards": partial(_by_rows, upwards=True),
    "float32, rows downwards": partial(_by_rows, upwards=False),
    "float32, one by one": partial(_one_by_one, real=_SINGLE, wide=_SINGLE),
    "float32, fused": partial(_one_by_one, real=_SINGLE, wide=_DOUBLE),
    "float32, times reciprocal": partial(_reciprocal, real=_SINGLE),
    "float64, one by one": partial(_one_by_one, real=_DOUBLE, wide=_DOUBLE),
    "float64, backwards": partial(_one_by_one, real=_DOUBLE, wide=_DOUBLE, backwards=True),
    "float64, times reciprocal": partial(_reciprocal, real=_DOUBLE),
}
# Many tools start from offset and half; with SciPy and in this project the half comes last.
HALF_LAST = ", half last"
ORDERS |= {f"{name}{HALF_LAST}": order for name, order in ORDERS.items()}


def at_ties(
    order: str,
    patches: np.ndarray,
    numerators: np.ndarray,
    divisor: int,
    offset: float,
    rounding: Rounding,
) -> np.ndarray:
    """Grey levels (not clipped) of n x k*k patches, by the operations of ORDERS[order].

    HALF_UP adds the half; HALF_EVEN rounds the sum, TRUNCATE cuts it off.
    """
    half, last = 0.5 * (rounding == Rounding.HALF_UP), order.endswith(HALF_LAST)
    total = ORDERS[order](patches, numerators, divisor, offset + half * (not last))
    if last:
        total = total + total.dtype.type(half)
    return np.rint(total) if rounding == Rounding.HALF_EVEN else np.floor(total)
