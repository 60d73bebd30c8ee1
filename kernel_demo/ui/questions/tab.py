"""The tab "Questions": the pictures on the left, eight questions with their experiments beside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr

from kernel_demo.ui.html import block, quiet, title
from kernel_demo.ui.jobs import PRIVATE, QUIET
from kernel_demo.ui.questions import apply as question_apply
from kernel_demo.ui.questions import card as question_card
from kernel_demo.ui.questions import challenge as question_challenge
from kernel_demo.ui.questions import complete as question_complete
from kernel_demo.ui.questions import depth as question_depth
from kernel_demo.ui.questions import edges as question_edges
from kernel_demo.ui.questions import limit_words as limits_wording
from kernel_demo.ui.questions import limits as question_limits
from kernel_demo.ui.questions import models as models_wording
from kernel_demo.ui.questions import pictures as question_pictures
from kernel_demo.ui.questions import pixels as question_size
from kernel_demo.ui.questions import small as question_small
from kernel_demo.ui.questions import speed as question_speed
from kernel_demo.ui.questions import words as wording
from kernel_demo.ui.questions.pictures import PictureInputs
from kernel_demo.ui.questions.words import QUESTIONS, Question

SHOW_CERTIFICATE = """() => {
  const panel = document.querySelector('#certificate');
  panel.tabIndex = -1;
  panel.focus();
}"""


def build(tabs: gr.Tabs) -> None:
    """Lay the tab out and connect it; call inside a gr.Tab named "questions".

    tabs: where a link to a challenge opens this tab, and question 6 the tab "Learn".
    """
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left kd-questions-left"):
            with gr.Column(elem_classes="kd-card"):
                pictures = question_pictures.build()
            with gr.Column(elem_classes="kd-card kd-questions-list"):
                block(title(wording.CONTENTS))
                block(_contents())
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            block(quiet(wording.INTRODUCTION))
            _sizes(pictures)
            _plain("edges", question_edges.edges, pictures)
            _plain("anywhere", question_size.anywhere, pictures, trains=True)
            _plain("speed", question_speed.measure, pictures, trains=True)
            _small(pictures)
            _complete(pictures, tabs)
            _depth(pictures)
            _limits(pictures, tabs)


def _contents() -> str:
    links = "".join(
        f'<li><a href="#question-{question.key}">{escape(question.short)}</a></li>'
        for question in QUESTIONS.values()
    )
    return (
        f'<nav aria-label="{escape(wording.CONTENTS)}"><ol class="kd-contents">{links}</ol></nav>'
    )


@contextmanager
def _card(key: str) -> Iterator[Question]:
    """A card with its question and answer; what is laid out inside follows them."""
    question = QUESTIONS[key]
    number = list(QUESTIONS).index(key) + 1
    with gr.Column(elem_classes="kd-card kd-question", elem_id=f"question-{key}"):
        block(
            f'<h2 class="kd-step"><b>{number}</b>{escape(question.question)}</h2>'
            f'<p class="kd-lead">{escape(question.answer)}</p>'
        )
        yield question


def _on_pictures(source, uploads, *rest) -> tuple:
    return question_pictures.grey(source, uploads), *rest


def _plain(key: str, function: Callable, pictures: PictureInputs, trains: bool = False) -> None:
    """A card with one button."""
    with _card(key) as question:
        experiment = question_card.build(f"try-{key}", question.button, stoppable=trains)
    question_card.connect(
        experiment, function, pictures.components, reads=_on_pictures, trains=trains
    )


def _sizes(pictures: PictureInputs) -> None:
    with _card("size") as question:
        experiment = question_card.build("try-size", question.button)
        question_apply.build()
    question_card.connect(experiment, question_size.tiles, pictures.components, reads=_on_pictures)


def _small(pictures: PictureInputs) -> None:
    choices = [(label, key) for key, label in models_wording.SMALL_KERNELS.items()]
    with _card("small") as question:
        kernel = _choice(choices, models_wording.KERNEL, "small-kernel")
        experiment = question_card.build("try-small", question.button)
    inputs = [*pictures.components, kernel]
    question_card.connect(experiment, question_small.small, inputs, reads=_on_pictures)


def _complete(pictures: PictureInputs, tabs: gr.Tabs) -> None:
    with _card("complete") as question:
        rules = question_card.build("try-complete", question.button, stoppable=True)
        with gr.Row(elem_classes="kd-experiment"):
            certificate = gr.Button(
                models_wording.OPEN_CERTIFICATE, elem_id="open-certificate", scale=0, min_width=60
            )
    question_card.connect(
        rules, question_complete.watch_rules, pictures.components, reads=_on_pictures, trains=True
    )
    certificate.click(
        lambda: gr.Tabs(selected="learn"), None, tabs, queue=False, **QUIET
    ).then(None, js=SHOW_CERTIFICATE, **PRIVATE)  # fmt: skip


def _depth(pictures: PictureInputs) -> None:
    with _card("depth") as question:
        target = _choice(question_depth.targets(), models_wording.TARGET, "depth-target")
        deep = question_card.build("try-depth", question.button, stoppable=True)
        linear = question_card.build(
            "try-stack", models_wording.STACK, stoppable=True, primary=False
        )
    question_card.connect(
        deep, question_depth.deep, [*pictures.components, target], reads=_on_pictures, trains=True
    )
    question_card.connect(
        linear, question_depth.linear, pictures.components, reads=_on_pictures, trains=True
    )


def _limits(pictures: PictureInputs, tabs: gr.Tabs) -> None:
    with _card("limits") as question:
        every = question_card.build("try-limits", question.button, stoppable=True)
        way = gr.Radio(
            question_limits.choices(), label=limits_wording.CHOOSE, elem_id="limits-way",
            elem_classes="kd-chips",
        )  # fmt: skip
        one = block("", "limits-one", spoken=True)
        size, number = question_challenge.build(pictures)
    question_card.connect(every, question_limits.every, pictures.components, reads=_on_pictures)
    question_card.connect_choice(
        way, one, question_limits.one, [*pictures.components, way], reads=_on_pictures
    )
    # With no trigger, gr.on() runs when the page is opened.
    gr.on(None, question_challenge.from_link, None, [size, number, tabs], queue=False, **QUIET)


def _choice(choices: list[tuple[str, str]], label: str, name: str) -> gr.Dropdown:
    with gr.Row(elem_classes="kd-experiment"):
        return gr.Dropdown(
            choices, value=choices[0][1], label=label, elem_classes="kd-field", elem_id=name,
            min_width=240,
        )  # fmt: skip
