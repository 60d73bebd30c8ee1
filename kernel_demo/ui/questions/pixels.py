"""Questions 1 to 3: a picture in tiles, its edges, and a layer on a picture of any size."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, correlate_valid, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.lab import pixels
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.training import TrainSettings, train
from kernel_demo.numbers import at_most, count, figure, percent
from kernel_demo.ui.components import worked
from kernel_demo.ui.components.comparison import signed
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.html import quiet
from kernel_demo.ui.pictures import data_url, fit
from kernel_demo.ui.questions import markup
from kernel_demo.ui.questions.card import LEARNED, TRUE, Answer, answer

TILE = 100  # pixels: a photo then has a few dozen tiles, the last ones narrower
SHOWN = 900  # pixels, the longer side of a picture in an answer
GRID = (128, 128, 128, 200)  # the colour of the edges of the tiles, RGBA

CORNER = 28  # pixels of a side that are shown magnified
BLUR = 15  # a wide blur: what lies beyond the border is seen seven pixels deep
TAUGHT_PICTURES = 3  # enough for the lesson

TRAINING_TILE = 64
STEPS, BATCH = 60, 8
DEADLINE = 30.0  # seconds
WIDE = 1600  # pixels, the longer side of the panorama in the answer
IN_PANORAMA = 4  # pictures side by side


# 1. Sizes


def tiles(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """Sobel on the first picture, cut to an odd size: learned and applied whole and in tiles."""
    kernel = named("sobel_x").values
    picture = odd(pictures[0])
    found = pixels.compare(picture, kernel, TILE)
    height, width = picture.shape
    drawn = drawn_signed(correlate_valid(picture, kernel), max(picture.shape))
    drawn[TILE::TILE] = drawn[:, TILE::TILE] = GRID
    caption = (
        f"{width} × {height} pixels in {found.tiles} tiles of up to {TILE} × {TILE}: small tiles, "
        "so that a photo has as many as a huge picture has large ones"
    )
    kernels = [
        ("learned whole", found.whole),
        ("learned in tiles", found.tiled),
        ("difference", found.whole - found.tiled),
    ]
    facts = [
        (figure(found.kernel_difference), "largest difference between the two kernels"),
        (
            figure(found.output_difference),
            "largest difference between the two outputs, grey levels",
        ),
    ]
    yield answer(
        markup.matrices(kernels, "−="),
        markup.pictures([(data_url(drawn), caption, "")]),
        markup.facts(facts),
        finding=tiles_finding(found.same_sums, found.kernel_error),
        kernel_difference=found.kernel_difference,
        output_difference=found.output_difference,
        tiles=found.tiles,
    )


def tiles_finding(same: bool, error: float) -> str:
    """Whether the sums are the same, and how near both kernels are to the true one."""
    sums = "Every sum is the same number, bit for bit" if same else "The sums differ"
    return f"{sums}. Both kernels are within {at_most(error)} of the true one."


def odd(picture: np.ndarray) -> np.ndarray:
    """The picture without its last row or column where it has an even number of them."""
    height, width = picture.shape
    return picture[: height - 1 + height % 2, : width - 1 + width % 2]


def drawn_signed(values: np.ndarray, longest: int = SHOWN) -> np.ndarray:
    """Signed values (H x W) as a picture at most `longest` wide: blue below zero, orange above."""
    scale = float(np.percentile(np.abs(values), 98))
    return signed(fit(values, longest), scale)


# 2. Edges

EDGES_TABLE = ("Border", "largest difference at the border", "inside", "pixels that differ")
TAUGHT = (TRUE, "learned with padded pixels", "learned from valid pixels only")


def edges(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """A blur under each border mode; then Sobel learned with and without padded pixels."""
    bordered = pixels.side_by_side(pictures[0], named("gaussian", BLUR).values)
    names = [BORDERS[one.border].label.partition(" (")[0] for one in bordered]
    corner = _corner(bordered)
    views = _magnified(bordered, names, corner)
    after, apart = (markup.magnified(one, names) for one in views)
    record = _arithmetic(pictures[0], named("gaussian", BLUR).values, corner)
    compared = [
        markup.heading(f"A corner of the picture under a {BLUR} × {BLUR} blur, magnified"),
        after,
        markup.heading("Its difference to Reflect"),
        apart,
        markup.table(EDGES_TABLE, [_row(one) for one in bordered]),
    ]
    yield answer(*compared, done=False)
    kernel = named("sobel_x").values
    taught = pixels.teach(pictures[:TAUGHT_PICTURES], kernel)
    kernels = zip(TAUGHT, (kernel, taught.padded, taught.valid), strict=True)
    yield answer(
        *compared[:4],
        worked.html(record),
        *compared[4:],
        markup.heading("A 3 × 3 kernel learned from such pictures"),
        markup.matrices(list(kernels), decimals=2),
        finding=f"For a 3 × 3 kernel only {percent(taught.border_share)} of the pixels lie at the "
        "border (the blur above is wider), yet a zero-padded layer that counts them errs by "
        f"{figure(taught.padded_error)}; the one that leaves them out, by "
        f"{figure(taught.valid_error)}.",
        tone="warm",
        padded_error=taught.padded_error,
        valid_error=taught.valid_error,
    )


def _arithmetic(picture: np.ndarray, kernel: np.ndarray, corner: tuple[int, int]) -> dict:
    """What the kernel makes of each pixel; under Reflect, the pictures say under what else."""
    bottom, right = (at and at + CORNER - 1 for at in corner)
    reflect = worked.side([(0, kernel)], "reflect")
    outputs = [{"name": "", "side": reflect, "beside": reflect}]
    return worked.record(
        worked.piece(picture), len(kernel), outputs, name="blur", beside="with Reflect {sum}",
        start=(right, bottom),
    )  # fmt: skip


def _corner(bordered: Sequence[pixels.Bordered]) -> tuple[int, int]:
    """Top and left of the corner where the modes differ most."""
    apart = sum(np.abs(one.difference) for one in bordered)
    tops, lefts = ((0, length - CORNER) for length in apart.shape)
    corners = [(top, left) for top in tops for left in lefts]
    return max(corners, key=lambda at: float(apart[_squared(at)].sum()))


def _squared(corner: tuple[int, int]) -> tuple[slice, slice]:
    return tuple(slice(at, at + CORNER) for at in corner)


def _magnified(
    bordered: Sequence[pixels.Bordered], names: Sequence[str], at: tuple[int, int]
) -> tuple[list[str], list[str]]:
    """That corner: as filtered, and how far from Reflect (HTML)."""
    corner = _squared(at)
    scale = max(float(np.abs(one.difference[corner]).max()) for one in bordered)
    part = at[1], at[0], CORNER, CORNER
    after = [data_url(to_uint8(one.after[corner])) for one in bordered]
    differences = [data_url(signed(one.difference[corner], scale)) for one in bordered]
    return tuple(
        [
            worked.view(url, name, part, one.border)
            for url, name, one in zip(urls, names, bordered, strict=True)
        ]
        for urls in (after, differences)
    )


def _row(one: pixels.Bordered) -> tuple[str, ...]:
    return (
        BORDERS[one.border].label,
        figure(one.largest),
        figure(one.largest_interior),
        percent(one.differing_share),
    )


# 3. Anywhere


def anywhere(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """Sobel learned on 64 x 64 tiles, then the layer itself called on a panorama of odd sides."""
    kernel = named("sobel_x").values
    pairs = build(pictures, teacher(pictures, kernel), len(kernel), TRAINING_TILE)
    layer = layers.SingleConv(len(kernel))
    settings = TrainSettings(steps=STEPS, batch=BATCH, tile=TRAINING_TILE, device=DEVICE)
    with closing(train(layer, pairs, settings, truth=kernel, deadline=DEADLINE)) as run:
        for progress in run:
            kernels = markup.matrices([(TRUE, kernel), (LEARNED, progress.kernel)], "≈")
            learning = quiet(
                f"Learning on tiles of {TRAINING_TILE} × {TRAINING_TILE}: step {progress.step}, "
                f"kernel error {figure(progress.kernel_error)}."
            )
            yield answer(kernels, learning, done=False)
    panorama = odd(pixels.panorama(pictures[:IN_PANORAMA]))
    learned = quiet(
        f"Learned on tiles of {TRAINING_TILE} × {TRAINING_TILE} in {progress.step} steps, kernel "
        f"error {figure(progress.kernel_error)}."
    )
    difference = pixels.apply_anywhere(layer, panorama, kernel)
    after = correlate_valid(panorama, progress.kernel)
    shown = [
        (data_url(to_uint8(fit(panorama, WIDE))), "the panorama", ""),
        (data_url(drawn_signed(after, WIDE)), "through the layer", ""),
    ]
    (height, width), (rows, columns) = panorama.shape, after.shape
    facts = [
        (f"{TRAINING_TILE} × {TRAINING_TILE}", "pixels, what it was trained on"),
        (f"{width} × {height}", "pixels, odd both ways, what it is applied to"),
        (f"{columns} × {rows}", "pixels, what comes out"),
        (str(kernel.size), "weights, the same for both"),
        (figure(difference), "largest difference to the true filter, grey levels"),
    ]
    times = count(round(panorama.size / TRAINING_TILE**2))
    yield answer(
        kernels,
        learned,
        markup.pictures(shown, "wide"),
        markup.facts(facts),
        finding=f"Yes: the layer learned on tiles filters a picture with {times} times as many "
        f"pixels, off by at most {at_most(difference)} grey levels.",
        output_difference=difference,
        width=width,
    )
