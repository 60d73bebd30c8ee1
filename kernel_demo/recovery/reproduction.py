"""Recovered kernels applied again: to tell the border mode, and to reproduce the picture."""

from __future__ import annotations

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, correlate_valid
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.channels import Kernels
from kernel_demo.recovery.explanations import Edge

STRIP = 1_000_000  # pixels predicted at once
# The simplest that explains a side is taken; for radius 1 replicate and symmetric are the same.
PREFERENCE = ("reflect", "replicate", "symmetric", "zero", "wrap", *Edge)
# In lossy files copied borders have noise of their own: a mode this much better than most will do.
CLEARLY = 0.2
# What lies beyond the top, bottom, left and right: a border mode or an Edge; None: not seen.
Sides = tuple[str | Edge | None, str | Edge | None, str | Edge | None, str | Edge | None]
UNSEEN: Sides = (None, None, None, None)


def predict(kernels: Kernels, surroundings: np.ndarray, pair: Pair) -> np.ndarray:
    """Grey levels, rounded and clipped, of the valid pixels: like pair.after."""
    parts = np.moveaxis(surroundings.astype(np.float64) / pair.step, -1, 0)
    outputs = []
    for a in range(pair.after.shape[2]):
        kernel = kernels.values[min(a, len(kernels.values) - 1)]
        inputs = parts if len(kernel) > 1 else [parts[min(a, len(parts) - 1)]]
        total = sum(correlate_valid(p, k) for p, k in zip(inputs, kernel, strict=True))
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


def reproduce(pair: Pair, kernels: Kernels, sides: Sides, proven: bool) -> np.ndarray:
    """The after picture as the kernels make it: like pair.after, in grey levels.

    proven: pixels whose patch lies inside are known to come out as they are in after.
    """
    base = next((side for side in sides if side in BORDERS), "replicate")
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


def border(pair: Pair, kernels: Kernels, residual: float) -> Sides:
    """How the tool went on beyond each side: the same for all where one mode explains them all.

    residual: RMS of the fit inside, in grey levels. A mode must explain a side about as well as
    the kernel explains the inside, and better than at least one other mode does.
    """
    if not pair.same_frame or min(pair.after.shape[:2]) < 3 * kernels.size:
        return UNSEEN
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
        return UNSEEN  # a kernel of one pixel sees no border
    good = [together] * 4 if together else explained
    return tuple(next((m for m in PREFERENCE if m in modes), None) for modes in good)


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
