"""What libjpeg makes of a picture's luminance before it writes it down, to the last bit.

Its integer transform is the one of libjpeg, libjpeg-turbo and mozjpeg if nothing else is asked for
("islow": jfdctint.c, jccolor.c, jcdctmgr.c).
"""

from __future__ import annotations

import numpy as np

# Half of each row, times 2**13 / sqrt(8); the other half mirrors it, with the sign of its parity.
HALF = np.array([
    [8192, 8192, 8192, 8192],
    [11363, 9633, 6437, 2260],
    [10703, 4433, -4433, -10703],
    [9633, -2259, -11362, -6436],
    [8192, -8192, -8192, 8192],
    [6437, -11362, 2261, 9633],
    [4433, -10704, 10704, -4433],
    [2260, -6436, 9633, -11363],
], float)  # fmt: skip
PARITY = np.where(np.arange(8) % 2, -1, 1)[:, None]
FORWARD = np.hstack([HALF, HALF[:, ::-1] * PARITY])
FINEST = 8  # coefficients are whole numbers of eighths of a level


def luminance(samples: np.ndarray) -> np.ndarray:
    """The whole levels (...) that are encoded, of whole samples (... x C, C = 1 or 3)."""
    if samples.shape[-1] == 1:
        return samples[..., 0]
    return np.floor((samples @ np.array([19595.0, 38470.0, 7471.0]) + 2**15) / 2**16)


def transformed(levels: np.ndarray) -> np.ndarray:
    """n x 8 x 8 in eighths of a level: the transforms of blocks of whole levels, less 128."""
    rows = np.floor(((levels - 128.0) @ FORWARD.T + 2**10) / 2**11)
    return np.floor((FORWARD @ rows + 2**14) / 2**15)


def quantised(eighths: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The multiples of the steps (levels) that are written down; halves go away from 0."""
    return np.sign(eighths) * np.floor((np.abs(eighths) + 4 * steps) / (FINEST * steps))


def decoded(multiples: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """n x 8 x 8 whole levels, cut off at 0 and 255, of what was written down (jidctint.c)."""
    columns = np.floor((FORWARD.T @ (multiples * steps) + 2**10) / 2**11)
    return np.clip(np.floor((columns @ FORWARD + 2**17) / 2**18) + 128, 0, 255)
