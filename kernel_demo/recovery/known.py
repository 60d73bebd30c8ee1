"""Kernels that have a name, of the catalogue or a family; and whether noise and losses allow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE, gaussian, grid, identity
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery.fitting import box, least_squares

# Largest difference, as a share of the largest weight, at which two kernels are the same.
SAME = 0.01
# ... of weights that are no round numbers: bars, and what a tool's own arithmetic leaves.
BARS, ROUNDED = 5, 2e-4
EXACTLY = 1e-6  # share of the scale by which one of round numbers may be off
# Share of all numbers that lie so near to a simple one, at most, where that is told in their place.
CHANCE = 0.05
# Behind noise: deviations of a normal variable (odds of 10^-4) at which a kernel is spoken against;
# by as much as errors may be larger than those of independent noise, where one must be, for another
# to be told; and how far the parameter of a formula would then be off, as a share.
RARE, TWICE, OFF = 3.7, 2.0, 0.02
NEARBY = np.linspace(0.8, 1.2, 201)  # times the parameter found from weights alone: with noise
# Behind JPEG: the share of the coefficients that a kernel with a name may have less than the best
# one (where most results lie on halves of levels, 0.002), and that another parameter must. Measured
# on eleven filters, four qualities, two photos: names that were wrong had 0.01 to 0.03 less.
LESS, TELLING = 0.003, 5e-4
CONTRAST, NEGATIVE = "Change of contrast", "Negative"  # a weight of the pixel itself alone
ANGLES = range(0, 180, 15)
SIGMAS = np.geomspace(0.3, 6, 120)


@dataclass(frozen=True)
class Formula:
    """Kernels k x k of one parameter, sigma."""

    sigma: float
    member: Callable[[float], np.ndarray]
    told: Callable[[float], str]  # the name of that member

    @property
    def members(self) -> tuple[np.ndarray, ...]:
        """What it says, and what it would with another parameter."""
        return tuple(self.member(self.sigma * by) for by in (1, 1 - OFF, 1 + OFF))


@dataclass(frozen=True)
class Name:
    """A kernel of the catalogue, or of a family, and how this one differs from it."""

    name: str  # "Sobel x 3 × 3"
    scale: float  # this kernel = scale * the named one
    flipped: bool = False  # turned by 180 degrees: the tool convolves where we correlate
    near: float = SAME / 2  # scales that near to a simple number are told as that one
    # k x k: the named one; None: of a formula
    kernel: np.ndarray | None = field(default=None, repr=False, compare=False)
    formula: Formula | None = field(default=None, repr=False, compare=False)

    @property
    def simple(self) -> Fraction | None:
        """The scale, where it is told as 1 or another simple number; None: by its digits.

        Up to a denominator d there are some d**2 / 3 fractions between 0 and 1, so that any number
        is near to one of a large d. Whole numbers and their inverses are few.
        """
        within = self.near * abs(self.scale)
        for number in (Fraction(1), Fraction(self.scale).limit_denominator(32)):
            rare = 1 in (number.numerator, number.denominator)
            if not rare and within * number.denominator**2 > CHANCE:
                continue
            if abs(float(number) - self.scale) <= within:
                return number
        return None

    def __str__(self) -> str:
        turned = ", flipped (a convolution in the strict sense)" if self.flipped else ""
        return self.name + self._scaled() + turned

    def _scaled(self) -> str:
        """ ", divided by 4", or nothing for 1."""
        simple = self.simple
        if simple == 1:
            return ""
        if simple is None:
            factor = f"{self.scale:.4g}"
            return "" if factor == "1" else f", times {factor}".replace("-", "−")
        if simple.numerator == 1:
            return f", divided by {simple.denominator}"
        return f", times {simple}".replace("-", "−")


def kernel(
    values: np.ndarray, by_formula: bool = True, errors: np.ndarray | None = None
) -> Name | None:
    """The name of a kernel (k x k), if it has one.

    by_formula: a Gaussian or an unsharp mask of any sigma, too. errors: standard errors (k x k) of
    weights that are no round numbers; no kernel that they speak against is named, nor one that is
    SAME of the largest weight off. None: they are round numbers, and have the name of others only
    where those are the catalogue's and no round numbers.
    """
    largest = np.abs(values).max()
    if largest == 0:
        return None
    if errors is None:
        within, near = np.full(values.shape, EXACTLY * largest), Name.near
        rounded = SAME * largest
    else:
        within = np.minimum(SAME * largest, BARS * errors + ROUNDED * largest)
        near, rounded = min(Name.near, float(within.max() / largest)), 0.0
    catalogued = _of_catalogue(values, within, rounded)
    named = _contrast(values, within) or catalogued or _box(values, within)
    if named:
        return _to_the_last_digit(named, values) if errors is None else replace(named, near=near)
    found = (_gaussian(values, within) or _unsharp(values, within)) if by_formula else None
    return None if found is None else replace(found, near=near)


def _to_the_last_digit(name: Name, values: np.ndarray) -> Name:
    """The name of round numbers: its scale is theirs.

    Fixed-point weights are only near to those of a formula, but their sum is that of the formula's.
    """
    kernel = name.kernel
    assert kernel is not None  # the catalogue's
    if abs(kernel.sum()) > SAME:
        return replace(name, scale=float(values.sum() / kernel.sum()), near=EXACTLY)
    same = np.abs(values - name.scale * kernel).max() <= EXACTLY * np.abs(values).max()
    return replace(name, near=EXACTLY) if same else name


@dataclass(frozen=True, eq=False)
class _Sums:
    """What the sums of a pair allow of a kernel of their size (k x k), where noise is independent.

    What one leaves beyond the best, (k - k')' X'X (k - k'), is the variance of the noise times
    chi-squared with k*k degrees of freedom.
    """

    best: np.ndarray  # k x k
    gram: np.ndarray  # k*k x k*k: X'X about the means
    variance: float

    @classmethod
    def of(cls, total: Statistics) -> _Sums:
        best, _, variance = least_squares(total)
        return cls(best, total.centred[0].astype(np.float64), variance)

    def left(self, kernel: np.ndarray) -> float:
        """What a kernel leaves more than the best one does."""
        off = (kernel - self.best).ravel()
        return float(off @ self.gram @ off)

    @property
    def most(self) -> float:
        """More than this a true kernel hardly ever leaves."""
        return self.variance * _chi_squared(self.best.size)

    def bars(self, power: float) -> float:
        """Of the scale of a kernel whose picture has that power."""
        return BARS * TWICE * (self.variance / power) ** 0.5


def behind_noise(name: Name, total: Statistics) -> Name | None:
    """The name with the scale that the sums of a pair allow; None where they speak against it.

    total: of the kernel's size. A formula is told where another parameter is spoken against: else
    its digits would be none. So is a kernel where one is that falls off otherwise from its middle
    by SAME: a wide Gaussian is nearly a box.
    """
    seen = _Sums.of(total)
    if name.formula is not None:
        return _formula_behind(name, name.formula, seen)
    return None if name.kernel is None else _kernel_behind(name, name.kernel, seen)


def _formula_behind(name: Name, formula: Formula, seen: _Sums) -> Name | None:
    member = formula.member
    sigma = min(formula.sigma * NEARBY, key=lambda s: seen.left(member(s)))
    formula = replace(formula, sigma=float(sigma))
    own, *others = map(seen.left, formula.members)
    if own > seen.most or min(others) <= TWICE**2 * seen.most:
        return None
    weights = formula.members[0].ravel()
    bars = seen.bars(float(weights @ seen.gram @ weights))
    return replace(name, name=formula.told(sigma), formula=formula, near=min(name.near, bars))


def _kernel_behind(name: Name, kernel: np.ndarray, seen: _Sums) -> Name | None:
    weights = kernel.ravel()
    power = float(weights @ seen.gram @ weights)
    if power <= 0:
        return None
    scale = float(weights @ seen.gram @ seen.best.ravel()) / power
    if scale == 0 or (own := seen.left(scale * kernel)) > seen.most:
        return None
    change = kernel * np.square(grid(len(kernel))).sum(axis=0)
    change -= kernel * (weights @ seen.gram @ change.ravel() / power)
    if np.abs(change).max() > EXACTLY * np.abs(kernel).max():  # else all are as far away
        change *= SAME * np.abs(kernel).max() / np.abs(change).max()
        others = [seen.left(scale * (kernel + by * change)) for by in (-1, 1)]
        if min(others) < own + RARE**2 * seen.variance:
            return None
    return replace(name, scale=scale, near=min(name.near, seen.bars(power) / abs(scale)))


def spoken_against(kernel: np.ndarray, total: Statistics, times: float) -> bool:
    """Whether a kernel (k x k) leaves more than noise does, by the sums of its size.

    times: by how much errors may be larger than those of independent noise, 1 or TWICE.
    """
    seen = _Sums.of(total)
    return seen.left(kernel) > times**2 * seen.most


def _chi_squared(degrees: int) -> float:
    """What chi-squared is hardly ever above (Wilson & Hilferty 1931)."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + RARE * spread**0.5) ** 3)


