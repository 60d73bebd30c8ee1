"""Where in a picture the kernel leaves most: by contrast, brightness, place or channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from kernel_demo.recovery.alignment import between
from kernel_demo.recovery.explanations import Split
from kernel_demo.recovery.record import Recovery

# Parts are told apart where one leaves this many times the other, and more than rounding does.
UNEVEN, ROUNDED = 1.5, 0.5
Parts: TypeAlias = tuple[tuple[float, float], tuple[float, float]]  # (squares, count) of each
BORDER = 16  # pixels along the border, seen by themselves
FEW = 200  # pixels of a part, at least


@dataclass(frozen=True)
class Uneven:
    """Grey levels RMS that the kernel leaves in the two parts of a split, in its order."""

    split: Split
    parts: tuple[float, float]
    every: int = 0  # n of every n-th row or column, or pixels of the border

    def __str__(self) -> str:
        """ "its smooth and its textured parts" """
        return self.split.format(n=self.every)


def by_channel(found: Recovery) -> tuple[float, ...]:
    """Grey levels RMS of after minus reproduced for each channel; () of grey, or where alike."""
    if found.residual_map is None or found.reproduction is None or found.residual_map.ndim < 3:
        return ()
    squares, counts = _counted(found, found.reproduction, found.residual_map)
    squares, counts = squares.sum(axis=(0, 1)), counts.sum(axis=(0, 1))
    left = np.sqrt(squares / np.maximum(counts, 1)).tolist()
    return tuple(left) if counts.min() >= FEW and _apart(*left) else ()


def uneven(found: Recovery) -> Uneven | None:
    """The split whose parts differ most; None: what is left is spread evenly."""
    made, left = found.reproduction, found.residual_map
    if made is None or left is None or min(left.shape[:2]) < 4 * BORDER:
        return None
    squares, counts = (np.atleast_3d(part).sum(axis=2) for part in _counted(found, made, left))
    told = [
        Uneven(split, ((one / number) ** 0.5, (other / rest) ** 0.5), every)
        for split, every, ((one, number), (other, rest)) in _splits(made, squares, counts)
        if min(number, rest) >= FEW
    ]
    told = [one for one in told if _apart(*one.parts)]
    return max(told, key=lambda one: max(one.parts) / max(min(one.parts), 1e-9), default=None)


def _apart(*left: float) -> bool:
    return max(left) > max(UNEVEN * min(left), ROUNDED)


def _counted(found: Recovery, made: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squares of what is left, and 1 where it counts: inside, not left out and not cut off."""
    radius = found.size // 2 + max(map(abs, found.shift))
    counts = between(made, found.clip)
    if found.left_out.mask is not None:
        counts[found.left_out.mask] = False
    counts[:radius] = counts[:, :radius] = False
    counts[counts.shape[0] - radius :] = counts[:, counts.shape[1] - radius :] = False
    return np.where(counts, np.square(left, dtype=np.float64), 0), counts


def _splits(
    made: np.ndarray, squares: np.ndarray, counts: np.ndarray
) -> Iterator[tuple[Split, int, Parts]]:
    """(split, n, ((sum of squares, count) of its two parts))."""

    whole = float(squares.sum()), float(counts.sum())

    def parts(energy: float, number: float) -> Parts:
        return (energy, number), (whole[0] - energy, whole[1] - number)

    grey = np.atleast_3d(made).mean(axis=2, dtype=np.float32)
    detail = cv2.blur(np.abs(grey - cv2.blur(grey, (5, 5))), (5, 5))
    for split, values in ((Split.TEXTURE, detail), (Split.BRIGHTNESS, grey)):
        low = values <= np.median(values)
        yield split, 0, parts(float(squares[low].sum()), float(counts[low].sum()))
    edge = np.ones(grey.shape, bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    yield Split.BORDER, BORDER, parts(float(squares[edge].sum()), float(counts[edge].sum()))
    for split, axis in ((Split.ROWS, 1), (Split.COLUMNS, 0)):
        lines = squares.sum(axis=axis), counts.sum(axis=axis)
        for n in range(2, 9):
            phases = [[float(line[first::n].sum()) for line in lines] for first in range(n)]
            yield split, n, parts(*max(phases, key=lambda one: one[0] / max(one[1], 1)))
