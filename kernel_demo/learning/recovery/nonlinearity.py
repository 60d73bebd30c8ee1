"""Is what the kernel leaves noise, or a part of the operation that no kernel can have?

Noise knows nothing of the picture. So the residual is regressed on what nonlinear filters see (the
window's median, extremes, gradient magnitude, powers of the pixel: the regression specification
error test of Ramsey, J. R. Stat. Soc. B 31, 1969), and the kernel is fitted anew in thirds of the
picture (Chow, Econometrica 28, 1960). Measured over eight kinds of filter: JPEG, WebP and Gaussian
noise let at most 1.5 % of the residual's variance be explained so, operations that are no
convolution 4 % to 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.learning.recovery.planes import Plane

PIXELS = 30_000
WIDEST = 9  # patches up to this size: what a larger kernel adds matters little here
# Shares of the residual's variance above which it is not noise.
FEATURES_LIMIT, PLACE_LIMIT, TONE_LIMIT = 0.03, 0.08, 0.10
PICTURE_LIKE = 0.8  # autocorrelation above which the residual is itself a picture


@dataclass(frozen=True)
class Evidence:
    """Shares of the residual's variance, 0 to 1, and how much it looks like a picture."""

    features: float  # explained by nonlinear features of the window
    across: float  # gained by another kernel in each third of the width
    down: float  # ... of the height
    tones: float  # ... of the brightness
    autocorrelation: float  # of the residual, at one pixel's distance

    @property
    def nonlinear(self) -> bool:
        """Whether any of them is more than noise leaves."""
        return (
            self.features > FEATURES_LIMIT
            or max(self.across, self.down) > PLACE_LIMIT
            or self.tones > TONE_LIMIT
            or abs(self.autocorrelation) > PICTURE_LIKE
        )


def examine(
    tiles: list[Plane], masks: list[np.ndarray], size: int, autocorrelation: float
) -> Evidence | None:
    """The evidence from a sample of the pixels in the masks. None: too few to tell."""
    size = min(size, WIDEST)
    patches, features, after, places = _drawn(tiles, masks, size)
    if len(after) < 10 * (patches.shape[1] + features.shape[1]):
        return None
    design = np.concatenate([patches, np.ones((len(patches), 1))], axis=1)
    basis, _ = np.linalg.qr(design)
    left = after - basis @ (basis.T @ after)
    unseen = features - basis @ (basis.T @ features)
    energy = max(float(left @ left), 1e-9)
    explained = unseen @ np.linalg.lstsq(unseen, left, rcond=1e-9)[0]
    brightness = patches.mean(axis=1)
    return Evidence(
        features=float(explained @ explained) / energy,
        across=_gain(design, left, places[:, 1]),
        down=_gain(design, left, places[:, 0]),
        tones=_gain(design, left, brightness),
        autocorrelation=autocorrelation,
    )


def _gain(design: np.ndarray, left: np.ndarray, order: np.ndarray) -> float:
    """Share of the residual's energy that goes when each third along `order` has its own kernel."""
    thirds = np.searchsorted(np.quantile(order, [1 / 3, 2 / 3]), order)
    energy = 0.0
    for third in range(3):
        part = thirds == third
        if np.count_nonzero(part) < 4 * design.shape[1]:
            return 0.0
        basis, _ = np.linalg.qr(design[part])
        rest = left[part] - basis @ (basis.T @ left[part])
        energy += float(rest @ rest)
    gain = 1 - energy / max(float(left @ left), 1e-9)
    return gain - 2 * design.shape[1] / len(design)  # what two more kernels gain by chance


def _drawn(tiles, masks, size: int):
    """Patches (n x k*k), features (n x f), after (n) and places (n x 2: row, column, 0..1)."""
    rng, edge = np.random.default_rng(0), size // 2
    collected = ([], [], [], [])
    for tile, mask in zip(tiles, masks, strict=True):
        height, width = mask.shape
        if min(height, width) <= 2 * edge + 2:
            continue
        rows, columns = np.nonzero(mask[edge : height - edge, edge : width - edge])
        chosen = rng.permutation(len(rows))[: PIXELS // len(tiles)]
        rows, columns = rows[chosen] + edge, columns[chosen] + edge
        windows = sliding_window_view(tile.before, (size, size))
        top, left, bottom, right = tile.place
        collected[0].append(windows[rows - edge, columns - edge].reshape(len(rows), -1))
        collected[1].append(_features(tile)[rows, columns])
        collected[2].append(tile.after[rows, columns])
        collected[3].append(
            np.stack(
                [top + rows / height * (bottom - top), left + columns / width * (right - left)], 1
            )
        )
    if not collected[0]:
        return (np.zeros((0, n)) for n in (size * size, 1, 1, 2))
    return tuple(np.concatenate(part).astype(np.float64) for part in collected)


def _features(tile: Plane) -> np.ndarray:
    """H x W x f: what median, extremes, gradient and tone curves see, in grey levels."""
    image = tile.before.astype(np.float32)
    white = np.float32(tile.peak)
    window = np.ones((3, 3), np.uint8)
    across, down = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    detail = image - cv2.GaussianBlur(image, (0, 0), 1.5)
    small, large = 4 * white / 255, 12 * white / 255
    return np.stack(
        [
            cv2.medianBlur(image, 3),
            cv2.medianBlur(image, 5),
            cv2.dilate(image, window),
            cv2.erode(image, window),
            np.abs(across),
            np.abs(down),
            np.hypot(across, down),
            image * image / white,
            image**3 / white**2,
            np.abs(detail),
            np.sign(detail) * detail**2 / white,
            np.clip(detail, -small, small),
            np.clip(detail, -large, large),
            image * detail / white,
            cv2.bilateralFilter(image, 5, 25 * white / 255, 2),
        ],
        axis=-1,
    )