def behind_losses(
    name: Name, best: float | None, alike: Callable[[np.ndarray], float | None]
) -> Name | None:
    """The name, where its own kernel makes as many of a JPEG file's coefficients; else None.

    best: the share that the kernel makes; alike: that of another (k x k). None: it is not known.
    """
    if name.formula is not None:
        kernels = name.formula.members
    elif name.kernel is not None:
        kernels = (float(name.simple or name.scale) * name.kernel,)
    else:
        return None
    own, *others = (alike(kernel) for kernel in kernels)
    if best is None or own is None or own < best - LESS:
        return None
    return None if any(other is None or other > own - TELLING for other in others) else name


def _contrast(kernel: np.ndarray, tolerance: np.ndarray) -> Name | None:
    middle = identity(len(kernel))
    pixel = float((kernel * middle).sum())
    alone = (np.abs(kernel - pixel * middle) <= tolerance).all()
    if not alone or abs(pixel - 1) <= SAME / 2:
        return None
    return Name(CONTRAST if pixel > 0 else NEGATIVE, abs(pixel), kernel=np.sign(pixel) * middle)


def _of_catalogue(kernel: np.ndarray, tolerance: np.ndarray, rounded: float = 0.0) -> Name | None:
    """tolerance: of each weight, k x k; rounded: of those that fixed point makes round numbers."""
    size = len(kernel)
    found = []
    for key, entry in CATALOGUE.items():
        if size not in entry.sizes:
            continue
        for angle in ANGLES if entry.takes_angle else (0,):
            known = kernels.named(key, size, angle)
            for flipped in (False, True):
                values = known.values[::-1, ::-1] if flipped else known.values
                scale = float((kernel * values).sum() / (values * values).sum())
                # A symmetric kernel has no flip to tell a negative scale from.
                symmetric = np.array_equal(known.values, known.values[::-1, ::-1])
                fixed = 0.0 if _in_whole_numbers(values) else np.where(values != 0, rounded, 0)
                near = (np.abs(kernel - scale * values) <= np.maximum(tolerance, fixed)).all()
                if (scale > 0 or symmetric) and near:
                    found.append(Name(known.name, scale, flipped, kernel=values))
    return min(found, key=lambda n: (n.flipped, abs(n.scale - 1) > 1e-6), default=None)


