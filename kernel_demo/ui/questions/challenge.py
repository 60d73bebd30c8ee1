"""The challenge: a hidden kernel, to be guessed from the pictures or learned by the layer."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from html import escape

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.lab.challenge import SIZES, Score, hidden, score
from kernel_demo.lab.limits import sums
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.pairs import build as build_pairs
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.training import TrainSettings, train
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.html import block, problem, quiet
from kernel_demo.ui.jobs import QUIET
from kernel_demo.ui.learn.link import CHALLENGE
from kernel_demo.ui.pictures import data_url
from kernel_demo.ui.questions import card as question_card
from kernel_demo.ui.questions import limit_words as wording
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions.pictures import PictureInputs, grey
from kernel_demo.ui.questions.pixels import drawn_signed

PICTURES = 3
START_SIZE = 3
NUMBERS = 10_000  # challenges of each size
CROP = 220  # pixels: a piece that is shown without being made smaller
STEPS, BATCH, TILE, DEADLINE = 80, 16, 32, 30.0
TAB_ID = "questions"


def build(pictures: PictureInputs) -> tuple[gr.Dropdown, gr.Number]:
    """Lay the challenge out; returns what a link sets."""
    block(html.heading(wording.CHALLENGE))
    block(quiet(wording.CHALLENGE_NOTE))
    number = secrets.randbelow(NUMBERS)
    with gr.Row(elem_classes="kd-experiment"):
        size = gr.Dropdown(
            [(f"{side} × {side}", side) for side in SIZES], value=START_SIZE, label=wording.SIZE,
            elem_classes="kd-field", elem_id="challenge-size", min_width=150,
        )  # fmt: skip
        seed = gr.Number(
            number, label=wording.NUMBER, precision=0, minimum=0, maximum=NUMBERS - 1,
            elem_classes="kd-field", elem_id="challenge-number", min_width=150,
        )  # fmt: skip
        another = gr.Button(wording.ANOTHER, elem_id="challenge-another", scale=0, min_width=60)
    shown = block(show("bundled", None, START_SIZE, number), "challenge-pictures")
    editor = kernel_editor.component(np.zeros((START_SIZE, START_SIZE)), "challenge-editor")
    guessed = question_card.build("challenge-guess", wording.GUESS)
    learned = question_card.build("challenge-learn", wording.LEARN, stoppable=True, primary=False)

    inputs = [*pictures.components, size, seed]
    question_card.connect(guessed, guess, [*inputs, editor], reads=_read)
    question_card.connect(learned, learn, inputs, reads=_read, trains=True)
    editor.edit(checked, editor, [guessed.status, guessed.result], queue=False, **QUIET)
    another.click(lambda: secrets.randbelow(NUMBERS), None, seed, queue=False, **QUIET)
    size.change(kernel_editor.fitted, [editor, size], editor, queue=False, **QUIET)
    gr.on(
        [size.change, seed.change, pictures.source.change, pictures.uploads.change],
        lambda *values: (show(*values), "", "", ""), inputs,
        [shown, guessed.status, guessed.result, learned.result],
        trigger_mode="always_last", concurrency_limit=2, **QUIET,
    )  # fmt: skip
    return size, seed


def show(source: str, uploads: Sequence[str] | None, size: int, number: int) -> str:
    """The pictures before and after the hidden kernel, and the link."""
    try:
        pictures, truth = _read(source, uploads, size, number)
    except DemoError as error:
        return problem(error)
    before = _crop(pictures[0])
    after = data_url(drawn_signed(correlate(before, truth)))
    link = f"?{CHALLENGE}={len(truth)}-{int(number or 0)}"
    return html.pictures(
        [(data_url(to_uint8(before)), wording.BEFORE, ""), (after, wording.AFTER, "")], "small"
    ) + (f'<p class="kd-note"><a class="kd-link" href="{link}">{escape(wording.LINK)}</a></p>')


def from_link(request: gr.Request) -> tuple:
    """Size, number and tab that an address with SIZE-NUMBER asks for; else they stay.

    An address is anybody's: what is no challenge is passed over.
    """
    asked = str(request.query_params.get(CHALLENGE, ""))[:20]
    size, _, number = asked.partition("-")
    if size in map(str, SIZES) and number.isascii() and number.isdecimal():
        return int(size), min(int(number), NUMBERS - 1), gr.Tabs(selected=TAB_ID)
    return gr.skip(), gr.skip(), gr.skip()


def checked(editor: dict | None) -> tuple:
    """What stands beside the grid after an edit: a cell that is no number takes the score away."""
    try:
        _numbers(editor)
    except DemoError as error:
        return problem(error), ""
    return "", gr.skip()


def guess(pictures: Sequence[np.ndarray], truth: np.ndarray, editor: dict) -> Iterator[str]:
    """What a visitor's matrix is worth; the hidden kernel stays hidden."""
    values = _numbers(editor)
    found = score(values, truth, _sums(pictures, truth))
    made = data_url(drawn_signed(correlate(_crop(pictures[0]), values)))
    tone = "good" if found.exact else "warm"
    yield html.result(
        html.beside(
            html.matrices([(wording.YOUR_GUESS, values)]),
            html.pictures([(made, wording.YOURS, "")], "small"),
        ),
        html.facts(wording.score_facts(found)),
        html.sentence(wording.guess_finding(found), tone),
        points=found.points,
    )


