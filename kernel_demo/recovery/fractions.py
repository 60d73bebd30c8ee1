"""Round numbers: whole numerators over one divisor that reproduce the after picture exactly.

A tool's kernel is nearly always some whole numbers over a divisor. One of the candidates is
believed only when it reproduces every pixel, rounding and clipping included, and when no other one
would (uniqueness). A few pixels that something else has changed are counted out: those lie anywhere
beyond their level's interval, whereas a kernel that is nearly right misses by next to nothing.

Over an even divisor that is no power of two (6, 10, 100) one pixel in a few has a sum that ends in
exactly one half. float32 does not see one half there, nor float64: which way it falls depends on
the order of the operations. Each entry of ORDERS is the order of some tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import gcd
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Plane, between, distinct, places
from kernel_demo.recovery.candidates import candidates
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.fitting import Fit, about_pixel, box
from kernel_demo.recovery.linear_program import maximise
from kernel_demo.recovery.uniqueness import Evidence

Ends: TypeAlias = Sequence[np.ndarray | int]  # low and high, for all pixels or each
Real: TypeAlias = type[np.floating[Any]]  # float32 or float64
SINGULAR = 1e-3  # grey levels: what changes a result by no more may be any size
CHECKED_FIRST, FIRST = 20_000, 1_000  # pixels; the first of all
STRIP = 1_000_000  # pixels of one strip of the full check
EXACT = "exact"
# Between two levels the tool goes now up, now down (a vector loop and its scalar rest, say).
UNDECIDED = "undecided ties"
CHANGED = 1e-3  # pixels that may be counted out, as a share of those that are not clipped
# Grey levels by which those lie beyond their level's interval. A kernel over a wrong divisor that
# misses one pixel in a thousand is wrong by that much of a level: so far do its misses lie off.
GROSS, GROSS_EACH, SINGLE = 0.1, 0.02, 3  # the median; each, where there are no more than SINGLE
# A tie in a hundred that falls otherwise is a changed pixel; more are the tool's own way.
ODD_TIES = 0.01
# Ties for each weight that show whether a nearby kernel decides them; and of what guessing gets
# wrong, the share that is left where one does: 0 to 0.41 in some 25 pairs where there was one, 0.84
# to 1.23 in 55 where the order of a tool's operations decided.
TIES_EACH, GUESSED = 6, 0.75
FAR = 1e6  # weights a tie's patch may be compared by


@dataclass(frozen=True, eq=False)
class Fractions:
    """after = rounding(sum numerators * before / divisor + offset), clipped; in grey levels."""

    numerators: np.ndarray  # k x k int64, as the kernel lies
    divisor: int
    offset: float  # grey levels: whole, a half, or a multiple of 1 / divisor
    rounding: Rounding
    arithmetic: str = EXACT  # or one of ORDERS, or UNDECIDED
    pixels: int = 0  # every counted pixel whose patch lies inside the picture, but left_out
    undecided: int = 0  # of these: between two levels, and the tool took the other one
    left_out: int = 0  # pixels that something else has changed
    # By how much a weight may be off before any result is another one, where sums are whole numbers
    # and lie in the middle of their level: standard deviation of even odds up to there.
    hidden: float = 0.0

    @property
    def kernel(self) -> np.ndarray:
        """k x k float64."""
        return self.numerators / self.divisor

    @property
    def offset_of_rounding(self) -> float:
        """The offset for a tool that rounds half up: cutting off is to round half a level less."""
        return self.offset - 0.5 * (self.rounding == Rounding.TRUNCATE)

    @property
    def same_offsets(self) -> tuple[float, float]:
        """From which offset on, and up to which, sums of 8-bit levels are rounded half up alike.

        They are multiples of u = gcd(numerators) / divisor: those of one cell of u, about halves.
        """
        unit = Fraction(gcd(*map(int, self.numerators.ravel())), self.divisor)
        half = Fraction(1, 2)
        cell = (Fraction(self.offset).limit_denominator(10**6) + half) // unit * unit - half
        return float(cell), float(cell + unit)

    @property
    def by_half_up(self) -> bool:
        """Whether sums that are rounded half up give the tool's own result, bit for bit."""
        return self.rounding != Rounding.HALF_EVEN and self.arithmetic == EXACT