def _in_whole_numbers(kernel: np.ndarray) -> bool:
    """Whether its weights are multiples of the smallest: fixed point does not change them."""
    weights = kernel[kernel != 0] / np.abs(kernel[kernel != 0]).min()
    return bool((np.abs(weights - np.rint(weights)) <= EXACTLY).all())


def _box(kernel: np.ndarray, tolerance: np.ndarray) -> Name | None:
    top, left, height, width = box(np.abs(kernel) > tolerance)
    place = np.s_[top : top + height, left : left + width]
    inner = kernel[place]
    if inner.size < 2 or inner.mean() < 0:
        return None
    if (np.abs(inner - inner.mean()) > tolerance[place]).any():
        return None
    plain = np.zeros(kernel.shape)
    plain[place] = 1 / inner.size
    return Name(f"Box blur {height} × {width}", float(inner.sum()), kernel=plain)


def _closest(
    kernel: np.ndarray, within: np.ndarray, family: Callable[[float], np.ndarray]
) -> float | None:
    """The parameter of SIGMAS, or between, whose member comes closest. None: not within that."""

    def off(sigma: float) -> float:
        return float((np.abs(kernel - family(sigma)) / within).max())

    sigmas = SIGMAS
    for _ in range(3):  # finer each time
        best = int(np.argmin([off(sigma) for sigma in sigmas]))
        sigmas = np.linspace(sigmas[max(best - 1, 0)], sigmas[min(best + 1, len(sigmas) - 1)], 41)
    sigma = float(min(sigmas, key=off))
    return sigma if off(sigma) <= 1 else None


def _gaussian(kernel: np.ndarray, within: np.ndarray) -> Name | None:
    total = kernel.sum()
    if total <= 0 or len(kernel) > 31:
        return None
    sigma = _closest(kernel, within, lambda s: total * gaussian(len(kernel), s))
    if sigma is None:
        return None
    formula = Formula(
        sigma, lambda s: total * gaussian(len(kernel), s), "Gaussian blur, sigma {:.2f}".format
    )
    return Name(formula.told(sigma), float(total), formula=formula)


def _unsharp(kernel: np.ndarray, within: np.ndarray) -> Name | None:
    """identity + amount * (identity - Gaussian), the amount by least squares."""
    middle = identity(len(kernel))
    if abs(kernel.sum() - 1) > 0.02 or kernel.max() != kernel[len(kernel) // 2, len(kernel) // 2]:
        return None

    def amount(sigma: float) -> float:
        detail = middle - gaussian(len(kernel), sigma)
        return float(((kernel - middle) * detail).sum() / (detail**2).sum())

    def member(sigma: float) -> np.ndarray:
        return middle + amount(sigma) * (middle - gaussian(len(kernel), sigma))

    # SAME of what it adds, which may be much less than its largest weight.
    sigma = _closest(kernel, np.minimum(within, SAME * np.abs(kernel - middle).max()), member)
    if sigma is None or amount(sigma) <= 0.01:
        return None
    if not 0.4 < sigma < len(kernel) / 3:  # else the Gaussian is no longer to be recognised
        return None
    formula = Formula(
        sigma, member, lambda s: f"Unsharp mask, sigma {s:.2f}, amount {amount(s):.2f}"
    )
    return Name(formula.told(sigma), 1.0, formula=formula)
