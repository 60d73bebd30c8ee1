"""A kernel in fewer bytes: smaller numbers, or fewer of them; and what that costs.

Smaller numbers: float32 (what PyTorch stores), float16, bfloat16, and integers of 8 or 4 bits with
one scale for the whole kernel. Fewer numbers: a kernel of rank 1 is the outer product of a column
and a row (Sobel: 6 numbers for 9), and is applied in two passes of k instead of one of k * k.
"""

import time
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np

from kernel_demo.errors import one_of
from kernel_demo.imaging.filtering import correlate, pad
from kernel_demo.imaging.kernels import check
from kernel_demo.learning.late import torch

KINDS = ("float32", "float16", "bfloat16", "int8", "int4", "separable")
# The largest integer of each kind. Symmetric: -128 and -8 are left out, so that K and -K compress
# alike and zero is exactly zero (Jacob et al. 2018, arXiv:1712.05877).
LARGEST_INTEGER = {"int8": 127, "int4": 7}
# How many times larger than all others a centre weight must be to be stored by itself.
LOPSIDED = 4
FLOAT32 = 1e-7  # what one rounding to float32 may change, relatively
# Singular values below this share of the largest are what float32 rounds away.
RANK_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Compressed:
    """A kernel as it is stored, and the kernel that comes back."""

    kind: str  # one of KINDS
    bytes: int  # of the numbers and the scale, without a file format around them
    kernel: np.ndarray  # (k, k) float64: what the stored numbers stand for
    largest_error: float  # max |K - kernel|
    stored: tuple[np.ndarray, ...]
    # float kinds: (weights (k, k) as float32,)
    # integers: (weights (k, k) int8, scale () float32, what is added to the centre () float32)
    # separable: (columns (k, rank), rows (rank, k)), float32

    @property
    def rank(self) -> int | None:
        """How many pairs of a column and a row a separable kernel needs; None for other kinds."""
        return self.stored[0].shape[1] if self.kind == "separable" else None


@dataclass(frozen=True)
class Effect:
    """What a compressed kernel does to a picture."""

    output_error: float  # largest difference to the full kernel's picture, in grey levels (0..255)
    seconds: float  # the fastest of the repeats, for the whole picture
    passes: str  # how it was applied: "k × k", "k + k" or "rank × (k + k)"


def compress(kernel: np.ndarray, kind: str) -> Compressed:
    """The kernel (k, k) stored as one of KINDS. DemoError for another kind or no kernel."""
    values = check(kernel)
    if one_of("a kind", kind, KINDS) in LARGEST_INTEGER:
        stored, restored, size = _integers(values, LARGEST_INTEGER[kind])
    elif kind == "separable":
        stored, restored, size = _separable(values)
    else:
        rounded = torch.from_numpy(values.copy()).to(getattr(torch, kind))
        restored, size = rounded.double().numpy(), values.size * rounded.element_size()
        stored = (restored.astype(np.float32),)
    return Compressed(kind, size, restored, float(np.abs(values - restored).max()), stored)


