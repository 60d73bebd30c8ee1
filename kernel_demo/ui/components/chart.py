"""Curves in an answer (HTML), drawn by the chart of the stage and the race."""

import json
import math
from collections.abc import Mapping, Sequence

from kernel_demo.ui.components import script
from kernel_demo.ui.html import each, filled

POINTS, DIGITS = 200, 5  # of a curve, and of its numbers; more would not be seen
TONES = "accent", "warm"  # of the curves, in order: colours of the theme


def html(
    title: str, curves: Mapping[str, Sequence[tuple[float, float]]], axis: tuple[float, float],
    end: str, *, every: float = 0, done: bool = True,
) -> str:  # fmt: skip
    """Curves of an answer so far, or at last (`done`); it needs `in_html()` as its place's script.

    curves: by their names, points (x >= 0, y), x ascending. axis: of y; decades (low, high), and
    more where the curves need them, or numbers, a line at `every` so many. end: what to write at
    the axis of x's end, "{}" for the number.
    """
    toned = list(zip(TONES, curves, strict=False))
    figures = {
        "curves": [[tone, _thinned(curves[name])] for tone, name in toned],
        "axis": axis,
        "end": end,
        "every": every,
        "done": done,
    }
    return filled(
        '<figure class="kd-chart"><figcaption><b>{}</b>{}</figcaption>'
        '<canvas data-chart="{}" aria-hidden="true"></canvas></figure>',
        title,
        each('<span><i class="kd-tone-{}"></i><span>{}</span></span>', toned),
        json.dumps(figures),
    )  # fmt: skip


def in_html() -> str:
    """The script of a place that answers with charts are put into."""
    return script("drawing", "chart", "charted")


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    known = [point for point in points if math.isfinite(point[1])]
    every = -(-len(known) // POINTS) or 1
    return [tuple(map(_short, point)) for point in (*known[:-1:every], *known[-1:])]


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
