"""Question 2: five borders side by side, and what padded pixels teach a layer."""

from collections.abc import Iterator, Sequence

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.lab import pixels
from kernel_demo.numbers import figure
from kernel_demo.ui.components.comparison import signed
from kernel_demo.ui.pictures import data_url
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import pixel_words as wording

CORNER = 28  # pixels of a side that are shown magnified
BLUR = 15  # a wide blur: what lies beyond the border is seen seven pixels deep
TAUGHT_PICTURES = 3  # enough for the lesson


def edges(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """A blur under each border mode; then Sobel learned with and without padded pixels."""
    bordered = pixels.side_by_side(pictures[0], named("gaussian", BLUR).values)
    after, apart = _corners(bordered)
    compared = [
        html.heading(wording.CORNER),
        html.pictures(after, "magnified"),
        html.heading(wording.APART),
        html.pictures(apart, "magnified"),
        html.table(wording.EDGES_TABLE, [_row(one) for one in bordered]),
    ]
    yield html.result(*compared, done=False)
    kernel = named("sobel_x").values
    taught = pixels.teach(pictures[:TAUGHT_PICTURES], kernel)
    kernels = zip(wording.TAUGHT, (kernel, taught.padded, taught.valid), strict=True)
    finding = wording.edges_finding(taught.padded_error, taught.valid_error, taught.border_share)
    yield html.result(
        *compared,
        html.matrices(list(kernels), decimals=2),
        html.sentence(finding, "warm"),
        padded_error=taught.padded_error,
        valid_error=taught.valid_error,
    )


def _corners(bordered: Sequence[pixels.Bordered]) -> tuple[list, list]:
    """The corner where the modes differ most: as filtered, and how far from the reference."""
    apart = sum(np.abs(one.difference) for one in bordered)
    corners = [np.s_[rows, columns] for rows in _ENDS for columns in _ENDS]
    corner = max(corners, key=lambda place: float(apart[place].sum()))
    scale = max(float(np.abs(one.difference[corner]).max()) for one in bordered)
    names = [BORDERS[one.border].label.partition(" (")[0] for one in bordered]
    after = [data_url(to_uint8(one.after[corner])) for one in bordered]
    differences = [data_url(signed(one.difference[corner], scale)) for one in bordered]
    return tuple(
        [(url, name, "") for url, name in zip(urls, names, strict=True)]
        for urls in (after, differences)
    )


_ENDS = (np.s_[:CORNER], np.s_[-CORNER:])


def _row(one: pixels.Bordered) -> tuple[str, ...]:
    return (
        BORDERS[one.border].label,
        figure(one.largest),
        figure(one.largest_interior),
        f"{one.differing_share:.1%}",
    )
