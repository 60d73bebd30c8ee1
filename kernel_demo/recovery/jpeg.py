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
from functools import cached_property, partial
from itertools import islice

import numpy as np

from kernel_demo.imaging.kernels import resized
from kernel_demo.learning.late import torch
from kernel_demo.recovery import places, recompression
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.fitting import about_pixel, box
from kernel_demo.recovery.quantisation import (
    COSINES,
    FEWEST,
    Blocks,
    Compression,
    brightness,
    drawn,
)
from kernel_demo.recovery.smoothing import Smoothing, smoothing

# Newton starts from a wide distribution, under which even a poor kernel is not impossible.
WIDE = (3.0, 1.5, 0.8, 0.45)
# One rounding to grey levels leaves 0.29 in every coefficient, those of a colour picture's
# conversion 0.35; rounding between passes of a filter twice as much. No less is believed, though
# 81 weights can follow the few coefficients that a blur and large steps leave to 0.12: bars were
# then 1.2 times too small on average.
SPREADS = np.geomspace(12**-0.5, 3.0, 12)
# The encoder rounds to eighths of a level first, and halves away from 0: a value is taken for the
# next multiple so many levels early.
EARLY = 1 / 16
# Steps that the decoder's rounding (0.29) may hide.
SMALL_STEP = 2
PRODUCTS = 6_000_000  # observations times unknowns: 48 MB
COMMON = 2.5066282746310002  # sqrt(2 pi)
# Predictions keep so many levels from black and white; the first that spoils few blocks is taken.
MARGINS, SPOILED = (2, 4, 8, 16, 32, 64), 0.01
# Where predictions vary by less (levels RMS), all pixels of a block are rounded the same way, by
# the tool and by the decoder: a coefficient may err by 4.
FLAT = 2.0
TRIED = 12  # round numbers
KNOWN = 0.01  # errors as a share of the largest weight, above which a family is looked for
# What a kernel must reach to be believed. Measured at qualities 30 to 95: convolutions put 99.7 %
# of the coefficients where they are, mild nonlinear operations up to 99.5 %; they leave up to 0.54
# levels before quantisation, and halves of the blocks differ by 4 only beside errors of 0.1 %.
CONSISTENT, UNEXPLAINED, SPLIT = 0.996, 0.7, 4.0
# ... and what it must reach if before is not to the last level what the tool saw: a tool that has a
# decoder of its own reaches 96.5 % and 1.03 levels, half the size and back 86 % and 2.4.
NEARLY, APART = 0.96, 1.1


@dataclass(frozen=True, eq=False)
class Censored:
    """The kernel of maximum likelihood, given the intervals of the coefficients."""

    kernel: np.ndarray  # k x k
    offset: float
    standard_error: np.ndarray  # k x k
    consistent: float  # share of the coefficients that it puts within their interval (+- 1 level)
    spread: float  # RMS in grey levels of what differs before quantisation
    split: float  # how far the kernels of halves of the blocks differ: chi-squared a weight
    smoothing: Smoothing | None = None  # what `kernel` is of, where no single weight is known
    alike: float | None = None  # share of the coefficients that its picture has as well
    trend: float = 0.0  # how clearly it changes over the picture: chi-squared

    @property
    def believable(self) -> bool:
        """Whether nothing in the file contradicts it, or all of it is just what it makes."""
        agrees = self.consistent >= CONSISTENT and self.spread <= UNEXPLAINED
        return self.alike == 1 or (agrees and self.split <= SPLIT)

    @property
    def changes(self) -> bool:
        """Whether it is another one from place to place."""
        return self.alike != 1 and self.trend > places.GROWS

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


@dataclass(frozen=True, eq=False)
class Step:
    """The likeliest weights of what some blocks say."""

    observed: Observed
    found: Solution

    @cached_property
    def _errors(self) -> tuple[np.ndarray, float]:
        return _covariance(self.observed, self.found)

    @property
    def covariance(self) -> np.ndarray:
        return self._errors[0]

    @property
    def split(self) -> float:
        return self._errors[1]

    @property
    def error(self) -> np.ndarray:
        """k x k"""
        return self.found.laid_out(np.sqrt(np.diag(self.covariance)))


