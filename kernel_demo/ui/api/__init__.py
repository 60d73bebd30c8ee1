"""The endpoints for scripts and clients: thin functions over the core, each bounding its inputs."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import cv2
import gradio as gr
import numpy as np
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.tiles import apply_tiled
from kernel_demo.sources.decoding import decode
from kernel_demo.ui.api import recover as recover_api
from kernel_demo.ui.api import sent_file
from kernel_demo.ui.api.learn import learn
from kernel_demo.ui.jobs import DEVICE

MAX_OFFSET = 100  # times white: far beyond it everything is black or white


def define() -> None:
    """Add the endpoints to the page that is being built."""
    gr.api(learn, api_name="learn", **DEVICE)
    gr.api(apply, api_name="apply", concurrency_limit=2)
    recovering = {"concurrency_id": recover_api.QUEUE, "concurrency_limit": recover_api.AT_ONCE}
    gr.api(_told(recover_api.recover), api_name="recover", **recovering)


def _told(function: Callable) -> Callable:
    """Turn what a client can put right into an error with its sentence."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except DemoError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return wrapper


@_told
def apply(
    image: gr.FileData,
    kernel: list,
    padding: str = "reflect",
    offset: float = 0.0,
    offset_levels: float = 0.0,
) -> gr.FileData:
    """Filter a picture: an 8-bit PNG of the same size, clipped, each channel filtered.

    kernel: a JSON matrix, as rows of numbers. padding: zero, replicate, reflect, symmetric or wrap.
    offset: added to every pixel, where 1 is white. offset_levels: added as well, where 255 is
    white, whatever the bit depth; 255 * offset / white of an answer of /recover.
    """
    matrix = json.dumps(kernel) if not isinstance(kernel, str) else kernel
    weights = kernels.parse(matrix).values
    _within("offset", offset, MAX_OFFSET)
    _within("offset_levels", offset_levels, 255 * MAX_OFFSET)
    photo = decode(*sent_file.opened(image))
    filtered = _eight_bit(photo.pixels, weights, padding, offset, offset_levels)
    if filtered.ndim == 3:
        filtered = cv2.cvtColor(filtered, cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode(".png", filtered)
    path = save_bytes_to_cache(png.tobytes(), "filtered.png", cache_dir=get_upload_folder())
    return gr.FileData(path=path, orig_name="filtered.png", mime_type="image/png")


def _eight_bit(pixels, weights, padding, offset, offset_levels) -> np.ndarray:
    """The filtered picture, uint8, halves rounded up.

    In units of 1 / 65535 the samples of 8-bit and of 16-bit files are whole numbers. Sums of them
    are exact, and with them the halves.
    """
    samples = pixels * np.float32(65535)
    np.rint(samples, out=samples)
    filtered = apply_tiled(samples, weights, padding, 65535 * offset + 257 * offset_levels)
    np.clip(filtered, 0, 65535, out=filtered)  # in place: 40 Mpx in colour are 480 MB each time
    filtered /= 257
    filtered += 0.5
    return filtered.astype(np.uint8)  # cuts off


def _within(name: str, value: Any, most: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) <= most:
        raise DemoError(
            f"{name} as a number from -{most} to {most}", _short(value), "Send such a number."
        )


def _short(value: Any) -> str:
    return repr(value)[:40]
