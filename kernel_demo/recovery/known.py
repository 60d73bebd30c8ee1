"""Known operations that are no convolution, tried on a pair that no kernel explains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging import kernels, operators
from kernel_demo.imaging.filtering import correlate, correlate_valid
from kernel_demo.recovery.fitting import Fit
from kernel_demo.recovery.nonlinearity import PICTURE_LIKE, Evidence
from kernel_demo.recovery.planes import Plane, sample, sums

# An operation is named if it leaves at most this share of what the best kernel leaves.
BETTER = 0.7
TONE_PIXELS = 2_000_000
# Fewer pixels for each grey level follow some curve whatever the operation.
TONES_PIXELS = 4


@dataclass(frozen=True)
class Alternative:
    """What explains the pair better than a kernel does."""

    name: str  # as one says it in a sentence: "a median filter, 3 x 3"
    residual: float | None  # RMS in grey levels of the after file; None: found by other signs


def _derivative(key: str, size: int = 3) -> np.ndarray:
    return kernels.named(key, size).values


def _sum_of_absolutes(image: np.ndarray) -> np.ndarray:
    across = _derivative("sobel_x")
    return np.abs(correlate(image, across)) + np.abs(correlate(image, across.T))


# Each is fitted as after = a * operation(before) + b. Pictures are float32, 0..1.
_OPERATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "a median filter, 3 x 3": lambda image: operators.median(image, 3),
    "a median filter, 5 x 5": lambda image: operators.median(image, 5),
    "a dilation, 3 x 3": operators.dilate,
    "an erosion, 3 x 3": lambda image: -operators.dilate(-image),
    "a dilation, 5 x 5": lambda image: operators.dilate(image, 5),
    "an erosion, 5 x 5": lambda image: -operators.dilate(-image, 5),
    "a morphological gradient, 3 x 3": lambda i: operators.dilate(i) + operators.dilate(-i),
    "the sum of absolute Sobel derivatives": _sum_of_absolutes,
    "a bilateral filter": operators.bilateral,
}
_OPERATIONS |= {
    f"a gradient magnitude ({label})": lambda image, key=key: operators.magnitude(
        image, _derivative(key)
    )
    for key, label in (("sobel_x", "Sobel"), ("scharr_x", "Scharr"), ("prewitt_x", "Prewitt"))
}
_OPERATIONS |= {
    f"the absolute value of {label}": lambda image, key=key: operators.absolute(
        image, _derivative(key)
    )
    for key, label in (
        ("sobel_x", "Sobel x"),
        ("sobel_y", "Sobel y"),
        ("scharr_x", "Scharr x"),
        ("scharr_y", "Scharr y"),
        ("prewitt_x", "Prewitt x"),
        ("prewitt_y", "Prewitt y"),
        ("laplacian_4", "the Laplacian, 4 neighbours"),
        ("laplacian_8", "the Laplacian, 8 neighbours"),
        ("roberts_down", "the Roberts difference, down"),
        ("roberts_up", "the Roberts difference, up"),
    )
}


def better(fit: Fit, evidence: Evidence | None, planes: list[Plane]) -> Alternative | None:
    """The known operation that explains the planes best, if clearly better than the kernel."""
    step = planes[0].step
    kernel_leaves = fit.residual / step
    found = [a for a in (tone_curve(planes), _linear_light(fit)) if a is not None]
    found += list(_pixelwise(fit))
    best = min(found, key=lambda a: a.residual, default=None)
    if best is not None and best.residual < BETTER * kernel_leaves:
        return best
    if evidence is None:
        return None
    if abs(evidence.autocorrelation) > PICTURE_LIKE and fit.explained < 0.9:
        return Alternative("a change of geometry (rotation, scaling) or another picture", None)
    if evidence.varying:
        return Alternative("a filter that varies over the picture, such as a varying blur", None)
    return None


def _pixelwise(fit: Fit) -> Iterator[Alternative]:
    """Each of _OPERATIONS with the scale and offset that suit it best."""
    for name, operation in _OPERATIONS.items():
        pairs = []
        for tile, mask in zip(fit.tiles, fit.masks, strict=True):
            inner = np.s_[4:-4, 4:-4]
            image = tile.before.astype(np.float32) / np.float32(tile.peak)
            values = operation(image)[inner][mask[inner]] * np.float32(tile.peak)
            pairs.append((values.astype(np.float64), tile.after[inner][mask[inner]]))
        x, y = (np.concatenate(part).astype(np.float64) for part in zip(*pairs, strict=True))
        if len(x) < 100 or x.std() == 0:
            continue
        slope = ((x - x.mean()) * (y - y.mean())).mean() / x.var()
        rest = y - y.mean() - slope * (x - x.mean())
        yield Alternative(name, float(rest.std()) / fit.tiles[0].step)


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
    inside = before - (np.bincount(level, before, 256) / count)[level]
    spread = np.maximum(np.bincount(level, inside**2, 256), 1e-9)
    slope = np.bincount(level, inside * after, 256) / spread  # within one of 256 levels
    residual = float(np.sqrt(((after - mean[level] - slope[level] * inside) ** 2).mean()))
    seen = np.flatnonzero(np.bincount(level, minlength=256))
    if len(seen) < 3 or len(before) < TONES_PIXELS * len(seen) or np.ptp(mean[seen]) < 1:
        return None
    return Alternative(_curve_name(after, seen / 255, mean[seen] / white, count[seen]), residual)


def _curve_name(after, before_levels, after_levels, count) -> str:
    values = len(np.unique(after))
    if values == 2:
        return "a threshold"
    if values <= 16:
        return f"a posterisation to {values} levels"
    dark = (before_levels > 0.02) & (after_levels > 0.02) & (after_levels < 0.995)
    if dark.sum() > 10:
        exponents = np.log(after_levels[dark]) / np.log(np.minimum(before_levels[dark], 0.999))
        exponent = float(np.average(exponents, weights=count[dark]))
        if np.abs(before_levels[dark] ** exponent - after_levels[dark]).max() < 0.012:
            return f"a gamma curve with exponent {exponent:.2f}"
    shares = np.cumsum(count) / count.sum()
    if np.abs(shares - shares[0] - after_levels * (1 - shares[0])).max() < 0.02:
        return "a histogram equalisation"
    return "a tone curve: each pixel by itself"


# Curves between stored values and light: sRGB's, and the power law of 2.2.
_CURVES = (
    (operators.to_light, operators.from_light),
    (lambda stored: stored**2.2, lambda light: np.clip(light, 0, 1) ** (1 / 2.2)),
)


def _linear_light(fit: Fit) -> Alternative | None:
    """A kernel on the light instead of the stored values."""
    size = min(len(fit.kernel), 9)
    best = None
    for decode, encode in _CURVES:
        tiles = [
            # Grey made of colours by weights may lie beyond black and white.
            Plane(decode(np.clip(t.before / t.peak, 0, 1)), decode(t.after / t.peak), None, 1, 1)
            for t in fit.tiles
        ]
        total = sums(tiles, fit.masks, size)
        if total is None:
            continue
        found, edge, squares, count = total.solve(), size // 2, 0.0, 0
        for light, tile, mask in zip(tiles, fit.tiles, fit.masks, strict=True):
            inner = np.s_[edge : mask.shape[0] - edge, edge : mask.shape[1] - edge]
            value = encode(correlate_valid(light.before, found.kernel, found.offset)) * tile.peak
            error = (value - tile.after[inner])[mask[inner]] / tile.step
            squares, count = squares + float(error @ error), count + len(error)
        residual = (squares / max(count, 1)) ** 0.5
        if best is None or residual < best.residual:
            best = Alternative("a convolution of the light (gamma decoded and encoded)", residual)
    return best
