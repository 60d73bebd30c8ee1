"""Which channels go into which: the simplest arrangement of kernels that explains a pair.

One kernel for all channels, one for each, grey from colour (channels weighted, then one kernel), or
a full mixture with a kernel for each channel of after from each of before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from kernel_demo.imaging.filtering import LUMINANCE, correlate_valid, patch_view
from kernel_demo.imaging.kernels import resized
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery import blocks, chroma, fitting, halves, jpeg
from kernel_demo.recovery.alignment import Pair, Plane, between, places, planes_of, sample
from kernel_demo.recovery.attenuation import attenuation
from kernel_demo.recovery.explanations import Channels
from kernel_demo.recovery.fitting import FEW, ONE_ROUNDING, SEVERAL_ROUNDINGS, Fit
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.quantisation import UNKNOWN, Compression, compression, in_small_blocks

# A more complicated arrangement must leave at most this share of the simpler one's variance.
WORTH = 0.9
MIXTURE_WORTH = 0.3
LOOKED_THROUGH = 4_000_000  # pixels, for one by which two conversions differ
NEAR_WEIGHTS = 0.05  # estimated channel weights this close to a known conversion's

# A kernel by JPEG's intervals replaces the least-squares one if its errors are below this share of
# its largest weight.
SURE = 0.05
WIDEST_THROUGH_JPEG = 11

OFTEN = 0.7  # share of the patches that differ from all others, below which many are repeated
PIXELS = 40_000
TRIED = 8  # places for each of them: so many may be clipped
SIZES = (1, 3, 5, 7)  # three kernels of 7 x 7 are 147 unknowns for each channel
# Shares of a channel's residual that nonlinear functions of the colours may explain. Measured over
# matrices and luma filters: rounding follows the picture up to 0.19 (skies), what else is left up
# to 0.08; saturation, hue and Lab, of 3 % and more: 0.26 to 1.
CURVED_ROUNDING, CURVED = 0.25, 0.1


class Conversion(NamedTuple):
    """Grey as a library makes it."""

    weights: tuple[float, float, float]  # of red, green, blue
    convert: Callable[[np.ndarray], np.ndarray] | None  # h x w x 3 to h x w; None: no rounding
    code: str = ""  # the same of `rgb`, whole numbers; empty: the weights say it all


def _fixed_point(factors: tuple[int, int, int], bits: int) -> Conversion:
    """Rec. 601 by whole numbers over 2**bits, rounded half up."""
    half, code = (1 << bits) >> 1, f"(rgb @ np.array({[*factors]}) + {(1 << bits) >> 1}) >> {bits}"
    return Conversion(
        LUMINANCE, lambda rgb: (rgb.astype(np.int64) @ np.array(factors) + half) >> bits, code
    )


def _imagemagick(rgb: np.ndarray) -> np.ndarray:
    """Rounded to 16 bits (257 for a grey level), then cut off to 8."""
    return np.floor(np.floor(257 * (rgb @ np.array(REC_709)) + 0.5) / 257)


# Luma and chroma of red, green and blue (Rec. 601).
TO_LUMA = np.array([LUMINANCE, (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)])
REC_709 = (0.212656, 0.715158, 0.072186)
SUM_709 = f"rgb @ np.array({[*REC_709]})"
CONVERSIONS = (
    _fixed_point((19595, 38470, 7471), 16),  # Pillow
    _fixed_point((9798, 19235, 3735), 15),  # OpenCV
    _fixed_point((4899, 9617, 1868), 14),  # OpenCV
    Conversion(REC_709, _imagemagick, f"np.floor(np.floor(257 * ({SUM_709}) + 0.5) / 257)"),
    Conversion(REC_709, lambda rgb: np.floor(rgb @ np.array(REC_709) + 0.5),
               f"np.floor({SUM_709} + 0.5)"),
    Conversion((1, 0, 0), lambda rgb: rgb[..., 0]),
    Conversion((0, 1, 0), lambda rgb: rgb[..., 1]),
    Conversion((0, 0, 1), lambda rgb: rgb[..., 2]),
    Conversion((1 / 3, 1 / 3, 1 / 3), lambda rgb: (2 * rgb.sum(axis=2, dtype=int) + 3) // 6,
               "(2 * rgb.sum(axis=2) + 3) // 6"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Mixture:
    """The least-squares kernels from each channel into each, in working units."""

    kernels: np.ndarray  # A x B x k x k, k >= 3
    offsets: np.ndarray  # A
    standard_error: np.ndarray  # A x B x k x k
    residual: float  # RMS over all channels
    beyond_2: float  # share of samples more than two grey levels off: impossible for rounding
    curved: float  # share of a channel's residual that nonlinear functions of the colours explain
    floor: float  # RMS of rounding
    explained: float  # share of the after picture's variance

    @property
    def in_one_rounding(self) -> bool:
        """As little is left as one rounding leaves."""
        return self.at_floor and self.residual <= ONE_ROUNDING * self.floor

    @property
    def at_floor(self) -> bool:
        """Nothing but rounding is left."""
        bounded = self.beyond_2 < FEW / 10 and self.curved < CURVED_ROUNDING
        return bounded and self.residual <= SEVERAL_ROUNDINGS * self.floor


@dataclass(frozen=True, eq=False)
class Arrangement:
    """What explains a pair, if the kernels are right."""

    mode: Channels
    pairs: list[Pair]  # before made grey where the mode is GREY
    fits: list[Fit]  # one for all channels of after, or one for each; none in a mixture
    mixed: Mixture | None = None
    curved: float = 0.0  # share of what a mixture leaves that depends on the colours
    weights: tuple[float, float, float] | None = None  # of red, green, blue in GREY
    doubts: tuple[halves.Doubts | None, ...] = ()  # of each fit, if they were looked for
    compressed: Compression | None = None  # what after went through, if that was looked for ...
    sought: bool = False  # ... whether or not it was found
    censored: jpeg.Censored | None = None  # the one kernel in spite of it, if it is surer
    nearly: jpeg.Censored | None = None  # ... or if nothing else doubts it

    @property
    def parts(self) -> list[Fit] | list[Mixture]:
        """What was fitted: each knows whether it is at the floor, what it leaves and explains."""
        return self.fits if self.mixed is None else [self.mixed]

    @property
    def at_floor(self) -> bool:
        """Nothing but rounding is left in any channel."""
        return all(part.at_floor for part in self.parts)

    @property
    def in_one_rounding(self) -> bool:
        """Nothing but one rounding is left in any channel."""
        return all(part.in_one_rounding for part in self.parts)

    @property
    def variance(self) -> float:
        """Mean square of what is left, in working units."""
        return float(np.mean([part.residual**2 for part in self.parts]))

    @property
    def explained(self) -> float:
        """Share of after's variance, 0 to 1."""
        return float(np.mean([part.explained for part in self.parts]))

    @property
    def used(self) -> float:
        """Share of the pixels that were not clipped."""
        if self.mixed is None:
            return float(np.mean([fit.used for fit in self.fits]))
        return float(np.mean([plane.unclipped().used.mean() for plane in planes_of(self.pairs)]))

    def explaining(self) -> Iterator[tuple[Fit, list[Plane]]]:
        """Each fit with the planes that it explains."""
        for channel, fit in enumerate(self.fits):
            yield fit, planes_of(self.pairs, channel if self.mode == Channels.EACH else None)

    def kernels(
        self, exact: Sequence[Fractions] = ()
    ) -> tuple[np.ndarray, list[float], np.ndarray]:
        """(values, offsets in grey levels, errors), of the exact numbers where there are some.

        values and errors are (outputs, inputs, k, k) in one size, as Recovery explains it.
        """
        step = self.pairs[0].step
        if self.mixed is not None:
            offsets = (self.mixed.offsets / step).tolist()
            return self.mixed.kernels, offsets, self.mixed.standard_error
        fits: Sequence[Fit | jpeg.Censored] = (
            self.fits if self.censored is None else [self.censored]
        )
        squares = [part.kernel for part in exact or fits]
        offsets = [f.offset_of_rounding for f in exact] or [fit.offset / step for fit in fits]
        size = max(map(len, squares))
        values, errors = (
            np.stack([resized(square, size) for square in part])[:, None]
            for part in (squares, [fit.standard_error for fit in fits])
        )
        for error, whole in zip(errors, exact, strict=False):
            np.maximum(error, whole.hidden, out=error)
        return values, offsets, errors


