"""What filters pixels in turn is not called one kernel, though no more than rounding is left."""

import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.explanations import Reason
from tests.recovery.test_borne_out import filtered, gaussian, photo
from tests.recovery.test_places import resized


def in_turn(picture: np.ndarray, more: float) -> np.ndarray:
    """Even columns lean to one side by so much, odd ones to the other; rounded once."""
    lean = more * np.outer((0, 1, 0), (1, 0, -1))
    one, other = (filtered(picture, gaussian(3, 0.5) + sign * lean) for sign in (1, -1))
    return np.where(np.arange(picture.shape[1]) % 2, one, other)


@pytest.mark.sweep(5)
@pytest.mark.parametrize("name", ["cat", "gravel"])
@pytest.mark.parametrize("more", [0.0005, 0.002, 0.004])
def test_columns_that_are_filtered_in_turn_are_no_convolution(name, more):
    """Kernels 0.2 % apart leave one rounding of the best single one, on average and at most."""
    assert not recover(photo(name), in_turn(photo(name), more), 7).verdict.linear


@pytest.mark.parametrize("channel", [2])
def test_one_channel_of_three_is_enough(channel):
    """The columns of one colour alone are filtered in turn."""
    before = np.dstack([photo("cat"), photo("gravel"), photo("cat")[::-1]])
    after = np.dstack([filtered(before[..., c], gaussian(3, 0.5)) for c in range(3)])
    after[..., channel] = in_turn(before[..., channel], 0.004)
    assert not recover(before, after, 5).verdict.linear


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("percent", "how"),
    [(175, "BICUBIC"), (250, "BICUBIC"), (250, "BILINEAR")],
)
def test_a_larger_size_and_back_is_told_by_its_period(percent, how):
    """Pillow's: 7 pixels of 4, or 5 of 2; what one kernel leaves passes for a few roundings."""
    before = photo("gravel")
    found = recover(before, resized(before, percent, Image.Resampling[how]), 7)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.PERIODIC)
    assert round(found.reason.figures["period"]) in (2, 4)


def test_two_roundings_of_one_kernel_have_no_period():
    """Rows, then columns, both rounded: one filter for all pixels, and so it is called."""
    before, one = photo("gravel"), np.zeros((7, 7))
    one[3] = gaussian(7, 1.0).sum(axis=0)
    found = recover(before, filtered(filtered(before, one), one.T), 7)
    assert found.verdict == Verdict.CONVOLUTION
