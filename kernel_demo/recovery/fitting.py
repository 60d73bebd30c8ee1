"""The kernel that explains planes best: its size, place and support, from sums at the largest size.

Two passes. The first takes the sums at the largest size over a sample, and finds from their
sub-blocks how large the kernel is and where it lies; the second takes them at that size and place
over (nearly) all pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.learning.statistics import Solution, Statistics
from kernel_demo.recovery import blocks, halves
from kernel_demo.recovery.alignment import Plane, sample, share, sums

Box: TypeAlias = tuple[int, int, int, int]  # top, left, height, width
SAMPLE = 300_000  # pixels of the first pass: 226 unknowns want no more
REFINED = 4_000_000  # pixels of the second
LOOKED_AT = 60_000  # pixels that tell whether either is worth its time
# Rounding once leaves 1.0 times ROUNDING; a rounding between two passes adds at most as much again.
# Pillow's Gaussian rounds after each of six passes.
ONE_ROUNDING, SEVERAL_ROUNDINGS, MANY_ROUNDINGS = 1.1, 1.6, 2.4
FEW = 1e-3  # share of pixels beyond the bound: some pixels were touched by something else
# Residuals between a prediction and the clip levels: so far off, noise hardly ever reaches them.
MARGIN = 4.0
CONTRADICTED = 3.0  # bars
NEAR = 7  # size of the kernel by which pixels are chosen
HARDLY_ANY = 0.02  # share of the pixels
A_WEIGHT = 3.0  # of log-likelihood, doubled, that a further weight must gain
# What noise that is not white (JPEG's, WebP's) adds to the gain of a larger kernel: measured.
COLOURED_GAIN = 1.04
# By how much taking off the sides of a kernel may raise the variance in such noise.
TRIMMED_GAIN = 1.01
# What is left below this share of a grey level is the arithmetic's, not rounding.
NEARLY_EXACT = 0.01
# The F ratio of a ring that explains nothing is 1, give or take 0.2 for its 64 weights.
BY_CHANCE, CLEARLY = 5.0, 30.0
# Share of the variance that two rings more leave: of kernels that were cut off 0.01 to 0.5 (0.8 in
# a night sky), of rank, mode and other filters that are none 0.66 to 0.96.
FAR_LESS = 0.55
WORTH_A_RING = 1.004  # of variance; roundings in two steps are a little coloured, too
# A standard error above this share of the largest weight leaves open whether the weight is 0.
UNTOLD = 0.02
EXACTLY = 1e-6  # a variance that is none, in working units
VAGUE = 0.1  # bars above this share of the largest weight: the picture cannot tell


@dataclass(frozen=True, eq=False)
class Noise:
    """What the fit leaves, looked at pixel by pixel."""

    beyond_1: float  # share of pixels more than one grey level off: impossible for one rounding
    beyond_2: float  # ... two grey levels: impossible for a few
    autocorrelation: float  # at one pixel's distance, the larger of both axes
    with_texture: float  # correlation of its square with the picture's local variance

    @property
    def white(self) -> bool:
        """Independent from pixel to pixel, and of the same strength everywhere."""
        return abs(self.autocorrelation) < 0.02 and abs(self.with_texture) < 0.02


@dataclass(frozen=True, eq=False)
class Fit:
    """The least-squares kernel of some planes, in working units."""

    kernel: np.ndarray  # k x k, k odd: centred on the pixel, however its weights lie in it
    offset: float
    standard_error: np.ndarray  # k x k; 0 outside the smallest box that explains as much
    residual: float  # RMS
    noise: Noise
    bent: float  # bars by which rounding the kernel's own results would bend it
    unbiased: bool  # pixels were chosen by what is predicted, or none was clipped
    used: float  # share of pixels not clipped
    singular: bool  # the pictures leave some weights open
    searched: int  # the largest size that there were pixels for
    larger: bool  # a ring beyond the largest size explains more
    core: Statistics  # sums of the second pass, about `centre`
    centre: tuple[int, int]  # rows, columns from the pixel to the middle of `core`'s kernel
    tiles: list[Plane]  # the sample of the first pass
    total: Statistics  # sums of the first pass, over the tiles, at the largest size

    @property
    def step(self) -> int:
        """One grey level of the after file, in working units."""
        return self.tiles[0].step

    @property
    def floor(self) -> float:
        """RMS of rounding to one grey level of the after file."""
        return ROUNDING * self.step

    @cached_property
    def drawn(self) -> halves.Drawn | None:
        """Some of the pixels fitted to, with their patches; None: too few."""
        return halves.draw(self.tiles, self.kernel != 0)

    def vague(self, share: float = VAGUE) -> bool:
        """Whether weights are open, or bars are above a share of the largest weight."""
        return self.singular or vague(self.standard_error, self.kernel, share)

    def barred(self, errors: np.ndarray) -> Fit:
        """The same with these bars (k x k), and the pixels that were drawn already."""
        other = replace(self, standard_error=errors)
        kept = {name: value for name, value in vars(self).items() if name not in vars(other)}
        vars(other).update(kept)
        return other

    @cached_property
    def _seen(self) -> np.ndarray:
        """The levels of after that occur among the pixels used."""
        return np.unique(np.concatenate([tile.after[tile.used] for tile in self.tiles]))

    @property
    def levels(self) -> int:
        """How many levels of after occur."""
        return len(self._seen)

    @property
    def coarse(self) -> int:
        """The grey levels from one level that occurs to the next, at least: 4 where after was
        rounded to every fourth."""
        steps = np.diff(self._seen.astype(np.int64)) // self.step
        return int(np.gcd.reduce(steps)) if len(steps) else 1

    @property
    def explained(self) -> float:
        """Share of the after picture's variance, over the pixels used."""
        mean = self.core.after_sum / self.core.count
        variance = self.core.energy / self.core.count - mean**2
        return 1 - self.residual**2 / max(variance, 1e-12)

    @property
    def in_one_rounding(self) -> bool:
        """Nothing is left but one rounding: errors of its size, and bounded as it is."""
        return self.residual <= ONE_ROUNDING * self.floor and self.noise.beyond_1 < FEW

    @property
    def at_floor(self) -> bool:
        """Nothing is left but one rounding or a few."""
        if self.residual <= ONE_ROUNDING * self.floor:
            return self.in_one_rounding
        return self.residual <= SEVERAL_ROUNDINGS * self.floor and self.noise.beyond_2 < FEW / 10

    @property
    def in_passes(self) -> bool:
        """As small as what rounding to whole grey levels after each of many passes leaves."""
        return self.residual <= MANY_ROUNDINGS * self.floor and self.noise.beyond_2 < FEW


