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
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.learning.lags import EXACT_PRODUCTS, WIDEST, as_tensor, lags

BLOCK_VALUES = 2**22  # patch values held at once while adding patches one by one
SMALL = 2**17  # patch values of a whole picture below which adding its patches up is quickest


class Sums(NamedTuple):
    """What one pass leaves: p is a patch (k*k values, row by row), y the pixel after it."""

    gram: np.ndarray  # (k*k, k*k) sum of p p'
    cross: np.ndarray  # (k*k,)    sum of p y
    patch_sum: np.ndarray  # (k*k,) sum of p
    energy: float  # sum of y*y
    after_sum: float  # sum of y
    count: int  # pixels used


def patch_sums(
    before: np.ndarray,
    after: np.ndarray,
    size: int,
    mask: np.ndarray | None = None,
    device: str | torch.device = "cpu",
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
    if small or (keep is not None and 2 * np.count_nonzero(keep) < keep.size):
        return _chosen(before, target, size, keep, device)
    parts = [
        _whole(before[:, x : x + WIDEST + size - 1], target[:, x : x + WIDEST], size, device)
        for x in range(0, target.shape[1], WIDEST)
    ]
    sums = Sums(*(sum(values) for values in zip(*parts, strict=True)))
    if keep is None or keep.all():
        return sums
    left_out = _chosen(before, target, size, ~keep, device)
    return Sums(*(a - b for a, b in zip(sums, left_out, strict=True)))


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


def _whole(before, target, size: int, device) -> Sums:
    """The sums over every valid pixel, from the lags of the whole picture."""
    k, (height, width) = size, target.shape
    found = lags(before, target, size, device)
    level = found.level
    top, bottom, left, right = (
        part.astype(np.float64) - level
        for part in (before[: k - 1], before[height:], before[:, : k - 1].T, before[:, width:].T)
    )
    of_top, of_bottom, of_left, of_right = map(strip_lags, (top, bottom, left, right))
    # Of all rows y: at vertical lag v, [j, j', v] = sum of b[y, x+j] b[y+v, x+j'].
    by_lag = windowed(
        found.auto.T,
        of_left[k - 1 :].transpose(1, 2, 0),
        of_right[k - 1 :].transpose(1, 2, 0),
    )
    forward = by_lag.transpose(2, 0, 1)
    backward = forward[:0:-1].transpose(0, 2, 1)  # lag -v is lag v with p and q exchanged
    gram = windowed(  # [i, i', j, j']
        np.concatenate([backward, forward]),
        _row_products(top, width, of_top),
        _row_products(bottom, width, of_bottom),
    )
    before_sum, after_sum, energy = _plain_sums(before, target, level)
    columns = window_sums(before_sum, left.sum(1), right.sum(1))
    patch_sum = window_sums(columns, _row_sums(top, width), _row_sums(bottom, width))
    gram = gram.transpose(0, 2, 1, 3).reshape(k * k, k * k)
    sums = Sums(gram, found.cross.ravel(), patch_sum.ravel(), energy, after_sum, target.size)
    return _shifted(sums, level)


def _plain_sums(before, target, level: float) -> tuple[float, float, float]:
    """Sums of `before`, `target` and target squared, about `level`."""
    before, target = np.ascontiguousarray(before), np.ascontiguousarray(target)
    before_sum, after_sum = cv2.sumElems(before)[0], cv2.sumElems(target)[0]
    if target.dtype == np.uint8:  # the norm is squared again: exact to 2**50, 2e10 white pixels
        energy = float(round(cv2.norm(target, cv2.NORM_L2SQR)))
    else:
        rows = -(-(2**16) // target.shape[1])  # at a time: a small copy in float64
        parts = (target[top : top + rows] for top in range(0, len(target), rows))
        energy = sum(float(np.square(part, dtype=np.float64).sum()) for part in parts)
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


def window_sums(full, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """`windowed` for plain sums: full is the sum of u, first and last its k-1 outer values."""
    nothing = np.zeros_like(first[:1]) if len(first) else np.zeros((1, *np.shape(full)))
    before = np.concatenate([nothing, first.cumsum(0)])
    behind = np.concatenate([last[::-1].cumsum(0)[::-1], nothing])
    return full - before - behind


def strip_lags(strip: np.ndarray) -> np.ndarray:
    """(2k-1, k-1, k-1): sum over x of strip[t, x] strip[t', x + d], d from -(k-1) to k-1."""
    length, reach = strip.shape[1], len(strip)
    strip = torch.from_numpy(np.ascontiguousarray(strip))
    ahead = [(strip[:, : length - d] @ strip[:, d:].T).numpy() for d in range(reach + 1)]
    return np.stack([a.T for a in ahead[:0:-1]] + ahead)


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


def _chosen(before, target, size: int, keep: np.ndarray, device) -> Sums:
    """The sums over the valid pixels where `keep` is True, patch by patch."""
    level = 128.0 if before.dtype == target.dtype == np.uint8 else 0.0
    dtype = torch.float32 if level else torch.float64
    k2 = size * size
    y, x = np.nonzero(keep)
    depth = max(1, min(EXACT_PRODUCTS, len(y)))  # patches of one exact product
    many = depth * max(1, BLOCK_VALUES // (depth * k2))
    total = torch.zeros(k2 + 2, k2 + 2, dtype=torch.float64, device=device)
    patches = sliding_window_view(before, (size, size))
    for start in range(0, len(y), many):
        at = y[start : start + many], x[start : start + many]
        used = len(at[0])
        block = torch.zeros(-(-used // depth) * depth, k2 + 2, dtype=dtype, device=device)
        block[:used, :k2] = as_tensor(patches[at].reshape(-1, k2), level, device)
        block[:used, k2] = as_tensor(target[at], level, device)
        block[:used, k2 + 1] = 1
        block = block.view(-1, depth, k2 + 2)
        total += torch.bmm(block.transpose(1, 2), block).sum(0, dtype=torch.float64)
    total = total.cpu().numpy()
    gram, cross, patch_sum = total[:-2, :-2], total[:-2, -2], total[:-2, -1]
    energy, after_sum = total[-2, -2:].tolist()
    return _shifted(Sums(gram, cross, patch_sum, energy, after_sum, len(y)), level)
