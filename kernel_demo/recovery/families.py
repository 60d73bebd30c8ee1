"""Filters of a few parameters, as tools make them: found by their parameters, to the last digit.

Blurs and sharpenings of one rounding, and those of tools that round after each of several passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import cv2
import numpy as np

from kernel_demo.imaging.kernels import MAX_SIZE, resized
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery import separable
from kernel_demo.recovery.alignment import Plane, between, sample, sums
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.formulas import (
    DEEP,
    FORMULAS,
    by_boxes,
    by_gaussian,
    by_magick_blur,
    by_pillow_box,
    by_pillow_gaussian,
    by_pillow_unsharp,
    remade,
    scipy_size,
)
from kernel_demo.recovery.passes import Family, Pass, Way, inner, kept, large_enough, off, share
from kernel_demo.recovery.separable import NEAR

# Pixels to look for a way by, first and then; for its bars; to count what it makes.
FEW, FIRST, BARS_BY, PIXELS = 10_000, 40_000, 300_000, 2_000_000
SIZES = np.geomspace(0.25, 8, 26)  # of a sigma or radius, to begin with
ANGLES = np.arange(0.0, 181.0, 5.0)
STEPS = 20  # by which a dip is narrowed down to 1e-4 of its width
PERCENT, TURNS = 4, 4  # by which least squares may err; of finding it and the radius in turn
ODD_PIXELS = 1e-4  # share of them that a round number may miss more
EXACTLY = 0.9999  # share of the pixels that a tool's own arithmetic makes, at least
PROMISING = 0.9  # share of the pixels: two lines that make fewer were not made so
NEARLY_ALL = 0.99  # ... and are not told
FEWER = 0.2  # of the pixels that one rounding misses: several miss no more
BAR, LEAST_BAR = 0.05, 1e-8  # of the largest weight: wider bars tell nothing; tools' last digit
# Kernels that are so much off (of the largest weight) must miss so many pixels, or the picture does
# not tell the family from its like.
UNLIKE, UNLIKE_WHOLE, RIVALS, MISSED = 0.005, 0.02, 8, 20
SMALLEST, FAINT, STRONG = 0.4, 0.01, 20  # sigma; amounts of an unsharp mask
BARS = 5  # that truth is off, at most
LIKELY = 3  # sizes of a family that are tried
BOXES, TIMES = (3, 5, 7), (2, 3)  # sizes of squares whose mean is taken again
WHOLE = ("size", "times")  # parameters that have no fractions


@dataclass(frozen=True, eq=False)
class Found:
    """A way that makes the file."""

    way: Way
    share: float  # of the pixels that count and whose patch lies inside
    standard_error: np.ndarray  # like way.kernel
    errors: dict[str, float]  # of way.parameters


# Their parameters ---------------------------------------------------------------------------------


def fitted(
    way: Callable[[float], Way], tiles: Sequence[Plane], ends: tuple[float, float] | None = None
) -> Way:
    """The member of a family that leaves least, in the roundest number that leaves no more.

    ends: between which numbers, of one dip; None: all of SIZES.
    """
    few = sample(list(tiles), FEW)
    sizes = [] if ends else [size for size in SIZES if max(way(size).reach) <= MAX_SIZE // 2]
    low, high = ends or _dip(lambda size: off(way(size), few), sizes)
    value = _smallest(lambda size: off(way(size), tiles), low, high)
    return _rounded(way, value, tiles)


def _rounded(way: Callable[[float], Way], value: float, tiles: Sequence[Plane]) -> Way:
    """The member of the roundest number that leaves no more."""
    allowed = off(way(value), tiles) + ODD_PIXELS
    numbers = (float(np.round(value, digits)) for digits in range(5))
    return next((w for r in numbers if r > 0 and off(w := way(r), tiles) <= allowed), way(value))


def _dip(
    value: Callable[[float], float], sizes: Sequence[float] | np.ndarray
) -> tuple[float, float]:
    """Between which of some sizes a function is least."""
    best = int(np.argmin([value(size) for size in sizes]))
    return float(sizes[max(best - 1, 0)]), float(sizes[min(best + 1, len(sizes) - 1)])


def _smallest(value: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of one dip is least: the golden section (Kiefer 1953)."""
    ratio = (5**0.5 - 1) / 2
    at = [high - ratio * (high - low), low + ratio * (high - low)]
    found = [value(x) for x in at]
    for _ in range(STEPS):
        if found[0] <= found[1]:
            high, at = at[1], [at[1] - ratio * (at[1] - low), at[0]]
            found = [value(at[0]), found[0]]
        else:
            low, at = at[0], [at[1], at[0] + ratio * (high - at[0])]
            found = [found[1], value(at[1])]
    return float(at[int(found[1] < found[0])])


