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
import math
import secrets
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.ui.components.history import CHUNK, History, encode
from kernel_demo.ui.components.stage_words import WORDS, sentences

__all__ = ["History", "component", "failed", "frame", "idle"]

FOLDER = Path(__file__).parent
# A count of this process, as clocks may be set back; a page that stays open while the server starts
# anew gets lower numbers, and knows them by another name of the server.
_SERVER = secrets.token_hex(4)
_numbers = itertools.count(1)

TEMPLATE = """
<section class="kd-live" aria-label="{stage}" data-step="0" data-done="false">
  <p class="kd-error kd-live-error" role="alert" hidden></p>
  <div class="kd-card kd-live-equation">
    <div class="kd-live-row" tabindex="0" role="group"
         aria-label="{true} − {learned} = {difference}">
      <figure><figcaption>{true}</figcaption>
        <canvas data-kernel="truth" role="img"></canvas></figure>
      <span class="kd-live-operator" aria-hidden="true">−</span>
      <figure><figcaption>{learned}<span data-text="at"></span></figcaption>
        <canvas data-kernel="learned" role="img"></canvas></figure>
      <span class="kd-live-operator" aria-hidden="true">=</span>
      <figure><figcaption>{difference}<span data-text="gain"></span></figcaption>
        <canvas data-kernel="difference" role="img"></canvas></figure>
    </div>
    <p class="kd-live-reading" data-text="reading"></p>
    <div class="kd-live-row kd-live-pictures" role="group" aria-label="{picture}">
      <canvas data-picture="truth" role="img" aria-label="{picture}: {true}"></canvas>
      <span class="kd-live-operator" aria-hidden="true">−</span>
      <canvas data-picture="learned" role="img" aria-label="{picture}: {learned}"></canvas>
      <span class="kd-live-operator" aria-hidden="true">=</span>
      <div class="kd-live-apart">
        <canvas data-picture="difference" role="img" aria-label="{picture}: {difference}"></canvas>
        <span data-text="picture_gain"></span></div>
    </div>
  </div>
  <div class="kd-card">
    <div class="kd-live-curves">
      <div><header><b>{loss}</b><output data-text="loss"></output>
        <span class="kd-live-legend"><i></i>{training}<i class="dashed"></i>{validation}</span>
        </header>
        <canvas data-curve="loss" role="img"></canvas></div>
      <div><header><b>{error}</b><output data-text="error"></output>
        <span class="kd-live-legend">{error_note}</span></header>
        <canvas data-curve="error" role="img"></canvas></div>
    </div>
    <div class="kd-live-bar">
      <b data-text="step"></b>
      <div role="progressbar" aria-label="{step}" aria-valuemin="0"><i></i></div>
      <span data-text="seconds"></span><span data-text="to_go"></span>
    </div>
    <p class="kd-live-verdict" data-text="verdict"></p>
  </div>
  <p class="kd-live-spoken" aria-live="polite"></p>
</section>
""".format(**WORDS)


def component(elem_id: str = "live", value: dict | None = None) -> gr.HTML:
    """The stage, showing `value` (by default `idle(None)`). Its look comes with `ui.theme`."""
    script = "\n".join((FOLDER / name).read_text("utf-8") for name in ("drawing.js", "stage.js"))
    return gr.HTML(
        value or idle(None),
        html_template=TEMPLATE,
        js_on_load=script,
        apply_default_css=False,
        elem_id=elem_id,
        words=WORDS,
        chunk=CHUNK,
    )


def idle(
    truth: np.ndarray | None, picture_patch: np.ndarray | None = None, preparing: bool = False
) -> dict:
    """The value before learning: the true kernel (k, k) and, if given, what it makes of a picture.

    picture_patch: as in `frame`. preparing: a run was asked for, and has not begun yet.
    """
    return {
        "kind": "idle",
        **_order(),
        "session": 0,
        "step": 0,
        "steps": 0,
        "done": False,
        **_matrices(truth, None),
        "kernel_error": None,
        "patch": _patch(picture_patch),
        "curves": {"loss": [], "validation": [], "error": []},
        "text": {
            "step": WORDS["preparing"] if preparing else WORDS["ready"],
            "verdict": WORDS["preparing_verdict"] if preparing else WORDS["invitation"],
            "spoken": WORDS["preparing_verdict"] if preparing else WORDS["invitation"],
        },
    }


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
    return {
        "kind": "frame",
        **_order(),
        "session": int(session_id),
        "step": int(progress.step),
        "steps": int(progress.steps),
        "done": bool(progress.done),
        **_matrices(truth, progress.kernel),
        "kernel_error": _finite(progress.kernel_error),
        "patch": _patch(picture_patch),
        "curves": history.encode(),
        "text": sentences(progress, paused),
    }


def failed(message: str) -> dict:
    """The value that shows an error in words and keeps what was drawn."""
    return {"kind": "error", "error": str(message)}


def _order() -> dict:
    return {"server": _SERVER, "number": next(_numbers)}


def _matrices(truth: np.ndarray | None, learned: np.ndarray | None) -> dict:
    known = [m for m in (truth, learned) if m is not None]
    # Subtracted in float64: in float32 the last seven digits of the difference would be rounding.
    difference = None if len(known) < 2 else np.subtract(truth, learned, dtype=np.float64)
    return {
        "size": len(known[0]) if known else 3,
        "truth": None if truth is None else encode(truth),
        "learned": None if learned is None else encode(learned),
        "difference": None if difference is None else encode(difference),
    }


def _patch(patch: np.ndarray | None) -> dict | None:
    if patch is None:
        return None
    levels = patch if patch.dtype == np.uint8 else np.rint(np.clip(patch, 0, 1) * 255)
    height, width = levels.shape
    pixels = base64.b64encode(levels.astype(np.uint8).tobytes()).decode("ascii")
    return {"height": height, "width": width, "pixels": pixels}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
