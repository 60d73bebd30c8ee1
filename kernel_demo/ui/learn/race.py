"""The card "Race": the chosen methods learn what the page is set to, side by side."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning import race
from kernel_demo.learning.race import GOALS, Lane, Snapshot
from kernel_demo.learning.statistics import Solution
from kernel_demo.learning.training import TrainSettings
from kernel_demo.numbers import figure
from kernel_demo.ui import device, landing
from kernel_demo.ui.components.freshness import Freshness, Made
from kernel_demo.ui.components.race_chart import LABELS, METHODS, WORDS, component, frame
from kernel_demo.ui.html import block, button, listed, quiet, title
from kernel_demo.ui.landing import Found, Place
from kernel_demo.ui.learn.session import Experiment, Lesson, prepare
from kernel_demo.ui.learn.settings import experiment, named
from kernel_demo.ui.serving.jobs import (
    DEVICE,
    LATER,
    PRIVATE,
    QUIET,
    Job,
    buttons,
    failure,
    throttled,
)

DEFAULT = ["kfac", "adam", "sgd", "exact_lbfgs", "closed_form"]
LIMIT = 6.0  # seconds of its own that each method has
MAX_SIZE = 15  # beyond it one turn of an exact method takes longer than LIMIT
FRAME_SECONDS = 0.1

SHARE = """(names) => document.dispatchEvent(
  new CustomEvent('kd-share', { detail: { id: 'race-link', added: { race: names.join() } } }))"""
TOO_FEW = "Choose at least two methods."
WHY_KFAC = (
    "The page begins with K-FAC all the same, as it is a way to train: the closed form and the "
    "exact methods live on sums that tell all about one layer under squared loss and nothing about "
    "a deeper network; K-FAC needs none and trains those, too."
)
STALE = (
    "This race was run by other methods or with other settings than those of the page now. "
    "Race anew, or set them back."
)


def build(controls: Mapping, seconds: float) -> tuple[Made, gr.events.Dependency, Place]:
    """Lay the card out inside the current column, and connect it.

    controls: by the names of their settings. seconds: how long the state of a visitor who left is
    kept. Returns what a race was made from, the event that answers who asked for one, and where a
    link to a race lands.
    """
    with gr.Column(elem_classes="kd-card", elem_id="race-card"):
        with gr.Row(elem_classes="kd-head"):
            block(title(WORDS["title"]))
            share = button("Copy link", "race-link", size="sm")
            start = button("Race", "race", size="sm")
            halt = button("Stop", "race-stop", size="sm", interactive=False)
        with gr.Accordion("Who races", open=False, elem_classes="kd-fold"):
            methods = gr.CheckboxGroup(
                METHODS, value=DEFAULT, label="Who races", show_label=False, container=False,
                elem_classes="kd-race-methods", elem_id="race-methods",
            )  # fmt: skip
        reason = block("", "race-reason")  # why Race cannot be pressed; empty while it can
        fresh = Freshness("race-stale", ["race-view"], [], STALE)
        view = component()
    made = gr.State(None, time_to_live=seconds)  # the `course` of the race that is shown
    asked = [methods, *controls.values()]
    runs = Job([view, start, halt, made], failed)
    runs.begin(start.click, named(announce), named(run), asked, **DEVICE)
    runs.halt(halt.click, stop)
    gr.on(
        [methods.input, controls["size"].change], ready, [methods, controls["size"]],
        [start, reason], queue=False, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    share.click(fn=None, inputs=methods, js=SHARE, **PRIVATE)
    place = Place(landing.RACE, landing.LEARN, "a race", ",".join(DEFAULT), find, (methods,))
    return Made(fresh, [made], asked, named(stale)), runs.heard[0], place


def find(asked: str) -> Found | None:
    """The race that a link names by who races, such as kfac,adam."""
    names = [name for _, name in METHODS if name in asked.split(",")]
    if len(names) < 2 or len(names) != len(asked.split(",")):
        return None
    racers = listed([LABELS[name] for name in names])
    about = f"{racers} learn the same filter from the same pictures: who gets how close, and when?"
    return Found("race-card", "race", f"A race of {len(names)} methods", about, updates=(names,))


def ready(names: Sequence[str], size: int | None) -> tuple:
    """Whether Race can be pressed, and if not, why."""
    reason = _obstacle(names, int(size or 3))
    return gr.update(interactive=not reason), quiet(reason)


def course(names: Sequence[str], wanted: Experiment) -> tuple:
    """All that decides a race: who races, and what of the experiment it takes."""
    settings = wanted.settings or TrainSettings()
    tile = getattr(settings, "tile", TrainSettings().tile)
    return frozenset(names), wanted.taught, tile, settings.init, settings.seed


def stale(made: tuple | None, names: Sequence[str], values: Mapping) -> bool:
    """Whether the page is set to another race than the one shown."""
    try:
        return made is not None and made != course(names or (), experiment(values))
    except DemoError:
        return True


def announce(names: Sequence[str], values: Mapping) -> tuple:
    """The starting line, or why there is no race: the first update of `run`."""
    with closing(run(names, values)) as updates:
        return next(updates)


def run(names: Sequence[str], values: Mapping) -> Iterator[tuple]:
    """The race as updates of the view, the two buttons, and what the view was made from."""
    try:
        wanted = experiment(values)
        obstacle = _obstacle(names, len(wanted.weights))
        if obstacle:
            received = f"{len(names)} and {len(wanted.weights)}"
            raise DemoError(f"several methods and a size up to {MAX_SIZE}", received, obstacle)
        made = course(names, wanted)
        with closing(stream(names, wanted)) as updates:
            for update in updates:
                yield update, *buttons(not update["done"]), made
    except DemoError as error:
        yield {"kind": "error", "error": str(error)}, *buttons(False), gr.skip()


def stop() -> tuple:
    """The race ends here; what was drawn stays."""
    return {"kind": "stopped"}, *buttons(False), gr.skip()


def failed() -> tuple:
    """The race could not be run, or not to its end; what was drawn stays."""
    return {"kind": "stopped", "error": failure()}, *buttons(False), gr.skip()


def stream(names: Sequence[str], wanted: Experiment, limit: float = LIMIT) -> Iterator[dict]:
    """The view's values, at most one each FRAME_SECONDS; the last one is `done`."""
    run_id = secrets.token_hex(4)
    empty = [Lane(name, *np.zeros((3, 0)), None, (), False, None) for name in names]
    yield frame(run_id, 0, Snapshot(tuple(empty), False), limit)
    runners, reason, rates = _runners(names, wanted, prepare(wanted))
    with closing(
        throttled(race.race(runners, limit=limit), FRAME_SECONDS, LATER * FRAME_SECONDS)
    ) as snapshots:
        for number, snapshot in enumerate(snapshots, 1):
            yield frame(run_id, number, snapshot, limit, reason, rates)


