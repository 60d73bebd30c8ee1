"""What stands below the stage: the result of a run, how sure it is, and what can be taken along.

Each knows what it was made from, so that it is marked as stale once the page is set otherwise.
"""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import numpy as np
from markupsafe import Markup

from kernel_demo.errors import DemoError
from kernel_demo.export.pictures import ZERO, signed_samples
from kernel_demo.imaging.filtering import to_grey, to_uint8
from kernel_demo.imaging.tiles import apply_tiled
from kernel_demo.learning.certificate import NEAR, Certificate, certify, distinct_share
from kernel_demo.learning.evaluation import compare
from kernel_demo.learning.patterns import patterns
from kernel_demo.learning.statistics import Solution, Statistics
from kernel_demo.learning.training import Cause, Stop
from kernel_demo.numbers import count, decimal, figure, within
from kernel_demo.sources.decoding import Photo, decode
from kernel_demo.ui import landing, pictures
from kernel_demo.ui.components import comparison, save, share_card, spectrum, take, worked
from kernel_demo.ui.html import (
    CERTIFICATE,
    block,
    button,
    dropdown,
    filled,
    matrix,
    problem,
    quiet,
    title,
)
from kernel_demo.ui.learn import begun, scale
from kernel_demo.ui.learn.session import Experiment, Lesson, Session, Shown, prepare
from kernel_demo.ui.learn.settings import experiment, named
from kernel_demo.ui.serving.jobs import PRIVATE, QUIET, RENDERING, tell_failure

OWN_PICTURE = -1  # the visitor's own, among the numbers of the pictures learned from
PATTERNS = 6  # drawn; the sentence tells how many there are

WHOLE = "The whole picture"
RESULT_EMPTY = (
    "Nothing learned yet. After a run a whole picture stands here, filtered by the true and by the "
    "learned kernel."
)
FILES = "The whole picture as PNG"
FILE = {"learned": "Learned", "true": "True", "difference": "Difference"}
NO_KERNEL = "Learning diverged, so there is no kernel to filter by. Lower the rate and learn again."
UNDETERMINED = (
    "What these pictures cannot tell: add one of these to the kernel, and nothing changes"
)
WEAK = "What they hardly tell: these move the result by less than half a grey level"
# Of photos 0.65 and more of the patches are different ones, of drawings 0.05: errors then reach
# ten times what independent rounding would make.
MOSTLY_DISTINCT = 0.5
REPEATED = (
    "Many patches of these pictures are the same, and each is rounded alike every time: what 8-bit "
    "files allow is not told."
)
BEST_KERNEL = "the best kernel these pictures allow"
ERROR_BARS = "Each weight, and its standard error below it."
MORE_BITS = (
    " That is complete for 32-bit numbers: they hold seven digits, and the error bars of these "
    "pictures are narrower still. The closed form, in 64 bits, comes nearer."
)
MORE_STEPS = "More steps, or the closed form, would bring it nearer."


