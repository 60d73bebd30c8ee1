"""The endpoints for scripts, clients and assistants: thin functions over the core, each bounded."""

import gradio as gr

from kernel_demo.ui.api.apply import apply
from kernel_demo.ui.api.learn import learn
from kernel_demo.ui.api.page import REFUSALS, Page, describe
from kernel_demo.ui.api.recover import recover
from kernel_demo.ui.serving.jobs import DEVICE, RECOVERING

__all__ = ["REFUSALS", "Page", "define"]

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


def define(page: Page) -> None:
    """Add the endpoints to the page that is being built."""
    for function, queue, examples in (
        (learn, DEVICE, {}),
        (apply, {"concurrency_limit": 2}, {"image": _file("photo.png"), "kernel": SHARPEN}),
        (recover, RECOVERING, {"before": _file("before.png"), "after": _file("after.png")}),
    ):
        event = gr.api(function, api_name=function.__name__, **queue)
        describe(page.fns[event["id"]], examples)


def _file(name: str) -> dict:
    """A file of a client, as gradio's examples of calls take it; to an address it adds a root."""
    return {"path": name, "meta": {"_type": "gradio.FileData"}}
