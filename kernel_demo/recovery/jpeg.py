"""What a JPEG file tells of the filter in spite of its compression.

A decoded JPEG keeps its quantisation: every coefficient of its 8 x 8 cosine transforms is a whole
multiple of a step that can be read off. Least squares takes the small coefficients that were
rounded to zero for the truth, which bends a kernel by up to half of its largest weight. Here each
coefficient says what it really says: that before rounding it lay within half a step of the multiple
found. The kernel of maximum likelihood under such interval-censored observations (Stewart, Rev.
Econ. Stud. 50, 1983, with known limits) has no such bend: a log-concave problem, solved by Newton.

A block that was clipped, before compression or after it, says something else. Which ones were is
judged by what the kernel predicts, never by what came out: rings hide clipping, and to choose by
the outcome favours noise that points inward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import torch

from kernel_demo.imaging.catalogue import identity
from kernel_demo.imaging.filtering import LUMINANCE, correlate_valid
from kernel_demo.imaging.kernels import resized
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.fitting import about_pixel, box

# Annex K of ITU-T T.81, the luminance table that nearly all encoders scale (IJG's "quality").
TABLE = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
])  # fmt: skip

# Orthonormal DCT-II of length 8: C x C' transforms a block.
COSINES = np.sqrt(2 / 8) * np.cos(np.pi * np.outer(np.arange(8), 2 * np.arange(8) + 1) / 16)
COSINES[0] /= np.sqrt(2)

READ = 4000  # blocks from which the steps are read
# Rounding of the decoder leaves 12**-0.5 = 0.29 in a coefficient that is a multiple of the step:
# nine in ten of them within 0.48. Nine in ten of others are within 0.45 steps: 0.9 and more.
NINE_IN_TEN = 0.65

# Newton starts from a wide distribution, under which even a poor kernel is not impossible.
WIDE = (3.0, 1.5, 0.8, 0.45)
# One rounding to grey levels leaves 0.29 in every coefficient, those of a colour picture's
# conversion 0.35; rounding between passes of a filter twice as much.
SPREADS = np.geomspace(0.12, 3.0, 16)
# The encoder rounds to eighths of a level first, and halves away from 0: a value is taken for the
# next multiple so many levels early (measured on libjpeg-turbo 3).
EARLY = 0.05
PRODUCTS = 6_000_000  # observations times unknowns: 48 MB
COMMON = 2.5066282746310002  # sqrt(2 pi)
# Predictions keep so many levels from black and white; the first that spoils few blocks is taken.
MARGINS, SPOILED = (2, 4, 8, 16, 32, 64), 0.01
FEWEST = 50  # blocks
SIMULATED = 512  # side of the part that is compressed anew
SAMPLINGS = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
             cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422)  # fmt: skip
# Measured over 7 filters, 6 qualities, 4 pictures: up to 1.4 times what rounding makes, up to 0.6
# times what is left if the colours were not filtered; 1.1 times and more where they were not.
ROUNDED_TWICE, BETTER = 1.5, 0.75
SAME = 2  # bars by which a kernel that is the identity may be off
# What a kernel must reach to be believed. Measured at qualities 30 to 95: convolutions put 99.7 %
# of the coefficients where they are, mild nonlinear operations up to 99.5 %; they leave up to 0.54
# levels before quantisation, and halves of the blocks differ by 4 only beside errors of 0.1 %.
CONSISTENT, UNEXPLAINED, SPLIT = 0.996, 0.7, 4.0
# ... and what it must reach if before is not to the last level what the tool saw: a tool that has a
# decoder of its own reaches 96.5 % and 1.03 levels, half the size and back 86 % and 2.4.
NEARLY, APART = 0.96, 1.1


@dataclass(frozen=True)
class Compression:
    """The quantisation of a picture that went through a JPEG file."""

    steps: np.ndarray  # 8 x 8, of the luminance; 0 where nothing tells
    quality: int | None  # IJG's, where the steps are those of its table

    @property
    def most(self) -> float:
        """RMS of the luminance, in levels, that rounding to known steps takes at most."""
        return float(np.sqrt((self.steps.astype(float) ** 2).mean()) / 2)

    def __str__(self) -> str:
        return "JPEG" if self.quality is None else f"JPEG, quality {self.quality}"


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of 8 x 8 pixels of after, and what lies under and around them in before."""

    before: np.ndarray  # n x (8 + 2 radius) x (8 + 2 radius) x B
    after: np.ndarray  # n x 8 x 8: luminance in whole levels
    spoiled: np.ndarray  # n bool: some sample was cut off by the decoder
    place: np.ndarray  # n x 2: row and column in the picture, 0 to 1
    radius: int

    def __len__(self) -> int:
        return len(self.after)

    def only(self, chosen: np.ndarray) -> Blocks:
        """Those of a mask, or in a list of places."""
        parts = {name: getattr(self, name)[chosen] for name in ("before", "after", "spoiled")}
        return replace(self, **parts, place=self.place[chosen])


