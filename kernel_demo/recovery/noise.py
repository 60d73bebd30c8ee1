"""What a kernel leaves, pixel by pixel: is it bounded as rounding is, and is it white?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.planes import Plane


@dataclass(frozen=True, eq=False)
class Noise:
    """What the fit leaves, looked at pixel by pixel."""

    beyond_1: float  # share of pixels more than one grey level off: impossible for one rounding
    beyond_2: float  # ... two grey levels: impossible for a few
    autocorrelation: float  # at one pixel's distance, the larger of both axes
    with_texture: float  # correlation of its square with the picture's local variance

    @property
    def white(self) -> bool:
        """Independent from pixel to pixel, and of the same strength everywhere."""
        return abs(self.autocorrelation) < 0.02 and abs(self.with_texture) < 0.02


def measure(
    tiles: list[Plane], masks: list[np.ndarray], kernel: np.ndarray, offset: float
) -> Noise:
    """What the kernel leaves on the tiles, pixel by pixel."""
    edge = len(kernel) // 2
    lag_down = lag_right = 0.0
    squares, textures = [], []
    for tile, mask in zip(tiles, masks, strict=True):
        if min(mask.shape) <= 2 * edge:
            continue
        inner = np.s_[edge : mask.shape[0] - edge, edge : mask.shape[1] - edge]
        before = tile.before.astype(np.float64)
        keep = mask[inner]
        left = correlate_valid(before, kernel, offset) - tile.after[inner]
        left = np.where(keep, left, 0) / tile.step
        variance = cv2.blur(before**2, (3, 3)) - cv2.blur(before, (3, 3)) ** 2
        texture = np.log1p(np.maximum(variance, 0))[inner]
        lag_down += (left[1:] * left[:-1]).sum()
        lag_right += (left[:, 1:] * left[:, :-1]).sum()
        squares.append(left[keep] ** 2)
        textures.append(texture[keep])
    squares, textures = np.concatenate(squares), np.concatenate(textures)
    energy = max(squares.sum(), 1e-9)
    spread = squares.std() * textures.std()
    together = ((squares - squares.mean()) * (textures - textures.mean())).mean()
    return Noise(
        beyond_1=float((squares > 1.02**2).mean()),
        beyond_2=float((squares > 2.02**2).mean()),
        autocorrelation=float(max(lag_down, lag_right, key=abs) / energy),
        with_texture=float(together / spread) if spread > 1e-9 else 0.0,
    )
