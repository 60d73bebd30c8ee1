"""The live stage: true kernel, learned kernel and their difference, the curves, a filtered picture.

`component()` is drawn once by the browser; each update is one dict made by `idle`, `frame` or
`failed`. An update is complete by itself and numbered, so any of them may be skipped, repeated or
late: whichever event draws it, the browser passes over what was drawn before what it shows.
Gradio sends only what changed between two of them: arrays travel as base64 strings, curves as
chunks of which only the last one changes, and the picture before the filter once. The browser
applies the kernels to that picture itself, so that it always shows the kernel beside it.
"""

import base64
import itertools
import secrets
from typing import Any

import gradio as gr
import numpy as np

from kernel_demo.numbers import duration, figure
from kernel_demo.ui.components import from_files
from kernel_demo.ui.components.history import CHUNK, History, encode, plain
from kernel_demo.ui.html import ENTRIES

# A count of this process, as clocks may be set back; a page that stays open while the server starts
# anew gets lower numbers, and knows them by another name of the server.
_SERVER = secrets.token_hex(4)
_numbers = itertools.count(1)

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


def component(elem_id: str = "live", value: dict | None = None) -> gr.HTML:
    """The stage, showing `value` (by default `idle(None)`)."""
    first = value or idle(None)
    return from_files("stage", first, elem_id, words=WORDS, shared=("drawing",), chunk=CHUNK)


def idle(
    truth: np.ndarray | None, picture_patch: np.ndarray | None = None, preparing: bool = False
) -> dict:
    """The value before learning: the true kernel (k, k) and, if given, what it makes of a picture.

    picture_patch: as in `frame`. preparing: a run was asked for, and has not begun yet.
    """
    step, verdict = ("preparing", "preparing_verdict") if preparing else ("ready", "invitation")
    told = {"step": WORDS[step], "verdict": WORDS[verdict], "spoken": WORDS[verdict]}
    begun = {"session": 0, "step": 0, "steps": 0, "done": False, "kernel_error": None}
    return _value("idle", truth, None, History(), picture_patch, text=told, **begun)


def frame(
    session_id: int,
    progress,
    truth: np.ndarray | None,
    history: History,
    picture_patch: np.ndarray | None = None,
    paused: bool = False,
) -> dict:
    """The value of one update.

    session_id: another one for each run; a new one clears the stage.
    progress: a `kernel_demo.learning.training.Progress`.
    truth: (k, k), or None where no true kernel is known.
    picture_patch: the picture *before* the filter, H x W grey, uint8 or 0..1, about 256 x 200.
        Pass the same one each time: it travels once. None keeps the one shown.
    """
    return _value(
        "frame",
        truth,
        progress.kernel,
        history,
        picture_patch,
        session=session_id,
        step=progress.step,
        steps=progress.steps,
        done=progress.done,
        kernel_error=plain(progress.kernel_error),
        text=_sentences(progress, paused),
    )


def failed(message: str) -> dict:
    """The value that shows an error in words and keeps what was drawn."""
    return {"kind": "error", "error": str(message)}


def _value(
    kind: str,
    truth: np.ndarray | None,
    learned: np.ndarray | None,
    history: History,
    patch: np.ndarray | None,
    **rest: Any,
) -> dict:
    known = [m for m in (truth, learned) if m is not None]
    # Subtracted in float64: in float32 the last seven digits of the difference would be rounding.
    difference = None if len(known) < 2 else np.subtract(truth, learned, dtype=np.float64)
    kernels = {"truth": truth, "learned": learned, "difference": difference}
    return {
        "kind": kind,
        "server": _SERVER,
        "number": next(_numbers),
        "size": len(known[0]) if known else 3,
        **{name: None if m is None else encode(m) for name, m in kernels.items()},
        "patch": _patch(patch),
        "curves": history.encode(),
        **rest,
    }


def _patch(patch: np.ndarray | None) -> dict | None:
    if patch is None:
        return None
    levels = patch if patch.dtype == np.uint8 else np.rint(np.clip(patch, 0, 1) * 255)
    height, width = levels.shape
    pixels = base64.b64encode(levels.astype(np.uint8).tobytes()).decode("ascii")
    return {"height": height, "width": width, "pixels": pixels}


def _sentences(progress, paused: bool) -> dict:
    """The words beside the drawing for one Progress."""
    step = f"Step {progress.step} of {progress.steps}"
    error = f"{WORDS['error'].lower()} {figure(progress.kernel_error)}"
    spoken = f"{step}. {WORDS['loss']} {figure(progress.loss)}, {error}."
    to_go, verdict = "", f"{WORDS['learning']} {progress.device}."
    if progress.done:
        to_go, verdict = WORDS["finished"], progress.stopped_because
        spoken = f"{verdict} {spoken}"
    elif paused:
        to_go, verdict = WORDS["paused"], WORDS["paused_verdict"]
    elif progress.step:
        left = progress.seconds / progress.step * (progress.steps - progress.step)
        to_go = f"about {duration(left)} to go"
    return {
        "step": step,
        "seconds": duration(progress.seconds),
        "to_go": to_go,
        "loss": figure(progress.loss),
        "error": figure(progress.kernel_error),
        "verdict": verdict,
        "spoken": spoken.strip(),
    }