class Cards:
    """The cards, laid out, and what they were made from."""

    def __init__(self, start: Experiment, seconds: float) -> None:
        """seconds: how long the state of a visitor who left is kept."""
        first = summed(start)
        self.spectrum = spectrum.component("spectrum", first.patterns())
        with gr.Row(elem_classes="kd-abreast", equal_height=True):
            with gr.Column(elem_classes="kd-card", elem_id="result-card", min_width=300):
                with gr.Row(elem_classes="kd-head"):
                    block(title(WHOLE))
                    self.picture = dropdown([], "Picture", "picture", scale=0, visible=False)
                    self.try_own = button(
                        "Try your own picture", "try-own", gr.UploadButton, size="sm",
                        type="filepath", visible=False,
                    )  # fmt: skip
                self.empty = block(quiet(RESULT_EMPTY), "result-empty")
                self.result = comparison.component(elem_id="result")
                with gr.Row(elem_id="result-files", elem_classes="kd-buttons"):
                    block(quiet(FILES))
                    self.saves = save.Saves(FILE, "save")
                    self.share = share_card.component("share", landing.KEYS)
                self.saved = block("", "result-saved", spoken=True)
            self.certificate = block(before_learning(start, first), "certificate")
        self.own_path = gr.State(None, time_to_live=seconds)
        self.shown = gr.State(None, time_to_live=seconds)  # a Shown, once a run has ended
        # Of the certificate: an Experiment, or its `taught` before learning.
        self.told = gr.State(start.taught, time_to_live=seconds)
        self.take = take.component("take")

    def connect(self, edges: gr.Dropdown, mark: dict) -> None:
        """Connect the picture, the edges and the visitor's own picture with the result.

        mark: the event that marks what is stale.
        """
        redrawn = gr.on(
            [self.picture.input, edges.input], again,
            [self.shown, self.picture, edges, self.own_path],
            [self.result, self.empty, self.take, self.shown],
            trigger_mode="always_last", **RENDERING, **QUIET,
        )  # fmt: skip
        tried = self.try_own.upload(
            own, [self.shown, self.try_own, self.own_path],
            [self.picture, self.result, self.empty, self.own_path],
            **RENDERING, **PRIVATE, show_progress="minimal",
        )  # fmt: skip
        self.saves.connect(file_of, [self.shown, self.picture, self.own_path], self.saved)
        for event in (redrawn, tried):
            tell_failure(event, self.empty)
        redrawn.then(**mark)

    def concluding(self, session: gr.State, edges: gr.Dropdown) -> list[dict]:
        """The events, one after the other, that fill the cards when the show of a run rests."""
        result = [self.picture, self.try_own, self.empty, self.result, self.take, self.shown]
        return [
            {"fn": show, "inputs": [session, edges, self.own_path], "outputs": result, **QUIET},
            {"fn": prove, "inputs": session, "outputs": [self.certificate, self.told], **QUIET},
        ]

    def looking(self, controls: Mapping) -> dict:
        """The event that tells what the pictures and the kernel of the page can tell."""
        return {
            "fn": named(look), "inputs": [self.shown, *controls.values()],
            "outputs": [self.certificate, self.told, self.spectrum],
            "trigger_mode": "always_last", **QUIET,
        }  # fmt: skip


def stale(shown: Shown | None, told, values: Mapping) -> list[str]:
    """The ids of what was learned with other settings than those of the page."""
    if shown is None:
        return []
    try:
        wanted = experiment(values)
    except DemoError:
        wanted = None
    marked = []
    if (shown.session.experiment, shown.edges) != (wanted, values["edges"]):
        marked += ["result-card", "take", "result-files"]
    if wanted is None or told not in (wanted, wanted.taught):
        marked += ["certificate"]
    return marked


def pending(session: Session, values: Mapping) -> bool:
    """Whether a run of just what the page is set to is under way or in view: the cards follow."""
    try:
        begun = session.running or session.progress is not None
        return begun and session.experiment == experiment(values)
    except DemoError:
        return False


# ---- The result, and what can be taken along


def picture_choices(session: Session, own: bool) -> list[tuple[str, int]]:
    """What can be filtered: the pictures learned from, and the visitor's own."""
    photos = pictures.gather(session.experiment.choice).photos
    choices = [(photo.name, number) for number, photo in enumerate(photos)]
    return [("Your picture", OWN_PICTURE), *choices] if own else choices


class Filtered(NamedTuple):
    """A picture through both kernels, at full size: H x W (x 3) float32, 1 is white."""

    photo: Photo
    learned: np.ndarray
    true: np.ndarray
    is_map: bool


def filtered(session: Session, picture: int, border: str, own_path: str | None) -> Filtered:
    """Both kernels of a run that has one, with the same border mode.

    An output that is a signed map (of Sobel, of most random kernels) is that of the grey picture,
    any other of its own colours.
    """
    photo = _photo(session, picture, own_path)
    truth = session.experiment.truth
    image = to_grey(photo.pixels, session.experiment.choice.channel)
    true = apply_tiled(image, truth, border)
    is_map = comparison.is_signed(true, truth)
    if not is_map and photo.pixels.ndim == 3:
        image, true = photo.pixels, apply_tiled(photo.pixels, truth, border)
    learned = apply_tiled(image, session.kernel, border, session.progress.offset)
    return Filtered(photo, learned, true, is_map)


def file_of(
    which: str, shown: Shown | None, picture: int, own_path: str | None
) -> tuple[str, np.ndarray] | None:
    """The name and the samples of a file: the whole picture, "learned" or "true", or "difference".

    A picture is 8-bit, cut at black and white. What is signed is 16-bit: see `signed_samples`, of
    which the name has the zero and the factor.
    """
    if shown is None or shown.session.kernel is None:
        return None
    made = filtered(shown.session, picture, shown.edges, own_path)
    stem = re.sub(r"\W+", "_", Path(made.photo.name).stem).strip("_").lower()[:60] or "picture"
    wanted = made.true - made.learned if which == "difference" else getattr(made, which)
    if not made.is_map and which != "difference":
        return f"{stem}_{which}.png", to_uint8(wanted)
    samples, factor = signed_samples(wanted)
    times = f"{factor:g}" if 1e-3 <= factor < 1e5 else f"1e{round(math.log10(factor))}"
    return f"{stem}_{which}_zero_{ZERO}_times_{times}.png", samples


