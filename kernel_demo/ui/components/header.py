"""The page's header: what this is, where it computes; the show "Why a small loss is not enough".

The show plays on the stage itself: Adam, then K-FAC, from the same start on the same pictures. It
asks for the runs by the event `asked`, with their method; whoever answers has the page set to it,
and tells the stage which run is wished for (`kd-wish`). By `over` it says that the visitor has
stopped or closed it. Its captions stand over the header, so that nothing moves; every figure in
them is of the run in view.
"""

import gradio as gr

from kernel_demo.ui.components import from_files

WORDS = {
    "show": "Why a small loss is not enough",
    "show_short": "Is loss enough?",
    "stop": "Stop",
    "close": "Close",
    "ready": "The same pictures, learned twice from the same start: first by Adam, then by K-FAC.",
    "adam": (
        "Adam first, {most} steps. Watch “After”: left of the line is what is learned, right of it "
        "what is true."
    ),
    "alike": (
        "Nearly all of the loss is gone, and both sides of the line look alike. Are the kernels "
        "alike, too?"
    ),
    "kernels": (
        "{Gone} of the loss is gone, and the kernels are not alike: after {steps} steps a weight "
        "is still {off} off."
    ),
    "near": "Here Adam comes near: after {steps} steps no weight is more than {bound} off.",
    "why": (
        "Why? Neighbouring pixels are nearly equal, so errors of opposite sign cancel, and the "
        "loss hardly sees them: still {along} off along one of the patterns shown, {part} of the "
        "pictures."
    ),
    "why_other": (
        "Why? An error along a pattern that the pictures hardly contain costs next to no loss: "
        "still {along} off along one of those shown, {part} of them."
    ),
    "patterns": "What the pictures are made of, and how wrong the kernel is along each pattern.",
    "kfac": (
        "Now K-FAC, from the same start. It divides each pattern by how much of it there is: watch "
        "the orange bars."
    ),
    "end": (
        "All have fallen: after {steps} steps no weight is more than {bound} off. Adam had lost "
        "{adam_gone} of its loss, and was {adam_off} off: a small loss is not enough."
    ),
    "end_near": "After {steps} steps no weight is more than {bound} off, by Adam {adam_off}.",
}


def component(title: str, tagline: str, device: str, tab: str) -> gr.HTML:
    """device: where it computes, for people. tab: the name of the tab that has the stage."""
    return from_files(
        "header", None, "header", words=WORDS, shared=("drawing", "show", "verdict"),
        title=title, tagline=tagline, device=device, tab=tab,
    )  # fmt: skip
