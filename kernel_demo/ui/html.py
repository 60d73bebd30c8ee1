"""The pieces that every tab uses: controls in the page's look; lines, headings, kernels as tables.

All text is escaped in one place, `filled`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from kernel_demo.errors import DemoError
from kernel_demo.numbers import between, bound, powered, short, within
from kernel_demo.ui import served

# What one tab says of another.
CERTIFICATE = "How sure is this?"  # the title of Learn's panel, to which Questions points

NUMBERS_UP_TO = 7  # larger kernels are drawn in colour alone; the numbers are in each cell's title
ENTRIES = "entries from {} to {}"  # a large kernel, read out


def filled(template: str, *texts: object, **named: object) -> str:
    """The template with its {} filled: every text is escaped, unless it is `Markup`."""
    return str(Markup(template).format(*texts, **named))


def each(template: str, rows: Iterable[Sequence]) -> Markup:
    """The template filled with every row, one after the other."""
    return joined(filled(template, *row) for row in rows)


def joined(parts: Iterable[str]) -> Markup:
    """Pieces of HTML as one that `filled` takes as it is."""
    return Markup("".join(parts))


def listed(names: Sequence[str]) -> str:
    """a; a and b; a, b and c. At least one."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def block(
    html: str, elem_id: str | None = None, spoken: bool = False, script: str | None = None
) -> gr.HTML:
    """A piece of HTML in the page's own look, without gradio's typography.

    spoken: what comes to stand there is read out by screen readers. script: runs once, as of any
    gr.HTML.
    """
    if spoken:
        script = "element.setAttribute('aria-live', 'polite')"
    return gr.HTML(html, elem_id=elem_id, js_on_load=script, apply_default_css=False)


def dropdown(choices: Sequence, label: str, elem_id: str, **look: Any) -> gr.Dropdown:
    """A choice whose label stands beside it."""
    look = {"elem_classes": "kd-field"} | look
    return gr.Dropdown(choices, label=label, elem_id=elem_id, **look)


def segmented(choices: Sequence[tuple[str, str]], label: str, elem_id: str) -> gr.Radio:
    """A choice among few, side by side; the first one holds. The label is heard, not seen."""
    return gr.Radio(
        choices, value=choices[0][1], label=label, show_label=False, container=False,
        elem_classes="kd-segmented", elem_id=elem_id,
    )  # fmt: skip


def button(text: str, elem_id: str, make: Callable = gr.Button, **look: Any) -> gr.Button:
    """A button as wide as its text."""
    return make(text, elem_id=elem_id, scale=0, min_width=60, **look)


def upload_field(label: str, elem_id: str, **look: Any) -> gr.File:
    """A place for the visitor's files; its value is their paths."""
    return gr.File(file_count="multiple", type="filepath", label=label, elem_id=elem_id, **look)


def square(sizes: Iterable[int]) -> list[tuple[str, int]]:
    """Sizes as choices: (label, value)."""
    return [(f"{size} × {size}", size) for size in sizes]


def quiet(text: str) -> str:
    """A line in the quiet tone of a note; nothing for an empty text."""
    return filled('<p class="kd-note">{}</p>', text) if text else ""


def title(text: str) -> str:
    """A card's heading."""
    return filled('<h2 class="kd-title">{}</h2>', text)


def step_title(number: int, text: str) -> str:
    """A numbered card's heading."""
    return filled('<h2 class="kd-step"><b>{}</b><span>{}</span></h2>', number, text)


def problem(error: DemoError) -> str:
    """What a visitor can put right."""
    return alert(str(error))


def alert(text: str) -> str:
    """What went wrong, announced to screen readers too."""
    return filled('<p class="kd-error" role="alert">{}</p>', text)


def matrix(
    values: np.ndarray,
    *,
    errors: np.ndarray | None = None,
    ends: tuple[np.ndarray, np.ndarray] | None = None,
    caption: str = "",
    scale: float | None = None,
    numbers: bool = True,
) -> str:
    """(k, k) values as a table: blue below zero, orange above, the deeper the larger.

    errors: (k, k) standard errors, shown below the numbers: none where it is 0, ? for one that is
    not known. ends: (k, k) each, between which the values are for sure, shown instead of errors.
    scale: the value of the deepest colour; by default the largest magnitude.
    """
    size = len(values)
    scale = scale or float(np.abs(values).max()) or 1.0
    numbers = numbers and size <= NUMBERS_UP_TO
    bars = [None] * size**2 if errors is None else map(_estimated, errors.flat)
    if ends is not None:
        bars = map(_guaranteed, values.flat, *(end.flat for end in ends))
    return filled(
        '<figure class="kd-matrix" style="--kd-size:{}">{}<div role="img" aria-label="{}">{}</div>'
        "</figure>",
        size,
        each("<figcaption>{}</figcaption>", [[caption]] if caption else []),
        _spoken(values, caption),
        joined(
            _cell(value, bar, scale, numbers) for value, bar in zip(values.flat, bars, strict=True)
        ),
    )


def fill(value: float, scale: float) -> str:
    """A cell's colour, for its attribute style; the ink on it is chosen in html.css."""
    return f"--fill:{_mixed(value, scale)}"


def _mixed(value: float, scale: float) -> str:
    share = min(100, round(100 * abs(value) / scale))
    side = "negative" if value < 0 else "positive"
    return f"color-mix(in oklab, var(--kd-{side}) {share}%, var(--kd-zero))"


def glyph(values: np.ndarray) -> str:
    """(k, k) values, small, as the CSS `background` of an element: a kernel beside its name."""
    size = len(values)
    scale = float(np.abs(values).max()) or 1.0
    side = f"{84 / size:.3g}%"
    return ", ".join(
        f"linear-gradient({_mixed(value, scale)} 0 0) {100 * j / (size - 1):.3g}% "
        f"{100 * i / (size - 1):.3g}% / {side} {side} no-repeat"
        for (i, j), value in np.ndenumerate(values)
    )


def in_menu(kernels: Mapping[str, np.ndarray]) -> str:
    """The style sheet by which options of these names in a list have small pictures (HTML)."""
    look = "display: inline-block; width: 20px; height: 20px; margin-right: 8px; content: '';"
    rules = (
        f'[role=option][aria-label="{label}"]::before {{ {look} background: {glyph(values)}; }}'
        for label, values in kernels.items()
    )
    return served.sheet(rules)


def _cell(value: float, bar: tuple[str, str] | None, scale: float, numbers: bool) -> str:
    """bar: as it is read, and what stands in the cell; None: none."""
    title, inside = short(value), short(value) if numbers else ""
    if bar:
        title += f" {bar[0]}"
        inside += f"<small>{bar[1]}</small>" if numbers else ""
    return f'<span style="{fill(value, scale)}" title="{title}">{inside}</span>'


def _estimated(error: float) -> tuple[str, str] | None:
    if not error:
        return None
    known = np.isfinite(error)
    return tuple(within(powered(error, decimals) if known else "?") for decimals in (1, 0))


def _guaranteed(value: float, low: float, high: float) -> tuple[str, str]:
    """The ends rounded outwards, and the way to the farther one rounded upwards."""
    width = powered(bound(max(high - value, value - low), 1))
    return "guaranteed {} to {}".format(*between(low, high)), within(width)


def _spoken(values: np.ndarray, caption: str) -> str:
    if len(values) <= NUMBERS_UP_TO:
        told = "; ".join(", ".join(map(short, row)) for row in values)
    else:
        told = ENTRIES.format(short(values.min()), short(values.max()))
    return f"{caption}: {told}" if caption else told