def render(session: Session, picture: int, border: str, own_path: str | None) -> dict | None:
    """The result view's value; None where there is no learned kernel."""
    if session.kernel is None:
        return None
    photo, learned, true, is_map = filtered(session, picture, border, own_path)
    found = compare(true, learned)
    typical = 255 * 10 ** (-found.psnr / 20)  # PSNR is of pictures in 0..1
    figures = (
        (figure(typical), "grey levels off (root mean square)"),
        (figure(found.largest), "at worst, of 255"),
        ("∞" if found.psnr == math.inf else f"{found.psnr:.1f} dB", "PSNR"),
        ("–" if math.isnan(found.ssim) else f"{found.ssim:.4f}", "SSIM"),
    )
    height, width = true.shape[:2]
    smaller = f"Shown smaller; the figures are those of all {width} × {height} pixels."
    shrunk = max(height, width) > comparison.LONGEST
    return comparison.view(
        learned,
        true,
        ("learned", "true"),
        is_map=is_map,
        figures=figures,
        note=smaller if shrunk else "",
        arithmetic=_arithmetic(session, photo, is_map, border),
    )


def _arithmetic(session: Session, photo: Photo, is_map: bool, border: str) -> dict:
    """What both kernels make of each pixel: of the grey that is filtered, or of each channel."""
    made_grey = is_map and photo.pixels.ndim == 3
    channel = worked.plane_named(session.experiment.choice.channel)
    planes = [channel] if made_grey else worked.planes_of(photo.pixels)
    names = worked.NAMES if len(planes) > 1 else [""]
    learned = session.kernel, session.progress.offset
    outputs = [
        {
            "name": name,
            "side": worked.side([(plane, learned[0])], border, learned[1]),
            "beside": worked.side([(plane, session.experiment.truth)], border),
        }
        for plane, name in enumerate(names)
    ]
    piece = pictures.of(photo, worked.piece)
    source = piece | {"file": pictures.file_of(photo, piece)}
    return worked.record(
        source, len(session.kernel), outputs, name="learned", beside="true {sum}", planes=planes
    )


def _photo(session: Session, picture: int, own_path: str | None) -> Photo:
    if picture == OWN_PICTURE and own_path:
        return decode(own_path, Path(own_path).name)
    photos = pictures.gather(session.experiment.choice).photos
    return photos[min(max(int(picture or 0), 0), len(photos) - 1)]


def show(session: Session, border: str, own_path: str | None) -> tuple:
    """The result of a run that ended: the visitor's own picture first, else the first one."""
    if session.progress is None or session.running:
        return (gr.skip(),) * 6
    made = Shown(session, border)
    if session.kernel is None:
        return gr.skip(), gr.skip(), quiet(NO_KERNEL), None, None, made
    chosen, note = OWN_PICTURE if own_path else 0, ""
    try:
        value = render(session, chosen, border, own_path)
    except DemoError as error:  # the visitor's own picture was forgotten in the meantime
        chosen, note, value = 0, problem(error), render(session, 0, border, None)
    choices = picture_choices(session, own=chosen == OWN_PICTURE)
    picture = gr.update(choices=choices, value=chosen, visible=True)
    return picture, gr.update(visible=True), note, value, taken(session, border), made


def again(shown: Shown | None, picture: int, border: str, own_path: str | None) -> tuple:
    """The same run for another picture or other edges: the result, a note, what can be taken."""
    if shown is None:
        return (gr.skip(),) * 4
    try:
        value = render(shown.session, picture, border, own_path)
    except DemoError as error:
        return gr.skip(), problem(error), gr.skip(), gr.skip()
    note = "" if value else gr.skip()
    if border == shown.edges:
        return value, note, gr.skip(), gr.skip()
    return value, note, taken(shown.session, border), replace(shown, edges=border)


def own(shown: Shown, path: str, before: str | None) -> tuple:
    """The same run for a picture of the visitor's own."""
    try:
        value = render(shown.session, OWN_PICTURE, shown.edges, path)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error), before
    picture = gr.update(choices=picture_choices(shown.session, own=True), value=OWN_PICTURE)
    return picture, value, "", path


