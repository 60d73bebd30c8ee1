"""What the tests of the exact sums share: pictures, and how near two sets of sums must be."""

import cv2
import numpy as np

FIELDS = ("gram", "cross", "patch_sum", "energy", "after_sum", "count")


def picture(shape, dtype, seed=0):
    """Noise over the whole range of the type."""
    values = np.random.default_rng(seed).random(shape)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return np.round(values * np.iinfo(dtype).max).astype(dtype)


def photo_like(height=96, width=96, seed=0):
    """Smoothed noise with an edge, in grey levels: natural enough, and no file is needed."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2)
    smooth[:, width // 3 :] += 0.5
    smooth -= smooth.min()
    return smooth * 255 / smooth.max()


def assert_same_bits(one, other):
    for name, a, b in zip(FIELDS, one, other, strict=True):
        np.testing.assert_array_equal(np.asarray(a, np.float64), b, err_msg=name)


def assert_close(one, other, rtol=1e-12):
    """Relative to the largest entry: single cross terms may cancel to anything."""
    for name, a, b in zip(FIELDS, one, other, strict=True):
        scale = np.abs(b).max()
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * scale, err_msg=name)


def loss(statistics, kernel, offset=0.0):
    """The mean squared error of a kernel and an offset over all pixels, from the sums."""
    w, s = np.ravel(kernel), statistics
    total = s.energy - 2 * (w @ s.cross) + w @ s.gram @ w
    total += offset * (2 * (w @ s.patch_sum) - 2 * s.after_sum + offset * s.count)
    return total / s.count
