"""The reference filter against OpenCV, SciPy and a sum by hand; what lies beyond the picture."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import torch

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import (
    BORDERS,
    border_named,
    correlate,
    correlate_valid,
    pad,
    patch_view,
    positions,
    to_grey,
    to_uint8,
)
from kernel_demo.imaging.kernels import named, random

# SciPy swaps the words: its "reflect" repeats the edge pixel, its "mirror" does not.
SCIPY = {
    "zero": "constant",
    "replicate": "nearest",
    "reflect": "mirror",
    "symmetric": "reflect",
    "wrap": "wrap",
}
# Not 3 x 4: there scipy.ndimage.correlate (1.17) reads wrong pixels for a 31 x 31 kernel in its
# "reflect" mode, while its own correlate1d, NumPy and OpenCV agree with us.
SHAPES = [(1, 1), (1, 12), (9, 1), (4, 5), (40, 33)]
PADDED = [(1, 1), (1, 7), (6, 1), (2, 3), (5, 4), (30, 20), (6, 5, 3)]
RADII = [0, 1, 2, 7, 15]


def _picture(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_five_by_five_by_hand():
    """A 3 x 3 kernel with nine different weights, over 5 x 5: the sums as done on paper."""
    picture = np.array(
        [
            [1, 0, 0, 0, 2],
            [0, 0, 0, 0, 0],
            [0, 0, 1, 0, 0],
            [0, 0, 0, 0, 0],
            [3, 0, 0, 0, 0],
        ],
        float,
    )
    kernel = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], float)
    # after[y, x] = sum kernel[i, j] before[y + i - 1, x + j - 1]: a lone 1 leaves the kernel turned
    # by half a turn (a convolution, which flips, would leave it upright).
    expected = np.array(
        [
            [5, 4, 0, 12, 10],
            [2, 10, 8, 13, 4],
            [0, 6, 5, 4, 0],
            [24, 24, 2, 1, 0],
            [15, 12, 0, 0, 0],
        ],
        float,
    )
    np.testing.assert_array_equal(correlate(picture, kernel, "zero"), expected)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 5, 9, 15, 31])
def test_correlate_is_scipys(border, shape, size):
    """All five borders equal scipy.ndimage.correlate, from 1 x 1 up, in float64."""
    picture, kernel = _picture(shape), random(size, 3).values
    theirs = scipy.ndimage.correlate(picture, kernel, mode=SCIPY[border], cval=0)
    np.testing.assert_allclose(correlate(picture, kernel, border), theirs, atol=1e-13)


@pytest.mark.parametrize("border", [name for name in BORDERS if name != "wrap"])
@pytest.mark.parametrize("size", [3, 7])
def test_correlate_is_opencvs(border, size):
    """Where OpenCV has the border itself, its picture is ours, bit for bit."""
    picture, kernel = _picture((50, 61)), random(size, 4).values
    mode = getattr(cv2, BORDERS[border].opencv)
    theirs = cv2.filter2D(picture, -1, kernel, delta=0.25, borderType=mode)
    np.testing.assert_array_equal(correlate(picture, kernel, border, 0.25), theirs)


@pytest.mark.parametrize("key", ["sobel_x", "sobel_y"])
def test_sobel_of_a_picture_is_opencvs(key):
    """The catalogue's Sobel through correlate() equals cv2.Sobel, border included."""
    picture = np.random.default_rng(5).integers(0, 256, (30, 40)).astype(np.float64)
    theirs = cv2.Sobel(picture, -1, int(key == "sobel_x"), int(key == "sobel_y"))
    np.testing.assert_array_equal(correlate(picture, named(key)), theirs)


@pytest.mark.parametrize("border", BORDERS)
def test_colour_is_filtered_channel_by_channel(border):
    """Each channel of a colour picture is filtered as a grey one would be."""
    picture, kernel = _picture((20, 17, 3)), random(5, 6)
    filtered = correlate(picture, kernel, border)
    for channel in range(3):
        alone = correlate(picture[..., channel], kernel, border)
        np.testing.assert_array_equal(filtered[..., channel], alone)


@pytest.mark.parametrize("shape", [(15, 15), (16, 40), (20, 17, 1), (20, 17, 3)])
@pytest.mark.parametrize("size", [3, 15])
def test_valid_is_the_interior(shape, size):
    """correlate_valid() is the part of correlate() that no border mode touches."""
    picture, kernel, radius = _picture(shape), random(size, 7), size // 2
    inner = correlate(picture, kernel, "wrap", 0.5)[radius:-radius, radius:-radius]
    np.testing.assert_allclose(correlate_valid(picture, kernel, 0.5), inner, atol=1e-14)


