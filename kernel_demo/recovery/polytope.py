"""All kernels with which one rounding makes a pair: bounds that are no estimates.

Where after = round(K * before + o), every pixel says |after - K * before - o| <= 1/2 + e, with e
what the tool's arithmetic may err by; one that was cut off says so to one side. Together they are
a polytope in the weights and the offset (set-membership estimation: Fogel and Huang, Automatica 18,
1982; Walter and Piet-Lahanier, Mathematics and Computers in Simulation 32, 1990):

- its middle, the kernel whose largest residual is smallest (Chebyshev's fit), is far nearer to the
  truth than least squares: the pixels nearest to their limits tell more than all others together;
- where that smallest residual is above 1/2 + e, no kernel of this size made the pair;
- the least and the most of each weight are guaranteed: no kernel beyond them made the pair.

Only some of the pixels are taken, and the nearest of their constraints. Fewer constraints leave a
larger set, so that its extent still holds, and a smallest residual that is no larger, so that what
it disproves is disproved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kernel_demo.imaging.filtering import patch_view
from kernel_demo.recovery.alignment import Plane, distinct, sample
from kernel_demo.recovery.linear_program import maximise

PIXELS = 300_000  # of all planes
CHUNK = 16_384  # pixels looked at together
# So many patches tell whether many are repeated: below the share that differ, each is taken once,
# of those that have so many values together.
FEW, OFTEN, VALUES = 2_000, 0.8, 10_000_000
SUMMED = 40_000  # pixels that say how far the set can reach at all
SINGULAR = 1e-12  # of the largest energy: a combination of weights with less is open
ROUNDING = 0.5
# Grey levels that any tool's arithmetic may err by; and what a sum in float32 may, as a share of
# the root of the number of its products. Twice what OpenCV's did, from 3 x 3 to 31 x 31.
LEAST, SINGLE = 1e-3, 2 * 2.0**-24
# Constraints of a linear program, for each unknown. For the smallest residual: the largest, and as
# many as SPREAD by chance of BAND times as many; and the largest that a solution breaks.
NEAREST, LARGEST, SPREAD, BAND, BROKEN = 20, 2, 6, 30, 4
FIRST = 12  # of those that a solution breaks, that are broken first
ROUNDS = 12  # of adding them
CLOSE, TIGHT = 1e-4, 0.01  # grey levels of the smallest residual; share of a weight's extent
CLOSEST = 1e-7  # of a scale: 3e-5 grey levels
# Unknowns: for which each weight's own extent is worked out (11 x 11), and any are (15 x 15).
WIDEST, MOST = 125, 230


@dataclass(frozen=True, eq=False)
class Chebyshev:
    """The kernel whose largest residual is smallest."""

    kernel: np.ndarray  # k x k, or inputs x k x k
    offset: float  # grey levels
    largest: float  # of its residuals, in grey levels
    least: float  # no kernel of this size has a smaller one: proved

    @property
    def known(self) -> bool:
        """Whether these are the same number, to CLOSE."""
        return self.largest - self.least <= CLOSE


@dataclass(frozen=True, eq=False)
class Interval:
    """Between which numbers the weights lie: no kernel with one outside made the pair."""

    low: np.ndarray
    high: np.ndarray
    tight: bool = True  # these are the ends of the set itself; else of one around it
    # Far inside the set: the mean of the kernels at its ends, and of their offsets; None: not tight
    centre: np.ndarray | None = None
    centre_offset: float = 0.0  # grey levels

    def hold_alone(self, numerators: np.ndarray, divisor: int) -> bool:
        """Whether this is the only kernel of whole numbers between, over its divisor or a smaller.

        False: it is not between, or there are others, or there might be.
        """
        kernel = numerators / divisor
        for d in range(1, divisor + 1):
            least, most = np.ceil(self.low * d), np.floor(self.high * d)
            one = np.array_equal(least, most) and (least * divisor == numerators * d).all()
            if not one and (least <= most).all():
                return False
        return bool(((self.low <= kernel) & (kernel <= self.high)).all())


@dataclass(frozen=True, eq=False)
class Polytope:
    """The kernels of a shape with which one rounding makes some planes."""

    tiles: tuple[Plane, ...]  # before is H x W, or H x W x inputs
    free: np.ndarray  # k x k, or inputs x k x k bool: the weights that may differ from 0

    @classmethod
    def of(cls, planes: Sequence[Plane], free: np.ndarray) -> Polytope:
        """By some pixels of the planes, copied: they keep no picture alive."""
        tiles = sample(list(planes), PIXELS)
        return cls(tuple(map(_copied, tiles)), free)

    @cached_property
    def middle(self) -> Chebyshev | None:
        """The kernel whose largest residual is smallest. None: too few pixels, or too large."""
        pixels = _Pixels.of(self.tiles, self.free)
        return None if pixels is None else _middle(pixels, self.free)

    def middle_within(self, bound: float) -> Chebyshev | None:
        """The middle, if its largest residual is below `bound`; else None, once that is known."""
        pixels = _Pixels.of(self.tiles, self.free)
        found = None if pixels is None else _middle(pixels, self.free, bound)
        return found if found is not None and found.largest < bound else None

    def left_by(self, kernel: np.ndarray) -> float | None:
        """The largest residual of a kernel of this shape with the offset that suits it best.

        In grey levels. None: too few pixels.
        """
        largest = self._largest(kernel)
        return None if largest is None else largest(1.0)

    def best_multiple(self, kernel: np.ndarray, near: float) -> tuple[float, float] | None:
        """The multiple of a kernel, near this one, whose largest residual is least; and that.

        As left_by().
        """
        largest = self._largest(kernel)
        if largest is None:
            return None
        low, high = 0.9 * near, 1.1 * near
        while abs(high - low) > CLOSEST * abs(near):
            third = (high - low) / 3
            if largest(low + third) < largest(high - third):
                high -= third
            else:
                low += third
        scale = (low + high) / 2
        return scale, largest(scale)

    def _largest(self, kernel: np.ndarray) -> Callable[[float], float] | None:
        """By the scale of a kernel, the largest residual; it is convex. None: too few pixels."""
        pixels = _Pixels.of(self.tiles, self.free)
        if pixels is None:
            return None
        before, made = pixels.after, pixels.after - pixels.left(np.append(kernel[self.free], 0.0))

        def largest(scale: float) -> float:
            left = before - scale * made
            most, least = left[pixels.bounded[0]], left[pixels.bounded[1]]
            return float(most.max() - least.min()) / 2

        return largest

    def interval(
        self, bound: float, until: float = np.inf, middle: Chebyshev | None = None
    ) -> Interval | None:
        """The least and the most of each weight, of all kernels with residuals of at most `bound`.

        until: when to stop, by time.monotonic(): what is not known by then is told as far as the
        squared residuals let it reach. middle: where it is known already.
        None: there is no such kernel, or no `middle`.
        """
        inside = middle or self.middle
        if inside is None or inside.largest >= bound:
            return None
        pixels = _Pixels.of(self.tiles, self.free)
        return None if pixels is None else _interval(pixels, self.free, bound, inside, until)

    def room(self, bound: float, middle: Chebyshev, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Half of the way that the largest weights of the middle have, as `interval` has it.

        `number` of them at most: where they are in the flat kernel, and so much each.
        """
        values = np.abs(np.where(self.free, middle.kernel, 0)).ravel()
        open_to = np.flatnonzero(self.free)
        each = np.argsort(-values[open_to], kind="stable")[:number]
        pixels = _Pixels.of(self.tiles, self.free)
        if pixels is None or pixels.open:
            return open_to[each], np.full(len(each), np.inf)
        weights = np.append(middle.kernel[self.free], middle.offset)
        fall, rise, *_ = _extent(pixels, bound, weights, np.inf, each)
        return open_to[each], (fall + rise) / 2

    def offsets(self, bound: float) -> tuple[float, float] | None:
        """The least and the most offset of all kernels with residuals of at most `bound`.

        In grey levels. None: there is no such kernel, or it is not known.
        """
        pixels, middle = _Pixels.of(self.tiles, self.free), self.middle
        if pixels is None or middle is None or pixels.open or middle.largest >= bound:
            return None
        weights = np.append(middle.kernel[self.free], middle.offset)
        fall, rise, *_ = _extent(pixels, bound, weights, np.inf, np.array([len(weights) - 1]))
        return float(middle.offset - fall[0]), float(middle.offset + rise[0])


