"""Pictures whose own sums contradict the kernel of all.

No picture is read again: with its sums, the squared error of any kernel on it is arithmetic. What
the kernel of all leaves is held against what the picture's own best kernel leaves. A picture of
another filter has a kernel of its own that serves it far better; one that no kernel made is left
with far more than the others. What noise or JPEG does to one filter does neither: noise is in both
errors alike.

Of large kernels (see settings.KEPT_SIZE) a shard has found out itself which pictures contradict its
first ones; here is asked whether those agree with the other shards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from kernel_demo.dataset.reference import (
    APART,
    ONE_ROUNDING,
    TIMES,
    UNLIKE,
    UNLIKE_LEVELS,
    contradict,
)
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.sums import NAMED, ShardSums
from kernel_demo.dataset.totals import Array, Total, squared_error, unpacked

BEYOND_BARS = 4.0  # so many times what the error bars of the kernel of all allow is far apart
ROUNDS = 5
ASKED = 2**16  # pictures whose own kernels the first common one is the median of


@dataclass(frozen=True)
class Outlier:
    """A picture that was not made by the common kernel alone."""

    name: str
    left: float  # RMS that the common kernel leaves, in grey levels of 255
    own: float  # that its own best kernel leaves


@dataclass(frozen=True, eq=False)
class Outliers:
    """What the pictures' own sums say of them."""

    tested: int  # pictures
    count: int
    first: tuple[Outlier, ...]  # the farthest off
    removed: Total | None  # the sums that are not the common kernel's; None: there are none
    pixels: int  # of those
    untested: int = 0  # pictures whose shard's first ones have no kernel in common
    strange: int = 0  # pictures of shards whose first ones have another kernel: removed unexamined

    @property
    def common(self) -> bool:
        """Whether most pictures agree at all."""
        return 2 * (self.count + self.strange) <= self.tested + self.strange


Common = tuple[Array, float]  # a kernel (k*k,) and its offset
Parts = Callable[[], Iterator[ShardSums]]
Flagged = Callable[[ShardSums], tuple[Array, Array, np.ndarray]]  # left, own (RMS), contradicts


def find(parts: Parts, pixels: int, peak: float, settings: Settings) -> Outliers:
    """The outliers among the pictures of these shards, which have so many pixels."""
    level, size = peak / 255, settings.size
    if not settings.whole:
        return _by_shards(parts, level, size)
    usual = _usual(parts, size, pixels)

    def against(common: Common) -> Flagged:
        return partial(_against, *common, usual, level)

    def told(common: Common) -> Outliers:
        return _told(parts, against(common), level)

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
    """What the pictures' own kernels leave, RMS."""

    middle: float  # the median of the shards' medians
    bars: float  # how far the kernel of all is off by its own error bars, in the pictures' units


def _usual(parts: Parts, size: int, pixels: int) -> _Usual:
    medians, energy = [], 0.0
    for part in parts():
        energy += float(part.own.sum())
        if len(part.own):
            medians.append(float(np.sqrt(np.median(part.own / np.maximum(part.counts, 1)))))
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


def _by_shards(parts: Parts, level: float, size: int) -> Outliers:
    """Of large kernels: what each shard found, if its first pictures agree with the other shards.

    The set of shards that agree grows from those at the median kernel, by the same test that a
    shard has for its pictures.
    """
    agreed = [part.agreed for part in parts() if len(part.agreed)]
    if not agreed:
        return Outliers(0, 0, (), None, 0, sum(len(part.names) for part in parts()))
    common = np.median(agreed, axis=0)
    nearest = min(_off(part, common) for part in parts() if len(part.agreed))
    ours, total, pixels, error = set[int](), Total.zero(size), 0.0, 0.0
    for first in (True, False):
        for at, part in enumerate(parts()):
            if at in ours or not len(part.agreed) or (first and _off(part, common) > nearest):
                continue
            kept = part.odd == 0
            count, own = float(part.counts[kept].sum()), float(part.each[kept].sum())
            both, usual = total + part.kept, float(np.sqrt(own / max(count, 1)))
            # The best kernel of both leaves no more than that of the others does.
            left = error + _off(part, common) * count
            if first or contradict(left, error, own, usual, int(count), level):
                solution = unpacked(both.high, size, cast(int, pixels + count), 255 * level).solve()
                left = solution.residual**2 * (pixels + count)
                if not first and contradict(left, error, own, usual, int(count), level):
                    continue
                common = np.append(solution.kernel, solution.offset)
            ours, total, pixels, error = ours | {at}, both, pixels + count, left
    return _told(parts, _found, level, frozenset(ours))


def _off(part: ShardSums, common: Array) -> float:
    """The mean squared error of a kernel and offset on the pictures that a shard has kept."""
    kept, count = part.kept.high, float(part.counts[part.odd == 0].sum())
    return float(squared_error(kept, count, common[:-1], float(common[-1]))) / max(count, 1)


def _found(part: ShardSums) -> tuple[Array, Array, np.ndarray]:
    counts = np.maximum(part.counts, 1)
    return np.sqrt(part.each.reshape(-1) / counts), np.sqrt(part.own / counts), part.odd == 1


def _told(
    parts: Parts, flagged: Flagged, level: float, ours: frozenset[int] | None = None
) -> Outliers:
    """ours: which shards agree; None: all do. Those without a kernel of their own are untested."""
    tested = count = pixels = untested = strange = 0
    listed: list[Outlier] = []
    removed: Total | None = None
    for number, part in enumerate(parts()):
        if not part.names:
            continue
        if ours is not None and number not in ours:
            if not len(part.agreed):
                untested += len(part.names)
                continue
            strange += len(part.names)
            pixels += part.pixels
            removed = part.total if removed is None else removed + part.total
            continue
        left, own, bad = flagged(part)
        tested += len(part.names)
        for at in np.flatnonzero(bad):
            count += 1
            pixels += int(part.counts[at])
            listed.append(
                Outlier(part.names[at], float(left[at] / level), float(own[at] / level))
            )  # fmt: skip
            if ours is None:
                more = Total.of(part.each[at])
                removed = more if removed is None else removed + more
        if ours is not None and bad.any():
            more = Total(*part.apart)
            removed = more if removed is None else removed + more
        listed = sorted(listed, key=lambda one: (-one.left, one.name))[:NAMED]
    return Outliers(tested, count, tuple(listed), removed, pixels, untested, strange)
