"""A kernel as a small table of coloured numbers: still, and readable without a script."""

from html import escape

import numpy as np

from kernel_demo.ui.components.stage_words import WORDS

NUMBERS_UP_TO = 7  # larger kernels are drawn in colour alone; the numbers are in each cell's title


def matrix(
    values: np.ndarray,
    *,
    errors: np.ndarray | None = None,
    caption: str = "",
    scale: float | None = None,
    numbers: bool = True,
) -> str:
    """(k, k) values as HTML: blue below zero, orange above, the deeper the larger.

    errors: (k, k) standard errors, shown below the numbers.
    scale: the value of the deepest colour; by default the largest magnitude.
    """
    size = len(values)
    scale = scale or float(np.abs(values).max()) or 1.0
    small = numbers and size <= NUMBERS_UP_TO
    cells = "".join(
        _cell(values[i, j], None if errors is None else errors[i, j], scale, small)
        for i in range(size)
        for j in range(size)
    )
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="kd-matrix" style="--kd-size:{size}">{told}'
        f'<div role="img" aria-label="{escape(_spoken(values, caption))}">{cells}</div></figure>'
    )


def short(value: float) -> str:
    """Up to three digits, no trailing zeros, a real minus sign."""
    text = f"{value:.3g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.0e}"
    return text.replace("e-0", "e-").replace("-", "−")


def fill(value: float, scale: float) -> str:
    """A cell's colour, for its attribute style; the ink on it is chosen in page.css."""
    share = min(100, round(100 * abs(value) / scale))
    side = "negative" if value < 0 else "positive"
    return f"--fill:color-mix(in oklab, var(--kd-{side}) {share}%, var(--kd-zero))"


def _cell(value: float, error: float | None, scale: float, small: bool) -> str:
    title = short(value) if error is None else f"{short(value)} ± {error:.1e}"
    inside = ""
    if small:
        below = "" if error is None else f"<small>±{error:.0e}</small>".replace("e-0", "e−")
        inside = f"{short(value)}{below}"
    return f'<span style="{fill(value, scale)}" title="{title}">{inside}</span>'


def _spoken(values: np.ndarray, caption: str) -> str:
    if len(values) <= NUMBERS_UP_TO:
        told = "; ".join(", ".join(map(short, row)) for row in values)
    else:
        told = f"{WORDS['from']} {short(values.min())} {WORDS['to']} {short(values.max())}"
    return f"{caption}: {told}" if caption else told
