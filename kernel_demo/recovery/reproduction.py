"""Recovered kernels applied again: to tell the border mode, and to reproduce the picture."""

from __future__ import annotations

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, correlate_valid
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.explanations import Edge
from kernel_demo.recovery.record import UNSEEN, Recovery, Sides

STRIP = 1_000_000  # pixels predicted at once
# The simplest that explains a side is taken; for radius 1 replicate and symmetric are the same.
PREFERENCE = ("reflect", "replicate", "symmetric", "zero", "wrap", *Edge)
# In lossy files copied borders have noise of their own: a mode this much better than most will do.
CLEARLY = 0.2


def predict(found: Recovery, surroundings: np.ndarray, pair: Pair) -> np.ndarray:
    """Grey levels, rounded and clipped, of the valid pixels: like pair.after."""
    offsets = np.atleast_1d(found.offset)
    parts = np.moveaxis(surroundings.astype(np.float64) / pair.step, -1, 0)
    outputs = []
    for a in range(pair.after.shape[2]):
        kernel = found.kernel[min(a, len(found.kernel) - 1)]
        inputs = parts if len(kernel) > 1 else [parts[min(a, len(parts) - 1)]]
        total = sum(correlate_valid(p, k) for p, k in zip(inputs, kernel, strict=True))
        level = np.floor(total + offsets[min(a, len(offsets) - 1)] + (0.5 + 1e-9))
        outputs.append(np.clip(level, *found.clip).astype(pair.after.dtype))
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


def predicted_bands(found: Recovery, pair: Pair, mode: str) -> list[np.ndarray]:
    """What the four bands are under a border mode."""
    height, width = pair.after.shape[:2]
    places = bands(height, width, found.size // 2)
    if mode == Edge.COPIED:
        before = pair.before // pair.step
        return [np.broadcast_to(before[at], pair.after[at].shape) for at in places]
    if mode == Edge.BLACK:
        return [np.zeros_like(pair.after[at]) for at in places]
    around = pair.surroundings(found.size // 2, mode)
    more = found.size - 1
    predicted = []
    for rows, columns in places:
        (top, bottom, _), (left, right, _) = rows.indices(height), columns.indices(width)
        if bottom <= top or right <= left:
            predicted.append(np.zeros_like(pair.after[rows, columns]))
        else:
            patches = around[top : bottom + more, left : right + more]
            predicted.append(predict(found, patches, pair))
    return predicted


def reproduce(found: Recovery, pair: Pair) -> np.ndarray:
    """The after picture as the kernels make it: like pair.after, in grey levels."""
    sides = found.padding_sides
    base = next((side for side in sides if side in BORDERS), "replicate")
    height, width = pair.after.shape[:2]
    # Where that is proven, pixels whose patch lies inside come out as they are in after.
    if found.bit_exact and pair.same_frame:
        result = (pair.after // pair.step).astype(pair.after.dtype)
    else:
        result = np.empty_like(pair.after)
        around = pair.surroundings(found.size // 2, base)
        rows = max(1, STRIP // width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            strip = around[top : bottom + found.size - 1]
            result[top:bottom] = predict(found, strip, pair)
    if pair.same_frame:
        by_mode = {m: predicted_bands(found, pair, m or base) for m in {*sides}}
        for number, at in enumerate(bands(height, width, found.size // 2)):
            result[at] = by_mode[sides[number]][number]
    return result


def border(found: Recovery, pair: Pair) -> Sides:
    """How the tool went on beyond each side: the same for all where one mode explains them all.

    A mode must explain a side about as well as the kernel explains the inside, and better than at
    least one other mode does.
    """
    if not pair.same_frame or min(pair.after.shape[:2]) < 3 * found.size:
        return UNSEEN
    modes = [*BORDERS, Edge.BLACK]
    if pair.before.shape[2] in (1, pair.after.shape[2]) and pair.before.dtype.kind == "u":
        modes.append(Edge.COPIED)
    errors = {mode: _errors(found, pair, mode) for mode in modes}
    allowed = (1.5 * max(found.residual, 0.4)) ** 2 + 0.1
    clearly = CLEARLY if found.residual > 0.5 else 0.0
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


def _errors(found: Recovery, pair: Pair, mode: str) -> list[float]:
    """Mean squared error in the bands along the four sides, in grey levels."""
    r = found.size // 2
    predicted = predicted_bands(found, pair, mode)
    errors = []
    for number, at in enumerate(bands(*pair.after.shape[:2], r)):
        inner = np.s_[:, r:-r] if number < 2 else np.s_[:, :]  # corners belong to two sides
        left = predicted[number][inner].astype(np.float64) - pair.after[at][inner] // pair.step
        errors.append(float((left**2).mean()))
    return errors
