"""Round numbers: whole numerators over one divisor that reproduce the after picture exactly.

A tool's kernel is nearly always some whole numbers over a divisor. Which whole numbers are nearest
to a least-squares kernel, in the metric of the data, is a closest-vector problem; it is answered
for every divisor by Babai's nearest plane (Combinatorica 6, 1986). A candidate is believed only
when it reproduces every pixel, rounding and clipping included.

Over an even divisor that is no power of two (6, 10, 100) one pixel in a few has a sum that ends in
exactly one half. float32 does not see one half there, nor float64: which way it falls depends on
the order of the operations. Each entry of ORDERS is the order of some tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.fitting import Fit, about_pixel, box

CHECKED_FIRST = 20_000  # pixels
STRIP = 1_000_000  # pixels of one strip of the full check
EXACT = "exact"
# Between two levels the tool goes now up, now down (a vector loop and its scalar rest, say).
UNDECIDED = "undecided ties"
DIVISORS = np.array([*range(1, 513), 1000, 1024, 2048, 4096, 10000, 16384, 32768, 65536])
FIXED_POINT = (16, 32, 64, 128, 256, 512, 1024)
FEW = 64  # divisors up to here are tried first, however unlikely
TRIED = 150  # candidates taken to the pixels


@dataclass(frozen=True, eq=False)
class Fractions:
    """after = rounding(sum numerators * before / divisor + offset), clipped; in grey levels."""

    numerators: np.ndarray  # k x k int64, as the kernel lies
    divisor: int
    offset: float  # grey levels: whole, a half, or a multiple of 1 / divisor
    rounding: Rounding
    arithmetic: str = EXACT  # or one of ORDERS, or UNDECIDED
    pixels: int = 0  # every pixel whose patch lies inside the picture: all are reproduced ...
    undecided: int = 0  # ... but these: between two levels, and the tool took the other one

    @property
    def kernel(self) -> np.ndarray:
        """k x k float64."""
        return self.numerators / self.divisor

    @property
    def offset_of_rounding(self) -> float:
        """The offset for a tool that rounds half up: cutting off is to round half a level less."""
        return self.offset - 0.5 * (self.rounding == Rounding.TRUNCATE)

    @property
    def by_half_up(self) -> bool:
        """Whether sums that are rounded half up give the tool's own result, bit for bit."""
        return self.rounding != Rounding.HALF_EVEN and self.arithmetic == EXACT


def find(fit: Fit, planes: list[Plane]) -> Fractions | None:
    """The simplest fractions that reproduce every valid pixel of the planes, or None."""
    moved = [plane.moved(*fit.centre) for plane in planes]
    whole = [plane for plane in moved if min(plane.after.shape) >= fit.core.size]
    if not whole:
        return None
    probe = _Probe.of(whole, fit.core.size)
    for numerators, divisor in candidates(fit):
        for possible in probe.possible(numerators, divisor):
            found = _checked(possible, whole)
            if found:
                support = box(numerators != 0)
                return replace(found, numerators=about_pixel(numerators, support, fit.centre))
    return None


