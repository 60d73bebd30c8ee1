"""A grid of numbers that a visitor fills in by hand."""

from contextlib import suppress

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import MAX_VALUE, check, resized
from kernel_demo.ui.components import from_files


def component(values: np.ndarray, elem_id: str) -> gr.HTML:
    """The editor, holding `values` (k, k). Its value is a dict with the rows as lists."""
    return from_files("kernel_editor", editor_value(values), elem_id)


def editor_value(values: np.ndarray) -> dict:
    """(k, k) values as the editor wants them: short decimal text for each cell."""
    return {"rows": [[f"{value:.6g}" for value in row] for row in values]}


def fitted(value: dict | None, size: int) -> dict:
    """The grid's value with another size; a cell that is no number becomes 0."""
    rows = (value or {}).get("rows") or [["0"]]
    side = max(len(rows), max(len(row) for row in rows))
    values = np.zeros((side, side))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            with suppress(ValueError, TypeError):
                values[i, j] = float(cell)
    return editor_value(resized(values, int(size)))


def read(value: dict | None) -> np.ndarray:
    """The (k, k) float64 kernel in the grid. Raises DemoError for a cell that cannot be used."""
    rows = (value or {}).get("rows") or []
    for i, row in enumerate(rows, 1):
        for j, cell in enumerate(row, 1):
            _number(cell, i, j)
    return check([[float(cell) for cell in row] for row in rows])


def _number(cell: object, row: int, column: int) -> None:
    try:
        value = float(str(cell))
    except ValueError:
        raise DemoError(
            "a number in every cell",
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
