"""A picture to send through a tool: what comes back tells the tool's kernel, weak or strong."""

import numpy as np
from numpy.typing import NDArray

from kernel_demo.errors import whole

SIDE = 384  # pixels: of the probe that is handed out
MAX_SIDE = 8192  # pixels
BRIGHTNESSES = 8
DOUBLINGS = 11  # of the contrast: from one grey level to so many that all is black or white
GROWS = 0.75  # share of the height within which the contrast grows; below, it stays


def probe(height: int = SIDE, width: int = SIDE, seed: int = 0) -> NDArray[np.uint8]:
    """Noise of every contrast on several brightnesses: height x width uint8.

    after = clip(round(K * before + o), 0, 255) tells nothing of K where it is clipped, and little
    where it varies by less than rounding. A strong K (sum of |weights| far above 1) leaves only
    faint noise unclipped, a weak one needs strong noise to be seen at all, and o or a sum of
    weights other than 1 moves the brightness. So one picture holds them all: with u uniform in
    -1..1, independent for each pixel,

        before[y, x] = clip(round(m[x] + c[y] u), 0, 255)

    m: BRIGHTNESSES equal steps from dark at the left to bright at the right.
    c: from 1 at the top to 2^DOUBLINGS. Levels are many, not two: two make a Laplacian's results
    multiples of their difference, of which a file keeps one or none.
    DemoError: a side below 1 or above MAX_SIDE.
    """
    height, width = (whole("a side", side, 1, MAX_SIDE) for side in (height, width))
    noise = 2 * np.random.default_rng(seed).random((height, width), np.float32) - 1
    grown = np.minimum(np.arange(height) / (GROWS * height), 1)
    step = np.arange(width) * BRIGHTNESSES // width
    brightness = (step + 0.5) * 255 / BRIGHTNESSES
    contrast = 2.0 ** (DOUBLINGS * grown[:, None])
    return np.clip(np.rint(brightness + contrast * noise), 0, 255).astype(np.uint8)