def _copied(tile: Plane) -> Plane:
    counted = None if tile.counted is None else tile.counted.copy()
    return replace(tile, before=tile.before.copy(), after=tile.after.copy(), counted=counted)


def allowed(kernel: np.ndarray, offset: float, white: float) -> float:
    """1/2 + e: what one rounding and the arithmetic before it leave at most, in grey levels.

    A sum of m products in float32 errs by some m^0.5 2^-24 of the sum of their absolute values
    (Higham and Mary, SIAM J. Sci. Comput. 41, 2019). Fixed point before it only moves the offset:
    floor((floor(x) + a) / n) = floor((x + a) / n) for whole a and n.
    """
    magnitude = float(np.abs(kernel).sum()) * white + abs(offset)
    return ROUNDING + max(LEAST, SINGLE * kernel.size**0.5 * magnitude)


def _middle(pixels: _Pixels, free: np.ndarray, enough: float = np.inf) -> Chebyshev:
    """By linear programs for some constraints, to which those that a solution breaks are added.

    enough: above which the smallest residual need not be known.
    """
    unknowns = pixels.basis.shape[1]
    point = best = np.zeros(unknowns)
    excess = pixels.excess(point)
    largest, least = float(excess.max()), 0.0
    reach, chosen = np.hypot(pixels.radius(largest), largest), _spread(excess, unknowns)
    for _ in range(ROUNDS):
        # How far the bound of the chosen can be lowered from `start` is the last of the point.
        start = 1.05 * max(float(excess[chosen].max()), CLOSE)
        slopes = np.c_[pixels.slopes(chosen), np.ones(len(chosen))]
        goal = np.append(np.zeros(unknowns), 1.0)
        radius = reach + start + float(np.linalg.norm(point))
        found = maximise(goal, slopes, start - excess[chosen], radius, CLOSE / 10)
        least = max(least, float(start - found.bound))
        point = point + found.point[:-1]
        excess = pixels.excess(point)
        if excess.max() < largest:
            largest, best = float(excess.max()), point
        if largest - least <= CLOSE or least >= enough:
            break
        broken = _smallest(-excess, BROKEN * unknowns)
        chosen = np.union1d(chosen, broken[excess[broken] > least])
    weights = pixels.weights(best)
    # Weights that are open might, if they were huge, change a result after all.
    least = 0.0 if pixels.open else least
    return Chebyshev(_filled(free, weights[:-1]), float(weights[-1]), largest, least)


