"""The live stage: true kernel, learned kernel and their difference, the curves, a filtered picture.

`component()` is drawn once by the browser; each update is one dict made by `idle`, `frame` or
`failed`. An update is complete by itself and numbered, so any of them may be skipped, repeated or
late: whichever event draws it, the browser passes over what was drawn before what it shows.
Gradio sends only what changed between two of them: arrays travel as base64 strings, curves as
chunks of which only the last one changes, and the picture before the filter once. The browser
applies the kernels to that picture itself, so that it always shows the kernel beside it.
"""

import gradio as gr

from kernel_demo.ui.components import from_files
from kernel_demo.ui.html import ENTRIES

WORDS = {
    "stage": "Learning, live",
    "true": "True kernel",
    "learned": "Learned",
    "difference": "Difference",
    "untaught": "not learned yet",
    "picture": "A picture through each of them",
    "loss": "Loss",
    "training": "training",
    "validation": "validation",
    "error": "Kernel error",
    "error_note": "largest weight error",
    "step": "step",
    "row": "Row",
    "column": "column",
    "hint": "Blue below zero, orange above. Pick a cell to read it.",
    "entries": ENTRIES,
    "preparing": "Getting ready…",
    "preparing_verdict": "Getting the pictures, and a place on the device.",
    "ready": "Ready to learn",
    "invitation": "Press Learn, and watch the kernel come out of the pictures.",
    "learning": "Learning on",
    "paused": "paused",
    "paused_verdict": "Paused. Resume goes on from this step.",
    "finished": "finished",
}


def component(elem_id: str, value: dict) -> gr.HTML:
    """The stage, showing `value`."""
    return from_files("stage", value, elem_id, words=WORDS, shared=("drawing",))
