"""What lies beyond the picture, in five ways."""

import cv2
import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.imaging.borders import BORDERS, border_named, pad, positions

SHAPES = [(1, 1), (1, 7), (6, 1), (2, 3), (5, 4), (30, 20), (6, 5, 3)]
RADII = [0, 1, 2, 7, 15]


def _picture(shape):
    return np.random.default_rng(0).integers(1, 256, shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("border", "expected"),
    [
        ("zero", [0, 0, 1, 2, 3, 0, 0]),
        ("replicate", [1, 1, 1, 2, 3, 3, 3]),
        ("reflect", [3, 2, 1, 2, 3, 2, 1]),
        ("symmetric", [2, 1, 1, 2, 3, 3, 2]),
        ("wrap", [2, 3, 1, 2, 3, 1, 2]),
    ],
)
def test_the_five_modes_by_hand(border, expected):
    """1 2 3 with two more pixels on each side, as written down."""
    np.testing.assert_array_equal(pad(np.array([[1, 2, 3]]), 2, border)[2], expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("border", BORDERS)
def test_padding_is_opencvs(shape, radius, border):
    """pad() equals cv2.copyMakeBorder for every mode, also where the radius exceeds the picture."""
    picture = _picture(shape)
    theirs = cv2.copyMakeBorder(picture, *[radius] * 4, BORDERS[border].opencv, value=0)
    np.testing.assert_array_equal(pad(picture, radius, border), theirs)


@pytest.mark.parametrize("border", [name for name, border in BORDERS.items() if border.torch])
def test_padding_is_torchs(border):
    """pad() equals torch.nn.functional.pad, where torch has the mode and the picture is larger."""
    picture = np.random.default_rng(1).random((8, 9)).astype(np.float32)
    theirs = torch.nn.functional.pad(
        torch.from_numpy(picture)[None, None], (3, 3, 3, 3), mode=BORDERS[border].torch
    )
    np.testing.assert_array_equal(pad(picture, 3, border), theirs[0, 0].numpy())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("border", BORDERS)
def test_pad_then_crop_is_the_identity(shape, radius, border):
    """The picture lies unchanged in the middle of its padded self, dtype included."""
    picture = _picture(shape)
    padded = pad(picture, radius, border)
    inner = padded[radius : radius + shape[0], radius : radius + shape[1]]
    np.testing.assert_array_equal(inner, picture)
    assert padded.dtype == picture.dtype


@pytest.mark.parametrize("length", [1, 2, 9])
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("border", BORDERS)
def test_positions_say_where_padding_comes_from(length, radius, border):
    """Reading an axis at positions() gives what pad() gives; -1 stands for zero."""
    column = np.arange(1.0, length + 1)
    places = positions(length, radius, border)
    read = np.where(places < 0, 0, column[places])
    np.testing.assert_array_equal(read, pad(column[:, None], radius, border)[:, radius])


@pytest.mark.parametrize("name", ["", "mirror", "REFLECT", None, ["zero"]])
def test_other_modes_are_refused(name):
    """A border mode that is not in the table is refused with those that are."""
    with pytest.raises(DemoError, match="zero, replicate, reflect, symmetric, wrap"):
        border_named(name)
