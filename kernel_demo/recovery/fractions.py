"""Round numbers: whole numerators over one divisor that reproduce the after picture exactly.

A candidate (see candidates) is believed only when it reproduces every pixel, rounding and clipping
included.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.arithmetic import ORDERS, at_ties
from kernel_demo.recovery.candidates import candidates
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.fitting import Fit
from kernel_demo.recovery.planes import Plane

CHECKED_FIRST = 20_000  # pixels
STRIP = 1_000_000  # pixels of one strip of the full check
# Between two levels the tool goes now up, now down (a vector loop and its scalar rest, say).
UNDECIDED = "undecided ties"


@dataclass(frozen=True, eq=False)
class Fractions:
    """after = rounding(sum numerators * before / divisor + offset), clipped; in grey levels."""

    numerators: np.ndarray  # k x k int64, as the kernel lies
    divisor: int
    offset: float  # grey levels: whole, a half, or a multiple of 1 / divisor
    rounding: Rounding
    arithmetic: str  # "exact", an order of floating-point operations, or UNDECIDED
    pixels: int  # every pixel whose patch lies inside the picture: all are reproduced ...
    undecided: int = 0  # ... but these: between two levels, and the tool took the other one

    @property
    def kernel(self) -> np.ndarray:
        """k x k float64."""
        return self.numerators / self.divisor

    @property
    def offset_of_rounding(self) -> float:
        """The offset for a tool that rounds half up: cutting off is to round half a level less."""
        return self.offset - 0.5 * (self.rounding == Rounding.TRUNCATE)


def find(fit: Fit, planes: list[Plane]) -> Fractions | None:
    """The simplest fractions that reproduce every valid pixel of the planes, or None."""
    moved = [plane.moved(*fit.centre) for plane in planes]
    whole = [plane for plane in moved if min(plane.after.shape) >= fit.core.size]
    if not whole:
        return None
    probe = _Probe.of(whole, fit.core.size)
    for numerators, divisor in candidates(fit):
        for rule in probe.rules(numerators, divisor):
            counts = _reproduced(whole, numerators, divisor, rule)
            if counts:
                return _placed(fit, numerators, divisor, rule, counts)
    return None


@dataclass(frozen=True)
class Rule:
    """How a tool makes a grey level of a sum."""

    offset: float
    rounding: Rounding
    arithmetic: str = "exact"


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
            if plane.opaque is not None:
                seen = plane.opaque[rows, columns]
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

    def rules(self, numerators: np.ndarray, divisor: int) -> Iterator[Rule]:
        """The rules under which the candidate reproduces all of these pixels."""
        total = self.patches @ numerators.ravel()
        open_range = (self.after > 0) & (self.after < self.peak)
        if not open_range.any():
            return
        mean = float((self.after - total / (divisor * self.step))[open_range].mean())
        possible = [
            rule
            for offset, rounding in _simplest(mean, divisor)
            for rule in self._matching(total, numerators, divisor, offset, rounding)
        ]
        yield from sorted(possible, key=lambda rule: rule.arithmetic == UNDECIDED)

    def _matching(self, total, numerators, divisor, offset, rounding) -> Iterator[Rule]:
        level, tie = levels(total, divisor * self.step, offset, rounding, self.peak)
        wrong = level != self.after
        if not wrong.any():
            exact = divisor * self.step == 1 and offset % 1 == 0
            yield Rule(offset, Rounding.NONE if exact else rounding)
        elif not (wrong & ~tie).any():
            patches = self.patches[tie] / self.step
            for arithmetic in ORDERS:
                decided = at_ties(arithmetic, patches, numerators, divisor, offset, rounding)
                if (np.clip(decided, 0, self.peak) == self.after[tie]).all():
                    yield Rule(offset, rounding, arithmetic)
            yield Rule(offset, rounding, UNDECIDED)


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


def levels(total: np.ndarray, divisor: int, offset: float, rounding: Rounding, peak: int):
    """Grey levels of total / divisor + offset, and where it lies on the edge of two levels.

    In float64, without error: twice the value times the divisor is a whole number far below 2**53.
    """
    doubled = 2 * total + 2 * offset * divisor
    if rounding != Rounding.TRUNCATE:
        doubled += divisor
    level = np.floor(doubled / (2 * divisor))
    tie = level * (2 * divisor) == doubled
    if rounding == Rounding.HALF_EVEN:
        level -= tie & (level % 2 == 1)
    return np.clip(level, 0, peak), tie


def _reproduced(planes, numerators, divisor: int, rule: Rule) -> tuple[int, int] | None:
    """The number of valid pixels, and of ties among them that fell otherwise; None if it fails."""
    edge = len(numerators) // 2
    strips = [
        (plane, top, min(top + rows, plane.after.shape[0] - edge))
        for plane in planes
        for rows in [max(1, STRIP // plane.after.shape[1])]
        for top in range(edge, plane.after.shape[0] - edge, rows)
    ]
    pixels = undecided = 0
    with ThreadPoolExecutor(2) as pool:
        for counts in pool.map(lambda strip: _check(*strip, numerators, divisor, rule), strips):
            if counts is None:
                pool.shutdown(cancel_futures=True)
                return None
            pixels, undecided = pixels + counts[0], undecided + counts[1]
    return pixels, undecided


def _check(plane, top, bottom, numerators, divisor, rule) -> tuple[int, int] | None:
    """_reproduced for some rows of one plane."""
    edge = len(numerators) // 2
    before = plane.before[top - edge : bottom + edge]
    after = plane.after[top:bottom, edge : plane.after.shape[1] - edge] // plane.step
    peak = plane.peak // plane.step
    total = np.rint(correlate_valid(before.astype(np.float64), numerators))
    rounding = Rounding.HALF_UP if rule.rounding == Rounding.NONE else rule.rounding
    level, tie = levels(total, divisor * plane.step, rule.offset, rounding, peak)
    if rule.arithmetic in ORDERS and tie.any():
        size = len(numerators)
        patches = sliding_window_view(before, (size, size))[tie].reshape(-1, size * size)
        decided = at_ties(
            rule.arithmetic, patches / plane.step, numerators, divisor, rule.offset, rounding
        )
        level[tie] = np.clip(decided, 0, peak)
    wrong, count = level != after, after.size
    if plane.opaque is not None:
        opaque = plane.opaque[top:bottom, edge : plane.after.shape[1] - edge]
        wrong, count = wrong & opaque, int(np.count_nonzero(opaque))
    if rule.arithmetic != UNDECIDED:
        return None if wrong.any() else (count, 0)
    if (wrong & ~tie).any() or (np.abs(level - after)[wrong] > 1).any():
        return None
    return count, int(np.count_nonzero(wrong))


def _placed(fit: Fit, numerators, divisor: int, rule: Rule, counts: tuple[int, int]) -> Fractions:
    """The fractions as an odd square about the pixel, trimmed to what is not zero."""
    rows, columns = np.nonzero(numerators)
    rows, columns = (
        place - len(numerators) // 2 + centre
        for place, centre in zip((rows, columns), fit.centre, strict=True)
    )
    radius = max(1, int(np.abs(rows).max()), int(np.abs(columns).max()))
    whole = np.zeros((2 * radius + 1, 2 * radius + 1), np.int64)
    whole[rows + radius, columns + radius] = numerators[numerators != 0]
    return Fractions(whole, divisor, rule.offset, rule.rounding, rule.arithmetic, *counts)
