"""What the experiments of the tab "Questions" share: the pictures, and the card of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui import pictures
from kernel_demo.ui.components import capture, freshness
from kernel_demo.ui.components.freshness import Freshness, Made
from kernel_demo.ui.html import (
    alert,
    block,
    button,
    each,
    problem,
    quiet,
    segmented,
    title,
    upload_field,
)
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.questions import markup
from kernel_demo.ui.serving.jobs import (
    DEVICE,
    PRIVATE,
    SUMS,
    UNQUEUED,
    Job,
    buttons,
    failure,
    tell_failure,
    throttled,
)

FRAME_SECONDS = 0.5  # each update costs the browser a tenth of a second, whatever it says
MAX_PICTURES = 8
MAX_SIDE = 1024  # of what is used of a picture: the experiments answer within seconds
MIN_SIDE = 72  # a 64 x 64 tile and the halo of a 9 x 9 kernel

SOURCES = [("Bundled", "bundled"), ("Mine", "mine")]
NO_UPLOAD_YET = "Choose one or more pictures; every experiment then uses them."
STOPPED = "Stopped by you."
STALE = "This was made from other pictures or choices. Press “{button}” to ask again."
TRUE, LEARNED = "true", "learned"
KEPT = gr.skip(), gr.skip()  # an answer, and what it was made from
# The browser folds what comes into the page open beside an open one of its group: an answer that is
# asked for has room once the others are folded. What was pressed stays where it is.
FOLD_OTHERS = """() => {
  const [pressed, own] = ['%s', '%s'].map((id) => document.getElementById(id));
  const { top } = pressed.getBoundingClientRect();
  for (const fold of document.querySelectorAll('.kd-answer-fold')) fold.open = own.contains(fold);
  scrollBy(0, pressed.getBoundingClientRect().top - top);
}"""


def choose_pictures() -> list:
    """Lay out the card of the pictures, one choice for all experiments, and connect it.

    Returns the inputs: the source, and the visitor's files.
    """
    block(title("Pictures"))
    source = segmented(SOURCES, "Source", "question-source")
    files = upload_field("Your pictures", "question-uploads", visible=False, height=120)
    capture.component(
        "question-capture", ("question-uploads",), several=True,
        opens=("#question-source input[value=mine]",),
    )  # fmt: skip
    photos = pictures.gather(PictureChoice(count=MAX_PICTURES)).photos
    gallery = block(pictures.gallery(photos), "question-gallery")
    source.input(lambda chosen: gr.update(visible=chosen == "mine"), source, files, **UNQUEUED)
    shown = gr.on(
        [source.input, files.change], show_pictures, [source, files], gallery,
        trigger_mode="always_last", concurrency_limit=2, show_progress="minimal", **PRIVATE,
    )  # fmt: skip
    tell_failure(shown, gallery)
    return [source, files]


def show_pictures(source: str, uploads: Sequence[str] | None) -> str:
    """The gallery of the chosen pictures, or what is wrong with them (HTML)."""
    if source == "mine" and not uploads:
        return quiet(NO_UPLOAD_YET)
    try:
        gathered = pictures.gather(_choice(source, uploads), beside=True)
    except DemoError as error:
        return problem(error)
    large = any(max(photo.pixels.shape[:2]) > MAX_SIDE for photo in gathered.photos)
    middle = f"Of a picture larger than {MAX_SIDE} × {MAX_SIDE}, the middle is used."
    gallery = pictures.gallery(gathered.photos[:MAX_PICTURES])
    return gallery + quiet(gathered.told) + quiet(middle if large else "")


def grey(source: str, uploads: Sequence[str] | None, *rest) -> tuple:
    """(the chosen pictures, H x W float32, 0..1: of a larger one its middle; then the rest).

    DemoError: no picture, or none large enough for the experiments.
    """
    photos = pictures.gather(_choice(source, uploads)).photos[:MAX_PICTURES]
    whole = pictures.grey(photos, "luminance")
    every = [pictures.middle(picture, MAX_SIDE, MAX_SIDE) for picture in whole]
    usable = [picture for picture in every if min(picture.shape) >= MIN_SIDE]
    if not usable:
        height, width = every[0].shape
        raise DemoError(
            f"a picture of at least {MIN_SIDE} × {MIN_SIDE} pixels",
            f"{width} × {height}",
            "Choose a larger one.",
        )
    return usable, *rest


def _choice(source: str, uploads: Sequence[str] | None) -> PictureChoice:
    if source == "mine":
        return PictureChoice("mine", MAX_PICTURES, uploads=tuple(uploads or ()))
    return PictureChoice("bundled", MAX_PICTURES)


@dataclass(frozen=True)
class Answer:
    """What an experiment shows, so far or at last."""

    html: str
    finding: str = ""  # the sentence of it that is read out: a table would be too much

    @property
    def folding(self) -> str:
        """As what can be folded to its finding (HTML)."""
        return markup.folding(self.html, self.finding)


def answer(*parts: str, finding: str = "", tone: str = "good", **figures) -> Answer:
    """The parts one below the other, and what they showed; tone and figures: see markup."""
    told = markup.sentence(finding, tone) if finding else ""
    return Answer(markup.result(*parts, told, **figures), finding)


def key(source: str, uploads: Sequence[str] | None, *rest) -> tuple:
    """What an answer was made from, to be compared."""
    return _choice(source, uploads), *rest


@dataclass(frozen=True)
class Followed:
    """An answer, and what it depends on."""

    fresh: Freshness
    made: gr.State  # what it was made from: the key of the inputs then; None without an answer
    inputs: list
    key: Callable[..., tuple] = key  # of the inputs' values, to be compared
    shown: Sequence = ()  # where problems are told, and the answer itself

    def stale(self, made: tuple | None, *values) -> bool:
        """Whether there is an answer, made from other values than these."""
        return made is not None and made != self.key(*values)


def follow(answers: Sequence[Followed]) -> dict:
    """Mark each answer while its inputs are not those it was made from; returns what looks."""
    look = freshness.follow(
        [Made(each.fresh, [each.made], each.inputs, each.stale) for each in answers]
    )
    gr.on([each.made.change for each in answers], trigger_mode="always_last", **look)
    return look


def experiment(
    name: str,
    text: str,
    function: Callable[..., Iterator[Answer]],
    inputs: list,
    *,
    reads: Callable[..., tuple] = grey,
    trains: bool = False,
    stoppable: bool = False,
    folds: bool = True,
    variant: str = "primary",
    script: str | None = None,
) -> Followed:
    """A button and the place of its answer; each item that `function` yields is the answer so far.

    name: how ids start. inputs: the pictures and what else it depends on. reads: turns the inputs'
    values into the function's arguments. DemoErrors of either are told, and take the answer away.
    trains: it waits in the queue of the device, and can be stopped. stoppable: it can without that.
    folds: of all such answers one is open. script: of the place of the answer.
    """
    with gr.Row(elem_classes="kd-experiment"):
        start = button(text, name, variant=variant)
        stop = button("Stop", f"{name}-stop", interactive=False, visible=trains or stoppable)
        status = block("", f"{name}-status", spoken=True)
    fresh = Freshness(f"{name}-stale", [f"{name}-result"], [], STALE.format(button=text))
    shown, made = (status, block("", f"{name}-result", script=script)), gr.State(None)

    def ended(told: str) -> Callable[[], tuple]:
        return lambda: (*buttons(running=False), told, *KEPT)

    if folds:  # first: a browser does what a press asks for one after the other
        start.click(fn=None, js=FOLD_OTHERS % (name, f"{name}-result"), **PRIVATE)
    runs = Job([start, stop, *shown, made], lambda: ended(alert(failure()))())
    runs.begin(
        start.click, lambda *_: (*buttons(running=True), quiet("Working…"), *KEPT),
        partial(ask, function, reads, folds), inputs, **(DEVICE if trains else SUMS),
    )  # fmt: skip
    if trains or stoppable:
        runs.halt(stop.click, ended(quiet(STOPPED)))
    return Followed(fresh, made, inputs, shown=shown)


def ask(
    function: Callable[..., Iterator[Answer]], reads: Callable, folds: bool, *values
) -> Iterator[tuple]:
    """What an experiment's components show while its function runs, and at last."""
    said, left = "", KEPT
    try:
        for found in throttled(function(*reads(*values)), FRAME_SECONDS):
            # Heard only: the eyes have the sentence below the figures.
            said = each('<p class="kd-live-spoken">{}</p>', [[found.finding]] * bool(found.finding))
            yield (*[gr.skip()] * 3, found.folding if folds else found.html, key(*values))
    except DemoError as error:
        said, left = problem(error), ("", None)
    yield *buttons(running=False), said, *left
