"""A filter on a picture of any size, tile by tile: a bar, a Cancel, and a PNG to take away."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError, one_of
from kernel_demo.export.pictures import PngFile
from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.imaging.tiles import apply_tiles, iter_tiles
from kernel_demo.numbers import count, duration
from kernel_demo.sources.decoding import MAX_PIXELS, samples
from kernel_demo.sources.uploads import display_name
from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.html import alert, block, button, dropdown, problem, quiet
from kernel_demo.ui.questions import markup
from kernel_demo.ui.questions.card import FRAME_SECONDS, STOPPED, Followed
from kernel_demo.ui.questions.models import SMALL_KERNELS, resolved
from kernel_demo.ui.serving.jobs import SUMS, Job, buttons, failure, throttled

IN_MEGAPIXELS = 1e5  # pixels: what is smaller is counted
TILE = 512  # pixels: a bar that moves, and a Cancel that is heard, several times a second
CHOICES = {**SMALL_KERNELS, "box 15": "Box 15 × 15"}

NOTE = (
    f"Here up to {MAX_PIXELS / 1e6:g} megapixels; up to 200 megapixels by the command "
    "python -m kernel_demo apply IN OUT --kernel sobel_x"
)
STALE = "This was made with another kernel or other edges. Choose the picture again to apply these."


def build() -> Followed:
    """Lay the part out and connect it; returns what `card.follow` takes."""
    block(markup.heading("Apply a filter to a large picture"))
    block(quiet(NOTE))
    with gr.Row(elem_classes="kd-experiment"):
        choices = [(label, key) for key, label in CHOICES.items()]
        kernel = dropdown(choices, "Kernel", "apply-kernel", value="sharpen 3", min_width=280)
        choices = [(border.label, name) for name, border in BORDERS.items()]
        border = dropdown(choices, "Edges", "apply-border", value="reflect", min_width=320)
    with gr.Row(elem_classes="kd-experiment"):
        asked = "Choose a picture and apply"
        # Of any kind: what is no picture is told here, not in a corner in gradio's words.
        chosen = button(asked, "apply", gr.UploadButton, type="filepath")
        cancel = button("Cancel", "apply-stop", interactive=False)
        save = button("Save the result", "apply-save", gr.DownloadButton, visible=False)
    fresh = Freshness("apply-stale", ["apply-result"], ["apply-save"], STALE)
    result, made = block("", "apply-result"), gr.State(None)
    runs = Job([chosen, cancel, save, result, made], lambda: _ended(alert(failure())))
    runs.begin(chosen.upload, lambda *_: _READING, run, [chosen, kernel, border], **SUMS)
    runs.halt(cancel.click, lambda: _ended(quiet(STOPPED)))
    return Followed(fresh, made, [kernel, border], key=lambda *values: values)


def run(path: str, kernel: str, border: str) -> Iterator[tuple]:
    """The bar while it goes on, then the file."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"{Path(display_name(path)).stem}-filtered.png"
            for shown in throttled(_applied(path, target, kernel, border), FRAME_SECONDS):
                yield (gr.skip(), gr.skip(), gr.skip(), shown, gr.skip())
            # Gradio copies the file to its own folder before it asks for the next item.
            save = gr.update(value=str(target), visible=True)
            yield (*buttons(False), save, gr.skip(), (kernel, border))
    except DemoError as error:
        yield _ended(problem(error))


def _applied(path: str, target: Path, kernel: str, border: str) -> Iterator[str]:
    weights = resolved(one_of("a kernel of the list", kernel, CHOICES))
    began = time.monotonic()
    source, notes = samples(path, display_name(path))
    height, width = source.shape[:2]

    def bar(done: float) -> str:
        every = height * width
        if every < IN_MEGAPIXELS:
            return markup.progress(done, f"{count(round(done * every))} of {count(every)} pixels")
        return markup.progress(done, f"{done * every / 1e6:.1f} of {every / 1e6:.1f} Mpx")

    with PngFile(target, source.shape, source.dtype) as file:
        for done in apply_tiles(source, file, weights, border, tile=TILE, working=np.float64):
            yield markup.result(bar(done), done=False, fraction=round(done, 3))
    tiles = sum(1 for _ in iter_tiles(height, width, TILE))
    told = (
        f"{display_name(path)}: {width} × {height} pixels filtered in {tiles} "
        f"{'tile' if tiles == 1 else 'tiles'}, {duration(time.monotonic() - began)}."
    )
    yield markup.result(bar(1.0), markup.sentence(told), *map(quiet, notes), fraction=1.0)


def _ended(told: str) -> tuple:
    return (*buttons(False), gr.skip(), told, gr.skip())


_READING = (*buttons(True), gr.update(visible=False), quiet("Reading the picture…"), None)