def arrange(pairs: list[Pair], max_size: int) -> Arrangement | None:
    """The simplest arrangement that explains the pairs. None: too few pixels are not clipped."""
    colours, answers = pairs[0].before.shape[2], pairs[0].after.shape[2]
    if colours == 3 and answers == 1:
        return _grey(pairs, max_size)
    # What leaves far more than rounding needs no kernel for all where each channel has its own.
    hopeless = answers > 1 and fitting.hopeless(planes_of(pairs), max_size)
    best = Arrangement(Channels.ONE, pairs, [])
    best = _sought(best) if hopeless else best
    separate = _each(best, max_size) if hopeless else None
    if separate is None:
        one = fitting.fit(planes_of(pairs), max_size)
        if one is None:
            return None
        best = replace(best, fits=[one])
        if answers == 1 or one.at_floor:
            return best
        best = _sought(best)
        # What JPEG did to the colours, which it keeps worse, would pass for other kernels.
        if best.compressed is not None:
            return best
        separate = None if hopeless else _each(best, max_size)
    best = separate or best
    if best.at_floor or colours == 1:
        return best
    mixed = mixture(pairs, most=MIXTURE_WORTH * best.variance)
    if mixed and (mixed.at_floor or mixed.residual**2 < MIXTURE_WORTH * best.variance):
        return Arrangement(Channels.MIXTURE, pairs, [], mixed, mixed.curved, sought=best.sought)
    return best