def find(fit: Fit, planes: list[Plane]) -> Fractions | None:
    """The simplest fractions that reproduce the valid pixels of the planes, and the only ones.

    None: there are none, or the pixels do not tell them from others. Fractions with pixels left
    out come after all that need none left out.
    """
    moved = [plane.moved(*fit.centre) for plane in planes]
    whole = [plane for plane in moved if min(plane.after.shape) >= fit.core.size]
    if not whole:
        return None
    probe = _Probe.of(whole, fit.core.size)
    evidence = Evidence.of(probe.patches, probe.after, probe.clip, probe.step)
    if evidence is None:
        return None
    best = _best(fit, whole, probe, evidence)
    if best is None:
        return None
    numerators = about_pixel(best.numerators, box(best.numerators != 0), fit.centre)
    hidden = _hidden(whole, fit.core.size) if best.divisor == 1 else 0.0
    return replace(best, numerators=numerators, hidden=hidden)


def _hidden(planes: list[Plane], size: int) -> float:
    """By how much a weight of whole numbers may be off before any result is another one.

    By itself: half a level over the brightest pixel. With others: half a level over the largest
    result of any direction of X'X, as in smooth pictures a blur changes nothing. Of even odds up to
    there, the standard deviation is 3^-0.5 of that. A single weight is set against its neighbours
    as well, where the pictures have any.
    """
    wide = [plane for plane in planes if min(plane.after.shape) > max(size, 3)]
    probe = _Probe.of(wide, max(size, 3)) if wide else _Probe.of(planes, size)
    inside = between(probe.after, probe.clip)
    patches = probe.patches[inside] / probe.step
    alone = max(float(plane.before.max()) for plane in planes) / planes[0].step
    _, directions = np.linalg.eigh(patches.T @ patches)
    largest = np.abs(patches @ directions).max(axis=0, initial=SINGULAR)
    together = (np.abs(directions).max(axis=0) / largest).max()
    return float(max(1 / max(alone, 1.0), together)) / 2 / 3**0.5


def _best(fit: Fit, planes: list[Plane], probe: _Probe, evidence: Evidence) -> Fractions | None:
    best, changed = None, CHANGED
    for candidate in candidates(fit):
        fitting = probe.possible(candidate.numerators, candidate.divisor, changed)
        told = fitting and evidence.pins(candidate, fitting[0].offset_of_rounding)
        for possible in fitting if told else ():
            # Ties that go now up, now down leave a multiple of the kernel no room at all.
            loose = possible.arithmetic == UNDECIDED and not evidence.tight(
                candidate, possible.offset_of_rounding
            )
            if loose or (best is not None and _rank(possible) >= _rank(best)):
                continue
            found = _checked(possible, planes, changed)
            if found and (best is None or _rank(found) < _rank(best)):
                # What others leave out as well need not be looked for among all pixels.
                best, probe, changed = found, probe.beside(found, planes), 0
        if best is not None and _rank(best) == (False, False):
            return best
    return best


def _rank(whole: Fractions) -> tuple[bool, bool]:
    """Lower is believed sooner."""
    return whole.left_out > 0, whole.arithmetic == UNDECIDED


def disobeying(whole: Fractions, plane: Plane) -> np.ndarray:
    """H x W bool: the counted pixels of a plane that something else has changed (left_out)."""
    mask = np.zeros(plane.after.shape, bool)
    edge = len(whole.numerators) // 2
    for _, top, bottom in _strips([plane], edge):
        changed = _compared(whole, plane, top, bottom)[0]
        mask[top:bottom, edge : plane.after.shape[1] - edge] = changed
    return mask