@pytest.mark.parametrize("size", [3, 9])
def test_padding_first_and_filtering_inside_agree(size):
    """correlate() is correlate_valid() of the padded picture."""
    picture, kernel = _picture((20, 30)), random(size, 8)
    padded = pad(picture, size // 2, "symmetric")
    np.testing.assert_array_equal(
        correlate_valid(padded, kernel), correlate(picture, kernel, "symmetric")
    )


@pytest.mark.parametrize(
    ("given", "returned"),
    [(np.uint8, np.float32), (np.float32, np.float32), (np.float64, np.float64)],
)
def test_the_dtype_follows_the_pictures(given, returned):
    """float64 in, float64 out; else float32, summed in float64 all the same."""
    picture = np.random.default_rng(9).integers(0, 2, (20, 20)).astype(given)
    filtered = correlate(picture, named("gaussian", 5))
    assert filtered.dtype == returned
    exact = correlate(picture.astype(np.float64), named("gaussian", 5))
    np.testing.assert_array_equal(filtered, exact.astype(returned))


@pytest.mark.parametrize("kernel", [np.ones((2, 2)), np.ones((3, 5)), np.ones(3)])
def test_a_kernel_without_a_centre_is_an_error(kernel):
    """Even or oblong kernels are the caller's mistake."""
    with pytest.raises(ValueError, match="odd"):
        correlate(_picture((9, 9)), kernel)


def test_no_valid_pixel_is_an_error():
    """A picture smaller than the kernel has no valid output."""
    with pytest.raises(ValueError, match="no patch"):
        correlate_valid(_picture((9, 4)), np.ones((5, 5)))


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (-1, 0),
        (0, 0),
        (0.49 / 255, 0),
        (0.5 / 255, 1),
        (1.5 / 255, 2),
        (127.5 / 255, 128),
        (1, 255),
        (7, 255),
    ],
)
def test_to_uint8_rounds_halves_up_and_clips(value, level):
    """Nearest grey level, halves up, nothing below 0 or above 255."""
    assert to_uint8(np.array([value]))[0] == level


def test_eight_bits_there_and_back():
    """Every grey level survives float32 0..1 and to_uint8()."""
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(levels.astype(np.float32) / 255), levels)


def test_luminance_is_opencvs():
    """Luminance has the weights of OpenCV's conversion to grey (which keeps float32)."""
    picture = _picture((10, 12, 3)).astype(np.float32)
    theirs = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(to_grey(picture), theirs, atol=2e-7)


@pytest.mark.parametrize(("channel", "index"), [("red", 0), ("green", 1), ("blue", 2)])
def test_one_channel_is_taken_as_it_is(channel, index):
    """A colour's own channel comes out unchanged, a grey picture whatever the channel."""
    picture = _picture((10, 12, 3)).astype(np.float32)
    np.testing.assert_array_equal(to_grey(picture, channel), picture[..., index])
    np.testing.assert_array_equal(to_grey(picture[..., 0], channel), picture[..., 0])


def test_an_unknown_channel_is_refused():
    """A channel that no picture has is refused with the choices."""
    with pytest.raises(DemoError, match="luminance, red, green, blue"):
        to_grey(_picture((3, 3, 3)), "alpha")


def _pixels(shape):
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


@pytest.mark.parametrize("shape", PADDED)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("border", BORDERS)
def test_padding_is_opencvs(shape, radius, border):
    """pad() equals cv2.copyMakeBorder for every mode, also where the radius exceeds the picture."""
    picture = _pixels(shape)
    mode = getattr(cv2, BORDERS[border].opencv)
    theirs = cv2.copyMakeBorder(picture, *[radius] * 4, mode, value=0)
    np.testing.assert_array_equal(pad(picture, radius, border), theirs)


@pytest.mark.parametrize(
    ("border", "mode"),
    [("zero", "constant"), ("replicate",) * 2, ("reflect",) * 2, ("wrap", "circular")],
)
def test_padding_is_torchs(border, mode):
    """pad() equals torch.nn.functional.pad, where torch has the mode and the picture is larger."""
    picture = np.random.default_rng(1).random((8, 9)).astype(np.float32)
    theirs = torch.nn.functional.pad(torch.from_numpy(picture)[None, None], (3, 3, 3, 3), mode=mode)
    np.testing.assert_array_equal(pad(picture, 3, border), theirs[0, 0].numpy())


@pytest.mark.parametrize("shape", PADDED)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("border", BORDERS)
def test_pad_then_crop_is_the_identity(shape, radius, border):
    """The picture lies unchanged in the middle of its padded self, dtype included."""
    picture = _pixels(shape)
    padded = pad(picture, radius, border)
    inner = padded[radius : radius + shape[0], radius : radius + shape[1]]
    np.testing.assert_array_equal(inner, picture)
    assert padded.dtype == picture.dtype


@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 1), (9, 8, 3)])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_patches_lie_where_they_are_cut_out(shape, size):
    """Each is what slicing cuts out, channel by channel; what they show cannot be written to."""
    picture = np.random.default_rng(size).random(shape)
    patches = patch_view(picture, size)
    assert patches.shape == (10 - size, 9 - size, *shape[2:], size, size)
    for y, x in np.ndindex(patches.shape[:2]):
        cut = picture[y : y + size, x : x + size]
        np.testing.assert_array_equal(patches[y, x], np.moveaxis(cut, (0, 1), (-2, -1)))
    with pytest.raises(ValueError, match="read-only"):
        patches[0, 0] = 0


def test_no_patches_of_a_smaller_picture():
    """A picture that is smaller than the patch is refused."""
    with pytest.raises(ValueError, match="window"):
        patch_view(np.zeros((9, 2, 3)), 3)


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