def taken(session: Session, border: str) -> dict | None:
    """What can be taken of a learned kernel; None, an empty card, where it cannot be."""
    if session.kernel is None:
        return None
    try:
        return take.value(
            take.Taken(
                session.kernel, session.progress.offset, border, "learned kernel",
                bars=_supported_to(session),
            )
        )  # fmt: skip
    except DemoError:  # all zeros, or beyond what files and tools can hold
        return None


def _supported_to(session: Session) -> np.ndarray:
    """(k, k): how far each weight may be off: its error bar, and the spacing of float32 at least.

    Pictures are float32, and so are the weights of all methods by batches: an error bar below that
    tells of the pictures, not of a weight. What the pictures leave open has no bar of its own.
    """
    kernel = session.kernel
    spacing = float(np.finfo(np.float32).eps * np.abs(kernel).max())
    try:
        sums, _ = prepare(session.experiment).sums(len(kernel))
        bars = sums.solve(bool(session.experiment.damage.offset)).standard_error
    except DemoError:  # pictures that were forgotten in the meantime
        return np.full(kernel.shape, spacing)
    return np.maximum(np.where(np.isfinite(bars), bars, 0.0), spacing)


# ---- How sure is this?


def look(shown: Shown | None, values: Mapping) -> tuple:
    """The panel for what the page is set to, what it was made from, and the pictures' patterns.

    Before learning, or of the run that was of just that. What cannot be read is told beside its
    input; all then stays as it is. Where there are no pictures, and nothing was learned yet, the
    panel says what to do.
    """
    try:
        wanted = experiment(values)
    except DemoError:
        return (gr.skip(),) * 3
    same = shown is not None and shown.session.experiment.taught == wanted.taught
    try:
        sums = summed(wanted)
        told = (
            prove(shown.session, sums) if same else (before_learning(wanted, sums), wanted.taught)
        )
        return *told, sums.patterns()
    except DemoError as error:
        if same:
            return *prove(shown.session), None
        if shown is not None:
            return gr.skip(), gr.skip(), None
        return _panel(str(error), "", "", sure=False), wanted.taught, None


@dataclass(frozen=True, eq=False)
class Summed:
    """What the learner is shown, its sums, and what they are not of."""

    taught: Lesson
    statistics: Statistics
    left_out: tuple[str, ...]
    lesson: str  # its name, see `Experiment.lesson`

    def patterns(self) -> dict | None:
        """The value for `spectrum`; None of pictures that are black alone."""
        with suppress(DemoError):
            return spectrum.view(patterns(self.statistics), self.lesson)
        return None


def summed(wanted: Experiment) -> Summed:
    """The sums for a kernel of that size. DemoError where there is no picture."""
    taught, known = prepare(wanted), begun.sums(wanted.lesson)
    sums = taught.sums(len(wanted.weights)) if known is None else (known, ())
    return Summed(taught, *sums, wanted.lesson)


def prove(session: Session, sums: Summed | None = None) -> tuple:
    """The panel for a run that ended (or pauses), and what it was made from.

    sums: where they are there already.
    """
    if session.progress is None or session.running:
        return gr.skip(), gr.skip()
    return conclude(session, sums), session.experiment


def conclude(session: Session, sums: Summed | None = None) -> str:
    """What the panel says of a run that ended (or pauses)."""
    if session.kernel is None:
        return _panel(str(Stop(Cause.DIVERGED)), "", "", sure=False)
    try:
        return after_learning(session, sums or summed(session.experiment))
    except DemoError as error:
        return _panel(str(error), "", "", sure=False)


def before_learning(wanted: Experiment, sums: Summed | None = None) -> str:
    """What the pictures can tell of any kernel of this size: X'X alone decides that."""
    sums = sums or summed(wanted)
    taught, statistics, left_out = sums.taught, sums.statistics, sums.left_out
    found = certify(statistics, fit_offset=False)
    which = "The other pictures" if left_out else "These pictures"
    sentence = f"{which} tell all {statistics.size**2} weights apart"
    if found.weak_count:
        noun = "combination" if found.weak_count == 1 else "combinations"
        sentence += f", {found.weak_count} {noun} of them by less than 8-bit files keep"
    marks, unsaid = _of_rounding(found, taught)
    said = [taught.note, unsaid, *left_out]
    return _certificate(found, statistics, f"{sentence}.", True, marks, "", "", said)