def learn(pictures: Sequence[np.ndarray], truth: np.ndarray) -> Iterator[str]:
    """The layer learns it from whole grey levels, by K-FAC, and is scored alike."""
    befores = pictures[:PICTURES]
    # Rounded as a file is, but not cut at black and white: every pixel tells.
    afters = [np.rint(correlate(one * 255, truth)) / 255 for one in map(_levels, befores)]
    pairs = build_pairs(befores, afters, len(truth), TILE)
    settings = TrainSettings(steps=STEPS, batch=BATCH, tile=TILE, device=DEVICE)
    statistics = _sums(pictures, truth)
    layer = SingleConv(len(truth))
    with closing(train(layer, pairs, settings, truth=truth, deadline=DEADLINE)) as run:
        for progress in run:
            found = score(progress.kernel, truth, statistics)
            yield _learned(progress, truth, found)


def _learned(progress, truth: np.ndarray, found: Score) -> str:
    kernels = [
        (wording.LEARNING.format(step=progress.step), progress.kernel), (wording.HIDDEN, truth)
    ]  # fmt: skip
    return html.result(
        html.matrices(kernels if progress.done else kernels[:1], "≈"),
        html.facts(wording.score_facts(found)),
        html.sentence(wording.learned_finding(found)) if progress.done else "",
        done=progress.done,
        points=found.points,
        step=progress.step,
    )


def _read(source, uploads, size, number, *rest) -> tuple:
    truth = hidden(int(size or 0), int(number or 0)).values
    return grey(source, uploads), truth, *rest


def _numbers(editor: dict | None) -> np.ndarray:
    """The grid's weights; all zeros are a guess, too."""
    rows = (editor or {}).get("rows") or []
    if rows and all(str(cell).strip() in ("0", "-0", "0.0") for row in rows for cell in row):
        return np.zeros((len(rows), len(rows)))
    return kernel_editor.read(editor)


def _sums(pictures: Sequence[np.ndarray], truth: np.ndarray) -> Statistics:
    befores = [_levels(one).astype(np.float64) for one in pictures[:PICTURES]]
    return sums(befores, [correlate(one, truth) for one in befores], len(truth))


def _levels(picture: np.ndarray) -> np.ndarray:
    return (to_uint8(picture) / 255).astype(np.float32)


def _crop(picture: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - CROP) // 2) for side in picture.shape)
    return picture[top : top + CROP, left : left + CROP]
