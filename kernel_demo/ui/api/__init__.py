"""The endpoints for scripts and clients: thin functions over the core, each bounding its inputs."""

import gradio as gr

from kernel_demo.ui.api.apply import apply
from kernel_demo.ui.api.learn import learn
from kernel_demo.ui.api.recover import recover
from kernel_demo.ui.jobs import DEVICE, RECOVERING


def define() -> None:
    """Add the endpoints to the page that is being built."""
    gr.api(learn, api_name="learn", **DEVICE)
    gr.api(apply, api_name="apply", concurrency_limit=2)
    gr.api(recover, api_name="recover", **RECOVERING)
