"""What the brightness alone says of a filter whose result went through a JPEG file.

JPEG keeps the brightness much better than the colours: in red, green and blue its losses follow the
picture, as a filter that is none does. In the brightness they do not, where quantisation is fine:
what is left is then examined as that of any other pair.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from kernel_demo.recovery import evidence, fitting, halves, quantisation
from kernel_demo.recovery.alignment import Pair, Plane, common
from kernel_demo.recovery.channels import WIDEST_THROUGH_JPEG, Arrangement

# Coarser files hide what mild operations do: measured over 15 that are no convolution, at quality
# 95 the features explain 5 % and more of what the best kernel leaves, at 80 some only 1 %.
FINE, EXPLAINED = 91, 0.05
# The file's rounding spreads the bars' own estimate by so much at most; beyond, bars are wider.
USUAL = 0.35
MARGIN = 2  # levels that predictions keep from black and white


def planes(pairs: list[Pair], kernel: np.ndarray, offset: float) -> list[Plane]:
    """The brightness of after beside that of before, in the blocks that nothing cut off.

    What was cut off is smeared over its block, so that is judged by what the kernel (k x k, one for
    all channels) predicts.
    """
    found = []
    for pair in pairs:
        before, after, counted = pair.overlap()
        wide = before.astype(np.float64)
        made = cv2.filter2D(wide, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101) + offset
        made = made.reshape(before.shape)
        low, high = pair.clip
        cut = np.asarray(((made < low + MARGIN) | (made > high - MARGIN)).any(axis=2))
        cut |= ((after <= low) | (after >= high)).any(axis=2)
        _, here = common(pair.before, pair.after, pair.origin)
        kept = ~_whole_blocks(cut, *(axis.start % 8 for axis in here))
        kept = kept if counted is None else kept & counted
        nowhere = -pair.step, pair.peak + pair.step  # nothing else is clipped
        bright = quantisation.brightness(before), quantisation.levels(after)
        found.append(Plane(*bright, kept, pair.peak, pair.step, nowhere))
    return found


def _whole_blocks(mask: np.ndarray, down: int, right: int) -> np.ndarray:
    """h x w bool: the blocks of 8 x 8 that have a pixel of the mask, which begins inside one."""
    height, width = mask.shape
    padded = np.pad(mask, ((down, -(down + height) % 8), (right, -(right + width) % 8)))
    blocks = padded.reshape(len(padded) // 8, 8, -1, 8).any(axis=(1, 3))
    whole = blocks.repeat(8, axis=0).repeat(8, axis=1)
    return whole[down : down + height, right : right + width]


def settled(found: Arrangement) -> Arrangement:
    """The same with the kernel that some coefficients contradict, where nothing else does.

    So it is where before is not to the last level what the tool saw: a decoder of its own, another
    copy. Bars are as much wider as what differs before quantisation is more than usual.
    """
    kernel, compressed = found.nearly, found.compressed
    if kernel is None or compressed is None or (compressed.quality or 0) < FINE:
        return found
    laid = planes(found.pairs, kernel.kernel, kernel.offset)
    fit = fitting.fit(laid, WIDEST_THROUGH_JPEG)
    if fit is None or not fit.unbiased or fit.residual > compressed.most:
        return found
    seen = evidence.examine(fit)
    doubt = None if fit.drawn is None else halves.doubts(fit.drawn, fit.floor)
    if seen is None or seen.differing or seen.features > EXPLAINED:
        return found
    if doubt is None or doubt.noise_before or _by_position(fit):
        return found
    wider = kernel.standard_error * max(1, kernel.spread / USUAL)
    return replace(found, censored=replace(kernel, standard_error=wider))


def _by_position(fit: fitting.Fit) -> bool:
    """Whether every n-th row or column asks for a kernel of its own.

    A tenth of a change of size and back has 17 times the variance of chance there, true kernels
    through such files up to 6; a single weight, which is no mean of many, up to 11.
    """
    limit = halves.CLEARLY * (1 + 1 / np.count_nonzero(fit.kernel))
    compared = () if fit.drawn is None else halves.compared(fit.drawn)
    return any(half.every and half.chi > limit for half in compared)
