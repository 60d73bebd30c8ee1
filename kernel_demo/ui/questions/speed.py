"""Question 4: ways to learn, timed on the machine that serves the page."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.imaging.kernels import named
from kernel_demo.lab.speed import Row, rows
from kernel_demo.numbers import duration, figure
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import models as wording


def measure(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """The table, a row longer each time."""
    measured: list[Row] = []
    with closing(rows(pictures, named("sobel_x").values, device=DEVICE)) as timed:
        for row in timed:
            measured.append(row)
            yield html.result(_table(measured), done=False, rows=len(measured))
    finding = html.sentence(wording.speed_finding(measured))
    yield html.result(_table(measured), finding, rows=len(measured))


def _table(measured: Sequence[Row]) -> str:
    return html.table(wording.SPEED_TABLE, [_cells(row) for row in measured])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        wording.SPEED_WAYS[row.key],
        row.device,
        str(row.steps),
        duration(row.seconds),
        figure(row.megapixels_per_second),
        figure(row.kernel_error),
    )
