"""Everything that squared loss ever sees of the pictures: X'X, X'y, y'y, two sums and a count.

X has one row a pixel, its k x k patch; y is the pixel after the filter. The sums add over tiles,
pictures and machines; from them come the loss, its gradient, the best kernel and its error bars,
with no further pass over the pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import MAX_SIZE
from kernel_demo.learning import devices
from kernel_demo.learning.solution import Solution, solve
from kernel_demo.learning.sums import patch_sums


@dataclass(frozen=True, eq=False)
class Statistics:
    """The sums of one or many pairs, in the pictures' own units (uint8: grey levels 0..255).

    For 8-bit pictures they are whole numbers and exact up to 1.3e11 pixels (255**2 * count below
    2**53); for 16-bit ones while the sum of squares stays below 2**53 (2 Mpx all white, 8 Mpx of
    mid-grey), beyond that to the rounding of float64.
    """

    size: int  # k
    gram: np.ndarray  # (k*k, k*k) float64, X'X
    cross: np.ndarray  # (k*k,) float64, X'y
    patch_sum: np.ndarray  # (k*k,) float64, X'1
    energy: float  # y'y
    after_sum: float  # y'1
    count: int  # pixels used: whole patch inside, mask True
    peak: float = 1.0  # white in the pictures' units: 255, 65535 or (float pictures) 1

    def __post_init__(self) -> None:
        for array in (self.gram, self.cross, self.patch_sum):
            array.setflags(write=False)

    @classmethod
    def zero(cls, size: int) -> Statistics:
        """The sums of no picture at all: the neutral element of `+`."""
        _check_size(size)
        k2 = size * size
        return cls(size, np.zeros((k2, k2)), np.zeros(k2), np.zeros(k2), 0.0, 0.0, 0, 0.0)

    @classmethod
    def from_pair(
        cls,
        before: np.ndarray,
        after: np.ndarray,
        size: int,
        mask: np.ndarray | None = None,
        device: str = "cpu",
    ) -> Statistics:
        """Sums over the valid pixels of one pair (or of one tile of it).

        before, after: H x W of one shape, uint8, uint16 or float; of `after` only the interior is
        read. mask: H x W bool, True for the pixels of `after` to use. device: one of
        devices.CHOICES; the CPU in place of one without float64. DemoError on anything else.
        """
        _check_size(size)
        before, after = _picture(before, "before"), _picture(after, "after")
        if before.shape != after.shape:
            raise DemoError(
                "before and after of one size",
                f"{_shape(before)} and {_shape(after)}",
                "Bring the two pictures to the same size.",
            )
        if min(before.shape) < size:
            raise DemoError(
                f"pictures of at least {size} x {size} pixels",
                _shape(before),
                "Use larger pictures or a smaller kernel.",
            )
        if mask is not None:
            mask = _checked_mask(mask, before.shape, size)
        device = devices.with_float64(devices.resolve(device))
        return cls(size, *patch_sums(before, after, size, mask, device), peak=_peak(before))

    def __add__(self, other: Statistics) -> Statistics:
        """The sums over both sets of pictures, in any order."""
        if self.size != other.size:
            raise DemoError(
                f"sums of kernels of one size ({self.size})",
                f"size {other.size}",
                "Shrink the larger one first.",
            )
        if self.peak and other.peak and self.peak != other.peak:
            raise DemoError(
                f"pictures of one range (0 to {self.peak:g})",
                f"0 to {other.peak:g}",
                "Bring all pictures to the same bit depth.",
            )
        return Statistics(
            self.size,
            self.gram + other.gram,
            self.cross + other.cross,
            self.patch_sum + other.patch_sum,
            self.energy + other.energy,
            self.after_sum + other.after_sum,
            self.count + other.count,
            max(self.peak, other.peak),
        )

    def shrink(self, size: int) -> Statistics:
        """The sums of the smaller centred kernel: sub-blocks, at no further pass.

        The pixels are still those whose patch of the larger size lies inside the picture.
        """
        _check_size(size)
        if size > self.size:
            raise DemoError(
                f"a size up to {self.size}", f"{size}", "Take the sums anew at the larger size."
            )
        edge = (self.size - size) // 2
        grid = np.arange(self.size**2).reshape(self.size, self.size)
        keep = grid[edge : edge + size, edge : edge + size].ravel()
        return Statistics(
            size,
            self.gram[np.ix_(keep, keep)],
            self.cross[keep],
            self.patch_sum[keep],
            self.energy,
            self.after_sum,
            self.count,
            self.peak,
        )

    def loss(self, kernel: np.ndarray, offset: float = 0.0) -> float:
        """The mean squared error of `kernel` (k x k) and `offset` over all pixels."""
        w = np.asarray(kernel, np.float64).ravel()
        total = self.energy - 2 * (w @ self.cross) + w @ self.gram @ w
        total += offset * (2 * (w @ self.patch_sum) - 2 * self.after_sum + offset * self.count)
        return max(float(total), 0.0) / max(self.count, 1)

    def gradient(self, kernel: np.ndarray, offset: float = 0.0) -> tuple[np.ndarray, float]:
        """Derivatives of `loss`: (k, k) for the kernel, a number for the offset."""
        w = np.asarray(kernel, np.float64).ravel()
        scale = 2.0 / max(self.count, 1)
        slope = scale * (self.gram @ w + offset * self.patch_sum - self.cross)
        offset_slope = scale * (w @ self.patch_sum + offset * self.count - self.after_sum)
        return slope.reshape(self.size, self.size), float(offset_slope)

    def solve(self, offset: bool = True, ridge: float = 0.0) -> Solution:
        """The best kernel (and offset) for these sums; see `solution.solve`."""
        return solve(self, offset, ridge)


def accumulate(
    pairs: Iterable, size: int, device: str = "cpu"
) -> tuple[Statistics, tuple[str, ...]]:
    """The sums over pairs (before, after) or (before, after, mask), taken one at a time.

    A pair that cannot be used is left out and named: the second value has one sentence for each,
    "pair 7: Expected ...", counted from 1. device: as in Statistics.from_pair(); DemoError for one
    that is not there.
    """
    devices.resolve(device)
    total, problems = Statistics.zero(size), []
    for number, pair in enumerate(pairs, 1):
        try:
            total = total + Statistics.from_pair(*pair[:2], size, *pair[2:], device=device)
        except DemoError as error:  # noqa: PERF203 - a pass over pixels dwarfs a try
            problems.append(f"pair {number}: {error}")
    return total, tuple(problems)


def _check_size(size: int) -> None:
    if size not in range(1, MAX_SIZE + 1, 2):
        raise DemoError(f"an odd size up to {MAX_SIZE}", f"{size}", "Choose 3, 5 or 7.")


def _shape(picture: np.ndarray) -> str:
    return " x ".join(map(str, picture.shape))


def _peak(picture: np.ndarray) -> float:
    return float(np.iinfo(picture.dtype).max) if picture.dtype.kind == "u" else 1.0


def _picture(picture: np.ndarray, name: str) -> np.ndarray:
    """`picture`, if it is an H x W array of uint8, uint16 or finite floats."""
    picture = np.asarray(picture)
    if picture.dtype.kind == "f" and picture.dtype != np.float32:
        picture = picture.astype(np.float64, copy=False)  # half, extended, of another byte order
    if picture.dtype.str == ">u2":
        picture = picture.astype(np.uint16)
    if picture.ndim != 2 or 0 in picture.shape:
        raise DemoError(
            f"a grey picture ({name}), height x width",
            f"an array of shape {picture.shape}",
            "Choose one channel.",
        )
    if picture.dtype not in (np.uint8, np.uint16) and picture.dtype.kind != "f":
        raise DemoError(
            f"{name} as uint8, uint16 or float", str(picture.dtype), "Convert the picture first."
        )
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        bad = int((~np.isfinite(picture)).sum())
        raise DemoError(
            f"finite numbers in {name}",
            f"{bad} pixels that are NaN or infinite",
            "Repair or leave out that picture.",
        )
    return picture


def _checked_mask(mask: np.ndarray, shape: tuple[int, int], size: int) -> np.ndarray:
    """`mask` as bool, if it fits and leaves at least as many pixels as there are unknowns."""
    mask = np.asarray(mask, bool)
    if mask.shape != shape:
        raise DemoError(
            f"a mask of the pictures' size ({shape[0]} x {shape[1]})",
            _shape(mask),
            "Make the mask from the after picture.",
        )
    edge, unknowns = size // 2, size * size + 1
    used = int(mask[edge : shape[0] - edge, edge : shape[1] - edge].sum())
    if used < unknowns:
        raise DemoError(
            f"a mask that leaves at least {unknowns} pixels",
            f"{used} pixels",
            "Use a larger picture, a smaller kernel or a wider mask.",
        )
    return mask
