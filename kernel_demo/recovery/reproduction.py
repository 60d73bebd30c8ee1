"""Recovered kernels applied again: what they make of the pairs, and what lies beyond the border."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, CONSTANT, MODES, correlate_valid, patch_view
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery.alignment import Pair, between
from kernel_demo.recovery.explanations import Edge, Left, Rounding
from kernel_demo.recovery.passes import Way, inner, share_inside
from kernel_demo.recovery.record import UNSEEN, LeftOut, Recovery, Sides

Tally: TypeAlias = tuple[float, int, int, int]  # the four sums of _made()
Value: TypeAlias = float | tuple[float, ...]  # grey levels: of all channels, or of each
STRIP = 1_000_000  # pixels predicted at once
# The simplest that explains a side is taken; for radius 1 replicate and symmetric are the same.
PREFERENCE = ("reflect", "replicate", "symmetric", "zero", "wrap", *Edge, CONSTANT)
# A residual above this, in grey levels, is more than rounding: noise, or JPEG's, which goes over so
# many pixels together. Copied borders then have noise of their own: this much better will do.
NOISY, CORRELATED, CLEARLY = 0.5, 8, 0.2
# Share of the pixels that a border may miss by one level, and times what is missed inside.
ODD_PIXELS, MORE = 0.01, 5.0
HALF_A_LEVEL = 0.5
FAINT = 0.01  # of the largest weight: less below 0 is none
LIKELIER = 30.0  # twice the logarithm of how much likelier than others a mode is to be
# So many standard errors must lie within half a grey level for the value of a border to be told,
# and for white within two.
CERTAIN, WHITE = 4.0, 2.0
# Grey levels by which sums may err beside one rounding: of a tool's own steps, or round numbers,
# and of kernels that are known to their bars; and levels beside the likeliest that are tried.
OF_ITS_STEPS, OF_KERNELS, BESIDE = 0.005, 0.05, 3
TIE = 1e-6  # grey levels: a sum this near to a half is one but for float64's rounding
WIDEST_RING = 64  # pixels
LOOKED_AT, ALL_OF_THEM = 10_000, 0.95  # pixels left out, and the share that must be alike


def told(found: Recovery, pairs: Sequence[Pair]) -> Recovery:
    """The record with what its very kernels make: figures of all pairs, pictures of the first.

    Of a record `in_steps` it is what these make. Figures are of the pixels that count and whose
    patch lies inside; each channel counts by itself. residual: RMS of after minus the prediction
    before it is rounded (the last time), where that is not clipped, so that one rounding alone
    leaves 1 / sqrt(12) (as before where all is clipped). reproduced: share with after ==
    reproduction. left_out: share of the pixels inside.
    """
    first = pairs[0]
    made, tally = _made(found, first)
    tally = sum((_made(found, pair)[1] for pair in pairs[1:]), tally)
    squares, unclipped, same, counted = tally.tolist()
    found = replace(
        found,
        residual=(squares / unclipped) ** 0.5 if unclipped else found.residual,
        reproduced=same / counted if counted else 0.0,
        left_out=_left_out(found, pairs),
    )
    if found.verdict.linear:
        sides, value = border(found, first)
        found = replace(found, padding_sides=sides, padding_value=value)
        _lay_border(made, found, first)
        found = replace(found, border_missed=_missed_along(made, found, first))
    left = np.subtract(first.levels, made, dtype=np.float32)
    return replace(found, reproduction=_picture(made), residual_map=_picture(left))


def compared(found: Recovery, pair: Pair) -> tuple[float, float]:
    """(RMS of what its kernels leave, share reproduced) of another pair, as `told` has them."""
    squares, unclipped, same, counted = _made(found, pair)[1].tolist()
    left = (squares / unclipped) ** 0.5 if unclipped else float("inf")
    return left, same / counted if counted else 0.0


def _picture(values: np.ndarray) -> np.ndarray:
    """H x W x C, or H x W if there is one channel."""
    return values[..., 0] if values.shape[2] == 1 else values


def _made(found: Recovery, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """After as the kernels make it of the replicated picture, and four sums over what counts.

    The sums: squares of what is left, samples not clipped, samples reproduced, samples.
    """
    height, width = pair.after.shape[:2]
    around, known = pair.surroundings(found.size // 2, "replicate"), inside(pair, found.size // 2)
    if pair.counted is not None:
        known &= pair.counted
    rows = max(1, STRIP // width)
    strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    made, tally = np.empty_like(pair.after), np.zeros(4)

    def make(at: slice) -> Tally:
        values, level = _ended(found, around[at.start : at.stop + found.size - 1], pair)
        made[at], sums = _compared(found, values, level, pair.levels[at], known[at, :, None])
        return sums

    with ThreadPoolExecutor(2) as pool:
        for sums in pool.map(make, strips):
            tally += sums
    return made, tally


def _compared(
    found: Recovery, values: np.ndarray, level: np.ndarray, after: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, Tally]:
    """The grey levels (h x w x A) of values, and the sums of `_made` where they count (h x w x 1).

    How the tool ends sums of exactly one half is proven if the kernels are exact, and not always
    half up: there it is as in after.
    """
    wrong = counts & (level != after)
    if found.bit_exact and wrong.any():
        half = values[wrong] + 0.5
        tie = np.abs(half - np.rint(half)) < TIE
        level[wrong] = np.where(tie, after[wrong], level[wrong])
        wrong[wrong] = ~tie
    unclipped = counts & between(values, found.clip)
    left = np.multiply(after - values, unclipped)
    count = np.count_nonzero(counts) * after.shape[2]
    same = count - np.count_nonzero(wrong)
    return level, (
        float(np.vdot(left, left)),
        int(np.count_nonzero(unclipped)),
        int(same),
        int(count),
    )


def inside(pair: Pair, radius: int) -> np.ndarray:
    """h x w bool: the pixels of after whose patch lies inside before."""
    found = np.zeros(pair.after.shape[:2], bool)
    at = (
        slice(max(0, radius - start), max(0, min(here, there - start - radius)))
        for start, here, there in zip(
            pair.origin, pair.after.shape[:2], pair.before.shape[:2], strict=True
        )
    )
    found[tuple(at)] = True
    return found


def _kernels(found: Recovery) -> np.ndarray:
    """(outputs, inputs, k, k). ValueError: there are none, and nothing to apply."""
    if found.kernel is None:
        raise ValueError("a record without a kernel")
    return found.kernel


def _steps(found: Recovery) -> Way | None:
    """What is applied in the place of the kernels; None: these are."""
    return None if found.steps is None or not found.in_steps else found.steps.way


def _inputs(found: Recovery, outputs: int, inputs: int) -> Iterator[list[tuple[int, np.ndarray]]]:
    """For each channel of after: the channels of before that go into it, and their kernels."""
    kernels = _kernels(found)
    for a in range(outputs):
        row = kernels[min(a, len(kernels) - 1)]
        yield list(enumerate(row)) if len(row) > 1 else [(min(a, inputs - 1), row[0])]


def _values(found: Recovery, surroundings: np.ndarray, pair: Pair) -> np.ndarray:
    """Grey levels of the valid pixels, neither rounded nor clipped: h x w x A float64."""
    outputs, inputs = pair.after.shape[2], surroundings.shape[2]
    parts = np.ascontiguousarray(np.moveaxis(surroundings, -1, 0), np.float64)
    if pair.step > 1:
        parts /= pair.step
    height, width = (side - found.size + 1 for side in parts.shape[1:])
    values, offsets = np.empty((height, width, outputs)), np.broadcast_to(found.offset, outputs)
    for a, row in enumerate(_inputs(found, outputs, inputs)):
        np.add(sum(correlate_valid(parts[b], k) for b, k in row), offsets[a], out=values[..., a])
    return values


def _ended(found: Recovery, surroundings: np.ndarray, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels of the valid pixels before they are rounded and clipped, and then: h x w x A."""
    way, radius = _steps(found), found.size // 2
    if way is None:
        values = _values(found, surroundings, pair)
        return values, _levels(found, values, pair.after.dtype)
    down, right = (radius - reach for reach in way.reach)
    planes = _planes(inner(surroundings, down, right), pair)
    sums, levels = zip(*map(way.ended, planes), strict=True)
    return np.stack(sums, axis=-1), _cut_off(found, np.stack(levels, axis=-1), pair)


