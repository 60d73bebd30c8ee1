"""The endpoint /apply: a filter on a picture."""

import json
from typing import Literal

import cv2
import gradio as gr
import numpy as np

from kernel_demo.errors import finite
from kernel_demo.imaging import kernels
from kernel_demo.imaging.tiles import apply_tiled
from kernel_demo.sources.decoding import decode
from kernel_demo.ui.api.files import file, sent
from kernel_demo.ui.serving.jobs import in_words

MAX_OFFSET = 100  # times white: far beyond it everything is black or white


@in_words()
def apply(
    image: gr.FileData,
    kernel: list[list[float]] | str,
    padding: Literal["zero", "replicate", "reflect", "symmetric", "wrap", "constant"] = "reflect",
    offset: float = 0.0,
    offset_levels: float = 0.0,
    padding_value: float = 0.0,
) -> gr.FileData:
    """Filter a picture by a kernel: a PNG of the same size, 8 bits, rounded and clipped.

    Each channel is filtered by itself; the kernel is correlated with the picture, not flipped, as
    OpenCV's filter2D does it. The picture may be a PNG, JPEG, WebP, TIFF, BMP or GIF. To apply what
    recover found, give its kernel, its padding, and offset_levels = 255 * offset / white.

    Args:
        image: the picture: the address of a file uploaded here, or a data URL of up to 1 MB.
        kernel: rows of numbers, as many as columns, odd, 3 to 31; or the name of a 3 x 3, sharpen.
        padding: how it goes on beyond the edges; constant puts padding_value around it.
        offset: added to every pixel, where 1 is white.
        offset_levels: added as well, where 255 is white, whatever the bit depth of the file.
        padding_value: of the padding constant, 0 to 255, where 255 is white.

    Returns:
        the filtered picture
    """
    named = isinstance(kernel, str)
    weights = (kernels.resolve(kernel) if named else kernels.parse(json.dumps(kernel))).values
    offset = finite("offset", offset, -MAX_OFFSET, MAX_OFFSET)
    most = 255 * MAX_OFFSET
    offset_levels = finite("offset_levels", offset_levels, -most, most)
    photo = decode(*sent(image))
    around = finite("padding_value", padding_value, 0, 255)
    filtered = _eight_bit(photo.pixels, weights, padding, offset, offset_levels, around)
    if filtered.ndim == 3:
        filtered = cv2.cvtColor(filtered, cv2.COLOR_RGB2BGR)
    return file("filtered.png", cv2.imencode(".png", filtered)[1].tobytes())


def _eight_bit(pixels, weights, padding, offset, offset_levels, around) -> np.ndarray:
    """The filtered picture, uint8, halves rounded up.

    In units of 1 / 65535 the samples of 8-bit and of 16-bit files are whole numbers. Sums of them
    are exact, and with them the halves.
    """
    samples = pixels * np.float32(65535)
    np.rint(samples, out=samples)
    added = 65535 * offset + 257 * offset_levels
    filtered = apply_tiled(samples, weights, padding, added, value=257 * around)
    np.clip(filtered, 0, 65535, out=filtered)  # in place: 40 Mpx in colour are 480 MB each time
    filtered /= 257
    filtered += 0.5
    return filtered.astype(np.uint8)  # cuts off
