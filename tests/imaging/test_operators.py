"""What no single convolution can do, and what becomes of a picture in a file."""

import cv2
import numpy as np
import pytest
import scipy.ndimage

from benchmarks import operations
from benchmarks.operations import OPERATIONS
from kernel_demo.imaging import operators
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.imaging.operators import degrade


def _photo(shape=(40, 50), seed=0):
    """Smooth shapes with edges: what photos are to a filter."""
    noise = np.random.default_rng(seed).random(shape)
    smooth = scipy.ndimage.gaussian_filter(noise, (4, 4) + (0,) * (len(shape) - 2))
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


@pytest.mark.parametrize("key", OPERATIONS)
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3), (1, 9), (1, 1)])
def test_every_operator_keeps_the_shape(key, shape):
    """float32 pictures of any shape come back as float32 of the same shape, finite."""
    picture = np.clip(np.random.default_rng(1).random(shape), 0, 1).astype(np.float32)
    before = picture.copy()
    result = OPERATIONS[key](picture)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("key", OPERATIONS)
def test_no_operator_is_linear_and_alike_everywhere(key):
    """Each breaks a law of convolutions: adding up, with an offset at most, or moving along."""
    apply = OPERATIONS[key]
    a, b = _photo(seed=2), _photo(seed=3)
    # An affine map takes the middle of two pictures to the middle of its results.
    uneven = np.abs(apply((a + b) / 2) - (apply(a) + apply(b)) / 2).max()
    moved = np.roll(apply(np.roll(a, 7, axis=1)), -7, axis=1)
    elsewhere = np.abs(moved - apply(a))[15:-15, 15:-15].max()
    # Half a grey level: more than rounding to 8 bits could hide.
    assert max(uneven, elsewhere) > 0.5 / 255


def test_magnitude_is_the_length_of_the_gradient():
    """The magnitude squared is the sum of both Sobels squared."""
    picture = _photo()
    x, y = correlate(picture, named("sobel_x")), correlate(picture, named("sobel_y"))
    np.testing.assert_allclose(operators.magnitude(picture) ** 2, x**2 + y**2, atol=1e-6)


def test_a_wide_median_is_scipys():
    """Beyond 5 x 5 values are those of 8 bits, and equal SciPy's."""
    picture = np.random.default_rng(2).integers(0, 256, (40, 30)) / 255
    theirs = scipy.ndimage.median_filter(picture, 9, mode="nearest")
    np.testing.assert_allclose(operators.median(picture, 9), theirs, atol=1e-7)


def test_median_is_scipys():
    """The median of nine equals SciPy's, with the edge pixel repeated outside."""
    picture = _photo()
    theirs = scipy.ndimage.median_filter(picture, 3, mode="nearest")
    np.testing.assert_array_equal(operators.median(picture), theirs)


def test_dilate_is_scipys():
    """The largest of nine equals SciPy's."""
    picture = _photo()
    theirs = scipy.ndimage.maximum_filter(picture, 3, mode="nearest")
    np.testing.assert_array_equal(operators.dilate(picture), theirs)


def test_equalise_is_opencvs():
    """The grey levels are those of cv2.equalizeHist, each channel by itself."""
    picture = _photo((30, 30, 3))
    for channel in range(3):
        theirs = cv2.equalizeHist(np.ascontiguousarray(to_uint8(picture)[..., channel]))
        ours = to_uint8(operations.equalise(picture))[..., channel]
        np.testing.assert_array_equal(ours, theirs)


def test_light_filters_leave_flat_areas_alone():
    """Decoding, blurring and encoding returns an even grey as it was."""
    for level in (0.0, 0.02, 0.5, 1.0):
        flat = np.full((9, 9), level, np.float32)
        filtered = operations.linear_light(flat, named("gaussian", 5))
        np.testing.assert_allclose(filtered, flat, atol=1e-6)


def test_linear_light_brightens_a_blurred_edge():
    """Half black, half white mixes to sRGB 0.735 in light, not to 0.5 (IEC 61966-2-1)."""
    stripes = np.tile(np.array([0, 1], np.float32), (8, 8))
    half = np.array([[0, 0, 0], [0.25, 0.5, 0.25], [0, 0, 0]])
    np.testing.assert_allclose(operations.linear_light(stripes, half), 0.7354, atol=1e-4)


def test_threshold_unsharp_leaves_faint_detail():
    """Detail below the threshold stays; with no threshold it is the plain unsharp mask."""
    picture = _photo()
    np.testing.assert_array_equal(operators.threshold_unsharp(picture, threshold=9.0), picture)
    sharpened = operators.threshold_unsharp(picture, threshold=0.0)
    np.testing.assert_allclose(sharpened, correlate(picture, named("unsharp", 5)), atol=1e-6)


def test_varying_blur_goes_from_sharp_to_blurred():
    """The first column is the picture, the last its blur."""
    picture = _photo()
    result = operators.varying_blur(picture, 9)
    np.testing.assert_array_equal(result[:, 0], picture[:, 0])
    blurred = correlate(picture, named("gaussian", 9))
    np.testing.assert_allclose(result[:, -1], blurred[:, -1], atol=1e-6)


def test_rotate_by_a_quarter():
    """A square turned by 90 degrees is numpy.rot90 of it."""
    picture = _photo((31, 31))
    # warpAffine interpolates at 1/32 pixel: neighbours differ by at most 0.3 here.
    np.testing.assert_allclose(operations.rotate(picture, 90), np.rot90(picture), atol=0.01)


def test_jpeg_keeps_the_colours_in_their_places():
    """Red stays red through the file, and a photo stays near itself at quality 95."""
    red = np.zeros((16, 16, 3), np.float32)
    red[..., 0] = 1
    np.testing.assert_allclose(operators.jpeg(red), red, atol=0.02)
    picture = _photo()
    np.testing.assert_allclose(operators.jpeg(picture, 95), picture, atol=0.03)


@pytest.mark.parametrize("levels", [0.5, 2.0, 10.0])
def test_noise_has_the_size_asked_for(levels):
    """The noise's standard deviation is that many grey levels (40,000 samples: within 3 %)."""
    flat = np.full((200, 200), 0.5, np.float32)
    picture, mask = degrade(flat, levels)
    assert (picture - flat).std() * 255 == pytest.approx(levels, rel=0.03)
    assert picture.dtype == np.float32
    assert mask.all()


def test_eight_bits_round_and_mask_what_was_clipped():
    """Whole grey levels only, and the mask leaves out black and white."""
    picture = np.linspace(-0.5, 1.5, 2001, dtype=np.float32).reshape(3, 667)
    kept, mask = degrade(picture, eight_bit=True)
    np.testing.assert_array_equal(to_uint8(kept), to_uint8(picture))
    np.testing.assert_array_equal(mask, (to_uint8(picture) > 0) & (to_uint8(picture) < 255))
    assert np.abs(kept - picture)[mask].max() <= 0.5 / 255 + 1e-6


def test_degrade_comes_again_by_its_seed():
    """The same seed gives the same noise; nothing lossy asked for returns the picture."""
    picture = _photo()
    np.testing.assert_array_equal(degrade(picture, 3, seed=4)[0], degrade(picture, 3, seed=4)[0])
    assert (degrade(picture, 3, seed=4)[0] != degrade(picture, 3, seed=5)[0]).any()
    np.testing.assert_array_equal(degrade(picture)[0], picture)
