"""The curves and the table of a race, drawn by the browser.

Each update is one dict, complete by itself and numbered, as in `stage`; curves travel as chunks of
base64 triples (step, seconds, kernel error) of which only the last one changes.
"""

from collections.abc import Mapping, Sequence

import gradio as gr
import numpy as np

from kernel_demo.learning.race import GOALS, Arrival, Lane, Snapshot
from kernel_demo.numbers import count, duration, figure, short
from kernel_demo.ui.components import from_files
from kernel_demo.ui.components.kept import CHUNK, LARGEST, in_chunks
from kernel_demo.ui.html import listed

PLACES = 40  # points that a curve keeps in each decade of steps, and of seconds

METHODS = [
    ("K-FAC", "kfac"),
    ("Adam", "adam"),
    ("SGD", "sgd"),
    ("Exact L-BFGS", "exact_lbfgs"),
    ("Closed form", "closed_form"),
    ("Exact K-FAC", "exact_kfac"),
    ("Exact Adam", "exact_adam"),
    ("Exact SGD", "exact_sgd"),
]
LABELS = {name: label for label, name in METHODS}
GOAL_NAMES = {1e-2: "10⁻²", 1e-4: "10⁻⁴", 1e-6: "10⁻⁶"}
GOAL_WORDS = {1e-2: "a hundredth", 1e-4: "a ten-thousandth", 1e-6: "a millionth"}
PREPARING = "Preparing the pictures…"
RULES = "Each method has {:g} seconds of its own; the turns of the others do not count."
WORDS = {
    "title": "Race",
    "invitation": (
        "The methods learn your kernel from the same pictures and the same start, side by side. "
        "Press Race: who gets how close, and when?"
    ),
    "error": "Kernel error",
    "by_seconds": "against seconds",
    "by_steps": "against steps",
    "method": "Method",
    "within": "within",
    "now": "error",
    "first": "first",
    "never": "not reached",
    "stopped": "Stopped by you.",
}


def component(elem_id: str = "race-view") -> gr.HTML:
    """The curves and the table, or an invitation before there are any."""
    return from_files(
        "race_chart",
        {"kind": "idle"},
        elem_id,
        words=WORDS,
        shared=("drawing", "chart"),
        goals=list(GOALS),
        goal_names=[GOAL_NAMES[goal] for goal in GOALS],
        chunk=CHUNK,
    )


def frame(
    run_id: str,
    number: int,
    snapshot: Snapshot,
    limit: float,
    why: str = "",
    rates: Mapping[str, float] | None = None,
) -> dict:
    """The value of one update. run_id: another one for each race; number: ascending within it.

    rates: the learning rates of those that are told with theirs.
    """
    lanes, told = snapshot.lanes, PREPARING
    if snapshot.done:
        told = verdict(lanes, limit)
    elif any(len(lane.steps) for lane in lanes):
        told = RULES.format(limit)
    best = {goal: min(_times(lanes, goal).values(), default=None) for goal in GOALS}
    return {
        "kind": "race",
        "run": run_id,
        "number": number,
        "done": snapshot.done,
        "limit": limit,
        "lanes": [_lane(lane, best, (rates or {}).get(lane.name)) for lane in lanes],
        "verdict": told,
        "why": why,
    }


def _lane(lane: Lane, best: dict[float, float | None], rate: float | None) -> dict:
    arrived = {arrival.goal: arrival for arrival in lane.arrivals}
    errors = lane.kernel_error
    return {
        "name": lane.name,
        "label": LABELS[lane.name],
        "rate": "" if rate is None else f"rate {short(rate)}",
        "points": chunks(lane),
        "cells": [_cell(arrived.get(goal), best[goal]) for goal in GOALS],
        "now": figure(errors[-1]) if len(errors) else "",
        "done": lane.done,
        "reason": lane.stopped_because,
    }


def _cell(arrival: Arrival | None, best: float | None) -> dict | None:
    if arrival is None:
        return None
    steps = f"{count(arrival.step)} {'step' if arrival.step == 1 else 'steps'}"
    return {
        "seconds": duration(arrival.seconds),
        "steps": steps,
        "first": arrival.seconds == best,
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
    return in_chunks(points[kept])


def verdict(lanes: Sequence[Lane], limit: float) -> str:
    """Who won, and who did not arrive."""
    for goal in reversed(GOALS):
        times = _times(lanes, goal)
        if times:
            first = min(times, key=times.get)
            won = f"First within {GOAL_WORDS[goal]}: {LABELS[first]}, in {duration(times[first])}."
            late = [LABELS[lane.name] for lane in lanes if lane.name not in times]
            if not late:
                return f"{won} All arrived."
            return f"{won} {listed(late)} did not arrive in {limit:g} seconds."
    return f"Nobody came within {GOAL_WORDS[GOALS[0]]} in {limit:g} seconds."


def _times(lanes: Sequence[Lane], goal: float) -> dict[str, float]:
    """The seconds of those who arrived."""
    return {lane.name: a.seconds for lane in lanes for a in lane.arrivals if a.goal == goal}
