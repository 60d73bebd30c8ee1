"""One channel before beside one channel after, and samples of it that stand for the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.statistics import Statistics

# Side of the tiles of a sample: large beside a 15 x 15 patch, small beside what varies in a photo.
TILE = 192


@dataclass(frozen=True, eq=False)
class Plane:
    """A grey before and after of the same size, in working units."""

    before: np.ndarray  # H x W
    after: np.ndarray  # H x W
    opaque: np.ndarray | None  # H x W bool
    peak: int  # white
    step: int  # one grey level of the after file
    place: tuple[float, float, float, float] = (0, 0, 1, 1)  # top, left, bottom, right in the whole

    def unclipped(self) -> np.ndarray:
        """H x W bool: pixels that are neither black nor white, where a filter's result is kept."""
        inside = (self.after > 0) & (self.after < self.peak)
        return inside if self.opaque is None else inside & self.opaque

    def moved(self, down: int, right: int) -> Plane:
        """The plane with before[y + down, x + right] over after[y, x]."""
        if down == right == 0:
            return self
        height, width = self.after.shape
        here = np.s_[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        there = np.s_[max(0, down) : height - max(0, -down), max(0, right) : width - max(0, -right)]
        opaque = None if self.opaque is None else self.opaque[here]
        return Plane(self.before[there], self.after[here], opaque, self.peak, self.step, self.place)

    def part(self, top: int, left: int, height: int, width: int) -> Plane:
        """A rectangle of the plane."""
        there = np.s_[top : top + height, left : left + width]
        opaque = None if self.opaque is None else self.opaque[there]
        rows, columns = self.after.shape
        place = (top / rows, left / columns, (top + height) / rows, (left + width) / columns)
        return Plane(self.before[there], self.after[there], opaque, self.peak, self.step, place)


def sample(planes: list[Plane], pixels: int) -> list[Plane]:
    """Tiles spread evenly over all planes, about `pixels` in total; small planes are kept whole."""
    tiles = []
    for plane in planes:
        height, width = plane.after.shape
        budget = pixels / len(planes)
        if height * width <= 1.5 * budget:
            tiles.append(plane)
            continue
        tall, wide = min(TILE, height), min(TILE, width)
        count = max(1, round(budget / (tall * wide)))
        down = max(1, min(round((count * height / width) ** 0.5), height // tall))
        across = max(1, min(-(-count // down), width // wide))
        tiles += [
            plane.part(int(top), int(left), tall, wide)
            for top in np.linspace(0, height - tall, down)
            for left in np.linspace(0, width - wide, across)
        ]
    return tiles


def sums(planes: list[Plane], masks: list[np.ndarray], size: int) -> Statistics | None:
    """The sums over all planes; None if fewer pixels are left than four for each unknown."""
    edge = size // 2
    total = Statistics.zero(size)
    for plane, mask in zip(planes, masks, strict=True):
        if min(mask.shape) < size:
            continue
        if mask[edge : mask.shape[0] - edge, edge : mask.shape[1] - edge].sum() > size * size:
            total = total + Statistics.from_pair(
                plane.before, plane.after, size, None if mask.all() else mask
            )
    return total if total.count >= 4 * (size * size + 1) else None


def predictable(
    planes: list[Plane], kernel: np.ndarray, offset: float, margin: float
) -> list[np.ndarray]:
    """Masks of the pixels whose prediction keeps `margin` from black and white.

    Leaving out clipped pixels by what *came out* favours noise that points inward; leaving them
    out by what the picture before *predicts* does not bias the fit (selection on the regressors).
    """
    masks = []
    for plane in planes:
        mask = np.zeros(plane.after.shape, bool)
        edge = len(kernel) // 2
        if min(mask.shape) >= len(kernel):
            value = correlate_valid(plane.before.astype(np.float64), kernel, offset)
            inner = np.s_[edge : mask.shape[0] - edge, edge : mask.shape[1] - edge]
            mask[inner] = (value > margin) & (value < plane.peak - margin)
        masks.append(mask if plane.opaque is None else mask & plane.opaque)
    return masks


def share(masks: list[np.ndarray]) -> float:
    """The share of pixels that the masks let through."""
    return sum(np.count_nonzero(m) for m in masks) / max(1, sum(m.size for m in masks))
