"""Card 2 of the tab "Learn" in motion: each function takes values and returns updates."""

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.html import problem, quiet
from kernel_demo.ui.jobs import QUIET, tell_failure
from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import FilterCard, Stage, components
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import FREE_SIZES, size_choices


def connect(card: FilterCard, stage: Stage) -> list:
    """Connect the events of card 2; returns those after which the kernel may be another one."""
    controls = card.controls
    values = components(controls)
    shown = [stage.live, stage.session, card.problem]

    own = [controls.kernel, controls.editor, card.problem]
    choose = choosing(card)
    show = {"fn": show_truth, "inputs": [stage.session, *values], "outputs": shown, **QUIET}
    seeded = [controls.kernel, controls.seed]
    edited = card.edit.click(edit_current, values, own, **QUIET)
    used = card.use.click(use_pasted, [card.text, card.divisor], own, **QUIET)
    for event in (edited, used):
        tell_failure(event, card.problem)
    chosen = [
        controls.kernel.input(**choose),
        card.random.click(another_random, seeded, seeded, **QUIET).then(**choose),
        edited.then(**choose),
        used.then(**choose),
        controls.size.input(
            kernel_editor.fitted, [controls.editor, controls.size], controls.editor, **QUIET
        ),
    ]
    changed = [controls.angle.release, controls.seed.input, controls.editor.edit]
    return [*(event.then(**show) for event in chosen), gr.on(changed, **show)]


def choosing(card: FilterCard) -> dict:
    """The event that gives a chosen kernel the inputs it needs."""
    controls = card.controls
    return {
        "fn": kernel_chosen,
        "inputs": [controls.kernel, controls.size, controls.editor],
        "outputs": [
            controls.size, controls.angle, controls.seed, controls.editor, card.paste,
            card.purpose,
        ],
        "queue": False,
        **QUIET,
    }  # fmt: skip


def kernel_chosen(kernel: str, size: int, editor: dict | None):
    """The inputs that this kernel needs, and the line that says what it is for."""
    named = CATALOGUE.get(kernel)
    sizes = named.sizes if named else FREE_SIZES
    if kernel == "own":  # of any odd size, and learned as the grid holds it
        size = len((editor or {}).get("rows") or ()) or size
        sizes = tuple(sorted({*FREE_SIZES, size}))
    size = size if size in sizes else min(sizes, key=lambda other: abs(other - int(size or 3)))
    purposes = {"random": wording.RANDOM_PURPOSE, "own": wording.OWN_PURPOSE}
    return (
        gr.update(choices=size_choices(sizes), value=size, interactive=len(sizes) > 1),
        gr.update(visible=bool(named and named.takes_angle)),
        gr.update(visible=kernel == "random"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel == "own"),
        quiet(named.purpose if named else purposes[kernel]),
    )


def show_truth(session: Session, *values):
    """Draw the kernel that is set up now, unless a run is under way: that one stays in view."""
    if session.running:
        return gr.skip(), gr.skip(), ""
    try:
        truth = learn_controls.truth(*values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    if session.progress is not None and np.array_equal(truth, session.experiment.truth):
        return gr.skip(), gr.skip(), ""
    return live_view.idle(truth, session.patch), gr.skip(), ""


def another_random(kernel: str, seed: float | None) -> tuple[str, int]:
    """A random kernel; the next one where there is one already. The seed brings it back."""
    return "random", int(seed or 0) + (kernel == "random")


def edit_current(*values):
    """Put the kernel that is set up now into the grid, to be changed by hand."""
    try:
        truth = learn_controls.truth(*values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(truth), ""


def use_pasted(text: str, divisor: float | None):
    """Put a pasted matrix into the grid."""
    try:
        values = kernels.parse(text or "", 1.0 if divisor is None else divisor).values
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(values), ""
