"""Question 8: twelve ways to break it, each foretold and then tried; and the challenge."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.lab.challenge import SIZES, Score, hidden, impossible, score
from kernel_demo.lab.limits import LIMITS, SHOTS, STRIPS, Limit, break_it, sums
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import build as build_pairs
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.training import TrainSettings, train
from kernel_demo.numbers import at_most, figure, short, shown
from kernel_demo.ui.components import guess as guess_view
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.html import block, button, dropdown, filled, problem, quiet, square
from kernel_demo.ui.landing import CHALLENGE, Found, Place
from kernel_demo.ui.pictures import data_url, file_url, middle
from kernel_demo.ui.questions import card, markup
from kernel_demo.ui.questions.card import LEARNED, TRUE, Answer, Followed, answer
from kernel_demo.ui.serving.jobs import PRIVATE, QUIET, SUMS, UNQUEUED, tell_failure

PICTURES = 3  # enough for each of the ways, and for the challenge
START_SIZE = 3
NUMBERS = 10_000  # challenges of each size
CROP = 220  # pixels: a piece that is shown without being made smaller
STEPS, BATCH, TILE, DEADLINE = 80, 16, 32, 30.0


# Twelve ways to break it

# key of LIMITS: (name, why)
WAYS = {
    "constant": (
        "A flat picture",
        "It shows the sum of the weights and nothing else: each comes out as their mean.",
    ),
    "blurred": (
        "Blurred pictures",
        "They hold no fine detail, and what is left of it drowns in the camera's noise.",
    ),
    "eight_bit_clipping": (
        "Clipping",
        "A file cuts at black and white, and the fit takes the cut values for answers.",
    ),
    "jpeg_file": (
        "JPEG",
        "The file's rounding in blocks of 8 × 8 takes away detail that the fit believes in.",
    ),
    "noise_after": (
        "Noise after",
        "Noise on the answers averages out: a hundred times the pixels, a tenth of the error.",
    ),
    "noise_before": (
        "Noise before",
        "Noise on what comes in shrinks the kernel, however many pixels there are.",
    ),
    "wrong_padding": (
        "Wrong padding",
        "The layer pads with zeros, the tool reflected: the border pixels teach a lie.",
    ),
    "model_too_small": (
        "Too small a model",
        "What does not fit into the model is laid on the weights that do.",
    ),
    "model_too_large": (
        "Too large a model",
        "No harm: the weights too many come out as zero.",
    ),
    "even_kernel": (
        "An even kernel",
        "A 2 × 2 average has no centre pixel: a 3 × 3 model holds it, shifted by half a pixel.",
    ),
    "varying_filter": (
        "A filter that varies",
        "Sharp at the left, blurred at the right: one kernel can only be the middle.",
    ),
    "non_linear": (
        "Not linear",
        "The length of the gradient has lost its sign: the best kernel is nearly none.",
    ),
}
STALE_WAY = "This was tried on other pictures. Choose another way, or press “{button}”."
TABLE = ("Way", "foretold", "measured", "error of", "remedy", "error with it")
MEASURES = {"kernel": "a weight", "output": "the output, grey levels"}
NO_FIGURE = "–"  # where there is no such error
REMEDIES = {
    "constant": "pictures with detail",
    "blurred": "sharp pictures",
    "eight_bit_clipping": "cut pixels left out",
    "jpeg_file": "a PNG, cut pixels left out",
    "noise_after": f"{SHOTS} shots averaged",
    "noise_before": "the noise's part taken off the sums",
    "wrong_padding": "valid pixels only",
    "model_too_small": "a model of its size",
    "model_too_large": "none needed",
    "even_kernel": "none needed",
    "varying_filter": f"a kernel for each of {STRIPS} strips",
    "non_linear": "layers with a bend: question 7",
}


def every(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """All of them with Sobel, as a table that grows."""
    tried: list[Limit] = []
    for key in LIMITS:
        tried.append(break_it(key, pictures[:PICTURES], named("sobel_x").values))
        yield answer(
            markup.table(TABLE, [_cells(*row) for row in zip(LIMITS, tried, strict=False)]),
            finding=limits_finding(tried),
            done=len(tried) == len(LIMITS),
            tried=len(tried),
            ratio=max(limit.measured / limit.predicted for limit in tried),
        )


def one(pictures: Sequence[np.ndarray], key: str) -> Iterator[Answer]:
    """One of them: the kernels and both errors."""
    limit = break_it(key, pictures[:PICTURES], named("sobel_x").values)
    kernels = [(TRUE, limit.truth), (LEARNED, limit.learned)]
    name, why = WAYS[key]
    unit = MEASURES[limit.measure]
    facts = [
        (figure(limit.predicted), f"error of {unit}, foretold"),
        (figure(limit.measured), f"error of {unit}, measured"),
    ]
    remedied = NO_FIGURE if limit.remedied is None else figure(limit.remedied)
    facts.append((remedied, f"with the remedy: {REMEDIES[key]}"))
    yield answer(
        markup.heading(name),
        markup.matrices([pair for pair in kernels if pair[1] is not None], "≠"),
        markup.facts(facts),
        finding=why,
        tone="warm",
        key=key,
        predicted=limit.predicted,
        measured=limit.measured,
    )


def _cells(key: str, limit: Limit) -> tuple[str, ...]:
    remedied = NO_FIGURE if limit.remedied is None else figure(limit.remedied)
    measured = figure(limit.predicted), figure(limit.measured), MEASURES[limit.measure]
    return WAYS[key][0], *measured, REMEDIES[key], remedied


def limits_finding(tried: Sequence[Limit]) -> str:
    """How well theory foretold the errors, as they are and as the table writes them."""
    ways = "way" if len(tried) == 1 else "ways"
    worst = max(
        ratio
        for limit in tried
        for ratio in (
            limit.measured / limit.predicted,
            shown(limit.measured) / shown(limit.predicted),
        )
    )
    return (
        f"{len(tried)} {ways} tried. What is foretold is an estimate, no limit; no error was above "
        f"{at_most(worst)} times that."
    )


# The challenge

PLACE = "challenge"  # its id: where a link lands
CHALLENGE_NOTE = (
    "Every weight is a multiple of ½ from −2 to 2. Guess them from the pictures, or let the layer "
    "learn them; the link brings a friend to the same kernel."
)


def build(all_of_them: str, pictures: list) -> tuple[list[Followed], Place]:
    """Lay the single ways and the challenge out, and connect them.

    all_of_them: the button that tries every way. Returns what `follow` takes, and where a link to a
    challenge lands.
    """
    tried = _ways(all_of_them, pictures)
    with gr.Column(elem_id=PLACE):
        sets = _challenge(pictures)
    return [tried], Place(CHALLENGE, "questions", "a challenge", "3-17", find, sets)


def _ways(all_of_them: str, pictures: list) -> Followed:
    """A choice of one way; the last item of `one` is shown, or what went wrong."""
    names = [(WAYS[key][0], key) for key in LIMITS]
    way = gr.Radio(names, label="or one of them", elem_id="limits-way", elem_classes="kd-chips")
    stale = STALE_WAY.format(button=all_of_them)
    fresh = Freshness("limits-one-stale", ["limits-one"], [], stale)
    place, made, inputs = block("", "limits-one", spoken=True), gr.State(None), [*pictures, way]

    def run(*values) -> tuple:
        try:
            *_, found = one(*card.grey(*values))
        except DemoError as error:
            return problem(error), None
        return found.folding, card.key(*values)

    way.input(fn=None, js=card.FOLD_OTHERS % ("limits-way", "limits-one"), **PRIVATE)
    tried = way.input(
        run, inputs, [place, made], trigger_mode="always_last", **SUMS,
        show_progress="minimal", **PRIVATE,
    )  # fmt: skip
    tell_failure(tried, place)
    return Followed(fresh, made, inputs)


def _challenge(pictures: list) -> tuple[gr.Dropdown, gr.Number]:
    """The challenge; returns what a link sets."""
    block(markup.heading("The challenge: a hidden kernel"))
    block(quiet(CHALLENGE_NOTE))
    number = secrets.randbelow(NUMBERS)
    with gr.Row(elem_classes="kd-experiment"):
        sizes = square(SIZES)
        size = dropdown(sizes, "Size", "challenge-size", value=START_SIZE, min_width=150)
        seed = gr.Number(
            number, label="Number", precision=0, minimum=0, maximum=NUMBERS - 1,
            elem_classes="kd-field", elem_id="challenge-number", min_width=150,
        )  # fmt: skip
        another = button("Another", "challenge-another")
    target, below = show("bundled", None, START_SIZE, number, file_url)
    hidden_by = guess_view.component(target, "challenge-pictures", "challenge-editor")
    below = block(below, "challenge-link")
    editor = kernel_editor.component(np.zeros((START_SIZE, START_SIZE)), "challenge-editor")
    inputs = [*pictures, size, seed]
    guessed = card.experiment(
        "challenge-guess", "Score my guess", guess, [*inputs, editor], reads=_read, folds=False,
    )  # fmt: skip
    learned = card.experiment(
        "challenge-learn", "Let the layer learn it", learn, inputs, reads=_read, trains=True,
        folds=False, variant="secondary",
    )  # fmt: skip
    look = card.follow([guessed, learned])
    scored, (_, solved) = [*guessed.shown, guessed.made], learned.shown
    editor.edit(checked, editor, scored, **UNQUEUED).then(**look)
    another.click(lambda: secrets.randbelow(NUMBERS), None, seed, **UNQUEUED)
    size.change(kernel_editor.fitted, [editor, size], editor, **UNQUEUED)
    anew = gr.on(
        [each.change for each in (size, seed, *pictures)],
        lambda *values: (*show(*values), "", "", None, "", None), inputs,
        [hidden_by, below, *scored, solved, learned.made],
        trigger_mode="always_last", concurrency_limit=2, **QUIET,
    )  # fmt: skip
    tell_failure(anew, below)
    return size, seed


def show(
    source: str, uploads: Sequence[str] | None, size: int, number: int, url_of: Callable = data_url
) -> tuple:
    """A picture before and after the hidden kernel, and the link or what is wrong (HTML)."""
    try:
        pictures, truth = _read(source, uploads, size, number)
    except DemoError as error:
        return gr.skip(), problem(error)
    target = guess_view.value(to_uint8(middle(pictures[0], CROP, CROP)), truth, url_of)
    link = (
        '<p class="kd-note"><a class="kd-link kd-share" href="?{}={}-{}">Copy a link to this '
        "challenge</a></p>"
    )
    asked = filled(link, CHALLENGE, len(truth), int(number or 0))
    return target, asked


def find(asked: str) -> Found | None:
    """The challenge that a link names by SIZE-NUMBER; None for what is none."""
    size, _, number = asked[:20].partition("-")
    if size not in map(str, SIZES) or not (number.isascii() and number.isdecimal()):
        return None
    size, number = int(size), min(int(number), NUMBERS - 1)
    return Found(
        PLACE,
        "challenge-learn",
        f"Can you guess this {size} × {size} kernel?",
        f"Challenge {number}: a picture before and after a hidden filter. Guess its weights, or "
        "let a single convolution layer learn them.",
        ready=f"#challenge-link a[href$='={size}-{number}']",
        updates=(size, number),
    )


def checked(editor: dict | None) -> tuple:
    """What stands beside the grid after an edit: a cell that is no number takes the score away."""
    try:
        _numbers(editor)
    except DemoError as error:
        return problem(error), "", None
    return "", gr.skip(), gr.skip()


def guess(pictures: Sequence[np.ndarray], truth: np.ndarray, editor: dict) -> Iterator[Answer]:
    """What a visitor's matrix is worth; the hidden kernel stays hidden."""
    values = _numbers(editor)
    found = score(values, truth, _sums(pictures, truth))
    yield answer(
        markup.matrices([("your guess", values)]),
        _score_facts(found),
        finding=_impossible(values) + guess_finding(found),
        tone="good" if found.exact else "warm",
        points=found.points,
    )