def after_learning(session: Session, sums: Summed) -> str:
    """The proof: the distance to the best kernel, error bars, measured error beside them."""
    progress, taught = session.progress, sums.taught
    statistics, left_out = sums.statistics, sums.left_out
    found = certify(statistics, session.kernel, progress.offset, fit_offset=False)
    complete = progress.stop is not None and progress.stop.complete
    rounding, unsaid = _of_rounding(found, taught)
    allowed = float(found.solution.standard_error.max())
    marks = [
        ("this kernel", "{} off", progress.kernel_error),
        *rounding,
        ("these pictures allow", within("{}"), allowed),
    ]
    more = (
        f"{figure(found.distance)} standard errors from the best kernel · "
        f"excess loss (above the best kernel’s) {figure(found.excess_loss)}"
    )
    sure = complete or found.distance < NEAR
    stop = progress.stop if complete else Stop(Cause.OPTIMUM)
    if not sure:
        sentence = not_there(progress.kernel_error, allowed)
    else:
        nearer = stop.cause == Cause.FLOOR and progress.kernel_error > allowed
        sentence = f"{stop}{MORE_BITS if nearer else ''}"
    below = _bars(found.solution)
    said = [taught.note, unsaid, *left_out]
    return _certificate(found, statistics, sentence, sure, marks, more, below, said)


def not_there(off: float, allowed: float) -> str:
    """The verdict on a kernel that is not the best. off: of its worst weight; allowed: one bar."""
    would = f"; these pictures would allow about {decimal(allowed, digits=1)}"
    nearer = would if off > allowed else ""
    return f"Not there yet: up to {decimal(off, up=True)} off in a weight{nearer}. {MORE_STEPS}"


def _of_rounding(found: Certificate, taught: Lesson) -> tuple[list[tuple[str, str, float]], str]:
    """What 8-bit files allow; or, where rounding is no independent noise, why that is not said."""
    if distinct_share(taught.pairs, len(found.rounding_error)) < MOSTLY_DISTINCT:
        return [], REPEATED
    return [("8-bit files allow", within("{}"), float(found.rounding_error.max()))], ""


def _certificate(
    found: Certificate, statistics: Statistics, sentence: str, sure: bool, marks: Sequence[tuple],
    more: str, below: str, problems: Sequence[str],
) -> str:  # fmt: skip
    """The panel; pictures that leave combinations of weights open have the first word."""
    if found.undetermined_count:
        sure, sentence = False, (
            f"These pictures cannot tell {found.undetermined_count} of {statistics.size**2} "
            "combinations of weights. Take more or sharper pictures, or send the probe picture "
            "through the tool."
        )  # fmt: skip
    drawn = scale.scale(marks)
    condition = f"condition number {figure(found.solution.condition)}"
    if math.isinf(found.solution.condition):
        condition += " (singular)"
    pixels = "1 pixel used" if statistics.count == 1 else f"{count(statistics.count)} pixels used"
    figures = [scale.CAPTION if drawn else "", condition, pixels, more]
    below = "".join([_patterns(found), below, *map(quiet, problems)])
    return _panel(sentence, " · ".join(filter(None, figures)), below, sure, drawn)


def _panel(sentence: str, figures: str, below: str, sure: bool, drawn: str = "") -> str:
    return filled(
        '<section class="kd-verdict{}">{}<p>{}</p>{}{}{}</section>',
        "" if sure else " kd-unsure",
        Markup(title(CERTIFICATE)),
        sentence,
        Markup(drawn),
        Markup(quiet(figures)),
        Markup(below),
    )


def _patterns(found: Certificate) -> str:
    """The combinations of weights that stay open or nearly so, drawn; and the probe picture."""
    patterns, caption = found.weak, WEAK
    if found.undetermined_count:
        patterns, caption = found.undetermined, UNDETERMINED
    if not patterns:
        return ""
    drawn = "".join(matrix(pattern, numbers=False) for pattern in patterns[:PATTERNS])
    return f'{quiet(caption)}<div class="kd-patterns">{drawn}</div>{take.probe_link()}'


def _bars(best: Solution) -> str:
    """The best kernel that the pictures allow with its error bars, folded away.

    The bars are the optimum's: what was learned is off by its own distance on top of them.
    """
    bars = best.standard_error
    return filled(
        '<details class="kd-details"><summary>{}</summary>{}<div class="kd-matrix-small">{}</div>'
        "</details>",
        BEST_KERNEL,
        Markup(quiet(ERROR_BARS)),
        Markup(matrix(best.kernel, errors=np.where(np.isfinite(bars), bars, np.nan))),
    )
