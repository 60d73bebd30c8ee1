"""What has a name: kernels of the catalogue and of families, and operations that are no kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain

import cv2
import numpy as np

from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE, gaussian, grid, identity
from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery.alignment import Pair, Plane, between, planes_of, sample, sums
from kernel_demo.recovery.explanations import CURVES, Curve, Other, Told
from kernel_demo.recovery.fitting import Fit, box, least_squares
from kernel_demo.recovery.operations import BY_LIGHT, LIGHTS, OPERATIONS, WHITE, Operation

# An operation is named if it leaves at most this share of what the best kernel leaves.
BETTER = 0.7
# What leaves more than this share of after's contrast is a turn or another picture, of which an
# operation happens to explain more than a kernel does. One on light has as many weights as any.
OF_LIGHT, OF_OTHERS = 0.1, 0.3
# What leaves less, in grey levels RMS, explains a pair to the rounding.
EXPLAINED = 0.6
TONE_PIXELS = 2_000_000
# Fewer pixels for each grey level follow some curve whatever the operation.
TONES_PIXELS = 4
OPEN = 0.02  # share of the pixels that must not be cut off for a curve to be told
FEW = 16  # levels, at most, that make a posterisation
EDGE = 1e-3  # grey levels, for float32
NEAR_CURVE = 0.012  # of white: a curve this near to a named one has its name
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
            return f", times {self.scale:.4g}".replace("-", "−")
        if simple.numerator == 1:
            return f", divided by {simple.denominator}"
        return f", times {simple}".replace("-", "−")


@dataclass(frozen=True, eq=False)
class Alternative:
    """What explains the pair better than a kernel does, or more plainly.

    Where it can be done again there is `code`; figures and pictures are of what that code makes.
    """

    kind: Other
    residual: float | None = None  # RMS in grey levels of after; None: found by other signs
    figures: Mapping[str, object] = field(default_factory=dict)  # that the kind's sentences name
    parameters: Mapping[str, object] = field(default_factory=dict)  # plain numbers and words
    operation: Operation | None = None  # of OPERATION
    kernel: np.ndarray | None = None  # k x k, float64: of the light
    standard_error: np.ndarray | None = None  # of the kernel, or of the matrix, like it
    # 256, or 3 x 256 for red, green and blue: grey levels of after for 0 to 255 255ths of white
    curve: np.ndarray | None = None
    matrix: np.ndarray | None = None  # outputs x inputs: each pixel's channels by those of before
    reproduced: float | None = None  # share of the pixels that count that come out exactly
    code: str = ""  # Python with NumPy and OpenCV: makes after.png of before.png
    reproduction: np.ndarray | None = field(default=None, repr=False)  # like after, same dtype
    residual_map: np.ndarray | None = field(default=None, repr=False)  # float32: after - that

    @property
    def name(self) -> str:
        """As one says it in a sentence: "a median filter, 3 × 3"."""
        return Told(self.kind, self.figures).sentences()[0]

    @property
    def remedy(self) -> str:
        """What to do now, one sentence."""
        return Told(self.kind, self.figures).sentences()[1]


def operation(fit: Fit, planes: list[Plane]) -> Alternative | None:
    """The known operation that explains the planes best, if clearly better than the kernel."""
    found = []
    for other in chain([tone_curve(planes)], _pixelwise(fit), _linear_light(fit)):
        if other is not None and other.residual is not None:
            found.append((other.residual, other))
            if other.residual <= EDGE:
                break  # nothing leaves less
    # The kernel's is of nearly all pixels, the others' of those in the sample.
    own = least_squares(fit.total.shrink(min(len(fit.kernel), fit.total.size)))[2] ** 0.5
    least = min(fit.residual, own)
    kernel_leaves = least / planes[0].step
    after = kernel_leaves / max(1 - fit.explained, 1e-12) ** 0.5  # its standard deviation
    clear = [
        (left, other)
        for left, other in found
        if left < BETTER * kernel_leaves
        and left < (OF_LIGHT if other.kind == Other.LIGHT else OF_OTHERS) * after
    ]
    return min(clear, key=lambda one: one[0], default=(0.0, None))[1]


def _pixelwise(fit: Fit) -> Iterator[Alternative]:
    """Each of OPERATIONS with the scale and offset that suit it best."""
    for operation in OPERATIONS:
        pairs = []
        for tile in fit.tiles:
            inner = np.s_[4:-4, 4:-4]
            keep = tile.used[inner]
            image = tile.before.astype(np.float32) / np.float32(tile.peak / WHITE)
            values = operation.apply(image)[inner][keep] * np.float32(tile.peak / WHITE)
            pairs.append((values.astype(np.float64), tile.after[inner][keep]))
        x, y = (np.concatenate(part).astype(np.float64) for part in zip(*pairs, strict=True))
        if len(x) < 100 or x.std() == 0:
            continue
        slope = ((x - x.mean()) * (y - y.mean())).mean() / x.var()
        rest = y - y.mean() - slope * (x - x.mean())
        left = float(rest.std()) / fit.tiles[0].step
        figures = {"operation": operation.name}
        yield Alternative(Other.OPERATION, left, figures, operation=operation)


def tone_curve(planes: list[Plane]) -> Alternative | None:
    """A function of the pixel alone, if after is one: gamma, equalisation, threshold, a curve."""
    tiles = sample(planes, TONE_PIXELS)
    peak, step = planes[0].peak, planes[0].step
    before = np.concatenate([t.before.ravel() for t in tiles]).astype(np.float64)
    after = np.concatenate([t.after.ravel() for t in tiles]).astype(np.float64) / step
    white = peak / step
    level = np.clip(before * (255 / peak), 0, 255).astype(int)
    count = np.maximum(np.bincount(level, minlength=256), 1)
    mean = np.bincount(level, after, 256) / count
    middle = np.bincount(level, before, 256) / count
    inside = before - middle[level]
    spread = np.maximum(np.bincount(level, inside**2, 256), 1e-9)
    slope = np.bincount(level, inside * after, 256) / spread  # within one of 256 levels
    residual = float(np.sqrt(((after - mean[level] - slope[level] * inside) ** 2).mean()))
    seen = np.flatnonzero(np.bincount(level, minlength=256))
    if len(seen) < 3 or len(before) < TONES_PIXELS * len(seen) or np.ptp(mean[seen]) < 1:
        return None
    # Black and white alone are a threshold; hardly anything else may be any operation, cut off.
    levels = len(np.unique(after))
    open_range = between(after * step, planes[0].clip)
    if levels > 2 and open_range.mean() < OPEN:
        return None
    kept = (mean[seen] > planes[0].clip[0] / step) & (mean[seen] < planes[0].clip[1] / step)
    if _straight(middle[seen[kept]], mean[seen[kept]]):
        return None
    levels = levels if levels < len(seen) else 0  # else none were put together
    curve, parameters = _curve(levels, seen / 255, mean[seen] / white, count[seen])
    figures = {"curve": CURVES[curve].format(**parameters)}
    return Alternative(Other.CURVE, residual, figures, {"curve": curve, **parameters})


def curve_of(pairs: Sequence[Pair]) -> Alternative | None:
    """A function of each pixel by itself that explains every channel to the rounding."""
    answers = pairs[0].after.shape[2]
    if pairs[0].before.shape[2] > answers:
        return None
    found = [tone_curve(planes_of(list(pairs), c)) for c in range(answers)]
    explained = all(
        curve is not None and curve.residual is not None and curve.residual <= EXPLAINED
        for curve in found
    )
    return found[0] if explained else None


def _straight(levels: np.ndarray, values: np.ndarray) -> bool:
    """Whether a line comes within half a level of all values: rounded, it explains them as well.

    The height of a set of points along the vertical is least in the direction of an edge of its
    convex hull. False of two values, or none: a threshold is as much as a line there.
    """
    if len(levels) < 3:
        return False
    hull = cv2.convexHull(np.stack([levels, values], axis=1).astype(np.float32))[:, 0]
    right, up = (np.roll(hull, -1, axis=0) - hull).T
    slopes = up[right != 0] / right[right != 0]
    return bool(np.ptp(values[:, None] - slopes * levels[:, None], axis=0).min() <= 1 + EDGE)


def _curve(
    levels: int, before_levels: np.ndarray, after_levels: np.ndarray, count: np.ndarray
) -> tuple[Curve, dict[str, float]]:
    """Which curve it is, and its parameters.

    levels: to which others were put together; 0: none were.
    """
    if levels == 2:
        return Curve.THRESHOLD, {}
    if 0 < levels <= FEW:
        return Curve.POSTERISED, {"levels": levels}
    for curve, does in BY_LIGHT.items():
        if np.abs(does(before_levels) - after_levels).max() < NEAR_CURVE / 2:
            return curve, {}
    dark = (before_levels > 0.02) & (after_levels > 0.02) & (after_levels < 0.995)
    if dark.sum() > 10:
        exponents = np.log(after_levels[dark]) / np.log(np.minimum(before_levels[dark], 0.999))
        exponent = float(np.average(exponents, weights=count[dark]))
        if np.abs(before_levels[dark] ** exponent - after_levels[dark]).max() < NEAR_CURVE:
            return Curve.GAMMA, {"exponent": exponent}
    shares = np.cumsum(count) / count.sum()
    if np.abs(shares - shares[0] - after_levels * (1 - shares[0])).max() < 0.02:
        return Curve.EQUALISED, {}
    return Curve.FREE, {}


def _linear_light(fit: Fit) -> Iterator[Alternative]:
    """A kernel on the light instead of the stored values, for each way to store it."""
    size = min(len(fit.kernel), 9)
    for curve in LIGHTS:
        decode, encode = curve.decode, curve.encode
        lights = []
        for tile in fit.tiles:
            # Grey made of colours by weights may lie beyond black and white.
            before = decode(np.clip(tile.before / tile.peak, 0, 1))
            lights.append(replace(tile, before=before, after=decode(tile.after / tile.peak)))
        total = sums(lights, size)
        if total is None:
            continue
        found, squares, count = total.solve(), 0.0, 0
        for light, tile in zip(lights, fit.tiles, strict=True):
            inner = tile.inside(size)
            value = encode(correlate_valid(light.before, found.kernel, found.offset)) * tile.peak
            error = (value - tile.after[inner])[tile.used[inner]] / tile.step
            squares, count = squares + float(error @ error), count + len(error)
        residual = (squares / max(count, 1)) ** 0.5
        parameters = {"curve": curve.name}
        yield Alternative(
            Other.LIGHT,
            residual,
            parameters=parameters,
            kernel=found.kernel,
            standard_error=found.standard_error,
        )


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


def behind_noise(name: Name, total: Statistics) -> Name | None:
    """The name with the scale that the sums of a pair allow; None where they speak against it.

    total: of the kernel's size. What a kernel leaves beyond the best one, (k - k')' X'X (k - k'),
    is the variance of the noise times chi-squared with k*k degrees of freedom. A formula is told
    where another parameter is spoken against: else its digits would be none. So is a kernel where
    one is that falls off otherwise from its middle by SAME: a wide Gaussian is nearly a box.
    """
    best, _, variance = least_squares(total)
    gram = total.centred[0].astype(np.float64)
    most = variance * _chi_squared(best.size)

    def left(kernel: np.ndarray) -> float:
        off = (kernel - best).ravel()
        return float(off @ gram @ off)

    if (formula := name.formula) is not None:
        member = formula.member
        sigma = min(formula.sigma * NEARBY, key=lambda s: left(member(s)))
        formula = replace(formula, sigma=float(sigma))
        own, *others = map(left, formula.members)
        if own > most or min(others) <= TWICE**2 * most:
            return None
        weights = formula.members[0].ravel()
        bars = BARS * TWICE * (variance / float(weights @ gram @ weights)) ** 0.5
        return replace(name, name=formula.told(sigma), formula=formula, near=min(name.near, bars))
    if name.kernel is None:
        return None
    weights = name.kernel.ravel()
    power = float(weights @ gram @ weights)
    if power <= 0:
        return None
    scale = float(weights @ gram @ best.ravel()) / power
    bars = BARS * TWICE * (variance / power) ** 0.5
    if scale == 0 or (own := left(scale * name.kernel)) > most:
        return None
    change = name.kernel * np.square(grid(len(best))).sum(axis=0)
    change -= name.kernel * (weights @ gram @ change.ravel() / power)
    if np.abs(change).max() > EXACTLY * np.abs(name.kernel).max():  # else all are as far away
        change *= SAME * np.abs(name.kernel).max() / np.abs(change).max()
        others = [left(scale * (name.kernel + by * change)) for by in (-1, 1)]
        if min(others) < own + RARE**2 * variance:
            return None
    return replace(name, scale=scale, near=min(name.near, bars / abs(scale)))


def spoken_against(kernel: np.ndarray, total: Statistics, times: float) -> bool:
    """Whether a kernel (k x k) leaves more than noise does, by the sums of its size.

    times: by how much errors may be larger than those of independent noise, 1 or TWICE.
    """
    best, _, variance = least_squares(total)
    off = (kernel - best).ravel()
    left = float(off @ total.centred[0].astype(np.float64) @ off)
    return left > times**2 * variance * _chi_squared(best.size)


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
