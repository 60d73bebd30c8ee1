"""Recovered kernels applied again: to tell the border mode, and to reproduce the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.borders import BORDERS
from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.explanations import Edge

STRIP = 1_000_000  # pixels predicted at once


@dataclass(frozen=True, eq=False)
class Kernels:
    """What goes into which channel, in grey levels of the after file."""

    values: np.ndarray  # A x k x k (each channel from its own, or the only one) or A x B x k x k
    offsets: np.ndarray  # A, or 1 for all; the sum is then rounded half up
    errors: np.ndarray  # like values

    @property
    def size(self) -> int:
        """k"""
        return self.values.shape[-1]


def fitted_size(square: np.ndarray, size: int) -> np.ndarray:
    """A centred odd square array in another odd size: zeros around it, or cut off."""
    more = (size - len(square)) // 2
    return np.pad(square, more) if more >= 0 else square[-more:more, -more:more]


def predict(kernels: Kernels, surroundings: np.ndarray, pair: Pair) -> np.ndarray:
    """Grey levels, rounded and clipped, of the valid pixels: like pair.after."""
    parts = np.moveaxis(surroundings.astype(np.float64) / pair.step, -1, 0)
    outputs = []
    for a in range(pair.after.shape[2]):
        kernel = kernels.values[min(a, len(kernels.values) - 1)]
        if kernel.ndim == 2:
            total = correlate_valid(parts[min(a, len(parts) - 1)], kernel)
        else:
            total = sum(correlate_valid(p, k) for p, k in zip(parts, kernel, strict=True))
        offset = kernels.offsets[min(a, len(kernels.offsets) - 1)]
        level = np.floor(total + offset + (0.5 + 1e-9))
        outputs.append(np.clip(level, 0, pair.peak // pair.step).astype(pair.after.dtype))
    return np.stack(outputs, axis=-1)


def bands(height: int, width: int, radius: int) -> tuple[tuple[slice, slice], ...]:
    """The pixels whose patch leaves the picture at the top, bottom, left, right."""
    r = min(radius, height // 2, width // 2)
    return (
        np.s_[:r, :],
        np.s_[height - r :, :],
        np.s_[r : height - r, :r],
        np.s_[r : height - r, width - r :],
    )


def predicted_bands(kernels: Kernels, pair: Pair, mode: str) -> list[np.ndarray]:
    """What the four bands are under a border mode."""
    height, width = pair.after.shape[:2]
    places = bands(height, width, kernels.size // 2)
    if mode == Edge.COPIED:
        before = pair.before // pair.step
        return [np.broadcast_to(before[at], pair.after[at].shape) for at in places]
    if mode == Edge.BLACK:
        return [np.zeros_like(pair.after[at]) for at in places]
    around = pair.surroundings(kernels.size // 2, mode)
    more = kernels.size - 1
    found = []
    for rows, columns in places:
        (top, bottom, _), (left, right, _) = rows.indices(height), columns.indices(width)
        if bottom <= top or right <= left:
            found.append(np.zeros_like(pair.after[rows, columns]))
        else:
            found.append(predict(kernels, around[top : bottom + more, left : right + more], pair))
    return found


def reproduce(
    pair: Pair, kernels: Kernels, padding: str | None, sides: tuple[str | None, ...], proven: bool
) -> np.ndarray:
    """The after picture as the kernels make it: like pair.after, in grey levels.

    proven: pixels whose patch lies inside are known to come out as they are in after.
    """
    base = padding if padding in BORDERS else next((s for s in sides if s in BORDERS), "replicate")
    height, width = pair.after.shape[:2]
    if proven and pair.same_frame:
        result = (pair.after // pair.step).astype(pair.after.dtype)
    else:
        result = np.empty_like(pair.after)
        around = pair.surroundings(kernels.size // 2, base)
        rows = max(1, STRIP // width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            strip = around[top : bottom + kernels.size - 1]
            result[top:bottom] = predict(kernels, strip, pair)
    if pair.same_frame:
        by_mode = {m: predicted_bands(kernels, pair, m or base) for m in {*sides}}
        for number, at in enumerate(bands(height, width, kernels.size // 2)):
            result[at] = by_mode[sides[number]][number]
    return result
