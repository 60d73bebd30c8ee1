"""Questions of pixels: huge and odd-sized pictures in tiles, and what happens at the edges.

Learned and applied tile by tile, the result is the very same; borders differ, and padding teaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, correlate, correlate_valid, pad, to_uint8
from kernel_demo.imaging.tiles import apply_tiled, iter_tiles
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import GREY_LEVELS, kernel_error
from kernel_demo.learning.late import torch
from kernel_demo.learning.model import layers
from kernel_demo.learning.statistics import Statistics, accumulate
from kernel_demo.learning.sums import Sums


@dataclass(frozen=True, eq=False)
class Tiled:
    """One picture as a whole and in tiles: what was learned, and what was made of it."""

    tiles: int
    whole: np.ndarray  # (k, k), learned from the whole picture
    tiled: np.ndarray  # (k, k), learned from the sums of the tiles, added up
    same_sums: bool  # every one of the sums is the same number
    kernel_difference: float  # largest, between the two kernels
    kernel_error: float  # of the tiled one, to the truth
    output_difference: float  # largest, in grey levels, between applied whole and in tiles


@dataclass(frozen=True, eq=False)
class Bordered:
    """One picture filtered under one border mode, against the same under `reflect`."""

    border: str  # a key of BORDERS
    after: np.ndarray  # H x W (x C), not clipped
    difference: np.ndarray  # after - that of `reflect`, 0 wherever the whole patch is inside
    largest: float  # of the difference, in grey levels
    largest_interior: float  # the same where the whole patch is inside: 0
    differing_share: float  # of the pixels


@dataclass(frozen=True, eq=False)
class Taught:
    """The kernels learned from all pixels, padded, and from the valid pixels alone."""

    padded: np.ndarray  # (k, k): learned from all pixels
    padded_error: float  # its largest weight error
    valid: np.ndarray  # (k, k): learned from valid pixels only
    valid_error: float
    border_share: float  # of the pixels, those whose patch leaves the picture


def compare(picture: np.ndarray, kernel: np.ndarray, tile: int = 100) -> Tiled:
    """Learns and applies a kernel on a picture (H x W, 0..1), whole and in tiles of a side.

    It is learned from whole grey levels, whose sums of products are exact in any order.
    """
    size = len(kernel)
    before = to_uint8(picture).astype(np.uint16)
    after, gain = _whole_levels(correlate(before, kernel))
    whole = Statistics.from_pair(before, after, size)
    parts = list(_parts(before, after, size, tile))
    merged = sum(parts, Statistics.zero(size))
    kernels = [one.solve().kernel / gain for one in (whole, merged)]
    outputs = [correlate(picture, kernel), apply_tiled(picture, kernel, tile=tile)]
    return Tiled(
        tiles=len(parts),
        whole=kernels[0],
        tiled=kernels[1],
        same_sums=all(
            np.array_equal(getattr(whole, name), getattr(merged, name)) for name in Sums._fields
        ),
        kernel_difference=float(np.abs(kernels[0] - kernels[1]).max()),
        kernel_error=kernel_error(kernels[1], kernel),
        output_difference=float(np.abs(outputs[0] - outputs[1]).max() * GREY_LEVELS),
    )


def panorama(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Grey pictures (H x W) side by side, cut to the height of the lowest."""
    height = min(len(picture) for picture in pictures)
    return np.concatenate([picture[:height] for picture in pictures], axis=1)


def apply_anywhere(layer: layers.SingleConv, picture: np.ndarray, kernel: np.ndarray) -> float:
    """The largest difference, in grey levels, between a layer's result and the true kernel's.

    picture: H x W, 0..1, any size. The layer itself is called, not its kernel by another program.
    """
    before = devices.from_numpy(np.asarray(picture, np.float32))[None, None]
    with torch.no_grad():
        after = layer(before)[0, 0].numpy()
    return float(np.abs(after - correlate_valid(picture, kernel)).max() * GREY_LEVELS)


def side_by_side(picture: np.ndarray, kernel: np.ndarray) -> tuple[Bordered, ...]:
    """A picture (H x W or H x W x C, 0..1) under each border mode, in the order of BORDERS."""
    radius = len(kernel) // 2
    expected = correlate(picture, kernel)
    inside = np.zeros(picture.shape[:2], bool)
    inside[radius : picture.shape[0] - radius, radius : picture.shape[1] - radius] = True
    made = []
    for border in BORDERS:
        after = correlate(picture, kernel, border)
        difference = after - expected
        off = np.abs(difference) * GREY_LEVELS
        made.append(
            Bordered(
                border,
                after,
                difference,
                float(off.max()),
                float(off[inside].max(initial=0)),
                float((off > 0).mean()),
            )
        )
    return tuple(made)


def teach(
    pictures: Sequence[np.ndarray],
    kernel: np.ndarray,
    model_border: str = "zero",
    truth_border: str = "reflect",
) -> Taught:
    """What a layer that pads with one border learns from a tool that pads with another.

    pictures: H x W, 0..1. Both kernels are the exact optima of squared loss, which any training
    ends in: over all pixels, and over those whose patch lies inside the picture.
    """
    size, radius = len(kernel), len(kernel) // 2
    befores = [np.asarray(picture, np.float64) for picture in pictures]
    afters = [correlate(before, kernel, truth_border) for before in befores]
    # Padded by the model's border, every pixel of the picture has a whole patch.
    framed = [pad(before, radius, model_border) for before in befores]
    answers = [pad(after, radius, "zero") for after in afters]
    everywhere, _ = accumulate(zip(framed, answers, strict=True), size)
    inside, _ = accumulate(zip(befores, afters, strict=True), size)
    padded, valid = (one.solve(offset=False).kernel for one in (everywhere, inside))
    return Taught(
        padded,
        kernel_error(padded, kernel),
        valid,
        kernel_error(valid, kernel),
        1 - inside.count / everywhere.count,
    )


def _whole_levels(after: np.ndarray) -> tuple[np.ndarray, float]:
    """Rounded and raised above zero, as uint16, and the gain at which they fit in."""
    gain = min(1.0, 65_000 / max(float(np.ptp(after)), 1.0))
    return np.rint((after - after.min()) * gain).astype(np.uint16), gain


def _parts(before: np.ndarray, after: np.ndarray, size: int, tile: int) -> Iterator[Statistics]:
    """The sums of each tile with its halo; each valid pixel of the picture is in just one."""
    height, width = before.shape[0] - size + 1, before.shape[1] - size + 1
    for rows, columns in iter_tiles(height, width, tile):
        window = np.s_[rows.start : rows.stop + size - 1, columns.start : columns.stop + size - 1]
        yield Statistics.from_pair(before[window], after[window], size)
