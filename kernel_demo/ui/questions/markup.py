"""The pieces of HTML that the answers are made of: tables, pictures, progress."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kernel_demo.numbers import short
from kernel_demo.ui.html import each, fill, filled, joined, matrix

ANSWERS = "answers"  # the group of which a browser leaves one open
NUMBERS_UP_TO = 5  # larger kernels are drawn in colour alone


def result(*parts: str, done: bool = True, **figures: float | str) -> str:
    """An answer: its parts one below the other, and its figures as attributes for a script."""
    data = each(' data-{}="{}"', ((name.replace("_", "-"), figures[name]) for name in figures))
    template = '<div class="kd-answer" data-done="{}"{}>{}</div>'
    return filled(template, str(done).lower(), data, joined(parts))


def folding(answer: str, finding: str) -> str:
    """An answer that can be folded, to its finding, and is when another is opened (HTML)."""
    return filled(
        '<details class="kd-answer-fold" name="{}" open><summary>Answer<span>{}</span></summary>{}'
        "</details>",
        ANSWERS,
        f": {finding}" if finding else "",
        Markup(answer),
    )


def sentence(text: str, tone: str = "good") -> str:
    """What the experiment showed. tone: good, warm (it failed, as foretold), or plain."""
    return filled('<p class="kd-finding kd-finding-{}">{}</p>', tone, text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table whose first column names the row; the others hold figures."""
    body = each(
        '<tr><th scope="row">{}</th>{}</tr>',
        ((first, each("<td>{}</td>", zip(rest))) for first, *rest in rows),
    )
    return filled(
        '<div class="kd-table-frame" tabindex="0" role="group"><table class="kd-table">{}'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        each("<caption>{}</caption>", [[caption]] if caption else []),
        each('<th scope="col">{}</th>', zip(headings)),
        body,
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
        parts += [filled('<span class="kd-sign" aria-hidden="true">{}</span>', sign), figure]
    return filled('<div class="kd-matrices">{}</div>', joined(parts))


def product(column: np.ndarray, row: np.ndarray, names: tuple[str, str]) -> str:
    """A column times a row, drawn as the two vectors that they are."""
    scale = max(float(np.abs(column).max()), float(np.abs(row).max()))
    drawn = each(
        '<figure class="kd-vector kd-vector-{}"><figcaption>{}</figcaption><div>{}</div></figure>',
        (("column", names[0], _vector(column, scale)), ("row", names[1], _vector(row, scale))),
    )
    return filled('<div class="kd-matrices kd-product">{}</div>', drawn)


def beside(*parts: str) -> str:
    """Parts side by side where there is room."""
    return filled('<div class="kd-beside">{}</div>', joined(parts))


def heading(text: str) -> str:
    """What the answer is about, where a card has several."""
    return filled("<h3>{}</h3>", text)


def pictures(shown: Sequence[tuple[str, str, str]], kind: str = "") -> str:
    """Pictures side by side: (data URL, caption, a quieter line below it).

    kind: "magnified" (every pixel a square), "wide" (one below the other) or "small".
    """
    figures = each(
        '<figure><img src="{0}" alt="{1}"><figcaption><b>{1}</b>{2}</figcaption></figure>', shown
    )
    return filled('<div class="kd-strip {}">{}</div>', kind and f"kd-strip-{kind}", figures)


def magnified(views: Sequence[str], names: Sequence[str]) -> str:
    """Views of pixels (HTML), every pixel a square, side by side over their names."""
    figures = each(
        "<figure>{}<figcaption><b>{}</b></figcaption></figure>",
        zip(map(Markup, views), names, strict=True),
    )
    return filled('<div class="kd-strip kd-strip-magnified">{}</div>', figures)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """(number, what it is), large and side by side."""
    inside = each("<div><dd>{}</dd><dt>{}</dt></div>", pairs)
    return filled('<dl class="kd-figures">{}</dl>', inside)


def progress(fraction: float, text: str) -> str:
    """A bar and what it stands for."""
    return filled(
        '<div class="kd-progress"><div role="progressbar" aria-label="{0}" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="{1}"><i style="width:{1}%"></i></div>'
        "<span>{0}</span></div>",
        text,
        round(100 * min(max(fraction, 0.0), 1.0)),
    )


def _vector(values: np.ndarray, scale: float) -> Markup:
    cells = ((fill(value, scale), short(float(value) + 0.0)) for value in values)
    return each('<span style="{}">{}</span>', cells)
