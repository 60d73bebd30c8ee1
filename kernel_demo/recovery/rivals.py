"""What explains a pair better than a kernel: a tone curve, an operation, a kernel of the light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import cv2
import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Pair, Plane, between, planes_of, sample, sums
from kernel_demo.recovery.explanations import CURVES, Curve, Other, Told
from kernel_demo.recovery.fitting import Fit, least_squares
from kernel_demo.recovery.operations import BY_LIGHT, LIGHTS, OPERATIONS, WHITE, Operation

# An operation is named if it leaves at most this share of what the best kernel leaves.
BETTER = 0.7
# What leaves more than this share of after's contrast is a turn or another picture, of which an
# operation happens to explain more than a kernel does. One on light has as many weights as any.
OF_LIGHT, OF_OTHERS = 0.1, 0.3
# What is done again leaves at most these shares: of what the kernel does, and behind JPEG of the
# contrast of after, too; and where nothing was lost on the way, this share of the pixels comes out.
OF_KERNEL, OF_AFTER, ALL = 0.25, 0.12, 0.99
# What leaves less, in grey levels RMS, explains a pair to the rounding.
EXPLAINED = 0.6
HALF_A_LEVEL = 0.5 / 255  # a gamma curve nearer than this to none is none
TONE_PIXELS = 2_000_000
# Fewer pixels for each grey level follow some curve whatever the operation.
TONES_PIXELS = 4
OPEN = 0.02  # share of the pixels that must not be cut off for a curve to be told
FEW = 16  # levels, at most, that make a posterisation
EDGE = 1e-3  # grey levels, for float32
NEAR_CURVE = 0.012  # of white: a curve this near to a named one has its name


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
    def explains(self) -> bool:
        """Whether it makes all but a few of the pixels."""
        return (self.reproduced or 0) >= ALL

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
        near = np.abs(before_levels[dark] ** exponent - after_levels[dark]).max() < NEAR_CURVE
        if near and np.abs(before_levels**exponent - before_levels).max() > HALF_A_LEVEL:
            return Curve.GAMMA, {"exponent": exponent}
    shares = np.cumsum(count) / count.sum()
    if np.abs(shares - shares[0] - after_levels * (1 - shares[0])).max() < 0.02:
        return Curve.EQUALISED, {}
    return Curve.FREE, {}