def vague(errors: np.ndarray, kernel: np.ndarray, share: float = VAGUE) -> bool:
    """Whether bars (k x k) are above a share of a kernel's largest weight, or are no numbers."""
    return not (errors.max() <= share * max(float(np.abs(kernel).max()), 1e-12))


def fit(
    planes: list[Plane], max_size: int, least: int = 1, total: Statistics | None = None
) -> Fit | None:
    """The kernel of at most max_size that explains all planes. None: too few unclipped pixels.

    least: above 1, the kernel has this size, odd, at least, and no side of it is taken off.
    total: what seen() of the planes gives, if that is known.
    """
    tiles = _looked_at(planes)
    total = total or _largest(tiles, max_size)
    if total is None:
        return None
    first = _First.of(tiles, total)
    tiles, total, white = first.tiles, first.total, first.white
    square = total.shrink(max(_size(first), min(least, total.size)))
    found = square.solve()
    whole = (0, 0, square.size, square.size) if least > 1 else None
    centre, side = _place(whole or _support(square, found, white), square.size, total.size)
    core = total
    if not (first.settled and side == total.size and _pixels(tiles) == _pixels(planes)):
        refined = _refined(planes, centre, side, first.noisy, found)
        core, centre = (square, (0, 0)) if refined is None else (refined, centre)
    solution = core.solve()
    support = whole or _support(core, solution, white)
    exact = NEARLY_EXACT * planes[0].step
    if solution.residual > exact:
        solution = _within(core, solution, support)
    kernel = about_pixel(solution.kernel, support, centre)
    errors, bent = about_pixel(solution.standard_error, support, centre), 0.0
    if solution.residual > exact and len(kernel) <= total.size:
        errors, bent = _scattered(first, kernel, solution.offset, errors)
    at_least_3 = found if square.size > 1 else total.shrink(min(3, total.size)).solve()
    return Fit(
        kernel=kernel,
        offset=solution.offset,
        standard_error=errors,
        residual=solution.residual,
        noise=_measured(tiles, found.kernel, found.offset),
        bent=bent,
        unbiased=first.unbiased,
        used=share([plane.unclipped() for plane in planes]),
        singular=at_least_3.singular,
        searched=total.size,
        larger=square.size == total.size > 1 and _larger(first),
        core=core,
        centre=centre,
        tiles=tiles,
        total=total,
    )


