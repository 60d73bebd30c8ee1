"""Whole numbers times a factor near 1: what one rounding makes of them is nobody's change."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
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
