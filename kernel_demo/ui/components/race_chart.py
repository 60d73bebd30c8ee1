"""The curves and the table of a race, drawn by the browser.

Each update is one dict, complete by itself and numbered, as in `live_view`; curves travel as chunks
of base64 triples (step, seconds, kernel error) of which only the last one changes.
"""

from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.learning.race import GOALS, Lane, Snapshot
from kernel_demo.ui.components.history import CHUNK, LARGEST, encode
from kernel_demo.ui.learn import race_words as wording

PLACES = 40  # points that a curve keeps in each decade of steps, and of seconds
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


def component(elem_id: str = "race-view") -> gr.HTML:
    """The curves and the table, or an invitation before there are any."""
    goals = "".join(
        f'<th scope="col"><span>{wording.WORDS["within"]} </span>{wording.GOAL_NAMES[goal]}</th>'
        for goal in GOALS
    )
    script = "\n".join(
        (FOLDER / name).read_text("utf-8") for name in ("drawing.js", "race_chart.js")
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