@dataclass(frozen=True, eq=False)
class _Probe:
    """Some pixels of all planes, clipped ones included, with their patches."""

    patches: np.ndarray  # n x k*k float64
    after: np.ndarray  # n float64, grey levels
    clip: tuple[np.ndarray, np.ndarray]  # n each, grey levels: where after is cut off
    step: int

    @classmethod
    def of(cls, planes: list[Plane], size: int) -> _Probe:
        rng = np.random.default_rng(0)
        edge, parts = size // 2, []
        for plane in planes:
            height, width = (side - 2 * edge for side in plane.after.shape)
            rows, columns = places(height, width, CHECKED_FIRST // len(planes), rng)
            if plane.counted is not None:
                seen = plane.counted[rows + edge, columns + edge]
                rows, columns = rows[seen], columns[seen]
            parts.append(cls._at(plane, size, rows, columns))
        return cls._joined(parts)

    @classmethod
    def _at(cls, plane: Plane, size: int, rows: np.ndarray, columns: np.ndarray) -> _Probe:
        """Of the patches that begin in these rows and columns."""
        patches = sliding_window_view(plane.before, (size, size))[rows, columns]
        after = plane.after[rows + size // 2, columns + size // 2] // plane.step
        low, high = (np.full(len(rows), float(end)) for end in _clip(plane))
        patches = patches.reshape(len(rows), size * size).astype(float)
        return cls(patches, after.astype(float), (low, high), plane.step)

    @classmethod
    def _joined(cls, parts: list[_Probe]) -> _Probe:
        patches, after = (
            np.concatenate([getattr(p, f) for p in parts]) for f in ("patches", "after")
        )
        low, high = (np.concatenate(ends) for ends in zip(*(p.clip for p in parts), strict=True))
        return cls(patches, after, (low, high), parts[0].step)

    def beside(self, whole: Fractions, planes: list[Plane]) -> _Probe:
        """First of all the pixels that these fractions leave out."""
        if not whole.left_out:
            return self
        size, parts = len(whole.numerators), []
        for plane in planes:
            rows, columns = np.nonzero(disobeying(whole, plane))
            parts.append(self._at(plane, size, rows - size // 2, columns - size // 2))
        return self._joined([*parts, self])

    def possible(self, numerators: np.ndarray, divisor: int, changed: float) -> list[Fractions]:
        """With the offsets, roundings and arithmetic that reproduce these pixels.

        changed: the share of the picture's pixels that may be left out.
        """
        total = self.patches @ numerators.ravel()
        open_range = between(self.after, self.clip)
        if not open_range.any():
            return []
        left = (self.after - total / (divisor * self.step))[open_range]
        # Rounding spreads the rest over one level; what lies farther off has been changed.
        mean = float(left[np.abs(left - np.median(left)) <= 1].mean())
        exact = divisor * self.step == 1
        found: list[Fractions] = []
        for offset, rounding in _simplest(mean, divisor):
            none = exact and offset % 1 == 0
            whole = Fractions(numerators, divisor, offset, Rounding.NONE if none else rounding)
            if self._holds(whole, total, slice(FIRST), changed) and (
                misses := self._holds(whole, total, slice(None), changed)
            ):
                found += self._decided(whole, total, misses, changed)
        return sorted(found, key=_rank)

    def _holds(
        self, whole: Fractions, total: np.ndarray, rows: slice, changed: float
    ) -> _Misses | None:
        """The pixels that miss, where they are few, ties aside."""
        low, high = self.clip
        clip = low[rows], high[rows]
        _, misses = _misses(whole, total[rows], self.after[rows], clip, self.step)
        # A sample may hold more of them than the picture does: by five standard deviations.
        most = changed * misses.inside + 5 * (changed * misses.inside) ** 0.5
        excess = np.concatenate([*misses.excess, np.zeros(0)])
        near = len(excess) > SINGLE and np.median(excess) <= GROSS
        return None if near or len(excess) > most else misses

    def _decided(
        self, whole: Fractions, total: np.ndarray, misses: _Misses, changed: float
    ) -> Iterator[Fractions]:
        """The same with each arithmetic that decides the ties about as the tool does."""
        whole = replace(whole, left_out=sum(map(len, misses.excess)))
        few = changed and ODD_TIES * misses.ties + SINGLE
        if misses.odd <= few:
            yield replace(whole, left_out=whole.left_out + misses.odd)
        if misses.odd and whole.divisor > 1:
            tie = np.flatnonzero(levels(whole, total, self.step, self.clip)[1])[:FIRST]
            patches, clip = self.patches[tie] / self.step, [end[tie] for end in self.clip]
            for arithmetic in ORDERS:
                ordered = replace(whole, arithmetic=arithmetic)
                decided = np.clip(at_ties(ordered, patches), *clip)
                if np.count_nonzero(decided != self.after[tie]) <= few:
                    yield ordered
            # Over a power of two sums are exact: it leaves no tie undecided.
            inexact = whole.offset % 0.5 == 0 and whole.divisor & (whole.divisor - 1)
            if inexact and not self._decided_by_another(whole, total):
                yield replace(whole, arithmetic=UNDECIDED)

    def _decided_by_another(self, whole: Fractions, total: np.ndarray) -> bool:
        """Whether a kernel near these fractions decides their ties as the tool does, or might.

        That kernel then makes what these fractions leave open: they are not the tool's.
        """
        tie = levels(whole, total, self.step, self.clip)[1]
        tie = np.flatnonzero(tie & between(self.after, self.clip))
        tie = tie[distinct(self.patches[tie])]
        patches = np.c_[self.patches[tie], np.ones(len(tie))]
        if len(patches) < TIES_EACH * patches.shape[1]:
            return True
        value = total[tie] / (whole.divisor * self.step) + whole.offset_of_rounding
        upwards = np.sign(self.after[tie] - value)
        return _foreseen(patches, upwards) or _separable(patches, upwards)


def _foreseen(patches: np.ndarray, upwards: np.ndarray) -> bool:
    """Whether least squares of half of the ties foresees most of the others."""
    halves, wrong = (slice(0, None, 2), slice(1, None, 2)), 0
    for known, tried in (halves, halves[::-1]):
        difference = np.linalg.lstsq(patches[known], upwards[known])[0]
        mistaken = (patches[tried] @ difference > 0) != (upwards[tried] > 0)
        wrong += int(np.count_nonzero(mistaken))
    return bool(wrong < GUESSED * min(np.count_nonzero(upwards > 0), np.count_nonzero(upwards < 0)))


def _separable(patches: np.ndarray, upwards: np.ndarray) -> bool:
    """Whether some difference d has upwards * (patches @ d) > 0 for every tie.

    By the most of t where t - 1 <= upwards * (patches @ d): without, no more than 1.
    """
    rows = np.c_[-upwards[:, None] * patches / patches.max(), np.ones(len(patches))][:FIRST]
    goal = np.append(np.zeros(patches.shape[1]), 1.0)
    return bool(maximise(goal, rows, np.ones(len(rows)), FAR, 0.01).point[-1] > 1 + SINGULAR)


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


def levels(
    whole: Fractions, total: np.ndarray, step: int, clip: Ends
) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels of sums of numerators * before, and where a sum lies on the edge of two levels.

    In float64, without error: twice the value times the divisor is a whole number far below 2**53.
    step: of total, in working units for a grey level. clip: low and high, in grey levels.
    """
    divisor = whole.divisor * step
    doubled = 2 * total + 2 * whole.offset * divisor
    if whole.rounding != Rounding.TRUNCATE:
        doubled += divisor
    level = np.floor(doubled / (2 * divisor))
    tie = level * (2 * divisor) == doubled
    if whole.rounding == Rounding.HALF_EVEN:
        level -= tie & (level % 2 == 1)
    low, high = clip
    return np.clip(level, low, high), tie


@dataclass(frozen=True, eq=False)
class _Misses:
    """The pixels that fractions do not reproduce, counted."""

    pixels: int = 0  # of all
    inside: int = 0  # ... between the clip levels
    excess: tuple[np.ndarray, ...] = ()  # of those that miss: grey levels beyond their interval
    ties: int = 0  # pixels between two levels
    odd: int = 0  # ... that took the other one

    def __add__(self, other: _Misses) -> _Misses:
        return _Misses(*(getattr(self, f) + getattr(other, f) for f in vars(self)))

    def told(self, whole: Fractions, changed: float) -> Fractions | None:
        """The fractions with these counts. None: they do not hold but for changed pixels.

        changed: the largest share of pixels that may be.
        """
        undecided = whole.arithmetic == UNDECIDED
        few = self.odd <= ODD_TIES * self.ties
        # The other way nearly always is another rule, not the lack of one.
        if undecided == few or (undecided and self.odd > (1 - ODD_TIES) * self.ties):
            return None
        excess = np.concatenate([*self.excess, np.zeros(0)])
        left_out = len(excess) + (0 if undecided else self.odd)
        if left_out > changed * self.inside or not _gross(excess):
            return None
        odd, pixels = self.odd if undecided else 0, self.pixels - left_out
        return replace(whole, pixels=pixels, undecided=odd, left_out=left_out)


def _gross(excess: np.ndarray) -> bool:
    """Whether misses lie as far off as pixels that have nothing to do with the kernel."""
    if len(excess) <= SINGLE:
        return bool((excess > GROSS_EACH).all())
    return bool(np.median(excess) > GROSS)


def _misses(
    whole: Fractions,
    total: np.ndarray,
    after: np.ndarray,
    clip: Ends,
    step: int,
    patches: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, _Misses]:
    """The mask of the pixels that something has changed, and the counts.

    total: sums of numerators * before; after, clip: in grey levels; patches: gives those of the
    pixels of a mask, n x k*k.
    """
    level, tie = levels(whole, total, step, clip)
    if patches and whole.arithmetic in ORDERS and tie.any():
        low, high = (np.broadcast_to(end, level.shape)[tie] for end in clip)
        level[tie] = np.clip(at_ties(whole, patches(tie) / step), low, high)
    wrong = level != after
    inside = int(np.count_nonzero(between(after, clip)))
    pixels, ties = after.size, int(np.count_nonzero(tie))
    if not wrong.any():
        return wrong, _Misses(pixels, inside, (), ties)
    odd = wrong & tie & (np.abs(level - after) <= 1)
    changed = wrong & ~odd
    low, high = (np.broadcast_to(end, level.shape)[changed] for end in clip)
    value = total[changed] / (whole.divisor * step) + whole.offset_of_rounding
    excess = np.abs(np.clip(value, low, high) - after[changed]) - 0.5
    counts = _Misses(pixels, inside, (excess,), ties, int(np.count_nonzero(odd)))
    return changed if whole.arithmetic == UNDECIDED else wrong, counts


def _checked(whole: Fractions, planes: list[Plane], changed: float) -> Fractions | None:
    """The same with all valid pixels counted. None: it does not hold.

    changed: the share of pixels that may be left out.
    """
    most = changed * sum(plane.after.size for plane in planes)
    total, misses = _Misses(), 0
    with ThreadPoolExecutor(2) as pool:
        strips = _strips(planes, len(whole.numerators) // 2)
        for _, counts in pool.map(lambda strip: _compared(whole, *strip), strips):
            total += counts
            misses += sum(map(len, counts.excess))
            if misses > most:
                pool.shutdown(cancel_futures=True)
                return None
    return total.told(whole, changed)


def _strips(planes: list[Plane], edge: int) -> list[tuple[Plane, int, int]]:
    """Each plane with some of its rows, first and last, whose patches lie inside."""
    return [
        (plane, top, min(top + rows, plane.after.shape[0] - edge))
        for plane in planes
        if min(plane.after.shape) > 2 * edge
        for rows in [max(1, STRIP // plane.after.shape[1])]
        for top in range(edge, plane.after.shape[0] - edge, rows)
    ]


def _compared(whole: Fractions, plane: Plane, top: int, bottom: int) -> tuple[np.ndarray, _Misses]:
    """As _misses, of some rows of a plane, where the patches lie inside."""
    size, edge = len(whole.numerators), len(whole.numerators) // 2
    inner = np.s_[top:bottom, edge : plane.after.shape[1] - edge]
    before = plane.before[top - edge : bottom + edge]
    after = plane.after[inner] if plane.step == 1 else plane.after[inner] // plane.step
    total = np.rint(correlate_valid(before.astype(np.float64), whole.numerators))
    counted = None if plane.counted is None else plane.counted[inner]
    if counted is not None:
        total, after = total[counted], after[counted]

    def patches(tie: np.ndarray) -> np.ndarray:
        windows = sliding_window_view(before, (size, size))
        windows = windows if counted is None else windows[counted]
        return windows[tie].reshape(-1, size * size)

    changed, counts = _misses(whole, total, after, _clip(plane), plane.step, patches)
    if counted is not None:
        mask = np.zeros(counted.shape, bool)
        mask[counted] = changed
        changed = mask
    return changed, counts


def _clip(plane: Plane) -> tuple[int, int]:
    """The levels at which after is cut off, in grey levels."""
    low, high = plane.clip
    return low // plane.step, high // plane.step


def _by_rows(
    patches: np.ndarray, numerators: np.ndarray, divisor: int, start: float, upwards: bool
) -> np.ndarray:
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


def _one_by_one(
    patches: np.ndarray,
    numerators: np.ndarray,
    divisor: int,
    start: float,
    real: Real,
    wide: Real,
    backwards: bool = False,
) -> np.ndarray:
    """Product after product. wide: the type that holds a product until it is added (FMA units)."""
    weights = (numerators / divisor).astype(real).ravel()
    total: np.ndarray = np.full(len(patches), start, real)
    places = np.flatnonzero(weights)
    for place in places[::-1] if backwards else places:
        product = patches[:, place].astype(wide) * wide(weights[place])
        total = (total.astype(wide) + product).astype(real)
    return total


def _reciprocal(
    patches: np.ndarray, numerators: np.ndarray, divisor: int, start: float, real: Real
) -> np.ndarray:
    """The whole sum times 1 / divisor: ffmpeg's vf_convolution.c."""
    total = (patches.astype(np.float64) @ numerators.ravel()).astype(real)
    return total * (real(1) / real(divisor)) + real(start)


_SINGLE, _DOUBLE = np.float32, np.float64
ORDERS: dict[str, Callable[..., np.ndarray]] = {
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
