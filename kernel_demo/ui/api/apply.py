"""The endpoint /apply: a filter on a picture; and what a client sends as a file."""

import json
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.errors import DemoError, finite
from kernel_demo.imaging import kernels
from kernel_demo.imaging.tiles import apply_tiled
from kernel_demo.sources.decoding import decode
from kernel_demo.sources.uploads import display_name
from kernel_demo.ui.jobs import in_words

MAX_OFFSET = 100  # times white: far beyond it everything is black or white


@in_words()
def apply(
    image: gr.FileData,
    kernel: list,
    padding: str = "reflect",
    offset: float = 0.0,
    offset_levels: float = 0.0,
    padding_value: float = 0.0,
) -> gr.FileData:
    """Filter a picture: an 8-bit PNG of the same size, clipped, each channel filtered.

    kernel: a JSON matrix, as rows of numbers. padding: zero, replicate, reflect, symmetric, wrap
    or constant, which puts padding_value around the picture, where 255 is white, as offset_levels.
    offset: added to every pixel, where 1 is white. offset_levels: added as well, where 255 is
    white, whatever the bit depth; 255 * offset / white of an answer of /recover.
    """
    matrix = json.dumps(kernel) if not isinstance(kernel, str) else kernel
    weights = kernels.parse(matrix).values
    offset = finite("offset", offset, -MAX_OFFSET, MAX_OFFSET)
    most = 255 * MAX_OFFSET
    offset_levels = finite("offset_levels", offset_levels, -most, most)
    photo = decode(*sent(image))
    around = finite("padding_value", padding_value, 0, 255)
    filtered = _eight_bit(photo.pixels, weights, padding, offset, offset_levels, around)
    if filtered.ndim == 3:
        filtered = cv2.cvtColor(filtered, cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode(".png", filtered)
    path = save_bytes_to_cache(png.tobytes(), "filtered.png", cache_dir=get_upload_folder())
    return gr.FileData(path=path, orig_name="filtered.png", mime_type="image/png")


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


def sent(file: Any, role: str = "") -> tuple[str, str]:
    """(its path on this server, its name fit for a message) of a gradio FileData or its dict.

    role: what it is for, "before". DemoError for what was not uploaded: gradio looks only at what
    is marked as a file, and a client may leave the mark out. Nothing that is sent is told as it is.
    """
    held = file if isinstance(file, dict) else getattr(file, "__dict__", {})
    path = held.get("path")
    if not isinstance(path, str) or not _is_uploaded(path):
        expected = f"a picture file as {role}" if role else "a picture file"
        raise DemoError(expected, "none", "Upload one.")
    return path, display_name(held.get("orig_name") or path)


def _is_uploaded(path: str) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except ValueError:  # a NUL in the path
        return False