def _filled(free: np.ndarray, values: np.ndarray) -> np.ndarray:
    found = np.zeros(free.shape)
    found[free] = values
    return found


def _interval(
    pixels: _Pixels, free: np.ndarray, bound: float, inside: Chebyshev, until: float
) -> Interval:
    weights = np.append(inside.kernel[free], inside.offset)
    if pixels.open:
        wide = _filled(free, np.full(len(weights) - 1, np.inf))
        return Interval(-wide, wide, tight=False)
    away = pixels.radius(bound) * np.linalg.norm(pixels.basis[:-1], axis=1)
    low, high, tight = pixels.middle[:-1] - away, pixels.middle[:-1] + away, False
    if len(weights) > WIDEST:
        return Interval(_filled(free, low), _filled(free, high), tight)
    each = np.arange(len(weights) - 1)
    down, up, tight, centre = _extent(pixels, bound, weights, until, each)
    low, high = np.maximum(low, weights[:-1] - down), np.minimum(high, weights[:-1] + up)
    low, high = _filled(free, low), _filled(free, high)
    if not tight:
        return Interval(low, high, tight)
    return Interval(low, high, tight, _filled(free, centre[:-1]), float(centre[-1]))


@dataclass(frozen=True, eq=False)
class _Pixels:
    """Patches, what is after them, and where kernels can lie.

    A kernel (its weights and the offset: m + 1 numbers) is a `point` z: middle + basis @ z.
    Of n pixels there are 2 n constraints: residuals, and what they are below 0.
    """

    patches: np.ndarray  # n x m, working units: what the free weights see
    after: np.ndarray  # n float64, grey levels
    bounded: np.ndarray  # 2 x n bool: not where after was cut off
    step: int  # working units for a grey level
    middle: np.ndarray  # m + 1: least squares of some pixels
    basis: np.ndarray  # (m + 1) x r: z of length 1 adds 1 to the squared residuals of these ...
    summed: int  # ... of which there are so many ...
    squares: float  # ... and whose squared residuals about the middle add up to this
    open: bool  # some combination changes no result: r < m + 1

    @classmethod
    def of(cls, tiles: Sequence[Plane], free: np.ndarray) -> _Pixels | None:
        """Those that count, their patch inside. None: too few, or none or too many are free."""
        parts = [_taken(tile, free) for tile in tiles if min(tile.after.shape) >= free.shape[-1]]
        if not parts or not 0 < np.count_nonzero(free) < MOST:
            return None
        patches, after, bounded = _different(*map(np.concatenate, zip(*parts, strict=True)))
        inside = np.random.default_rng(0).permutation(np.flatnonzero(bounded.all(axis=1)))[:SUMMED]
        if len(inside) <= patches.shape[1] + 1:
            return None
        step = tiles[0].step
        rows = np.c_[patches[inside] / step, np.ones(len(inside))]
        # The offset in the size of the pixels, or it would be lost beside those of 16 bits.
        scale = np.append(np.ones(patches.shape[1]), max(float(rows.max()), 1.0))
        values, vectors = np.linalg.eigh(rows.T @ rows * np.outer(scale, scale))
        known = values > SINGULAR * values[-1]
        basis = scale[:, None] * vectors[:, known] / np.sqrt(values[known])
        middle = basis @ (basis.T @ (rows.T @ after[inside]))
        middle += basis @ (basis.T @ (rows.T @ (after[inside] - rows @ middle)))  # refined once
        left = after[inside] - rows @ middle
        summed = len(inside), float(left @ left), not known.all()
        return cls(patches, after, bounded.T, step, middle, basis, *summed)

    def weights(self, point: np.ndarray) -> np.ndarray:
        """m + 1: the weights and the offset."""
        return self.middle + self.basis @ point

    def point(self, weights: np.ndarray) -> np.ndarray:
        """r: the opposite, where nothing is open."""
        return np.linalg.lstsq(self.basis, weights - self.middle)[0]

    def radius(self, bound: float) -> float:
        """No point with residuals of at most `bound` is longer.

        |rows (w - middle)|^2 = |after - rows w|^2 - |after - rows middle|^2.
        """
        return max(self.summed * bound**2 - self.squares, 0.0) ** 0.5

    def excess(self, point: np.ndarray) -> np.ndarray:
        """2 n: what is to be at most the bound; -inf where there is none."""
        left = self.left(self.weights(point))
        return np.where(self.bounded, [left, -left], -np.inf).ravel()

    def left(self, weights: np.ndarray) -> np.ndarray:
        """n: the residuals of m + 1 weights, in grey levels."""
        left = np.empty(len(self.after))
        for at in _chunks(len(left)):
            left[at] = self.after[at] - self._made(at, weights)
        return left

    def slopes(self, chosen: np.ndarray) -> np.ndarray:
        """c x r: what z adds to the chosen constraints."""
        below, which = np.divmod(chosen, len(self.after))
        return self._made(which, self.basis) * np.where(below, 1.0, -1.0)[:, None]

    def distances(self, room: np.ndarray) -> np.ndarray:
        """2 n: how long z must be, at least, to use up the room of each constraint."""
        steep = np.empty(len(self.after))
        for at in _chunks(len(steep)):
            steep[at] = np.linalg.norm(self._made(at, self.basis), axis=1)
        return (room.reshape(2, -1) / np.maximum(steep, 1e-300)).ravel()

    def _made(self, at: np.ndarray | slice, weights: np.ndarray) -> np.ndarray:
        """What weights (m + 1, or (m + 1) x r) make of the patches, in grey levels."""
        return self.patches[at] @ (weights[:-1] / self.step) + weights[-1]


