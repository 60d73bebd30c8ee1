"""Filters of a few parameters, and of several roundings: which are named, and which not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from kernel_demo.imaging import catalogue
from kernel_demo.recovery import Verdict, alignment, families, formulas, known, recover
from kernel_demo.recovery.passes import Family

FOLDER = Path(__file__).parents[2] / "examples"


def photo(name: str) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))[100:280, 100:340]


def gaussian(sigma: float, size: int) -> np.ndarray:
    line = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def filtered(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """In float64, rounded half up once."""
    made = ndimage.correlate(picture.astype(np.float64), kernel, mode="mirror")
    return np.clip(np.floor(made + 0.5), 0, 255).astype(np.uint8)


def impulse(tool) -> np.ndarray:
    """What a linear tool makes of one bright pixel, as a share of it."""
    before = np.zeros((31, 31))
    before[15, 15] = 1
    return tool(before)


def worst(found, true: np.ndarray) -> float:
    """The largest error of a weight, in its bars."""
    size = max(len(true), found.size)
    true, kernel, bars = (
        np.pad(v, (size - len(v)) // 2)
        for v in (true, found.kernel[0, 0], found.standard_error[0, 0])
    )
    error = np.maximum(np.abs(kernel - true) - 1e-7, 0)
    return float((error / np.where(bars > 0, bars, bars.max())).max())


# What must not be named ---------------------------------------------------------------------------


@pytest.mark.sweep(3)
@pytest.mark.parametrize("seed", range(3))
def test_a_kernel_half_a_per_cent_off_a_gaussian_is_none(seed):
    """Of the largest weight, by chance, about both axes alike: a photo tells it from a Gaussian."""
    off = np.random.default_rng(seed).normal(size=(7, 7))
    off += off[::-1] + off[:, ::-1] + off[::-1, ::-1]
    off -= off.mean()
    kernel = gaussian(1.0, 7)
    kernel += 0.005 * kernel.max() * off / np.abs(off).max()
    before = photo("camera")
    found = recover(before, filtered(before, kernel), 9)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.steps is None
    assert "Gaussian" not in found.catalogue_name


def test_a_random_symmetric_kernel_is_of_no_family():
    """Symmetric, positive and of sum 1, as a blur is."""
    kernel = np.random.default_rng(4).random((5, 5))
    kernel += kernel[::-1] + kernel[:, ::-1] + kernel[::-1, ::-1]
    before = photo("cat")
    found = recover(before, filtered(before, kernel / kernel.sum()), 9)
    assert (found.steps, found.catalogue_name) == (None, "")


def test_a_smooth_picture_names_no_family():
    """Where other kernels make the very same pixels, a Gaussian does so by chance."""
    rows, columns = np.mgrid[:150, :200]
    before = (128 + 60 * np.sin(rows / 40) * np.cos(columns / 50) + 0.5).astype(np.uint8)
    found = recover(before, filtered(before, gaussian(1.0, 7)), 9)
    assert found.steps is None
    assert "Gaussian" not in found.catalogue_name


def test_a_median_in_the_blur_is_no_way_of_rounding():
    """One part in twenty: no passes make it."""
    before = photo("camera").astype(float)
    mixed = 0.95 * before + 0.05 * cv2.medianBlur(photo("camera"), 3)
    line = gaussian(1.0, 7)[3] / gaussian(1.0, 7)[3].sum()
    between = np.floor(ndimage.correlate1d(mixed, line, axis=1) + 0.5)
    after = np.floor(ndimage.correlate1d(between, line, axis=0) + 0.5).astype(np.uint8)
    assert recover(photo("camera"), after, 9).steps is None


def test_a_factor_far_from_1_is_no_identity():
    """What leaves one level in two hundred leaves no picture as it is."""
    assert known.kernel(0.005 * np.pad([[1.0]], 1)).name == known.CONTRAST


def test_a_threshold_that_cuts_nothing_else_off_is_not_told_from_none():
    """Below 100 per cent a difference of 1 comes to nothing, whatever the threshold."""
    before = photo("camera")
    after = np.asarray(Image.fromarray(before).filter(ImageFilter.UnsharpMask(1, 50, 1)))
    assert recover(before, after).steps is None


def test_whole_numbers_with_pixels_left_out_stay_what_they_are():
    """A sharpening is no unsharp mask of a Gaussian without a width."""
    before = photo("coffee")[:60, :80]
    sharpened = filtered(before, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]))
    after = np.where(np.random.default_rng(3).random(before.shape) < 0.05, 128, sharpened)
    found = recover(before, after.astype(np.uint8))
    assert "Unsharp" not in found.catalogue_name
    assert found.steps is None


# What is ------------------------------------------------------------------------------------------


@pytest.mark.sweep(3)
@pytest.mark.parametrize(("radius", "name"), [(0.6, "cat"), (1, "gravel"), (2, "camera")])
def test_pillows_gaussian_is_three_boxes_each_way(radius, name):
    """Six roundings, its radius, and every pixel."""
    before = photo(name)
    after = np.asarray(Image.fromarray(before).filter(ImageFilter.GaussianBlur(radius)))
    found = recover(before, after)
    assert found.verdict == Verdict.CONVOLUTION
    assert (found.roundings, found.steps.way.family) == (6, Family.PILLOW_GAUSSIAN)
    assert found.steps.way.parameters == {"radius": radius}
    assert found.steps.share == 1
    told = json.loads(json.dumps(found.as_dict()))["parameters"]["radius"]
    assert told["value"] == radius
    assert 0 < told["standard_error"] < 1e-3
    assert f"radius {radius:g}" in found.explanation


def test_a_box_blur_that_is_repeated_is_told_as_that():
    """Rounded to whole levels after each."""
    before, box = photo("camera"), np.full((3, 3), 1 / 9)
    found = recover(before, filtered(filtered(before, box), box), 9)
    assert found.steps.way.parameters == {"size": 3, "times": 2}
    assert (found.verdict, found.roundings) == (Verdict.CONVOLUTION, 2)
    assert worst(found, ndimage.convolve(np.pad(box, 1), box, mode="constant")) < 1


def test_passes_that_round_nothing_are_not_said_to_round():
    """Of a picture in sixteenths, quarters along each axis leave whole levels: one rounding, or
    none, makes the same file."""
    before = photo("camera") // 16 * 16
    line = np.array([[1, 2, 1]]) / 4
    after = filtered(before, line.T @ line)
    pair, _ = alignment.prepare(before, after, 3)
    found = families.find(line.T @ line, 0.0, alignment.planes_of([pair]), 0.5)
    assert found is None or found.way.roundings == 1


def test_pillows_unsharp_mask_is_found_by_its_settings():
    """Radius and per cent, rounded seven times."""
    before = photo("gravel")
    after = np.asarray(Image.fromarray(before).filter(ImageFilter.UnsharpMask(2, 150, 0)))
    found = recover(before, after)
    assert found.steps.way.parameters == {"radius": 2, "percent": 150}
    assert (found.verdict, found.roundings, found.steps.share) == (Verdict.CONVOLUTION, 7, 1)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("sigma", [1, 1.5])
def test_scipy_cuts_off_after_each_axis(sigma):
    """Columns first, both cut off; the size is that of four sigma."""
    before = photo("camera")
    found = recover(before, ndimage.gaussian_filter(before, sigma))
    size = 2 * int(4 * sigma + 0.5) + 1
    assert found.steps.way.parameters == {"sigma": sigma, "size": size}
    assert (found.roundings, found.steps.share) == (2, 1)
    assert worst(found, impulse(lambda p: ndimage.gaussian_filter(p, sigma))[15 - size // 2 :
                 16 + size // 2, 15 - size // 2 : 16 + size // 2]) < 1  # fmt: skip


@pytest.mark.sweep(2)
@pytest.mark.parametrize("across", [True, False], ids=["rows first", "columns first"])
@pytest.mark.parametrize("name", ["camera", "coffee"])
def test_two_lines_of_no_family_lie_within_their_bars(across, name):
    """Whole levels between, in either order, off centre and unlike: found by the pixels."""
    row, column = np.array([1, 2, 4, 2.5, 0.5]) / 10, gaussian(0.9, 5)[2]
    column = column / column.sum()
    before = photo(name)
    first, second = (row[None], column[:, None]) if across else (column[:, None], row[None])
    found = recover(before, filtered(filtered(before, first), second), 9)
    assert (found.verdict, found.roundings) == (Verdict.CONVOLUTION, 2)
    one_rounding = filtered(before, found.kernel[0, 0]) == filtered(filtered(before, first), second)
    assert found.reproduced > 0.99 > one_rounding.mean()
    assert worst(found, np.outer(column, row)) < 5


def test_a_gaussian_of_one_rounding_is_known_by_its_sigma():
    """To the last digit, where the free kernel has thousandths."""
    before = photo("gravel")
    found = recover(before, filtered(before, gaussian(1.3, 9)))
    assert found.steps.way.parameters == {"sigma": 1.3, "size": 9}
    assert (found.roundings, found.reproduced) == (1, 1)
    assert found.steps.errors["sigma"] < 1e-3
    np.testing.assert_allclose(found.kernel[0, 0], gaussian(1.3, 9), atol=1e-12)


def laplacian(sigma: float, size: int) -> np.ndarray:
    """Of a Gaussian, of sum 0."""
    y, x = np.mgrid[: 2 * size // 2, : 2 * size // 2] - size // 2
    square = (x**2 + y**2) / sigma**2
    kernel = (square - 2) * np.exp(-square / 2)
    return kernel - kernel.mean()


BY_FORMULA = [
    (Family.UNSHARP, {"sigma": 1.5, "size": 9, "amount": 0.8},
     1.8 * np.pad([[1.0]], 4) - 0.8 * gaussian(1.5, 9), 0),
    (Family.LOG, {"sigma": 1.2, "size": 9, "gain": 0.3}, 0.3 * laplacian(1.2, 9), 128),
    (Family.MOTION, {"angle": 30, "size": 9}, catalogue.motion_blur(9, 30), 0),
]  # fmt: skip


@pytest.mark.sweep(3)
@pytest.mark.parametrize(("kind", "figures", "kernel", "offset"), BY_FORMULA)
def test_a_formula_is_known_by_its_parameters(kind, figures, kernel, offset):
    """One rounding: each number as it was, with a bar."""
    before = photo("gravel")
    made = ndimage.correlate(before.astype(np.float64), kernel, mode="mirror") + offset
    found = recover(before, np.clip(np.floor(made + 0.5), 0, 255).astype(np.uint8))
    assert found.steps.way.family == kind
    assert found.steps.way.parameters == pytest.approx(figures)
    assert all(0 < error < 0.1 for error in found.steps.errors.values())


def test_opencvs_fixed_point_is_called_by_its_own_name():
    """Whole numbers over 65536 that cv2.GaussianBlur has for a sigma."""
    before = photo("cat")
    found = recover(before, cv2.GaussianBlur(before, (7, 7), 1.2), 9)
    assert found.bit_exact
    assert found.catalogue_name == "Gaussian blur, sigma 1.2, size 7 (OpenCV)"


@pytest.mark.parametrize("radius", [0.3, 0.6, 1, 1.5, 2.7, 5])
def test_pillows_blur_is_simulated_bit_for_bit(radius):
    """The arithmetic of its C code, against it."""
    before = photo("camera")
    after = np.asarray(Image.fromarray(before).filter(ImageFilter.GaussianBlur(radius)))
    way = formulas.by_pillow_gaussian(radius)
    down, right = way.reach
    np.testing.assert_array_equal(way.made(before), after[down:-down, right:-right])


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["camera", "gravel"])
def test_a_box_in_two_roundings_is_told_as_it_is_or_not_at_all(name):
    """In the sky of camera a first line of 85, 86, 85 / 256 comes near: 99.5 % of the pixels."""
    before = photo(name)[:300, :400]
    between = ndimage.uniform_filter1d(before.astype(float), 3, axis=0, mode="mirror")
    after = ndimage.uniform_filter1d(np.floor(between + 0.5), 3, axis=1, mode="mirror")
    found = recover(before, np.floor(after + 0.5).astype(np.uint8), 7)
    if found.verdict.linear:
        third = np.pad(np.full((3, 3), 1 / 9), (found.size - 3) // 2)
        assert (np.abs(found.kernel[0, 0] - third) <= 5 * found.standard_error[0, 0]).all()
