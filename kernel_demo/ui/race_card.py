"""The card "Race": the chosen methods learn what the page is set to, side by side.

Each update is one dict, complete by itself and numbered, as in `live_view`; curves travel as chunks
of base64 triples (step, seconds, kernel error) of which only the last one changes.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices, pairs, race
from kernel_demo.learning.race import GOALS, Lane, Snapshot
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import experiment_form, gpu, lesson
from kernel_demo.ui.events import DEVICE_QUEUE, QUIET, RUNS_AT_ONCE, halt
from kernel_demo.ui.live_history import CHUNK, LARGEST, encode
from kernel_demo.ui.markup import block, quiet, title
from kernel_demo.ui.session import Experiment
from kernel_demo.ui.wording import race as wording

DEFAULT = ["kfac", "adam", "sgd", "exact_lbfgs", "closed_form"]
LIMIT = 6.0  # seconds of its own that each method has
MAX_SIZE = 15  # beyond it one turn of an exact method takes longer than LIMIT
FRAME_SECONDS = 0.1
PLACES = 40  # points that a curve keeps in each decade of steps, and of seconds
DEVICE = "cpu" if gpu.spaces else "auto"  # a Space's visitors have few seconds of GPU: none here
FOLDER = Path(__file__).parent

TEMPLATE = """
<section class="kd-race" aria-label="{title}" data-kind="idle" data-done="false">
  <p class="kd-error" role="alert" hidden></p>
  <p class="kd-note" data-part="invitation">{invitation}</p>
  <div data-part="race" hidden>
    <div class="kd-race-curves">
      <div><header><b>{error}</b> {by_seconds}</header>
        <canvas data-by="seconds" role="img" aria-label="{error} {by_seconds}"></canvas></div>
      <div><header><b>{error}</b> {by_steps}</header>
        <canvas data-by="steps" role="img" aria-label="{error} {by_steps}"></canvas></div>
    </div>
    <table><thead><tr><th scope="col">{method}</th>{goals}<th scope="col">{now}</th></tr></thead>
      <tbody></tbody></table>
    <p class="kd-race-verdict" data-part="verdict" aria-live="polite"></p>
    <p class="kd-note" data-part="why"></p>
  </div>
</section>
"""


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
        block(title(wording.TITLE))
        methods = gr.CheckboxGroup(
            wording.METHODS, value=DEFAULT, label=wording.METHODS_LABEL, show_label=False,
            container=False, elem_classes="kd-race-methods", elem_id="race-methods",
        )  # fmt: skip
        with gr.Row(elem_classes="kd-buttons kd-race-buttons"):
            start = gr.Button(wording.START, size="sm", elem_id="race")
            stop = gr.Button(wording.STOP, size="sm", interactive=False, elem_id="race-stop")
        reason = block("", "race-reason")
        view = component()
    return RaceCard(methods, start, stop, reason, view)


def component(elem_id: str = "race-view") -> gr.HTML:
    """The curves and the table, or an invitation before there are any."""
    goals = "".join(
        f'<th scope="col"><span>{wording.WORDS["within"]} </span>{wording.GOAL_NAMES[goal]}</th>'
        for goal in GOALS
    )
    script = "\n".join(
        (FOLDER / name).read_text("utf-8") for name in ("live_drawing.js", "race_view.js")
    )
    words = wording.WORDS
    return gr.HTML(
        {"kind": "idle"},
        html_template=TEMPLATE.format(
            title=wording.TITLE, invitation=wording.INVITATION, goals=goals, **words
        ),
        js_on_load=script,
        apply_default_css=False,
        elem_id=elem_id,
        words=words,
        goals=list(GOALS),
        chunk=CHUNK,
    )


def connect(card: RaceCard, values: list, size: gr.Dropdown) -> None:
    """Connect the card; values: `experiment_form.inputs`, size: of the kernel."""
    buttons = [card.start, card.stop]
    running = card.start.click(
        run, [card.methods, *values], [card.view, *buttons], trigger_mode="once",
        concurrency_id=DEVICE_QUEUE, concurrency_limit=RUNS_AT_ONCE, **QUIET,
    )  # fmt: skip
    halt(card.stop, stop, None, [card.view, *buttons], [running])
    gr.on(
        [card.methods.input, size.change], ready, [card.methods, size], [card.start, card.reason],
        queue=False, trigger_mode="always_last", **QUIET,
    )  # fmt: skip


def ready(names: Sequence[str], size: int | None) -> tuple:
    """Whether Race can be pressed, and if not, why."""
    reason = _obstacle(names, int(size or 3))
    return gr.update(interactive=not reason), quiet(reason)


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


def stream(names: Sequence[str], experiment: Experiment, limit: float = LIMIT) -> Iterator[dict]:
    """The view's values, at most one each FRAME_SECONDS; the last one is `done`."""
    number, run_id = 0, secrets.token_hex(4)
    empty = [Lane(name, *np.zeros((3, 0)), None, (), False, "") for name in names]
    yield frame(run_id, number, Snapshot(tuple(empty), False), limit)
    taught = lesson.prepare(experiment)
    runners, why = _runners(names, experiment, taught)
    shown = float("-inf")
    with closing(race.race(runners, limit=limit)) as snapshots:
        for snapshot in snapshots:
            if time.monotonic() - shown >= FRAME_SECONDS or snapshot.done:
                shown, number = time.monotonic(), number + 1
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
        device=devices.resolve(DEVICE),
        masks=taught.masks,
    )
    solution = lesson.sums(taught, size)[0].solve(offset=False)
    why = wording.why(solution, float(np.abs(solution.kernel - truth).max()))
    pictures = list(taught.pairs())
    start = {"init": settings.init, "seed": settings.seed, "device": DEVICE}
    return race.runners(names, tiles, pictures, truth, **start), why


