"""One pass over a pair of pictures: the sums of products of their k x k patches.

An entry of X'X, for the patch places p and q, is the autocorrelation of the picture at lag q - p
over a window that starts at p. So one pass finds the (2k-1) k different lags over the whole
picture (`lags`), and the windows differ from the whole only by rows and columns at its border
(`windowed`): the covariance method of linear prediction (Makhoul, "Linear prediction: a tutorial
review", Proc. IEEE 63, 1975, section II-B) in two dimensions. With a mask there is no such
structure; then the patches of the pixels left out are subtracted, or the others added up one by
one, whichever are fewer.

Where 8-bit pictures are multiplied in float32 or transformed, they are taken about mid-grey (128),
which keeps every partial sum small enough to be exact, and shifted back at the end. So for 8 and
16-bit pictures all results are whole numbers, exact below 2**53.

There are three ways to the lags, strip by strip: sums of squares of differences, matrix products of
row chunks, 2k (L + 2k - 2) multiplications a pixel, and Fourier transforms of blocks, the same at
every k. On an NVIDIA GPU a fourth, in `fused.py`, reads each pixel of 8-bit pictures once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, reduce
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from kernel_demo.learning import devices
from kernel_demo.learning.devices import Device
from kernel_demo.learning.late import torch

Part = TypeVar("Part")
Made = TypeVar("Made")
Picture: TypeAlias = "np.ndarray | torch.Tensor"

# Pixels about mid-grey are at most 2**7, their products 2**14: a float32 sum of 2**10 of them
# stays within the 2**24 up to which float32 counts exactly, in whatever order it is added.
EXACT_PRODUCTS = 2**10
BLOCK_VALUES = 2**20  # patch values held at once while adding patches one by one
SMALL = 2**17  # patch values of a whole picture below which adding its patches up is quickest
STRIP_PIXELS = 2**18  # pixels multiplied at a time: their copies stay in the processor's cache
BLOCK = 256  # side of a transformed block, about; it stays in the processor's cache
GPU_BLOCK = 2048  # on a GPU: one call for millions of pixels takes as long as one for thousands
DOT_STRIP = 2**15  # pixels of a strip whose dot products are taken in float64
DOT_VALUES = 2**10  # of one of them: it stays beside the processor, and BLAS in one thread
WIDEST = 2**12  # answers in a row, at most: wider pictures are cut


class Sums(NamedTuple):
    """What one pass leaves: p is a patch (k*k values, row by row), y the pixel after it."""

    gram: np.ndarray  # (k*k, k*k) sum of p p'
    cross: np.ndarray  # (k*k,)    sum of p y
    patch_sum: np.ndarray  # (k*k,) sum of p
    energy: float  # sum of y*y
    after_sum: float  # sum of y
    count: int  # type: ignore[assignment]  # pixels used; hides tuple.count()


class Whole(NamedTuple):
    """Sums over a whole picture b (zero outside) and its answers a, both less `level`."""

    auto: np.ndarray  # (k, 2k-1) sum of b[y, x] b[y + v, x + h]; v from 0, h from -(k-1)
    cross: np.ndarray  # (k, k) sum of a[y, x] b[y + v, x + h]; v and h from 0
    before_sum: float  # sum of b
    after_sum: float  # sum of a
    energy: float  # sum of a*a
    level: float  # 128 or 0


def patch_sums(
    before: np.ndarray,
    after: np.ndarray,
    size: int,
    mask: np.ndarray | None = None,
    device: Device = "cpu",
) -> Sums:
    """Sums over the pixels whose whole patch lies inside the picture (and whose mask is True).

    before, after: H x W, uint8, uint16 or float; after's border of radius size // 2 is never
    read. mask: H x W bool. Exact for whole numbers while the sums stay below 2**53.
    """
    edge = size // 2
    inside = np.s_[edge : before.shape[0] - edge, edge : before.shape[1] - edge]
    target = after[inside]
    small = target.size * size**2 < SMALL
    keep = mask[inside] if mask is not None else np.ones(target.shape, bool) if small else None
    if keep is not None and (small or 2 * np.count_nonzero(keep) < keep.size):
        return _chosen(before, target, size, keep, device)
    if before.dtype == after.dtype == np.uint8 and torch.device(device).type == "cuda":
        pair = (devices.from_numpy(np.ascontiguousarray(each)) for each in (before, after))
        sums = patch_sums_there(next(pair).to(device), next(pair).to(device), size)
    else:
        parts = [
            _whole(before[:, x : x + WIDEST + size - 1], target[:, x : x + WIDEST], size, device)
            for x in range(0, target.shape[1], WIDEST)
        ]
        sums = reduce(_added, parts)
    if keep is None or keep.all():
        return sums
    return _added(sums, _chosen(before, target, size, ~keep, device), -1)


def _added(a: Sums, b: Sums, sign: int = 1) -> Sums:
    """The sums over both, or for a sign of -1 over what is in `a` alone."""
    return Sums(
        a.gram + sign * b.gram,
        a.cross + sign * b.cross,
        a.patch_sum + sign * b.patch_sum,
        a.energy + sign * b.energy,
        a.after_sum + sign * b.after_sum,
        a.count + sign * b.count,
    )


def _shifted(sums: Sums, level: float) -> Sums:
    """The sums of p + level and y + level from those of p and y."""
    gram, cross, patch_sum, energy, after_sum, count = sums
    shift = level * count
    return Sums(
        gram + level * (patch_sum[:, None] + patch_sum + shift),
        cross + level * (patch_sum + after_sum + shift),
        patch_sum + shift,
        energy + level * (2 * after_sum + shift),
        after_sum + shift,
        count,
    )


def patch_sums_there(before: torch.Tensor, after: torch.Tensor, size: int) -> Sums:
    """`patch_sums` of 8-bit pictures that lie on a device already, worked out there.

    before, after: H x W uint8 on one device, one with float64. What leaves it are the sums, and of
    `before` the k-1 rows and columns at each end, which the windows leave out.
    """
    edge = size // 2
    target = after[edge : after.shape[0] - edge, edge : after.shape[1] - edge]
    fused = fused_way()
    if fused is not None and size in fused.SIZES and not fused.trouble(before.device):
        border = _border_of(before, size)
        found = fused.lags(before, after, size)
        edges = Edges.of(*border)  # meanwhile: the device was only told what to do
        return _within(_of_fused(found, size), edges)
    parts = []
    for x in range(0, target.shape[1], WIDEST):
        b, a = before[:, x : x + WIDEST + size - 1], target[:, x : x + WIDEST]
        border = _border_of(b, size)
        wait = _whole_there(b, a, size)
        edges = Edges.of(*border)
        parts.append(_within(wait(), edges))
    return reduce(_added, parts)


@cache
def fused_way() -> ModuleType | None:
    """The module, where there is Triton, which comes with the torch of CUDA machines."""
    try:
        from kernel_demo.learning import fused
    except ImportError:
        return None
    return fused


def _of_fused(found: torch.Tensor, size: int) -> Whole:
    """What `fused.lags` found, in its order, as the other ways give it."""
    numbers = found.cpu().numpy().astype(np.float64)
    half, cross = np.split(numbers[:-3], [-(size**2)])
    before_sum, after_sum, energy = numbers[-3:].tolist()
    # At v = 0 the lags h and -h are one.
    auto = np.concatenate([half[size - 1 : 0 : -1], half]).reshape(size, 2 * size - 1)
    return Whole(auto, cross.reshape(size, size), before_sum, after_sum, energy, 128.0)


def _border_of(before: torch.Tensor, size: int) -> list[np.ndarray]:
    """Its k-1 first and last rows, and columns (transposed), about mid-grey; fetched at once."""
    margin = size - 1
    height, width = (extent - margin for extent in before.shape)
    parts = (before[:margin], before[height:], before[:, :margin].T, before[:, width:].T)
    flat = torch.cat([part.reshape(-1) for part in parts]).cpu().numpy().astype(np.float64) - 128
    ends = np.cumsum([part.numel() for part in parts])[:-1]
    return [
        piece.reshape(part.shape) for piece, part in zip(np.split(flat, ends), parts, strict=True)
    ]


def _whole_there(before: torch.Tensor, target: torch.Tensor, size: int) -> Callable[[], Whole]:
    """Tells the device to work out the sums over the whole picture; what it returns waits for them.

    By transforms, or by products where there is but one lag.
    """
    kind = Transforms if size > 1 else Products
    height, width = before.shape
    method: Way = kind(height, width, size, True, before.device)
    tops = range(0, height, method.rows)
    total = _over_strips(before, target, size, method, tops, 128.0)
    rows = -(-(2**24) // target.shape[1])  # at a time: a small copy in int32
    squares = [
        (as_tensor(part, 128.0, before.device).int() ** 2).sum() for part in target.split(rows)
    ]
    plain = [before.sum(dtype=torch.int64), target.sum(dtype=torch.int64), sum(squares)]

    def wait() -> Whole:
        auto, cross = method.lags(total)
        before_sum, after_sum, energy = map(float, plain)
        before_sum -= 128.0 * before.numel()
        after_sum -= 128.0 * target.numel()
        return Whole(auto, cross[:, size - 1 :], before_sum, after_sum, energy, 128.0)

    return wait


def _whole(before: np.ndarray, target: np.ndarray, size: int, device: Device) -> Sums:
    """The sums over every valid pixel, from the lags of the whole picture."""
    k, (height, width) = size, target.shape
    auto, cross, level = lags(before, target, size, device)
    before_sum, after_sum, energy = _plain_sums(before, target, level)
    whole = Whole(auto, cross, before_sum, after_sum, energy, level)
    border = (before[: k - 1], before[height:], before[:, : k - 1].T, before[:, width:].T)
    return _within(whole, Edges.of(*(part.astype(np.float64, "C") - level for part in border)))


class Edges(NamedTuple):
    """Of the rows and columns at the border all that `_within` takes off."""

    left: tuple[np.ndarray, np.ndarray]  # (k-1, k-1, k) and (k-1,): products and sums of columns
    right: tuple[np.ndarray, np.ndarray]
    top: tuple[np.ndarray, np.ndarray]  # (k-1, k-1, k, k) and (k-1, k), of rows
    bottom: tuple[np.ndarray, np.ndarray]
    pixels: int  # windows of the picture

    @classmethod
    def of(cls, top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray) -> Edges:
        """top, bottom: (k-1, W), the first and last rows of b; left, right: (k-1, H), columns."""
        margin = len(top)
        height, width = left.shape[1] - margin, top.shape[1] - margin
        columns = (
            (strip_lags(strip)[margin:].transpose(1, 2, 0), strip.sum(1)) for strip in (left, right)
        )
        rows = (
            (_row_products(strip, width, strip_lags(strip)), _row_sums(strip, width))
            for strip in (top, bottom)
        )
        return cls(next(columns), next(columns), next(rows), next(rows), height * width)


def _within(whole: Whole, edges: Edges) -> Sums:
    """The sums over every valid pixel: those of the whole less what is outside each window."""
    k = len(whole.cross)
    (of_left, left_sum), (of_right, right_sum) = edges.left, edges.right
    (of_top, top_sum), (of_bottom, bottom_sum) = edges.top, edges.bottom
    # Of all rows y: at vertical lag v, [j, j', v] = sum of b[y, x+j] b[y+v, x+j'].
    by_lag = windowed(whole.auto.T, of_left, of_right)
    forward = by_lag.transpose(2, 0, 1)
    backward = forward[:0:-1].transpose(0, 2, 1)  # lag -v is lag v with p and q exchanged
    gram = windowed(np.concatenate([backward, forward]), of_top, of_bottom)  # [i, i', j, j']
    columns = window_sums(whole.before_sum, left_sum, right_sum)
    patch_sum = window_sums(columns, top_sum, bottom_sum)
    gram = gram.transpose(0, 2, 1, 3).reshape(k * k, k * k)
    sums = Sums(
        gram,
        whole.cross.ravel(),
        patch_sum.ravel(),
        whole.energy,
        whole.after_sum,
        edges.pixels,
    )
    return _shifted(sums, whole.level)


def _plain_sums(before: np.ndarray, target: np.ndarray, level: float) -> tuple[float, float, float]:
    """Sums of `before`, `target` and target squared, about `level`."""
    before_sum, after_sum = cv2.sumElems(before)[0], cv2.sumElems(target)[0]
    if target.dtype == np.uint8:  # the norm is squared again: exact to 2**50, 2e10 white pixels
        energy = float(round(cv2.norm(target, cv2.NORM_L2SQR)))
    else:
        rows = -(-(2**16) // target.shape[1])  # at a time: a small copy in float64, if need be
        parts = (target[top : top + rows] for top in range(0, len(target), rows))
        wide = (part.astype(np.float64, copy=False) for part in parts)
        energy = sum(float(np.vecdot(part, part).sum()) for part in wide)
    energy += level * (level * target.size - 2 * after_sum)
    return before_sum - level * before.size, after_sum - level * target.size, energy


def windowed(full: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Lag sums over windows from lag sums over everything, along one axis of length n.

    full[d + k-1]: sum of u[t] u[t+d] over the whole axis, for lags d from -(k-1) to k-1;
    first[j, j'] = u[j] u[j'] and last[j, j'] = u[n-k+1+j] u[n-k+1+j'], for j, j' < k-1.
    Returns out[j, j'] = sum of u[x+j] u[x+j'] over the n-k+1 places x: on a diagonal of `out` the
    products before the window and those behind it are taken off. More axes may follow.
    """
    k = len(first) + 1
    place = np.arange(k)
    out = full[place - place[:, None] + k - 1]
    outside = np.zeros_like(out[0])  # of row j: what is to be taken off
    for j in range(k - 1):
        outside[1:] = outside[:-1] + first[j]
        outside[0] = 0
        out[j + 1] -= outside
    outside[:] = 0
    for j in reversed(range(k - 1)):
        outside[:-1] = outside[1:] + last[j]
        outside[-1] = 0
        out[j] -= outside
    return out


