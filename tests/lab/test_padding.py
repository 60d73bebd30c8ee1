"""What the border does to pictures and to learning."""

import numpy as np
import pytest

from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.imaging.kernels import named, random
from kernel_demo.lab.padding import side_by_side, teach

PICTURE = np.cumsum(np.random.default_rng(3).normal(0, 0.02, (60, 80)), axis=1) + 0.5
SOBEL = named("sobel_x").values


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
    taught = teach([PICTURE], SOBEL)
    assert taught.padded_error > 0.1
    assert taught.valid_error < 1e-9
    assert taught.border_share == pytest.approx(1 - 58 * 78 / (60 * 80))


def test_the_right_padding_does_no_harm():
    """Where layer and tool pad alike, all pixels tell the same kernel."""
    assert teach([PICTURE], SOBEL, "wrap", "wrap").padded_error < 1e-9


def test_it_is_what_a_padded_layer_would_learn():
    """The same kernel as numpy's least squares on the patches of the zero-padded picture."""
    padded = np.pad(PICTURE, 1)
    rows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(-1, 9)
    reflected = np.pad(PICTURE, 1, mode="reflect")
    patches = np.lib.stride_tricks.sliding_window_view(reflected, (3, 3)).reshape(-1, 9)
    expected = np.linalg.lstsq(rows, patches @ SOBEL.ravel(), rcond=None)[0]
    np.testing.assert_allclose(teach([PICTURE], SOBEL).padded.ravel(), expected, atol=1e-8)
