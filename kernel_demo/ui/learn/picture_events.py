"""Card 1 of the tab "Learn" in motion: each function takes values and returns updates."""

from dataclasses import replace

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.sources import bundled
from kernel_demo.ui import pictures
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.html import problem, quiet
from kernel_demo.ui.jobs import PRIVATE, QUIET, tell_failure
from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import PictureCard, Stage, components
from kernel_demo.ui.learn.form import experiment
from kernel_demo.ui.learn.session import Session


def connect(card: PictureCard, values: list, stage: Stage) -> list:
    """Connect the events of card 1; returns those after which the pictures may be others.

    values: `experiment_form.inputs`.
    """
    controls = card.controls
    controls.source.input(**arranging(card))
    gallery = gr.on(
        [controls.source.input, controls.count.release, controls.uploads.change, card.load.click,
         controls.dataset_id.input],
        trigger_mode="always_last", **showing(card),
    )  # fmt: skip
    tell_failure(gallery, card.notice)
    shown = [stage.live, stage.session]
    return [gallery.then(show_patch, [stage.session, *values], shown, **QUIET)]


def arranging(card: PictureCard) -> dict:
    """The event that gives a source of pictures the inputs it needs."""
    controls = card.controls
    return {
        "fn": source_chosen,
        "inputs": [controls.source, controls.count],
        "outputs": [controls.dataset_id, controls.uploads, card.load, controls.count],
        "queue": False,
        **QUIET,
    }


def showing(card: PictureCard) -> dict:
    """The event that loads the pictures and shows them."""
    return {
        "fn": show_gallery,
        "inputs": components(card.controls),
        "outputs": [card.gallery, card.notice],
        "concurrency_limit": 8,
        "show_progress": "minimal",
        **PRIVATE,
    }


def show_patch(session: Session, *values):
    """The live view with a piece of the first picture, unless a run is in view."""
    if session.progress is not None or session.running:
        return gr.skip(), gr.skip()
    try:
        wanted = experiment(*values)
        patch = pictures.first_patch(wanted.choice)
    except DemoError:  # told beside its input
        return gr.skip(), gr.skip()
    return live_view.idle(wanted.truth, patch), replace(session, patch=patch)


def source_chosen(source: str, count: int):
    """The inputs that this source of pictures needs: dataset, files, Load, how many."""
    number = gr.update(visible=source != "mine")
    if source == "hub":  # never lowered again: what still waits may hold a larger number
        number["maximum"] = pictures.MAX_PICTURES
    if source == "bundled":
        number["value"] = min(count, bundled.COUNT)
    return (
        gr.update(visible=source == "hub"),
        gr.update(visible=source == "mine"),
        gr.update(visible=source == "hub"),
        number,
    )


def show_gallery(*values):
    """Card 1's values -> its gallery and its notice. A problem leaves the gallery as it is."""
    try:
        choice = learn_controls.choice(*values)
        if choice.source == "mine" and not choice.uploads:
            return quiet(wording.NO_UPLOAD_YET), ""
        gathered = pictures.gather(choice, beside=True)
    except DemoError as error:
        return gr.skip(), problem(error)
    return pictures.gallery(gathered.photos), quiet(gathered.told)
