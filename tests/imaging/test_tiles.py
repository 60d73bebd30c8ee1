"""A picture in tiles is the same picture."""

import itertools

import cv2
import numpy as np
import pytest

from kernel_demo.imaging.filtering import BORDERS, correlate, pad
from kernel_demo.imaging.kernels import named, random
from kernel_demo.imaging.tiles import apply_tiled, apply_tiles, iter_tiles

SHAPES = [(1, 1), (1, 50), (37, 1), (16, 16), (45, 61), (33, 20, 3)]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 16), (17, 33), (100, 3)])
@pytest.mark.parametrize("tile", [1, 5, 16, 200])
def test_tiles_cover_each_pixel_once(height, width, tile):
    """Every pixel is in exactly one tile and no tile is larger than asked for."""
    times = np.zeros((height, width), int)
    for rows, columns in iter_tiles(height, width, tile):
        times[rows, columns] += 1
        assert max(times[rows, columns].shape) <= tile
    assert (times == 1).all()


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "tile"), [(3, 16), (5, 7), (7, 16), (7, 1000)])
def test_tiled_equals_whole_bit_for_bit(border, shape, size, tile):
    """Up to 7 x 7, filtering in tiles gives the very same floating-point numbers."""
    picture = np.random.default_rng(0).random(shape)
    kernel = random(size, 1)
    whole = correlate(picture, kernel, border, 0.1)
    np.testing.assert_array_equal(apply_tiled(picture, kernel, border, 0.1, tile), whole)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "tile"), [(9, 16), (15, 4), (31, 16)])
def test_tiled_equals_whole_for_large_kernels(border, shape, size, tile):
    """Above 7 x 7 OpenCV sums by DFT, in another order for each tile: rounding of float64 only."""
    picture = np.random.default_rng(2).random(shape)
    kernel = random(size, 3)
    whole = correlate(picture, kernel, border)
    np.testing.assert_allclose(apply_tiled(picture, kernel, border, 0, tile), whole, atol=1e-13)


@pytest.mark.parametrize("working", [np.float32, np.float64])
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("key", ["sobel_x", "laplacian_8", "emboss", "prewitt_y"])
def test_integer_kernels_on_eight_bits_are_exact(working, border, key):
    """Sums of small integers are exact in float32 too: the largest difference is 0."""
    picture = np.random.default_rng(4).integers(0, 256, (70, 45), dtype=np.uint8)
    result = np.empty(picture.shape, np.float32)
    for _ in apply_tiles(picture, result, named(key), border, 0.0, 16, working):
        pass
    np.testing.assert_array_equal(result, correlate(picture, named(key), border))


def test_float32_sums_are_near():
    """The fast sums differ by less than 1e-5 of full scale from the reference."""
    picture = np.random.default_rng(5).random((300, 200)).astype(np.float32)
    kernel = random(7, 6)
    result = np.empty_like(picture)
    for _ in apply_tiles(picture, result, kernel, tile=64):
        pass
    np.testing.assert_allclose(result, correlate(picture, kernel), atol=1e-5)


def test_one_value_around_is_the_same_in_tiles():
    """Every tile along the rim sees the value that OpenCV puts around the whole, a channel each."""
    picture = np.random.default_rng(4).random((70, 90, 3))
    value = (0.25, 0.5, 1.0)
    wide = cv2.copyMakeBorder(picture, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=value)
    kernel = np.random.default_rng(5).normal(size=(5, 5))
    expected = cv2.filter2D(wide, -1, kernel)[2:-2, 2:-2]
    got = apply_tiled(picture, kernel, "constant", tile=32, value=value)
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_array_equal(pad(picture, 2, "constant", value), wide)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_an_integer_sink_is_rounded_and_clipped(dtype):
    """Halves go up, and nothing wraps around at the ends of the range."""
    limits = np.iinfo(dtype)
    picture = np.array([[limits.min, limits.max, 0, 1, 2, 7]], dtype)
    for factor in (-2.0, -0.5, 0.5, 3.0):
        kernel = np.zeros((3, 3))
        kernel[1, 1] = factor
        result = np.empty_like(picture)
        list(apply_tiles(picture, result, kernel))
        exact = np.floor(picture.astype(float) * factor + 0.5)
        np.testing.assert_array_equal(result, np.clip(exact, limits.min, limits.max))


def test_files_on_disk_are_filtered_without_loading_them(tmp_path):
    """Source and sink may be memory-mapped files."""
    picture = np.random.default_rng(7).integers(0, 256, (90, 70), dtype=np.uint8)
    source = np.memmap(tmp_path / "before", np.uint8, "w+", shape=picture.shape)
    source[:] = picture
    sink = np.memmap(tmp_path / "after", np.float32, "w+", shape=picture.shape)
    for _ in apply_tiles(source, sink, named("gaussian", 5), "wrap", tile=32):
        pass
    expected = correlate(picture, named("gaussian", 5), "wrap")
    np.testing.assert_allclose(np.asarray(sink), expected, rtol=1e-6)


def test_a_tile_needs_no_more_than_itself():
    """No read goes beyond one tile with its halo, and no write beyond one tile."""
    largest = 0

    class Watched(np.ndarray):
        def __getitem__(self, place):
            nonlocal largest
            part = np.asarray(self)[place]
            largest = max(largest, part.size)
            return part

    picture = np.zeros((200, 5000), np.float32).view(Watched)
    for _ in apply_tiles(picture, np.empty(picture.shape), np.eye(5), "wrap", tile=50):
        pass
    assert largest == 54 * 54


def test_progress_rises_to_one_and_can_be_left():
    """The fractions rise to 1, and who stops iterating leaves the rest untouched."""
    picture = np.ones((40, 40))
    result = np.zeros_like(picture)
    work = apply_tiles(picture, result, named("box"), tile=10)
    assert list(itertools.islice(work, 3)) == [1 / 16, 2 / 16, 3 / 16]
    work.close()
    assert (result[10:] == 0).all()
    fractions = list(apply_tiles(picture, result, named("box"), tile=10))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
