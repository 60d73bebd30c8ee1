"""Questions 1 and 3: a picture in tiles, and a layer on a picture of any size."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.imaging.filtering import correlate_valid, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.lab import pixels
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.training import TrainSettings, train
from kernel_demo.numbers import figure
from kernel_demo.ui.components.comparison import signed
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.pictures import data_url, fit
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import pixel_words as wording

TILE = 100  # pixels: a photo then has a few dozen tiles, the last ones narrower
TRAINING_TILE = 64
STEPS, BATCH = 60, 8
DEADLINE = 30.0  # seconds
SHOWN = 900  # pixels, the longer side of a picture in an answer
WIDE = 1600
IN_PANORAMA = 4  # pictures side by side
_GRID = (128, 128, 128, 200)


def tiles(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """Sobel on the first picture, cut to an odd size: learned and applied whole and in tiles."""
    kernel = named("sobel_x").values
    picture = odd(pictures[0])
    found = pixels.compare(picture, kernel, TILE)
    height, width = picture.shape
    drawn = _gridded(correlate_valid(picture, kernel))
    caption = wording.tiles_caption(width, height, found.tiles, TILE)
    kernels = [
        (wording.WHOLE, found.whole),
        (wording.TILED, found.tiled),
        (wording.DIFFERENCE, found.whole - found.tiled),
    ]
    yield html.result(
        html.matrices(kernels, "−="),
        html.pictures([(data_url(drawn), caption, "")]),
        html.facts(wording.tiles_facts(found.kernel_difference, found.output_difference)),
        html.sentence(wording.tiles_finding(found.same_sums, found.kernel_error)),
        kernel_difference=found.kernel_difference,
        output_difference=found.output_difference,
        tiles=found.tiles,
    )


def odd(picture: np.ndarray) -> np.ndarray:
    """The picture without its last row or column where it has an even number of them."""
    height, width = picture.shape
    return picture[: height - 1 + height % 2, : width - 1 + width % 2]


def anywhere(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """Sobel learned on 64 x 64 tiles, then the layer itself called on a panorama."""
    kernel = named("sobel_x").values
    pairs = build(pictures, teacher(pictures, kernel), len(kernel), TRAINING_TILE)
    layer = SingleConv(len(kernel))
    settings = TrainSettings(steps=STEPS, batch=BATCH, tile=TRAINING_TILE, device=DEVICE)
    with closing(train(layer, pairs, settings, truth=kernel, deadline=DEADLINE)) as run:
        for progress in run:
            learning = wording.LEARNING_TILES.format(
                step=progress.step, error=figure(progress.kernel_error)
            )
            kernels = [(wording.TRUE, kernel), (wording.LEARNED, progress.kernel)]
            yield html.result(html.matrices(kernels, "≈"), html.note(learning), done=False)
    panorama = pixels.panorama(pictures[:IN_PANORAMA])
    found = pixels.apply_anywhere(layer, TRAINING_TILE, panorama, kernel)
    after = correlate_valid(panorama, progress.kernel)
    shown = [
        (data_url(to_uint8(fit(panorama, WIDE))), wording.PANORAMA, ""),
        (data_url(drawn_signed(after, WIDE)), wording.PANORAMA_AFTER, ""),
    ]
    yield html.result(
        html.matrices(kernels, "≈"),
        html.note(learning),
        html.pictures(shown, "wide"),
        html.facts(wording.anywhere_facts(found)),
        html.sentence(wording.anywhere_finding(found)),
        output_difference=found.output_difference,
        width=found.applied_to[1],
    )


def drawn_signed(values: np.ndarray, longest: int = SHOWN) -> np.ndarray:
    """Signed values (H x W) as a picture at most `longest` wide: blue below zero, orange above."""
    scale = float(np.percentile(np.abs(values), 98))
    return signed(fit(values, longest), scale)


def _gridded(values: np.ndarray) -> np.ndarray:
    """`drawn_signed` with the edges of the tiles."""
    picture = drawn_signed(values, max(values.shape))
    picture[TILE::TILE] = _GRID
    picture[:, TILE::TILE] = _GRID
    return picture
