"""How a tool comes to whole levels: filters one after the other, each of which rounds.

A way is told where the very picture that it makes is the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from kernel_demo.imaging.filtering import pad
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.explanations import Edge, Phrase, Rounding

TIE = 1e-9  # grey levels: sums this near to a half end in one, but for float64


class Family(Phrase):
    """What a way of few parameters is called."""

    GAUSSIAN = "Gaussian blur"
    BOXES = "Box blur"
    UNSHARP = "Unsharp mask"
    MOTION = "Motion blur"
    LOG = "Laplacian of Gaussian"
    PILLOW_GAUSSIAN = "Gaussian blur (Pillow)"
    PILLOW_BOX = "Box blur (Pillow)"
    PILLOW_UNSHARP = "Unsharp mask (Pillow)"
    MAGICK_BLUR = "Gaussian blur (ImageMagick)"
    OPENCV_GAUSSIAN = "Gaussian blur (OpenCV)"


@dataclass(frozen=True, eq=False)
class Pass:
    """A filter that writes whole levels, cut off below black and above white."""

    weights: np.ndarray  # h x w, both odd
    rounding: Rounding = Rounding.HALF_UP
    finer: int = 1  # levels kept to a grey level
    offset: float = 0.0  # grey levels

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """What it makes of a picture, where the whole patch lies inside."""
        return self.levels(filtered(values, self.weights))

    def levels(self, sums: np.ndarray) -> np.ndarray:
        """What it makes of sums: whole levels, cut off."""
        return np.clip(self.whole(sums), 0, 255)

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns about a pixel that its result depends on."""
        height, width = self.weights.shape
        return height // 2, width // 2

    @property
    def added(self) -> float:
        """Grey levels that rounding half up wants beside the sums, to end in these levels."""
        return self.offset - (0.5 / self.finer if self.rounding == Rounding.TRUNCATE else 0.0)

    def whole(self, values: np.ndarray) -> np.ndarray:
        """The levels that it makes of sums, black and white no bounds."""
        values = (values + self.offset) * self.finer
        if self.rounding == Rounding.HALF_EVEN:
            return np.rint(np.round(values, 9)) / self.finer
        half = 0.5 if self.rounding == Rounding.HALF_UP else 0.0
        return np.floor(values + (half + TIE)) / self.finer


