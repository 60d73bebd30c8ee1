"""Which channels go into which: the simplest arrangement of kernels that explains a pair.

One kernel for all channels, one for each, grey from colour (channels weighted, then one kernel), or
a full mixture with a kernel for each channel of after from each of before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.imaging.filtering import LUMINANCE
from kernel_demo.recovery import fitting, jpeg, mixture
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.explanations import Channels
from kernel_demo.recovery.fitting import Fit
from kernel_demo.recovery.planes import Plane

# A more complicated arrangement must leave at most this share of the simpler one's variance.
WORTH = 0.9
MIXTURE_WORTH = 0.3
NEAR_WEIGHTS = 0.05  # estimated channel weights this close to a known conversion's

# A kernel by JPEG's intervals replaces the least-squares one if its errors are below this share of
# its largest weight and it puts nearly all coefficients where they are. Measured at qualities 50 to
# 95: 99.7 % and more for convolutions, up to 99.5 % for mild nonlinear operations.
SURE, CONSISTENT = 0.05, 0.996
WIDEST_THROUGH_JPEG = 11


def _fixed_point(factors: tuple[int, int, int], bits: int) -> Callable[[np.ndarray], np.ndarray]:
    half = (1 << bits) >> 1
    return lambda colour: (colour.astype(np.int64) @ np.array(factors) + half) >> bits


def _imagemagick(colour: np.ndarray) -> np.ndarray:
    """Rounded to 16 bits (257 for a grey level), then cut off to 8."""
    return np.floor(np.floor(257 * (colour @ np.array(REC_709)) + 0.5) / 257)


REC_709 = (0.212656, 0.715158, 0.072186)
# Grey as libraries make it: weights of red, green, blue, and the rounding.
_CONVERSIONS = {
    "Rec. 601, 16 bits (Pillow)": (LUMINANCE, _fixed_point((19595, 38470, 7471), 16)),
    "Rec. 601, 15 bits (OpenCV)": (LUMINANCE, _fixed_point((9798, 19235, 3735), 15)),
    "Rec. 601, 14 bits (OpenCV)": (LUMINANCE, _fixed_point((4899, 9617, 1868), 14)),
    "Rec. 709 (ImageMagick)": (REC_709, _imagemagick),
    "Rec. 709, rounded": (REC_709, lambda colour: np.floor(colour @ np.array(REC_709) + 0.5)),
    "red": ((1, 0, 0), lambda colour: colour[..., 0]),
    "green": ((0, 1, 0), lambda colour: colour[..., 1]),
    "blue": ((0, 0, 1), lambda colour: colour[..., 2]),
    "mean": ((1 / 3, 1 / 3, 1 / 3), lambda colour: (2 * colour.sum(axis=2, dtype=int) + 3) // 6),
}


@dataclass(frozen=True, eq=False)
class Arrangement:
    """What explains a pair, if the kernels are right."""

    mode: Channels
    pairs: list[Pair]  # before made grey where the mode is GREY
    fits: list[Fit]  # one for all channels of after, or one for each; none in a mixture
    mixed: mixture.Mixture | None = None
    curved: float = 0.0  # in GREY: share of what a mixture leaves that depends on the colours
    weights: tuple[float, float, float] | None = None  # of red, green, blue in GREY
    compressed: jpeg.Compression | None = None  # what after went through, if that was looked for
    censored: jpeg.Censored | None = None  # the one kernel in spite of it, if it is surer

    @property
    def at_floor(self) -> bool:
        """Nothing but rounding is left in any channel."""
        if self.mixed is not None:
            return self.mixed.at_floor
        return all(fit.at_floor for fit in self.fits)

    @property
    def variance(self) -> float:
        """Mean square of what is left, in working units."""
        if self.mixed is not None:
            return self.mixed.residual**2
        return float(np.mean([fit.residual**2 for fit in self.fits]))

    @property
    def explained(self) -> float:
        """Share of after's variance, 0 to 1."""
        if self.mixed is not None:
            return self.mixed.explained
        return float(np.mean([fit.explained for fit in self.fits]))

    def planes(self, channel: int | None = None) -> list[Plane]:
        """The planes of a channel of after, or of all."""
        return planes(self.pairs, channel)


def planes(pairs: list[Pair], channel: int | None = None) -> list[Plane]:
    """Each channel of after with its own of before (or with the only one of before)."""
    found = []
    for pair in pairs:
        before, after, opaque = pair.overlap()
        for c in range(after.shape[2]) if channel is None else (channel,):
            b = before[..., min(c, before.shape[2] - 1)]
            found.append(Plane(b, after[..., c], opaque, pair.peak, pair.step))
    return found


