"""The tab "Questions": the pictures on the left, eight questions with their experiments beside."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gradio as gr

from kernel_demo.ui.components import chart, script, worked
from kernel_demo.ui.html import (
    CERTIFICATE,
    block,
    button,
    dropdown,
    each,
    filled,
    in_menu,
    quiet,
    step_title,
    title,
)
from kernel_demo.ui.landing import QUESTION, Found, Place
from kernel_demo.ui.questions import apply, card, limits, models, pixels
from kernel_demo.ui.questions.card import Answer, Followed
from kernel_demo.ui.questions.models import resolved
from kernel_demo.ui.serving.jobs import PRIVATE, UNQUEUED

TAB = "Questions"
INTRODUCTION = "Eight questions, each answered by an experiment on the pictures at hand."
CONTENTS = "The questions"
LEAD = (
    '<p class="kd-lead">{} <a class="kd-link kd-share" href="?{}={}" '
    'title="A link to this question: {}">Copy link</a></p>'
)
# Gradio's <base> makes a bare #place another page than one with settings in its address: followed
# as a link, it would load that page anew.
GO_THERE = """element.addEventListener('click', (event) => {
  const link = event.target.closest('a');
  const place = link && document.querySelector(link.hash);
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  place.scrollIntoView();
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
})"""
ELSEWHERE = "That is of what the tab Learn has learned or is set to, not of the run above."
SHOW_CERTIFICATE = """() => {
  const panel = document.querySelector('#certificate');
  panel.tabIndex = -1;
  panel.focus();
}"""


@dataclass(frozen=True)
class Question:
    """One of the eight, and the experiment that answers it."""

    key: str
    short: str  # for the list of questions
    question: str
    answer: str
    button: str
    experiment: Callable[..., Iterator[Answer]]
    trains: bool = False
    stoppable: bool = False
    choice: tuple[dict, str, str] | None = None  # beside the pictures: words by key, label, id
    script: str | None = None  # of the place of the answer


QUESTIONS = (
    Question(
        "size",
        "Huge or odd sizes",
        "What if the picture is huge, or an odd size?",
        "Cut it into tiles that overlap by the kernel's radius: their sums add up, their "
        "outputs join, and nothing changes. An odd size only makes the last tiles narrower.",
        "Learn and apply it in tiles",
        pixels.tiles,
    ),
    Question(
        "edges",
        "The edges",
        "What happens at the edges?",
        "The filter needs pixels there that the picture does not have. Whatever is made up for "
        "them, learning must leave them out: only pixels whose whole patch is inside count.",
        "Compare five borders",
        pixels.edges,
        script=worked.in_html(),
    ),
    Question(
        "anywhere",
        "Fully convolutional",
        "Is it fully convolutional?",
        "Yes. The layer has weights but no size: what it learned on tiles of 64 × 64 it "
        "applies to a panorama as it is. Odd widths and heights go as any others, for nothing is "
        "halved on the way: k × k weights just take k − 1 pixels off "
        "the width and as many off the height.",
        "Learn on tiles, apply to a panorama",
        pixels.anywhere,
        trains=True,
    ),
    Question(
        "speed",
        "Speed",
        "What makes it fast?",
        "Better steps rather than more of them: batches that keep the device busy, and, where "
        "squared loss is all you want, one pass of exact sums. K-FAC's steps are better because "
        "it divides the gradient by how much of each pattern the pictures contain, so that rare "
        "patterns are learned as fast as common ones.",
        "Measure on this machine",
        models.measure,
        trains=True,
    ),
    Question(
        "small",
        "A small model",
        "What if the model must be small?",
        "It is small: the whole model is k × k weights, at 3 × 3 nine numbers and 36 bytes. A "
        "kernel of whole numbers survives 8-bit integers exactly, and one that is a column "
        "times a row needs 2 k numbers instead of k × k. A larger network can be stored in the "
        "same ways, layer by layer; since layers pass their errors on, what counts there is the "
        "error of its output.",
        "Compress it",
        models.small,
        choice=(models.SMALL_KERNELS, "Kernel", "small-kernel"),
    ),
    Question(
        "complete",
        "When to stop",
        "When is training complete?",
        "When the kernel is within its error bars of the best that the pictures allow, or as near "
        "to it as the numbers that it is made of can come (32 bits hold seven digits). A small "
        "loss, a flat curve or lost patience says so long before. The true kernel need not be "
        "known: the sums over the pictures give the best one and its error bars in closed form, "
        "without training, and the loss in excess of that one's tells how far there is to go.",
        "Watch the usual rules fail",
        models.watch_rules,
        trains=True,
        script=chart.in_html(),
    ),
    Question(
        "depth",
        "Depth",
        "When does depth help?",
        "When the filter is not linear, and only then: no kernel can do it, but layers with a "
        "bend between them can come near. In general, one layer can be any filter that is linear "
        "and the same everywhere, up to its size, and the right kernel is right on every picture. "
        "A network is only known to be good on pictures like those it was tried on. The race takes "
        "up to 40 seconds.",
        "Race one layer against a deep network",
        models.deep,
        trains=True,
        script=chart.in_html(),
        choice=(models.TARGETS, "Filter to learn", "depth-target"),
    ),
    Question(
        "limits",
        "Limits",
        "Any kernel at all? What are the limits?",
        "Any kernel that the pictures show. Here are twelve ways that may break that, two of which "
        "do no harm; how far each goes is estimated by theory before it is tried.",
        "Try all twelve",
        limits.every,
        stoppable=True,
    ),
)


def build(tabs: gr.Tabs) -> tuple[Place, ...]:
    """Lay the tab out and connect it; call inside a gr.Tab named "questions".

    tabs: where question 6 opens the tab "Learn". Returns where links to this tab land.
    """
    answers: list[Followed] = []
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left kd-questions-left"):
            with gr.Column(elem_classes="kd-card"):
                pictures = card.choose_pictures()
            with gr.Column(elem_classes="kd-card kd-questions-list"):
                block(title(CONTENTS))
                block(_contents(), script=GO_THERE)
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            block(in_menu({label: resolved(key) for key, label in apply.CHOICES.items()}))
            block(quiet(INTRODUCTION), script=script("opened"))
            for number, question in enumerate(QUESTIONS, 1):
                with gr.Column(
                    elem_classes="kd-card kd-question", elem_id=f"question-{question.key}"
                ):
                    answers += _answered(number, question, pictures, tabs)
                    if question.key == "limits":
                        more, challenge = limits.build(question.button, pictures)
                        answers += more
            card.follow(answers)
    return challenge, Place(QUESTION, "questions", "a question", str(len(QUESTIONS)), find)


def find(asked: str) -> Found | None:
    """The question that a link names, by its key or its number."""
    for number, question in enumerate(QUESTIONS, 1):
        key = question.key
        if asked in (key, str(number)):
            return Found(f"question-{key}", f"try-{key}", question.question, question.answer)
    return None


def _contents() -> str:
    names = ((question.key, question.short) for question in QUESTIONS)
    return filled(
        '<nav aria-label="{}"><ol class="kd-contents">{}</ol></nav>',
        CONTENTS,
        each('<li><a href="#question-{}">{}</a></li>', names),
    )


def _answered(number: int, question: Question, pictures: list, tabs: gr.Tabs) -> list[Followed]:
    """The question, its answer, its experiment, and what else belongs to it."""
    lead = filled(LEAD, question.answer, QUESTION, question.key, question.short)
    block(step_title(number, question.question) + lead)
    inputs = [*pictures]
    if question.choice:
        words, label, name = question.choice
        choices = [(word, key) for key, word in words.items()]
        with gr.Row(elem_classes="kd-experiment"):
            inputs.append(dropdown(choices, label, name, value=choices[0][1], min_width=240))
    tried = card.experiment(
        f"try-{question.key}", question.button, question.experiment, inputs,
        trains=question.trains, stoppable=question.stoppable, script=question.script,
    )  # fmt: skip
    if question.key == "size":
        return [tried, apply.build()]
    if question.key == "complete":
        _certificate(tabs)
    if question.key == "depth":
        linear = "And the opposite: three linear layers"
        stack = card.experiment(
            "try-stack", linear, models.linear, pictures, trains=True, variant="secondary",
            script=question.script,
        )  # fmt: skip
        return [tried, stack]
    return [tried]


def _certificate(tabs: gr.Tabs) -> None:
    with gr.Row(elem_classes="kd-experiment"):
        certificate = button(f"Open “{CERTIFICATE}”", "open-certificate")
        block(quiet(ELSEWHERE))
    certificate.click(lambda: gr.Tabs(selected="learn"), None, tabs, **UNQUEUED).then(
        None, js=SHOW_CERTIFICATE, **PRIVATE
    )