def _runners(names: Sequence[str], wanted: Experiment, taught: Lesson) -> tuple:
    """The runners, the sentence that explains how they will fare, and the rates searched for."""
    truth, settings = wanted.truth, wanted.settings or TrainSettings()
    tiles = device.tiles(taught.pairs, len(truth), settings)
    solution = taught.sums(len(truth))[0].solve(offset=False)
    reason = why(solution, float(np.abs(solution.kernel - truth).max()))
    start = {"init": settings.init, "seed": settings.seed, "device": device.LAB_DEVICE}
    rates = race.rates(names, tiles, len(truth))
    return race.runners(names, tiles, taught.pairs, truth, **start), reason, rates


def why(solution: Solution, best_error: float) -> str:
    """What the pictures have to do with it; best_error: of the best kernel that they allow."""
    if solution.singular:
        return f"{solution.cause} {solution.remedy}"
    reason = (
        f"Why: the condition number of these pictures is {figure(solution.condition)}. Plain "
        "gradients need steps in proportion to it for the finest patterns; K-FAC (a natural "
        f"gradient), exact L-BFGS and the closed form correct for it. {WHY_KFAC}"
    )
    if best_error <= GOALS[-1]:
        return reason
    return (
        f"{reason} Even the best kernel that these noisy pictures allow is {figure(best_error)} "
        "from the true one."
    )


def _obstacle(names: Sequence[str], size: int) -> str:
    """Why there is no such race; empty: there is."""
    if len(names) < 2:
        return TOO_FEW
    if size <= MAX_SIZE:
        return ""
    return (
        f"Races are for kernels up to {MAX_SIZE} × {MAX_SIZE}: at {size} × {size} a single turn "
        "takes longer than the whole race."
    )
