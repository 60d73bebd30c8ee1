"""The endpoints for scripts and clients: thin functions over the core, each bounding its inputs."""

from collections.abc import Callable
from functools import wraps

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.api.apply import apply
from kernel_demo.ui.api.learn import learn
from kernel_demo.ui.api.recover import recover
from kernel_demo.ui.jobs import DEVICE, RECOVERING


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
