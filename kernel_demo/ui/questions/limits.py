"""Question 8: twelve ways to break it, each foretold and then tried."""

from collections.abc import Iterator, Sequence

import numpy as np

from kernel_demo.imaging.kernels import named
from kernel_demo.lab.limits import LIMITS, Limit, break_it
from kernel_demo.numbers import figure
from kernel_demo.ui.questions import limit_words as wording
from kernel_demo.ui.questions import markup as html

PICTURES = 3  # enough for each of them


def every(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """All of them with Sobel, as a table that grows."""
    tried: list[Limit] = []
    for key in LIMITS:
        tried.append(break_it(key, pictures[:PICTURES], named("sobel_x").values))
        done = len(tried) == len(LIMITS)
        ratio = max(limit.measured / limit.predicted for limit in tried)
        yield html.result(
            html.table(wording.TABLE, [_cells(limit) for limit in tried]),
            html.sentence(wording.finding(tried)),
            done=done,
            tried=len(tried),
            ratio=ratio,
        )


def one(pictures: Sequence[np.ndarray], key: str) -> Iterator[str]:
    """One of them: the kernels and both errors."""
    limit = break_it(key, pictures[:PICTURES], named("sobel_x").values)
    kernels = [(wording.LEARNED, limit.learned)]
    if limit.truth is not None:
        kernels.insert(0, (wording.TRUE, limit.truth))
    name, why = wording.LIMITS[key]
    yield html.result(
        html.heading(name),
        html.matrices(kernels, "≠"),
        html.facts(wording.facts(limit)),
        html.sentence(why, "warm"),
        key=key,
        predicted=limit.predicted,
        measured=limit.measured,
    )


def choices() -> list[tuple[str, str]]:
    """The ways as (name, key)."""
    return [(wording.LIMITS[key][0], key) for key in LIMITS]


def _cells(limit: Limit) -> tuple[str, ...]:
    remedied = "" if limit.remedied is None else figure(limit.remedied)
    return (
        wording.LIMITS[limit.key][0],
        figure(limit.predicted),
        figure(limit.measured),
        remedied,
        wording.MEASURES[limit.measure],
    )
