"""The proof of a kernel behind a JPEG file: its result, compressed again, is the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kernel_demo.recovery import encoder
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.quantisation import Blocks, Compression, coefficients, drawn

DIVISORS = range(1, 65)
# Errors must be below this share of 1 / divisor, and round numbers lie within so many of them.
FINE, NEAR = 1 / 8, 3.0
MOST = 6_000  # blocks, drawn by chance: 0.4 Mpx


def encoded(blocks: Blocks, kernel: np.ndarray, offset: float) -> np.ndarray:
    """n x 8 x 8 in eighths: the transforms that an encoder makes of the kernel's picture."""
    whole = np.clip(np.floor(blocks.through(kernel, offset) + 0.5), 0, 255)
    return encoder.transformed(encoder.luminance(whole))


def share_alike(
    pairs: Sequence[Pair], compressed: Compression, kernel: np.ndarray, offset: float
) -> float | None:
    """The share of the luminance's coefficients that the kernel's picture has as well.

    Each is a whole multiple of its step, read off the decoded pixels; the kernel's picture is
    rounded, cut off, encoded with these steps and decoded, and read in the same way. Blocks count
    of which before has all that goes into them; in colour those alone that nothing cut off.
    """
    alike = count = 0
    known = compressed.steps.ravel() > 0
    steps = np.where(compressed.steps > 0, compressed.steps, 1)
    for pair in pairs:
        blocks = drawn(pair, len(kernel) // 2, MOST // len(pairs))
        if pair.after.shape[2] == 3:
            blocks = blocks.only(~blocks.spoiled)
        again = encoder.decoded(encoder.quantised(encoded(blocks, kernel, offset), steps), steps)
        file, ours = (
            np.rint(coefficients(whole - 128.0) / steps.ravel()) for whole in (blocks.after, again)
        )
        alike += int(np.count_nonzero((file == ours)[:, known]))
        count += len(blocks) * int(np.count_nonzero(known))
    return alike / count if count else None


def round_numbers(
    kernel: np.ndarray, offset: float, errors: np.ndarray
) -> Iterator[tuple[np.ndarray, float]]:
    """Whole numbers over the divisors that suit the errors, with whole offsets nearby."""
    for divisor in DIVISORS:
        if errors.max() * divisor > FINE:
            return
        near = np.rint(kernel * divisor) / divisor
        if (np.abs(near - kernel) <= NEAR * errors).all():
            for whole in {math.floor(offset), math.ceil(offset)}:
                yield near, float(whole)
