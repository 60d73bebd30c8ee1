"""The tab "Questions": the pictures on the left, eight questions with their experiments beside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gradio as gr

from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.html import CERTIFICATE, block, each, filled, quiet, step_title, title
from kernel_demo.ui.jobs import PRIVATE, UNQUEUED
from kernel_demo.ui.questions import apply, card, limits, models, pixels
from kernel_demo.ui.questions.card import Followed, PictureInputs

TAB = "Questions"
INTRODUCTION = "Eight questions, each answered by an experiment on the pictures at hand."
CONTENTS = "The questions"
STALE_WAY = "This was tried on other pictures. Choose another way, or press “{button}”."
SHOW_CERTIFICATE = """() => {
  const panel = document.querySelector('#certificate');
  panel.tabIndex = -1;
  panel.focus();
}"""


@dataclass(frozen=True)
class Question:
    """One of the eight."""

    key: str
    short: str  # for the list of questions
    question: str
    answer: str
    button: str


QUESTIONS = {
    question.key: question
    for question in (
        Question(
            "size",
            "Huge or odd sizes",
            "What if the picture is huge, or an odd size?",
            "Cut it into tiles that overlap by the kernel's radius: their sums add up, their "
            "outputs join, and nothing changes.",
            "Learn and apply it in tiles",
        ),
        Question(
            "edges",
            "The edges",
            "What happens at the edges?",
            "The filter needs pixels there that the picture does not have. Whatever is made up for "
            "them, learning must leave them out: only pixels whose whole patch is inside count.",
            "Compare five borders",
        ),
        Question(
            "anywhere",
            "Fully convolutional",
            "Is it fully convolutional?",
            "Yes. The layer has weights but no size: what it learned on tiles of 64 × 64 it "
            "applies to a panorama as it is.",
            "Learn on tiles, apply to a panorama",
        ),
        Question(
            "speed",
            "Speed",
            "What makes it fast?",
            "Better steps rather than more of them: batches that keep the device busy, and, where "
            "squared loss is all you want, one pass of exact sums.",
            "Measure on this machine",
        ),
        Question(
            "small",
            "A small model",
            "What if the model must be small?",
            "A kernel of whole numbers survives 8-bit integers exactly, and one that is a column "
            "times a row needs 2 k numbers instead of k × k.",
            "Compress it",
        ),
        Question(
            "complete",
            "When to stop",
            "When is training complete?",
            "When the kernel is within its error bars of the best that the pictures allow. A small "
            "loss, a flat curve or lost patience says so long before.",
            "Watch the usual rules fail",
        ),
        Question(
            "depth",
            "Depth",
            "When does depth help?",
            "When the filter is not linear, and only then: no kernel can do it, but layers with a "
            "bend between them can.",
            "Race one layer against a deep network",
        ),
        Question(
            "limits",
            "Limits",
            "Any kernel at all? What are the limits?",
            "Any kernel that the pictures show. Here are twelve ways to break that, each foretold "
            "by theory before it is tried.",
            "Try all twelve",
        ),
    )
}


def build(tabs: gr.Tabs) -> None:
    """Lay the tab out and connect it; call inside a gr.Tab named "questions".

    tabs: where a link to a challenge opens this tab, and question 6 the tab "Learn".
    """
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left kd-questions-left"):
            with gr.Column(elem_classes="kd-card"):
                pictures = card.choose_pictures()
            with gr.Column(elem_classes="kd-card kd-questions-list"):
                block(title(CONTENTS))
                block(_contents())
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            block(quiet(INTRODUCTION))
            _questions(pictures, tabs)


def _questions(pictures: PictureInputs, tabs: gr.Tabs) -> None:
    answers: list[Followed] = []

    def ask(name: str, text: str, function: Callable, *choices, trains=False, primary=True) -> None:
        """A button and its answer, from pictures and choices; what trains can be stopped."""
        laid = card.build(name, text, stoppable=trains, primary=primary)
        inputs = [*pictures.components, *choices]
        answers.append(card.connect(laid, function, inputs, trains=trains))

    with _card("size") as question:
        ask("try-size", question.button, pixels.tiles)
        answers.append(apply.build())
    with _card("edges") as question:
        ask("try-edges", question.button, pixels.edges)
    with _card("anywhere") as question:
        ask("try-anywhere", question.button, pixels.anywhere, trains=True)
    with _card("speed") as question:
        ask("try-speed", question.button, models.measure, trains=True)
    with _card("small") as question:
        kernels = [(label, key) for key, label in models.SMALL_KERNELS.items()]
        kernel = _choice(kernels, "Kernel", "small-kernel")
        ask("try-small", question.button, models.small, kernel)
    with _card("complete") as question:
        ask("try-complete", question.button, models.watch_rules, trains=True)
        _certificate(tabs)
    with _card("depth") as question:
        target = _choice(models.targets(), "Filter to learn", "depth-target")
        ask("try-depth", question.button, models.deep, target, trains=True)
        linear = "And the opposite: three linear layers"
        ask("try-stack", linear, models.linear, trains=True, primary=False)
    with _card("limits") as question:
        answers += _limits(question, pictures, tabs)
    card.follow(answers)


def _contents() -> str:
    names = ((question.key, question.short) for question in QUESTIONS.values())
    return filled(
        '<nav aria-label="{}"><ol class="kd-contents">{}</ol></nav>',
        CONTENTS,
        each('<li><a href="#question-{}">{}</a></li>', names),
    )


@contextmanager
def _card(key: str) -> Iterator[Question]:
    """A card with its question and answer; what is laid out inside follows them."""
    question = QUESTIONS[key]
    number = list(QUESTIONS).index(key) + 1
    with gr.Column(elem_classes="kd-card kd-question", elem_id=f"question-{key}"):
        lead = filled('<p class="kd-lead">{}</p>', question.answer)
        block(step_title(number, question.question) + lead)
        yield question


def _certificate(tabs: gr.Tabs) -> None:
    with gr.Row(elem_classes="kd-experiment"):
        certificate = gr.Button(
            f"Open “{CERTIFICATE}”", elem_id="open-certificate", scale=0, min_width=60
        )
    certificate.click(lambda: gr.Tabs(selected="learn"), None, tabs, **UNQUEUED).then(
        None, js=SHOW_CERTIFICATE, **PRIVATE
    )


def _limits(question: Question, pictures: PictureInputs, tabs: gr.Tabs) -> list[Followed]:
    laid = card.build("try-limits", question.button, stoppable=True)
    every = card.connect(laid, limits.every, pictures.components)
    way = gr.Radio(
        limits.choices(), label="or one of them", elem_id="limits-way", elem_classes="kd-chips"
    )
    stale = STALE_WAY.format(button=question.button)
    fresh = Freshness("limits-one-stale", ["limits-one"], [], stale)
    place = block("", "limits-one", spoken=True)
    one = card.connect_choice(way, place, fresh, limits.one, [*pictures.components, way])
    size, number = limits.build(pictures)
    # With no trigger, gr.on() runs when the page is opened.
    gr.on(None, limits.from_link, None, [size, number, tabs], **UNQUEUED)
    return [every, one]


def _choice(choices: list[tuple[str, str]], label: str, name: str) -> gr.Dropdown:
    with gr.Row(elem_classes="kd-experiment"):
        return gr.Dropdown(
            choices, value=choices[0][1], label=label, elem_classes="kd-field", elem_id=name,
            min_width=240,
        )  # fmt: skip