def _each(found: Arrangement, max_size: int) -> Arrangement | None:
    """A kernel for each channel. None: it leaves about as much as one for all, or JPEG was there.

    Both are compared by the same pixels before anything is fitted.
    """
    pairs, step = found.pairs, found.pairs[0].step
    planes = [planes_of(pairs, channel) for channel in range(pairs[0].after.shape[2])]
    totals = [fitting.seen(own, max_size) for own in planes] if found.compressed is None else []
    known = [total for total in totals if total is not None]
    if len(known) < len(planes):
        return None
    size = min(total.size for total in known)
    alike = [total.shrink(size) for total in known]
    *apart, together = (fitting.least_squares(t)[2] for t in (*alike, sum(alike[1:], alike[0])))
    worth = bool(np.mean(apart) < WORTH * together)
    if not worth and min(apart) > (2 * SEVERAL_ROUNDINGS * ROUNDING * step) ** 2:
        return None
    each = [fitting.fit(own, max_size, total=t) for own, t in zip(planes, known, strict=True)]
    fits = [one for one in each if one is not None]
    separate = replace(found, mode=Channels.EACH, fits=fits)
    return separate if len(fits) == len(each) and (worth or separate.at_floor) else None


def _grey(pairs: list[Pair], max_size: int) -> Arrangement | None:
    """Colour before, grey after: the weights first, from a kernel for each channel."""
    mixed = mixture(pairs, sizes=(1, 3, 5))
    if mixed is None:
        return None
    own = _weights(mixed.kernels[0])
    near = [one for one in CONVERSIONS if np.abs(one.weights - own).max() <= NEAR_WEIGHTS]
    red, green, blue = own.tolist()
    best = None
    for way in (*near, Conversion((red, green, blue), None)):
        found = _greyed_by(way, pairs, max_size, mixed.curved)
        if found and (best is None or found.variance < 0.98 * best.variance):
            best = found
        if best and best.at_floor:
            ways = [other for other in near if other.weights == way.weights]
            told = _most_like(best.fits[0], ways, pairs) if len(ways) > 1 else way
            return best if told == way else _greyed_by(told, pairs, max_size, mixed.curved)
    return best


def _greyed_by(
    way: Conversion, pairs: list[Pair], max_size: int, curved: float
) -> Arrangement | None:
    """The arrangement of before made grey that way. None: nothing could be fitted."""
    grey = [made_grey(pair, way) for pair in pairs]
    found = fitting.fit(planes_of(grey), max_size)
    if found is None:
        return None
    red, green, blue = map(float, way.weights)
    return Arrangement(Channels.GREY, grey, [found], None, curved, (red, green, blue))


def _most_like(fit: Fit, ways: Sequence[Conversion], pairs: list[Pair]) -> Conversion:
    """The way by which the kernel reproduces most: a pixel of some thousands tells them apart."""

    def missed(way: Conversion) -> int:
        count = 0
        for plane in sample(planes_of([made_grey(pair, way) for pair in pairs]), LOOKED_THROUGH):
            value = correlate_valid(plane.before.astype(np.float64), fit.kernel, fit.offset)
            level = np.clip(np.floor(value / plane.step + 0.5) * plane.step, *plane.clip)
            wrong = level != plane.after[plane.inside(len(fit.kernel))]
            count += int(np.count_nonzero(wrong))
        return count

    return min(ways, key=missed)


