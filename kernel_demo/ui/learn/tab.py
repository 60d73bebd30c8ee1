"""The tab "Learn": pictures, filter and method on the left; what happens on the right."""

from collections.abc import Callable, Mapping

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import pictures
from kernel_demo.ui.components import kernel_editor, stage
from kernel_demo.ui.components.freshness import Freshness, Made, follow
from kernel_demo.ui.html import block, problem, quiet, square, step_title
from kernel_demo.ui.jobs import PRIVATE, QUIET, UNQUEUED, tell_failure
from kernel_demo.ui.learn import link, race, result, run, settings, showing
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import ARRANGING, NAMES, named, place

SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept
# The settings that one event reads: a control out of bounds elsewhere does not stand in its way.
PICTURES = ("source", "count", "dataset_id", "split", "column", "uploads", "channel")
FILTER = ("kernel", "size", "angle", "kernel_seed", "editor")

TAB = "Learn"
NO_UPLOAD_YET = (
    "Choose one or more pictures. They go to this server only, no other visitor sees them, and "
    "they are deleted after about an hour."
)
KERNEL_PURPOSE = {
    "random": "Random weights: nothing to guess, only to learn. The seed brings them back.",
    "own": "Type the weights, or paste a matrix below. Every odd size from 3 to 31 works.",
}
PASTE_PLACEHOLDER = "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]\nor rows of numbers, or NumPy's output"
METHOD_PURPOSE = {
    "kfac": "Natural gradient: each step is corrected for how alike neighbouring pixels are.",
    "adam": "What most people would use. Its loss is soon small; watch the kernel error.",
    "sgd": "Plain gradients with momentum: quick on the smooth, very slow on the fine.",
    "exact": "One pass over the pictures; full-batch steps then need only its sums.",
    "closed_form": "One pass over the pictures, one solve: the best kernel they allow.",
}
STALE = (
    "What is greyed out here was learned with other settings than those of the page now. "
    "Learn anew, or set them back."
)