@dataclass(frozen=True, eq=False)
class _First:
    """The first pass, before a size is chosen."""

    tiles: list[Plane]  # the sample, with the pixels used
    total: Statistics  # over them, at the largest size
    unbiased: bool  # as in Fit
    noisy: bool  # more is left than a few roundings leave
    white: bool  # ... and is independent from pixel to pixel
    unlike: float  # share of the pixels that have a patch of their own

    @classmethod
    def of(cls, tiles: list[Plane], total: Statistics) -> _First:
        noisy = least_squares(total)[2] ** 0.5 > SEVERAL_ROUNDINGS * ROUNDING * tiles[0].step
        if not noisy:  # errors of rounding are the same wherever the patch is
            return cls(tiles, total, True, False, True, _unlike(tiles))
        tiles, total, unbiased = _without_bias(tiles, total)
        white = _measured(tiles, *least_squares(total)[:2]).white
        return cls(tiles, total, unbiased, True, white, 1.0)

    @property
    def settled(self) -> bool:
        """Whether pixels are chosen by what is predicted."""
        return self.noisy and self.unbiased


def _scattered(
    first: _First, kernel: np.ndarray, offset: float, errors: np.ndarray
) -> tuple[np.ndarray, float]:
    """The bars, as wide as blocks of the picture and further rings make them; and Scatter.bent."""
    scatter = blocks.scatter(first.tiles, kernel, offset, first.total, errors > 0)
    errors = errors * np.maximum(scatter.factors, scatter.bent)
    return errors if first.white else _widened(errors, kernel, first.total), scatter.bent


def seen(planes: list[Plane], max_size: int) -> Statistics | None:
    """The sums that a fit of the planes begins with. None: too few unclipped pixels."""
    return _largest(_looked_at(planes), max_size)


def _pixels(planes: list[Plane]) -> int:
    return sum(plane.after.size for plane in planes)


def _looked_at(planes: list[Plane]) -> list[Plane]:
    return [tile.unclipped() for tile in sample(planes, SAMPLE)]


def hopeless(planes: list[Plane], max_size: int) -> bool:
    """Whether any kernel leaves far more than a few roundings: by a few tiles.

    Least squares of the largest size leaves least, and less of the pixels that it is fitted to.
    """
    total = sums([tile.unclipped() for tile in sample(planes, LOOKED_AT)], max_size)
    rounding = SEVERAL_ROUNDINGS * ROUNDING * planes[0].step
    return total is not None and least_squares(total)[2] > (2 * rounding) ** 2


def explained(planes: list[Plane], max_size: int) -> float | None:
    """The share of after's variance that the best kernel of that size explains of some tiles.

    None: they have too few pixels.
    """
    total = sums(_looked_at(planes), max_size)
    if total is None:
        return None
    variance = total.energy / total.count - (total.after_sum / total.count) ** 2
    return 1 - least_squares(total)[2] / max(variance, 1e-12)


