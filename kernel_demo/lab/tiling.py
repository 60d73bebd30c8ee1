"""Huge and odd-sized pictures: learned and applied tile by tile, and the very same result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kernel_demo.imaging.filtering import correlate, correlate_valid, to_uint8
from kernel_demo.imaging.tiles import apply_tiled, iter_tiles
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import GREY_LEVELS, kernel_error
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.statistics import Statistics


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


@dataclass(frozen=True)
class Anywhere:
    """A layer of one size of training tile, applied to a picture of another."""

    trained_on: tuple[int, int]  # height and width of the tiles it saw, in pixels
    applied_to: tuple[int, int]
    weights: int  # the layer's weights: the same at every size
    output_difference: float  # largest, in grey levels, to the true kernel's output


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
        same_sums=_same(whole, merged),
        kernel_difference=float(np.abs(kernels[0] - kernels[1]).max()),
        kernel_error=kernel_error(kernels[1], kernel),
        output_difference=float(np.abs(outputs[0] - outputs[1]).max() * GREY_LEVELS),
    )


def panorama(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Grey pictures (H x W) side by side, cut to the height of the lowest."""
    height = min(len(picture) for picture in pictures)
    return np.concatenate([picture[:height] for picture in pictures], axis=1)


@torch.no_grad()
def apply_anywhere(
    layer: SingleConv, tile: int, picture: np.ndarray, kernel: np.ndarray
) -> Anywhere:
    """A layer learned on tiles of tile x tile valid pixels, run on a picture of any size as it is.

    picture: H x W, 0..1. The layer itself is called, not its kernel by another program.
    """
    before = devices.from_numpy(np.asarray(picture, np.float32))[None, None]
    after = layer(before)[0, 0].numpy()
    expected = correlate_valid(picture, kernel)
    return Anywhere(
        trained_on=(tile, tile),
        applied_to=picture.shape,
        weights=sum(weight.numel() for weight in layer.parameters()),
        output_difference=float(np.abs(after - expected).max() * GREY_LEVELS),
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


def _same(one: Statistics, other: Statistics) -> bool:
    """Whether all sums are equal, bit for bit."""
    names = ("gram", "cross", "patch_sum", "energy", "after_sum", "count")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)
