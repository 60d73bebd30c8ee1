"""How a tool went on beyond the border, read from the border pixels once the kernel is known."""

from __future__ import annotations

import numpy as np

from kernel_demo.imaging.borders import BORDERS
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.explanations import Edge
from kernel_demo.recovery.prediction import Kernels, bands, predicted_bands

# The simplest that explains a side is taken; for radius 1 replicate and symmetric are the same.
PREFERENCE = ("reflect", "replicate", "symmetric", "zero", "wrap", *Edge)
# In lossy files copied borders have noise of their own: a mode this much better than most will do.
CLEARLY = 0.2
Sides = tuple[str | None, str | None, str | None, str | None]  # top, bottom, left, right
UNSEEN: Sides = (None, None, None, None)


def find(pair: Pair, kernels: Kernels, residual: float) -> tuple[str | None, Sides]:
    """The border mode of the whole picture, and that of each side; None where none is seen.

    residual: RMS of the fit inside, in grey levels. A mode must explain a side about as well as
    the kernel explains the inside, and better than at least one other mode does.
    """
    if not pair.same_frame or min(pair.after.shape[:2]) < 3 * kernels.size:
        return None, UNSEEN
    modes = [*BORDERS, Edge.BLACK]
    if pair.before.shape[2] in (1, pair.after.shape[2]) and pair.before.dtype.kind == "u":
        modes.append(Edge.COPIED)
    errors = {mode: _errors(predicted_bands(kernels, pair, mode), pair, kernels) for mode in modes}
    allowed = (1.5 * max(residual, 0.4)) ** 2 + 0.1
    clearly = CLEARLY if residual > 0.5 else 0.0
    explained = []
    for side in range(4):
        best = min(errors[mode][side] for mode in modes)
        usual = float(np.median([errors[mode][side] for mode in modes]))
        good = {mode for mode in modes if errors[mode][side] <= best * 1.1 + 0.02}
        explained.append(good if best <= max(allowed, clearly * usual) else set())
    together = set.intersection(*explained)
    if together >= set(BORDERS):
        return None, UNSEEN  # a kernel of one pixel sees no border
    for mode in PREFERENCE:
        if mode in together:
            return mode, (mode,) * 4
    return None, tuple(next((m for m in PREFERENCE if m in good), None) for good in explained)


def _errors(predicted: list[np.ndarray], pair: Pair, kernels: Kernels) -> list[float]:
    """Mean squared error in the bands along the four sides, in grey levels."""
    r = kernels.size // 2
    places = bands(*pair.after.shape[:2], r)
    errors = []
    for number, (values, at) in enumerate(zip(predicted, places, strict=True)):
        inner = np.s_[:, r:-r] if number < 2 else np.s_[:, :]  # corners belong to two sides
        error = values[inner].astype(np.float64) - pair.after[at][inner] // pair.step
        errors.append(float((error**2).mean()))
    return errors