def window_sums(full: float | np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """`windowed` for plain sums: full is the sum of u, first and last its k-1 outer values."""
    nothing = np.zeros_like(first[:1]) if len(first) else np.zeros((1, *np.shape(full)))
    before = np.concatenate([nothing, first.cumsum(0)])
    behind = np.concatenate([last[::-1].cumsum(0)[::-1], nothing])
    return full - before - behind


def strip_lags(strip: np.ndarray) -> np.ndarray:
    """(2k-1, k-1, k-1): sum over x of strip[t, x] strip[t', x + d], d from -(k-1) to k-1."""
    reach, length = strip.shape
    padded = np.zeros((reach, length + reach))
    padded[:, :length] = strip
    step = padded.itemsize
    strides = (step, padded.strides[0], step)
    moved = as_strided(padded, (reach + 1, reach, length), strides, writeable=False)  # [d, t', x]
    ahead = moved @ padded[:, :length].T
    return np.concatenate([ahead[:0:-1], ahead.transpose(0, 2, 1)])


def _row_products(rows: np.ndarray, width: int, of_rows: np.ndarray) -> np.ndarray:
    """(k-1, k-1, k, k): for rows t, t' and places j, j' the sum of b[t, x+j] b[t', x+j'].

    of_rows: their strip_lags.
    """
    ends = (rows[:, : len(rows)].T, rows[:, width:].T)
    corners = (end[:, None, :, None] * end[None, :, None, :] for end in ends)  # [j, j', t, t']
    return windowed(of_rows, *corners).transpose(2, 3, 0, 1)


def _row_sums(rows: np.ndarray, width: int) -> np.ndarray:
    """(k-1, k): for row t and place j the sum of b[t, x+j]."""
    return window_sums(rows.sum(1), rows[:, : len(rows)].T, rows[:, width:].T).T


def _chosen(
    before: np.ndarray, target: np.ndarray, size: int, keep: np.ndarray, device: Device
) -> Sums:
    """The sums over the valid pixels where `keep` is True, patch by patch."""
    level = 128.0 if before.dtype == target.dtype == np.uint8 else 0.0
    k2 = size * size
    y, x = np.nonzero(keep)
    depth = max(1, min(EXACT_PRODUCTS, len(y)))  # patches of one exact product
    many = depth * max(1, BLOCK_VALUES // (depth * k2))
    here = torch.device(device).type == "cpu"
    total = np.zeros((k2 + 2, k2 + 2))
    there = None if here else torch.zeros(total.shape, dtype=torch.float64, device=device)
    patches = sliding_window_view(before, (size, size))
    length = min(many, -(-len(y) // depth) * depth)
    block: np.ndarray = np.empty((length, k2 + 2), "f4" if level else "f8")
    for start in range(0, len(y), many):
        at = y[start : start + many], x[start : start + many]
        used = len(at[0])
        block = block[: -(-used // depth) * depth]
        block[:used, :k2] = patches[at].reshape(-1, k2)
        block[:used, k2] = target[at]
        block[:used, :-1] -= level
        block[:used, k2 + 1] = 1
        block[used:] = 0
        blocks = block.reshape(-1, depth, k2 + 2)
        if there is None:
            total += _products(blocks)
        else:
            there += _products_on(device, blocks)
    total = total if there is None else there.cpu().numpy()
    gram, cross, patch_sum = total[:-2, :-2], total[:-2, -2], total[:-2, -1]
    energy, after_sum = total[-2, -2:].tolist()
    return _shifted(Sums(gram, cross, patch_sum, energy, after_sum, len(y)), level)


def _products(blocks: np.ndarray) -> np.ndarray:
    """The sum of b' b over blocks b, in float64: each by itself is exact in its own type.

    By NumPy, which works out half of a product that is symmetric.
    """
    return sum((block.T @ block).astype(np.float64) for block in blocks)


def _products_on(device: Device, blocks: np.ndarray) -> torch.Tensor:
    there = devices.from_numpy(blocks).to(device)
    return torch.bmm(there.transpose(1, 2), there).sum(0, dtype=torch.float64)


def lags(
    before: np.ndarray, target: np.ndarray, size: int, device: Device
) -> tuple[np.ndarray, np.ndarray, float]:
    """All lags of a k x k kernel in one pass, over the whole picture b (zero outside).

    before: H x W, b; target: (H-k+1) x (W-k+1), the answers a of the valid region. Returns, exact
    for 8 and 16-bit pictures and all of b and a less `level`:
    auto    (k, 2k-1), sum of b[y, x] b[y + v, x + h]; v from 0, h from -(k-1)
    cross   (k, k), sum of a[y, x] b[y + v, x + h]; v and h from 0
    level   128 or 0
    """
    if before.dtype == np.uint8 and target.dtype.kind == "f" and torch.device(device).type == "cpu":
        nothing = np.zeros(target.shape, np.uint8)
        auto, _, level = lags(before, nothing, size, device)  # exact, as of 8-bit pairs
        return auto, _dots(before, target, size, level), level
    kind, level = _quickest(before, target, size, device)
    height, width = before.shape
    method: Way = kind(height, width, size, bool(level), device)
    tops = range(0, height, method.rows)
    workers = _workers(before.size, kind, device)
    share = -(-len(tops) // workers)

    def work(first: int) -> Any:
        return _over_strips(before, target, size, method, tops[first : first + share], level)

    auto, cross = method.lags(sum(_shared(work, range(0, len(tops), share), workers)))
    return auto, cross[:, size - 1 :], level


def _dots(before: np.ndarray, target: np.ndarray, size: int, level: float) -> np.ndarray:
    """(k, k) cross lags in float64, of a strip at a time.

    With zeros behind each row of answers, a lag in two dimensions is one in the rows laid end to
    end: a dot product of two vectors, taken piece by piece.
    """
    (height, width), wide = target.shape, before.shape[1]
    rows, total = _even(height, DOT_STRIP // wide), np.zeros((size, size))
    pieces = -(-rows * wide // DOT_VALUES)
    a = np.zeros(pieces * DOT_VALUES)
    b = np.zeros(len(a) + (size - 1) * (wide + 1))
    answers, pixels = a[: rows * wide].reshape(rows, wide), b[: len(b) // wide * wide]  # views
    pixels = pixels.reshape(-1, wide)
    step = b.itemsize
    strides = (DOT_VALUES * step, wide * step, step, step)
    lagged = as_strided(b, (pieces, size, size, DOT_VALUES), strides, writeable=False)
    for top in range(0, height, rows):
        part, strip = target[top : top + rows], before[top : top + rows + size - 1]
        answers[: len(part), :width], pixels[: len(strip)] = part, strip
        if level:
            answers[: len(part), :width] -= level
            pixels[: len(strip)] -= level
        answers[len(part) :] = 0
        total += np.vecdot(lagged, a.reshape(pieces, 1, 1, DOT_VALUES)).sum(0)
    return total


def _quickest(
    before: np.ndarray, target: np.ndarray, size: int, device: Device
) -> tuple[type[Norms | Products | Transforms], float]:
    """The way to the lags and the level to take off, chosen by measuring."""
    eight_bits = before.dtype == target.dtype == np.uint8
    level = 128.0 if eight_bits else 0.0
    if eight_bits and size < 17 and torch.device(device).type == "cpu":
        return Norms, 0.0
    if before.dtype.kind == "u" and not eight_bits:  # transforms would not round exactly
        return Products, level
    on_gpu = torch.device(device).type == "cuda"
    least = 3 if on_gpu else 13 if eight_bits else 7
    return Transforms if size >= least else Products, level


def _shared(work: Callable[[Part], Made], parts: Iterable[Part], workers: int) -> list[Made]:
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
    libraries = ctypes.CDLL(torch._C.__file__)  # torch's, and those that it stands on
    for name in ("omp_set_num_threads", "MKL_Set_Num_Threads_Local"):
        if hasattr(libraries, name):
            getattr(libraries, name)(1)


@cache
def _can_be_alone() -> bool:
    """Whether that works here: where torch has other threads than OpenMP's, it does not."""
    with ThreadPoolExecutor(1, initializer=_be_alone) as pool:
        return pool.submit(torch.get_num_threads).result() == 1


def _workers(pixels: int, kind: type, device: Device) -> int:
    """How many threads share a picture: all that torch may use, of a small one a single thread."""
    shared = kind is Norms or (torch.device(device).type == "cpu" and _can_be_alone())
    return torch.get_num_threads() if shared and pixels >= 2 * STRIP_PIXELS else 1


def _over_strips(
    before: Picture, target: Picture, size: int, method: Way, tops: range, level: float
) -> Any:
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


def as_tensor(pixels: Picture, level: float, device: Device) -> torch.Tensor:
    """The pixels about `level` (128 for 8 bits, else 0) on the device, in the smallest type."""
    if isinstance(pixels, np.ndarray):
        if pixels.dtype == np.uint16:
            pixels = pixels.astype(np.int32)  # torch converts no uint16
        pixels = devices.from_numpy(np.ascontiguousarray(pixels))
    there = pixels.to(device)
    return (there ^ 128).view(torch.int8) if level else there  # pixel - 128 in two's complement


class Way(Protocol):
    """A way to the lags. Its strips and totals are arrays, or tensors on its device."""

    rows: int  # of a strip
    width: int  # of a strip

    @property
    def room(self) -> tuple[tuple[int, ...], ...]: ...  # shapes of what correlate() works in
    def zeros(self, *shape: int) -> Any: ...
    def load(self, pixels: Any, level: float) -> Any: ...
    @property
    def correlate(self) -> Callable[..., Any]: ...
    def lags(self, total: Any) -> np.ndarray: ...


class Norms:
    """Lags of 8-bit pictures by OpenCV: 2 sum(x y) = sum(x^2) + sum(y^2) - sum((x - y)^2).

    All three are sums of whole numbers; a processor takes the last, `cv2.norm` of two views, at 30
    pixels a nanosecond. In a strip with zeros on either side every view reaches from end to end of
    the picture, so that the sums of squares depend on the rows alone.
    """

    def __init__(self, height: int, width: int, size: int, exact: bool, device: Device) -> None:
        self.size, self.width = size, width
        self.rows = _even(height, 4 * STRIP_PIXELS // width)  # bytes: four times as many fit
        self.room = ((self.rows, width + 2 * size - 2),)  # of a, with zeros on either side

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, np.uint8)

    def load(self, pixels: np.ndarray, level: float) -> np.ndarray:
        return pixels

    def correlate(self, b: np.ndarray, a: np.ndarray, wide: np.ndarray) -> np.ndarray:
        """(2, k, 2k-1) float64: lags of b with itself, and of a with b (for h from 0)."""
        rows, width, margin = self.rows, self.width, self.size - 1
        wide[:, margin : margin + width] = a
        squares = [cv2.norm(b[v : v + rows], cv2.NORM_L2SQR) for v in range(self.size)]
        of_a = cv2.norm(wide, cv2.NORM_L2SQR)
        total = np.zeros((2, self.size, 2 * self.size - 1))
        for v in range(self.size):
            for h in range(-margin if v else 0, margin + 1):  # at v = 0 the lags h and -h are one
                start, stop = margin - max(h, 0), margin + width - min(h, 0)
                moved = b[v : v + rows, start + h : stop + h]
                apart = cv2.norm(b[:rows, start:stop], moved, cv2.NORM_L2SQR)
                total[0, v, h + margin] = squares[0] + squares[v] - apart
                if h >= 0 and of_a:  # of an after of zeros there is nothing to find out
                    apart = cv2.norm(wide[:, start:stop], moved, cv2.NORM_L2SQR)
                    total[1, v, h + margin] = of_a + squares[v] - apart
        total[0, 0, :margin] = total[0, 0, :margin:-1]
        # OpenCV may have squared a root, and be off by a rounding.
        return np.rint(total / 2)

    def lags(self, total: np.ndarray) -> np.ndarray:
        """(2, k, 2k-1): what `correlate` gives, summed over the strips."""
        return total


class _ByTorch:
    """What the two ways below share: torch computes, on the device."""

    dtype: torch.dtype
    device: torch.device | str

    def zeros(self, *shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def load(self, pixels: Picture, level: float) -> torch.Tensor:
        return as_tensor(pixels, level, self.device)


class Products(_ByTorch):
    """Lags by matrix products of row chunks.

    Each row is cut in chunks of L pixels; a row of A holds one chunk, the same row of B that chunk
    with k-1 neighbours on either side. A'B then has every lag h on its diagonals; B moved down by
    v picture rows gives lag v.
    """

    def __init__(self, height: int, width: int, size: int, exact: bool, device: Device) -> None:
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

    def correlate(
        self, b: torch.Tensor, a: torch.Tensor, left: torch.Tensor, right: torch.Tensor
    ) -> torch.Tensor:
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

    def __init__(self, height: int, width: int, size: int, exact: bool, device: Device) -> None:
        self.size, self.exact, self.device = size, exact, device
        self.dtype = torch.float64
        side = GPU_BLOCK if torch.device(device).type == "cuda" else BLOCK
        self.rows = _even(height, side - size + 1)
        self.step = _even(width, side - 2 * size + 2)
        self.width = self.step * -(-width // self.step)
        self.shape = (_smooth(self.rows + size - 1), _smooth(self.step + 2 * size - 2))
        self.room = ((3, self.width // self.step, *self.shape),)  # blocks of b, a, and b with halo

    def correlate(self, b: torch.Tensor, a: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
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
