"""Question 5: a kernel in fewer bytes, and what that costs."""

from collections.abc import Iterator, Sequence

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export.compression import KINDS, Compressed, Effect, compress, measure
from kernel_demo.imaging.kernels import resolve
from kernel_demo.numbers import figure
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import models as wording

FACTORS_SHOWN = 1  # a kernel of a higher rank is told in words


def small(pictures: Sequence[np.ndarray], choice: str) -> Iterator[str]:
    """A kernel as each of KINDS: bytes, errors and time on the first picture.

    choice: a key of wording.SMALL_KERNELS.
    """
    if choice not in wording.SMALL_KERNELS:
        raise DemoError("a kernel of the list", repr(choice)[:40], "Choose one of them.")
    name, size = choice.split()
    kernel = resolve(name, size=int(size)).values
    stored = [compress(kernel, kind) for kind in KINDS]
    effects = [measure(kernel, one, pictures[0]) for one in stored]
    rows = [_cells(one, effect) for one, effect in zip(stored, effects, strict=True)]
    by_kind = dict(zip(KINDS, zip(stored, effects, strict=True), strict=True))
    eight, effect = by_kind["int8"]
    separable = by_kind["separable"][0]
    finding = wording.small_finding(
        eight.largest_error, effect.output_error, separable.rank, len(kernel)
    )
    yield html.result(
        html.table(wording.SMALL_TABLE, rows),
        html.matrices(_whole_numbers(kernel, eight), one_scale=False),
        _factors(separable) if separable.rank <= FACTORS_SHOWN else "",
        html.sentence(finding),
        int8_error=eight.largest_error,
        int8_output=effect.output_error,
        rank=separable.rank,
    )


def _cells(one: Compressed, effect: Effect) -> tuple[str, ...]:
    return (
        wording.SMALL_KINDS[one.kind],
        str(one.bytes),
        figure(one.largest_error),
        figure(effect.output_error),
        effect.passes.replace("x", "×"),
        wording.milliseconds(effect.seconds),
    )


def _whole_numbers(kernel: np.ndarray, eight: Compressed) -> list[tuple[str, np.ndarray]]:
    """The kernel beside its 8-bit integers, each on a scale of colour of its own."""
    integers, scale, _ = eight.stored
    return [(wording.TRUE, kernel), (wording.integers(float(scale)), integers.astype(float))]


def _factors(separable: Compressed) -> str:
    columns, rows = separable.stored
    return html.product(columns[:, 0], rows[0], (wording.COLUMN, wording.ROW))
