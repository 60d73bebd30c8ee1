"""Auto- and cross-correlation of whole pictures at the lags of a k x k kernel.

Two ways to the same numbers, strip by strip: matrix products of row chunks cost
2k (L + 2k - 2) multiplications a pixel, Fourier transforms of blocks the same at every k.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch

# Pixels about mid-grey are at most 2**7, their products 2**14: a float32 sum of 2**10 of them
# stays within the 2**24 up to which float32 counts exactly, in whatever order it is added.
EXACT_PRODUCTS = 2**10
STRIP_PIXELS = 2**18  # pixels multiplied at a time: their copies stay in the processor's cache
BLOCK = 256  # side of a transformed block, about
WIDEST = 2**12  # answers in a row, at most: `sums` cuts wider pictures
# torch warns that it could be made to write into a read-only picture; the sums only read.
warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)

TORCH = ctypes.CDLL(torch._C.__file__)  # with it the libraries that torch itself stands on


class Lags(NamedTuple):
    """Sums over a whole picture b (zero outside) and its target a, both less `level`."""

    auto: np.ndarray  # (k, 2k-1): sum of b[y, x] b[y + v, x + h]; v from 0, h from -(k-1)
    cross: np.ndarray  # (k, k): sum of a[y, x] b[y + v, x + h]; v and h from 0
    level: float  # 128 or 0


def lags(before: np.ndarray, target: np.ndarray, size: int, device) -> Lags:
    """All lags of a k x k kernel in one pass.

    before: H x W; target: (H-k+1) x (W-k+1), the answers of the valid region. For 8 and 16-bit
    pictures the results are exact whole numbers.
    """
    kind, level = _quickest(before, target, size, device)
    method = kind(*before.shape, size, bool(level), device)
    tops = range(0, before.shape[0], method.rows)
    workers = method.workers(before.size)
    share = -(-len(tops) // workers)

    def work(first: int):
        return _over_strips(before, target, size, method, tops[first : first + share], level)

    auto, cross = method.lags(sum(_shared(work, range(0, len(tops), share), workers)))
    return Lags(auto, cross[:, size - 1 :], level)


def _quickest(before, target, size: int, device) -> tuple[type, float]:
    """The way to the lags and the level to take off, chosen by measuring."""
    eight_bits = before.dtype == target.dtype == np.uint8
    level = 128.0 if eight_bits else 0.0
    if eight_bits and size < 17 and torch.device(device).type == "cpu":
        return Norms, 0.0
    if before.dtype.kind == "u" and not eight_bits:  # transforms would not round exactly
        return Products, level
    return Transforms if size >= (13 if eight_bits else 7) else Products, level


def _shared(work: Callable, parts: Iterable, workers: int) -> list:
    """What `work` makes of each part, shared by that many threads.

    Threads with a part of the picture each wait for each other once; threads that share each of
    its hundreds of small operations wait at every one, and on a busy machine ten times as long.
    """
    if workers == 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(workers, initializer=_be_alone) as pool:
        return list(pool.map(work, parts))


def _be_alone() -> None:
    """Has torch compute within this thread, and changes nothing for any other.

    `torch.set_num_threads` tells the whole process, and whoever meets torch meanwhile. What torch
    tells OpenMP and MKL, when a thread first meets it, is of that thread alone: said again here.
    """
    torch.get_num_threads()
    for name in ("omp_set_num_threads", "MKL_Set_Num_Threads_Local"):
        if hasattr(TORCH, name):
            getattr(TORCH, name)(1)


@cache
def _can_be_alone() -> bool:
    """Whether that works here: where torch has other threads than OpenMP's, it does not."""
    with ThreadPoolExecutor(1, initializer=_be_alone) as pool:
        return pool.submit(torch.get_num_threads).result() == 1


def _workers(pixels: int) -> int:
    """How many threads share a picture: all that torch may use, of a small one a single thread."""
    return 1 if pixels < 2 * STRIP_PIXELS else torch.get_num_threads()


