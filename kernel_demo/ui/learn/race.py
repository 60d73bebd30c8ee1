"""The card "Race": the chosen methods learn what the page is set to, side by side."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices, pairs, race
from kernel_demo.learning.race import Lane, Snapshot
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import device as gpu
from kernel_demo.ui.components.race_chart import METHODS, WORDS, component, frame
from kernel_demo.ui.html import block, quiet, title
from kernel_demo.ui.jobs import DEVICE, FAILED, QUIET, Job, throttled
from kernel_demo.ui.learn import form as experiment_form
from kernel_demo.ui.learn import lesson
from kernel_demo.ui.learn import race_words as wording
from kernel_demo.ui.learn.session import Experiment

DEFAULT = ["kfac", "adam", "sgd", "exact_lbfgs", "closed_form"]
LIMIT = 6.0  # seconds of its own that each method has
MAX_SIZE = 15  # beyond it one turn of an exact method takes longer than LIMIT
FRAME_SECONDS = 0.1


@dataclass(frozen=True)
class RaceCard:
    """The card's components."""

    methods: gr.CheckboxGroup
    start: gr.Button
    stop: gr.Button
    reason: gr.HTML  # why Race cannot be pressed; empty while it can
    view: gr.HTML


def build() -> RaceCard:
    """Lay the card out inside the current column."""
    with gr.Column(elem_classes="kd-card", elem_id="race-card"):
        block(title(WORDS["title"]))
        methods = gr.CheckboxGroup(
            METHODS, value=DEFAULT, label=wording.METHODS_LABEL, show_label=False,
            container=False, elem_classes="kd-race-methods", elem_id="race-methods",
        )  # fmt: skip
        with gr.Row(elem_classes="kd-buttons kd-race-buttons"):
            start = gr.Button(wording.START, size="sm", elem_id="race")
            stop = gr.Button(wording.STOP, size="sm", interactive=False, elem_id="race-stop")
        reason = block("", "race-reason")
        view = component()
    return RaceCard(methods, start, stop, reason, view)


def connect(card: RaceCard, values: list, size: gr.Dropdown) -> None:
    """Connect the card; values: `experiment_form.inputs`, size: of the kernel."""
    runs = Job([card.view, card.start, card.stop], failed)
    runs.begin(card.start.click, announce, run, [card.methods, *values], **DEVICE)
    runs.halt(card.stop, stop)
    gr.on(
        [card.methods.input, size.change], ready, [card.methods, size], [card.start, card.reason],
        queue=False, trigger_mode="always_last", **QUIET,
    )  # fmt: skip


def ready(names: Sequence[str], size: int | None) -> tuple:
    """Whether Race can be pressed, and if not, why."""
    reason = _obstacle(names, int(size or 3))
    return gr.update(interactive=not reason), quiet(reason)


def announce(names: Sequence[str], *values) -> tuple:
    """The starting line, or why there is no race: the first update of `run`."""
    with closing(run(names, *values)) as updates:
        return next(updates)


def run(names: Sequence[str], *values) -> Iterator[tuple]:
    """The race as updates of the view and the two buttons."""
    try:
        experiment = experiment_form.experiment(*values)
        obstacle = _obstacle(names, len(experiment.truth))
        if obstacle:
            received = f"{len(names)} and {len(experiment.truth)}"
            raise DemoError(f"several methods and a size up to {MAX_SIZE}", received, obstacle)
        with closing(stream(names, experiment)) as updates:
            for update in updates:
                yield update, *_buttons(racing=not update["done"])
    except DemoError as error:
        yield {"kind": "error", "error": str(error)}, *_buttons(racing=False)


def stop() -> tuple:
    """The race ends here; what was drawn stays."""
    return {"kind": "stopped"}, *_buttons(racing=False)


def failed() -> tuple:
    """The race could not be run, or not to its end; what was drawn stays."""
    return {"kind": "stopped", "error": FAILED}, *_buttons(racing=False)


def stream(names: Sequence[str], experiment: Experiment, limit: float = LIMIT) -> Iterator[dict]:
    """The view's values, at most one each FRAME_SECONDS; the last one is `done`."""
    run_id = secrets.token_hex(4)
    empty = [Lane(name, *np.zeros((3, 0)), None, (), False, None) for name in names]
    yield frame(run_id, 0, Snapshot(tuple(empty), False), limit)
    taught = lesson.prepare(experiment)
    runners, why = _runners(names, experiment, taught)
    with closing(throttled(race.race(runners, limit=limit), FRAME_SECONDS)) as snapshots:
        for number, snapshot in enumerate(snapshots, 1):
            yield frame(run_id, number, snapshot, limit, why)


def _runners(names: Sequence[str], experiment: Experiment, taught: lesson.Lesson) -> tuple:
    """The runners, and the sentence that explains how they will fare."""
    truth, settings = experiment.truth, experiment.settings or TrainSettings()
    size = len(truth)
    tiles = pairs.build(
        taught.befores,
        taught.afters,
        size,
        tile=getattr(settings, "tile", TrainSettings().tile),
        seed=settings.seed,
        device=devices.resolve(gpu.LAB_DEVICE),
        masks=taught.masks,
    )
    solution = lesson.sums(taught, size)[0].solve(offset=False)
    why = wording.why(solution, float(np.abs(solution.kernel - truth).max()))
    pictures = list(taught.pairs())
    start = {"init": settings.init, "seed": settings.seed, "device": gpu.LAB_DEVICE}
    return race.runners(names, tiles, pictures, truth, **start), why


def _obstacle(names: Sequence[str], size: int) -> str:
    if len(names) < 2:
        return wording.TOO_FEW
    return wording.too_large(size, MAX_SIZE) if size > MAX_SIZE else ""


def _buttons(racing: bool) -> tuple:
    return gr.update(interactive=not racing), gr.update(interactive=racing)
