"""All lags of a pair of 8-bit pictures that lie on an NVIDIA GPU, each pixel read once.

A word holds four pixels about mid-grey, and one instruction, dp4a, multiplies and adds four bytes.
Each lane of a program goes down a column one word wide, with the words beside it: of a new row b it
makes the 2k-1 words that begin h pixels further on, and multiplies them with its own words of the
k rows above. About (3k-2) k instructions for four pixels: at k = 3 memory is the limit, not they.

An int32 total takes at most BLOCK ROWS = 2**14 words of four products of at most 2**14: 2**30.
"""

from __future__ import annotations

import os
from functools import cache
from subprocess import SubprocessError

import torch
import triton
import triton.language as tl
from torch.nn import functional as F
from triton.errors import TritonError

BLOCK = 64  # lanes of a program, one word each
ROWS = 256  # of a program, at most
AHEAD = 4  # rows loaded before the first is used: to wait once for all of them
PROGRAMS = 2**11  # as many, about, keep every processor of a GPU busy: fewer rows each, if need be
OLDEST = (7, 0)  # compute capability that Triton knows; all have dp4a
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
POINTERS = ("before", "after", "out")  # with these and those one compilation serves ...
SIZED = ("height", "width", "stride", "across", "rows")  # ... all pictures
SIZES = (3, 5, 7)  # the totals of larger kernels do not fit into registers


@triton.jit
def _added(total, left, right, ptx: tl.constexpr):
    """To each total the sum of x_i y_i over the four signed bytes of a word of left and right."""
    more = ()
    for n in tl.static_range(len(total)):
        x, y, result = left[n], right[n], total[n]
        if ptx:
            result = tl.inline_asm_elementwise(
                "dp4a.s32.s32 $0, $1, $2, $3;", "=r,r,r,r", [x, y, result], tl.int32, True, 1
            )
        else:
            for i in tl.static_range(4):
                result += ((x << (24 - 8 * i)) >> 24) * ((y << (24 - 8 * i)) >> 24)
        more = more + (result,)
    return more


@triton.jit
def _bytes(column, first, stop):
    """0xFF for each of the four pixels from `column` on that is in first <= x < stop, else 0."""
    word = tl.zeros_like(column)
    for i in tl.static_range(4):
        inside = (column + i >= first) & (column + i < stop)
        word |= tl.where(inside, 0xFF, 0) << (8 * i)
    return word