def _planes(before: np.ndarray, pair: Pair) -> list[np.ndarray]:
    """For each channel of after its own of before, or the only one."""
    last = before.shape[2] - 1
    return [before[..., min(a, last)] for a in range(pair.after.shape[2])]


def _cut_off(found: Recovery, levels: np.ndarray, pair: Pair) -> np.ndarray:
    return np.clip(levels, *found.clip).astype(pair.after.dtype)


def _levels(found: Recovery, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounded half up, or as it is proved of exact fractions, and clipped."""
    level = np.clip(values, *found.clip)
    if found.fractions and all(w.rounding == Rounding.HALF_EVEN for w in found.fractions):
        return np.rint(level.round(9)).astype(dtype)
    level += 0.5 + 1e-9
    return level.astype(dtype)  # cuts off


def bands(shape: tuple[int, ...], radius: int) -> tuple[tuple[slice, slice], ...]:
    """The pixels whose patch leaves a picture (h x w x C) at the top, bottom, left, right."""
    height, width = shape[:2]
    r = min(radius, height // 2, width // 2)
    return (
        np.s_[:r, :],
        np.s_[height - r :, :],
        np.s_[r : height - r, :r],
        np.s_[r : height - r, width - r :],
    )


def _patches(around: np.ndarray, at: tuple[slice, slice], size: int) -> np.ndarray:
    """The part of a padded picture that holds the patches of a band."""
    (top, bottom, _), (left, right, _) = (
        s.indices(n - size + 1) for s, n in zip(at, around.shape, strict=False)
    )
    return around[top : bottom + size - 1, left : right + size - 1]


def predicted_bands(found: Recovery, pair: Pair, mode: str) -> list[np.ndarray]:
    """What the four bands are under a border mode, or CONSTANT of the record's padding_value."""
    places = bands(pair.after.shape, found.size // 2)
    if mode == Edge.COPIED:
        before = pair.before // pair.step
        return [np.broadcast_to(before[at], pair.after[at].shape) for at in places]
    if mode in (Edge.BLACK, Edge.PLAIN):
        value = np.asarray(0 if mode == Edge.BLACK else _around(found))
        return [np.broadcast_to(value, pair.after[at].shape) for at in places]
    return [level for _, level in _ended_bands(found, pair, mode)]


def _ended_bands(found: Recovery, pair: Pair, mode: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The bands before they are rounded and clipped, and then; of steps both are then."""
    places = bands(pair.after.shape, found.size // 2)
    value = _times(_around(found), pair.step) if mode == CONSTANT else 0
    way = _steps(found)
    if way is not None and mode != "wrap":  # of which several times are as once
        for at in places:
            level = pair.after[at]
            level = _stepped(found, way, pair, at, mode, value) if level.size else level
            yield level, level
        return
    outside = "zero" if mode == Edge.RENORMALISED else mode
    around = pair.surroundings(found.size // 2, outside, value)
    for at in places:
        if pair.after[at].size == 0:
            yield pair.after[at], pair.after[at]
        elif mode == Edge.RENORMALISED:
            height, width = pair.after.shape[:2]
            whole = share_inside(_kernels(found)[0, 0], (height, width))[at][..., None]
            values = _values(found, _patches(around, at, found.size), pair) - found.offset
            # Weights inside that sum to 0 can be scaled to no sum: they stay as they are.
            values = np.divide(values, whole, out=values, where=whole != 0) + found.offset
            yield values, _levels(found, values, pair.after.dtype)
        else:
            yield _ended(found, _patches(around, at, found.size), pair)


def _around(found: Recovery) -> Value:
    """What `constant` and PLAIN have there. ValueError: no value is known."""
    if found.padding_value is None:
        raise ValueError("a border of one value, and not which")
    return found.padding_value


def _times(value: Value, step: int) -> Value:
    """In working units."""
    return tuple(one * step for one in value) if isinstance(value, tuple) else value * step


def _stepped(
    found: Recovery, way: Way, pair: Pair, at: tuple[slice, slice], mode: str, value: Value
) -> np.ndarray:
    """What the steps make of a band, where each of them goes on beyond the picture."""
    part, own = [], []
    for along, length in zip(at, pair.before.shape[:2], strict=True):
        first, last, _ = along.indices(length)
        start = max(0, first - found.size)
        part.append(slice(start, last + found.size))
        own.append(slice(first - start, last - start))
    planes = _planes(pair.before[tuple(part)], pair)
    values = np.broadcast_to(np.asarray(value), len(planes))
    made = [way.on_all(plane, mode, v)[tuple(own)] for plane, v in zip(planes, values, strict=True)]
    return _cut_off(found, np.stack(made, axis=-1), pair)


def _lay_border(made: np.ndarray, found: Recovery, pair: Pair) -> None:
    """Write into the picture what the sides are under the modes that are known."""
    sides = found.padding_sides
    if not any(sides):
        return
    base = next((side for side in sides if side in MODES), "replicate")
    by_mode = {side: predicted_bands(found, pair, side or base) for side in {*sides}}
    for number, at in enumerate(bands(made.shape, found.size // 2)):
        made[at] = by_mode[sides[number]][number]


def _missed_along(made: np.ndarray, found: Recovery, pair: Pair) -> int:
    """How many pixels of a picture differ from after along the border, where one mode is told."""
    if len({*found.padding_sides} - {None}) != 1:
        return 0
    wrong = [(made[at] != pair.levels[at]).any(axis=2) & _kept(pair, at)
             for _, at in _sides(found, pair)]  # fmt: skip
    return int(sum(map(np.count_nonzero, wrong)))


def border(found: Recovery, pair: Pair) -> tuple[Sides, Value | None]:
    """How the tool went on beyond each side, and the value if that is one.

    The same for all sides where one mode explains them all; else side by side, but not in noise,
    where chance makes a mode right for a side. A mode must explain a side about as well as the
    kernel explains the inside, and clearly better than all that would look otherwise.
    """
    if not pair.same_frame or min(pair.after.shape[:2]) < 3 * found.size:
        return UNSEEN, None
    modes = [*BORDERS, Edge.BLACK, *([Edge.COPIED] if _copies(pair) else [])]
    modes += [Edge.RENORMALISED] if _renormalises(found) else []
    squares = {mode: _squares(found, pair, mode) for mode in modes}
    counts = np.array([_kept_inner(pair, n, at, found).sum() for n, at in _sides(found, pair)])
    counts = np.maximum(counts * pair.after.shape[2], 1)
    allowed = counts * _allowed(found)
    unexplained = [s for s in range(4) if all(of[s] > allowed[s] for of in squares.values())]
    fitted: str = Edge.PLAIN
    value, sure = _plain(found, pair), True
    if value is None:
        fitted, (value, sure) = CONSTANT, _around_all(found, pair, unexplained or range(4))
    if value is not None:
        squares[fitted] = _squares(replace(found, padding_value=value), pair, fitted)
    limits = dict.fromkeys(squares, allowed)
    noisy = found.residual > NOISY
    if noisy and Edge.COPIED in squares:
        usual = np.median(list(squares.values()), axis=0)
        limits[Edge.COPIED] = np.maximum(allowed, CLEARLY * usual)
    likeliest = partial(_likeliest, squares, limits, counts, noisy, _depth(found))
    alike = likeliest(np.arange(4))
    each = [alike] * 4 if alike or noisy else [*map(likeliest, np.arange(4)[:, None])]
    top, bottom, left, right = (None if one == fitted and not sure else one for one in each)
    sides = (top, bottom, left, right)
    return sides, value if fitted in sides else None


def _depth(found: Recovery) -> int:
    """How many pixels beyond the border have a weight: of steps, in the deepest of them."""
    way = _steps(found)
    return found.size // 2 if way is None else max(max(one.reach) for one in way.passes)


def _allowed(found: Recovery) -> float:
    """Mean square that a mode may leave, by what the kernel leaves inside.

    Where it makes nearly all pixels there, so must a mode: another border is near to one of these
    in the mean.
    """
    loose = (1.5 * max(found.residual, 0.4)) ** 2 + 0.1
    missed = ODD_PIXELS + MORE * (1 - found.reproduced)
    return min(loose, missed) if found.in_one_step else loose


def _likeliest(
    squares: Mapping[str, np.ndarray],
    limits: Mapping[str, np.ndarray],
    counts: np.ndarray,
    noisy: bool,
    radius: int,
    sides: np.ndarray,
) -> str | None:
    """The mode that alone explains some sides; a name goes before a value that was fitted.

    In normal noise the likelihood ratio is exp(difference of squares / 2 variance).
    None: none does, or several do, as along a plain border, or whatever is beyond has no weight.
    """
    total = {mode: of[sides].sum() for mode, of in squares.items()}
    best = min(total.values())
    variance = max(best / counts[sides].sum(), ROUNDING**2)
    margin = variance * LIKELIER * (CORRELATED if noisy else 1)
    good = [
        mode
        for mode in PREFERENCE
        if mode in total
        and total[mode] <= best + margin
        and (squares[mode][sides] <= limits[mode][sides]).all()
    ]
    named = [mode for mode in good if mode not in (Edge.PLAIN, CONSTANT)]
    if Edge.RENORMALISED in named and len(named) > 1:  # of one weight inside, replicate is the same
        rest = [mode for mode in named if mode != Edge.RENORMALISED]
        alike = all(np.array_equal(squares[Edge.RENORMALISED], squares[mode]) for mode in rest)
        named = rest if alike else named
    if not named:
        return good[0] if good else None
    # One pixel deep, replicate and symmetric are the same.
    several = {"replicate" if radius == 1 and mode == "symmetric" else mode for mode in named}
    return named[0] if len(several) == 1 else None


def _renormalises(found: Recovery) -> bool:
    """Whether the kernel is a mean: one for all, of weights of which none is below 0."""
    kernels = _kernels(found)
    none_below = kernels.min() >= -FAINT * kernels.max() and kernels.any()
    return kernels.shape[:2] == (1, 1) and bool(none_below)


def _copies(pair: Pair) -> bool:
    """Whether a pixel of after can be that of before."""
    return pair.before.shape[2] in (1, pair.after.shape[2]) and pair.before.dtype.kind == "u"


def _kept(pair: Pair, at: tuple[slice, slice]) -> np.ndarray:
    """h x w bool: what tells of the border in a band: a caption does not, but a ring does."""
    kept = np.ones(pair.after[at].shape[:2], bool)
    if pair.outliers is not None and pair.outliers[at].mean() < 0.5:
        kept = ~pair.outliers[at]
    return kept if pair.opaque is None else kept & pair.opaque[at]


def _sides(found: Recovery, pair: Pair) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """The bands, numbered."""
    return enumerate(bands(pair.after.shape, found.size // 2))


def _kept_inner(pair: Pair, number: int, at: tuple[slice, slice], found: Recovery) -> np.ndarray:
    """`_kept` without the corners, which belong to two sides."""
    kept, r = _kept(pair, at), found.size // 2
    if number < 2:
        kept[:, :r] = kept[:, kept.shape[1] - r :] = False
    return kept


def _squares(found: Recovery, pair: Pair, mode: str) -> np.ndarray:
    """Sums of squared errors in the bands along the four sides, in grey levels."""
    squares = []
    lefts = zip(_sides(found, pair), _lefts(found, pair, mode), strict=True)
    for (number, at), left in lefts:
        squares.append((left[_kept_inner(pair, number, at, found)] ** 2).sum())
    return np.array(squares)


def _lefts(found: Recovery, pair: Pair, mode: str) -> Iterator[np.ndarray]:
    """What is left of the bands under a mode, in grey levels; of an exact kernel, ties are not."""
    places = [pair.after[at] // pair.step for _, at in _sides(found, pair)]
    if not found.bit_exact or mode in tuple(Edge) and mode != Edge.RENORMALISED:
        predicted = predicted_bands(found, pair, mode)
        yield from (
            p - after.astype(np.float64) for p, after in zip(predicted, places, strict=True)
        )
        return
    for (values, level), after in zip(_ended_bands(found, pair, mode), places, strict=True):
        left, half = level - after.astype(np.float64), values + 0.5
        yield np.where((np.abs(left) <= 1) & (np.abs(half - np.rint(half)) < TIE), 0, left)


def _plain(found: Recovery, pair: Pair) -> Value | None:
    """The one value, not black, of all pixels whose patch leaves the picture."""
    places = bands(pair.after.shape, found.size // 2)
    ring = np.concatenate([pair.after[at][_kept(pair, at)] for at in places]) // pair.step
    one = len(ring) > 0 and ring[0].any() and (ring == ring[0]).all()
    return _number(ring[0]) if one else None


def _around_all(found: Recovery, pair: Pair, sides: Iterable[int]) -> tuple[Value | None, bool]:
    """The value of the pixels beyond some sides, and whether it is sure; None: they have no weight.

    After one rounding by the interval that each pixel allows; where there is none for all, by the
    level of which most is made, of those beside the likeliest.
    """
    sides = list(sides)
    design, answers = _equations(found, pair, sides)
    value, sure = None, False
    if found.in_one_step:
        known = found.bit_exact or found.in_steps
        off = HALF_A_LEVEL + (OF_ITS_STEPS if known else OF_KERNELS)
        value, sure = _allowed_levels(design, answers, off, found.white)
    if value is not None:
        return value, sure
    certain = CERTAIN * (CORRELATED**0.5 if found.residual > NOISY else 1)
    value, sure = _level(design, answers, found.white, certain)
    if not found.in_one_step or not isinstance(value, float):
        return value, sure

    def left(level: float) -> float:
        return float(_squares(replace(found, padding_value=level), pair, CONSTANT)[sides].sum())

    near = sorted(np.clip(value + np.arange(-BESIDE, BESIDE + 1), 0, found.white).tolist(),
                  key=lambda level: abs(level - value))  # fmt: skip
    return min(near, key=left), sure


def _allowed_levels(
    design: np.ndarray, answers: np.ndarray, off: float, white: int
) -> tuple[Value | None, bool]:
    """The whole levels v with |design @ v - answers| <= off, and whether there are no others.

    One for all B unknowns if there is one; else one for each, where no equation (n x B) has two.
    White is the likely one. None: there are none.
    """
    alone = (design != 0).sum(axis=1) <= 1
    for columns in (design.sum(axis=1, keepdims=True), *([design] if alone.all() else [])):
        ends = [_ends_of(column, answers, off) for column in columns.T]
        low, high = (np.array(end) for end in zip(*ends, strict=True))
        least, most = np.maximum(np.ceil(low), 0), np.minimum(np.floor(high), white)
        if not np.isfinite([low, high]).all() or (least > most).any():
            continue
        near = (most == white) & (most - least <= 2 * WHITE)
        levels = np.where(near, white, np.floor((least + most) / 2))
        return _number(levels), bool((near | (least == most)).all())
    return None, False


def _ends_of(weights: np.ndarray, answers: np.ndarray, off: float) -> tuple[float, float]:
    """Between which numbers v has |weights * v - answers| <= off."""
    seen = weights != 0
    first, second = ((answers[seen] + by) / weights[seen] for by in (-off, off))
    low, high = np.minimum(first, second), np.maximum(first, second)
    return float(low.max(initial=-np.inf)), float(high.min(initial=np.inf))


def _equations(found: Recovery, pair: Pair, sides: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """n x B weights and n numbers: what the values of the pixels beyond some sides must make.

    With W the sum of the weights that fall outside: after = K over inside + value * W + offset.
    """
    r, (height, width, outputs) = found.size // 2, pair.after.shape
    inputs, places = pair.before.shape[2], bands(pair.after.shape, r)
    around = pair.surroundings(r, "zero")
    beyond = np.pad(np.zeros((height, width), np.uint8), r, constant_values=1)
    design, answers = [], []
    for at in (places[side] for side in sides):
        left = pair.after[at] // pair.step - _values(found, _patches(around, at, found.size), pair)
        outside = _patches(beyond, at, found.size).astype(np.float64)
        unclipped = between(pair.after[at], pair.clip)
        unclipped &= _kept(pair, at)[..., None]
        for a, row in enumerate(_inputs(found, outputs, inputs)):
            weights = np.zeros((*left.shape[:2], inputs))
            for b, kernel in row:
                weights[..., b] = correlate_valid(outside, kernel)
            design.append(weights[unclipped[..., a]])
            answers.append(left[..., a][unclipped[..., a]])
    return np.concatenate(design), np.concatenate(answers)


def _level(
    design: np.ndarray, answers: np.ndarray, white: int, certain: float
) -> tuple[Value | None, bool]:
    """The whole levels that solve n x B equations, and whether they are sure.

    One for all B unknowns if that explains them. White is the likely one, so that it may be told
    where noise leaves a little more open.
    """
    solved = []
    for columns in (design.sum(axis=1, keepdims=True), design):
        gram = columns.T @ columns
        if not gram.any() or np.linalg.matrix_rank(gram, hermitian=True) < len(gram):
            continue
        inverse = np.linalg.inv(gram)
        values = inverse @ (columns.T @ answers)
        square = float(((answers - columns @ values) ** 2).mean())
        spread = certain * np.sqrt(square * np.diag(inverse))
        near = (np.abs(values - white) <= spread) & (spread <= WHITE)
        levels = np.where(near, white, np.rint(values)).clip(0, white)
        sure = near | (spread <= 0.5) & (np.abs(levels - values) <= 0.5)
        solved.append((square, levels, bool(sure.all())))
    least = min((square for square, *_ in solved), default=0.0)
    simplest = next((other for other in solved if other[0] <= 1.1 * least + 0.02), None)
    return (None, False) if simplest is None else (_number(simplest[1]), simplest[2])


def _number(values: np.ndarray) -> Value:
    """One number, if all are the same."""
    numbers = tuple(map(float, values))
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _left_out(found: Recovery, pairs: Sequence[Pair]) -> LeftOut:
    """The pixels that something else has changed: the share in all pairs, the mask of the first."""
    radius = found.size // 2
    all_of_them, left, reasons = 0, 0, []
    for pair in pairs:
        whole = inside(pair, radius)
        all_of_them += int(np.count_nonzero(whole))
        if pair.outliers is not None:
            whole &= pair.outliers
            left += int(np.count_nonzero(whole))
            own = [Left.RAN_OVER] if _ran_over(found, pair, whole) else _reasons(pair, whole)
            reasons += [reason for reason in own if reason not in reasons]
    share = left / all_of_them if left else 0.0
    return LeftOut(share, tuple(reasons), pairs[0].outliers if left else None, left)


def _reasons(pair: Pair, left: np.ndarray) -> Iterator[Left]:
    """What those pixels (h x w bool) are: parts of rings along the border, or anything else."""
    copied = pair.same_frame and _copies(pair)
    same = (pair.after == pair.before).all(axis=2) if copied else np.zeros_like(left)
    corners = (pair.after == pair.after[at] for at in ((0, 0), (-1, -1)))
    plain = np.logical_or(*(rings(corner.all(axis=2)) for corner in corners))
    for reason, ring in ((Left.COPIED, rings(same)), (Left.PLAIN, plain)):
        if (left & ring).any():
            yield reason
            left = left & ~ring
    if left.any():
        yield Left.CHANGED


def _ran_over(found: Recovery, pair: Pair, left: np.ndarray) -> bool:
    """Whether those pixels (h x w bool) are, modulo 256, what the kernels make beyond 8 bits."""
    rows, columns = (at[:LOOKED_AT] for at in np.nonzero(left))
    if pair.peak != 255 or found.in_steps or len(rows) == 0:
        return False
    around, size = pair.surroundings(found.size // 2, "replicate"), found.size
    patches = patch_view(around, size)[rows, columns]
    inputs = _inputs(found, pair.after.shape[2], around.shape[2])
    sums = [sum(np.tensordot(patches[:, b], kernel, 2) for b, kernel in row) for row in inputs]
    values = np.stack(sums, axis=-1) + found.offset
    off = np.abs((pair.after[rows, columns] - values + 128) % 256 - 128)
    beyond = (values < -0.5) | (values >= 255.5)
    return bool((beyond.any(axis=1) & (off <= 1).all(axis=1)).mean() > ALL_OF_THEM)


def rings(such: np.ndarray) -> np.ndarray:
    """h x w bool: the rows and columns, from the border inwards, of which every pixel is such."""
    ring = np.zeros_like(such)
    for turn in (np.asarray, np.flipud, np.transpose, lambda picture: np.fliplr(picture).T):
        rows = turn(such)[:WIDEST_RING].all(axis=1)
        turn(ring)[: rows.argmin()] = True  # the first row that is not
    return ring