def _over_strips(before, target, size: int, method, tops, level: float):
    """The method's total over the strips that begin at `tops`.

    A strip b has rows + k-1 rows of `before`, with k-1 columns more on either side; a has rows of
    `target`. They are about `level`, with zeros around the picture, and share their memory.
    """
    margin, width = size - 1, before.shape[1]
    b = method.zeros(method.rows + margin, method.width + 2 * margin)
    a = method.zeros(method.rows, method.width)
    room = tuple(method.zeros(*shape) for shape in method.room)
    total = 0
    for top in tops:
        for strip, pixels in (
            (b[:, margin : margin + width], before[top : top + method.rows + margin]),
            (a[:, : width - margin], target[top : top + method.rows]),
        ):
            strip[: len(pixels)] = method.load(pixels, level)
            strip[len(pixels) :] = 0
        total = total + method.correlate(b, a, *room)
    return total


def as_tensor(pixels: np.ndarray, level: float, device) -> torch.Tensor:
    """The pixels about `level` (128 for 8 bits, else 0) on the device, in the smallest type."""
    if level:
        pixels = (pixels ^ np.uint8(128)).view(np.int8)  # pixel - 128 in two's complement
    elif pixels.dtype == np.uint16:
        pixels = pixels.astype(np.int32)  # torch converts no uint16
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device)


class Norms:
    """Lags of 8-bit pictures by OpenCV: 2 sum(x y) = sum(x^2) + sum(y^2) - sum((x - y)^2).

    All three are sums of whole numbers; a processor takes the last, `cv2.norm` of two views, at 30
    pixels a nanosecond. In a strip with zeros on either side every view reaches from end to end of
    the picture, so that the sums of squares depend on the rows alone.
    """

    def __init__(self, height: int, width: int, size: int, exact: bool, device) -> None:
        self.size, self.width = size, width
        self.rows = _even(height, 4 * STRIP_PIXELS // width)  # bytes: four times as many fit
        self.room = ((self.rows, width + 2 * size - 2),)  # of a, with zeros on either side

    def workers(self, pixels: int) -> int:
        return _workers(pixels)

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, np.uint8)

    def load(self, pixels: np.ndarray, level: float) -> np.ndarray:
        return pixels

    def correlate(self, b, a, wide) -> np.ndarray:
        """(2, k, 2k-1) float64: lags of b with itself, and of a with b (for h from 0)."""
        rows, width, margin = self.rows, self.width, self.size - 1
        wide[:, margin : margin + width] = a
        squares = [cv2.norm(b[v : v + rows], cv2.NORM_L2SQR) for v in range(self.size)]
        of_a = cv2.norm(wide, cv2.NORM_L2SQR)
        total = np.zeros((2, self.size, 2 * self.size - 1))
        for v in range(self.size):
            for h in range(-margin, margin + 1):
                start, stop = margin - max(h, 0), margin + width - min(h, 0)
                moved = b[v : v + rows, start + h : stop + h]
                apart = cv2.norm(b[:rows, start:stop], moved, cv2.NORM_L2SQR)
                total[0, v, h + margin] = squares[0] + squares[v] - apart
                if h >= 0:
                    apart = cv2.norm(wide[:, start:stop], moved, cv2.NORM_L2SQR)
                    total[1, v, h + margin] = of_a + squares[v] - apart
        # OpenCV may have squared a root, and be off by a rounding.
        return np.rint(total / 2)

    def lags(self, total: np.ndarray) -> np.ndarray:
        """(2, k, 2k-1): what `correlate` gives, summed over the strips."""
        return total


