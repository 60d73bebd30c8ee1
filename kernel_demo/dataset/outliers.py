"""Pictures whose own sums contradict the kernel of all.

No picture is read again: with its sums, the squared error of any kernel on it is arithmetic. What
the kernel of all leaves is held against what the picture's own best kernel leaves. A picture of
another filter has a kernel of its own that serves it far better; one that no kernel made is left
with far more than the others. What noise or JPEG does to one filter does neither: noise is in both
errors alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.sums import NAMED, ShardSums, squared_error
from kernel_demo.dataset.totals import Array, Total, unpacked

# What the two kernels make of the picture has to be so far apart: half a rounding in grey levels
# RMS, and what the error bars of the kernel of all allow, so many times.
APART, BEYOND_BARS = 0.5, 4.0
# So many times the error of its own kernel, or the usual one, has the common kernel to leave.
TIMES = 3.0
# Grey levels RMS: 12**-0.5 is what one rounding leaves, and some for the tool.
# Both the usual error and the picture's own have to be a rounding's. Behind JPEG and noise,
# clipped besides, kernels differ from picture to picture: of 390 sets of one filter with
# such damage 25 had a pair accused before this was asked for. Of these nothing is told.
ONE_ROUNDING = 0.35
# The error of its own kernel against that of the half of all pictures, and in grey levels: beyond
# both, no kernel of this size made it alone.
UNLIKE, UNLIKE_LEVELS = 10.0, 6.0
ROUNDS = 5
ASKED = 2**16  # pictures whose own kernels the first common one is the median of


@dataclass(frozen=True)
class Outlier:
    """A picture that was not made by the common kernel alone."""

    name: str
    left: float  # RMS that the common kernel leaves, in grey levels of 255
    own: float | None  # that its own best kernel leaves; None: not known of large kernels


@dataclass(frozen=True, eq=False)
class Outliers:
    """What the pictures' own sums say of them."""

    tested: int  # pictures
    count: int
    first: tuple[Outlier, ...]  # the farthest off
    removed: Total | None  # the sums of the outliers, None of large kernels: they are not kept
    pixels: int  # of the outliers

    @property
    def common(self) -> bool:
        """Whether most pictures agree at all."""
        return 2 * self.count <= self.tested


Common = tuple[Array, float]  # a kernel (k*k,) and its offset
Parts = Callable[[], Iterator[ShardSums]]
Flagged = Callable[[ShardSums], tuple[Array, Array, np.ndarray]]  # left, own (RMS), contradicts


def find(parts: Parts, pixels: int, peak: float, settings: Settings) -> Outliers:
    """The outliers among the pictures of these shards, which have so many pixels."""
    level, size = peak / 255, settings.size
    usual = _usual(parts, size, pixels)
    if not settings.whole:
        return _told(parts, partial(_against_shard, usual, level), level, False)

    def against(common: Common) -> Flagged:
        return partial(_against, *common, usual, level)

    def told(common: Common) -> Outliers:
        return _told(parts, against(common), level, True)

    # The median bears with many outliers, the weighted one with much noise in most pictures.
    starts = [common for common in (_median(parts), _weighted(parts, level, size)) if common]
    if not starts:
        return Outliers(0, 0, (), None, 0)
    found, common = min(((told(each), each) for each in starts), key=lambda one: one[0].count)
    for _ in range(ROUNDS):
        better = _weighted(parts, level, size, against(common)) if found.count else None
        if better is None or not found.common:
            break
        again, common = told(better), better
        settled, found = again.count == found.count, again
        if settled:
            break
    return found


def _weighted(
    parts: Parts, level: float, size: int, flagged: Flagged | None = None
) -> Common | None:
    """The kernel of all pictures but the flagged, each by the inverse of its noise's variance."""
    total, pixels, peak = Total.zero(size), 0.0, 255 * level
    for part in parts():
        if not part.names:
            continue
        variance = part.own / np.maximum(part.counts, 1)
        weights = level**2 / np.maximum(variance, level**2 / 12)  # no file has less than rounding
        if flagged is not None:
            weights = weights * ~flagged(part)[2]
        total = total + Total.of(weights @ part.each)
        pixels += float(weights @ part.counts)
    solution = unpacked(total.high, size, cast(int, pixels), peak).solve()
    return None if solution.singular else (solution.kernel.ravel(), solution.offset)