def _chunks(length: int) -> list[slice]:
    return [slice(top, top + CHUNK) for top in range(0, length, CHUNK)]


def _taken(tile: Plane, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n patches, n pixels after them in grey levels, n x 2 whether these bound a residual."""
    size = free.shape[-1]
    inner = tile.inside(size)
    after = tile.after[inner]
    kept = np.ones(after.shape, bool) if tile.counted is None else tile.counted[inner]
    windows = patch_view(tile.before, size)
    patches = windows[kept][:, free]
    after = after[kept]
    bounded = np.stack([after > tile.clip[0], after < tile.clip[1]], axis=1)
    return patches, after / tile.step, bounded


def _different(
    patches: np.ndarray, after: np.ndarray, bounded: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each once, where many are repeated."""
    order = np.random.default_rng(0).permutation(len(after))
    for number, share in ((FEW, OFTEN), (VALUES // patches.shape[1], np.inf)):
        some = order[:number]
        first = distinct(np.c_[patches[some].astype(np.float32), after[some].astype(np.float32)])
        if len(first) >= share * len(some):
            return patches, after, bounded
    some = some[first]
    return patches[some], after[some], bounded[some]


def _spread(excess: np.ndarray, unknowns: int) -> np.ndarray:
    """The largest, and others that are large, of all parts of the picture."""
    band = _smallest(-excess, BAND * SPREAD * unknowns)
    band = np.random.default_rng(0).permutation(band)[: SPREAD * unknowns]
    return np.union1d(band, _smallest(-excess, LARGEST * unknowns))


def _smallest(values: np.ndarray, number: int) -> np.ndarray:
    """Where the smallest values are, in any order; infinite ones are not among them."""
    number = min(number, len(values))
    chosen = np.argpartition(values, number - 1)[:number]
    return chosen[np.isfinite(values[chosen])]


def _extent(
    pixels: _Pixels, bound: float, weights: np.ndarray, until: float, each: np.ndarray
) -> tuple[np.ndarray, np.ndarray, bool, np.ndarray]:
    """How far some weights can fall and rise from a kernel inside, and whether that is all known.

    With the mean (m + 1) of the kernels that go so far. each: which of the m + 1 weights. In every
    round each has its linear program; what its solution breaks is added.
    """
    start = pixels.point(weights)
    room = bound - pixels.excess(start)
    distances = pixels.distances(room)
    goals = np.concatenate([-pixels.basis[each], pixels.basis[each]])
    radius = pixels.radius(bound) + float(np.linalg.norm(start))
    most, points = radius * np.linalg.norm(goals, axis=1), np.zeros(goals.shape)
    fall, rise = np.split(most, 2)  # views
    todo, chosen = np.arange(len(goals)), _smallest(distances, NEAREST * goals.shape[1])
    for _ in range(ROUNDS):
        slopes = pixels.slopes(chosen)
        for number in todo:
            if time.monotonic() > until:
                return fall, rise, False, weights
            found = maximise(goals[number], slopes, room[chosen], radius, TIGHT / 2)
            most[number], points[number] = min(most[number], found.bound), found.point
        share, nearest = _reachable(pixels, room, distances, points[todo])
        wide = share * (points[todo] * goals[todo]).sum(axis=1) < (1 - TIGHT) * most[todo]
        if not wide.any():
            share, _ = _reachable(pixels, room, distances, points)
            farthest = np.minimum(share, 1)[:, None] * points
            return fall, rise, True, pixels.weights(start + farthest.mean(axis=0))
        todo, chosen = todo[wide], np.union1d(chosen, nearest[:, wide])
    return fall, rise, False, weights


def _reachable(
    pixels: _Pixels, room: np.ndarray, distances: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The share of the way to each of k points that breaks no constraint, and those broken first.

    k, and c x k.
    """
    near = np.flatnonzero(distances < np.linalg.norm(points, axis=1).max())
    shares, first = [np.ones(len(points))], []
    for at in _chunks(len(near)):
        used = pixels.slopes(near[at]) @ points.T / room[near[at], None]
        worst = np.argpartition(-used, min(FIRST, len(used) - 1), axis=0)[:FIRST]
        first.append(near[at][worst])
        shares.append(1 / np.maximum(np.take_along_axis(used, worst, 0).max(axis=0), 1e-300))
    return np.min(shares, axis=0), np.concatenate([np.zeros((0, len(points)), int), *first])
