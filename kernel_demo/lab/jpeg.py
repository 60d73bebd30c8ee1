"""JPEG without a JPEG library: what its quantisation takes away, from its own table."""

import numpy as np

from kernel_demo.recovery.jpeg import COSINES, steps


def quantised(levels: np.ndarray, quality: int) -> np.ndarray:
    """A grey picture (H x W, whole grey levels) as JPEG would keep it, whole levels 0..255.

    Blocks of 8 x 8 about 128, their cosine transform C b C' rounded to multiples of the steps; the
    edge pixels are repeated to fill the last blocks.
    """
    height, width = levels.shape
    padded = np.pad(levels, ((0, -height % 8), (0, -width % 8)), mode="edge").astype(float) - 128
    blocks = padded.reshape(len(padded) // 8, 8, -1, 8).swapaxes(1, 2)
    step = steps(quality)
    kept = np.rint(COSINES @ blocks @ COSINES.T / step) * step
    pixels = (COSINES.T @ kept @ COSINES).swapaxes(1, 2).reshape(padded.shape)
    return np.clip(np.rint(pixels + 128), 0, 255)[:height, :width]