@dataclass(frozen=True)
class _Usual:
    """What the pictures' own kernels leave, RMS; of large ones, what their shard's guess does."""

    middle: float  # the median of the shards' medians
    bars: float  # how far the kernel of all is off by its own error bars, in the pictures' units


def _usual(parts: Parts, size: int, pixels: int) -> _Usual:
    medians, energy = [], 0.0
    for part in parts():
        errors = part.own if np.isfinite(part.own).any() else part.each.reshape(-1)
        energy += float(np.nansum(errors))
        errors = errors / np.maximum(part.counts, 1)
        if np.isfinite(errors).any():
            medians.append(float(np.sqrt(np.nanmedian(errors))))
    middle = float(np.median(medians)) if medians else 0.0
    # Of k*k + 1 weights, all fitted to N pixels, the response is off by s sqrt((k*k + 1) / N).
    return _Usual(middle, float(np.sqrt(energy / max(pixels, 1) * (size**2 + 1) / max(pixels, 1))))


def _median(parts: Parts) -> Common | None:
    """The median, weight by weight, of the pictures' own kernels: half of them may be others'."""
    own = np.concatenate([part.kernels[np.isfinite(part.kernels).all(1)] for part in parts()])
    if not len(own):
        return None
    own = own[:: -(-len(own) // ASKED)]
    middle = np.median(own, axis=0)
    return middle[:-1], float(middle[-1])


def _against(
    weights: Array, offset: float, usual: _Usual, level: float, part: ShardSums
) -> tuple[Array, Array, np.ndarray]:
    counts = np.maximum(part.counts, 1)
    left = squared_error(part.each, part.counts, weights, offset)
    own = np.minimum(part.own, left)
    apart = np.sqrt((left - own) / counts)
    # A nearly flat picture's own kernel fits it better than noise allows: the usual noise counts.
    noise = np.maximum(own, usual.middle**2 * counts)
    far = apart > max(APART * level, BEYOND_BARS * usual.bars)
    clean = (usual.middle < ONE_ROUNDING * level) & (own < (ONE_ROUNDING * level) ** 2 * counts)
    contradicts = far & clean & (left > TIMES**2 * noise)
    own_rms = np.sqrt(own / counts)
    unlike = own_rms > max(UNLIKE * usual.middle, UNLIKE_LEVELS * level)
    return np.sqrt(left / counts), own_rms, contradicts | unlike


def _against_shard(usual: _Usual, level: float, part: ShardSums) -> tuple[Array, Array, np.ndarray]:
    """Of large kernels: what the kernel of its shard's first pictures leaves, against the usual."""
    left = np.sqrt(part.each.reshape(-1) / np.maximum(part.counts, 1))
    unlike = left > max(UNLIKE * usual.middle, UNLIKE_LEVELS * level)
    return left, np.full(len(left), np.nan), unlike


def _told(parts: Parts, flagged: Flagged, level: float, whole: bool) -> Outliers:
    tested = count = pixels = 0
    listed: list[Outlier] = []
    removed: Total | None = None
    for part in parts():
        if not part.names:
            continue
        left, own, bad = flagged(part)
        tested += len(part.names)
        for at in np.flatnonzero(bad):
            count += 1
            pixels += int(part.counts[at])
            own_left = None if np.isnan(own[at]) else float(own[at] / level)
            listed.append(Outlier(part.names[at], float(left[at] / level), own_left))
            if whole:
                more = Total.of(part.each[at])
                removed = more if removed is None else removed + more
        listed = sorted(listed, key=lambda one: (-one.left, one.name))[:NAMED]
    return Outliers(tested, count, tuple(listed), removed, pixels)
