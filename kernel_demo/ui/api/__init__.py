"""The endpoints for scripts and clients: thin functions over the core, each bounding its inputs."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.sources import bundled
from kernel_demo.ui import pictures
from kernel_demo.ui.api.apply import apply
from kernel_demo.ui.api.recover import recover
from kernel_demo.ui.jobs import DEVICE, RECOVERING
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, PictureChoice, Session, Settings
from kernel_demo.ui.learn.settings import MAX_STEPS


def define() -> None:
    """Add the endpoints to the page that is being built."""
    gr.api(learn, api_name="learn", **DEVICE)
    gr.api(_told(apply), api_name="apply", concurrency_limit=2)
    gr.api(_told(recover), api_name="recover", **RECOVERING)


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


def _bounded(name: str, value: Any, low: int, high: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise DemoError(
            f"{name} as a whole number from {low} to {high}", _short(value), "Send such a number."
        )


def _short(value: Any) -> str:
    return repr(value)[:40]


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return float(value) if value is not None and np.isfinite(value) else None
