"""A line along rows and one along columns, with whole levels between.

Where it is known which comes first, what it rounded off is known as well:
e = round(first * before) - first * before. So

    after - second * e = second * first * before + one rounding,

and each line is a matter of least squares, given the other. The prediction of a pixel is far surer
than a weight (with k weights from n pixels it errs by (k / 12 n)^0.5 grey levels RMS), so that
hardly any e is wrong from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.kernels import MAX_SIZE, resized
from kernel_demo.recovery.alignment import Plane, between
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.passes import Pass, Way, filtered, inner, kept, large_enough, share

SEPARABLE = 0.1  # of the largest singular value: more is no column times a row
BEYOND = 4  # weights that a line may have more than the kernel: small ones, which were not seen
STEPS = 2  # of fitting both lines in turn
DIVISORS, NEAR = (*range(1, 65), 100, 128, 256), 0.004  # of lines in whole numbers
WHOLE, FEW = 3, 32  # such lines that are tried; divisors that are simple
NEARLY = 1e-5  # of a unit: Pillow's are over 2^24
CHANCE = 0.05  # of lines that are near to whole numbers, at most, where these prove something


def two_lines(kernel: np.ndarray, tiles: Sequence[Plane]) -> Way | None:
    """The way along rows and columns that makes most of the tiles' pixels; None: K is no product.

    kernel: k x k, that of least squares.
    """
    size = min(len(kernel) + BEYOND, MAX_SIZE)
    left, values, right = np.linalg.svd(resized(kernel, size))
    if values[1] > SEPARABLE * values[0]:
        return None
    column, row = left[:, 0] * values[0], right[0]
    tried = []
    for across, rule in product((True, False), (Rounding.HALF_UP, Rounding.TRUNCATE)):
        first, second = (row, column) if across else (column, row)
        total = first.sum()  # the levels between are those of a picture: its sum is 1
        if abs(total) < NEAR:
            continue
        seen = tiles if across else [_turned(tile) for tile in tiles]
        lines = _Lines(first / total, second * total, 0.0, rule).fitted(seen)
        tried += [(share(way, tiles), way) for way in lines.ways(seen, across)]
    # Of those that make as many, the last one tried, which is the simplest.
    return max(reversed(tried), key=lambda one: one[0], default=(0, None))[1]


def bent(way: Way, tiles: Sequence[Plane]) -> np.ndarray:
    """k x k: how far off lines are that are fitted to the very picture that they make.

    Where lines are whole numbers over a small divisor, errors of rounding follow the picture.
    """
    (down, right), own = way.reach, []
    for tile in large_enough(way, tiles):
        after = tile.after.copy()
        inner(after, down, right)[:] = way.made(tile.before)
        own.append(replace(tile, after=after))
    across = way.passes[0].weights.shape[0] == 1
    first, second = (one.weights.ravel() for one in way.passes)
    lines = _Lines(first, second, way.passes[1].offset, way.passes[0].rounding)
    again = lines.fitted(own if across else [_turned(tile) for tile in own]).way(across)
    return np.abs(again.kernel - way.kernel)


def in_whole_numbers(way: Way) -> bool:
    """Whether each line is whole numbers over one of FEW divisors."""
    lines = (one.weights[..., None] * np.arange(1, FEW + 1) for one in way.passes)
    return all((np.abs(line - np.rint(line)).max(axis=(0, 1)) < NEARLY).any() for line in lines)


def near_by_chance(way: Way) -> bool:
    """Whether a line is whole numbers over so large a divisor that any line is near to some.

    A weight is within NEAR of n / d with probability 2 d NEAR; the last one is what the sum says.
    """
    for line in (one.weights.ravel() for one in way.passes):
        for divisor in DIVISORS:
            if np.abs(line * divisor - np.rint(line * divisor)).max() < NEARLY:
                chance = min(1.0, 2 * divisor * NEAR) ** (np.count_nonzero(line) - 1)
                if chance > CHANCE:
                    return True
                break
    return False


def slopes(way: Way) -> np.ndarray:
    """k^2 x p: the change of the kernel with each weight of the two lines."""
    found = []
    for number, one in enumerate(way.passes):
        for at in np.flatnonzero(one.weights):
            unit = np.zeros(one.weights.size)
            unit[at] = 1
            passes = list(way.passes)
            passes[number] = replace(one, weights=unit.reshape(one.weights.shape))
            found.append(Way(tuple(passes)).kernel.ravel())
    return np.stack(found, axis=1)


def _turned(tile: Plane) -> Plane:
    counted = None if tile.counted is None else np.ascontiguousarray(tile.counted.T)
    before, after = (np.ascontiguousarray(part.T) for part in (tile.before, tile.after))
    return replace(tile, before=before, after=after, counted=counted, chosen=None)


@dataclass(frozen=True, eq=False)
class _Lines:
    """A line along rows and, of its whole levels, one along columns."""

    first: np.ndarray
    second: np.ndarray
    offset: float  # after both, for sums that are rounded half up
    rounding: Rounding  # of the first

    def fitted(self, tiles: Sequence[Plane]) -> _Lines:
        """The same with both lines by least squares, in turn."""
        lines = self
        for _ in range(STEPS):
            lines = lines._with_second(tiles)._with_first(tiles)
        return lines

    def ways(self, tiles: Sequence[Plane], across: bool) -> Iterator[Way]:
        """These two lines, and others near by in whole numbers."""
        yield self._with_second(tiles).way(across)
        rules = [self.rounding, *[Rounding.HALF_EVEN] * (self.rounding == Rounding.HALF_UP)]
        for first, rule in product(_in_whole_numbers(self.first, 1.0), rules):
            fitted = replace(self, first=first, rounding=rule)._with_second(tiles)
            yield fitted.way(across)
            for second in _in_whole_numbers(fitted.second, float(self.second.sum())):
                whole = replace(fitted, second=second, offset=float(np.rint(fitted.offset)))
                yield whole.way(across, rule)

    def way(self, across: bool, rule: Rounding = Rounding.HALF_UP) -> Way:
        """In two passes, rows first or columns first; by which rule the second rounds."""
        row, column = self.first[None], self.second[:, None]
        if not across:
            row, column = row.T, column.T
        return Way((Pass(row, self.rounding), Pass(column, rule, offset=self.offset)))

    def _between(self, tile: Plane) -> tuple[np.ndarray, np.ndarray]:
        """The whole levels between, and by how much they are off."""
        exact = filtered(tile.before.astype(np.float64), self.first[None])
        whole = np.clip(Pass(self.first[None], self.rounding).whole(exact), 0, 255)
        return whole, whole - exact

    def _goal(self, tile: Plane) -> tuple[np.ndarray, np.ndarray]:
        """After, and which of its pixels are fitted to."""
        reach = len(self.second) // 2, len(self.first) // 2
        after = inner(tile.after, *reach).astype(np.float64)
        return after, between(after, tile.clip) & kept(tile, *reach)

    def _with_second(self, tiles: Sequence[Plane]) -> _Lines:
        """The same with the second line and the offset by least squares."""
        parts = []
        for tile in tiles:
            after, chosen = self._goal(tile)
            windows = sliding_window_view(self._between(tile)[0], len(self.second), axis=0)
            rows = windows[chosen]
            parts.append((np.c_[rows, np.ones(len(rows))], after[chosen]))
        solved = _solved(parts)
        return replace(self, second=solved[:-1], offset=float(solved[-1]))

    def _with_first(self, tiles: Sequence[Plane]) -> _Lines:
        """The same with the first line by least squares, given what it rounded off."""
        parts, column = [], self.second[:, None]
        for tile in tiles:
            after, chosen = self._goal(tile)
            off = filtered(self._between(tile)[1], column)
            seen = filtered(tile.before.astype(np.float64), column)
            rows = sliding_window_view(seen, len(self.first), axis=1)[chosen]
            parts.append((rows, (after - off)[chosen] - self.offset))
        return replace(self, first=_solved(parts))


def _solved(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Least squares of (rows, goal)s; zeros where all was cut off."""
    gram = sum(rows.T @ rows for rows, _ in parts)
    cross = sum(rows.T @ goal for rows, goal in parts)
    if not np.any(gram):
        return np.zeros(np.shape(cross))
    return np.linalg.solve(gram + 1e-12 * np.trace(gram) * np.eye(len(gram)), cross)


def _in_whole_numbers(line: np.ndarray, total: float) -> list[np.ndarray]:
    """The simplest lines near by that are whole numbers over a divisor, of that sum."""
    found: list[np.ndarray] = []
    for divisor in DIVISORS:
        near = np.rint(line * divisor) / divisor
        close = np.abs(near - line).max() <= NEAR and abs(near.sum() - total) < NEAR
        if close and not any(np.array_equal(near, other) for other in found):
            found.append(near)
    return found[:WHOLE]
