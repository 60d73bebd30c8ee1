"""A filter on a picture of any size, tile by tile: a bar, a Cancel, and a PNG to take away."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export.pictures import PngFile
from kernel_demo.imaging import kernels
from kernel_demo.imaging.tiles import apply_tiles, iter_tiles
from kernel_demo.sources.decoding import MAX_PIXELS, samples
from kernel_demo.sources.uploads import display_name
from kernel_demo.ui.html import alert, block, problem, quiet
from kernel_demo.ui.jobs import FAILED, SUMS, Job, throttled
from kernel_demo.ui.learn.settings import border_choices
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import pixel_words as wording
from kernel_demo.ui.questions.card import FRAME_SECONDS
from kernel_demo.ui.questions.models import SMALL_KERNELS
from kernel_demo.ui.questions.words import STOPPED

TILE = 512  # pixels: a bar that moves, and a Cancel that is heard, several times a second
CHOICES = {"sobel_x 3": "Sobel x 3 × 3", **SMALL_KERNELS, "box 15": "Box 15 × 15"}


def build() -> None:
    """Lay the part out and connect it."""
    block(html.heading(wording.APPLY))
    block(quiet(wording.APPLY_NOTE.format(pixels=f"{MAX_PIXELS / 1e6:g}")))
    with gr.Row(elem_classes="kd-experiment"):
        kernel = gr.Dropdown(
            [(label, key) for key, label in CHOICES.items()], value="sharpen 3",
            label=wording.KERNEL, elem_classes="kd-field", elem_id="apply-kernel", min_width=280,
        )  # fmt: skip
        border = gr.Dropdown(
            border_choices(), value="reflect", label=wording.EDGES, elem_classes="kd-field",
            elem_id="apply-border", min_width=320,
        )  # fmt: skip
    with gr.Row(elem_classes="kd-experiment"):
        chosen = gr.UploadButton(
            wording.APPLY_BUTTON, file_types=["image"], type="filepath", elem_id="apply",
            scale=0, min_width=60,
        )  # fmt: skip
        cancel = gr.Button(
            wording.APPLY_CANCEL, interactive=False, elem_id="apply-stop", scale=0, min_width=60
        )
        save = gr.DownloadButton(
            wording.APPLY_SAVE, visible=False, elem_id="apply-save", scale=0, min_width=60
        )
    result = block("", "apply-result")
    runs = Job([chosen, cancel, save, result], lambda: _ended(alert(FAILED)))
    runs.begin(
        chosen.upload, lambda *_: _READING, run, [chosen, kernel, border],
        **SUMS,
    )  # fmt: skip
    runs.halt(cancel, lambda: _ended(quiet(STOPPED)))


def run(path: str, kernel: str, border: str) -> Iterator[tuple]:
    """The bar while it goes on, then the file."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"{Path(display_name(path)).stem}-filtered.png"
            for shown in throttled(_applied(path, target, kernel, border), FRAME_SECONDS):
                yield (gr.skip(), gr.skip(), gr.skip(), shown)
            # Gradio copies the file to its own folder before it asks for the next item.
            save = gr.update(value=str(target), visible=True)
            yield (*_buttons(False), save, gr.skip())
    except DemoError as error:
        yield _ended(problem(error))


def _applied(path: str, target: Path, kernel: str, border: str) -> Iterator[str]:
    if kernel not in CHOICES:
        raise DemoError("a kernel of the list", repr(kernel)[:40], "Choose one of them.")
    name, size = kernel.split()
    weights = kernels.resolve(name, size=int(size)).values
    began = time.monotonic()
    source, notes = samples(path, display_name(path))
    height, width = source.shape[:2]
    megapixels = height * width / 1e6
    with PngFile(target, source.shape, source.dtype) as file:
        for done in apply_tiles(source, file, weights, border, tile=TILE, working=np.float64):
            text = wording.applying(done, megapixels)
            yield html.result(html.progress(done, text), done=False, fraction=round(done, 3))
    tiles = sum(1 for _ in iter_tiles(height, width, TILE))
    seconds = time.monotonic() - began
    yield html.result(
        html.progress(1.0, wording.applying(1.0, megapixels)),
        html.sentence(wording.applied(display_name(path), width, height, tiles, seconds)),
        *map(quiet, notes),
        fraction=1.0,
    )


def _ended(told: str) -> tuple:
    return (*_buttons(False), gr.skip(), told)


def _buttons(running: bool) -> tuple:
    return gr.update(interactive=not running), gr.update(interactive=running)


_READING = (*_buttons(True), gr.update(visible=False), quiet(wording.READING))