def _place(support: Box, size: int, largest: int) -> tuple[tuple[int, int], int]:
    """Middle (rows, columns from the pixel) and odd side of a square about the support."""
    top, left, height, width = support
    side = max(height, width) | 1
    most = largest // 2 - side // 2  # the kernel stays within the largest size
    down, right = (
        min(max(first + length // 2 - size // 2, -most), most)
        for first, length in ((top, height), (left, width))
    )
    return (down, right), side


def _largest(tiles: list[Plane], max_size: int) -> Statistics | None:
    for size in range(max_size, 0, -2):
        if size == 1 or any(min(tile.after.shape) >= 2 * size for tile in tiles):
            total = sums(tiles, size)
            if total is not None:
                return total
    return None


def _without_bias(tiles: list[Plane], total: Statistics) -> tuple[list[Plane], Statistics, bool]:
    """Pixels chosen by what is predicted instead of by what came out, until they settle.

    (tiles, sums, whether pixels are chosen so: hardly any may be predicted between the levels).
    """
    whole = tiles, total, False
    if all(tile.used.all() for tile in tiles):
        return tiles, total, True
    near = total.shrink(min(total.size, NEAR))
    for _ in range(3):
        kernel, offset, variance = least_squares(near)
        new = [tile.predictable(kernel, offset, MARGIN * variance**0.5) for tile in tiles]
        if share(new) < HARDLY_ANY:
            return whole
        moved = share([replace(a, chosen=a.used ^ b.used) for a, b in zip(new, tiles, strict=True)])
        tiles, fresh = new, sums(new, near.size)
        if fresh is None:
            return whole
        near = fresh
        if moved < 0.01:
            break
    settled = sums(tiles, total.size)
    return whole if settled is None else (tiles, settled, True)


def _refined(
    planes: list[Plane], centre: tuple[int, int], side: int, noisy: bool, found: Solution
) -> Statistics | None:
    """The sums at the size and place found, over nearly all pixels. None: too few of them."""
    moved = [p.unclipped() for p in sample([p.moved(*centre) for p in planes], REFINED)]
    if noisy and not all(plane.used.all() for plane in moved):
        top, left = (len(found.kernel) // 2 + c - side // 2 for c in centre)
        near = np.pad(found.kernel, side)[top + side :, left + side :][:side, :side]
        margin = MARGIN * found.residual
        moved = [plane.predictable(near, found.offset, margin) for plane in moved]
    return sums(moved, side)


def about_pixel(square: np.ndarray, support: Box, centre: tuple[int, int]) -> np.ndarray:
    """The support of a square about `centre` in the smallest odd square about the pixel itself."""
    top, left, height, width = support
    first = [c + edge - len(square) // 2 for c, edge in zip(centre, (top, left), strict=True)]
    last = [begin + extent - 1 for begin, extent in zip(first, (height, width), strict=True)]
    radius = max(1, *map(abs, (*first, *last)))
    found = np.zeros((2 * radius + 1,) * 2, square.dtype)
    down, right = first[0] + radius, first[1] + radius
    inside = square[top : top + height, left : left + width]
    found[down : down + height, right : right + width] = inside
    return found


def _unlike(tiles: list[Plane]) -> float:
    """The share of the pixels that have a patch of their own."""
    drawn = halves.draw(tiles, np.ones((NEAR, NEAR), bool))
    return 1.0 if drawn is None else drawn.distinct / len(drawn.after)


def _size(first: _First) -> int:
    """The smallest size at the floor, else what an information criterion prefers.

    n log(residual^2) + c * unknowns. For rounding c is Schwarz's log(n); he leaves out weights of
    three error bars, and in noise those bend all others: there c is A_WEIGHT, near Akaike's 2.
    Lossy files leave noise with structure of its own, which every further weight explains a little:
    there, the smallest size whose variance is within COLOURED_GAIN of the largest's.
    """
    total, step = first.total, first.tiles[0].step
    sizes = range(1, total.size + 1, 2)
    variance = {k: least_squares(total.shrink(k))[2] / step**2 + 1e-8 for k in sizes}
    if not first.white:
        return next(k for k in sizes if variance[k] <= COLOURED_GAIN * variance[total.size])
    count = first.unlike * total.count
    cost = A_WEIGHT if first.noisy else np.log(count)
    return min(sizes, key=lambda k: count * np.log(variance[k]) + cost * k * k)


def least_squares(
    total: Statistics, free: np.ndarray | None = None
) -> tuple[np.ndarray, float, float]:
    """(kernel, offset, variance) of least squares, without the eigenvectors of a full solution.

    free: k x k bool, the weights that may differ from 0.
    """
    chosen = np.ones(total.size**2, bool) if free is None else free.ravel()
    gram, cross, energy = total.centred
    gram, cross = gram[np.ix_(chosen, chosen)], cross[chosen]
    damped = _damped(total)[np.ix_(chosen, chosen)]
    weights = np.linalg.solve(damped, cross.astype(np.float64))
    left = max(float(energy - 2 * weights @ cross + weights @ gram @ weights), 0) / total.count
    kernel = np.zeros(total.size**2)
    kernel[chosen] = weights
    offset = float(total.after_sum - total.patch_sum[chosen] @ weights) / total.count
    return kernel.reshape(total.size, total.size), offset, left


def _damped(total: Statistics) -> np.ndarray:
    """X'X about the means, with so much more on its diagonal that it can be divided by."""
    ridge = 1e-14 * np.trace(total.gram) + 1e-300
    return total.centred[0].astype(np.float64) + ridge * np.eye(total.size**2)


def _support(total: Statistics, solution: Solution, white: bool) -> Box:
    """top, left, height, width of the smallest box that explains as much as the square does.

    In white noise that is the box of the significant weights. In other noise errors are larger
    than least squares says: there, sides are taken off as long as the variance hardly rises.
    """
    if not white:
        return _trimmed(total)
    weights = np.abs(solution.kernel)
    error = np.where(np.isfinite(solution.standard_error), solution.standard_error, 0)
    largest = weights.max()
    significant = weights > np.maximum(5 * error, 1e-6 * largest)
    # A weight that the picture cannot tell from 0 is not 0 for that.
    found = box(significant | (error > UNTOLD * largest))
    return found if _enough(total, found) else (0, 0, total.size, total.size)


def _widened(errors: np.ndarray, kernel: np.ndarray, total: Statistics) -> np.ndarray:
    """The bars, as wide as what two rings more make of the weights where they contradict them."""
    size = min(len(kernel) + 4, total.size)
    edge = (size - len(kernel)) // 2
    around = least_squares(total.shrink(size))[0][edge : size - edge, edge : size - edge]
    apart = np.where(errors > 0, np.abs(around - kernel), 0)
    return np.maximum(errors, apart) if (apart > CONTRADICTED * errors).any() else errors


def _within(core: Statistics, solution: Solution, support: Box) -> Solution:
    """The solution with the weights outside its support at 0, and the others fitted anew."""
    free = filled(core.size, support)
    if free.all():
        return solution
    kernel, offset, variance = least_squares(core, free)
    chosen = free.ravel()
    gram = core.centred[0][np.ix_(chosen, chosen)].astype(np.float64)
    inverse = np.linalg.pinv(gram, rcond=1e-14, hermitian=True)
    errors = np.zeros(free.shape)
    errors[free] = np.sqrt((variance * np.diag(inverse)).clip(0))
    errors[free & ~np.isfinite(solution.standard_error)] = np.inf
    return replace(
        solution, kernel=kernel, offset=offset, standard_error=errors, residual=variance**0.5
    )


def _enough(total: Statistics, support: Box) -> bool:
    """Whether the weights outside a box explain together no more than chance.

    Each of a Gaussian's tails may be insignificant, and all of them a hundredth of the kernel. By
    chance, n times the share of the variance that they take is chi-squared with a degree for each.
    """
    free = filled(total.size, support)
    whole, cut = (least_squares(total, some)[2] + EXACTLY for some in (None, free))
    outside = np.count_nonzero(~free)
    return bool(total.count * (cut / whole - 1) <= 2 * outside + 5 * (2 * outside) ** 0.5)


def filled(size: int, support: Box) -> np.ndarray:
    """size x size bool: True in a box (top, left, height, width)."""
    top, left, height, width = support
    inside = np.zeros((size, size), bool)
    inside[top : top + height, left : left + width] = True
    return inside


def box(mask: np.ndarray) -> Box:
    """top, left, height, width of what a square mask holds; the middle if that is nothing."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return len(mask) // 2, len(mask) // 2, 1, 1
    top, left = int(rows.min()), int(columns.min())
    return top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1


def _trimmed(total: Statistics) -> Box:
    """Sides are taken off, each time the one that raises the variance least.

    Without the weights S least squares leaves w_S' (A_SS)^-1 w_S more, A = (X'X)^-1; then A loses
    A_S' (A_SS)^-1 A_S, and w the same of w_S (Schur's complement).
    """
    allowed = TRIMMED_GAIN * least_squares(total)[2]
    inverse = np.linalg.inv(_damped(total))
    weights = inverse @ total.centred[1].astype(np.float64)
    top, left, bottom, right = 0, 0, total.size, total.size
    places = np.arange(total.size**2).reshape(total.size, total.size)
    while bottom - top > 1 or right - left > 1:
        options = []
        for inner, side in (
            ((top + 1, left, bottom, right), places[top, left:right]),
            ((top, left + 1, bottom, right), places[top:bottom, left]),
            ((top, left, bottom - 1, right), places[bottom - 1, left:right]),
            ((top, left, bottom, right - 1), places[top:bottom, right - 1]),
        ):
            if len(side) < (bottom - top) * (right - left):
                own = np.linalg.solve(inverse[np.ix_(side, side)], weights[side])
                options.append((float(weights[side] @ own), inner, side))
        _, (first, start, last, end), side = min(options, key=lambda option: option[:2])
        free = filled(total.size, (first, start, last - first, end - start))
        if least_squares(total, free)[2] > allowed:
            break
        top, left, bottom, right = first, start, last, end
        taken = np.linalg.solve(inverse[np.ix_(side, side)], inverse[side])
        weights = weights - weights[side] @ taken
        inverse = inverse - inverse[side].T @ taken
    return top, left, bottom - top, right - left


def _larger(first: _First) -> bool:
    """Whether a ring about the largest size searched explains more than it would by chance."""
    tiles, total = first.tiles, first.total
    wide = sums(tiles, total.size + 2)
    if wide is None:
        return False
    inner, outer = (least_squares(stats)[2] for stats in (wide.shrink(total.size), wide))
    # A kernel that is cut off leaves more than rounding does, whose errors may follow the picture.
    if inner <= (ROUNDING * tiles[0].step) ** 2:
        return False
    ring = wide.size**2 - total.size**2
    gain = inner / max(outer, 1e-12)
    by_ring = first.unlike * wide.count * (gain - 1) / ring
    clearly = by_ring > CLEARLY or gain > WORTH_A_RING
    return by_ring > BY_CHANCE and (clearly if first.white else gain > TRIMMED_GAIN)


def goes_on(fit: Fit) -> bool:
    """Whether two rings more about the largest size leave far less, as of a kernel that is larger.

    Of what is no kernel, further rings explain a little each.
    """
    wide = sums(fit.tiles, fit.searched + 4)
    if wide is None:
        return False
    inner, outer = (
        least_squares(total)[2] / (1 - total.size**2 / total.count)
        for total in (wide.shrink(fit.searched), wide)
    )
    return outer < FAR_LESS * inner


def _measured(tiles: list[Plane], kernel: np.ndarray, offset: float) -> Noise:
    """What the kernel leaves on the tiles, pixel by pixel."""
    lag_down = lag_right = 0.0
    squares, textures = [], []
    for tile in tiles:
        if min(tile.after.shape) < len(kernel):
            continue
        inner = tile.inside(len(kernel))
        before = tile.before.astype(np.float64)
        keep = tile.used[inner]
        left = correlate_valid(before, kernel, offset) - tile.after[inner]
        left = np.where(keep, left, 0) / tile.step
        variance = cv2.blur(before**2, (3, 3)) - cv2.blur(before, (3, 3)) ** 2
        texture = np.log1p(np.maximum(variance, 0))[inner]
        lag_down += (left[1:] * left[:-1]).sum()
        lag_right += (left[:, 1:] * left[:, :-1]).sum()
        squares.append(left[keep] ** 2)
        textures.append(texture[keep])
    square, texture = np.concatenate(squares), np.concatenate(textures)
    energy = max(square.sum(), 1e-9)
    spread = square.std() * texture.std()
    together = ((square - square.mean()) * (texture - texture.mean())).mean()
    return Noise(
        beyond_1=float((square > 1.02**2).mean()),
        beyond_2=float((square > 2.02**2).mean()),
        autocorrelation=float(max(lag_down, lag_right, key=abs) / energy),
        with_texture=float(together / spread) if spread > 1e-9 else 0.0,
    )