def _weights(kernels: np.ndarray) -> np.ndarray:
    """The factors by which three kernels (3 x k x k) differ; absolute sum 1, largest above 0."""
    sums = kernels.sum(axis=(1, 2))
    # A derivative's weights add up to nothing.
    if np.abs(sums).sum() < 0.2 * np.abs(kernels).sum():
        left, _, _ = np.linalg.svd(kernels.reshape(3, -1), full_matrices=False)
        sums = left[:, 0]
    largest = sums[np.abs(sums).argmax()]
    return np.sign(largest or 1) * sums / (np.abs(sums).sum() or 1)


def made_grey(pair: Pair, way: Conversion) -> Pair:
    """before in grey: whole levels as a library makes them, or the bare weighted sum in float64."""
    colour = pair.before
    whole = None if way.convert is None else way.convert(colour).astype(colour.dtype)
    grey = colour @ way.weights if whole is None else whole
    return replace(pair, before=grey[..., None])


def doubted(found: Arrangement) -> Arrangement:
    """The same with bars no smaller than what halves of the pixels differ by, beyond chance.

    Nor smaller than those of the distinct patches, where many occur more than once, nor than what
    noise of before may have taken from the weights.
    """
    parts = [_doubted(fit, found.compressed is not None) for fit in found.fits]
    return replace(found, fits=[p[0] for p in parts], doubts=tuple(p[1] for p in parts))


def _doubted(fit: Fit, lossy: bool) -> tuple[Fit, halves.Doubts | None]:
    """One fit of doubted(), and its doubts.

    One rounding bounds every error by itself: it needs no evidence of halves, and in skies, where
    it follows the picture, halves differ by it.
    """
    doubt, errors = None, fit.standard_error
    inexact = fit.kernel.any() and fit.residual > fitting.NEARLY_EXACT * fit.step
    drawn = fit.drawn if inexact else None
    if drawn is not None and not fit.in_one_rounding:
        doubt = halves.doubts(drawn, fit.floor)
    if doubt is not None:
        errors = np.maximum(errors, doubt.difference)
    elif drawn is not None and drawn.distinct < OFTEN * len(drawn.after):
        errors = np.maximum(errors, drawn.error(fit.residual))
    if drawn is None:
        return fit.barred(errors), doubt
    weaker = attenuation(fit.tiles, drawn, fit.kernel, fit.offset)
    if doubt is not None and weaker.hides and not lossy:
        sigma = max(doubt.noise_before, weaker.variance**0.5)
        doubt = replace(doubt, noise_before=sigma)
    return fit.barred(np.hypot(errors, weaker.bars)), doubt


def through_jpeg(found: Arrangement) -> Arrangement:
    """The same with what after's quantisation tells, where it went through a JPEG file."""
    found, first = _sought(found), found.pairs[0]
    compressed = found.compressed
    narrow = all(len(fit.kernel) <= WIDEST_THROUGH_JPEG for fit in found.fits)
    told = None if compressed is None or not compressed.steps.any() else compressed
    if told is None or len(found.fits) != 1 or not narrow:
        return found
    start = found.fits[0]
    kernel = jpeg.fit(found.pairs, told, start.kernel, start.offset, WIDEST_THROUGH_JPEG)
    if kernel is None or kernel.standard_error.max() > SURE * np.abs(kernel.kernel).max():
        return found
    if len(kernel.kernel) > start.searched:  # it was looked for one ring further, and is there, too
        return found
    kernel = jpeg.proved(found.pairs, told, kernel)
    if not (kernel.believable or (kernel.nearly and kernel.smoothing is None)):
        return found
    coloured = first.after.shape[2] == 3
    if coloured and not chroma.colours_agree(first, told, kernel):
        return found
    if kernel.believable:
        return replace(found, censored=kernel)
    return replace(found, nearly=kernel)


def _sought(found: Arrangement) -> Arrangement:
    """The same with what after went through."""
    first = found.pairs[0]
    if found.sought or first.peak != 255 or first.after.dtype != np.uint8:
        return found
    compressed = compression(first)
    if compressed is None and in_small_blocks(first):
        compressed = UNKNOWN
    return replace(found, compressed=compressed, sought=True)


