"""Whole or in tiles, small or huge: the same kernel and output; what the border does to both."""

import numpy as np
import pytest
import torch

from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.imaging.kernels import named, random
from kernel_demo.lab.pixels import apply_anywhere, compare, panorama, side_by_side, teach
from kernel_demo.learning.layers import SingleConv

PICTURE = np.random.default_rng(3).random((131, 87)).astype(np.float32)
WALK = np.cumsum(np.random.default_rng(3).normal(0, 0.02, (60, 80)), axis=1) + 0.5
SOBEL = named("sobel_x").values


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
    # float32 sums of 25 products of numbers up to 1.
    assert apply_anywhere(layer, wide, kernel) < 1e-3


@pytest.mark.parametrize("shape", [(60, 80), (60, 80, 3)])
def test_borders_differ_at_the_border_only(shape):
    """Five modes; reflect equals itself; the others differ, but never where a patch is whole."""
    picture = np.random.default_rng(0).random(shape)
    made = {one.border: one for one in side_by_side(picture, random(5, 0).values)}
    assert list(made) == list(BORDERS)
    assert made["reflect"].largest == 0
    for border, one in made.items():
        assert one.after.shape == shape
        assert one.largest_interior == 0
        rim = 1 - (60 - 4) * (80 - 4) / (60 * 80)
        assert one.differing_share <= rim + 1e-12
        assert border == "reflect" or one.largest > 1


def test_padding_spoils_the_kernel():
    """Zero padding against a reflected truth: a wrong kernel; valid pixels alone: the right one."""
    taught = teach([WALK], SOBEL)
    assert taught.padded_error > 0.1
    assert taught.valid_error < 1e-9
    assert taught.border_share == pytest.approx(1 - 58 * 78 / (60 * 80))


def test_the_right_padding_does_no_harm():
    """Where layer and tool pad alike, all pixels tell the same kernel."""
    assert teach([WALK], SOBEL, "wrap", "wrap").padded_error < 1e-9


def test_it_is_what_a_padded_layer_would_learn():
    """The same kernel as numpy's least squares on the patches of the zero-padded picture."""
    padded = np.pad(WALK, 1)
    rows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(-1, 9)
    reflected = np.pad(WALK, 1, mode="reflect")
    patches = np.lib.stride_tricks.sliding_window_view(reflected, (3, 3)).reshape(-1, 9)
    expected = np.linalg.lstsq(rows, patches @ SOBEL.ravel(), rcond=None)[0]
    np.testing.assert_allclose(teach([WALK], SOBEL).padded.ravel(), expected, atol=1e-8)
