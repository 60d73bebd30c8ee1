"""The endpoints for scripts and clients: thin functions over the core, each bounding its inputs."""

import json
from collections.abc import Callable, Iterator
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
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.sources import bundled
from kernel_demo.sources.decoding import decode
from kernel_demo.ui import pictures
from kernel_demo.ui.api import recover as recover_api
from kernel_demo.ui.api import sent_file
from kernel_demo.ui.jobs import DEVICE
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, PictureChoice, Session, Settings
from kernel_demo.ui.learn.settings import MAX_STEPS

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


# gr.api reads the type of one yielded item from the annotation, hence dict and not Iterator[dict].
def learn(
    kernel: str = "sobel_x",
    size: int = 3,
    seed: int = 0,
    method: str = "kfac",
    steps: int = 200,
    source: str = "bundled",
    images: int = 8,
    dataset_id: str = "",
) -> dict:
    """Learn a kernel from pictures and yield the progress.

    method: "kfac", "adam", "sgd", "exact" (K-FAC on the exact gradient) or "closed_form".
    kernel: a name from the catalogue, "random", or a JSON matrix (its own size then counts).
    source: "bundled", or "hub" with a dataset_id (empty: the first of the page's list); an error
    says why where its pictures cannot be had.
    """
    try:
        yield from _learn(kernel, size, seed, method, steps, source, images, dataset_id)
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _learn(kernel, size, seed, method, steps, source, images, dataset_id) -> Iterator[dict]:
    _bounded("size", size, kernels.MIN_SIZE, kernels.MAX_SIZE)
    _bounded("seed", seed, 0, kernels.MAX_SEED)
    _bounded("steps", steps, 1, MAX_STEPS)
    if source not in ("bundled", "hub"):
        raise DemoError("source 'bundled' or 'hub'", _short(source), "Choose one of them.")
    most = bundled.COUNT if source == "bundled" else pictures.MAX_PICTURES
    _bounded("images", images, 1, most)
    truth = kernels.resolve(str(kernel), size=size, seed=seed).values
    experiment = Experiment(
        choice=PictureChoice(source=source, count=images, dataset_id=str(dataset_id)),
        weights=tuple(map(tuple, truth.tolist())),
        damage=Damage(),
        settings=_settings(method, steps),
    )
    if source == "hub":
        pictures.from_hub(experiment.choice)  # a script must not learn from others unawares
    for latest in run(Session(experiment=experiment)):
        progress = latest.progress
        yield {
            "step": progress.step,
            "loss": _number(progress.loss),
            "validation_loss": _number(progress.validation_loss),
            "kernel_error": _number(progress.kernel_error),
            "kernel": progress.kernel.tolist(),
            "done": progress.done,
            "stopped_because": progress.stopped_because,
            "seconds": progress.seconds,
            "device": progress.device,
        }


def _settings(method: str, steps: int) -> Settings:
    if method == "closed_form":
        return None
    return ExactSettings(steps=steps) if method == "exact" else TrainSettings(method, steps=steps)


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


def _bounded(name: str, value: Any, low: int, high: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise DemoError(
            f"{name} as a whole number from {low} to {high}", _short(value), "Send such a number."
        )


def _within(name: str, value: Any, most: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) <= most:
        raise DemoError(
            f"{name} as a number from -{most} to {most}", _short(value), "Send such a number."
        )


def _short(value: Any) -> str:
    return repr(value)[:40]


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return float(value) if value is not None and np.isfinite(value) else None
