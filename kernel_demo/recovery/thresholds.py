"""Black or white: by the grey of each pixel, or by how far it lies above the mean of its window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import cv2
import numpy as np

from kernel_demo.imaging.filtering import LUMINANCE, patch_view
from kernel_demo.recovery import alternatives, channels, programs
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.alternatives import Model
from kernel_demo.recovery.explanations import CURVES, Curve, Other
from kernel_demo.recovery.linear_program import maximise
from kernel_demo.recovery.operations import WHITE, Filter
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.rivals import OF_AFTER, OF_KERNEL, Alternative

WINDOWS = range(3, 22, 2)
# Between black and white by a threshold and by a kernel that is cut off is no difference where its
# weights are large enough. Pixels for each weight, those nearest to the threshold, that tell how
# large they must be, at least; and the largest that a tool might have.
NEAREST, LARGE = 4, 100
# Factors that a kernel may have, cut off at black and white, and by how much more these must leave.
STEEP, OF_STEEP = (16, 64), 0.8
FINE = 8  # thresholds in a grey level
# Weights of red, green and blue: Rec. 601, the Go library bild's, Rec. 709.
GREYS = (LUMINANCE, (0.3, 0.6, 0.1), channels.REC_709)


def _mean(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.blur(image, (size, size), borderType=cv2.BORDER_REPLICATE)


def _whole_mean(image: np.ndarray, size: int) -> np.ndarray:
    return _mean(np.rint(image).astype(np.uint8), size).astype(np.float32)


def _whole_gaussian(image: np.ndarray, size: int) -> np.ndarray:
    return np.rint(cv2.GaussianBlur(image, (size, size), 0, borderType=cv2.BORDER_REPLICATE))


BORDER, WHOLE = "borderType=cv2.BORDER_REPLICATE", "np.rint(x).astype(np.uint8)"
# The last two as OpenCV's adaptiveThreshold has them, in whole levels.
AVERAGES = (
    ("the mean", _mean, f"cv2.blur(x, ({{size}}, {{size}}), {BORDER})"),
    (
        "the mean, in whole levels,", _whole_mean,
        f"cv2.blur({WHOLE}, ({{size}}, {{size}}), {BORDER}).astype(np.float32)",
    ),
    (
        "the Gaussian mean, in whole levels,", _whole_gaussian,
        f"np.rint(cv2.GaussianBlur(x, ({{size}}, {{size}}), 0, {BORDER}))",
    ),
)  # fmt: skip


def local(pairs: Sequence[Pair], _: Recovery) -> Alternative | None:
    """Black or white by how far each pixel lies above the mean of its window."""
    levels = np.unique(np.concatenate([np.unique(pair.after) for pair in pairs]))
    if len(levels) != 2 or pairs[0].step != 1 or pairs[0].before.dtype.kind != "u":
        return None
    for weights, (name, average, code), size in product(_greys(pairs), AVERAGES, WINDOWS):
        grey = [alternatives.greyed_by(pair, weights) for pair in pairs]
        middle = _parted(grey, partial(average, size=size), size, levels)
        if middle is None:
            continue
        at, turned = middle
        below, above = (levels[::-1] if turned else levels) * (WHITE / pairs[0].peak)

        def make(
            image: np.ndarray,
            average: Callable[..., np.ndarray] = average,
            size: int = size,
            at: float = at,
            below: float = below,
            above: float = above,
        ) -> np.ndarray:
            return np.where(image - average(image, size=size) > at, above, below)

        body = f"after = np.where(x - {code.format(size=size)} > {at:g}, {above:g}, {below:g})\n"
        told = {"size": size, "offset": float(at), "below": float(below), "above": float(above)}
        model = Model(make, body, told, size // 2, "replicate")
        name = f"a threshold at {name} of a window, {size} × {size}"
        kind = Alternative(Other.OPERATION, figures={"operation": name})
        first = programs.grey(weights, pairs[0].peak == WHITE)
        found = alternatives.remade(kind, model, grey, first)
        return found if found.explains else None
    return None


def _parted(
    pairs: Sequence[Pair], average: Filter, size: int, levels: np.ndarray
) -> tuple[float, bool] | None:
    """(threshold, whether what is above it is the darker) of what parts all pixels of the pairs.

    None: none does, or a kernel might make the same of them.
    """
    over, white, patches = (np.concatenate(part) for part in zip(
        *(_apart(pair, average, size, levels[1]) for pair in pairs), strict=True
    ))  # fmt: skip
    if min(np.count_nonzero(white), np.count_nonzero(~white)) <= size * size:
        return None
    turned = bool(over[white].mean() < over[~white].mean())
    above = ~white if turned else white
    highest, lowest = over[~above].max(), over[above].min()
    if highest >= lowest:
        return None
    at = float(highest + lowest) / 2
    near = [
        np.flatnonzero(side)[np.abs(over[side] - at).argsort()[: NEAREST * size * size]]
        for side in (above, ~above)
    ]
    both = np.concatenate(near)
    large = _least_weight(patches[both].reshape(len(both), -1) * 1.0, above[both]) > LARGE
    return (at, turned) if large else None


def _apart(
    pair: Pair, average: Filter, size: int, white: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each value of after: how far before lies above its mean, whether it is white, its patch.

    n, n bool, n x size x size; in 255ths of white.
    """
    before, after, counted = pair.overlap()
    image = alternatives.picture(before, pair)
    over = alternatives.deep(image - average(image))
    inner = np.s_[size // 2 : -(size // 2), size // 2 : -(size // 2)]
    windows = patch_view(alternatives.deep(image), size)
    kept = np.ones(after[inner].shape, bool)
    kept &= True if counted is None else counted[inner][..., None]
    return over[inner][kept], after[inner][kept] == white, windows[kept]


def _least_weight(patches: np.ndarray, white: np.ndarray) -> float:
    """No kernel, cut off at black and white, has only smaller weights and makes these white.

    patches: n x m. white: n bool; the others become black. By the widest gap between the two that
    weights of at most 1 leave (a linear program; Vapnik's margin in the largest norm).
    """
    count, weights = patches.shape
    start = np.full(weights, -1 / weights)
    start[weights // 2] += 1
    start *= 0.9
    patches, side = patches - patches.mean(axis=0), np.where(white, 1.0, -1.0)
    values = patches @ start
    middle = (values[white].min() + values[~white].max()) / 2
    apart = side * (values - middle)
    least = apart.min() - 1
    rows = np.zeros((count + 2 * weights, weights + 2))
    rows[:count] = np.c_[-side[:, None] * patches, side, np.ones(count)]
    ends = np.arange(weights)
    rows[count + ends, ends], rows[count + weights + ends, ends] = 1, -1
    limits = np.concatenate([apart - least, 1 - start, 1 + start])
    goal = np.append(np.zeros(weights + 1), 1.0)
    found = maximise(goal, rows, limits, WHITE * weights, 0.01)
    return WHITE / max(2 * (least + found.bound), 1e-9)


def plain(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    """Black or white by the grey of each pixel."""
    first = pairs[0]
    clear = first.peak == WHITE and first.after.shape[2] == 1 and result.kernel is not None
    if not clear or np.mean(np.abs(first.after - WHITE / 2) < WHITE / 4) > OF_AFTER:
        return None
    found = []
    for weights in _greys(pairs):
        grey = [alternatives.greyed_by(pair, weights, whole=False) for pair in pairs]
        found.append((*_split(grey), weights, grey))
    left, at, weights, grey = min(found, key=lambda one: one[0])
    steep = min(_left_by_line(grey, at, factor) for factor in STEEP)
    limits = OF_KERNEL * result.residual, OF_AFTER * float(np.std(first.after)), OF_STEEP * steep
    if left > min(limits):
        return None
    body = programs.threshold(at, 0, WHITE)
    told = {"curve": Curve.THRESHOLD, "from": at, "below": 0.0, "above": WHITE}
    model = Model(lambda x: np.where(x >= at, WHITE, 0.0), body, told)
    kind = Alternative(Other.CURVE, figures={"curve": CURVES[Curve.THRESHOLD]})
    return alternatives.remade(kind, model, grey, programs.grey(weights, whole=False))


def _greys(pairs: Sequence[Pair]) -> Sequence[tuple[float, float, float] | None]:
    coloured = pairs[0].before.shape[2] == 3 and pairs[0].after.shape[2] == 1
    return GREYS if coloured else (None,)


def _split(pairs: Sequence[Pair]) -> tuple[float, float]:
    """The RMS that is left where all is white from a level on, at least, and that level."""
    sums = np.zeros((2, 256 * FINE))  # of squares, were it black and were it white, by before
    for pair in pairs:
        before, after, _ = pair.overlap()
        level = (FINE * before + 1e-6).astype(int).ravel()
        for row, value in zip(sums, (0, WHITE), strict=True):
            row += np.bincount(level, (after.ravel() - value) ** 2.0, len(row))
    black, white = np.cumsum(sums[0]) - sums[0], np.cumsum(sums[1][::-1])[::-1]
    count = sum(pair.overlap()[1].size for pair in pairs)
    at = (black + white).argmin()
    return float((black + white)[at] / count) ** 0.5, float(at / FINE)


def _left_by_line(pairs: Sequence[Pair], at: float, factor: float) -> float:
    """RMS that a straight line that steep leaves, cut off at black and white."""
    squares, count = 0.0, 0
    for pair in pairs:
        before, after, _ = pair.overlap()
        made = np.clip(WHITE / 2 + factor * (before - at + 0.5), 0, WHITE)
        squares, count = squares + float(np.square(after - made).sum()), count + after.size
    return (squares / count) ** 0.5
