"""Why a small loss is not enough: the patterns of the pictures, and the kernel's error along each.

The value holds what the pictures decide, once a lesson; how wrong the kernel is at the step shown
the browser works out itself, from the kept kernels of the stage (`window.kdShown`).
"""

import gradio as gr

from kernel_demo.learning.patterns import Patterns
from kernel_demo.numbers import figure, percent
from kernel_demo.ui.components import from_files, worked

NARROW = 6  # columns on a phone
ALIKE = 0.9  # neighbours whose product is so much of their square are nearly equal
RARE = 0.01  # of all that the pictures hold
WORDS = {
    "title": "Why a small loss is not enough",
    "alike": (
        "Neighbouring pixels are nearly equal, so errors of opposite sign cancel, and the loss "
        "hardly sees them."
    ),
    "unlike": (
        "An error along a pattern that the pictures hardly contain costs next to no loss, however "
        "large it is."
    ),
    "mix": "Every {size} × {size} piece of these pictures is a mix of {count} patterns.",
    "some": (
        "Every {size} × {size} piece of these pictures is a mix of {count} patterns, of which "
        "{shown} are here."
    ),
    "nine": "nine",
    "rare": "The fine ones are rare.",
    "rare_other": "Some of them are rare.",
    "untaught": "Below each stands how wrong the start is along it.",
    "on_way": "At step {step} the kernel is still up to {wrong} wrong along one.",
    "small_loss": (
        "At step {step} {gone} of the loss is gone, and along a rare one the kernel is still "
        "{wrong} wrong."
    ),
    "right": (
        "At step {step} {gone} of the loss is gone, and along none of these is the kernel more "
        "than {bound} wrong."
    ),
    "kfac": "K-FAC divides each pattern by how much of it there is: all fall together.",
    "kfac_came": (
        "K-FAC divides each pattern by how much of it there is: after {steps} steps no weight was "
        "more than {bound} off."
    ),
    "learn": "Learn with K-FAC",
    "contain": "how much of it the pictures contain",
    "grid": "each grid line: 10 times",
    "pattern": "the pattern",
    "smooth": "smooth → fine",
    "frequent": "frequent → rare",
    "wrong": "how wrong the kernel still is along it",
    "scale": "to scale; one figure for all weights together, not that of the worst one",
    "above_below": (
        "Above each pattern: how much of it the pictures contain, each grid line 10 times. Below: "
        "how wrong the kernel still is along it, to scale; one figure for all weights together, "
        "not that of the worst one."
    ),
    "spoken": "Patterns of the pictures, {order}. {each}.",
    "spoken_one": "{share} of the pictures, {wrong} wrong",
    "unknown": "The patterns of these pictures are not known yet.",
    "none": "none",
}  # fmt: skip


def component(elem_id: str = "spectrum", value: dict | None = None) -> gr.HTML:
    """The card; its value is what `view` returns, or None where there are no pictures."""
    return from_files(
        "spectrum", value, elem_id, words=WORDS, shared=("drawing", "show", "verdict"), rare=RARE
    )


def view(found: Patterns, lesson: str) -> dict:
    """The value for the patterns of a lesson, which is told apart from others by its name."""
    return {
        "lesson": lesson,
        "size": found.vectors.shape[1],
        "of": found.of,
        "shares": found.shares.tolist(),
        "labels": [share(each) for each in found.shares],
        "vectors": worked.doubles(found.vectors),
        "narrow": found.telling(NARROW).tolist(),
        "alike": found.alike >= ALIKE,
        "smooth": found.smooth_first,
    }


def share(part: float) -> str:
    """A share of all for a narrow column: 98.7 %, 0.49 %, 1.3·10⁻⁴ %; only all is 100 %."""
    if not part:
        return WORDS["none"]
    if part >= 0.1:
        return percent(part)
    text = f"{100 * part:#.2g}" if part >= 1e-5 else figure(100 * part)
    return f"{text} %"
