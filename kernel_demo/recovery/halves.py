"""What a fit's own data say against it: bars from blocks, and kernels of halves that must agree.

Least squares takes the noise of each pixel for independent of all others and of the picture. Where
it is not, the errors of neighbours go together, and bars are too small. So they are taken from the
scatter of whole blocks (the cluster-robust covariance of Liang & Zeger, Biometrika 73, 1986), and
the kernel is fitted anew on halves of the pixels that a wrong model treats differently: dark and
bright, smooth and textured, left and right, every n-th row. Of a true convolution all are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery.alignment import Plane, distinct
from kernel_demo.recovery.explanations import Split

# Sides of the blocks whose scatter is measured, in pixels, and how many blocks are enough.
BLOCKS, ENOUGH = (32, 16, 8), 40
PIXELS = 60_000  # of the halves, at most ...
PRODUCTS = 6e8  # ... and pixels times squared unknowns
# Chi-squared per weight of the difference of halves: 1 by chance, up to 3 in clean photos.
BY_CHANCE = 4.0
CLEARLY = 10.0
# Of every n-th row or column, the filter differs. Losses of JPEG and WebP, whose blocks end there,
# reach 50; mosaics, changes of size and interlacing begin at 700.
BY_POSITION = 200.0
# Between these factors variances are the same: texture itself is seen through the noise.
ALIKE = 0.67, 2.0
HEAVY = 5.0  # kurtosis: what most pixels do not feel is no noise
NOISE_LEAVES = 0.2  # of chi-squared, at most, where noise in before is what makes halves differ
ROUNDED = 0.05**2  # variance of what is left, at least: exact fits have none, in grey levels


@dataclass(frozen=True, eq=False)
class Scatter:
    """What blocks of the picture say of bars, and rounding of the kernel itself."""

    factors: np.ndarray  # k x k, at least 1: by which least squares' bars are too small
    bent: float  # bars by which rounding its own results would bend the kernel, at most


def scatter(tiles: list[Plane], kernel: np.ndarray, offset: float, total: Statistics, free):
    """The Scatter of a kernel (k x k) fitted to the tiles.

    tiles: with the pixels used. total: the sums over them, of size k or larger. free: k x k bool,
    the weights that were fitted; the others get 1.
    bent: what least squares makes of the errors by which the kernel's own results are rounded (a
    parametric bootstrap). Where the picture is smooth or has few patches, they go with it.
    """
    size, chosen, total = len(kernel), free.ravel(), total.shrink(len(kernel))
    mean = total.patch_sum / total.count
    gram = total.centred[0][np.ix_(chosen, chosen)].astype(np.float64)
    inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
    block = side(sum(tile.after.size for tile in tiles), 4 * int(free.sum()))
    scores, rounded, energy, count = [], np.zeros(np.count_nonzero(free)), 0.0, 0
    for tile in tiles:
        if min(tile.after.shape) < size:
            continue
        inner, used = tile.inside(size), tile.used[tile.inside(size)]
        value = correlate_valid(tile.before.astype(np.float64), kernel, offset)
        left = np.where(used, tile.after[inner] - value, 0).astype(np.float32)
        off = np.where(used, np.rint(value / tile.step) * tile.step - value, 0).astype(np.float32)
        energy, count = energy + float((left**2).sum()), count + int(used.sum())
        sums, own = _by_block(
            tile.before - np.float32(mean.mean()), left, off, np.argwhere(free), block
        )
        scores.append(sums)
        # Its mean goes into the offset.
        rounded += own - float(off.sum()) * (mean[chosen] - mean.mean())
    factors, bent = np.ones(kernel.shape), 0.0
    scores = np.concatenate(scores) if scores else np.zeros((0, len(rounded)))
    if len(scores) >= 8 and energy:
        plain = (energy / count * np.diag(inverse)).clip(1e-300)
        factors[free] = np.sqrt(np.maximum(variances(scores, inverse) / plain, 1))
        bent = float((np.abs(inverse @ rounded) / np.sqrt(plain)).max())
    return Scatter(factors, bent)


def variances(scores: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Of m weights, from the scatter of the scores of b blocks (b x m); inverse: m x m, of X'X.

    Each weight takes from the scatter what it was fitted to: as the jackknife, on average. Of a few
    blocks that cannot be said.
    """
    moved = scores @ inverse  # what each block adds to the weights
    blocks, unknowns = moved.shape
    share = unknowns / blocks if blocks >= ENOUGH else 0
    found = (moved**2).sum(axis=0) * blocks / max(blocks - 1, 1)
    return found / (1 - min(share, 1 / 2)) ** 2


def side(pixels: int, enough: int = 0) -> int:
    """Of the blocks whose scatter is measured: the largest that so many pixels hold enough of."""
    enough = max(enough, ENOUGH)
    return next((side for side in BLOCKS if pixels >= enough * side**2), BLOCKS[-1])


