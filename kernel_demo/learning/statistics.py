"""Everything that squared loss ever sees of the pictures: X'X, X'y, y'y, two sums and a count.

X has one row a pixel, its k x k patch; y is the pixel after the filter. The sums add over tiles,
pictures and machines; from them come the best kernel, its error bars and how far to trust it, with
no further pass over the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernel_demo import records
from kernel_demo.errors import DemoError, odd
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import MAX_SIZE
from kernel_demo.learning import devices
from kernel_demo.learning.late import torch
from kernel_demo.learning.sums import Picture, patch_sums, patch_sums_there
from kernel_demo.numbers import count, figure

# Before and after, and where the pixels count; None: everywhere.
Pair: TypeAlias = tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray | None]
# Sums of products carry relative rounding of a few units in the last place; a direction whose
# energy is below that share of the total is not told apart from zero.
RANK_TOLERANCE = 16 * np.finfo(np.float64).eps
LARGEST = MAX_SIZE + 2  # of sums: the ring about the largest kernel shows whether it ends there
OPEN_SHARE = 1e-8  # a weight with less than this share in the unknown directions is determined
CLIP_MARGIN = 4.0  # standard deviations of the residual: so far from the ends, clipping is rare
CLIP_ROUNDS = 3  # the first fit is the biased one; two more settle the margins


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
        odd("size", size, 1, LARGEST)
        k2 = size * size
        return cls(size, np.zeros((k2, k2)), np.zeros(k2), np.zeros(k2), 0.0, 0.0, 0, 0.0)

    @classmethod
    def from_pair(
        cls,
        before: Picture,
        after: Picture,
        size: int,
        mask: np.ndarray | None = None,
        device: str = "cpu",
    ) -> Statistics:
        """Sums over the valid pixels of one pair (or of one tile of it).

        before, after: H x W of one shape, uint8, uint16 or float; of `after` only the interior is
        read. mask: H x W bool, True for the pixels of `after` to use. device: one of
        devices.CHOICES; the CPU in place of one without float64. DemoError on anything else.

        Tensors of NumPy's types are taken like arrays. Of two that lie on one CUDA device as uint8
        the sums are worked out there, if there is no mask: the pictures stay, and `device` has no
        say.
        """
        odd("size", size, 1, LARGEST)
        if mask is None and (pair := _together(before, after)):
            _check_size(*pair, size)
            return cls(size, *patch_sums_there(*pair, size), 255.0)
        before, after = _picture(before, "before"), _picture(after, "after")
        _check_size(before, after, size)
        if mask is not None:
            mask = _checked_mask(mask, before.shape, size)
        there = devices.with_float64(devices.resolve(device))
        peak = float(np.iinfo(before.dtype).max) if before.dtype.kind == "u" else 1.0
        return cls(size, *patch_sums(before, after, size, mask, there), peak)

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

    @cached_property
    def centred(self) -> tuple[np.ndarray, np.ndarray, np.longdouble]:
        """X'X, X'y and y'y about the means: the sums of a kernel that has an offset beside it.

        Extended precision (where the machine has it) keeps the digits that the subtraction loses.
        """
        count = np.longdouble(max(self.count, 1))
        # Of an after of one level the mean is exact, and nothing is left of X'y.
        energy, after_sum = np.longdouble(self.energy), np.longdouble(self.after_sum)
        after = after_sum / count
        gram = self.gram - np.outer(self.patch_sum / count, self.patch_sum)
        return gram, self.cross - after * self.patch_sum, energy - after * after_sum

    def shrink(self, size: int) -> Statistics:
        """The sums of the smaller centred kernel: sub-blocks, at no further pass.

        The pixels are still those whose patch of the larger size lies inside the picture.
        """
        odd("size", size, 1, self.size)
        edge = (self.size - size) // 2
        grid = np.arange(self.size**2).reshape(self.size, self.size)
        keep = grid[edge : edge + size, edge : edge + size].ravel()
        return replace(
            self,
            size=size,
            gram=self.gram[np.ix_(keep, keep)],
            cross=self.cross[keep],
            patch_sum=self.patch_sum[keep],
        )

    def solve(self, offset: bool = True) -> Solution:
        """The best kernel (and offset) for these sums, by the normal equations in float64.

        Standard errors are the square roots of the diagonal of s^2 (X'X)^-1, s^2 the squared error
        over the degrees of freedom. Directions of no energy get weight 0.
        """
        return Equations(self, offset).solution()


def accumulate(
    pairs: Iterable[Pair], size: int, device: str = "cpu"
) -> tuple[Statistics, tuple[str, ...]]:
    """The sums over pairs (before, after) or (before, after, mask), taken one at a time.

    A pair that cannot be used is left out and named: the second value has one sentence for each,
    "pair 7: Expected ...", counted from 1. device: as in Statistics.from_pair(); DemoError for one
    that is not there.
    """
    devices.resolve(device)
    total = Statistics.zero(size)
    problems: list[str] = []
    for number, pair in enumerate(pairs, 1):
        try:
            mask = pair[2] if len(pair) == 3 else None
            total = total + Statistics.from_pair(pair[0], pair[1], size, mask, device)
        except DemoError as error:  # noqa: PERF203 - a pass over pixels dwarfs a try
            problems.append(f"pair {number}: {error}")
    return total, tuple(problems)


def trusted(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    size: int,
    offset: bool = False,
) -> tuple[np.ndarray, ...]:
    """Masks of the after pixels whose predicted value lies well inside 0..1.

    A file clips what is below 0 or above white. To leave out the pixels that *are* 0 or white is
    right without noise. With noise it keeps, near the ends, just those pixels whose noise pointed
    inward, and least squares is biased by many error bars: selection on the response (Tobin,
    "Estimation of relationships for limited dependent variables", Econometrica 26, 1958). Selection
    by the *predicted* value depends on the before picture alone and biases nothing.

    befores, afters: H x W float, 0..1. masks: H x W bool, False on pixels that were clipped, for
    the first fit. size: of the kernel that is fitted. offset: whether one is fitted, too. Masks
    that would leave less than the unknowns are given back as they came.
    """
    chosen = tuple(masks)
    for _ in range(CLIP_ROUNDS):
        statistics, _ = accumulate(zip(befores, afters, chosen, strict=True), size)
        if statistics.count <= size**2 + offset:
            return tuple(masks)
        best = statistics.solve(offset)
        margin = CLIP_MARGIN * best.residual
        predicted = [correlate(before, best.kernel, offset=best.offset) for before in befores]
        chosen = tuple((value > margin) & (value < 1 - margin) for value in predicted)
    enough = sum(int(mask.sum()) for mask in chosen) > 4 * size**2
    return chosen if enough else tuple(masks)


class Singularity(Enum):
    """Why the best kernel is not unique; its value is the cause and the remedy, as sentences."""

    TOO_FEW_PIXELS = (
        "There are {0.pixels:,} usable pixels for {0.unknowns:,} unknowns.",
        "Add more or larger pictures, or choose a smaller kernel.",
    )
    OPEN_COMBINATIONS = (
        "The pictures determine only {0.rank} of the {0.kernel.size} combinations of weights.",
        "Add more or sharper pictures, or send the probe picture through the tool.",
    )


@dataclass(frozen=True, eq=False)
class Solution:
    """The best kernel that a set of sums allows. A singular system is a value, not an error."""

    kernel: NDArray[np.float64]
    """(k, k); of smallest norm where the pictures leave a choice."""
    offset: float
    """In the units of after; 0 where none was asked for."""
    standard_error: NDArray[np.float64]
    """(k, k), one standard deviation; inf for weights that the pictures leave open."""
    rank: int
    """Combinations of weights that the pictures determine, at most k*k."""
    condition: float
    """Of X'X: largest eigenvalue / smallest; inf when singular."""
    residual: float
    """RMS of what the kernel leaves unexplained, in the units of after."""
    pixels: int
    """How many the sums are of: whole patch inside, not clipped."""
    unknowns: int
    """Weights, and the offset if one was asked for."""

    @property
    def singularity(self) -> Singularity | None:
        """Why some combination of weights is undetermined; None: all of them are determined."""
        if self.pixels < self.unknowns:
            return Singularity.TOO_FEW_PIXELS
        return Singularity.OPEN_COMBINATIONS if self.rank < self.kernel.size else None

    @property
    def singular(self) -> bool:
        """Whether a combination of weights is undetermined; then cause and remedy say more."""
        return self.singularity is not None

    @property
    def cause(self) -> str:
        """Why it is singular, in a sentence; "" otherwise."""
        return self.singularity.value[0].format(self) if self.singularity else ""

    @property
    def remedy(self) -> str:
        """What to do about it, in a sentence; "" otherwise."""
        return self.singularity.value[1] if self.singularity else ""

    def _repr_html_(self) -> str:
        said = (
            f"Error bars up to {figure(self.standard_error.max())}; offset {figure(self.offset)}; "
            f"residual {figure(self.residual)} RMS over {count(self.pixels)} pixels; condition "
            f"number {figure(self.condition)}."
        )
        table = records.heat_map(self.kernel, self.standard_error)
        return records.shown(table, said, f"{self.cause} {self.remedy}".strip())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .json (every field) or its kernel as .npy; returns the path."""
        return records.save(path, self.kernel, vars(self) | {"cause": self.cause})


class Equations:
    """The normal equations with the offset eliminated, and the eigenvectors of their matrix.

    Least squares for [kernel, offset] (a column of ones added to X) is, by the Schur complement,
    least squares for the kernel on sums about the mean.
    """

    def __init__(self, statistics: Statistics, offset: bool) -> None:
        """offset: whether one is to be fitted."""
        self.statistics, self.offset = statistics, offset
        self.total = np.longdouble(max(statistics.count, 1))
        self.patch_mean = statistics.patch_sum.astype(np.longdouble) / self.total * bool(offset)
        self.after_mean = np.longdouble(statistics.after_sum) / self.total * bool(offset)
        plain = statistics.gram, statistics.cross, statistics.energy
        self.energy: float | np.longdouble
        self.gram, self.cross, self.energy = statistics.centred if offset else plain
        # Ascending eigenvalues, and eigenvectors as columns; the known ones come last.
        self.values, self.vectors = np.linalg.eigh(self.gram.astype(np.float64))
        self.known = self.values > RANK_TOLERANCE * np.trace(statistics.gram)
        # (k*k,) eigenvalues of the pseudo-inverse.
        self.inverse = np.where(self.known, 1 / np.where(self.known, self.values, 1), 0)

    def weights(self) -> np.ndarray:
        """(k*k,) longdouble: the minimum of the squared error."""
        weights = np.zeros(len(self.cross), np.longdouble)
        for _ in range(2):  # the second round refines: it solves for what the first one left
            rest = (self.cross - self.gram @ weights).astype(np.float64)
            weights += self.vectors @ (self.inverse * (self.vectors.T @ rest))
        return weights

    def squared_error(self, weights: np.ndarray) -> float:
        """The sum over all pixels, with the best offset for these weights."""
        fitted = weights @ self.gram @ weights - 2 * weights @ self.cross
        return max(float(self.energy + fitted), 0.0)

    @property
    def unknowns(self) -> int:
        """Weights, and the offset if there is one."""
        return len(self.cross) + bool(self.offset)

    def variance(self, weights: np.ndarray) -> float:
        """s^2, the noise of one pixel, if these are the best; inf where no pixel is to spare.

        The squared error is a difference of sums: what their rounding leaves of it is about eps
        times the sums that go in, however well the weights fit.
        """
        freedom = self.statistics.count - self.unknowns
        if freedom <= 0:
            return np.inf
        size = np.abs(weights)
        sums = float(size @ np.abs(self.statistics.gram) @ size)
        rounding = float(np.finfo(np.float64).eps) * sums
        return max(self.squared_error(weights), rounding) / freedom

    def spread(self) -> np.ndarray:
        """(k*k,): the variance of each weight for noise of variance 1; inf if undetermined."""
        spread = self.vectors**2 @ self.inverse
        spread[(self.vectors[:, ~self.known] ** 2).sum(axis=1) > OPEN_SHARE] = np.inf
        return spread

    def solution(self) -> Solution:
        """The best kernel, and all that is known of it."""
        statistics, size = self.statistics, self.statistics.size
        weights = self.weights()
        variance = self.variance(weights)
        return Solution(
            kernel=weights.astype(np.float64).reshape(size, size),
            offset=float(self.after_mean - self.patch_mean @ weights),
            standard_error=_error(variance, self.spread()).reshape(size, size),
            rank=int(self.known.sum()),
            condition=_condition(statistics.gram),
            residual=float(np.sqrt(self.squared_error(weights) / self.total)),
            pixels=statistics.count,
            unknowns=self.unknowns,
        )


def _condition(gram: np.ndarray) -> float:
    """Largest over smallest eigenvalue of X'X; inf when the smallest is lost in rounding."""
    values = np.linalg.eigvalsh(gram)
    lost = values[0] <= RANK_TOLERANCE * np.trace(gram)
    return float("inf") if lost else float(values[-1] / values[0])


def _error(variance: float, spread: np.ndarray) -> np.ndarray:
    """sqrt(variance * spread), where nothing is known inf, of what needs no estimate 0."""
    with np.errstate(invalid="ignore"):
        product = np.where(np.isinf(spread), np.inf, variance * spread)
    return np.sqrt(np.nan_to_num(product, nan=0.0, posinf=np.inf))


def _shape(picture: Picture) -> str:
    return " × ".join(map(str, picture.shape))


def _together(before: Picture, after: Picture) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The two, if both are grey 8-bit pictures on one CUDA device."""
    if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor):
        kinds = {(each.device, each.dtype, each.ndim) for each in (before, after)}
        if before.is_cuda and kinds == {(before.device, torch.uint8, 2)}:
            return before, after
    return None


def _check_size(before: Picture, after: Picture, size: int) -> None:
    """DemoError unless both are of one size, which a kernel of this one fits into."""
    if before.shape != after.shape:
        raise DemoError(
            "before and after of one size",
            f"{_shape(before)} and {_shape(after)}",
            "Bring the two pictures to the same size.",
        )
    if min(before.shape) < size:
        raise DemoError(
            f"pictures of at least {size} × {size} pixels",
            _shape(before),
            "Use larger pictures or a smaller kernel.",
        )


def _picture(picture: Picture, name: str) -> np.ndarray:
    """`picture`, if it is an H x W array of uint8, uint16 or finite floats."""
    if isinstance(picture, torch.Tensor):
        picture = picture.detach().cpu().numpy()
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
            f"a mask of the pictures' size ({shape[0]} × {shape[1]})",
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