class Tab:
    """The components of the tab; made inside a gr.Tab of the page, it is laid out and connected."""

    def __init__(self, page: gr.Blocks) -> None:
        start = settings.experiment(settings.START)
        notice, bar = block("", "link-notice"), link.address()
        self.controls: dict = {}  # by the names of their settings
        with gr.Row(elem_classes="kd-columns", equal_height=False):
            with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
                for card in (self._picture_card, self._filter_card, self._learn_card):
                    with gr.Column(elem_classes="kd-card"):
                        card()
            self.controls = dict(zip(NAMES, self._of(*NAMES), strict=True))  # in their order
            with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
                self.session = gr.State(Session(), time_to_live=SESSION_SECONDS)
                self.hidden = gr.State(None, time_to_live=SESSION_SECONDS)  # `Session.place`
                self.live = stage.component("live", showing.idle(settings.START))
                fresh = Freshness(
                    "learn-stale", ["live", "result-card", "certificate"], ["take"], STALE
                )
                self.result = result.Cards(start, SESSION_SECONDS)
                raced, race_heard = race.build(self.controls, SESSION_SECONDS)
        made = [self.session, self.hidden, self.result.shown, self.result.told]
        learned = Made(fresh, made, [*self.controls.values()], named(result.stale))
        self.mark = follow([learned, raced], self._of(*ARRANGING))
        race_heard.then(**self.mark)
        look = self.result.looking(self.controls)
        self._connect_run()
        self._connect_settings(look)
        self._follow(link.connect(page, self.controls, self.copy, bar, notice), look)

    def _of(self, *names: str) -> list:
        """The controls of these settings."""
        return [self.controls[name] for name in names]

    def _picture_card(self) -> None:
        block(step_title(1, "Pictures"))
        place(self.controls, "source", "dataset_id", "uploads", "count")
        with gr.Accordion("Grey, split, column", open=False, elem_classes="kd-fold"):
            place(self.controls, "channel")
            with gr.Row():
                place(self.controls, "split", "column")
        self.load = gr.Button("Load", visible=False, size="sm", elem_id="load")
        photos = pictures.gather(pictures.PictureChoice()).photos
        self.gallery = block(pictures.gallery(photos), "gallery")
        self.notice = block("", "notice")

    def _filter_card(self) -> None:
        block(step_title(2, "Filter"))
        place(self.controls, "kernel", "size", "edges", "angle", "kernel_seed", "editor")
        with gr.Row(elem_classes="kd-buttons"):
            self.random = gr.Button("Random", size="sm", elem_id="random")
            self.edit = gr.Button("Edit…", size="sm", elem_id="edit")
        with gr.Accordion(
            "Noise and rounding", open=False, elem_classes="kd-fold", elem_id="damage"
        ):
            place(self.controls, "noise", "eight_bit")
        with gr.Accordion("Paste a matrix", visible=False, elem_classes="kd-fold") as self.paste:
            self.text = gr.Textbox(
                show_label=False, placeholder=PASTE_PLACEHOLDER, lines=3, max_lines=12,
                max_length=20_000, elem_id="paste",
            )  # fmt: skip
            self.divisor = gr.Number(1, label="Divide by", elem_classes="kd-field")
            self.use = gr.Button("Use this matrix", size="sm", elem_id="use-matrix")
        self.problem = block("", "filter-problem")
        self.purpose = block(quiet(CATALOGUE[settings.START_KERNEL].purpose), "purpose")

    def _learn_card(self) -> None:
        block(step_title(3, "Learn"))
        place(self.controls, "method", "optimizer")
        with gr.Accordion(
            "Rate, batch, tiles, precision, seed", open=False, elem_classes="kd-fold",
            elem_id="details",
        ):  # fmt: skip
            place(self.controls, "steps", "learning_rate", "batch", "tile", "accumulation",
                  "init", "seed", "patience", "mixed_precision")  # fmt: skip
        self.method = block(quiet(METHOD_PURPOSE["kfac"]))
        self.copy = gr.Button("Copy link", size="sm", variant="secondary", elem_id="copy-link")

    def _connect_run(self) -> None:
        """A run, and the cards that it fills."""
        heard, ended = run.connect(self.live, self.controls, self.session, self.result.shown)
        for event in heard:
            event.then(**self.mark)
        for event in ended:
            for step in self.result.concluding(self.session, self.controls["edges"]):
                event = event.then(**step)
                event.then(**self.mark)
        self.result.connect(self.controls["edges"], self.mark)

    def _connect_settings(self, look: dict) -> None:
        """What follows another setting. look: the event that tells what its pictures can tell."""
        chosen = self.controls["method"].input(**self._method(method_chosen))
        kernels_chosen = self._connect_kernel()
        for event in (chosen, *kernels_chosen):
            event.then(**self.mark)
        for event in (self._connect_pictures(), *self._connect_filter(kernels_chosen)):
            event.then(**look).then(**self.mark)
        channel, noise, eight_bit = self._of("channel", "noise", "eight_bit")
        gr.on([channel.input, noise.release, eight_bit.input], **look).then(**self.mark)

    def _connect_kernel(self) -> list[gr.events.Dependency]:
        """The ways to choose a kernel; returns the last event of each."""
        kernel, seed, editor = self._of("kernel", "kernel_seed", "editor")
        grid, arrange = [kernel, editor, self.problem], self._kernel_arranging()
        edited = self.edit.click(named(edit_current, FILTER), self._of(*FILTER), grid, **QUIET)
        used = self.use.click(use_pasted, [self.text, self.divisor], grid, **QUIET)
        for event in (edited, used):
            tell_failure(event, self.problem)
        drawn = self.random.click(another_random, [kernel, seed], [kernel, seed], **QUIET)
        return [
            kernel.input(**arrange),
            *(event.then(**arrange) for event in (drawn, edited, used)),
        ]

    def _connect_pictures(self) -> gr.events.Dependency:
        """What follows another choice of pictures; returns its last event."""
        source, count, uploads, dataset = self._of("source", "count", "uploads", "dataset_id")
        source.input(**self._source_arranging())
        gallery = gr.on(
            [source.input, count.release, uploads.change, self.load.click, dataset.input],
            trigger_mode="always_last", **self._showing(),
        )  # fmt: skip
        tell_failure(gallery, self.notice)
        return gallery.then(**self._patching())

    def _connect_filter(self, chosen: list) -> list[gr.events.Dependency]:
        """What follows another filter; returns the last event of each way to it.

        chosen: the events after which the kernel is another one.
        """
        size, angle, seed, editor = self._of("size", "angle", "kernel_seed", "editor")
        show = {
            "fn": named(show_truth),
            "inputs": [self.session, *self.controls.values()],
            "outputs": [self.live, self.hidden, self.problem],
            **QUIET,
        }
        fitted = size.input(kernel_editor.fitted, [editor, size], editor, **QUIET)
        changes = [angle.release, seed.input, editor.edit]
        return [*(event.then(**show) for event in (*chosen, fitted)), gr.on(changes, **show)]

    def _follow(self, opened: gr.State, look: dict) -> None:
        """When a link has set the controls, all that depends on them follows."""
        event = opened.change(**self._kernel_arranging())
        for step in (self._source_arranging(), self._method(method_shown), self._showing(),
                     self._patching(), look):  # fmt: skip
            event = event.then(**step)

    def _source_arranging(self) -> dict:
        """The event that gives a source of pictures the inputs it needs."""
        source, dataset, uploads, count = self._of("source", "dataset_id", "uploads", "count")
        return {
            "fn": source_chosen,
            "inputs": [source, count],
            "outputs": [dataset, uploads, self.load, count],
            **UNQUEUED,
        }

    def _kernel_arranging(self) -> dict:
        """The event that gives a kernel the inputs it needs."""
        return {
            "fn": kernel_chosen,
            "inputs": self._of("kernel", "size", "editor"),
            "outputs": [*self._of("size", "angle", "kernel_seed", "editor"), self.paste,
                        self.purpose],
            "preprocess": False,  # the size may be one that the kernel before had
            **UNQUEUED,
        }  # fmt: skip

    def _method(self, function: Callable) -> dict:
        """The event that gives a method what it needs."""
        method, *shown = self._of("method", "optimizer", "steps")
        return {"fn": function, "inputs": method, "outputs": [self.method, *shown], **UNQUEUED}

    def _showing(self) -> dict:
        """The event that loads the pictures and shows them."""
        return {
            "fn": named(show_gallery, PICTURES),
            "inputs": self._of(*PICTURES),
            "outputs": [self.gallery, self.notice],
            "concurrency_limit": 8,
            "show_progress": "minimal",
            **PRIVATE,
        }

    def _patching(self) -> dict:
        """The event that shows a piece of the first picture."""
        return {
            "fn": named(show_patch),
            "inputs": [self.session, *self.controls.values()],
            "outputs": [self.live, self.session],
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
            return quiet(NO_UPLOAD_YET), ""
        gathered = pictures.gather(choice, beside=True)
    except DemoError as error:
        return gr.skip(), problem(error)
    return pictures.gallery(gathered.photos), quiet(gathered.told)


def show_patch(session: Session, values: Mapping) -> tuple:
    """The stage with a piece of the first picture, unless a run is in view."""
    if session.progress is not None or session.running:
        return gr.skip(), gr.skip()
    try:
        return showing.idle(values), gr.skip()
    except DemoError:  # told beside its input
        return gr.skip(), gr.skip()


def kernel_chosen(kernel: str, size: int, editor: dict | None) -> tuple:
    """The inputs that this kernel needs, and the line that says what it is for."""
    chosen = CATALOGUE.get(kernel)
    sizes = settings.sizes(kernel)
    if kernel == "own":  # of any odd size, and learned as the grid holds it
        size = len((editor or {}).get("rows") or ()) or size
        sizes = tuple(sorted({*sizes, size}))
    size = settings.nearest(sizes, size)
    return (
        gr.update(choices=square(sizes), value=size, interactive=len(sizes) > 1),
        gr.update(visible=bool(chosen and chosen.takes_angle)),
        gr.update(visible=kernel == "random"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel == "own"),
        quiet(chosen.purpose if chosen else KERNEL_PURPOSE[kernel]),
    )


def show_truth(session: Session, values: Mapping) -> tuple:
    """Draw the kernel that is set up now, unless a run is under way: that one stays in view.

    For the kernel of the run that stands it is that run, again; for another one it is hidden.
    """
    if session.running:
        return gr.skip(), gr.skip(), ""
    try:
        truth = settings.truth(values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    if session.progress is not None and np.array_equal(truth, session.experiment.truth):
        return showing.frame(session), None, ""
    try:
        return showing.idle(values), session.place, ""
    except DemoError:  # told beside its input
        return gr.skip(), gr.skip(), ""


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
    return quiet(METHOD_PURPOSE[method]), gr.update(visible=method == "exact"), steps


def method_chosen(method: str) -> tuple:
    """The same, with the steps that suit it."""
    *shown, steps = method_shown(method)
    kind = ExactSettings if method == "exact" else TrainSettings
    return *shown, steps | {"value": kind().steps}