def numbered(rows: np.ndarray, columns: np.ndarray, side: int) -> np.ndarray:
    """The number of the block of so many pixels a side in which each of n pixels lies."""
    across = columns // side
    return rows // side * (int(across.max(initial=0)) + 1) + across


def by_block(scores: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Sums (b x m) of scores (n x m) over the pixels of each block (n numbers)."""
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    return np.add.reduceat(scores[order], starts, axis=0)


def _by_block(before, left, off, places, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of before, at each of n places of the patch, times left (blocks x n) and off (n)."""
    height, width = left.shape
    rows, columns = max(1, round(height / block)), max(1, round(width / block))
    many = height * width / (rows * columns)
    sums, own = [], []
    for i, j in places:
        moved = before[i : i + height, j : j + width]
        blocks = cv2.resize(moved * left, (columns, rows), interpolation=cv2.INTER_AREA)
        sums.append(many * blocks.ravel().astype(np.float64))
        own.append(float(np.vdot(moved, off)))
    return np.stack(sums, axis=1), np.array(own)


@dataclass(frozen=True, eq=False)
class Halves:
    """The kernels of the two halves of a split, compared."""

    split: Split
    every: int  # n of every n-th row or column; else 0
    chi: float  # chi-squared of their difference per weight: about 1 by chance
    difference: np.ndarray  # k x k, absolute; 0 outside the support


@dataclass(frozen=True, eq=False)
class Doubts:
    """What halves of the pixels say against one kernel for all of them."""

    worst: Halves | None  # the split whose halves differ most; None: all agree
    position: Halves | None  # the split by rows or columns whose halves clearly have kernels apart
    noise_before: float  # sigma in working units, where that explains it; else 0
    difference: np.ndarray  # k x k: the largest difference of halves that is not chance


def doubts(tiles: list[Plane], kernel: np.ndarray, floor: float) -> Doubts | None:
    """Of a kernel (k x k) fitted to the tiles; floor: RMS of rounding. None: too few pixels."""
    drawn = draw(tiles, kernel != 0)
    if drawn is None:
        return None
    differing = [half for half in compared(drawn) if half.chi > BY_CHANCE]
    difference = np.max([half.difference for half in differing], axis=0, initial=0)
    by_place = [half for half in differing if half.every and half.chi > BY_POSITION]
    smooth = next((half for half in differing if half.split == Split.TEXTURE), None)
    sigma = 0.0
    if smooth is not None and smooth.chi > CLEARLY:
        sigma = noise_in_before(drawn, floor)
    return Doubts(
        worst=max(differing, key=lambda half: half.chi, default=None),
        position=max(by_place, key=lambda half: half.chi, default=None),
        noise_before=sigma,
        difference=np.broadcast_to(difference, kernel.shape),
    )


@dataclass(frozen=True, eq=False)
class Drawn:
    """Some pixels that a fit used: their patches (support only), results and places."""

    patches: np.ndarray  # n x m float64, about their mean
    after: np.ndarray  # n, about the mean
    rows: np.ndarray  # n, in the picture
    columns: np.ndarray  # n
    where: np.ndarray  # n x 2, 0..1 of height and width
    free: np.ndarray  # k x k bool, the m weights

    @cached_property
    def _first(self) -> np.ndarray:
        """Where each of the different patches stands first."""
        return distinct(self.patches)

    @property
    def distinct(self) -> int:
        """How many different patches there are."""
        return len(self._first)

    def error(self, noise: float) -> np.ndarray:
        """Bars (k x k) for noise of so many working units; a thousand equal patches are one."""
        patches = self.patches[self._first]
        gram = patches.T @ patches - len(patches) * np.outer(*2 * [patches.mean(axis=0)])
        errors = np.zeros(self.free.shape)
        gram[np.diag_indices_from(gram)] += 1e-12 * np.trace(gram)
        errors[self.free] = noise * np.sqrt(np.diag(np.linalg.inv(gram)).clip(0))
        return errors

    @cached_property
    def sides(self) -> dict[tuple[Split, int], np.ndarray]:
        """n bool for each split."""
        found = {
            (split, 0): values > np.median(values)
            for split, values in (
                (Split.TEXTURE, self.patches.std(axis=1)),
                (Split.BRIGHTNESS, self.patches.mean(axis=1)),
                (Split.ACROSS, self.where[:, 1]),
                (Split.DOWN, self.where[:, 0]),
            )
        }
        for n in range(2, 9):
            found[Split.ROWS, n] = self.rows % n == 0
            found[Split.COLUMNS, n] = self.columns % n == 0
        found[Split.CHECKS, 2] = (self.rows + self.columns) % 2 == 0
        return found


def compared(drawn: Drawn) -> list[Halves]:
    """The kernels of the halves of every split that has pixels enough on both sides."""
    whole = _sums(drawn.patches, drawn.after)
    found = []
    for (split, every), side in drawn.sides.items():
        if min(side.sum(), len(side) - side.sum()) < 6 * drawn.patches.shape[1]:
            continue
        one = _sums(drawn.patches[side], drawn.after[side])
        halves = one, tuple(a - b for a, b in zip(whole, one, strict=True))
        difference, covariance = _difference(halves, 0.0)
        values = np.zeros(drawn.free.shape)
        values[drawn.free] = np.abs(difference)
        found.append(Halves(split, every, _chi(difference, covariance), values))
    return found


def noise_in_before(drawn: Drawn, floor: float) -> float:
    """The noise of before (sigma) that makes smooth and textured halves differ; 0: it does not.

    Independent noise of variance s^2 in before adds s^2 to the diagonal of X'X / n and nothing to
    X'y: what least squares divides by is too large, most where the picture is smooth (errors in
    variables: Fuller, Measurement Error Models, 1987, section 2.2). So s is what brings the two
    halves together, and the kernel without it must leave s |kernel| and the rounding (`floor`),
    in both of them.
    """
    side = drawn.sides[Split.TEXTURE, 0]
    halves = [_sums(drawn.patches[part], drawn.after[part]) for part in (side, ~side)]
    smallest = min(float(np.linalg.eigvalsh(gram / count)[0]) for gram, _, _, count in halves)
    sigmas = np.sqrt(np.linspace(0, 0.95 * max(smallest, 0), 40))
    chis = [_chi(*_difference(halves, float(sigma))) for sigma in sigmas]
    best = int(np.argmin(chis))
    sigma = float(sigmas[best])
    gram, cross, _, count = map(sum, zip(*halves, strict=True))
    kernel = np.linalg.solve(gram - sigma**2 * count * np.eye(len(gram)), cross)
    expected = sigma**2 * float(kernel @ kernel) + floor**2
    left = [_variance(half, kernel) / expected for half in halves]
    rest = drawn.after - drawn.patches @ kernel
    tails = float((rest**4).mean() / max((rest**2).mean(), 1e-12) ** 2)  # 3 of normal noise
    alike = min(left) > ALIKE[0] and max(left) < ALIKE[1] and tails < HEAVY
    return sigma if alike and chis[best] < NOISE_LEAVES * chis[0] else 0.0


def _sums(patches: np.ndarray, after: np.ndarray):
    """X'X (m x m), X'y (m), y'y, n about the means of all."""
    return patches.T @ patches, patches.T @ after, float(after @ after), len(after)


def _difference(halves, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The difference of the halves' kernels (m) and its covariance, with noise taken off."""
    kernels, covariances = [], []
    for gram, cross, energy, count in halves:
        damped = gram + (1e-10 * np.trace(gram) - sigma**2 * count) * np.eye(len(gram))
        inverse = np.linalg.inv(damped)
        kernel = inverse @ cross
        kernels.append(kernel)
        variance = _variance((gram, cross, energy, count), kernel)
        covariances.append(max(variance, ROUNDED) * (inverse @ gram @ inverse))
    return kernels[0] - kernels[1], sum(covariances)


def _variance(half, kernel: np.ndarray) -> float:
    """Mean square of what a kernel leaves of a half."""
    gram, cross, energy, count = half
    return max(float(energy - 2 * kernel @ cross + kernel @ gram @ kernel), 0) / count


def _chi(difference: np.ndarray, covariance: np.ndarray) -> float:
    return float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference) / len(
        difference
    )


def draw(tiles: list[Plane], free: np.ndarray) -> Drawn | None:
    """Pixels of the tiles, evenly; None: too few for the m weights that are free (k x k bool)."""
    rng, size, unknowns = np.random.default_rng(0), len(free), max(1, int(free.sum()))
    most = int(min(PIXELS, max(PRODUCTS / unknowns**2, 12 * unknowns)))
    parts = []
    for tile in tiles:
        if min(tile.after.shape) <= size:
            continue
        patches, after, _, share = tile.drawn(size, most // len(tiles), rng)
        top, left, bottom, right = tile.place
        whole = np.rint(share * tile.after.shape / [bottom - top, right - left]).astype(int)
        parts.append((patches[:, free].astype(np.float64), after, whole, share))
    if not parts or sum(len(part[1]) for part in parts) < 12 * unknowns:
        return None
    patches, after, whole, share = map(np.concatenate, zip(*parts, strict=True))
    after = after.astype(np.float64)
    return Drawn(patches - patches.mean(axis=0), after - after.mean(), *whole.T, share, free)
