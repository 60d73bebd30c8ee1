"""Pairs of one filter, and those that are not."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from kernel_demo.recovery import Verdict, recover_common, recover_many
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


LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 4


def sharpened(name, amount, offset=0.0, noise=0.0):
    """A grey photo, and it less so much of SciPy's Laplacian, rounded once."""
    before = np.asarray(photo(name).convert("L"))
    value = before - amount * ndimage.correlate(before.astype(float), LAPLACIAN, mode="mirror")
    value += offset + np.random.default_rng(0).normal(0, noise, before.shape)
    return before, np.clip(np.floor(value + 0.5), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "third",
    [
        {"amount": 0.32},
        {"amount": 0.3, "offset": 1.0, "noise": 2.0},
        pytest.param({"amount": 0.31}, marks=pytest.mark.slow),
        pytest.param({"amount": 0.3, "offset": 0.5}, marks=pytest.mark.slow),
        pytest.param({"amount": 0.35, "noise": 2.0}, marks=pytest.mark.slow),
        pytest.param({"amount": 0.4, "noise": 5.0}, marks=pytest.mark.slow),
    ],
)
def test_pairs_of_nearly_one_filter_have_none_in_common(third):
    """Two photos are sharpened alike, the third a little more, or brighter: no kernel, offset and
    bars may be told for all. Of three that are sharpened alike they are, and the kernel is right.
    """
    two = [sharpened(name, 0.3, noise=third.get("noise", 0.0)) for name in ("coffee", "astronaut")]
    apart = recover_many([*two, sharpened("cat", **third)], 7)
    assert not apart.verdict.linear, apart.explanation
    alike = {"amount": 0.3, "noise": third.get("noise", 0.0)}
    found = recover_many([*two, sharpened("cat", **alike)], 7)
    assert found.verdict.linear, found.explanation
    own = (found.size - 3) // 2
    true = np.pad(np.eye(1, 9, 4).reshape(3, 3) - 0.3 * LAPLACIAN, own)
    bars = np.maximum(found.standard_error[0, 0], 1e-6)
    assert (np.abs(found.kernel[0, 0] - true) <= 5 * bars).all()
