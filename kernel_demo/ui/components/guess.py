"""A kernel typed by hand at work on a picture, live, beside what it should come to.

The browser filters as each key is pressed: nothing is asked of the server, and the kernel behind
the target stays there.
"""

from collections.abc import Callable

import gradio as gr
import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.lab.challenge import HALVES, LARGEST
from kernel_demo.ui.components import from_files
from kernel_demo.ui.pictures import data_url

MIDDLE = 2**23  # with HALVES steps in a grey level, the number of 24 bits that stands for zero
STRONGEST = 98  # per cent of the target's values that stay below the deepest colour
CANNOT = "{weight} cannot be right: every weight is a multiple of ½ from −2 to 2."
WORDS = {
    "cannot": CANNOT,
    "before": "before",
    "target": "after the hidden kernel",
    "guess": "after your guess",
    "difference": "difference",
    "same": "No difference in any of these {count} pixels.",
    "apart": (
        "{share} of these pixels differ by more than half a grey level; the largest difference is "
        "{largest}."
    ),
    "unread": "A weight is no number: the picture is that of the guess before.",
}


def component(value: dict, elem_id: str, editor: str) -> gr.HTML:
    """The pictures. value: of `value`. editor: the id of the grid that holds the guess."""
    return from_files(
        "guess", value, elem_id, words=WORDS, shared=("drawing", "arithmetic"), editor=editor,
        halves=HALVES, largest=LARGEST,
    )  # fmt: skip


def value(levels: np.ndarray, kernel: np.ndarray, url_of: Callable = data_url) -> dict:
    """What the browser is shown: a picture, and what a kernel of halves makes of it.

    levels: H x W whole grey levels. kernel: (k, k), behind the target; it is not sent. url_of:
    gives a uint8 picture its address.
    """
    levels = np.asarray(levels, np.float64)
    target = correlate(levels, kernel)
    number = np.rint(HALVES * target).astype(np.int64) + MIDDLE
    deep = np.stack([number >> 16, (number >> 8) & 255, number & 255], axis=-1)
    return {
        "before": url_of(levels.astype(np.uint8)),
        "target": url_of(deep.astype(np.uint8)),
        "scale": max(1.0, float(np.percentile(np.abs(target), STRONGEST))),
        "width": levels.shape[1],
        "height": levels.shape[0],
        "size": len(kernel),
    }
