"""A sample as planes before and after, and which of their pixels count.

A file clips what is below black and above white. Which pixels that may have happened to is told by
what the filter *predicts* (see learning.statistics.trusted), and here by what the first pairs of
the same shard predict: so a shard's sums are a function of that shard alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kernel_demo.dataset.settings import EACH, LUMINANCE, Settings
from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import CHANNELS
from kernel_demo.learning.statistics import CLIP_MARGIN, Statistics
from kernel_demo.sources import decoding
from kernel_demo.sources.members import Sample

GUESSED = 8  # pairs of a shard that its prediction comes from
# Of the pixels that a prediction keeps, those that are black or white all the same: where they are
# more, it is another filter's.
SURPRISED = 1e-3


@dataclass(frozen=True, eq=False)
class Plane:
    """One channel of a pair."""

    before: np.ndarray  # H x W, uint8 or uint16
    after: np.ndarray  # the same, or float64 in the same units


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a filter makes, about."""

    kernel: np.ndarray  # (k, k)
    offset: float
    residual: float  # RMS, in the pictures' units


def planes(sample: Sample, settings: Settings) -> list[Plane]:
    """The planes of a sample. DemoError: no pictures, or two that do not fit together."""
    luminance = settings.channel == LUMINANCE
    pictures = [decoding.once(file, sample.name, luminance) for file in sample.files]
    before = pictures[0]
    if settings.weights is not None:
        return [
            _filtered(plane, np.array(settings.weights)) for plane in _channels(before, settings)
        ]
    after = pictures[1]
    if before.shape[:2] != after.shape[:2]:
        sizes = " and ".join(f"{p.shape[1]} × {p.shape[0]}" for p in pictures)
        raise DemoError("before and after of one size", sizes, "Bring both to the same size.")
    if before.ndim != after.ndim or before.dtype != after.dtype:
        kinds = " and ".join(_kind(picture) for picture in pictures)
        raise DemoError("before and after of one kind", kinds, "Save both alike.")
    both = zip(_channels(before, settings), _channels(after, settings), strict=True)
    return [Plane(*pair) for pair in both]


def _kind(picture: np.ndarray) -> str:
    colour = "grey" if picture.ndim == 2 else "colour"
    return f"{colour} of {8 * picture.dtype.itemsize} bits"


def _channels(picture: np.ndarray, settings: Settings) -> list[np.ndarray]:
    if picture.ndim == 2:
        return [picture]
    if settings.channel == EACH:
        return [np.ascontiguousarray(picture[..., n]) for n in range(3)]
    return [np.ascontiguousarray(picture[..., CHANNELS.index(settings.channel) - 1])]


def _filtered(before: np.ndarray, weights: np.ndarray) -> Plane:
    """The after of the reference filter, in float64: neither rounded nor clipped.

    What lies beyond the edges is of no account, as only pixels count whose whole patch is inside.
    """
    source = before if before.dtype == np.uint8 else before.astype(np.float64)
    return Plane(before, cv2.filter2D(source, cv2.CV_64F, weights))


def prediction(pairs: Sequence[Plane], size: int) -> Prediction | None:
    """What the most of these planes have in common; None where they do not tell.

    Of each by itself the best kernel, and then the median weight by weight: up to half of the pairs
    may be of another filter.
    """
    found = []
    for pair in pairs:
        try:
            sums = Statistics.from_pair(pair.before, pair.after, size, unclipped(pair.after))
        except DemoError:
            continue
        solution = sums.solve()
        if not solution.singular:
            found.append(solution)
    if not found:
        return None
    return Prediction(
        np.median([one.kernel for one in found], axis=0),
        float(np.median([one.offset for one in found])),
        float(np.median([one.residual for one in found])),
    )


def unclipped(after: np.ndarray) -> np.ndarray:
    """Where it is neither black nor white."""
    return (after > 0) & (after < np.iinfo(after.dtype).max)


def counted(pair: Plane, guess: Prediction | None) -> np.ndarray | None:
    """The pixels of a plane to use, H x W bool; None: all of them."""
    if pair.after.dtype.kind == "f":
        return None
    low, high, _, _ = cv2.minMaxLoc(pair.after)
    white = np.iinfo(pair.after.dtype).max
    if low > 0 and high < white:
        return None  # nothing was clipped
    inside = unclipped(pair.after)
    if guess is None:
        return inside
    margin = CLIP_MARGIN * guess.residual
    response = cv2.filter2D(pair.before, cv2.CV_32F, guess.kernel, delta=guess.offset)
    chosen = (response > margin) & (response < white - margin)
    surprising = np.count_nonzero(chosen & ~inside)
    return inside if surprising > SURPRISED * np.count_nonzero(chosen) else chosen
