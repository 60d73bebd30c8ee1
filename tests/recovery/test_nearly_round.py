"""Kernels that are nearly round numbers are not told as these; what is open is said."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.optimize import linprog

from kernel_demo.recovery import Verdict, recover

NINTH, GAUSSIAN = np.full((3, 3), 1 / 9), np.outer([1, 2, 1], [1, 2, 1]) / 16
MIXED = np.array([[0.1111, 0.1112, 0.1110], [0.1113, 0.1109, 0.1111], [0.1110, 0.1112, 0.1111]])
DARKER = np.full((3, 3), 0.1111)
DARKER[1, 1] = 0.11
LESS = GAUSSIAN.copy()
LESS[1, 1] = 0.249


@cache
def scene() -> np.ndarray:
    """Waves, discs and grain, 300 x 420."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:300, 0:420]
    values = 90 + 50 * np.sin(x / 17) + 30 * np.cos(y / 23)
    for _ in range(60):
        across, down, radius = rng.integers(0, 420), rng.integers(0, 300), rng.integers(5, 40)
        disc = (x - across) ** 2 + (y - down) ** 2 < radius**2
        values = np.where(disc, rng.integers(30, 220), values)
    return np.clip(values + rng.normal(0, 6, values.shape), 0, 255).round().astype(np.uint8)


def once(kernel: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """The scene filtered in float64 by a plain sum, and rounded once."""
    wide = np.pad(scene().astype(float), 1, "edge")
    total = sum(kernel[i, j] * wide[i : i + 300, j : j + 420] for i in range(3) for j in range(3))
    return np.clip(np.round(total + offset), 0, 255).astype(np.uint8)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("kernel", [MIXED, DARKER, LESS], ids=["ninths", "darker", "Gaussian"])
def test_what_one_rounding_has_made_is_a_convolution(kernel):
    """Nothing has changed a pixel and nothing speaks against a kernel: within bars and interval."""
    found = recover(scene(), once(kernel))
    assert found.verdict == Verdict.CONVOLUTION
    assert found.left_out.pixels == 0
    assert "changed" not in found.explanation
    off = np.abs(found.kernel[0, 0] - kernel)
    assert (off <= 5 * found.standard_error[0, 0]).all()
    assert (found.interval.low[0, 0] <= kernel).all()
    assert (kernel <= found.interval.high[0, 0]).all()


@pytest.mark.sweep(2)
@pytest.mark.parametrize("kernel", [DARKER, LESS], ids=["ninths", "Gaussian"])
def test_no_name_that_the_pixels_contradict(kernel):
    """A weight of the named kernel lies outside the interval: it has no name."""
    found = recover(scene(), once(kernel))
    named = NINTH if kernel is DARKER else GAUSSIAN
    outside = (named < found.interval.low[0, 0]) | (named > found.interval.high[0, 0])
    assert outside.any()
    assert found.catalogue_name == ""


ALONE = np.eye(1, 9, 4).reshape(3, 3)
BESIDE = ALONE * 0.9
BESIDE[0, 1], BESIDE[2, 1] = 0.003, -0.002


@pytest.mark.sweep(2)
@pytest.mark.parametrize("kernel", [0.95 * DARKER, BESIDE], ids=["box", "contrast"])
def test_no_name_with_a_factor_that_the_pixels_contradict(kernel):
    """By SciPy: what would have that name makes, with no factor, this file in one rounding."""
    found, after = recover(scene(), once(kernel)), once(kernel).astype(float)
    named = NINTH if kernel is not BESIDE else ALONE
    made = ndimage.correlate(scene().astype(float), named)[2:-2, 2:-2].ravel()
    rows = np.c_[made, np.ones(made.size), -np.ones(made.size)]
    off = np.c_[-made, -np.ones(made.size), -np.ones(made.size)]
    value = after[2:-2, 2:-2].ravel()
    few = np.random.default_rng(0).permutation(made.size)[:20_000]
    least = linprog(
        [0, 0, 1], np.r_[rows[few], off[few]], np.r_[value[few], -value[few]], bounds=(None, None)
    )
    assert least.fun > 0.53  # of the residuals, over every factor and offset
    assert found.verdict == Verdict.CONVOLUTION
    assert found.catalogue_name == ""


@pytest.mark.parametrize(
    ("kernel", "name"),
    [
        (0.9013 * ALONE, "Change of contrast, times 0.9013"),
        (0.9 * ALONE, "Change of contrast, times 9/10"),
        (0.9787 * NINTH, "Box blur 3 × 3, times 0.9787"),
        (0.95 * NINTH, "Box blur 3 × 3, times 19/20"),
    ],
)
def test_a_factor_is_told_to_the_digits_that_it_has(kernel, name):
    """A simple number is told where it is that one, and not where it is next to it."""
    assert recover(scene(), once(kernel)).catalogue_name == name


@pytest.mark.parametrize("kernel", [NINTH, GAUSSIAN], ids=["box", "Gaussian"])
def test_a_pixel_that_was_changed_is_still_found(kernel):
    """By one level, in a picture of round numbers: these, but for that pixel, and their name."""
    after = once(kernel)
    after[120, 200] += 1
    found = recover(scene(), after)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.left_out.pixels == 1
    np.testing.assert_allclose(found.kernel[0, 0], kernel, atol=1e-12)
    assert found.catalogue_name in ("Box blur 3 × 3", "Gaussian blur 3 × 3")


@pytest.mark.parametrize("offset", [0.3, 0.26, 100.3])
def test_an_offset_that_others_equal_is_told_as_a_range(offset):
    """Sums over 16: by hand, 0.25 to 0.3125 fall between the same two sixteenths and a half."""
    found = recover(scene(), once(GAUSSIAN, offset))
    assert found.bit_exact
    (told,) = (note for note in found.notes if "offset" in note)
    whole = int(offset)
    assert f"from +{whole + 0.25:g} up to +{whole + 0.3125:g}" in told
