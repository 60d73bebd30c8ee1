"""Kernels through fine JPEG files, where before is not quite what the tool saw."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.recovery import Verdict, luma, recover
from kernel_demo.recovery.alignment import prepare
from kernel_demo.sources.bundled import FOLDER

# Made smaller, so that it bears no marks of its own file.
COFFEE = np.array(Image.open(FOLDER / "coffee.jpg").resize((300, 300), Image.Resampling.BOX))
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
EMBOSS = np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]], float)


def as_jpeg(picture: np.ndarray, quality: int = 95) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality, subsampling=2)
    return np.array(Image.open(data))


def decoded_otherwise(picture: np.ndarray) -> np.ndarray:
    """The picture as another decoder has it: the brightness is one level off here and there."""
    rng = np.random.default_rng(1)
    off = rng.choice([-1, 0, 1], picture.shape[:2], p=[0.015, 0.97, 0.015])
    return np.clip(picture + off[..., None], 0, 255).astype(np.uint8)


def through(kernel: np.ndarray, offset: float = 0) -> np.ndarray:
    wide = cv2.filter2D(decoded_otherwise(COFFEE).astype(float), -1, kernel) + offset
    return np.clip(np.floor(wide + 0.5), 0, 255).astype(np.uint8)


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("kernel", "offset"),
    [(SHARPEN, 0), (EMBOSS, 128), (-np.ones((1, 1)), 255), (np.ones((1, 1)) * 0.5, 63)],
)
def test_a_tool_with_a_decoder_of_its_own_is_found(kernel, offset):
    """The kernel is told within five of its bars, though some coefficients contradict it."""
    found = recover(COFFEE, as_jpeg(through(kernel, offset)))
    assert found.verdict == Verdict.NOISY
    radius = (found.size - len(kernel)) // 2
    error = np.abs(found.kernel[0, 0] - np.pad(kernel, radius))
    assert (error <= 5 * found.standard_error.max()).all()
    assert found.standard_error.max() < 0.03 * np.abs(kernel).max()


def threshold(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.UnsharpMask(1, 60, 3))


def curve(picture: Image.Image) -> Image.Image:
    return picture.point([round(v + 4 * np.sin(v / 40)) for v in range(256)] * 3)


def half_and_back(picture: Image.Image) -> Image.Image:
    small = picture.resize((150, 150), Image.Resampling.BOX)
    return small.resize((300, 300), Image.Resampling.BICUBIC)


def a_seventh_of_it(picture: Image.Image) -> Image.Image:
    return Image.blend(picture, half_and_back(picture), 0.15)


@pytest.mark.sweep(4)
@pytest.mark.parametrize("tool", [threshold, curve, half_and_back, a_seventh_of_it])
def test_what_is_no_convolution_is_not_taken_for_one(tool):
    """Mild operations, in the same fine files."""
    after = np.array(tool(Image.fromarray(decoded_otherwise(COFFEE))))
    assert not recover(COFFEE, as_jpeg(after)).verdict.linear


def test_blocks_that_are_cut_off_do_not_count():
    """A pixel predicted at white takes its block of 8 x 8 with it: the file smears it there."""
    before = np.full((24, 32, 3), 100, np.uint8)
    before[10, 20] = 254
    (plane,) = luma.planes([prepare(before, before)[0]], np.pad(np.ones((1, 1)), 1), 0)
    assert not plane.counted[8:16, 16:24].any()
    assert plane.counted.sum() == 24 * 32 - 64


def test_blocks_are_those_of_the_file_where_pictures_are_displaced():
    """They begin where after begins, not where both pictures do."""
    before = np.full((24, 32, 3), 100, np.uint8)
    before[10, 20] = 254
    pair = replace(prepare(before, before)[0], origin=(-3, 0))  # that pixel: row 13 of after
    (plane,) = luma.planes([pair], np.pad(np.ones((1, 1)), 1), 0)
    assert np.flatnonzero(~plane.counted.all(axis=1)).tolist() == list(range(5, 13))
