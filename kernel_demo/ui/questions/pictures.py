"""The pictures of the tab "Questions": one choice for all experiments."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.ui import pictures
from kernel_demo.ui.html import block, problem, quiet, title
from kernel_demo.ui.jobs import PRIVATE, tell_failure
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.questions import words as wording

MAX_PICTURES = 8
MAX_SIDE = 1024  # of what is used of a picture: the experiments answer within seconds
MIN_SIDE = 72  # a 64 x 64 tile and the halo of a 9 x 9 kernel


@dataclass(frozen=True)
class PictureInputs:
    """The choice: which source, and the visitor's files."""

    source: gr.Radio
    uploads: gr.File

    @property
    def components(self) -> list:
        return [self.source, self.uploads]


def build() -> PictureInputs:
    """Lay out the card of the pictures and connect it."""
    block(title(wording.PICTURES))
    source = gr.Radio(
        wording.SOURCES, value="bundled", show_label=False, container=False,
        elem_classes="kd-segmented", elem_id="question-source",
    )  # fmt: skip
    uploads = gr.File(
        file_count="multiple", type="filepath", label=wording.UPLOAD, visible=False, height=120,
        elem_id="question-uploads",
    )  # fmt: skip
    photos = pictures.gather(PictureChoice(count=MAX_PICTURES)).photos
    gallery = block(pictures.gallery(photos), "question-gallery")
    source.input(
        lambda chosen: gr.update(visible=chosen == "mine"), source, uploads, queue=False,
        show_progress="hidden", **PRIVATE,
    )  # fmt: skip
    shown = gr.on(
        [source.input, uploads.change], _show, [source, uploads], gallery,
        trigger_mode="always_last", concurrency_limit=2, show_progress="minimal", **PRIVATE,
    )  # fmt: skip
    tell_failure(shown, gallery)
    return PictureInputs(source, uploads)


def grey(source: str, uploads: Sequence[str] | None) -> list[np.ndarray]:
    """The chosen pictures, H x W float32, 0..1: of a larger one its middle.

    DemoError: no picture, or none large enough for the experiments.
    """
    photos = pictures.gather(_choice(source, uploads)).photos[:MAX_PICTURES]
    every = [middle(picture) for picture in pictures.grey(photos, "luminance")]
    usable = [picture for picture in every if min(picture.shape) >= MIN_SIDE]
    if not usable:
        height, width = every[0].shape
        raise DemoError(
            f"a picture of at least {MIN_SIDE} × {MIN_SIDE} pixels",
            f"{width} × {height}",
            "Choose a larger one.",
        )
    return usable


def middle(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture, at most MAX_SIDE on a side: cut, so that it stays sharp."""
    top, left = (max(0, (side - MAX_SIDE) // 2) for side in picture.shape[:2])
    return picture[top : top + MAX_SIDE, left : left + MAX_SIDE]


def _choice(source: str, uploads: Sequence[str] | None) -> PictureChoice:
    mine = source == "mine"
    return PictureChoice("mine" if mine else "bundled", MAX_PICTURES, uploads=tuple(uploads or ()))


def _show(source: str, uploads: Sequence[str] | None) -> str:
    if source == "mine" and not uploads:
        return quiet(wording.NO_UPLOAD_YET)
    try:
        gathered = pictures.gather(_choice(source, uploads), beside=True)
    except DemoError as error:
        return problem(error)
    large = any(max(photo.pixels.shape[:2]) > MAX_SIDE for photo in gathered.photos)
    notes = [gathered.told, wording.MIDDLE.format(side=MAX_SIDE) if large else ""]
    return pictures.gallery(gathered.photos[:MAX_PICTURES]) + "".join(map(quiet, notes))
