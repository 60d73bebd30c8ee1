"""Pairs of one filter, and those that are not."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.recovery import Verdict, recover_common
from kernel_demo.sources.bundled import FOLDER

NAMES = ("cat", "coffee", "astronaut", "rocket", "galaxies")


def photo(name):
    return Image.open(FOLDER / f"{name}.jpg").convert("RGB").crop((60, 60, 180, 170))


def pairs(tools):
    return [
        (np.asarray(photo(name)), np.asarray(photo(name).filter(tool)))
        for name, tool in zip(NAMES, tools, strict=False)
    ]


SMOOTH, SHARPEN, MEDIAN = ImageFilter.SMOOTH, ImageFilter.SHARPEN, ImageFilter.MedianFilter(3)


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    "tools",
    [
        (SMOOTH, SMOOTH, SMOOTH),
        (SMOOTH, SHARPEN, SMOOTH, MEDIAN, SMOOTH),
        (MEDIAN, SMOOTH, SMOOTH),
        (SHARPEN, MEDIAN, SMOOTH, SMOOTH),
    ],
)
def test_who_does_not_obey_the_filter_of_the_most(tools):
    """Pillow's SMOOTH, exactly, whatever stands among its pairs; and just those obey it."""
    found, told = recover_common(pairs(tools), 5)
    kernel = np.ones((3, 3)) / 13
    kernel[1, 1] = 5 / 13
    np.testing.assert_allclose(found.kernel[0, 0], kernel, atol=1e-12)
    assert [one.obeys for one in told] == [tool is SMOOTH for tool in tools]
    assert all(one.reproduced == 1 for one in told if one.obeys)
    assert all(one.reproduced < 0.9 for one in told if not one.obeys)


def test_without_a_common_filter_nobody_obeys():
    """Two medians: no convolution, nothing to obey."""
    found, told = recover_common(pairs((MEDIAN, MEDIAN)), 5)
    assert found.verdict == Verdict.NOT
    assert not any(one.obeys for one in told)


def test_grey_from_colour_is_compared_as_grey():
    """Each picture made grey and smoothed obeys; one that was not made grey does not."""
    taken = [photo(name) for name in NAMES[1:4]]
    afters = [image.convert("L").filter(SMOOTH) for image in taken]
    colours = photo(NAMES[4])
    both = [*zip(taken, afters, strict=True), (colours, colours.filter(SMOOTH))]
    found, told = recover_common([tuple(map(np.asarray, pair)) for pair in both], 5)
    assert found.channel_weights is not None
    assert [one.obeys for one in told] == [True, True, True, False]
