"""Names and causes that the file bears out: none that it excludes, or cannot tell from another."""

import io
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, features

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.explanations import Other
from kernel_demo.sources.bundled import FOLDER

PLAIN = np.eye(1, 9, 4).reshape(3, 3)
ROUND = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 4


@cache
def photo(name: str = "camera") -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))[:300, :400]


def gaussian(size: int, sigma: float) -> np.ndarray:
    line = cv2.getGaussianKernel(size, sigma)
    return line @ line.T


def filtered(picture: np.ndarray, kernel: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    """By OpenCV in float64, with white noise, in one rounding."""
    values = cv2.filter2D(picture.astype(float), cv2.CV_64F, kernel)
    noise = sigma * np.random.default_rng(0).normal(size=values.shape)
    white = np.iinfo(picture.dtype).max
    return np.clip(np.floor(values + noise + 0.5), 0, white).astype(picture.dtype)


def deep(name: str) -> np.ndarray:
    """The photo in 16 bits, with noise below a level of 8."""
    noise = np.random.default_rng(1).uniform(-128, 128, photo(name).shape)
    return np.clip(photo(name) * 257.0 + noise, 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("name", ["camera", "gravel"])
def test_a_faint_sharpening_in_whole_numbers_is_no_change_of_contrast(name):
    """[[0, -1, 0], [-1, 104, -1], [0, -1, 0]] / 100: each neighbour is within 1 % of the largest
    weight from none, and every pixel tells it from none."""
    found = recover(photo(name), filtered(photo(name), PLAIN - 0.04 * ROUND), 5)
    assert found.bit_exact
    assert found.catalogue_name == ""


def test_whole_numbers_beside_those_of_the_catalogue_have_no_name():
    """A binomial of which the middle is 101 for 100."""
    kernel = np.array([[25, 50, 25], [50, 101, 50], [25, 50, 25]]) / 401
    found = recover(photo(), filtered(photo(), kernel), 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.catalogue_name == ""


@pytest.mark.sweep(3)
@pytest.mark.parametrize("share", [0.1, 0.0987, 0.1513])
def test_a_cross_in_16_bits_is_no_gaussian(share):
    """Its corners are 0, those of a Gaussian as narrow 0.0007: 40 levels of 65535."""
    before = deep("camera")
    found = recover(before, filtered(before, PLAIN + share * ROUND), 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.catalogue_name == ""


def test_weights_one_per_cent_off_in_16_bits_are_no_gaussian():
    """Each by its own share."""
    stray = 1 + 0.01 * np.random.default_rng(0).uniform(-1, 1, (5, 5))
    before = deep("coffee")
    found = recover(before, filtered(before, gaussian(5, 1.0) * stray), 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.catalogue_name == ""


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("factor", "told"), [(1, "Gaussian blur, sigma 1.00"), (1.004, "sigma 1.00, times 1.004")]
)
def test_a_gaussian_in_16_bits_has_its_name_and_its_factor(factor, told):
    before = deep("camera")
    found = recover(before, filtered(before, factor * gaussian(5, 1.0)), 5)
    assert found.catalogue_name.endswith(told)


@pytest.mark.sweep(6)
@pytest.mark.parametrize("sigma", [8, 10])
@pytest.mark.parametrize("name", ["camera", "coffee", "gravel"])
def test_a_wide_gaussian_behind_noise_is_no_box(name, sigma):
    """0.7 and 1 % of the largest weight apart."""
    found = recover(photo(name), filtered(photo(name), gaussian(3, sigma), 1), 3)
    assert found.verdict == Verdict.NOISY
    assert found.catalogue_name == ""


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["camera", "gravel"])
def test_a_cross_behind_noise_is_no_gaussian(name):
    """It leaves eleven standard deviations more than the best kernel does."""
    found = recover(photo(name), filtered(photo(name), PLAIN + 0.15 * ROUND, 0.5), 5)
    assert found.verdict == Verdict.NOISY
    assert found.catalogue_name == ""


def test_a_sharpening_that_is_a_little_stronger_has_no_name():
    """By 1.006, of which the factor of the picture itself is 1; 8 deviations off Sharpen."""
    found = recover(photo(), filtered(photo(), PLAIN - 4 * 1.006 * ROUND, 3), 5)
    assert found.verdict == Verdict.NOISY
    assert found.catalogue_name == ""


def saved(picture: np.ndarray, kind: str, quality: int) -> np.ndarray:
    """By Pillow, out of a lossy file, in the mode that it was in."""
    image, data = Image.fromarray(picture), io.BytesIO()
    image.save(data, kind, quality=quality)
    return np.asarray(Image.open(data).convert(image.mode))


@pytest.mark.sweep(4)
@pytest.mark.parametrize(
    ("kernel", "kind", "quality"),
    [
        (0.99 * PLAIN, "WEBP", 95),
        (PLAIN - 0.03 * ROUND, "WEBP", 95),
        (PLAIN - 0.03 * ROUND, "AVIF", 95),
        (PLAIN - 0.03 * ROUND, "AVIF", 80),
        (PLAIN + 0.02 * ROUND, "JPEG", 75),
    ],
)
def test_a_faint_filter_behind_a_codec_is_not_denied(kernel, kind, quality):
    """What the codec takes away of detail is as much as the filter has added or taken."""
    if not features.check(kind.lower()) and kind != "JPEG":
        pytest.skip(f"Pillow without {kind}")
    found = recover(photo(), saved(filtered(photo(), kernel), kind, quality), 5)
    assert found.verdict != Verdict.NOT


def test_a_faint_filter_behind_two_jpeg_files_is_not_denied():
    """Of which the second alone leaves its grid."""
    twice = saved(saved(filtered(photo(), PLAIN + 0.02 * ROUND), "JPEG", 90), "JPEG", 75)
    assert recover(photo(), twice, 5).verdict != Verdict.NOT


@pytest.mark.sweep(2)
@pytest.mark.parametrize("factor", [0.9016, 0.99])
def test_a_change_of_contrast_behind_a_palette_is_not_denied(factor):
    """Each weight is as near to the identity as its bars are wide; their sum is far from 1."""
    before = np.asarray(Image.open(FOLDER / "coffee.jpg"))[:300, :400]
    image = Image.fromarray(filtered(before, factor * PLAIN)).quantize(256).convert("RGB")
    assert recover(before, np.asarray(image), 5).verdict != Verdict.NOT


@pytest.mark.sweep(2)
@pytest.mark.parametrize("kernel", [0.99 * PLAIN, PLAIN - 0.02 * ROUND])
def test_a_faint_filter_behind_strong_noise_is_not_denied(kernel):
    """Six levels of noise hide it in each weight, and not in all of them together."""
    assert recover(photo(), filtered(photo(), kernel, 6), 5).verdict != Verdict.NOT


def test_the_losses_of_colour_alone_are_no_filter():
    """With half of the colours' pixels, by another program: told by its every coefficient."""
    before = np.asarray(Image.open(FOLDER / "coffee.jpg"))[:300, :400]
    _, data = cv2.imencode(".jpg", before[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    found = recover(before, cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy(), 5)
    assert (found.verdict, found.alternative.kind) == (Verdict.NOT, Other.LOSSES)


def test_most_of_a_picture_is_no_part_that_was_edited():
    """Stripes of two pixels, sharpened, are black and white; but for the border all are changed."""
    before = np.tile(np.uint8([180, 180, 60, 60]), (200, 60))
    found = recover(before, filtered(before, PLAIN - 4 * ROUND), 5)
    assert found.verdict != Verdict.NOT
