"""What a fit's own data say against it: kernels of halves of the pixels, which must agree.

The kernel is fitted anew on halves that a wrong model treats differently: dark and bright, smooth
and textured, left and right, every n-th row. Of a true convolution all are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from kernel_demo.recovery.alignment import Plane, distinct
from kernel_demo.recovery.explanations import Split

# X'X (m x m), X'y (m), y'y and n of one of them.
Half: TypeAlias = tuple[np.ndarray, np.ndarray, float, int]
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
DAMPED = 1e-10  # of the trace of X'X, added to its diagonal
SOUND = 1e-10  # smallest over largest pivot of a covariance that can be divided by
ROUNDED = 0.05**2  # variance of what is left, at least: exact fits have none, in grey levels


@dataclass(frozen=True, eq=False)
class Halves:
    """The kernels of the two halves of a split, compared."""

    split: Split
    every: int  # n of every n-th row or column; else 0
    chi: float  # chi-squared of their difference per weight: about 1 by chance
    difference: np.ndarray  # k x k, absolute; 0 outside the support

    def __str__(self) -> str:
        """ "its smooth and its textured parts" """
        return self.split.format(n=self.every)


@dataclass(frozen=True, eq=False)
class Doubts:
    """What halves of the pixels say against one kernel for all of them."""

    worst: Halves | None  # the split whose halves differ most; None: all agree
    position: Halves | None  # the split by rows or columns whose halves clearly have kernels apart
    noise_before: float  # sigma in working units, where that explains it; else 0
    difference: np.ndarray  # k x k: the largest difference of halves that is not chance


def doubts(drawn: Drawn, floor: float) -> Doubts:
    """Of the kernel fitted to the pixels drawn; floor: RMS of rounding."""
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
        difference=np.broadcast_to(difference, drawn.free.shape),
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
        count = np.count_nonzero(side)
        if min(count, len(side) - count) < 6 * drawn.patches.shape[1]:
            continue
        fewer = side if 2 * count <= len(side) else ~side
        one = _sums(drawn.patches[fewer], drawn.after[fewer])
        rest = whole[0] - one[0], whole[1] - one[1], whole[2] - one[2], whole[3] - one[3]
        difference, covariance = _difference((one, rest))
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
    axes = [np.linalg.eigh(gram) for gram, _, _, _ in halves]
    smallest = min(
        float(values[0]) / count for (values, _), (_, _, _, count) in zip(axes, halves, strict=True)
    )
    sigmas = np.sqrt(np.linspace(0, 0.95 * max(smallest, 0), 40))
    chis = _chis(halves, axes, sigmas)
    best = int(np.argmin(chis))
    sigma = float(sigmas[best])
    (gram, cross, _, count), other = halves
    gram, cross, count = gram + other[0], cross + other[1], count + other[3]
    if smallest <= 0:  # a picture that leaves weights open hides its noise, too
        return 0.0
    kernel = np.linalg.solve(gram - sigma**2 * count * np.eye(len(gram)), cross)
    expected = sigma**2 * float(kernel @ kernel) + floor**2
    left = [_variance(half, kernel) / expected for half in halves]
    rest = drawn.after - drawn.patches @ kernel
    tails = float((rest**4).mean() / max((rest**2).mean(), 1e-12) ** 2)  # 3 of normal noise
    alike = min(left) > ALIKE[0] and max(left) < ALIKE[1] and tails < HEAVY
    return sigma if alike and chis[best] < NOISE_LEAVES * chis[0] else 0.0


def _sums(patches: np.ndarray, after: np.ndarray) -> Half:
    """X'X (m x m), X'y (m), y'y, n about the means of all."""
    return patches.T @ patches, patches.T @ after, float(after @ after), len(after)


def _difference(halves: Sequence[Half]) -> tuple[np.ndarray, np.ndarray]:
    """The difference of the halves' kernels (m) and its covariance."""
    kernels, covariances = [], []
    for gram, cross, energy, count in halves:
        inverse = np.linalg.inv(gram + DAMPED * np.trace(gram) * np.eye(len(gram)))
        kernel = inverse @ cross
        kernels.append(kernel)
        variance = _variance((gram, cross, energy, count), kernel)
        covariances.append(max(variance, ROUNDED) * (inverse @ gram @ inverse))
    return kernels[0] - kernels[1], covariances[0] + covariances[1]


def _chis(
    halves: Sequence[Half], axes: Sequence[tuple[np.ndarray, np.ndarray]], sigmas: np.ndarray
) -> list[float]:
    """Chi-squared per weight of the difference of two halves, with noise of each sigma taken off.

    axes: eigenvalues and eigenvectors of each X'X. What is taken off its diagonal changes the
    eigenvalues alone; all is told along the axes of the first half.
    """
    turned = axes[0][1].T @ axes[1][1]
    along = [vectors.T @ half[1] for (_, vectors), half in zip(axes, halves, strict=True)]
    found = []
    for sigma in sigmas:
        kernels, spreads = [], []
        for (values, _), cross, (gram, _, energy, count) in zip(axes, along, halves, strict=True):
            inverse = 1 / (values + DAMPED * np.trace(gram) - sigma**2 * count)
            kernel = inverse * cross
            left = max(float(energy - 2 * kernel @ cross + kernel**2 @ values), 0) / count
            kernels.append(kernel)
            spreads.append(max(left, ROUNDED) * inverse**2 * values.clip(0))
        wide = turned * np.sqrt(spreads[1])
        covariance = wide @ wide.T
        covariance[np.diag_indices_from(covariance)] += spreads[0]
        found.append(_chi(kernels[0] - turned @ kernels[1], covariance))
    return found


def _variance(half: Half, kernel: np.ndarray) -> float:
    """Mean square of what a kernel leaves of a half."""
    gram, cross, energy, count = half
    return max(float(energy - 2 * kernel @ cross + kernel @ gram @ kernel), 0) / count


def _chi(difference: np.ndarray, covariance: np.ndarray) -> float:
    """d' C^-1 d / m; directions in which C is next to nothing say nothing."""
    try:
        pivots = np.diag(np.linalg.cholesky(covariance)) ** 2
    except np.linalg.LinAlgError:
        pivots = np.zeros(1)
    if pivots.min() > SOUND * pivots.max():
        solved = np.linalg.solve(covariance, difference)
    else:
        solved = np.linalg.pinv(covariance, hermitian=True) @ difference
    return float(difference @ solved) / len(difference)


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
        own = patches.reshape(len(patches), free.size)[:, free.ravel()]
        parts.append((own.astype(np.float64), after, whole, share))
    if not parts or sum(len(part[1]) for part in parts) < 12 * unknowns:
        return None
    patches, after, whole, share = map(np.concatenate, zip(*parts, strict=True))
    after = after.astype(np.float64)
    rows, columns = whole.T
    return Drawn(patches - patches.mean(axis=0), after - after.mean(), rows, columns, share, free)
