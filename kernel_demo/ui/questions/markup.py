"""The pieces of HTML that the answers are made of: tables, charts, pictures, progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from kernel_demo.ui.html import fill, matrix, short
from kernel_demo.ui.html import quiet as note

__all__ = [
    "Curve", "chart", "facts", "matrices", "note", "pictures", "progress", "result", "sentence",
    "table",
]  # fmt: skip

CHART_POINTS = 200  # of a curve; more would not be seen
NUMBERS_UP_TO = 5  # larger kernels are drawn in colour alone
_WIDTH, _HEIGHT = 1000, 200  # units of the drawing, stretched to the card


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]  # (x, y), x ascending
    tone: str  # "accent", "warm" or "muted": a colour of the theme


def result(*parts: str, done: bool = True, **figures: float | str) -> str:
    """An answer: its parts one below the other, and its figures as attributes for a script."""
    data = "".join(
        f' data-{name.replace("_", "-")}="{escape(str(value))}"' for name, value in figures.items()
    )
    inside = "".join(parts)
    return f'<div class="kd-answer" data-done="{str(done).lower()}"{data}>{inside}</div>'


def sentence(text: str, tone: str = "good") -> str:
    """What the experiment showed. tone: good, warm (it failed, as foretold), or plain."""
    return f'<p class="kd-finding kd-finding-{tone}">{escape(text)}</p>'


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table whose first column names the row; the others hold figures."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        '<div class="kd-table-frame" tabindex="0" role="group">'
        f'<table class="kd-table">{told}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def matrices(
    kernels: Sequence[tuple[str, np.ndarray]],
    signs: Sequence[str] = (),
    *,
    one_scale: bool = True,
    decimals: int = 3,
) -> str:
    """Kernels side by side under their captions, on one scale of colour or each on its own.

    Numbers are rounded to `decimals`, and left out where cells are small.
    """
    largest = max(float(np.abs(values).max()) for _, values in kernels)
    drawn = [
        matrix(
            np.round(values, decimals) + 0.0 if largest > 0.1 else values,
            caption=caption,
            scale=largest if one_scale else None,
            numbers=len(values) <= NUMBERS_UP_TO,
        )
        for caption, values in kernels
    ]
    parts = [drawn[0]]
    for sign, figure in zip([*signs, *[""] * len(drawn)], drawn[1:], strict=False):
        parts += [f'<span class="kd-sign" aria-hidden="true">{escape(sign)}</span>', figure]
    return f'<div class="kd-matrices">{"".join(parts)}</div>'


def product(column: np.ndarray, row: np.ndarray, names: tuple[str, str]) -> str:
    """A column times a row, drawn as the two vectors that they are."""
    scale = max(float(np.abs(column).max()), float(np.abs(row).max()))
    drawn = "".join(
        f'<figure class="kd-vector kd-vector-{kind}"><figcaption>{escape(name)}</figcaption>'
        f"<div>{_vector(values, scale)}</div></figure>"
        for kind, name, values in (("column", names[0], column), ("row", names[1], row))
    )
    return f'<div class="kd-matrices kd-product">{drawn}</div>'


def beside(*parts: str) -> str:
    """Parts side by side where there is room."""
    return f'<div class="kd-beside">{"".join(parts)}</div>'


def heading(text: str) -> str:
    """What the answer is about, where a card has several."""
    return f"<h4>{escape(text)}</h4>"


def pictures(shown: Sequence[tuple[str, str, str]], kind: str = "") -> str:
    """Pictures side by side: (data URL, caption, a quieter line below it).

    kind: "magnified" (every pixel a square) or "wide" (one below the other).
    """
    figures = "".join(
        f'<figure><img src="{url}" alt="{escape(caption)}">'
        f"<figcaption><b>{escape(caption)}</b>{escape(below)}</figcaption></figure>"
        for url, caption, below in shown
    )
    return f'<div class="kd-strip {kind and f"kd-strip-{kind}"}">{figures}</div>'


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """(number, what it is), large and side by side."""
    inside = "".join(
        f"<div><dd>{escape(number)}</dd><dt>{escape(meaning)}</dt></div>"
        for number, meaning in pairs
    )
    return f'<dl class="kd-figures">{inside}</dl>'


def progress(fraction: float, text: str) -> str:
    """A bar and what it stands for."""
    percent = round(100 * min(max(fraction, 0.0), 1.0))
    return (
        f'<div class="kd-progress"><div role="progressbar" aria-label="{escape(text)}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div><span>{escape(text)}</span></div>'
    )


def chart(
    curves: Sequence[Curve],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    y_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> str:
    """Curves over a common axis, in the theme's colours. y_ticks: (place, what to write)."""
    across = max(x_range[1] - x_range[0], 1e-9)
    up = max(y_range[1] - y_range[0], 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        top = 1 - min(max((y - y_range[0]) / up, 0.0), 1.0)
        return (x - x_range[0]) / across * _WIDTH, top * _HEIGHT

    lines = "".join(
        f'<polyline class="kd-tone-{curve.tone}" points="'
        + " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in _thinned(curve.points))
        + '"/>'
        for curve in curves
    )
    grid = "".join(
        f'<line x1="0" x2="{_WIDTH}" y1="{place(0, y)[1]:.1f}" y2="{place(0, y)[1]:.1f}"/>'
        for y, _ in y_ticks
    )
    ticks = "".join(
        f'<span style="top:{place(0, y)[1] / _HEIGHT:.1%}">{escape(text)}</span>'
        for y, text in y_ticks
    )
    legend = "".join(
        f'<span><i class="kd-tone-{curve.tone}"></i>{escape(curve.name)}</span>' for curve in curves
    )
    return (
        f'<figure class="kd-chart"><figcaption><b>{escape(y_label)}</b>{legend}</figcaption>'
        f'<div class="kd-chart-plot"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" '
        f'preserveAspectRatio="none">{grid}{lines}</svg>'
        f'<div class="kd-chart-ticks" aria-hidden="true">{ticks}</div></div>'
        f'<p class="kd-chart-x" aria-hidden="true">{escape(x_label)}</p></figure>'
    )


def _vector(values: np.ndarray, scale: float) -> str:
    return "".join(
        f'<span style="{fill(value, scale)}">{short(float(value) + 0.0)}</span>' for value in values
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    every = -(-len(points) // CHART_POINTS) or 1
    return [*points[:-1:every], *points[-1:]]