def frame(run_id: str, number: int, snapshot: Snapshot, limit: float, why: str = "") -> dict:
    """The value of one update. run_id: another one for each race; number: ascending within it."""
    lanes = snapshot.lanes
    best = {
        goal: min(
            (a.seconds for lane in lanes for a in lane.arrivals if a.goal == goal), default=None
        )
        for goal in GOALS
    }
    return {
        "kind": "race",
        "run": run_id,
        "number": number,
        "done": snapshot.done,
        "limit": limit,
        "lanes": [_lane(lane, best) for lane in lanes],
        "verdict": _verdict(snapshot, limit),
        "why": why,
    }


def _verdict(snapshot: Snapshot, limit: float) -> str:
    if snapshot.done:
        return wording.verdict(snapshot.lanes, limit)
    begun = any(len(lane.steps) for lane in snapshot.lanes)
    return wording.rules(limit) if begun else wording.PREPARING


def _lane(lane: Lane, best: dict[float, float | None]) -> dict:
    arrived = {arrival.goal: arrival for arrival in lane.arrivals}
    errors = lane.kernel_error
    return {
        "name": lane.name,
        "label": wording.LABELS[lane.name],
        "points": chunks(lane),
        "cells": [
            None
            if goal not in arrived
            else {
                "seconds": wording.seconds(arrived[goal].seconds),
                "steps": wording.steps(arrived[goal].step),
                "first": arrived[goal].seconds == best[goal],
            }
            for goal in GOALS
        ],
        "now": wording.figure(errors[-1]) if len(errors) else "",
        "done": lane.done,
        "reason": lane.stopped_because,
    }


def chunks(lane: Lane) -> list[str]:
    """Base64 of float32 triples (step, seconds, kernel error), CHUNK of them each.

    At most PLACES points a decade of steps and of seconds, beside the arrivals and the last one:
    bounded however long it runs. A point that was kept stays, so full chunks never change.
    """
    points = np.stack([lane.steps, lane.seconds, lane.kernel_error], axis=1)
    points = points[np.isfinite(points).all(axis=1) & (points[:, 2] <= LARGEST)]
    place = np.floor(PLACES * np.log10(np.maximum(points[:, :2], 1e-4)))
    kept = np.ones(len(points), bool)
    kept[1:] = (np.diff(place, axis=0) != 0).any(axis=1)
    for arrival in lane.arrivals:
        kept |= points[:, 0] == arrival.step
    kept[-1:] = True
    points = points[kept]
    return [encode(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]


def _obstacle(names: Sequence[str], size: int) -> str:
    if len(names) < 2:
        return wording.TOO_FEW
    return wording.too_large(size, MAX_SIZE) if size > MAX_SIZE else ""


def _buttons(racing: bool) -> tuple:
    return gr.update(interactive=not racing), gr.update(interactive=racing)