@dataclass(frozen=True, eq=False)
class Censored:
    """The kernel of maximum likelihood, given the intervals of the coefficients."""

    kernel: np.ndarray  # k x k
    offset: float
    standard_error: np.ndarray  # k x k
    consistent: float  # share of the coefficients that it puts within their interval (+- 1 level)
    spread: float  # RMS in grey levels of what differs before quantisation
    split: float  # how far the kernels of halves of the blocks differ: chi-squared a weight

    @property
    def believable(self) -> bool:
        """Whether nothing in the file contradicts it."""
        agrees = self.consistent >= CONSISTENT and self.spread <= UNEXPLAINED
        return agrees and self.split <= SPLIT

    @property
    def nearly(self) -> bool:
        """Whether little does: it may be believed where the picture has no other doubt."""
        return self.consistent >= NEARLY and self.spread <= APART


@dataclass(frozen=True, eq=False)
class Observed:
    """The intervals of coefficients, and what they are made of."""

    design: np.ndarray  # unknowns x n: the last row is the offset's
    low: np.ndarray  # n
    high: np.ndarray  # n
    extra: np.ndarray  # n: variance of what the decoder's rounding may have misread
    count: int  # blocks; n is a multiple
    orders: tuple[np.ndarray, ...]  # of the blocks: by brightness, texture, row, column

    def only(self, free: np.ndarray) -> Observed:
        """With the rows of some weights (k x k bool) alone, where all were free."""
        return replace(self, design=self.design[np.append(free.ravel(), True)])

    def predicted(self, found: Solution) -> np.ndarray:
        return np.append(found.kernel[found.free], found.offset) @ self.design


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights on their way to the most likely ones."""

    kernel: np.ndarray  # k x k
    offset: float
    free: np.ndarray  # k x k bool: the weights that may differ from 0
    spread: float = 0.0  # 0: not known yet

    def laid_out(self, values: np.ndarray) -> np.ndarray:
        """k x k, of one value a free weight."""
        square = np.zeros(self.free.shape)
        square[self.free] = values
        return square


def levels(samples: np.ndarray) -> np.ndarray:
    """The luminance (...) that a file holds, of decoded samples (... x C, C = 1 or 3).

    The decoder adds whole levels to whole luminances, and the sum of the errors made by rounding is
    less than half a level: the whole number next to the weighted sum is the luminance itself.
    """
    if samples.shape[-1] == 1:
        return samples[..., 0].astype(np.float64)
    return np.rint(samples @ np.array(LUMINANCE))


def coefficients(whole: np.ndarray) -> np.ndarray:
    """n x 64: the transforms of blocks (n x 8 x 8)."""
    return (COSINES @ whole @ COSINES.T).reshape(-1, 64)


def drawn(pair: Pair, radius: int, count: int) -> Blocks:
    """At most `count` blocks, by chance, that count and have their surroundings in before."""
    starts = []
    for axis, origin in enumerate(pair.origin):
        first = np.arange(0, pair.after.shape[axis] - 7, 8)
        last = pair.before.shape[axis] - 8 - radius
        starts.append(first[(first + origin >= radius) & (first + origin <= last)])
    at = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, 2)
    at = np.random.default_rng(0).permutation(at)
    inner, outer = np.arange(8), np.arange(-radius, 8 + radius)
    y, x = (at[:, axis, None, None] for axis in (0, 1))
    counted = pair.counted
    if counted is not None:
        at = at[counted[y + inner[:, None], x + inner].all(axis=(1, 2))]
    at = at[:count]
    y, x = (at[:, axis, None, None] for axis in (0, 1))
    after = pair.after[y + inner[:, None], x + inner]
    oy, ox = pair.origin
    return Blocks(
        before=pair.before[y + oy + outer[:, None], x + ox + outer],
        after=levels(after),
        spoiled=((after == 0) | (after == 255)).any(axis=(1, 2, 3)),
        place=at / pair.after.shape[:2],
        radius=radius,
    )


def compression(pair: Pair) -> Compression | None:
    """The quantisation of an 8-bit after, if its blocks bear the marks of one."""
    seen = drawn(pair, 0, 2 * READ)
    values = coefficients(seen.after[~seen.spoiled][:READ] - 128)
    if len(values) < FEWEST:
        return None
    found = np.array([_step(column) for column in values.T])
    if np.count_nonzero(found > 2) < 8:
        return None
    known = found > 2
    tables = np.stack([steps(quality).ravel() for quality in range(1, 101)])
    # A picture that was compressed before may use every second multiple only.
    fits = (found % tables == 0)[:, known].mean(axis=1) > 0.95
    agree = (tables == found)[:, known].mean(axis=1) * fits
    if agree.max() < 0.4:
        return Compression(np.where(known, found, 0).reshape(8, 8), None)
    # Where tables that fit as well differ, or the pixels contradict them, nothing is known.
    likely = tables[agree == agree.max()]
    told = [_told(values, table) for table in likely]
    likely = likely[np.array(told) == max(told)]
    doubtful = (likely != likely[0]).any(axis=0) | (known & (found % likely[0] != 0))
    quality = None if len(likely) > 1 else int((tables == likely[0]).all(axis=1).argmax()) + 1
    return Compression(np.where(doubtful, 0, likely[0]).reshape(8, 8), quality)


def _told(values: np.ndarray, table: np.ndarray) -> int:
    """How many of the values that are not 0 are multiples of the steps."""
    times = np.rint(values / table)
    return np.count_nonzero((np.abs(values) > 1.5) & (np.abs(values - times * table) < 0.75))


def steps(quality: int) -> np.ndarray:
    """IJG's luminance table, 8 x 8, for a quality of 1..100 (jcparam.c)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((TABLE * scale + 50) // 100, 1, 255)


