"""Whole numbers times a factor near 1: what one rounding makes of them is nobody's change."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.known import Name
from kernel_demo.sources.bundled import FOLDER

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
EDGES = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float)
ALONE = np.eye(1, 9, 4).reshape(3, 3)
CORNERS = {"cat": (80, 110), "brick": (100, 100), "gravel": (50, 50), "rocket": (150, 200),
           "astronaut": (30, 120), "galaxies": (100, 100)}  # fmt: skip


def photo(name, side=128):
    top, left = CORNERS[name]
    picture = np.asarray(Image.open(next(FOLDER.glob(f"{name}.*"))).convert("L"))
    top, left = min(top, picture.shape[0] - side), min(left, picture.shape[1] - side)
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def filtered(picture, kernel, offset=0.0):
    """By OpenCV in float64, rounded half up and cut off."""
    values = cv2.filter2D(picture.astype(float), cv2.CV_64F, kernel, delta=offset)
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


ACCUSED = [("cat", 1.002 * SHARPEN, 0), ("gravel", 1.004 * EDGES, 128), ("brick", 1.007 * ALONE, 0),
           ("galaxies", 1.002 * SHARPEN, 0)]  # fmt: skip
MORE = [("brick", 1.002 * SHARPEN, 0), ("rocket", 1.002 * SHARPEN, 0),
        ("rocket", 1.004 * EDGES, 128), ("cat", 1.001 * SHARPEN, 0)]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kernel", "offset"),
    [*ACCUSED, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE)],
)
def test_nobody_has_changed_a_pixel_that_one_rounding_makes(name, kernel, offset):
    """OpenCV's one kernel in one rounding makes each: none is left out, no colour is replaced."""
    before = photo(name)
    found = recover(before, filtered(before, kernel, offset), 5)
    assert found.left_out.pixels == 0
    assert "something else" not in found.explanation
    assert "replaced" not in found.explanation
    if found.verdict.linear:
        wide = np.pad(kernel, (found.size - 3) // 2)
        assert (np.abs(found.kernel[0, 0] - wide) <= 5 * found.standard_error[0, 0]).all()


@pytest.mark.parametrize("name", ["cat", "brick"])
def test_pixels_that_were_changed_by_little_are_still_found(name):
    """Of whole numbers, too: three pixels that are 1 to 3 levels off, and no others."""
    before = photo(name)
    after = filtered(before, SHARPEN)
    changed = ((41, 50), (61, 61), (80, 30))
    for by, place in enumerate(changed, 1):
        after[place] = after[place] + by if after[place] < 128 else after[place] - by
    found = recover(before, after, 5)
    assert (found.verdict, found.left_out.pixels) == (Verdict.CONVOLUTION, 3)
    assert all(found.left_out.mask[place] for place in changed)
    assert np.array_equal(found.kernel[0, 0], SHARPEN)


MOTION = np.zeros((5, 5))
MOTION[2] = [0.2, 0.2, 0.2, 0.2, 0.199]
NINE = np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]], float)
NEAR_ONE = [("astronaut", 1.003 * SHARPEN), ("gravel", 0.997 * SHARPEN), ("gravel", 0.997 * NINE),
            ("gravel", 0.4985 * ALONE)]  # fmt: skip
MORE_FACTORS = [("cat", MOTION), ("gravel", 1.003 * SHARPEN), ("gravel", 1.0045 * SHARPEN),
                ("gravel", 0.994 * SHARPEN), ("astronaut", 0.997 * SHARPEN),
                ("astronaut", 0.4985 * ALONE), ("gravel", 1.003 * ALONE)]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kernel"),
    [*NEAR_ONE, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE_FACTORS)],
)
def test_bars_reach_as_far_as_one_rounding_allows(name, kernel):
    """OpenCV's one rounding half up: the kernel is within three bars and the interval.

    No factor is told that is further off than bars, no offset of -1/2 that others equal, and not
    several steps.
    """
    before = photo(name)
    after = filtered(before, kernel)
    found = recover(before, after, 7)
    if not found.verdict.linear:
        return
    size = max(found.size, len(kernel))
    parts = found.kernel[0, 0], found.standard_error[0, 0], kernel
    told, bars, true = (np.pad(part, (size - len(part)) // 2) for part in parts)
    assert (np.abs(told - true) <= 3 * bars).all()
    if found.interval is not None:
        ends = found.interval
        assert (ends.low[0, 0] - 1e-9 <= told).all()
        assert (told <= ends.high[0, 0] + 1e-9).all()
    assert not found.notes
    assert "several steps" not in found.explanation
    if found.name is not None and "times" in found.catalogue_name:
        assert abs(found.name.scale / (kernel.sum() or 1) - 1) <= 0.004


def test_a_tool_that_cuts_off_is_still_told():
    """An offset of -1/2 that no kernel without makes: of weights that are no round numbers."""
    before = photo("gravel")
    line = cv2.getGaussianKernel(5, 0.8)
    values = cv2.filter2D(before.astype(float), cv2.CV_64F, line @ line.T)
    found = recover(before, np.uint8(np.clip(np.floor(values), 0, 255)), 7)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.offset == pytest.approx(-0.5, abs=0.02)
    assert any("cuts fractions off" in note for note in found.notes)


@pytest.mark.parametrize(("scale", "told"), [(0.99996, ""), (1.0061, ", times 1.006")])
def test_no_factor_is_written_that_its_digits_make_1(scale, told):
    """A factor has four digits; where these are those of 1 there is none."""
    assert str(Name("Sharpen", scale, near=1e-6)) == f"Sharpen{told}"


@pytest.mark.parametrize("name", ["gravel", pytest.param("brick", marks=pytest.mark.slow)])
def test_a_factor_is_told_only_where_its_multiple_makes_the_pixels(name):
    """Contrast times 0.9 with weights of a thousandth beside it: least squares may see the one
    weight alone, but no multiple of the picture is within one rounding of all pixels.
    """
    before = photo(name, 200)
    kernel = np.array([[-0.17, 0, -0.85], [0, 899.25, 0], [0.21, 0, -0.47]]) / 1000
    found = recover(before, filtered(before, kernel), 7)
    after = filtered(before, kernel).astype(float)
    inside = (after > 0) & (after < 255)
    if found.catalogue_name:
        left = (after - found.name.scale * before)[inside]
        assert np.ptp(left) <= 2 * 0.53, found.catalogue_name