def _impossible(guess: np.ndarray) -> str:
    """That no hidden kernel has one of these weights."""
    cannot = guess[impossible(guess)]
    return guess_view.CANNOT.format(weight=short(cannot[0])) + " " if cannot.size else ""


def guess_finding(score: Score) -> str:
    """What a visitor's guess is worth, without telling the kernel."""
    if score.exact:
        return "Exactly right: every weight."
    if score.points >= 50:
        return "Close: at least half the way from a kernel of zeros."
    if score.points > 0:
        return "Nearer than a kernel of zeros. The pictures can tell more."
    return "No nearer than a kernel of zeros: a weight is off at least as far as there."


def learn(pictures: Sequence[np.ndarray], truth: np.ndarray) -> Iterator[Answer]:
    """The layer learns it from whole grey levels, by K-FAC, and is scored alike."""
    befores = pictures[:PICTURES]
    afters = [np.rint(correlate(one * 255, truth)) / 255 for one in map(_levels, befores)]
    pairs = build_pairs(befores, afters, len(truth), TILE)
    settings = TrainSettings(steps=STEPS, batch=BATCH, tile=TILE, device=DEVICE)
    statistics = _sums(pictures, truth)
    layer = layers.SingleConv(len(truth))
    with closing(train(layer, pairs, settings, truth=truth, deadline=DEADLINE)) as run:
        for progress in run:
            found = score(progress.kernel, truth, statistics)
            layer_now = (f"the layer, step {progress.step}", progress.kernel)
            kernels = [layer_now, ("the hidden kernel", truth)]
            yield answer(
                markup.matrices(kernels if progress.done else kernels[:1], "≈"),
                _score_facts(found),
                finding=_learned_finding(found) if progress.done else "",
                done=progress.done,
                points=found.points,
                step=progress.step,
            )