@triton.jit
def _shifted(words, first: tl.constexpr, count: tl.constexpr):
    """`count` words: the first begins with that one of the pixels of `words`, each one later."""
    shifted = ()
    for at in tl.static_range(first, first + count):
        word = words[at // 4]
        if at % 4 > 0:
            low = word.to(tl.uint32, bitcast=True) >> (8 * (at % 4))
            high = words[at // 4 + 1].to(tl.uint32, bitcast=True) << (32 - 8 * (at % 4))
            word = (low | high).to(tl.int32, bitcast=True)
        shifted = shifted + (word,)
    return shifted


@triton.jit(do_not_specialize=SIZED, do_not_specialize_on_alignment=POINTERS)
def _lags(
    before,
    after,
    out,
    height,
    width,
    stride,  # words in a row
    across,  # programs beside each other
    rows,  # of a program
    K: tl.constexpr,
    LANES: tl.constexpr,
    AHEAD: tl.constexpr,
    PTX: tl.constexpr,
):
    """out[program]: the totals of the rows and columns of this program, in the order of `_sorted`.

    The new row y meets the rows y - v: `own`, of b, and `other`, of a. Of a, whose place (0, 0) is
    the picture's (edge, edge), the words in line with those of b are taken, and the lag is less by
    the edge.
    """
    edge: tl.constexpr = K // 2
    beside: tl.constexpr = (K + 2) // 4  # words that k-1 pixels reach into, on either side
    around: tl.constexpr = 2 * beside + 1
    auto: tl.constexpr = (K - 1) * (2 * K - 1) + K
    count: tl.constexpr = auto + K * K + 3
    program = tl.program_id(0)
    lane = program % across * LANES + tl.arange(0, LANES)
    top = program // across * rows
    bottom = tl.minimum(top + rows, height)
    nothing = tl.zeros((LANES,), tl.int32)
    ones = nothing + 0x01010101
    kept = ()  # of the words around: what is inside the picture
    for j in tl.static_range(around):
        kept = kept + (_bytes(4 * (lane + j - beside), 0, width),)
    kept_other = _bytes(4 * lane, edge, width - edge)
    own = (nothing,) * K
    other = (nothing,) * K
    total = (nothing,) * count
    for start in range(top, tl.minimum(bottom + K - 1, height), AHEAD):
        loaded = ()
        for u in tl.static_range(AHEAD):
            y = start + u
            row = before + tl.cast(y, tl.int64) * stride
            stop = tl.where(y < height, stride, 0)
            for j in tl.static_range(around):
                at = lane + j - beside
                there = (at >= 0) & (at < stop)
                # what is not there is mid-grey, and so 0
                loaded = loaded + (tl.load(row + at, mask=there, other=-2139062144),)
            row = after + tl.cast(y + edge, tl.int64) * stride
            stop = tl.where(y < tl.minimum(bottom, height - 2 * edge), stride, 0)
            loaded = loaded + (tl.load(row + lane, mask=lane < stop, other=-2139062144),)
        for u in tl.static_range(AHEAD):
            words = ()
            for j in tl.static_range(around):
                word = loaded[u * (around + 1) + j]
                words = words + ((word ^ -2139062144) & kept[j],)
            shifted = _shifted(words, 4 * beside - (K - 1), 2 * K - 1)
            new = tl.where(start + u < bottom, words[beside], 0)
            own = (new,) + own[: K - 1]
            new = (loaded[u * (around + 1) + around] ^ -2139062144) & kept_other
            other = (new,) + other[: K - 1]
            left, right = (), ()
            for i in tl.static_range(auto):  # i + k-1 = v (2k-1) + h + k-1
                left = left + (own[(i + K - 1) // (2 * K - 1)],)
                right = right + (shifted[(i + K - 1) % (2 * K - 1)],)
            for i in tl.static_range(K * K):
                left = left + (other[i // K],)
                right = right + (shifted[i % K + K - 1 - edge],)
            left = left + (own[0], other[0], other[0])
            right = right + (ones, ones, other[0])
            total = _added(total, left, right, PTX)
    for i in tl.static_range(count):
        tl.store(out + program * count + i, tl.sum(total[i], 0))


@cache
def trouble(device: torch.device) -> str:
    """Why it does not run on that device, found out by a trial; "" where it does.

    Triton compiles as it first runs, for which it wants a C compiler and Python's headers.
    """
    if not INTERPRETED:
        if device.type != "cuda" or torch.version.hip:
            return "this is no NVIDIA GPU"
        if torch.cuda.get_device_capability(device) < OLDEST:
            return "the GPU is too old for Triton"
    black = torch.zeros((3, 4), dtype=torch.uint8, device=device)
    try:
        lags(black, black, 3).cpu()
    except (TritonError, RuntimeError, OSError, SubprocessError) as error:
        return f"Triton does not run: {error}"
    return ""


def lags(before: torch.Tensor, after: torch.Tensor, size: int) -> torch.Tensor:
    """All sums of a pair over the whole picture, about mid-grey; whole numbers.

    before, after: H x W uint8 on one CUDA device (on the CPU in Triton's interpreter); size k: one
    of SIZES. Returns an int64 vector on that device, of b (zero outside) and the answers a, which
    are `after` without its border of radius k // 2:
    (k-1) (2k-1) + k  sum of b[y, x] b[y + v, x + h], at v (2k-1) + h; v from 0, h from -(k-1)
    k k               sum of a[y, x] b[y + v, x + h]; v and h from 0
    3                 sums of b, of a and of a a
    """
    height, width = before.shape
    words = [_words(picture) for picture in (before, after)]
    across = -(-width // (4 * BLOCK))
    rows = max(4 * size, min(ROWS, height * across // PROGRAMS))
    programs = across * -(-height // rows)
    count = (size - 1) * (2 * size - 1) + size + size**2 + 3
    out = torch.empty((programs, count), dtype=torch.int32, device=before.device)
    stride = words[0].shape[1]
    sizes = (height, width, stride, across, rows)
    with torch.cuda.device_of(before):  # nothing, of the CPU's
        _lags[(programs,)](
            *words, out, *sizes, size, BLOCK, AHEAD, not INTERPRETED, num_warps=BLOCK // 32
        )
    return out.sum(0, dtype=torch.int64)


def _words(picture: torch.Tensor) -> torch.Tensor:
    """(H, ceil(W / 4)) int32: four pixels a word; a copy where the rows are not whole words."""
    missing = -picture.shape[1] % 4
    picture = F.pad(picture, (0, missing)) if missing else picture.contiguous()
    aligned = picture if picture.data_ptr() % 4 == 0 else picture.clone()
    return aligned.view(torch.int32)
