"""Errors of weights on one scale: what was reached beside what could be, each a line of its own."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from kernel_demo.numbers import figure, power_of_ten
from kernel_demo.ui.html import each, filled

LABELS = 5  # along the axis, at most
CAPTION = "each tick: ten times less"


def scale(marks: Sequence[tuple[str, str, float]]) -> str:
    """The marks from large to small, on a logarithmic axis; nothing where none is finite.

    marks: what it is, the figure in words with {} for the value, the largest error of a weight. An
    error of 0 stands at the small end.
    """
    marks = [mark for mark in marks if math.isfinite(mark[2])]
    powers = [math.log10(value) for *_, value in marks if value > 0]
    if not powers:
        return ""
    first, last = math.ceil(max(*powers, 0)), math.floor(min(*powers, -3))

    def place(power: float) -> str:
        return f"{100 * (first - power) / (first - last):.1f}%"

    def place_of(value: float) -> str:
        return place(math.log10(value)) if value > 0 else "100%"

    ticks = range(first, last - 1, -1)
    step = math.ceil((first - last) / (LABELS - 1))
    return filled(
        '<div class="kd-scale">{}<div class="kd-scale-axis" aria-hidden="true">{}</div></div>',
        each(
            '<p style="--at:{}"><span><b>{}</b> {}</span></p>',
            [(place_of(value), name, text.format(figure(value))) for name, text, value in marks],
        ),
        each('<i style="--at:{}">{}</i>', [(place(p), _label(p, step, first)) for p in ticks]),
    )


def _label(power: int, step: int, first: int) -> str | Markup:
    if (first - power) % step:
        return ""
    return "1" if power == 0 else power_of_ten(power)