def _gaussian_like(lines: Way, tiles: Sequence[Plane]) -> Way:
    """The sampled Gaussian nearest to what a way makes, in its two passes."""
    few = sample(list(tiles), FEW)
    largest = max(one.weights.size for one in lines.passes)
    first = fitted(lambda sigma: by_gaussian(sigma, lines, largest), few).parameters["sigma"]
    near = 0.97 * first, 1.03 * first

    def left(size: int) -> float:
        sigma = _smallest(lambda sigma: off(by_gaussian(sigma, lines, size), few), *near)
        return off(by_gaussian(sigma, lines, size), few)

    size = min({*range(3, largest + 1, 2), scipy_size(first)}, key=left)
    return fitted(lambda sigma: by_gaussian(sigma, lines, size), tiles, near)


def _sharpened(tiles: Sequence[Plane]) -> Way:
    """Pillow's unsharp mask of the radius and per cent that leave least."""
    way = fitted(lambda r: by_pillow_unsharp(r, _percent(by_pillow_gaussian(r), tiles)), tiles)
    for _ in range(TURNS):
        radius, percent = way.parameters.values()
        # What is cut off bends the per cent of least squares.
        near = (by_pillow_unsharp(radius, percent + more) for more in range(-PERCENT, PERCENT + 1))
        best = min(near, key=lambda one: off(one, tiles)).parameters["percent"]
        ends = 0.97 * radius, 1.03 * radius
        way = fitted(partial(by_pillow_unsharp, percent=best), tiles, ends)
        if best == percent:
            break
    return way


def _percent(blur: Way, tiles: Sequence[Plane]) -> int:
    """By least squares: after - before = percent (before - blurred) / 100, where that is seen."""
    both, detail = 0.0, 1e-9
    for tile in large_enough(blur, tiles):
        own, after = (inner(p, *blur.reach).astype(np.float64) for p in (tile.before, tile.after))
        chosen = kept(tile, *blur.reach) & between(after, tile.clip)
        less = (own - blur.made(tile.before))[chosen]
        both, detail = both + float(less @ (after - own)[chosen]), detail + float(less @ less)
    return int(round(100 * both / detail))


