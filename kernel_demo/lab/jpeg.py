"""JPEG without a JPEG library: what its quantisation takes away, from its own table."""

import numpy as np

# ITU-T T.81, table K.1: luminance, for quality 50.
TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float64,
)


def steps(quality: int) -> np.ndarray:
    """(8, 8) quantisation steps for a quality of 1..100, as libjpeg scales them (jcparam.c)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((TABLE * scale + 50) / 100), 1, 255)


def quantised(levels: np.ndarray, quality: int) -> np.ndarray:
    """A grey picture (H x W, whole grey levels) as JPEG would keep it, whole levels 0..255.

    Blocks of 8 x 8 about 128, their cosine transform C b C' rounded to multiples of the steps; the
    edge pixels are repeated to fill the last blocks.
    """
    height, width = levels.shape
    padded = np.pad(levels, ((0, -height % 8), (0, -width % 8)), mode="edge").astype(float) - 128
    blocks = padded.reshape(len(padded) // 8, 8, -1, 8).swapaxes(1, 2)
    step = steps(quality)
    kept = np.rint(_COSINES @ blocks @ _COSINES.T / step) * step
    pixels = (_COSINES.T @ kept @ _COSINES).swapaxes(1, 2).reshape(padded.shape)
    return np.clip(np.rint(pixels + 128), 0, 255)[:height, :width]


def _cosines() -> np.ndarray:
    """C (8, 8), orthonormal: row u is sqrt(2/8) cos((2x + 1) u pi / 16), row 0 over sqrt(2)."""
    u, x = np.indices((8, 8))
    rows = np.cos((2 * x + 1) * u * np.pi / 16) / 2
    rows[0] /= np.sqrt(2)
    return rows


_COSINES = _cosines()
