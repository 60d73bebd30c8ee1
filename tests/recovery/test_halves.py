"""Halves of the pixels, blocks and repeated patches, against closed forms and NumPy."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery import blocks, halves
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.explanations import Split
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[100:300, 100:340]
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
BOX = np.full((3, 3), 1 / 9)
ALL = np.ones((3, 3), bool)
ONE = np.ones((1, 1))
ROUNDING = 12**-0.5
SIDE, BLOCKS = 256, (8, 8)  # 64 blocks of 32 x 32 pixels


def plane(before, after):
    """With every pixel used."""
    whole = Plane(before, after, None, 255, 1, (-1000, 1000))
    return whole.using(np.ones(before.shape, bool))


def filtered(picture, kernel):
    """By OpenCV in float64."""
    return cv2.filter2D(np.asarray(picture, float), cv2.CV_64F, kernel)


def drawn(before, after):
    return halves.draw([plane(before, after)], ALL)


def chis(before, after):
    return {(half.split, half.every): half.chi for half in halves.compared(drawn(before, after))}


def signs(rng):
    """+1 or -1, one for each block."""
    return np.kron(rng.choice([-1.0, 1.0], BLOCKS), np.ones((32, 32)))


def factor(before, noise):
    """Of the bar of one weight, the gain."""
    after = before + noise
    sums = Statistics.from_pair(before, after, 1)
    return blocks.scatter([plane(before, after)], ONE, 0.0, sums, ONE > 0).factors[0, 0]


@pytest.mark.parametrize("common", [0.2, 0.5, 1.0])
def test_bars_grow_where_noise_is_alike_in_blocks(common):
    """Of n pixels a block, before c + w and noise b: ((n c^2 + w^2) / (c^2 + w^2))^(1/2).

    c and b are one number a block, w differs from pixel to pixel. A block's score is
    b (n c + sum of w), of variance b^2 (n^2 c^2 + n w^2); least squares takes it for
    n b^2 (c^2 + w^2).
    """
    rng = np.random.default_rng(0)
    before = 100 + 10 * (common * signs(rng) + rng.normal(0, 1, (SIDE, SIDE)))
    expected = np.sqrt((32 * 32 * common**2 + 1) / (common**2 + 1))
    assert factor(before, 3 * signs(rng)) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_bars_stay_under_white_noise(seed):
    """Independent noise has no blocks, whatever the picture is; bars never shrink."""
    rng = np.random.default_rng(seed)
    before = 100 + 10 * (signs(rng) + rng.normal(0, 1, (SIDE, SIDE)))
    assert 1 <= factor(before, rng.normal(0, 3, (SIDE, SIDE))) < 1.25


def test_weights_that_were_not_fitted_keep_their_bars():
    """Their factor is 1, and few blocks tell nothing."""
    rng = np.random.default_rng(0)
    after = filtered(CAMERA, SHARPEN) + rng.normal(0, 2, CAMERA.shape)
    sums = Statistics.from_pair(CAMERA.astype(float), after, 3)
    tiles = [plane(CAMERA, after)]
    factors = blocks.scatter(tiles, SHARPEN, 0.0, sums, SHARPEN != 0).factors
    assert (factors[SHARPEN == 0] == 1).all()
    assert (factors >= 1).all()
    small = [tile.part(0, 0, 60, 60) for tile in tiles]
    assert (blocks.scatter(small, SHARPEN, 0.0, sums, SHARPEN != 0).factors == 1).all()


@pytest.mark.parametrize("kernel", [SHARPEN, BOX], ids=["sharpen", "box"])
@pytest.mark.parametrize("sigma", [1, 5])
def test_halves_of_a_convolution_agree(kernel, sigma):
    """With independent noise each chi-squared per weight is about 1 (deviation (2 / 9)^(1/2))."""
    noise = np.random.default_rng(0).normal(0, sigma, CAMERA.shape)
    found = chis(CAMERA, filtered(CAMERA, kernel) + noise)
    assert len(found) == 5 + 2 * 7
    assert 0.7 < np.mean(list(found.values())) < 1.3
    assert max(found.values()) < 1 + 4 * np.sqrt(2 / 9)


ROWS, COLUMNS = np.indices(CAMERA.shape)
BRIGHT = cv2.blur(CAMERA, (3, 3)) > 136  # about half of it


@pytest.mark.parametrize(
    ("where", "split"),
    [
        (COLUMNS >= 120, (Split.ACROSS, 0)),
        (ROWS >= 100, (Split.DOWN, 0)),
        (BRIGHT, (Split.BRIGHTNESS, 0)),
        (ROWS % 2 == 0, (Split.ROWS, 2)),
        (ROWS % 3 == 0, (Split.ROWS, 3)),
        (COLUMNS % 5 == 0, (Split.COLUMNS, 5)),
    ],
    ids=["across", "down", "brightness", "row 2", "row 3", "column 5"],
)
def test_halves_with_kernels_of_their_own_differ(where, split):
    """A blur in one half only: the split along which it lies differs most, and by the blur."""
    noise = np.random.default_rng(0).normal(0, 1, CAMERA.shape)
    after = np.where(where, filtered(CAMERA, BOX), CAMERA) + noise
    found = {(half.split, half.every): half for half in halves.compared(drawn(CAMERA, after))}
    worst = max(found, key=lambda key: found[key].chi)
    assert worst == split
    assert found[split].chi > halves.BY_POSITION
    if split[0] != Split.BRIGHTNESS:  # where the halves are the very same pixels
        identity = np.zeros((3, 3))
        identity[1, 1] = 1
        assert np.allclose(found[split].difference, np.abs(BOX - identity), atol=0.05)


@pytest.mark.parametrize("sigma", [1, 2, 5])
@pytest.mark.parametrize("kernel", [SHARPEN, BOX], ids=["sharpen", "box"])
def test_the_noise_of_before_is_found(kernel, sigma):
    """From a picture that is smooth on the left and textured on the right.

    Forty variances are tried, up to that of the smooth side, 16: sigma 1 lies between two of them.
    """
    rng = np.random.default_rng(0)
    amplitude = np.where(np.arange(240) < 120, 4, 40)
    clean = 128 + amplitude * rng.normal(0, 1, (200, 240))
    after = filtered(clean, kernel) + rng.uniform(-0.5, 0.5, clean.shape)
    noisy = clean + rng.normal(0, sigma, clean.shape)
    found = halves.noise_in_before(drawn(noisy, after), ROUNDING)
    assert found == pytest.approx(sigma, rel=0.2)


def test_other_faults_are_no_noise_of_before():
    """Nothing is found in a clean picture, nor where the textured half has another kernel."""
    rng = np.random.default_rng(0)
    amplitude = np.where(np.arange(240) < 120, 8, 40)
    before = 128 + amplitude * rng.normal(0, 1, (200, 240))
    after = filtered(before, SHARPEN) + rng.uniform(-0.5, 0.5, before.shape)
    assert halves.noise_in_before(drawn(before, after), ROUNDING) == 0
    mixed = np.where(amplitude > 20, filtered(before, BOX), filtered(before, SHARPEN))
    assert halves.noise_in_before(drawn(before, mixed), ROUNDING) == 0


def test_doubts_name_what_differs():
    """Of a clean pair nothing; of every other row blurred the rows; of noise in before its size."""
    rng = np.random.default_rng(0)
    sharp = filtered(CAMERA, SHARPEN)
    noise = rng.normal(0, 1, sharp.shape)
    clean = halves.doubts(halves.draw([plane(CAMERA, sharp + noise)], SHARPEN != 0), ROUNDING)
    assert (clean.worst, clean.position, clean.noise_before) == (None, None, 0)
    assert not clean.difference.any()
    after = np.where(ROWS % 2 == 0, filtered(CAMERA, BOX), CAMERA)
    rows = halves.doubts(halves.draw([plane(CAMERA, after)], BOX != 0), ROUNDING)
    assert (rows.position.split, rows.position.every) == (Split.ROWS, 2)
    noisy = CAMERA + rng.normal(0, 3, CAMERA.shape)
    everywhere = np.ones(SHARPEN.shape, bool)
    found = halves.doubts(halves.draw([plane(noisy, np.rint(sharp))], everywhere), ROUNDING)
    assert found.noise_before == pytest.approx(3, rel=0.2)


@pytest.mark.parametrize("period", [4, 7])
def test_patches_again_and_again_are_one(period):
    """Of a repeated block there are as many patches as it has pixels, and bars count those."""
    rng = np.random.default_rng(0)
    block = rng.integers(0, 256, (period, period)).astype(float)
    before = np.tile(block, (20, 20))
    some = drawn(before, before)
    assert some.distinct == period**2
    wide = np.pad(block, 1, mode="wrap")
    once = np.lib.stride_tricks.sliding_window_view(wide, (3, 3)).reshape(-1, 9)
    gram = (once - once.mean(axis=0)).T @ (once - once.mean(axis=0))
    expected = 0.3 * np.sqrt(np.diag(np.linalg.inv(gram))).reshape(3, 3)
    assert np.allclose(some.error(0.3), expected, rtol=1e-3)


def test_too_few_pixels_are_not_drawn():
    """Twelve for each weight at least."""
    noise = np.random.default_rng(0).normal(0, 9, (13, 13))
    assert drawn(noise[:12, :12], noise[:12, :12]) is None  # 100 patches of 9 weights
    assert drawn(noise, noise).distinct == 121


def test_of_no_pixel_that_counts_nothing_is_drawn():
    """A tile of which every pixel is left out says that there are too few, and breaks nothing."""
    nothing = plane(CAMERA, filtered(CAMERA, BOX)).using(np.zeros(CAMERA.shape, bool))
    assert halves.draw([nothing], ALL) is None