@dataclass(frozen=True, eq=False)
class _Probe:
    """Some pixels of all planes, clipped ones included, with their patches."""

    patches: np.ndarray  # n x k*k float64
    after: np.ndarray  # n, grey levels
    peak: int  # white, in grey levels
    step: int

    @classmethod
    def of(cls, planes: list[Plane], size: int) -> _Probe:
        rng = np.random.default_rng(0)
        edge, patches, after = size // 2, [], []
        for plane in planes:
            height, width = plane.after.shape
            count = min(CHECKED_FIRST // len(planes), (height - 2 * edge) * (width - 2 * edge))
            rows = rng.integers(edge, height - edge, count)
            columns = rng.integers(edge, width - edge, count)
            if plane.counted is not None:
                seen = plane.counted[rows, columns]
                rows, columns = rows[seen], columns[seen]
            windows = sliding_window_view(plane.before, (size, size))
            patches.append(windows[rows - edge, columns - edge].reshape(-1, size * size))
            after.append(plane.after[rows, columns] // plane.step)
        first = planes[0]
        return cls(
            np.concatenate(patches).astype(np.float64),
            np.concatenate(after).astype(np.float64),
            first.peak // first.step,
            first.step,
        )

    def possible(self, numerators: np.ndarray, divisor: int) -> list[Fractions]:
        """With the offsets, roundings and arithmetic that reproduce all of these pixels."""
        total = self.patches @ numerators.ravel()
        open_range = (self.after > 0) & (self.after < self.peak)
        if not open_range.any():
            return []
        mean = float((self.after - total / (divisor * self.step))[open_range].mean())
        found = [
            matching
            for offset, rounding in _simplest(mean, divisor)
            for matching in self._matching(Fractions(numerators, divisor, offset, rounding), total)
        ]
        return sorted(found, key=lambda whole: whole.arithmetic == UNDECIDED)

    def _matching(self, whole: Fractions, total: np.ndarray) -> Iterator[Fractions]:
        level, tie = levels(whole, total, self.step, self.peak)
        wrong = level != self.after
        if not wrong.any():
            exact = whole.divisor * self.step == 1 and whole.offset % 1 == 0
            yield replace(whole, rounding=Rounding.NONE) if exact else whole
        elif not (wrong & ~tie).any():
            patches = self.patches[tie] / self.step
            for arithmetic in ORDERS:
                ordered = replace(whole, arithmetic=arithmetic)
                decided = at_ties(ordered, patches)
                if (np.clip(decided, 0, self.peak) == self.after[tie]).all():
                    yield ordered
            yield replace(whole, arithmetic=UNDECIDED)


def _simplest(mean: float, divisor: int) -> list[tuple[float, Rounding]]:
    """Offsets and roundings that give results `mean` above the bare sums, whole offsets first."""
    found = []
    for rounding, middle in (
        (Rounding.HALF_UP, mean),
        (Rounding.HALF_EVEN, mean),
        (Rounding.TRUNCATE, mean + 0.5),
    ):
        halves = np.arange(np.ceil(2 * (middle - 0.6)), 2 * (middle + 0.6)) / 2 + 0.0
        found += [(float(offset), rounding) for offset in halves]
    found.sort(key=lambda rule: (rule[0] % 1, abs(rule[0] - mean) > 0.55))
    # Division by a multiplication in whole numbers (OpenCV's box) adds some unit of the last place.
    units = np.floor(mean * divisor) + np.arange(-1, 3)
    return found + [(float(unit / divisor), Rounding.HALF_UP) for unit in units]


def levels(whole: Fractions, total: np.ndarray, step: int, peak: int):
    """Grey levels of sums of numerators * before, and where a sum lies on the edge of two levels.

    In float64, without error: twice the value times the divisor is a whole number far below 2**53.
    step: of total, in working units for a grey level.
    """
    divisor = whole.divisor * step
    doubled = 2 * total + 2 * whole.offset * divisor
    if whole.rounding != Rounding.TRUNCATE:
        doubled += divisor
    level = np.floor(doubled / (2 * divisor))
    tie = level * (2 * divisor) == doubled
    if whole.rounding == Rounding.HALF_EVEN:
        level -= tie & (level % 2 == 1)
    return np.clip(level, 0, peak), tie


def _checked(whole: Fractions, planes: list[Plane]) -> Fractions | None:
    """The same with the valid pixels and undecided ties counted. None: it does not hold."""
    edge = len(whole.numerators) // 2
    strips = [
        (plane, top, min(top + rows, plane.after.shape[0] - edge))
        for plane in planes
        for rows in [max(1, STRIP // plane.after.shape[1])]
        for top in range(edge, plane.after.shape[0] - edge, rows)
    ]
    pixels = undecided = 0
    with ThreadPoolExecutor(2) as pool:
        for counts in pool.map(lambda strip: _check(whole, *strip), strips):
            if counts is None:
                pool.shutdown(cancel_futures=True)
                return None
            pixels, undecided = pixels + counts[0], undecided + counts[1]
    return replace(whole, pixels=pixels, undecided=undecided)


def _check(whole: Fractions, plane: Plane, top: int, bottom: int) -> tuple[int, int] | None:
    """The pixels and undecided ties in some rows of one plane. None: a pixel is not reproduced."""
    size, edge = len(whole.numerators), len(whole.numerators) // 2
    before = plane.before[top - edge : bottom + edge]
    after = plane.after[top:bottom, edge : plane.after.shape[1] - edge] // plane.step
    peak = plane.peak // plane.step
    total = np.rint(correlate_valid(before.astype(np.float64), whole.numerators))
    level, tie = levels(whole, total, plane.step, peak)
    if whole.arithmetic in ORDERS and tie.any():
        patches = sliding_window_view(before, (size, size))[tie].reshape(-1, size * size)
        level[tie] = np.clip(at_ties(whole, patches / plane.step), 0, peak)
    wrong, count = level != after, after.size
    if plane.counted is not None:
        counted = plane.counted[top:bottom, edge : plane.after.shape[1] - edge]
        wrong, count = wrong & counted, int(np.count_nonzero(counted))
    if whole.arithmetic != UNDECIDED:
        return None if wrong.any() else (count, 0)
    if (wrong & ~tie).any() or (np.abs(level - after)[wrong] > 1).any():
        return None
    return count, int(np.count_nonzero(wrong))


def candidates(fit: Fit) -> Iterator[tuple[np.ndarray, int]]:
    """Numerators (k x k) and divisor that fit about as well as the best kernel, simplest first."""
    sums, solution = fit.core, fit.core.solve()
    gram = sums.gram - np.outer(sums.patch_sum, sums.patch_sum) / sums.count
    unknowns = len(gram)
    try:
        factor = np.linalg.cholesky(gram + 1e-13 * np.trace(gram) * np.eye(unknowns)).T
    except np.linalg.LinAlgError:
        return
    best = solution.kernel.ravel()
    whole = nearest_plane(factor, best[:, None] * DIVISORS)
    separable, squares = _separable(solution.kernel)
    whole = np.concatenate([whole, separable], axis=1)
    divisors = np.concatenate([DIVISORS, squares])
    # What a wrong kernel adds to the squared error, against what chance adds (chi-squared with
    # `unknowns` degrees of freedom). Over a small divisor the rounding errors are few values that
    # go with the picture, not noise: the limit is wide, and the likely ones come first.
    added = ((factor @ (whole / divisors - best[:, None])) ** 2).sum(0)
    noise = max(solution.residual**2, fit.floor**2 / 4)
    chance = noise * (unknowns + 10 * (2 * unknowns) ** 0.5)
    possible = np.flatnonzero((added <= 100 * chance) & whole.any(axis=0))
    tried = 0
    unlikely = (divisors[possible] > FEW) & (added[possible] > 2 * chance)
    order = np.lexsort((divisors[possible], unlikely, divisors[possible] > FEW))
    for column in possible[order]:
        numerators, divisor = whole[:, column], int(divisors[column])
        if gcd(divisor, *map(int, numerators)) > 1:
            continue
        yield numerators.reshape(sums.size, sums.size), divisor
        tried += 1
        if tried == TRIED:
            return


def _separable(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Candidates column times row in fixed point, as OpenCV's Gaussian (n / 256 each): k*k x n."""
    left, values, right = np.linalg.svd(kernel)
    column, row = left[:, 0], right[0]
    if len(values) < 2 or values[1] > 0.02 * values[0] or abs(column.sum() * row.sum()) < 0.1:
        return np.zeros((kernel.size, 0), np.int64), np.zeros(0, np.int64)
    column, row = (axis / axis.sum() * np.sqrt(abs(kernel.sum())) for axis in (column, row))
    products = [
        np.outer(np.rint(column * n), np.rint(row * n)).ravel() * np.sign(kernel.sum())
        for n in FIXED_POINT
    ]
    return np.stack(products, axis=1).astype(np.int64), np.array(FIXED_POINT) ** 2


def nearest_plane(factor: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Whole vectors z (columns) for which |factor (z - goal)| is small; factor upper triangular."""
    whole = np.zeros(goals.shape)
    target = factor @ goals
    for row in reversed(range(len(factor))):
        rest = target[row] - factor[row, row + 1 :] @ whole[row + 1 :]
        whole[row] = np.rint(rest / factor[row, row])
    return whole.astype(np.int64)


def _by_rows(patches, numerators, divisor, start, upwards):
    """Each row's products summed, then the rows: Pillow's Filter.c, from the lowest row upwards."""
    size, real = len(numerators), np.float32
    weights = numerators.astype(real) / real(divisor)
    patches = patches.astype(real).reshape(-1, size, size)
    total = np.full(len(patches), start, real)
    for row in range(size - 1, -1, -1) if upwards else range(size):
        part = patches[:, row, 0] * weights[row, 0]
        for column in range(1, size):
            part = part + patches[:, row, column] * weights[row, column]
        total = total + part
    return total


def _one_by_one(patches, numerators, divisor, start, real, wide, backwards=False):
    """Product after product. wide: the type that holds a product until it is added (FMA units)."""
    weights = (numerators / divisor).astype(real).ravel()
    total = np.full(len(patches), start, real)
    places = np.flatnonzero(weights)
    for place in places[::-1] if backwards else places:
        product = patches[:, place].astype(wide) * wide(weights[place])
        total = (total.astype(wide) + product).astype(real)
    return total


def _reciprocal(patches, numerators, divisor, start, real):
    """The whole sum times 1 / divisor: ffmpeg's vf_convolution.c."""
    total = (patches.astype(np.float64) @ numerators.ravel()).astype(real)
    return total * (real(1) / real(divisor)) + real(start)


_SINGLE, _DOUBLE = np.float32, np.float64
ORDERS: dict[str, Callable] = {
    "float32, rows upwards": partial(_by_rows, upwards=True),
    "float32, rows downwards": partial(_by_rows, upwards=False),
    "float32, one by one": partial(_one_by_one, real=_SINGLE, wide=_SINGLE),
    "float32, fused": partial(_one_by_one, real=_SINGLE, wide=_DOUBLE),
    "float32, times reciprocal": partial(_reciprocal, real=_SINGLE),
    "float64, one by one": partial(_one_by_one, real=_DOUBLE, wide=_DOUBLE),
    "float64, backwards": partial(_one_by_one, real=_DOUBLE, wide=_DOUBLE, backwards=True),
    "float64, times reciprocal": partial(_reciprocal, real=_DOUBLE),
}
# Many tools start from offset and half; with SciPy and in this project the half comes last.
HALF_LAST = ", half last"
ORDERS |= {f"{name}{HALF_LAST}": order for name, order in ORDERS.items()}


def at_ties(whole: Fractions, patches: np.ndarray) -> np.ndarray:
    """Grey levels (not clipped) of n x k*k patches, by the operations of ORDERS.

    HALF_UP adds the half; HALF_EVEN rounds the sum, TRUNCATE cuts it off.
    """
    half, last = 0.5 * (whole.rounding == Rounding.HALF_UP), whole.arithmetic.endswith(HALF_LAST)
    start = whole.offset + half * (not last)
    total = ORDERS[whole.arithmetic](patches, whole.numerators, whole.divisor, start)
    if last:
        total = total + total.dtype.type(half)
    return np.rint(total) if whole.rounding == Rounding.HALF_EVEN else np.floor(total)