def mixture(
    pairs: list[Pair], sizes: tuple[int, ...] = SIZES, most: float = np.inf
) -> Mixture | None:
    """The size that the information criterion prefers, of the same pixels.

    most: the variance that it must come below, if more than rounding is left. None: it does not.
    """
    drawn = next(filter(None, (_drawn(pairs, size) for size in reversed(sizes))), None)
    if drawn is None:
        return None
    wide, answers, block = drawn
    colours, step = pairs[0].before.shape[2], pairs[0].step
    largest = round(((wide.shape[1] - 1) / colours) ** 0.5)
    widest = _Solved.of(wide, answers, largest, step)
    # Smaller kernels leave as much as the largest at least.
    if not (widest.small or widest.variance < most):
        return None
    best: _Solved | None = None
    best_score = np.inf
    for size in (size for size in sizes if size <= largest):
        inner = fitting.filled(largest, (*2 * [(largest - size) // 2], size, size))
        chosen = np.append(np.tile(inner.ravel(), colours), True)
        found = widest
        if size < largest:
            found = _Solved.of(wide[:, chosen], answers, size, step)
        unknowns = np.count_nonzero(chosen)
        score = len(wide) * np.log(found.variance + 1e-8) + fitting.BY_CHANCE * unknowns
        if score < best_score:
            best, best_score = found, score
        elif best is not None and best.small and best.mixture(block).at_floor:
            break
    return None if best is None else best.mixture(block)


def explained(pairs: list[Pair], size: int) -> float | None:
    """The share of after's variance that a mixture of kernels of that size explains.

    By some pixels from everywhere. None: too few.
    """
    drawn = _drawn(pairs, size)
    return None if drawn is None else _Solved.of(*drawn[:2], size, pairs[0].step).explained


def _drawn(pairs: list[Pair], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Patches of all channels (n x (B*k*k + 1)), the pixels after them (n x A), and their blocks.

    Unclipped ones. n numbers of blocks.
    """
    rng, edge = np.random.default_rng(0), size // 2
    patches: list[np.ndarray] = []
    answers: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    pixels = sum(pair.after[..., 0].size for pair in pairs)
    side = blocks.side(pixels, 4 * pairs[0].before.shape[2] * size**2)
    for pair in pairs:
        before, after, counted = pair.overlap()
        if min(after.shape[:2]) <= 2 * edge + 2:
            continue
        # A place is drawn before it is looked at: pictures may have millions of them.
        height, width = (extent - 2 * edge for extent in after.shape[:2])
        rows, columns = places(height, width, TRIED * PIXELS // len(pairs), rng)
        answer = after[rows + edge, columns + edge]
        usable = between(answer, pair.clip).all(axis=1)
        if counted is not None:
            usable &= counted[rows + edge, columns + edge]
        chosen = np.flatnonzero(usable)[: PIXELS // len(pairs)]
        if len(chosen) == 0:
            continue
        windows = patch_view(before, size)
        patches.append(windows[rows[chosen], columns[chosen]].reshape(len(chosen), -1))
        answers.append(answer[chosen])
        block = blocks.numbered(rows[chosen], columns[chosen], side)
        parts.append(block + (1 + parts[-1].max() if parts else 0))
    if not patches or sum(map(len, patches)) < 20 * patches[0].shape[1]:
        return None
    design = np.concatenate(patches).astype(np.float64)
    results = np.concatenate(answers).astype(np.float64)
    return np.c_[design, np.ones(len(design))], results, np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class _Solved:
    """Least squares of a mixture of size x size kernels; n pixels, m unknowns, A answers."""

    design: np.ndarray  # n x m: patches of all channels, and 1
    answers: np.ndarray  # n x A
    inverse: np.ndarray  # m x m: of design' design
    weights: np.ndarray  # m x A
    rest: np.ndarray  # n x A: what they leave
    size: int
    step: int

    @classmethod
    def of(cls, design: np.ndarray, answers: np.ndarray, size: int, step: int) -> _Solved:
        """Refined once; directions of no energy get weight 0."""
        values, vectors = np.linalg.eigh(design.T @ design)
        inverse = vectors * np.where(values > 1e-14 * values[-1], 1 / np.maximum(values, 1e-300), 0)
        inverse = inverse @ vectors.T
        weights = inverse @ (design.T @ answers)
        weights += inverse @ (design.T @ (answers - design @ weights))
        return cls(design, answers, inverse, weights, answers - design @ weights, size, step)

    @cached_property
    def variance(self) -> float:
        """Of what is left, over all answers."""
        return float((self.rest**2).mean())

    @property
    def explained(self) -> float:
        """Share of the answers' variance."""
        return float(1 - self.variance / max(self.answers.var(axis=0).mean(), 1e-12))

    @property
    def small(self) -> bool:
        """Whether no more is left than a few roundings leave."""
        return self.variance <= (SEVERAL_ROUNDINGS * ROUNDING * self.step) ** 2

    def mixture(self, block: np.ndarray) -> Mixture:
        """The kernels with their bars; block: the number of each pixel's block."""
        size, variance = self.size, (self.rest**2).mean(axis=0)
        errors = np.sqrt(np.outer(np.diag(self.inverse), variance).clip(0))
        made = self.answers - self.rest
        errors *= _too_small(self.design, self.inverse, self.rest, block, made, self.step)
        channels, colours = self.answers.shape[1], (self.design.shape[1] - 1) // size**2
        kernels, spread = (
            np.moveaxis(v[:-1].reshape(colours, size, size, channels), -1, 0)
            for v in (self.weights, errors)
        )
        if size == 1:
            kernels, spread = (
                np.pad(v, [(0, 0), (0, 0), (1, 1), (1, 1)]) for v in (kernels, spread)
            )
        return Mixture(
            kernels=kernels,
            offsets=self.weights[-1],
            standard_error=spread,
            residual=self.variance**0.5,
            beyond_2=float((np.abs(self.rest) > 2.02 * self.step).mean()),
            curved=_curved(self.design, self.inverse, self.rest, size, self.step),
            floor=ROUNDING * self.step,
            explained=self.explained,
        )


def _too_small(
    design: np.ndarray,
    inverse: np.ndarray,
    rest: np.ndarray,
    block: np.ndarray,
    made: np.ndarray,
    step: int,
) -> np.ndarray:
    """m x A, at least 1: by which least squares' bars are too small, as in blocks.scatter.

    By the scatter of blocks, and by what rounding of the mixture's own results (made) bends. Where
    more is left than that makes, luma and chroma may have been rounded on their way, too.
    """
    factors = np.ones((design.shape[1], rest.shape[1]))
    plain = np.outer(np.diag(inverse), (rest**2).mean(axis=0)).clip(1e-300)
    off = [_rounding(made, step)]
    if made.shape[1] == 3 and (rest**2).mean() > ONE_ROUNDING**2 * (off[0] ** 2).mean():
        off.append(_rounding(made @ TO_LUMA.T, step) @ np.linalg.inv(TO_LUMA).T)
    bent = sum((inverse @ (design.T @ one))[:-1] ** 2 for one in off) / plain[:-1]
    for channel, left in enumerate(rest.T):
        robust = blocks.variances(blocks.by_block(design * left[:, None], block), inverse)
        factors[:, channel] = np.maximum(robust / plain[:, channel], bent[:, channel].max())
    return np.sqrt(np.maximum(factors, 1))


def _rounding(values: np.ndarray, step: int) -> np.ndarray:
    """By how much whole grey levels are off."""
    return np.rint(values / step) * step - values


def _curved(
    design: np.ndarray, inverse: np.ndarray, rest: np.ndarray, size: int, step: int
) -> float:
    """The largest share of a channel's residual that saturation, hue and curves would explain.

    inverse: of design' design.
    """
    red, green, blue = design[:, size**2 // 2 : -1 : size**2].T
    features = [
        np.maximum(np.maximum(red, green), blue),
        np.minimum(np.minimum(red, green), blue),
        *(np.abs(a - b) for a, b in ((red, green), (green, blue), (blue, red))),
        *(a * b for a, b in combinations_with_replacement((red, green, blue), 2)),
    ]
    unseen = np.stack([feature / np.abs(feature).max(initial=1) for feature in features], axis=1)
    for _ in range(2):  # the second round takes what rounding left in the first
        unseen -= design @ (inverse @ (design.T @ unseen))
    explained = unseen @ np.linalg.lstsq(unseen, rest, rcond=1e-9)[0]
    left = np.maximum((rest**2).mean(axis=0), (0.01 * step) ** 2)  # nearly exact ones have none
    return float(((explained**2).mean(axis=0) / left).max())