def fit(
    pairs: Sequence[Pair], compressed: Compression, kernel: np.ndarray, offset: float, widest: int
) -> Censored | None:
    """The kernel near `kernel` (the start; k x k), one ring larger if need be, at most `widest`.

    pairs: 8-bit. None: too few blocks far from black and white, or they leave weights open.
    """
    size = min(len(kernel) + 2, max(widest, len(kernel)))
    known = int(np.count_nonzero(compressed.steps))
    budget = max(200, PRODUCTS // (known * (size**2 + 1)))
    seen = _together([drawn(pair, size // 2, 3 * budget // len(pairs)) for pair in pairs])
    start = Solution(resized(kernel, size), offset, np.ones((size, size), bool))
    whole = _fitted(seen, compressed, start, budget)
    if whole is None:
        return None
    trend = _trend(whole)
    family = _of_family(whole)
    if family is not None:
        return replace(family, trend=trend)
    inner: Step | None = whole
    free = _significant(whole.found, whole.covariance)
    if not free.all():
        start = replace(whole.found, kernel=np.where(free, whole.found.kernel, 0), free=free)
        inner = _fitted(seen, compressed, start, budget)
    return None if inner is None else replace(_told(inner, whole), trend=trend)


def proved(pairs: Sequence[Pair], compressed: Compression, found: Censored) -> Censored:
    """The same with the share of the coefficients that its picture, encoded again, has as well.

    Round numbers near it take its place where they give no fewer; the errors stay.
    """
    share = partial(recompression.share_alike, pairs, compressed)
    most = share(found.kernel, found.offset)
    best = replace(found, alike=most)
    if most is None or found.smoothing is not None:
        return best
    near = recompression.round_numbers(found.kernel, found.offset, found.standard_error)
    for kernel, offset in islice(near, TRIED):
        alike = share(kernel, offset)
        if alike is None:
            break
        if alike > most or (alike == most and best.kernel is found.kernel):
            best, most = replace(found, kernel=kernel, offset=offset, alike=alike), alike
        if alike == 1:
            break
    return best


def _of_family(whole: Step) -> Censored | None:
    """A smoothing kernel by its family, where the single weights are not known well."""
    observed, found = whole.observed, whole.found
    if whole.error.max() < KNOWN * np.abs(found.kernel).max():
        return None
    family = smoothing(found.kernel, whole.covariance)
    if family is None:
        return None
    response = family.kernel.ravel() @ observed.design[:-1]
    alone = replace(observed, design=np.stack([response, observed.design[-1]]))
    one = np.ones((1, 1))
    gain = _maximum(alone, Solution(one, found.offset, one > 0, found.spread))
    if gain is None:
        return None
    return Censored(
        gain.kernel[0, 0] * family.kernel,
        gain.offset,
        family.standard_error * max(1, whole.split) ** 0.5,
        _consistent(alone, gain),
        gain.spread,
        whole.split,
        family,
    )


def _consistent(observed: Observed, found: Solution) -> float:
    """The share of the coefficients within a level of their interval."""
    predicted = observed.predicted(found)
    return float(np.mean((predicted > observed.low - 1) & (predicted < observed.high + 1)))


def _fitted(seen: Blocks, compressed: Compression, start: Solution, budget: int) -> Step | None:
    """The likeliest weights of the blocks that are not clipped: chosen anew as the kernel changes.

    None: they are left open.
    """
    found = start
    used: np.ndarray = np.zeros(0, int)
    step: Step | None = None
    for share in (4, 1, 1, 1) if start.spread == 0 else (1,):  # of the budget
        chosen = _unclipped(seen, found)[: budget // share]
        if len(np.setxor1d(chosen, used)) < 0.01 * len(chosen):
            break
        used = chosen
        observed = _observed(seen.only(chosen), compressed, start.free)
        likeliest = _maximum(observed, found)
        if likeliest is None:
            return None
        found = likeliest
        step = Step(observed, found)
    return step


def _told(inner: Step, whole: Step) -> Censored:
    """What is known of the kernel in the smallest box beyond which nothing is significant.

    What was left out may not be 0, for all that it is not significant: errors are no less than half
    of those without that assumption, and than half of what the assumption has changed.
    """
    found, free, errors = inner.found, inner.found.free, inner.error
    if inner is not whole:
        changed = np.abs(found.kernel - whole.found.kernel)
        errors = np.where(free, np.maximum(errors, np.maximum(whole.error, changed) / 2), 0)
    square = partial(about_pixel, support=box(free), centre=(0, 0))
    return Censored(
        square(found.kernel),
        found.offset,
        square(errors) * max(1, inner.split) ** 0.5,  # Birge, Phys. Rev. 40, 1932
        _consistent(inner.observed, found),
        found.spread,
        inner.split,
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
    before, after, spoiled, place = (
        np.concatenate([getattr(b, name) for b in seen]) for name in names
    )
    order = np.random.default_rng(0).permutation(len(before))
    return Blocks(before, after, spoiled, place, seen[0].radius).only(order)


def _unclipped(seen: Blocks, found: Solution) -> np.ndarray:
    """The places of the blocks of which the kernel predicts that nothing cut them off."""
    made = seen.through(found.kernel, found.offset, np.float32)
    inside = np.minimum(made, 255 - made).min(axis=(1, 2, 3))
    inside[made.std(axis=(1, 2)).max(axis=1) < FLAT] = -1
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
            kernel = start.laid_out(weights[:-1])
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


def _split(
    observed: Observed, curvature: np.ndarray, scores: np.ndarray, information: np.ndarray
) -> float:
    """The largest chi-squared a weight between the dark and bright blocks' kernels, and so on.

    Each half's kernel is one Newton step from that of all.
    """
    worst = 0.0
    for order in observed.orders:
        first = order <= np.median(order)
        rows = np.repeat(first, len(curvature) // observed.count)
        part = observed.design[:, rows]
        own = (part * curvature[rows]) @ part.T
        difference, covariance = np.zeros(len(scores)), np.zeros(information.shape)
        for of_half, half, sign in ((own, first, 1), (information - own, ~first, -1)):
            inverse = np.linalg.pinv(of_half, hermitian=True, rcond=1e-10)
            score = scores[:, half]
            difference = difference + sign * inverse @ score.sum(axis=1)
            covariance = covariance + inverse @ (score @ score.T) @ inverse
        certain = np.linalg.pinv(covariance, hermitian=True, rcond=1e-8)
        worst = max(worst, float(difference @ certain @ difference) / len(scores))
    return worst


def _trend(whole: Step) -> float:
    """How clearly blocks ask for another kernel with their place in the picture: chi-squared."""
    observed, found = whole.observed, whole.found
    count, unknowns = observed.count, len(observed.design)
    spread = np.sqrt(found.spread**2 + observed.extra)
    slope, curvature = _likelihood(observed.predicted(found), observed.low, observed.high, spread)
    scores = (observed.design * slope).reshape(unknowns, count, -1).sum(axis=2).T
    additions = places.additions(found.kernel)
    added = (additions @ observed.design * curvature).reshape(len(additions), count, -1)
    design = observed.design.reshape(unknowns, count, -1)
    cross = added.transpose(1, 0, 2) @ design.transpose(1, 2, 0)
    information = (observed.design * curvature) @ observed.design.T
    scores = np.c_[scores, scores @ additions.T]
    return places.trend(scores, cross, information, np.stack(observed.orders[2:], axis=1))


def _spread(predicted: np.ndarray, low: np.ndarray, high: np.ndarray, extra: np.ndarray) -> float:
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
    before = brightness(seen.before)
    inset, count = seen.radius - len(free) // 2, len(seen)
    design = np.empty((np.count_nonzero(free) + 1, count, len(known)))
    for row, (i, j) in zip(design, np.argwhere(free) + inset, strict=False):
        np.matmul(before[:, i : i + 8, j : j + 8].reshape(count, 64), cosines.T, out=row)
    constant = cosines.sum(axis=1)
    design[-1] = constant
    times = np.rint((seen.after.reshape(count, 64) - 128) @ cosines.T / steps)
    half = np.where(times == 0, steps / 2 - EARLY, steps / 2)
    middle = times * steps - EARLY * np.sign(times) + 128 * constant
    extra = np.broadcast_to(np.where(steps <= SMALL_STEP, 1 / 12, 0), middle.shape).ravel()
    orders = (before.mean(axis=(1, 2)), before.std(axis=(1, 2)), *seen.place.T)
    return Observed(
        design.reshape(len(design), -1),
        (middle - half).ravel(),
        (middle + half).ravel(),
        extra,
        count,
        orders,
    )


def _likelihood(
    predicted: np.ndarray, low: np.ndarray, high: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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