class _ByTorch:
    """What the two ways below share: torch computes, on the device."""

    dtype: torch.dtype
    device: torch.device | str

    def workers(self, pixels: int) -> int:
        shared = torch.device(self.device).type == "cpu" and _can_be_alone()
        return _workers(pixels) if shared else 1

    def zeros(self, *shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def load(self, pixels: np.ndarray, level: float) -> torch.Tensor:
        return as_tensor(pixels, level, self.device)


class Products(_ByTorch):
    """Lags by matrix products of row chunks.

    Each row is cut in chunks of L pixels; a row of A holds one chunk, the same row of B that chunk
    with k-1 neighbours on either side. A'B then has every lag h on its diagonals; B moved down by
    v picture rows gives lag v.
    """

    def __init__(self, height: int, width: int, size: int, exact: bool, device) -> None:
        self.size, self.device = size, device
        self.dtype = torch.float32 if exact else torch.float64
        self.chunk = 8 if size <= 7 else 16
        self.chunks = -(-width // self.chunk)
        self.group = EXACT_PRODUCTS // self.chunks  # picture rows of one exact product
        groups = min(STRIP_PIXELS // width, EXACT_PRODUCTS) // self.group
        self.rows = self.group * _even(-(-height // self.group), groups)
        self.width = self.chunk * self.chunks
        self.reach = self.chunk + 2 * size - 2
        self.room = (  # of A and B
            (self.rows, self.chunks, 2, self.chunk),
            (self.rows + size - 1, self.chunks, self.reach),
        )

    def correlate(self, b, a, left, right) -> torch.Tensor:
        """(k, 2 L, L + 2k-2) float64: A'B for every v; the first L rows are of b, the rest of a."""
        k, length, depth, reach = self.size, self.chunk, self.group * self.chunks, self.reach
        left[:, :, 0] = b[: self.rows, k - 1 : k - 1 + self.width].unflatten(1, (-1, length))
        left[:, :, 1] = a.unflatten(1, (-1, length))
        right.copy_(b.unfold(1, reach, length))
        left = left.view(-1, depth, 2 * length).transpose(1, 2)
        moved = (right[v : v + self.rows].view(-1, depth, reach) for v in range(k))
        return torch.stack([torch.bmm(left, m).sum(0, dtype=torch.float64) for m in moved])

    def lags(self, total: torch.Tensor) -> np.ndarray:
        """(2, k, 2k-1): lags of b with itself, and of a with b, from the sum over the strips."""
        k, length, block = self.size, self.chunk, self.chunk * self.reach
        strides = (block, 2 * block, self.reach + 1, 1)  # picture, v, down a diagonal, h
        diagonals = total.as_strided((2, k, length, 2 * k - 1), strides)
        return diagonals.sum(2).cpu().numpy()


class Transforms(_ByTorch):
    """Lags by float64 Fourier transforms of blocks, each with the neighbours that its lags reach.

    For 8-bit pictures about mid-grey the results are rounded to whole numbers. That is exact: the
    error of a transform of N numbers is about 2**-52 log2(N) of their energy (Higham, "Accuracy
    and Stability of Numerical Algorithms", section 24.1), below 0.1 for 2**30 such pixels.
    """

    def __init__(self, height: int, width: int, size: int, exact: bool, device) -> None:
        self.size, self.exact, self.device = size, exact, device
        self.dtype = torch.float64
        self.rows = _even(height, BLOCK - size + 1)
        self.step = _even(width, BLOCK - 2 * size + 2)
        self.width = self.step * -(-width // self.step)
        self.shape = (_smooth(self.rows + size - 1), _smooth(self.step + 2 * size - 2))
        self.room = ((3, self.width // self.step, *self.shape),)  # blocks of b, a, and b with halo

    def correlate(self, b, a, blocks) -> torch.Tensor:
        """(2, rows, columns) complex128: cross spectra of b with itself, and of b with a."""
        k, step = self.size, self.step
        core = b[: self.rows, k - 1 : k - 1 + self.width]
        blocks[0, :, : self.rows, :step] = core.unflatten(1, (-1, step)).transpose(0, 1)
        blocks[1, :, : self.rows, :step] = a.unflatten(1, (-1, step)).transpose(0, 1)
        wide = step + 2 * k - 2
        blocks[2, :, : len(b), :wide] = b.unfold(1, wide, step).transpose(0, 1)
        spectra = torch.fft.rfft2(blocks)
        total = torch.zeros_like(spectra[:2, 0])
        for own, wider in zip(spectra[:2].unbind(1), spectra[2], strict=True):
            total.addcmul_(own.conj(), wider)
        return total

    def lags(self, total: torch.Tensor) -> np.ndarray:
        """(2, k, 2k-1): lags of b with itself, and of a with b, from the sum over the strips."""
        found = torch.fft.irfft2(total, self.shape)[:, : self.size, : 2 * self.size - 1]
        return (found.round() if self.exact else found).cpu().numpy()


def _even(extent: int, most: int) -> int:
    """The step that covers `extent` in equal parts of at most `most` (at least 1)."""
    return -(-extent // -(-extent // max(most, 1)))


def _smooth(least: int) -> int:
    """The first even product of 2, 3 and 5 from `least` on: a length that transforms fast."""
    number = least + least % 2
    while 30**20 % number:  # a product of small powers divides this one
        number += 2
    return number
