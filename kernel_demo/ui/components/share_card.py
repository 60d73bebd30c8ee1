"""A picture of the run that is shown, to be shared: kernels, curves, verdict and address.

It is drawn in the browser when it is asked for, by the functions that draw the stage, from what the
stage shows (`window.kdShown`) and says; nothing of it is sent anywhere.
"""

import gradio as gr

from kernel_demo.ui.components import from_files
from kernel_demo.ui.components.stage import WORDS as STAGE

_SAME = (
    "true",
    "learned",
    "difference",
    "loss",
    "error",
    "dashed",
    "step",
    "in_unit",
    "below_unit",
)
WORDS = {name: STAGE[name] for name in _SAME} | {
    "open": "Share picture",
    "title": "Share this run",
    "close": "Close",
    "download": "Download PNG",
    "copy_picture": "Copy picture",
    "copied": "Picture copied",
    "send": "Share…",
    "link": "Copy link",
    "link_copied": "Link copied",
    "lacks": "The link opens these settings {unshared}.",
    "runs": "The link starts learning at once",
    "refused": "This browser does not let a page do that. Download the picture instead.",
    "site": "Kernel Demo",
}
SCRIPTS = ("drawing", "clipboard", "chart", "show", "kernels")


def component(elem_id: str, keys: tuple[str, ...]) -> gr.HTML:
    """The button, and what it opens. keys: of a link, those that are no settings of Learn."""
    return from_files("share_card", None, elem_id, words=WORDS, shared=SCRIPTS, keys=keys)
