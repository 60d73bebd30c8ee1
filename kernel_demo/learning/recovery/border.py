"""How a tool went on beyond the border, read from the border pixels once the kernel is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernel_demo.imaging.borders import BORDERS

SIDES = ("top", "bottom", "left", "right")
# Not a way to pad: the tool left its border pixels as they were (Pillow), or black.
COPIED, BLACK = "copied", "black"
# The simplest that explains a side is taken; for radius 1 replicate and symmetric are the same.
PREFERENCE = ("reflect", "replicate", "symmetric", "zero", "wrap", COPIED, BLACK)


def find(
    predicted: Callable[[str], np.ndarray],
    before: np.ndarray,
    after: np.ndarray,
    radius: int,
    residual: float,
) -> tuple[str | None, tuple[str | None, ...]]:
    """The border mode of the whole picture, and that of each of SIDES; None where none explains.

    predicted(mode): h x w x A, what the kernel gives with a border mode, rounded and clipped.
    before, after: h x w x A in grey levels (before only if it can be compared). residual: RMS of
    the fit inside. A side's mode must fit there about as well as the kernel does inside.
    """
    candidates = {mode: predicted(mode) for mode in BORDERS}
    if before.shape == after.shape:
        candidates[COPIED] = before
    candidates[BLACK] = np.zeros_like(after)
    fitting = {mode: _sides(values, after, radius) for mode, values in candidates.items()}
    allowed = (1.5 * max(residual, 0.4)) ** 2 + 0.1
    explained = []
    for side in range(len(SIDES)):
        errors = {mode: fitting[mode][side] for mode in fitting}
        best = min(errors.values())
        good = best * 1.1 + 0.02
        explained.append({m for m, e in errors.items() if e <= good} if best <= allowed else set())
    together = set.intersection(*explained)
    for mode in PREFERENCE:
        if mode in together:
            return mode, (mode,) * 4
    return None, tuple(next((m for m in PREFERENCE if m in modes), None) for modes in explained)


def _sides(values: np.ndarray, after: np.ndarray, radius: int) -> list[float]:
    """Mean squared error in the bands along the four sides, corners left out."""
    error = (values.astype(np.float64) - after) ** 2
    r = radius
    bands = error[:r, r:-r], error[-r:, r:-r], error[r:-r, :r], error[r:-r, -r:]
    return [float(band.mean()) if band.size else 0.0 for band in bands]