@dataclass(frozen=True, eq=False)
class Way:
    """How a tool comes to the picture after, in whole levels."""

    passes: tuple[Pass, ...]
    # Of before - blurred, which is added to before, in per cent; the sum is cut off towards before.
    percent: float | None = None
    family: Family | None = None
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def roundings(self) -> int:
        """How many times whole levels are made; those of 16 bits beside one of 8 are none."""
        filters = sum(one.weights.size > 1 for one in self.passes)
        return len(self.passes) + (self.percent is not None) if filters > 1 else 1

    @property
    def name(self) -> str:
        """The family with its parameters; "" without one."""
        if self.family is None:
            return ""
        figures = (f"{name} {value:.6g}" for name, value in self.parameters.items())
        label, space, tool = self.family.value.partition(" (")
        return f"{label}, {', '.join(figures)}{space}{tool}"

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns about a pixel that its result depends on."""
        sides = np.sum([np.shape(one.weights) for one in self.passes], axis=0)
        return tuple(((sides - len(self.passes)) // 2).tolist())

    @property
    def kernel(self) -> np.ndarray:
        """k x k: what it is but for the rounding."""
        radius = max(1, *self.reach)
        whole: np.ndarray = np.zeros((2 * radius + 1,) * 2)
        whole[radius, radius] = 1
        for one in self.passes:  # of what is correlated with an impulse comes the kernel turned
            turned = one.weights[::-1, ::-1]
            whole = cv2.filter2D(whole, -1, turned, borderType=cv2.BORDER_CONSTANT)
        if self.percent is not None:
            whole *= -self.percent / 100
            whole[radius, radius] += 1 + self.percent / 100
        return whole

    @property
    def offset(self) -> float:
        """Grey levels, for sums that are rounded half up."""
        found = 0.0
        for one in self.passes:
            found = found * float(one.weights.sum()) + one.added
        return found if self.percent is None else -found * self.percent / 100

    def made(self, before: np.ndarray) -> np.ndarray:
        """What it makes of a picture (H x W), where the whole patch lies inside. float64."""
        return self.ended(before)[1]

    def ended(self, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same before its last rounding, for sums that are rounded half up; and after it."""
        *others, last = self.passes
        values = before.astype(np.float64)
        for one in others:
            values = one(values)
        sums = filtered(values, last.weights)
        levels = last.levels(sums)
        if self.percent is None:
            return sums + last.added, levels
        own = inner(before, *self.reach).astype(np.float64)
        more = (own - levels) * self.percent / 100
        return own + more - np.sign(more) / 2, self._added_to(own, levels)

    def on_all(self, before: np.ndarray, border: str, value: float = 0.0) -> np.ndarray:
        """What it makes of a whole picture (H x W), where each filter goes on by a border mode.

        border: one of filtering.MODES, or Edge.RENORMALISED. value: what is around under CONSTANT,
        in grey levels.
        """
        values = before.astype(np.float64)
        for one in self.passes:
            if border == Edge.RENORMALISED:
                sums = _whole(values, one.weights, "zero") / share_inside(one.weights, values.shape)
            else:
                sums = _whole(values, one.weights, border, value)
            values = one.levels(sums)
        return values if self.percent is None else self._added_to(before, values)

    def _added_to(self, before: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """An unsharp mask's levels. C's division of whole numbers cuts off towards zero."""
        own = before.astype(np.float64)
        return np.clip(own + np.trunc((own - blurred) * self.percent / 100), 0, 255)


def filtered(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlated, where the whole patch lies inside."""
    down, right = (side // 2 for side in weights.shape)
    return inner(cv2.filter2D(values, cv2.CV_64F, weights), down, right)


def _whole(values: np.ndarray, weights: np.ndarray, border: str, value: float = 0.0) -> np.ndarray:
    """Correlated, as large as the picture."""
    down, right = (side // 2 for side in weights.shape)
    widest = max(down, right)
    around = pad(values, widest, border, value)
    return filtered(inner(around, widest - down, widest - right), weights)


def share_inside(weights: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """H x W: for each pixel, the weights within a picture as a share of their sum."""
    return _whole(np.ones(shape), weights, "zero") / weights.sum()


def inner(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    """The picture without so many rows and columns along its border."""
    return picture[down : picture.shape[0] - down, right : picture.shape[1] - right]


def kept(tile: Plane, down: int, right: int) -> np.ndarray:
    """bool: the pixels that count, of those whose patch lies inside."""
    after = inner(tile.after, down, right)
    return np.ones(after.shape, bool) if tile.counted is None else inner(tile.counted, down, right)


def share(way: Way, tiles: Sequence[Plane]) -> float:
    """Of the pixels that count and whose patch lies inside: those that the way makes exactly."""
    same = counted = 0
    for tile in large_enough(way, tiles):
        chosen = kept(tile, *way.reach)
        made = np.clip(way.made(tile.before), *tile.clip) == inner(tile.after, *way.reach)
        same += int(np.count_nonzero(made & chosen))
        counted += int(np.count_nonzero(chosen))
    return same / counted if counted else 0.0


def large_enough(way: Way, tiles: Sequence[Plane]) -> list[Plane]:
    """The tiles of which most is left inside."""
    down, right = way.reach
    return [t for t in tiles if t.after.shape[0] > 4 * down and t.after.shape[1] > 4 * right]


def off(way: Way, tiles: Sequence[Plane]) -> float:
    """Mean square of after - made."""
    parts = []
    for tile in large_enough(way, tiles):
        made = np.clip(way.made(tile.before), *tile.clip)
        parts.append((made - inner(tile.after, *way.reach))[kept(tile, *way.reach)])
    left = np.concatenate(parts) if parts else np.zeros(0)
    return float(left @ left) / len(left) if len(left) else np.inf
