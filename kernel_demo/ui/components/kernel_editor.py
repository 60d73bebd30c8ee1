"""A grid of numbers that a visitor fills in by hand."""

from contextlib import suppress
from fractions import Fraction

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import MAX_VALUE, check, number, resized
from kernel_demo.ui.components import from_files

SIMPLE = 1000  # a weight that is a fraction with no larger denominator is written as that


def component(values: np.ndarray, elem_id: str) -> gr.HTML:
    """The editor, holding `values` (k, k). Its value is a dict with the rows as lists."""
    return from_files("kernel_editor", editor_value(values), elem_id)


def editor_value(values: np.ndarray) -> dict:
    """(k, k) values as the editor wants them: for each cell the shortest text that is its value."""
    return {"rows": [[_written(float(value)) for value in row] for row in values]}


def fitted(value: dict | None, size: int) -> dict:
    """The grid's value with another size; a cell that is no number becomes 0."""
    rows = (value or {}).get("rows") or [["0"]]
    side = max(len(rows), max(len(row) for row in rows))
    values = np.zeros((side, side))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            with suppress(ValueError, ZeroDivisionError):
                values[i, j] = number(str(cell))
    return editor_value(resized(values, int(size)))


def read(value: dict | None, such: str = "-1, 0.5 or 1/9") -> np.ndarray:
    """The (k, k) float64 kernel in the grid. Raises DemoError for a cell that cannot be used.

    such: numbers that it names as examples.
    """
    rows = (value or {}).get("rows") or []
    return check(
        [
            [_number(cell, i, j, such) for j, cell in enumerate(row, 1)]
            for i, row in enumerate(rows, 1)
        ]
    )


def _written(value: float) -> str:
    """Six digits, a fraction such as 1/9, or every digit: the first that is the value itself."""
    short = f"{value + 0.0:.6g}"  # -0.0 is written as 0
    if float(short) == value:
        return short
    near = Fraction(value).limit_denominator(SIMPLE)
    exact = near.numerator / near.denominator == value
    return f"{near.numerator}/{near.denominator}" if exact else repr(value)


def _number(cell: object, row: int, column: int, such: str) -> float:
    try:
        value = number(str(cell))
    except (ValueError, ZeroDivisionError):
        raise DemoError(
            f"a number such as {such} in every cell",
            f"{str(cell)[:20]!r} in row {row}, column {column}"
            if cell
            else f"an empty cell in row {row}, column {column}",
            "Fill it in; 0 leaves that neighbour out.",
        ) from None
    if abs(value) > MAX_VALUE:
        raise DemoError(
            "weights up to a million",
            f"{str(cell)[:20]} in row {row}, column {column}",
            "Divide all of them by one number.",
        )
    return value