def arrange(pairs: list[Pair], max_size: int) -> Arrangement | None:
    """The simplest arrangement that explains the pairs. None: too few pixels are not clipped."""
    colours, answers = pairs[0].before.shape[2], pairs[0].after.shape[2]
    if colours == 3 and answers == 1:
        return _grey(pairs, max_size)
    one = fitting.fit(planes(pairs), max_size)
    if one is None:
        return None
    simple = Arrangement(Channels.ONE, pairs, [one])
    if answers == 1 or one.at_floor:
        return simple
    each = [fitting.fit(planes(pairs, c), max_size) for c in range(answers)]
    best = simple
    if all(fit is not None for fit in each):
        separate = Arrangement(Channels.EACH, pairs, each)
        if separate.at_floor or separate.variance < WORTH * simple.variance:
            best = separate
    if best.at_floor or colours == 1:
        return best
    mixed = mixture.fit(pairs)
    if mixed and (mixed.at_floor or mixed.residual**2 < MIXTURE_WORTH * best.variance):
        return Arrangement(Channels.MIXTURE, pairs, [], mixed)
    return best


def _grey(pairs: list[Pair], max_size: int) -> Arrangement | None:
    """Colour before, grey after: the weights first, from a kernel for each channel."""
    mixed = mixture.fit(pairs, sizes=(1, 3, 5))
    if mixed is None:
        return None
    weights = _weights(mixed.kernels[0])
    tried = [
        (known, [_made_grey(pair, convert) for pair in pairs])
        for known, convert in _CONVERSIONS.values()
        if np.abs(known - weights).max() <= NEAR_WEIGHTS
    ]
    tried.append((weights, [_weighted(pair, weights) for pair in pairs]))
    best = None
    for known, grey in tried:
        found = fitting.fit(planes(grey), max_size)
        if found and (best is None or found.residual < 0.99 * best.fits[0].residual):
            known = tuple(map(float, known))
            best = Arrangement(Channels.GREY, grey, [found], None, mixed.curved, known)
        if best and best.at_floor:
            return best
    return best


def _weights(kernels: np.ndarray) -> np.ndarray:
    """The factors by which three kernels (3 x k x k) differ; absolute sum 1, largest above 0."""
    sums = kernels.sum(axis=(1, 2))
    if (
        np.abs(sums).sum() < 0.2 * np.abs(kernels).sum()
    ):  # a derivative: its weights add up to nothing
        left, _, _ = np.linalg.svd(kernels.reshape(3, -1), full_matrices=False)
        sums = left[:, 0]
    largest = sums[np.abs(sums).argmax()]
    return np.sign(largest or 1) * sums / (np.abs(sums).sum() or 1)


def _made_grey(pair: Pair, convert: Callable[[np.ndarray], np.ndarray]) -> Pair:
    return replace(pair, before=convert(pair.before).astype(pair.before.dtype)[..., None])


def _weighted(pair: Pair, weights: np.ndarray) -> Pair:
    return replace(pair, before=(pair.before @ weights)[..., None])


def through_jpeg(found: Arrangement) -> Arrangement:
    """The same with what after's quantisation tells, where it went through a JPEG file."""
    first = found.pairs[0]
    if first.peak != 255 or first.after.dtype != np.uint8:
        return found
    compressed = jpeg.compression(_luminance(first.after))
    found = replace(found, compressed=compressed)
    if compressed is None or len(found.fits) != 1:
        return found
    fit = found.fits[0]
    if len(fit.kernel) > WIDEST_THROUGH_JPEG:
        return found
    luma = []
    for pair in found.pairs:
        before, after, _ = pair.overlap()
        luma.append(Plane(_luminance(before), _luminance(after), None, pair.peak, pair.step))
    kernel = jpeg.fit(luma, compressed, fit.kernel, fit.offset)
    if kernel is None or kernel.consistent < CONSISTENT:
        return found
    if kernel.standard_error.max() > SURE * np.abs(kernel.kernel).max():
        return found
    return replace(found, censored=kernel)


def _luminance(picture: np.ndarray) -> np.ndarray:
    """H x W: the plane that JPEG keeps best. The picture itself if it has one channel."""
    return picture @ np.array(LUMINANCE) if picture.shape[2] == 3 else picture[..., 0]
