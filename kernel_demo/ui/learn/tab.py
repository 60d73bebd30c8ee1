"""The tab "Learn": pictures, filter and method on the left; what happens on the right."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import pictures
from kernel_demo.ui.components import kernel_editor, stage
from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.html import block, problem, quiet, step_title
from kernel_demo.ui.jobs import PRIVATE, QUIET, UNQUEUED, tell_failure
from kernel_demo.ui.learn import link, race, result, run, settings, words
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import ARRANGING, NAMES, named, place

SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept
# The settings that one event reads: a control out of bounds elsewhere does not stand in its way.
PICTURES = ("source", "count", "dataset_id", "split", "column", "uploads", "channel")
FILTER = ("kernel", "size", "angle", "kernel_seed", "editor")


@dataclass(frozen=True)
class Cards:
    """What the cards on the left hold beside the controls."""

    load: gr.Button
    gallery: gr.HTML
    notice: gr.HTML
    random: gr.Button
    edit: gr.Button
    paste: gr.Accordion
    text: gr.Textbox
    divisor: gr.Number
    use: gr.Button
    problem: gr.HTML
    purpose: gr.HTML
    method: gr.HTML
    buttons: dict[str, gr.Button]
    copy: gr.Button


def build(page: gr.Blocks) -> None:
    """Lay the tab out and connect its events; call inside a gr.Tab of the page."""
    start = settings.start()
    patch = pictures.first_patch(start.choice)
    notice, bar = block("", "link-notice"), link.address()
    placed: dict = {}
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
            with gr.Column(elem_classes="kd-card"):
                left = _picture_card(placed)
            with gr.Column(elem_classes="kd-card"):
                left |= _filter_card(placed)
            with gr.Column(elem_classes="kd-card"):
                left |= _learn_card(placed)
        cards, controls = Cards(**left), {name: placed[name] for name in NAMES}
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            session = gr.State(Session(patch=patch), time_to_live=SESSION_SECONDS)
            live = stage.component("live", stage.idle(start.truth, patch))
            fresh = Freshness("learn-stale", ["live", "result-card", "certificate"], ["take"],
                              words.STALE)  # fmt: skip
            right = result.build(start, SESSION_SECONDS)
            mark_race = race.build(controls, SESSION_SECONDS)
    mark = fresh.follow(
        [*controls.values()],
        [session, right.shown, right.told],
        named(result.stale),
        [controls[name] for name in ARRANGING],
    )
    look = result.looking(right, controls)
    _connect_run(cards, controls, live, session, right, mark)
    arranged = [_connect_method(cards, controls), *_connect_kernel(cards, controls)]
    for event in arranged:
        event.then(**mark).then(**mark_race)
    taught = [controls["channel"].input, controls["noise"].release, controls["eight_bit"].input]
    for event in (
        _connect_pictures(cards, controls, live, session),
        *_connect_filter(cards, controls, live, session, arranged[1:]),
    ):
        event.then(**look).then(**mark)
    gr.on(taught, **look).then(**mark)
    opened = link.connect(page, controls, cards.copy, bar, notice)
    _follow(opened, cards, controls, live, session, look)


def _picture_card(controls: dict) -> dict:
    block(step_title(1, words.PICTURES))
    place(controls, "source", "dataset_id", "uploads", "count")
    with gr.Accordion(words.SPLIT_AND_COLUMN, open=False, elem_classes="kd-fold"):
        place(controls, "channel")
        with gr.Row():
            place(controls, "split", "column")
    load = gr.Button(words.LOAD, visible=False, size="sm", elem_id="load")
    photos = pictures.gather(pictures.PictureChoice()).photos
    gallery = block(pictures.gallery(photos), "gallery")
    return {"load": load, "gallery": gallery, "notice": block("", "notice")}


def _filter_card(controls: dict) -> dict:
    block(step_title(2, words.FILTER))
    place(controls, "kernel", "size", "edges", "angle", "kernel_seed", "editor")
    with gr.Row(elem_classes="kd-buttons"):
        random = gr.Button(words.RANDOM, size="sm", elem_id="random")
        edit = gr.Button(words.EDIT, size="sm", elem_id="edit")
    with gr.Accordion(words.DAMAGE, open=False, elem_classes="kd-fold", elem_id="damage"):
        place(controls, "noise", "eight_bit")
    with gr.Accordion(words.PASTE, visible=False, elem_classes="kd-fold") as paste:
        text = gr.Textbox(
            show_label=False, placeholder=words.PASTE_PLACEHOLDER, lines=3, max_lines=12,
            max_length=20_000, elem_id="paste",
        )  # fmt: skip
        divisor = gr.Number(1, label=words.DIVISOR, elem_classes="kd-field")
        use = gr.Button(words.USE_MATRIX, size="sm", elem_id="use-matrix")
    return {
        "random": random, "edit": edit, "paste": paste, "text": text, "divisor": divisor,
        "use": use, "problem": block("", "filter-problem"),
        "purpose": block(quiet(CATALOGUE[settings.START_KERNEL].purpose), "purpose"),
    }  # fmt: skip


def _learn_card(controls: dict) -> dict:
    block(step_title(3, words.LEARN))
    place(controls, "method", "optimizer")
    with gr.Accordion(words.DETAILS, open=False, elem_classes="kd-fold", elem_id="details"):
        place(controls, "steps", "learning_rate", "batch", "tile", "accumulation", "init", "seed",
              "patience", "mixed_precision")  # fmt: skip
    purpose = block(quiet(words.METHOD_PURPOSE["kfac"]))

    def main(text: str, name: str, visible: bool) -> gr.Button:
        return gr.Button(
            text, variant="primary", scale=2, min_width=110, visible=visible, elem_id=name
        )

    with gr.Row(elem_classes="kd-buttons"):
        buttons = {
            "learn": main(words.LEARN, "learn", True),
            "pause": main(words.PAUSE, "pause", False),
            "resume": main(words.RESUME, "resume", False),
            "step": gr.Button(words.STEP, scale=1, min_width=64, elem_id="step"),
            "stop": gr.Button(words.STOP, scale=1, min_width=64, interactive=False, elem_id="stop"),
        }
    copy = gr.Button(words.COPY_LINK, size="sm", variant="secondary", elem_id="copy-link")
    return {"method": purpose, "buttons": buttons, "copy": copy}


def _connect_run(cards: Cards, controls: dict, live, session, right, mark: dict) -> None:
    """A run, and the cards that it fills."""
    heard, ended = run.connect(cards.buttons, controls, live, session)
    for event in heard:
        event.then(**mark)
    for event in ended:
        for step in result.concluding(right, session, controls["edges"]):
            event = event.then(**step)
            event.then(**mark)
    result.connect(right, controls, mark)


def _connect_pictures(cards: Cards, controls: dict, live, session) -> gr.events.Dependency:
    """What follows another choice of pictures; returns its last event."""
    controls["source"].input(**_source_arranging(cards, controls))
    gallery = gr.on(
        [controls["source"].input, controls["count"].release, controls["uploads"].change,
         cards.load.click, controls["dataset_id"].input],
        trigger_mode="always_last", **_showing(cards, controls),
    )  # fmt: skip
    tell_failure(gallery, cards.notice)
    return gallery.then(**_patching(controls, live, session))


def _connect_method(cards: Cards, controls: dict) -> gr.events.Dependency:
    """What another method needs."""
    shown = [cards.method, controls["optimizer"], controls["steps"]]
    return controls["method"].input(method_chosen, controls["method"], shown, **UNQUEUED)


def _connect_kernel(cards: Cards, controls: dict) -> list[gr.events.Dependency]:
    """The ways to choose a kernel; returns the last event of each."""
    kernel, arrange = controls["kernel"], _kernel_arranging(cards, controls)
    grid = [kernel, controls["editor"], cards.problem]
    set_up, seeded = [controls[name] for name in FILTER], [kernel, controls["kernel_seed"]]
    edited = cards.edit.click(named(edit_current, FILTER), set_up, grid, **QUIET)
    used = cards.use.click(use_pasted, [cards.text, cards.divisor], grid, **QUIET)
    for event in (edited, used):
        tell_failure(event, cards.problem)
    drawn = cards.random.click(another_random, seeded, seeded, **QUIET)
    return [kernel.input(**arrange), *(event.then(**arrange) for event in (drawn, edited, used))]


def _connect_filter(
    cards: Cards, controls: dict, live, session, chosen: list
) -> list[gr.events.Dependency]:
    """What follows another filter; returns the last event of each way to it.

    chosen: the events after which the kernel is another one.
    """
    size, editor = controls["size"], controls["editor"]
    changed = [controls["angle"].release, controls["kernel_seed"].input, editor.edit]
    show = {
        "fn": named(show_truth, FILTER),
        "inputs": [session, *(controls[name] for name in FILTER)],
        "outputs": [live, cards.problem],
        **QUIET,
    }
    fitted = size.input(kernel_editor.fitted, [editor, size], editor, **QUIET)
    return [*(event.then(**show) for event in (*chosen, fitted)), gr.on(changed, **show)]


def _follow(opened: gr.State, cards: Cards, controls: dict, live, session, look: dict) -> None:
    """When a link has set the controls, all that depends on them follows."""
    method = {
        "fn": method_shown,
        "inputs": controls["method"],
        "outputs": [cards.method, controls["optimizer"], controls["steps"]],
        **UNQUEUED,
    }
    event = opened.change(**_kernel_arranging(cards, controls))
    for step in (
        _source_arranging(cards, controls), method, _showing(cards, controls),
        _patching(controls, live, session), look,
    ):  # fmt: skip
        event = event.then(**step)


def _source_arranging(cards: Cards, controls: dict) -> dict:
    """The event that gives a source of pictures the inputs it needs."""
    return {
        "fn": source_chosen,
        "inputs": [controls["source"], controls["count"]],
        "outputs": [controls["dataset_id"], controls["uploads"], cards.load, controls["count"]],
        **UNQUEUED,
    }


def _kernel_arranging(cards: Cards, controls: dict) -> dict:
    """The event that gives a kernel the inputs it needs."""
    changed = [controls[name] for name in ("size", "angle", "kernel_seed", "editor")]
    return {
        "fn": kernel_chosen,
        "inputs": [controls["kernel"], controls["size"], controls["editor"]],
        "outputs": [*changed, cards.paste, cards.purpose],
        "preprocess": False,  # the size may be one that the kernel before had
        **UNQUEUED,
    }


def _showing(cards: Cards, controls: dict) -> dict:
    """The event that loads the pictures and shows them."""
    return {
        "fn": named(show_gallery, PICTURES),
        "inputs": [controls[name] for name in PICTURES],
        "outputs": [cards.gallery, cards.notice],
        "concurrency_limit": 8,
        "show_progress": "minimal",
        **PRIVATE,
    }


def _patching(controls: dict, live: gr.HTML, session: gr.State) -> dict:
    """The event that shows a piece of the first picture."""
    return {
        "fn": named(show_patch),
        "inputs": [session, *controls.values()],
        "outputs": [live, session],
        **QUIET,
    }


# ---- What the events do: each function takes values and returns updates


def source_chosen(source: str, count: int) -> tuple:
    """The inputs that this source of pictures needs: dataset, files, Load, how many."""
    number = gr.update(visible=source != "mine")
    if source == "hub":  # never lowered again: what still waits may hold a larger number
        number["maximum"] = settings.most_pictures(source)
    if source == "bundled":
        number["value"] = min(count, settings.most_pictures(source))
    is_hub, is_mine = gr.update(visible=source == "hub"), gr.update(visible=source == "mine")
    return is_hub, is_mine, is_hub, number


def show_gallery(values: Mapping) -> tuple:
    """Card 1's gallery and its notice. A problem leaves the gallery as it is."""
    try:
        choice = settings.choice(values)
        if choice.source == "mine" and not choice.uploads:
            return quiet(words.NO_UPLOAD_YET), ""
        gathered = pictures.gather(choice, beside=True)
    except DemoError as error:
        return gr.skip(), problem(error)
    return pictures.gallery(gathered.photos), quiet(gathered.told)


