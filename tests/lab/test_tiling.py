"""Whole or in tiles, small or huge: the same kernel, the same output."""

import numpy as np
import pytest
import torch

from kernel_demo.imaging.kernels import named, random
from kernel_demo.lab.tiling import apply_anywhere, compare, panorama
from kernel_demo.learning.model import SingleConv

PICTURE = np.random.default_rng(3).random((131, 87)).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "tile"), [(named("sobel_x"), 32), (random(5, 0), 50), (random(15, 0), 64)]
)
def test_tiles_change_nothing(kernel, tile):
    """The sums are the same numbers, so is the kernel; the outputs differ by nothing to speak of.

    Above 7 x 7 OpenCV sums by DFT: 1e-4 grey levels is the last place of a float32.
    """
    tiled = compare(PICTURE, kernel.values, tile)
    assert tiled.tiles > 3
    assert tiled.same_sums
    assert tiled.kernel_difference == 0
    assert tiled.kernel_error < 0.01  # what rounding to grey levels leaves
    assert tiled.output_difference <= (0 if kernel.size <= 7 else 1e-4)


def test_an_integer_kernel_is_learned_exactly():
    """Sobel makes whole grey levels of whole ones: nothing is rounded away."""
    assert compare(PICTURE, named("sobel_x").values).kernel_error < 1e-9


def test_one_layer_fits_every_size():
    """The layer runs as it is on a panorama of any odd size, and gives what the filter gives."""
    kernel = random(5, 7).values
    layer = SingleConv(5)
    with torch.no_grad():
        layer.conv.weight.copy_(torch.tensor(kernel)[None, None])
    wide = panorama([PICTURE, PICTURE[:99, ::-1], PICTURE.T])
    assert wide.shape == (87, 87 + 87 + 131)
    found = apply_anywhere(layer, 64, wide, kernel)
    assert (found.trained_on, found.applied_to, found.weights) == ((64, 64), wide.shape, 25)
    # float32 sums of 25 products of numbers up to 1.
    assert found.output_difference < 1e-3