def _learned_finding(score: Score) -> str:
    told = (
        f"The layer found it to {at_most(score.kernel_error)}: {score.whole_points} of 100 points."
    )
    if score.nearest_exact and not score.exact:
        told += " Rounded to halves, every weight is right."
    return told


def _score_facts(score: Score) -> str:
    facts = [
        (
            f"{score.whole_points} of 100",
            "points; they fall with the largest weight error, and 100 is every weight right",
        ),
        (
            at_most(score.kernel_error),
            f"largest weight error, at most (the best: {figure(score.best_kernel_error)})",
        ),
        (
            figure(255 * score.output_error),
            f"output error, grey levels (the best: {figure(255 * score.best_output_error)})",
        ),
    ]
    return markup.facts(facts)


def _read(source, uploads, size, number, *rest) -> tuple:
    truth = hidden(int(size or 0), int(number or 0)).values
    pictures, *rest = card.grey(source, uploads, *rest)
    return pictures, truth, *rest


def _numbers(editor: dict | None) -> np.ndarray:
    """The grid's weights; all zeros are a guess, too."""
    rows = (editor or {}).get("rows") or []
    if rows and all(str(cell).strip() in ("0", "-0", "0.0") for row in rows for cell in row):
        return np.zeros((len(rows), len(rows)))
    return kernel_editor.read(editor, such="-1, 0.5 or 3/2")  # halves, all that counts


def _sums(pictures: Sequence[np.ndarray], truth: np.ndarray) -> Statistics:
    befores = [_levels(one).astype(np.float64) for one in pictures[:PICTURES]]
    return sums(befores, [correlate(one, truth) for one in befores], len(truth))


def _levels(picture: np.ndarray) -> np.ndarray:
    return (to_uint8(picture) / 255).astype(np.float32)
