"""Auto- and cross-correlation of whole pictures at the lags of a k x k kernel.

Two ways to the same numbers: matrix products of row chunks, or Fourier transforms of blocks.
Products cost 2k (L + 2k - 2) multiplications a pixel, transforms the same at every k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

# Pixels about mid-grey are below 2**7, their products below 2**14: a float32 sum of 2**10 of them
# stays within the 2**24 up to which float32 counts exactly, in whatever order it is added.
EXACT_PRODUCTS = 2**10
STRIP_PIXELS = 2**18  # pixels of a strip: its chunks stay in the processor's cache
BLOCK = 512  # side of a transformed block
BLOCK_PIXELS = 2**26  # pixels whose spectra are added before they are rounded to whole numbers


class Lags(NamedTuple):
    """Sums over a whole picture b (zero outside) and its target a, both about `level`."""

    auto: np.ndarray  # (k, 2k-1): sum of b[y, x] b[y + v, x + h]; v from 0, h from -(k-1)
    cross: np.ndarray  # (k, k): sum of a[y, x] b[y + v, x + h]; v and h from 0
    before_sum: float  # sum of b
    energy: float  # sum of a*a
    after_sum: float  # sum of a


def lags(before: np.ndarray, target: np.ndarray, size: int, level: float, device) -> Lags:
    """All lags of a k x k kernel in one pass, strip by strip.

    before: H x W; target: (H-k+1) x (W-k+1), the valid region's answers. With a level (8-bit
    pictures) the results are exact whole numbers.
    """
    by_blocks = size >= (21 if level else 13) and not (level == 0 and before.dtype.kind == "u")
    correlate = by_transforms if by_blocks else by_products
    both = correlate(before, target, size, level, device).cpu().numpy()
    return Lags(both[0], both[1, :, size - 1 :], *_simple_sums(before, target, level, device))


def to_tensor(pixels: np.ndarray, level: float, dtype: torch.dtype, device) -> torch.Tensor:
    """A copy of some rows on the device, about `level`."""
    if pixels.dtype == np.uint16:  # torch has few operations on uint16
        pixels = pixels.astype(np.int32)
    moved = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    return moved.to(dtype) - level if level else moved.to(dtype)


def by_products(before, target, size: int, level: float, device) -> torch.Tensor:
    """(2, k, 2k-1) float64: lags of `before` with itself, and of `target` with `before`.

    Each row is cut in chunks of L pixels; row c of A holds chunk c, row c of B the same chunk with
    k-1 neighbours on either side. A'B then holds every lag h on its diagonals; B moved down by v
    rows gives lag v.
    """
    (height, width), k = before.shape, size
    length = max(_chunk(size), -(-width // EXACT_PRODUCTS))  # L
    chunks = -(-width // length)
    group = EXACT_PRODUCTS // chunks  # rows of one exact product
    strip = group * max(1, STRIP_PIXELS // (group * width))
    reach = length + 2 * k - 2
    dtype = torch.float32 if level else torch.float64
    product = torch.zeros(k, 2 * length, reach, dtype=torch.float64, device=device)
    for top in range(0, height, strip):
        rows = min(strip, -(-(height - top) // group) * group)
        b = torch.zeros(rows + k - 1, chunks * length + 2 * k - 2, dtype=dtype, device=device)
        part = to_tensor(before[top : top + rows + k - 1], level, dtype, device)
        b[: len(part), k - 1 : k - 1 + width] = part
        a = torch.zeros(rows, chunks, 2, length, dtype=dtype, device=device)
        a[:, :, 0] = b[:rows, k - 1 : k - 1 + chunks * length].view(rows, chunks, length)
        answers = torch.zeros(rows, chunks * length, dtype=dtype, device=device)
        part = to_tensor(target[top : top + rows], level, dtype, device)
        answers[: len(part), : part.shape[1]] = part
        a[:, :, 1] = answers.view(rows, chunks, length)
        left = a.view(-1, group * chunks, 2 * length).transpose(1, 2)
        right = b.unfold(1, reach, length).contiguous()
        for v in range(k):
            lagged = right[v : v + rows].view(-1, group * chunks, reach)
            product[v] += torch.bmm(left, lagged).sum(0, dtype=torch.float64)
    diagonals = product.view(k, 2, length, reach).as_strided(
        (k, 2, length, 2 * k - 1), (2 * length * reach, length * reach, reach + 1, 1)
    )
    return diagonals.sum(2).transpose(0, 1)


def _chunk(size: int) -> int:
    """Length of a row chunk."""
    return 8 if size <= 5 else 16 if size <= 9 else 32


def by_transforms(before, target, size: int, level: float, device) -> torch.Tensor:
    """The same as `by_products` through float64 Fourier transforms of overlapping blocks.

    With a level the sums are rounded to whole numbers. That is exact: the error of a transform is
    about 2**-52 log2(N) of the energy (Higham, "Accuracy and Stability of Numerical Algorithms",
    section 24.1), so 0.005 at most for BLOCK_PIXELS pixels about mid-grey.
    """
    (height, width), k = before.shape, size
    down, rows = _blocks(height, k - 1)
    across, columns = _blocks(width, 2 * k - 2)
    total = torch.zeros(2, k, 2 * k - 1, dtype=torch.float64, device=device)
    spectrum, pixels = 0, 0
    for top in range(0, height, down):
        for start in range(0, width, across):
            blocks = torch.zeros(3, rows, columns, dtype=torch.float64, device=device)
            first = max(start - k + 1, 0)
            near = before[top : top + down + k - 1, first : start + across + k - 1]
            answers = target[top : top + down, start : start + across]
            near, answers = (to_tensor(p, level, torch.float64, device) for p in (near, answers))
            begin = first - start + k - 1
            blocks[2, : len(near), begin : begin + near.shape[1]] = near
            blocks[0, :down, k - 1 : k - 1 + across] = blocks[2, :down, k - 1 : k - 1 + across]
            blocks[1, : len(answers), k - 1 : k - 1 + answers.shape[1]] = answers
            transformed = torch.fft.rfft2(blocks)
            spectrum = spectrum + transformed[:2].conj() * transformed[2]
            pixels += down * across
            last = top + down >= height and start + across >= width
            if last or pixels > BLOCK_PIXELS:
                found = torch.fft.irfft2(spectrum, (rows, columns))[:, :k].roll(k - 1, 2)
                total += found[..., : 2 * k - 1].round() if level else found[..., : 2 * k - 1]
                spectrum, pixels = 0, 0
    return total


def _blocks(extent: int, halo: int) -> tuple[int, int]:
    """Step and side of the blocks that cover `extent`: about BLOCK, a product of 2, 3 and 5."""
    count = -(-extent // max(BLOCK - halo, 1))
    step = -(-extent // count)
    side = step + halo
    while _smooth_part_removed(side) != 1 or side % 2:
        side += 1
    return step, side


def _smooth_part_removed(number: int) -> int:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number


def _simple_sums(before, target, level: float, device) -> tuple[float, float, float]:
    """Sum of `before`, of target squared, of target, strip by strip."""
    sums = torch.zeros(3, dtype=torch.float64, device=device)
    strip = max(1, STRIP_PIXELS // before.shape[1])
    for top in range(0, len(before), strip):
        b = to_tensor(before[top : top + strip], level, torch.float64, device)
        a = to_tensor(target[top : top + strip], level, torch.float64, device).ravel()
        sums += torch.stack([b.sum(), a @ a, a.sum()])
    return tuple(sums.tolist())
