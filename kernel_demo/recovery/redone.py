"""What no kernel does, told by doing it again: pixel by pixel, or as the JPEG file that after was.

Where least squares leaves a pair open, an operation may yet make the file: a threshold at the mean
of a window, a change of contrast in the brightness, of hue, of saturation. Behind a JPEG file its
picture is compressed as after was, and so are those of the best kernel and the best mixture of
channels: what each leaves is compared by equal means. All of a picture is in 255ths of white here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np

from kernel_demo.recovery import (
    alternatives,
    encoder,
    operations,
    programs,
    quantisation,
    thresholds,
)
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.alternatives import Model
from kernel_demo.recovery.chroma import SAMPLINGS, through_file
from kernel_demo.recovery.explanations import PATTERNED, Other, Reason
from kernel_demo.recovery.operations import WHITE, Operation
from kernel_demo.recovery.quantisation import compression
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.rivals import OF_AFTER, OF_KERNEL, Alternative

Ways: TypeAlias = Sequence[tuple[int, int] | None]  # quality and sampling; None: not compressed
# Reasons that speak of the kernel, not of the pictures.
OPEN = PATTERNED | {Reason.COLOURS, Reason.CLIPPED, Reason.LOSSY, Reason.LOSSY_COLOURS}
# Behind JPEG, the share of what the best mixture leaves, in colours times in brightness: of 27 true
# mixtures 1.27 and more, of true changes of hue and saturation 0.4 and less.
OF_LINEAR = 0.5
WORSE = 1.25  # in colours alone
WAYS = (None, *product((30, 50, 65, 75, 85, 92, 95, 98), SAMPLINGS))
AS_WELL = 1.1  # times what a curve leaves
TURNS = 4  # with one size of step
DRAWN, ROUNDS = 30_000, 8  # pixels by which a mixture is fitted
OPEN_RANGE = 32  # from black and white, where its fit may begin
SIDE, RING = 512, 16  # of what is compressed; pixels along the border, of which no kernel is sure


def find(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    """The operation that makes the pairs, where the kernel of the result does not."""
    ways = (by_pixel, _in_files, _in_colour)
    return next(filter(None, (way(pairs, result) for way in ways)), None)


def by_pixel(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    """The same where the pixels alone tell it."""
    ways = (thresholds.local, _contrast, thresholds.plain)
    return next(filter(None, (way(pairs, result) for way in ways)), None)


def _contrast(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    if not _coloured(pairs) or result.kernel is None:
        return None
    for operation in map(operations.contrast, (-1, 1)):
        found = alternatives.by_operation(operation, pairs)
        if found is None or found.residual is None:
            continue
        if found.explains and found.residual < OF_KERNEL * result.residual:
            return found
    return None


def _coloured(pairs: Sequence[Pair]) -> bool:
    return pairs[0].before.shape[2] == pairs[0].after.shape[2] == 3


# Behind JPEG


def _in_files(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    """One of OPERATIONS, cut off at black and white, in a JPEG file that is to be guessed."""
    first = pairs[0]
    if not _alone(pairs, result) or result.compression:
        return None
    before, after = _corner(first)
    image, plain = alternatives.picture(before, first), [None]
    if alternatives.deep(image).shape != after.shape:
        return None
    made = {one: _whole(one.apply(image), after) for one in operations.OPERATIONS}
    best = min(made, key=lambda one: _left(after, plain, made[one]))
    limit = min(OF_LINEAR * result.residual, 2 * OF_AFTER * float(after.std()))
    if _left(after, plain, made[best]) > limit:
        return None
    leaves, kernel = (_left(after, WAYS, one) for one in (made[best], _made_by(result, after)))
    if leaves > min(OF_KERNEL * kernel, OF_AFTER * float(after.std())):
        return None
    return _told(best, pairs)


def _in_colour(pairs: Sequence[Pair], result: Recovery) -> Alternative | None:
    """A change of hue or of saturation, in a JPEG file of which the steps are known."""
    first = pairs[0]
    if not (_alone(pairs, result) and result.compression and _coloured(pairs)):
        return None
    before, after = _corner(first)
    image, known = before.astype(np.float32), compression(first)
    made = {one: _whole(one.apply(image), after) for one in _near(before, after)}
    best = min(made, key=lambda one: _left(after, [None], made[one]))
    colours = partial(_left, after, [None])
    limit = min(OF_KERNEL * colours(_made_by(result, after)), OF_AFTER * float(after.std()))
    if known is None or not known.steps.any() or colours(made[best]) > limit:
        return None
    brightness = partial(_left_in_brightness, after, known.steps)
    for size in (1, 3):
        linear = _whole(_linear(before, after, size), after)
        ratios = [leaves(made[best]) / leaves(linear) for leaves in (colours, brightness)]
        if np.prod(ratios) > OF_LINEAR or max(ratios) > WORSE:
            return None
    return _told(best, pairs)


def line_as_well(
    curve: Alternative, pairs: Sequence[Pair], weights: Sequence[float] | None
) -> bool:
    """Whether a mixture of channels, cut off at black and white, leaves no more than the curve.

    Of the first pair, in a JPEG file that is to be guessed: its losses bend what is cut off.
    """
    if not _plain(pairs[0]):
        return False
    before, after = _corner(alternatives.greyed_by(pairs[0], weights, whole=False))
    made = _made_by(curve, after)
    most = AS_WELL * _left(after, WAYS, made)
    mixture = _whole(_linear(before, after, 1), after)
    return _left(after, WAYS, mixture) <= most or _least_of_lines(before, after) <= most


def _alone(pairs: Sequence[Pair], result: Recovery) -> bool:
    """One plain pair, with a kernel to hold against."""
    return len(pairs) == 1 and _plain(pairs[0]) and result.kernel is not None


def _plain(pair: Pair) -> bool:
    """Of 8 bits, lying over itself, and no small one."""
    large = min(pair.after.shape[:2]) >= 4 * RING
    return pair.same_frame and pair.after.dtype == np.uint8 and large


def _corner(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Before and after from the first pixel, in whole blocks."""
    there = tuple(slice(0, min(side, SIDE) // RING * RING) for side in pair.after.shape[:2])
    return pair.before[there], pair.after[there]


def _made_by(result: Recovery | Alternative, after: np.ndarray) -> np.ndarray:
    if result.reproduction is None:
        raise ValueError("nothing was made of before")
    return alternatives.deep(result.reproduction)[: after.shape[0], : after.shape[1]]


def _whole(values: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Whole levels, in the shape of after."""
    whole = np.clip(np.rint(alternatives.deep(values)), 0, WHITE)
    return np.broadcast_to(whole, after.shape)


def _told(operation: Operation, pairs: Sequence[Pair]) -> Alternative:
    kind = Alternative(Other.OPERATION, figures={"operation": operation.name})
    body = programs.operation(operation, 1, 0)
    shape = operation.radius, operation.border
    model = Model(operation.apply, body, operation.parameters, *shape)
    return alternatives.remade(kind, model, pairs, "")


def _left(after: np.ndarray, ways: Ways, picture: np.ndarray) -> float:
    """RMS that a picture leaves of after, compressed in the way that suits it best."""
    inner, squares = np.s_[RING:-RING, RING:-RING], []
    for way in ways:
        wide = np.broadcast_to(picture, (*after.shape[:2], 3))
        made = picture if way is None else through_file(wide, *way)[..., : after.shape[2]]
        squares.append(float(np.square(after - made.astype(np.float64))[inner].mean()))
    return min(squares) ** 0.5


def _left_in_brightness(after: np.ndarray, steps: np.ndarray, picture: np.ndarray) -> float:
    """RMS of the coefficients with a known step, where the picture's are written down with it."""
    known, steps = steps.ravel() > 0, np.where(steps > 0, steps, 1)
    ours = encoder.quantised(encoder.transformed(_blocks(encoder.luminance(picture))), steps)
    file = quantisation.coefficients(_blocks(quantisation.levels(after)) - 128) / steps.ravel()
    left = (np.rint(file) - ours.reshape(file.shape)) * steps.ravel()
    kept = ~_blocks(((after == 0) | (after == WHITE)).any(axis=2)).any(axis=(1, 2))
    return float(np.square(left[kept][:, known]).mean()) ** 0.5


def _blocks(values: np.ndarray) -> np.ndarray:
    """n x 8 x 8, without the border."""
    inner = values[RING:-RING, RING:-RING]
    height, width = (side // 8 for side in inner.shape)
    return inner.reshape(height, 8, width, 8).swapaxes(1, 2).reshape(-1, 8, 8)


def _near(before: np.ndarray, after: np.ndarray) -> Iterator[Operation]:
    """The changes of hue and of saturation that come nearest."""
    yield _nearest(operations.hue, before, after, np.arange(-175, 181, 5), (1, 0.5))
    yield _nearest(operations.saturation, before, after, np.arange(0, 3.01, 0.1), (0.02, 0.01))


def _nearest(
    family: Callable[[float], Operation],
    before: np.ndarray,
    after: np.ndarray,
    values: np.ndarray,
    finer: Sequence[float],
) -> Operation:
    """The member that leaves least of every few pixels; then in finer steps about it."""
    image, target = before[::3, ::3].astype(np.float32), after[::3, ::3].astype(np.float64)

    def leaves(value: float) -> float:
        made = np.clip(family(float(value)).apply(image), 0, WHITE)
        return float(np.square(made - target).mean())

    best = min(values, key=leaves)
    for step in finer:
        best = min(np.round(best + step * np.arange(-6, 7), 2), key=leaves)
    return family(float(best))


def _linear(before: np.ndarray, after: np.ndarray, size: int) -> np.ndarray:
    """What the mixture of channels and their neighbours makes that explains most.

    By Gauss and Newton: what is predicted to be cut off does not change with the weights.
    """
    wide = before.astype(np.float64)
    shifts = product(range(-(size // 2), size // 2 + 1), repeat=2)
    seen = [np.ones((*before.shape[:2], 1)), *(np.roll(wide, by, axis=(0, 1)) for by in shifts)]
    design = np.concatenate(seen, axis=2)
    inner = np.s_[RING:-RING, RING:-RING]
    x, y = design[inner].reshape(-1, design.shape[2]), after[inner].reshape(-1, after.shape[2])
    few = np.random.default_rng(0).permutation(len(x))[:DRAWN]
    fits = [_cut_off(x[few], channel[few]) for channel in y.T]
    return np.stack([design @ weights for weights in fits], axis=2)


def _cut_off(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """m: weights of which x @ weights, cut off at black and white, is nearest to y (x: n x m)."""
    best, least = np.zeros(x.shape[1]), np.inf
    for inside in (np.ones(len(y), bool), (y > OPEN_RANGE) & (y < WHITE - OPEN_RANGE)):
        for _ in range(ROUNDS):
            if np.count_nonzero(inside) < 2 * x.shape[1]:
                break
            weights = np.linalg.lstsq(x[inside], y[inside], rcond=None)[0]
            values = x @ weights
            left = float(np.square(np.clip(values, 0, WHITE) - y).sum())
            best, least = (weights, left) if left < least else (best, least)
            inside = (values > 0) & (values < WHITE)
    return best


def _least_of_lines(before: np.ndarray, after: np.ndarray) -> float:
    """What one line for all channels leaves, in the way and with the numbers that suit it best.

    By steps in its middle (that becomes half of white) and its slope, halved when none is better.
    """
    x, y = np.broadcast_arrays(before.astype(np.float64), after)
    few = np.random.default_rng(0).permutation(x.size)[:DRAWN]
    offset, slope = _cut_off(np.c_[np.ones(len(few)), x.ravel()[few]], y.ravel()[few])
    if slope == 0:
        return np.inf

    def leaves(line: tuple[float, float], ways: Ways) -> float:
        return _left(after, ways, _whole((x - line[0]) * line[1] + WHITE / 2, after))

    best = ((WHITE / 2 - offset) / slope, slope)
    way = [min(WAYS, key=lambda one: leaves(best, [one]))]
    least = leaves(best, way)
    for size in 0.5 ** np.arange(1, 8):
        moves = ((16 * size, 1), (-16 * size, 1), (0, 1 + size), (0, 1 / (1 + size)))
        for _ in range(TURNS):
            near = [(best[0] + by, best[1] * times) for by, times in moves]
            left, line = min((leaves(one, way), one) for one in near)
            if left >= least:
                break
            least, best = left, line
    return leaves(best, WAYS)