def _of_one_rounding(kernel: np.ndarray, offset: float, tiles: Sequence[Plane]) -> Iterator[Way]:
    """Kernels of a formula that are nearest in the metric of the data, cut off or rounded.

    With a linear parameter a: K = base + a part, a = part' (X'y - G base) / part' G part.
    """
    total = sums([tile.unclipped() for tile in tiles], min(len(kernel) + 4, MAX_SIZE))
    if total is None:
        return
    middle = kernel[len(kernel) // 2, len(kernel) // 2]
    if abs(kernel.sum()) < NEAR * np.abs(kernel).max():
        choices = [(Family.LOG, SIZES)]
    elif abs(kernel.sum() - 1) > NEAR:
        return
    else:
        choices = [(Family.UNSHARP, SIZES)] if middle > 1 else [(Family.GAUSSIAN, SIZES)]
        if middle <= 1 and np.count_nonzero(np.abs(kernel) > NEAR) < kernel.size / 2:
            choices.append((Family.MOTION, ANGLES))
    for family, numbers in choices:
        sizes = range(3, total.size + 1, 2)
        found = [_nearest(family, numbers, total.shrink(size)) for size in sizes]
        found.sort(key=lambda one: one[0])
        for (_, figures), passes in product(found[:LIKELY], _endings(offset)):
            first = replace(passes[0], weights=FORMULAS[family](figures))
            yield _in_round_numbers(Way((first, *passes[1:]), None, family, figures), tiles)


def _in_round_numbers(way: Way, tiles: Sequence[Plane]) -> Way:
    """The same with each parameter as round as the pixels allow."""
    for name in (name for name in way.parameters if name not in WHOLE):

        def other(value: float, name: str = name, way: Way = way) -> Way:
            return remade(way, way.parameters | {name: value})

        way = _rounded(other, way.parameters[name], tiles)
    return way


def _nearest(
    family: Family, numbers: Sequence[float] | np.ndarray, total: Statistics
) -> tuple[float, dict[str, float]]:
    """(squares left, parameters) of the member of one size that is nearest."""
    gram, cross, _ = (np.asarray(part, np.float64) for part in total.centred)
    linear = {Family.UNSHARP: "amount", Family.LOG: "gain"}.get(family)
    first = "angle" if family == Family.MOTION else "sigma"

    def member(value: float) -> dict[str, float]:
        figures = {first: value, "size": total.size}
        if linear is None:
            return figures
        base, whole = (FORMULAS[family](figures | {linear: a}).ravel() for a in (0.0, 1.0))
        part = whole - base
        scale = part @ (cross - gram @ base) / max(float(part @ gram @ part), 1e-12)
        return figures | {linear: float(scale)}

    def left(value: float) -> float:
        flat = FORMULAS[family](member(value)).ravel()
        return float(flat @ gram @ flat - 2 * flat @ cross)

    value = _smallest(left, *_dip(left, numbers))
    return left(value) + float(cross @ np.linalg.lstsq(gram, cross, rcond=1e-12)[0]), member(value)


def _endings(offset: float) -> list[tuple[Pass, ...]]:
    """How one rounding is done, by the offset for sums that are rounded half up."""
    bare, whole = np.ones((1, 1)), float(np.rint(offset))
    if abs(offset - whole) < 0.25:
        return [(Pass(bare, offset=whole),)]
    whole = float(np.rint(offset + 0.5))
    last = Pass(bare, Rounding.TRUNCATE)
    return [
        (Pass(bare, Rounding.TRUNCATE, offset=whole),),
        (Pass(bare, finer=DEEP, offset=whole), last),
    ]


# The way of a pair --------------------------------------------------------------------------------


def find(
    kernel: np.ndarray, offset: float, planes: Sequence[Plane], by_kernel: float
) -> Found | None:
    """The family, or the passes, with which a tool made the planes. None: none is known.

    kernel: k x k, that of least squares, and its offset in grey levels. planes: of 8 bits.
    by_kernel: the share of the pixels that the kernel makes which would be told without this.
    """
    tiles, whole = sample(list(planes), FIRST), sample(list(planes), PIXELS)
    for way in _tried(kernel, offset, tiles, by_kernel):
        if not _told_by_its_numbers(way):
            continue
        free = way.roundings > 1 and way.family in (None, Family.GAUSSIAN)
        # Whole numbers chosen for a line are off by more than bars tell, or make every pixel.
        chosen = way.family is None and separable.near_by_chance(way)
        least = NEARLY_ALL if free and not chosen else EXACTLY
        seen = share(way, tiles)
        if seen < least or not _needs_its_roundings(way, seen, by_kernel, tiles):
            continue
        seen = share(way, whole)
        if seen < max(least, by_kernel) or not _unlike_others(way, tiles):
            continue
        found = _with_bars(way, seen, sample(list(planes), BARS_BY))
        if found is not None:
            return found
    return None


def _told_by_its_numbers(way: Way) -> bool:
    """Whether the parameters are such that another filter is not the same.

    A Gaussian of a small sigma is an identity with faint neighbours, and one that is wide for its
    size a box. Below 100 per cent a difference of 1 is cut off to nothing, as by a threshold.
    """
    if way.percent is not None and way.percent < 100:
        return False
    sigma, size = way.parameters.get("sigma", 1.0), way.parameters.get("size", 9)
    amount = way.parameters.get("amount", 1.0)
    return SMALLEST < sigma < size / 2 and FAINT < amount < STRONG


def _needs_its_roundings(way: Way, seen: float, by_kernel: float, tiles: Sequence[Plane]) -> bool:
    """Whether neither the kernel that was found nor the way's own, rounded once, does nearly so."""
    if way.roundings == 1:
        return True
    at_once = share(Way((Pass(way.kernel, offset=way.offset),)), tiles)
    once = max(by_kernel, at_once)
    return once < seen and 1 - seen <= FEWER * (1 - once)


def _tried(
    kernel: np.ndarray, offset: float, tiles: Sequence[Plane], by_kernel: float
) -> Iterator[Way]:
    """Ways that may be, the likeliest first."""
    yield from _of_one_rounding(kernel, offset, tiles)
    middle = len(kernel) // 2
    if by_kernel >= EXACTLY:
        return
    if kernel[middle, middle] > 1 and abs(kernel.sum() - 1) < NEAR:
        yield _sharpened(tiles)
        return
    lines = separable.two_lines(kernel, tiles)
    if lines is None:
        return
    seen = share(lines, tiles)
    if seen >= PROMISING:
        yield from _along_lines(lines, seen, tiles)
    else:
        yield from (by_boxes(*each) for each in product(BOXES, TIMES))
        yield fitted(by_pillow_gaussian, tiles)
    if abs(offset - np.rint(offset)) > 0.25:  # cut off to 8 bits
        yield fitted(by_magick_blur, tiles)


def _along_lines(lines: Way, seen: float, tiles: Sequence[Plane]) -> Iterator[Way]:
    """Ways of a family that make as many pixels as two free lines, and these."""
    inside = [one.weights[one.weights > NEAR][1:-1] for one in lines.passes]
    flat = all(len(part) and np.ptp(part) < NEAR for part in inside)
    named = fitted(by_pillow_box, tiles) if flat else _gaussian_like(lines, tiles)
    if share(named, tiles) >= seen:
        yield named
    yield lines


def by_opencv(kernel: np.ndarray, planes: Sequence[Plane]) -> Found | None:
    """cv2.GaussianBlur of 8 bits, whose lines are n / 256, where it makes the planes.

    kernel: k x k, which is exact. Several sigmas have the same lines: the roundest is told.
    """
    size, middle = len(kernel), len(kernel) // 2
    line = kernel.sum(axis=0)
    if line[middle] <= 0 or not 0 < line[middle - 1] < line[middle]:
        return None
    near = (-0.5 / math.log(line[middle - 1] / line[middle])) ** 0.5
    tiles = sample(list(planes), PIXELS)
    by_default = 0.3 * ((size - 1) / 2 - 1) + 0.8
    for sigma in (by_default, *(round(near, digits) for digits in range(4))):
        if sigma > 0 and all(_blurred_by_opencv(tile, size, sigma) for tile in tiles):
            figures = {"sigma": sigma, "size": size}
            way = Way((Pass(kernel),), None, Family.OPENCV_GAUSSIAN, figures)
            return Found(way, 1.0, np.zeros(kernel.shape), {})
    return None


def _blurred_by_opencv(tile: Plane, size: int, sigma: float) -> bool:
    """Whether cv2.GaussianBlur makes every pixel that counts and whose patch lies inside."""
    reach = size // 2, size // 2
    made = inner(cv2.GaussianBlur(np.ascontiguousarray(tile.before), (size, size), sigma), *reach)
    return bool((made == inner(tile.after, *reach))[kept(tile, *reach)].all())


def _unlike(way: Way) -> float:
    """By how much of its largest weight another kernel is off that a picture must tell from it.

    Whole numbers over a small divisor are as far from the half as they can be: what is a little off
    makes the same pixels. They are told sooner, with bars to suit.
    """
    simple = way.family == Family.BOXES or (
        way.family in (None, Family.PILLOW_BOX) and separable.in_whole_numbers(way)
    )
    return UNLIKE_WHOLE if simple else UNLIKE


def _unlike_others(way: Way, tiles: Sequence[Plane]) -> bool:
    """Whether the picture tells the kernel from others that are UNLIKE of its largest weight off.

    In a smooth picture all of them make the same pixels.
    """
    first, *rest = way.passes
    rng, (own, pixels) = np.random.default_rng(0), _missed(way, tiles)
    for number in range(RIVALS):
        change = rng.normal(size=first.weights.shape)
        if number % 2:  # one that is as symmetric as most kernels are
            change = change + change[::-1] + change[:, ::-1] + change[::-1, ::-1]
        change = (change - change.mean()) * (first.weights != 0)
        change *= _unlike(way) * np.abs(first.weights).max() / np.abs(change).max()
        other = replace(way, passes=(replace(first, weights=first.weights + change), *rest))
        if _missed(other, tiles)[0] < own + MISSED:
            return False
    return pixels > MISSED


def _missed(way: Way, tiles: Sequence[Plane]) -> tuple[int, int]:
    pixels = sum(inner(tile.after, *way.reach).size for tile in large_enough(way, tiles))
    return round((1 - share(way, tiles)) * pixels), pixels


def _with_bars(way: Way, seen: float, tiles: Sequence[Plane]) -> Found | None:
    """The way with bars of least squares in its own few numbers. None: they tell too little.

    Of a kernel K(p): cov p = v (J' G J)^-1 and cov K = J cov p J', with J = dK / dp, G the Gram
    matrix of the patches, and v what K leaves without regard to the roundings between.
    """
    kernel = way.kernel
    total = sums([tile.unclipped() for tile in tiles], len(kernel))
    if total is None:
        return None
    names = [name for name in way.parameters if name not in WHOLE]
    slopes = separable.slopes(way) if way.family is None else _slopes(way, names)
    gram, cross, energy = (np.asarray(part, np.float64) for part in total.centred)
    flat = kernel.ravel()
    left = float(energy - 2 * flat @ cross + flat @ gram @ flat) / total.count
    spread = left * np.linalg.pinv(slopes.T @ gram @ slopes, rcond=1e-12, hermitian=True)
    bars = np.sqrt(np.einsum("ip,pq,iq->i", slopes, spread, slopes).clip(0))
    # Lines in whole numbers that make every pixel were not bent by its rounding.
    if way.family is None and not (seen >= EXACTLY and separable.in_whole_numbers(way)):
        apart = separable.bent(way, tiles).ravel()
        bars *= np.max(apart[bars > 0] / bars[bars > 0], initial=1.0)
    if bars.max() > BAR * np.abs(kernel).max():
        return None
    least = _unlike(way) / BARS * np.abs(flat).max() if _unlike(way) > UNLIKE else LEAST_BAR
    told = slopes.any(axis=1) | (flat != 0)
    bars = np.where(told, np.maximum(bars, least), 0).reshape(kernel.shape)
    errors = zip(names, np.sqrt(np.diag(spread).clip(0)).tolist(), strict=False)
    return Found(way, seen, bars, dict(errors))


def _slopes(way: Way, names: Sequence[str]) -> np.ndarray:
    """k^2 x p: the change of the kernel with each parameter."""
    found, side = [], len(way.kernel)
    for name in names:
        value = way.parameters[name]
        step = 1e-3 * max(abs(value), 1.0)
        up, down = (
            resized(remade(way, way.parameters | {name: value + by}).kernel, side)
            for by in (step, -step)
        )
        found.append((up - down).ravel() / (2 * step))
    return np.stack(found, axis=1) if found else np.zeros((side**2, 1))