def show_patch(session: Session, values: Mapping) -> tuple:
    """The stage with a piece of the first picture, unless a run is in view."""
    if session.progress is not None or session.running:
        return gr.skip(), gr.skip()
    try:
        wanted = settings.experiment(values)
        patch = pictures.first_patch(wanted.choice)
    except DemoError:  # told beside its input
        return gr.skip(), gr.skip()
    return stage.idle(wanted.truth, patch), replace(session, patch=patch)


def kernel_chosen(kernel: str, size: int, editor: dict | None) -> tuple:
    """The inputs that this kernel needs, and the line that says what it is for."""
    chosen = CATALOGUE.get(kernel)
    sizes = settings.sizes(kernel)
    if kernel == "own":  # of any odd size, and learned as the grid holds it
        size = len((editor or {}).get("rows") or ()) or size
        sizes = tuple(sorted({*sizes, size}))
    size = settings.nearest(sizes, size)
    return (
        gr.update(choices=settings.size_choices(sizes), value=size, interactive=len(sizes) > 1),
        gr.update(visible=bool(chosen and chosen.takes_angle)),
        gr.update(visible=kernel == "random"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel == "own"),
        quiet(chosen.purpose if chosen else words.KERNEL_PURPOSE[kernel]),
    )


def show_truth(session: Session, values: Mapping) -> tuple:
    """Draw the kernel that is set up now, unless a run is under way: that one stays in view.

    For the kernel of the run that stands it is that run, again.
    """
    if session.running:
        return gr.skip(), ""
    try:
        truth = settings.truth(values)
    except DemoError as error:
        return gr.skip(), problem(error)
    if session.progress is not None and np.array_equal(truth, session.experiment.truth):
        return run.drawn(session), ""
    return stage.idle(truth, session.patch), ""


def another_random(kernel: str, seed: float | None) -> tuple[str, int]:
    """A random kernel; the next one where there is one already. The seed brings it back."""
    return "random", int(seed or 0) + (kernel == "random")


def edit_current(values: Mapping) -> tuple:
    """Put the kernel that is set up now into the grid, to be changed by hand."""
    try:
        truth = settings.truth(values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(truth), ""


def use_pasted(text: str, divisor: float | None) -> tuple:
    """Put a pasted matrix into the grid."""
    try:
        values = kernels.parse(text or "", 1.0 if divisor is None else divisor).values
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(values), ""


def method_shown(method: str) -> tuple:
    """What the method is, its optimizer, and how many steps it may take."""
    steps = gr.update(maximum=settings.most_steps(method), interactive=method != "closed_form")
    return quiet(words.METHOD_PURPOSE[method]), gr.update(visible=method == "exact"), steps


def method_chosen(method: str) -> tuple:
    """The same, with the steps that suit it."""
    *shown, steps = method_shown(method)
    kind = ExactSettings if method == "exact" else TrainSettings
    return *shown, steps | {"value": kind().steps}
