"""Buttons that make a file and hand it to the browser: it is made when it is asked for."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export.pictures import PngFile
from kernel_demo.ui.html import button, problem, quiet
from kernel_demo.ui.serving.jobs import PRIVATE, RENDERING, UNQUEUED, tell_failure

MAKING = "Making the file…"
# The place of the file is on the page, unseen: a browser saves what is clicked there.
FETCH = "() => setTimeout(() => document.getElementById('%s')?.click(), 50)"


class Saves:
    """The buttons, laid out in the current row."""

    def __init__(self, choices: Mapping[str, str], elem_id: str) -> None:
        """choices: what a button says, by what it makes."""
        self.buttons = {
            name: button(text, f"{elem_id}-{name}", size="sm") for name, text in choices.items()
        }
        self.file = gr.DownloadButton("File", elem_id=f"{elem_id}-file", visible="hidden")

    def connect(self, make: Callable[..., tuple[str, np.ndarray] | None], inputs: list, told):
        """make: of a choice and the inputs' values, the file's name and its samples; or None.

        Samples: H x W (x 3) uint8 or uint16. told: where it is said that a file is made, or why
        it cannot be.
        """

        def save(name: str) -> Callable:
            def run(*values) -> Iterator[tuple]:
                yield from _saved(make, name, *values)

            return run

        for name, pressed in self.buttons.items():
            heard = pressed.click(lambda: quiet(MAKING), None, told, **UNQUEUED)
            made = heard.then(
                save(name), inputs, [self.file, told], show_progress="hidden", **RENDERING,
                **PRIVATE,
            )  # fmt: skip
            made.success(fn=None, js=FETCH % self.file.elem_id, **PRIVATE)
            tell_failure(made, told)


def _saved(make: Callable, *values) -> Iterator[tuple]:
    try:
        made = make(*values)
        if made is None:
            yield gr.skip(), ""
            return
        name, samples = made
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / name
            with PngFile(target, samples.shape, samples.dtype) as file:
                file[0 : samples.shape[0], 0 : samples.shape[1]] = samples
            yield gr.update(value=str(target)), ""  # gradio copies it before it goes on
    except DemoError as error:
        yield gr.skip(), problem(error)
