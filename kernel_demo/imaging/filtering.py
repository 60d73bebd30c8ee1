"""The reference filter: one convolution, by OpenCV, in float64. It makes the true answers.

Correlation, as cv2.filter2D and torch.nn.Conv2d compute it; the kernel is never flipped:

    after[y, x] = sum over i, j of kernel[i, j] * before[y + i - r, x + j - r] + offset,  r = k // 2

A filter of radius r needs r pixels that the picture does not have. Every library makes them up, and
gives the ways to do so its own names; ours are the keys of BORDERS, and CONSTANT, which goes with a
value: that of every pixel beyond the picture (`zero` is the constant 0).
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from kernel_demo.errors import one_of

# Rec. 601 luma, the weights of OpenCV's and Pillow's conversion to grey.
LUMINANCE = (0.299, 0.587, 0.114)
CHANNELS = ("luminance", "red", "green", "blue")


@dataclass(frozen=True)
class Border:
    """One border mode and what the libraries call it."""

    name: str  # ours
    label: str  # what a visitor reads
    numpy: Literal["constant", "edge", "reflect", "symmetric", "wrap"]  # mode of numpy.pad
    opencv: str  # constant of cv2; cv2.filter2D refuses BORDER_WRAP
    scipy: str  # mode of scipy.ndimage.correlate


BORDERS: dict[str, Border] = {border.name: border for border in (
    Border("zero", "Zero (black around)", "constant", "BORDER_CONSTANT", "constant"),
    Border("replicate", "Replicate (aa|abc|cc)", "edge", "BORDER_REPLICATE", "nearest"),
    Border("reflect", "Reflect (cb|abc|ba)", "reflect", "BORDER_REFLECT_101", "mirror"),
    Border("symmetric", "Symmetric (ba|abc|cb)", "symmetric", "BORDER_REFLECT", "reflect"),
    Border("wrap", "Wrap (bc|abc|ab)", "wrap", "BORDER_WRAP", "grid-wrap"),
)}  # fmt: skip
CONSTANT = "constant"
MODES = BORDERS | {
    CONSTANT: Border(CONSTANT, "One value around", "constant", "BORDER_CONSTANT", "constant")
}


def border_named(name: str) -> Border:
    """The border mode of that name, one of MODES. DemoError for any other."""
    return MODES[one_of("a border mode", name, MODES)]


def pad(
    image: np.ndarray,
    radius: int,
    border: str = "reflect",
    value: float | tuple[float, ...] = 0.0,
) -> np.ndarray:
    """The picture with `radius` more pixels on every side.

    image: H x W or H x W x C of any dtype, from 1 x 1 up. Where the radius exceeds the picture, the
    reflection goes to and fro as often as needed; an axis of one pixel repeats it.
    value: what CONSTANT puts around, in the picture's units, one number or one a channel.
    Returns (H + 2 radius) x (W + 2 radius) (x C), a new array of the same dtype.
    """
    widths = [(radius, radius)] * 2 + [(0, 0)] * (image.ndim - 2)
    padded = np.pad(image, widths, mode=border_named(border).numpy)
    if border == CONSTANT:
        padded[:] = value
        padded[radius : radius + image.shape[0], radius : radius + image.shape[1]] = image
    return padded


def positions(length: int, radius: int, border: str = "reflect") -> NDArray[np.int64]:
    """Where each pixel of a padded axis comes from, as int64 of length + 2 radius; -1: nowhere.

    pad() for pictures too large to copy: pad(a, r, b)[y] is a[positions(len(a), r, b)[y]].
    """
    mode = border_named(border).numpy
    places = np.arange(length, dtype=np.int64)
    if mode == "constant":
        return np.pad(places, radius, mode=mode, constant_values=-1)
    return np.pad(places, radius, mode=mode)


def correlate(
    image: np.ndarray,
    kernel: ArrayLike,
    border: str = "reflect",
    offset: float = 0.0,
    value: float = 0.0,
) -> np.ndarray:
    """The filtered picture, of the same size; each channel by itself.

    image: H x W or H x W x C, any size from 1 x 1, any real dtype.
    kernel: k x k, k odd (a Kernel serves as well). Units of offset, and of the value that CONSTANT
    puts around: those of the picture.
    Returns float64 if given float64, else float32; not clipped. Computed in float64: up to 7 x 7
    summed directly, above that by OpenCV's DFT, whose error is about 1e-15 of the largest value.
    """
    weights = _weights(kernel)
    return correlate_valid(pad(image, len(weights) // 2, border, value), weights, offset)


def correlate_valid(image: np.ndarray, kernel: ArrayLike, offset: float = 0.0) -> np.ndarray:
    """Only the pixels whose whole patch lies inside: (H - k + 1) x (W - k + 1) (x C).

    As correlate() otherwise. ValueError if the picture is smaller than the kernel.
    """
    weights = _weights(kernel)
    size = len(weights)
    if min(image.shape[:2]) < size:
        raise ValueError(f"a picture of {image.shape} has no patch of {size} x {size}")
    result = cv2.filter2D(np.asarray(image, np.float64), -1, weights, delta=offset)
    result = result.reshape(image.shape)  # OpenCV drops a last axis of one channel
    radius = size // 2
    inner = result[radius : image.shape[0] - radius, radius : image.shape[1] - radius]
    return inner.astype(np.float64 if image.dtype == np.float64 else np.float32)


def patch_view(image: np.ndarray, size: int) -> np.ndarray:
    """The whole patches of size x size: (H - size + 1) x (W - size + 1) (x C) x size x size.

    image: H x W or H x W x C. A read-only view. ValueError if the picture is smaller.
    """
    if image.ndim == 2:
        return sliding_window_view(image, (size, size))
    return sliding_window_view(image, (size, size, 1))[..., 0]


def to_uint8(image: np.ndarray) -> NDArray[np.uint8]:
    """0..1 to 0..255: clipped, then rounded to nearest with halves up (127.5 becomes 128)."""
    return np.floor(np.clip(image, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def to_grey(image: np.ndarray, channel: str = "luminance") -> NDArray[np.float32]:
    """One float32 H x W plane of an H x W or H x W x 3 (red, green, blue) picture; units as given.

    channel: one of CHANNELS. A grey picture is returned as it is, whatever the channel.
    """
    one_of("a channel", channel, CHANNELS)
    if image.ndim == 2:
        return image.astype(np.float32)
    if channel == "luminance":
        return (image[..., :3] @ np.array(LUMINANCE)).astype(np.float32)
    return image[..., CHANNELS.index(channel) - 1].astype(np.float32)


def _weights(kernel: ArrayLike) -> NDArray[np.float64]:
    weights = np.asarray(kernel, np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or weights.shape[0] % 2 == 0:
        raise ValueError(f"a kernel is square and odd-sized, not {weights.shape}")
    return weights
