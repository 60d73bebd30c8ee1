"""The tab "Learn": pictures, filter and method on the left; what happens on the right."""

import gradio as gr

from kernel_demo.imaging import kernels
from kernel_demo.ui import pictures
from kernel_demo.ui.components import comparison as result_view
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.components import take as take_card
from kernel_demo.ui.html import block, quiet, step_title, title
from kernel_demo.ui.jobs import QUIET
from kernel_demo.ui.learn import certificate as certificate_card
from kernel_demo.ui.learn import filter_events, link_events, picture_events, run_events
from kernel_demo.ui.learn import form as experiment_form
from kernel_demo.ui.learn import race as race_card
from kernel_demo.ui.learn import result as learn_result
from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn import take as learn_take
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import FilterCard, LearnCard, PictureCard, Stage
from kernel_demo.ui.learn.session import Experiment, PictureChoice, Session

SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept


def build(page: gr.Blocks) -> None:
    """Lay the tab out and connect its events; call inside a gr.Tab of the page."""
    truth = kernels.named(learn_controls.START_KERNEL)
    notice, bar = block("", "link-notice"), link_events.address()
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
            with gr.Column(elem_classes="kd-card"):
                picture_card = _picture_card()
            with gr.Column(elem_classes="kd-card"):
                filter_card = _filter_card(truth)
            with gr.Column(elem_classes="kd-card"):
                learn_card = _learn_card()
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            stage = _stage(learn_controls.start())
            take = take_card.component("take")
            race = race_card.build()
    _connect(picture_card, filter_card, learn_card, stage, take)
    values = experiment_form.inputs(picture_card, filter_card, learn_card)
    race_card.connect(race, values, filter_card.controls.size)
    opened = link_events.connect(page, values, filter_card.edges, learn_card.copy, bar, notice)
    _follow(opened, values, picture_card, filter_card, learn_card, stage)


def _connect(
    picture_card: PictureCard,
    filter_card: FilterCard,
    learn_card: LearnCard,
    stage: Stage,
    take: gr.HTML,
) -> None:
    values = experiment_form.inputs(picture_card, filter_card, learn_card)
    changed = [
        *picture_events.connect(picture_card, values, stage),
        *filter_events.connect(filter_card, stage),
    ]
    for event in changed:
        event.then(certificate_card.look, values, stage.certificate, **QUIET)
    for ended in run_events.connect(learn_card, values, stage):
        ended.then(
            learn_result.show, [stage.session, filter_card.edges, stage.own_path],
            learn_result.outputs(stage), **QUIET,
        ).then(certificate_card.conclude, stage.session, stage.certificate, **QUIET).then(
            learn_take.learned, [stage.session, filter_card.edges], take, **QUIET
        )  # fmt: skip
    learn_result.connect(filter_card.edges, stage)
    filter_card.edges.input(learn_take.learned, [stage.session, filter_card.edges], take, **QUIET)


def _follow(
    opened: gr.State,
    values: list,
    picture_card: PictureCard,
    filter_card: FilterCard,
    learn_card: LearnCard,
    stage: Stage,
) -> None:
    """When a link has set the inputs, all that depends on them follows."""
    chain = opened.change(
        **filter_events.choosing(filter_card),
    )
    for step in (
        picture_events.arranging(picture_card),
        run_events.arranging(learn_card),
        picture_events.showing(picture_card),
        {
            "fn": picture_events.show_patch, "inputs": [stage.session, *values],
            "outputs": [stage.live, stage.session], **QUIET,
        },
        {
            "fn": certificate_card.look, "inputs": values, "outputs": stage.certificate, **QUIET,
        },
    ):  # fmt: skip
        chain = chain.then(**step)


def _picture_card() -> PictureCard:
    block(step_title(1, wording.PICTURES))
    controls = learn_controls.picture_controls()
    load = gr.Button(wording.LOAD, visible=False, size="sm", elem_id="load")
    photos = pictures.gather(PictureChoice()).photos
    gallery = block(pictures.gallery(photos), "gallery")
    notice = block("", "notice")
    return PictureCard(controls, load, gallery, notice)


def _filter_card(truth: kernels.Kernel) -> FilterCard:
    block(step_title(2, wording.FILTER))
    controls, edges = learn_controls.filter_controls(truth.values)
    with gr.Row(elem_classes="kd-buttons"):
        random = gr.Button(wording.RANDOM, size="sm", elem_id="random")
        edit = gr.Button(wording.EDIT, size="sm", elem_id="edit")
    damage = learn_controls.damage_controls()
    with gr.Accordion(wording.PASTE, visible=False, elem_classes="kd-fold") as paste:
        text = gr.Textbox(
            show_label=False, placeholder=wording.PASTE_PLACEHOLDER, lines=3, max_lines=12,
            max_length=20_000, elem_id="paste",
        )  # fmt: skip
        divisor = gr.Number(1, label=wording.DIVISOR, elem_classes="kd-field")
        use = gr.Button(wording.USE_MATRIX, size="sm", elem_id="use-matrix")
    problem = block("", "filter-problem")
    purpose = block(quiet(truth.purpose), "purpose")
    return FilterCard(
        controls, damage, edges, random, edit, paste, text, divisor, use, problem, purpose
    )


def _learn_card() -> LearnCard:
    block(step_title(3, wording.LEARN))
    controls = learn_controls.training_controls()
    purpose = block(quiet(wording.METHOD_PURPOSE["kfac"]))

    def main(text: str, name: str, visible: bool) -> gr.Button:
        return gr.Button(
            text, variant="primary", scale=2, min_width=110, visible=visible, elem_id=name
        )

    with gr.Row(elem_classes="kd-buttons"):
        learn = main(wording.LEARN, "learn", True)
        pause = main(wording.PAUSE, "pause", False)
        resume = main(wording.RESUME, "resume", False)
        step = gr.Button(wording.STEP, scale=1, min_width=64, elem_id="step")
        stop = gr.Button(wording.STOP, scale=1, min_width=64, interactive=False, elem_id="stop")
    copy = gr.Button(wording.COPY_LINK, size="sm", variant="secondary", elem_id="copy-link")
    return LearnCard(controls, purpose, learn, pause, resume, step, stop, copy)


def _stage(start: Experiment) -> Stage:
    patch = pictures.first_patch(start.choice)
    session = gr.State(Session(patch=patch), time_to_live=SESSION_SECONDS)
    own_path = gr.State(None, time_to_live=SESSION_SECONDS)
    live = live_view.component(elem_id="live")
    live.value = live_view.idle(start.truth, patch)
    with gr.Column(elem_classes="kd-card", elem_id="result-card"):
        block(title(wording.RESULT))
        with gr.Row(elem_classes="kd-buttons"):
            picture = gr.Dropdown(
                [], label=wording.PICTURE, scale=3, visible=False, elem_classes="kd-field",
                elem_id="picture",
            )  # fmt: skip
            try_own = gr.UploadButton(
                wording.TRY_OWN, file_types=["image"], type="filepath", size="sm", scale=2,
                visible=False, elem_id="try-own",
            )  # fmt: skip
        empty = block(quiet(wording.RESULT_EMPTY), "result-empty")
        result = result_view.component(elem_id="result")
    certificate = certificate_card.build(start)
    return Stage(session, live, picture, try_own, own_path, empty, result, certificate)