def _integers(values: np.ndarray, largest: int) -> tuple[tuple[np.ndarray, ...], np.ndarray, int]:
    """Integers (k, k) times one scale, plus a centre weight of its own where that is far larger.

    In an unsharp mask the scale would be spent on the centre, and the others rounded to nothing.
    """
    integers, scale = _best_scale(values, largest)
    restored = integers * float(scale)
    middle = np.zeros_like(values)
    centre = len(values) // 2, len(values) // 2
    middle[centre] = np.float32(values[centre])
    others = np.where(middle == 0, values, 0)
    lopsided = abs(values[centre]) > LOPSIDED * np.abs(others).max() > 0
    if lopsided and np.abs(values - restored).max() > FLOAT32 * abs(values[centre]):
        integers, scale = _best_scale(others, largest)
        restored = integers * float(scale) + middle
    else:
        middle[:] = 0
    bits = values.size * (8 if largest > 7 else 4)
    size = -(-bits // 8) + 4 * (1 + bool(middle.any()))
    stored = integers.astype(np.int8), np.asarray(scale), np.asarray(middle[centre], np.float32)
    return stored, restored, size


def _best_scale(values: np.ndarray, largest: int) -> tuple[np.ndarray, np.float32]:
    """The scale max |K| / m, m up to the largest integer, of the least mean squared error.

    The usual scale is m = largest alone, and it rounds even a kernel of small integers (Sobel's 1
    would be 63.5 of 127). Searching m finds scale 1 for integers and 1/16 for a binomial kernel:
    both are then exact. Of the equally good, the smallest m: the smallest integers.
    """
    peak = np.abs(values).max()
    scales = (peak / np.arange(1, largest + 1)).astype(np.float32)
    choices = [_whole(values / float(scale)).clip(-largest, largest) for scale in scales]
    restored = np.array(choices) * scales.astype(float)[:, None, None]
    errors = np.sqrt(np.square(restored - values).mean(axis=(1, 2)))
    best = int(np.argmax(errors <= errors.min() + FLOAT32 * peak))
    return choices[best], scales[best]


def _whole(values: np.ndarray) -> np.ndarray:
    """Rounded to whole numbers whose sum is that of the values, rounded.

    Rounding each to the nearest lets the sum drift, and a flat picture with it: by up to 2.5 grey
    levels for the catalogue. So those whose rounding took (or gave) most are rounded the other way.
    """
    rounded = np.rint(values)
    missing = round(float(values.sum() - rounded.sum()))
    order = np.argsort((rounded - values).ravel() * np.sign(missing), kind="stable")
    rounded.ravel()[order[: abs(missing)]] += np.sign(missing)
    return rounded


def _separable(values: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray, int]:
    """The sum of as few outer products as float32 can tell: K = U S V', Eckart & Young 1936.

    Each row is scaled to a largest entry of 1, which turns Sobel into [1, 2, 1] and [-1, 0, 1].
    """
    left, singular, right = np.linalg.svd(values)
    rank = max(1, int((singular > RANK_TOLERANCE * singular[0]).sum()))
    rows = right[:rank]
    scale = rows[np.arange(rank), np.abs(rows).argmax(axis=1)]
    columns = (left[:, :rank] * (singular[:rank] * scale)).astype(np.float32)
    rows = (rows / scale[:, None]).astype(np.float32)
    return (columns, rows), columns.astype(float) @ rows.astype(float), columns.nbytes + rows.nbytes


def apply(compressed: Compressed, picture: np.ndarray, border: str = "reflect") -> np.ndarray:
    """The picture (H x W or H x W x C) filtered as the kind allows: float32, same size.

    A separable kernel takes two passes for each rank. Small numbers save memory, not time: like
    most inference on a CPU, this expands them to float32 first.
    """
    radius = len(compressed.kernel) // 2
    padded = pad(np.asarray(picture, np.float32), radius, border)
    if compressed.kind == "separable":
        columns, rows = compressed.stored
        parts = (
            cv2.sepFilter2D(padded, -1, row, column)
            for column, row in zip(columns.T, rows, strict=True)
        )
        result = reduce(np.add, parts)
    else:
        result = cv2.filter2D(padded, -1, compressed.kernel)
    height, width = picture.shape[:2]
    result = result.reshape(padded.shape)  # OpenCV drops a last axis of one channel
    return result[radius : radius + height, radius : radius + width]


def measure(
    kernel: np.ndarray,
    compressed: Compressed,
    picture: np.ndarray,
    border: str = "reflect",
    repeats: int = 3,
) -> Effect:
    """Error and time of a compressed kernel on a picture in 0..1, against `kernel` in float64."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = apply(compressed, picture, border)
        seconds.append(time.perf_counter() - start)
    truth = correlate(np.asarray(picture, np.float64), kernel, border)
    size, rank = len(kernel), compressed.rank
    passes = f"{size} × {size}"
    if rank is not None:
        passes = f"{size} + {size}" if rank == 1 else f"{rank} × ({size} + {size})"
    return Effect(float(np.abs(truth - result).max() * 255), min(seconds), passes)