def _step(values: np.ndarray) -> int:
    """The largest step of which all larger values are multiples, up to rounding; 0 if none is."""
    found, sizes = 0, np.abs(values)
    for step in range(2, 256):
        sizes = sizes[sizes > max(0.4 * step, 1.1)]
        if len(sizes) < 12:
            break
        rest = np.abs(sizes - step * np.rint(sizes / step))
        if np.count_nonzero(rest < NINE_IN_TEN) > 0.9 * len(rest):
            found = step
    return found


def fit(
    pairs: Sequence[Pair], compressed: Compression, kernel: np.ndarray, offset: float, widest: int
) -> Censored | None:
    """The kernel near `kernel` (the start; k x k), one ring larger if need be, at most `widest`.

    pairs: 8-bit. None: too few blocks far from black and white, or they leave weights open.
    """
    size = min(len(kernel) + 2, max(widest, len(kernel)))
    budget = max(200, PRODUCTS // (np.count_nonzero(compressed.steps) * (size**2 + 1)))
    seen = _together([drawn(pair, size // 2, 3 * budget // len(pairs)) for pair in pairs])
    free = np.ones((size, size), bool)
    found, used = Solution(resized(kernel, size), offset, free), []
    for share in (4, 1, 1, 1):  # of the budget; then with a better kernel's choice
        chosen = _unclipped(seen, found)[: budget // share]
        if len(np.setxor1d(chosen, used)) < 0.01 * len(chosen):
            break
        used = chosen
        observed = _observed(seen.only(chosen), compressed, free)
        found = _maximum(observed, found)
        if found is None:
            return None
    return _trimmed(observed, found) if len(used) else None


def _trimmed(observed: Observed, whole: Solution) -> Censored | None:
    """The kernel in the smallest box beyond which nothing is significant, and its errors.

    What was left out may not be 0, for all that it is not significant: errors are no less than half
    of those without that assumption, and than half of what the assumption has changed.
    """
    covariance, split = _covariance(observed, whole)
    free = _significant(whole, covariance)
    error = whole.laid_out(np.sqrt(np.diag(covariance)))
    found, errors = whole, error
    if not free.all():
        within = observed.only(free)
        found = _maximum(within, replace(whole, free=free))
        if found is None:
            return None
        covariance, split = _covariance(within, found)
        own = found.laid_out(np.sqrt(np.diag(covariance)))
        changed = np.abs(found.kernel - whole.kernel)
        errors = np.where(free, np.maximum(own, np.maximum(error, changed) / 2), 0)
        observed = within
    predicted = observed.predicted(found)
    consistent = np.mean((predicted > observed.low - 1) & (predicted < observed.high + 1))
    square = partial(about_pixel, support=box(free), centre=(0, 0))
    return Censored(
        square(found.kernel),
        found.offset,
        square(errors) * max(1, split) ** 0.5,  # Birge, Phys. Rev. 40, 1932
        float(consistent),
        found.spread,
        split,
    )


def _significant(whole: Solution, covariance: np.ndarray) -> np.ndarray:
    """k x k bool: the smallest box beyond which the weights might all be 0."""
    size = len(whole.kernel)
    error = whole.laid_out(np.sqrt(np.diag(covariance)))
    top, left, height, width = box(np.abs(whole.kernel) > 4.5 * error)
    bottom, right = top + height, left + width
    while True:
        free = np.zeros((size, size), bool)
        free[top:bottom, left:right] = True
        without = ~free.ravel()
        count = np.count_nonzero(without)
        if count == 0 or _squared(whole, covariance, without) < count + 3 * (2 * count) ** 0.5:
            return free
        options = []
        for more in ((top - 1, left, bottom, right), (top, left - 1, bottom, right),
                     (top, left, bottom + 1, right), (top, left, bottom, right + 1)):  # fmt: skip
            if min(more) < 0 or max(more) > size:
                continue
            larger = np.ones((size, size), bool)
            larger[more[0] : more[2], more[1] : more[3]] = False
            options.append((_squared(whole, covariance, larger.ravel()), more))
        top, left, bottom, right = min(options)[1]


def _squared(whole: Solution, covariance: np.ndarray, chosen: np.ndarray) -> float:
    """Wald's chi-squared of the chosen weights (k*k bool) all being 0."""
    at = np.flatnonzero(chosen)
    weights = whole.kernel.ravel()[at]
    return float(weights @ np.linalg.pinv(covariance[np.ix_(at, at)], hermitian=True) @ weights)


def _together(seen: list[Blocks]) -> Blocks:
    """All blocks in a random order."""
    names = ("before", "after", "spoiled", "place")
    joined = [np.concatenate([getattr(b, name) for b in seen]) for name in names]
    order = np.random.default_rng(0).permutation(len(joined[0]))
    return Blocks(*joined, seen[0].radius).only(order)


def _unclipped(seen: Blocks, kernel: Solution) -> np.ndarray:
    """The places of the blocks of which the kernel predicts that nothing cut them off."""
    side = len(kernel.kernel)
    inset = seen.radius - side // 2
    predicted = np.full((len(seen), 8, 8, seen.before.shape[-1]), kernel.offset, np.float32)
    for i, j in np.argwhere(kernel.kernel):
        there = np.s_[:, i + inset : i + inset + 8, j + inset : j + inset + 8]
        predicted += np.float32(kernel.kernel[i, j]) * seen.before[there]
    inside = np.minimum(predicted, 255 - predicted).min(axis=(1, 2, 3))
    for margin in MARGINS:
        chosen = inside >= margin
        if seen.spoiled[chosen].mean() <= SPOILED if chosen.any() else True:
            break
    return np.flatnonzero(chosen & ~seen.spoiled)


def _maximum(observed: Observed, start: Solution) -> Solution | None:
    """Newton's way up the likelihood. None: the weights are left open."""
    design, low, high, extra = observed.design, observed.low, observed.high, observed.extra
    weights = np.append(start.kernel[start.free], start.offset)
    spreads = list(WIDE) if start.spread == 0 else [start.spread]
    if observed.count < max(FEWEST, 2 * len(weights)):
        return None
    for turn in range(30):
        predicted = weights @ design
        if turn < len(spreads):
            spread = spreads[turn]
        elif turn < len(spreads) + 4:
            spread = _spread(predicted, low, high, extra)
        slope, curvature = _likelihood(predicted, low, high, np.sqrt(spread**2 + extra))
        information = (design * curvature) @ design.T
        try:
            step = np.linalg.solve(information, design @ slope)
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        settled = (np.abs(step) < 0.02 * np.sqrt(np.abs(np.diag(inverse)))).all()
        if settled and turn > len(spreads):
            kernel = np.zeros(start.free.shape)
            kernel[start.free] = weights[:-1]
            return Solution(kernel, float(weights[-1]), start.free, float(spread))
        weights = weights + step
    return None


def _covariance(observed: Observed, found: Solution) -> tuple[np.ndarray, float]:
    """The weights' covariance, and by how much the kernels of halves of the blocks differ.

    The sandwich H^-1 (sum of s s') H^-1, with s a block's score, allows for errors that belong
    together within a block (Liang and Zeger, Biometrika 73, 1986); no error is below Fisher's.
    """
    count, unknowns = observed.count, len(observed.design)
    spread = np.sqrt(found.spread**2 + observed.extra)
    slope, curvature = _likelihood(observed.predicted(found), observed.low, observed.high, spread)
    scores = (observed.design * slope).reshape(unknowns, count, -1).sum(axis=2)
    information = (observed.design * curvature) @ observed.design.T
    inverse = np.linalg.inv(information)
    sandwich = inverse @ (scores @ scores.T) @ inverse * count / (count - unknowns)
    stretch = np.sqrt(np.maximum(np.diag(inverse) / np.diag(sandwich), 1))
    covariance = (sandwich * np.outer(stretch, stretch))[:-1, :-1]
    return covariance, _split(observed, curvature, scores, information)


def _split(observed: Observed, curvature, scores, information) -> float:
    """The largest chi-squared a weight between the dark and bright blocks' kernels, and so on.

    Each half's kernel is one Newton step from that of all.
    """
    worst = 0.0
    for order in observed.orders:
        first = order <= np.median(order)
        rows = np.repeat(first, len(curvature) // observed.count)
        part = observed.design[:, rows]
        own = (part * curvature[rows]) @ part.T
        difference, covariance = 0.0, 0.0
        for of_half, half, sign in ((own, first, 1), (information - own, ~first, -1)):
            inverse = np.linalg.pinv(of_half, hermitian=True, rcond=1e-10)
            score = scores[:, half]
            difference = difference + sign * inverse @ score.sum(axis=1)
            covariance = covariance + inverse @ (score @ score.T) @ inverse
        certain = np.linalg.pinv(covariance, hermitian=True, rcond=1e-8)
        worst = max(worst, float(difference @ certain @ difference) / len(scores))
    return worst


def _spread(predicted, low, high, extra) -> float:
    """The most likely of SPREADS."""
    few = np.s_[:: len(low) // 30_000 + 1]
    predicted, low, high, extra = (values[few] for values in (predicted, low, high, extra))

    def likelihood(spread: float) -> float:
        wide = np.sqrt(spread**2 + extra)
        inside = _normal((high - predicted) / wide) - _normal((low - predicted) / wide)
        return np.log(np.maximum(inside, 1e-8)).sum()

    return max(SPREADS, key=likelihood)


def _observed(seen: Blocks, compressed: Compression, free: np.ndarray) -> Observed:
    """What the coefficients with a known step say of the `free` weights (k x k bool)."""
    known = np.flatnonzero(compressed.steps.ravel())
    steps = compressed.steps.ravel()[known]
    cosines = np.kron(COSINES, COSINES)[known]  # of a block in one row
    before = seen.before.astype(np.float64)
    before = before @ np.array(LUMINANCE) if before.shape[-1] == 3 else before[..., 0]
    inset, count = seen.radius - len(free) // 2, len(seen)
    design = np.empty((np.count_nonzero(free) + 1, count, len(known)))
    for row, (i, j) in zip(design, np.argwhere(free) + inset, strict=False):
        np.matmul(before[:, i : i + 8, j : j + 8].reshape(count, 64), cosines.T, out=row)
    constant = cosines.sum(axis=1)
    design[-1] = constant
    times = np.rint((seen.after.reshape(count, 64) - 128) @ cosines.T / steps)
    half = np.where(times == 0, steps / 2 - EARLY, steps / 2)
    middle = times * steps - EARLY * np.sign(times) + 128 * constant
    extra = np.broadcast_to(np.where(steps == 1, 1 / 12, 0), middle.shape).ravel()
    orders = (before.mean(axis=(1, 2)), before.std(axis=(1, 2)), *seen.place.T)
    return Observed(
        design.reshape(len(design), -1),
        (middle - half).ravel(),
        (middle + half).ravel(),
        extra,
        count,
        orders,
    )


def colours_agree(pair: Pair, compressed: Compression, found: Censored) -> bool:
    """Whether the kernel of the luminance is that of all three channels.

    The luminance tells nothing of tools that filter it alone, or the colours in another way. So the
    middle of the picture is predicted, compressed in the same way, and its colours (Cb, Cr) are
    compared: they are to agree as well as two roundings do, and better than untouched colours,
    unless the kernel is the identity, under which both are the same.
    False also where the tables are not IJG's, so that nothing can be compressed in the same way.
    """
    if compressed.quality is None:
        return False
    predicted, untouched, after = _middle(pair, found)
    if min(after.shape[:2]) < 32:
        return False
    untouched = untouched + ((predicted - untouched) @ np.array(LUMINANCE))[..., None]
    dither = np.random.default_rng(0).uniform(-0.5, 0.5, predicted.shape)
    dither *= max(1, found.spread / UNEXPLAINED)  # so much differs in the luminance
    pictures = {"kernel": predicted, "rounding": predicted + dither, "untouched": untouched}
    left = []
    for sampling in SAMPLINGS:
        again = {name: _again(p, compressed.quality, sampling) for name, p in pictures.items()}
        left.append((
            _colour_difference(after, again["kernel"]),
            _colour_difference(again["rounding"], again["kernel"]),
            _colour_difference(after, again["untouched"]),
        ))  # fmt: skip
    kernel, rounding, _ = min(left)
    other = min(untouched for _, _, untouched in left)
    off = np.abs(found.kernel - identity(len(found.kernel))).max()
    same = off <= SAME * found.standard_error.max()
    return kernel < ROUNDED_TWICE * rounding and (same or kernel < BETTER * other)


def _again(picture: np.ndarray, quality: int, sampling: int) -> np.ndarray:
    """A picture (H x W x 3, 0 to 255) out of a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    whole = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    _, data = cv2.imencode(".jpg", whole[..., ::-1], options)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def _middle(pair: Pair, found: Censored) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of after as predicted, as before has it, and itself; whole blocks of 16 x 16."""
    radius, spans = len(found.kernel) // 2, []
    for axis, origin in enumerate(pair.origin):
        first = -(-max(0, radius - origin) // 16) * 16
        last = min(pair.after.shape[axis], pair.before.shape[axis] - origin - radius)
        count = max(0, min(SIMULATED, (last - first) // 16 * 16))
        first += (last - first - count) // 32 * 16
        spans.append((first, first + count))
    (top, bottom), (left, right) = spans
    down, across = (
        slice(first + origin - radius, last + origin + radius)
        for (first, last), origin in zip(spans, pair.origin, strict=True)
    )
    wide = pair.before[down, across].astype(np.float64)
    wide = np.broadcast_to(wide, (*wide.shape[:2], 3))
    predicted = [correlate_valid(wide[..., c], found.kernel, found.offset) for c in range(3)]
    inner = wide[radius : len(wide) - radius, radius : wide.shape[1] - radius]
    return np.stack(predicted, axis=-1), inner, pair.after[top:bottom, left:right]


def _colour_difference(one: np.ndarray, other: np.ndarray) -> float:
    """RMS difference of Cb and Cr, in levels, of two pictures (H x W x 3: red, green, blue)."""
    colour = one.astype(np.float64) - other
    luma = colour @ np.array(LUMINANCE)
    cb, cr = (colour[..., 2] - luma) / 1.772, (colour[..., 0] - luma) / 1.402
    return float(np.sqrt((cb**2 + cr**2).mean() / 2))


def _likelihood(predicted, low, high, spread):
    """Slope and (negative) curvature of log P(low < value < high), value normal about predicted."""
    a, b = (low - predicted) / spread, (high - predicted) / spread
    inside = _normal(b) - _normal(a)
    likely = inside > 1e-8
    inside = np.where(likely, inside, 1)
    at_a, at_b = (np.exp(-0.5 * v**2) / COMMON for v in (a, b))
    # Far outside the interval the distribution's tail is that of its nearer end.
    slope = np.where(likely, (at_a - at_b) / inside, np.where(a > 0, a, b))
    finite_a, finite_b = (np.clip(v, -40, 40) for v in (a, b))
    curvature = (finite_b * at_b - finite_a * at_a) / inside + slope**2
    return slope / spread, np.where(likely, curvature, 1) / spread**2


def _normal(values: np.ndarray) -> np.ndarray:
    """The standard normal distribution function."""
    return torch.special.ndtr(torch.from_numpy(np.ascontiguousarray(values))).numpy()
