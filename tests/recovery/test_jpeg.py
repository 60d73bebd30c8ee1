"""What a JPEG file tells of a filter: nothing that is not so."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.recovery import Verdict, alignment, channels, quantisation, recover
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))
CAT = np.asarray(Image.open(FOLDER / "cat.jpg").convert("L"))
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("RGB"))[:256, :320].copy()

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
EMBOSS = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]], float)
LINE = np.exp(-0.5 * np.arange(-3, 4) ** 2)
GAUSSIAN = np.outer(LINE, LINE) / LINE.sum() ** 2


def filtered(picture, kernel, offset=0):
    """By OpenCV in float64, rounded and cut off."""
    values = cv2.filter2D(picture.astype(np.float64), cv2.CV_64F, kernel) + offset
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def decoded(picture, quality, subsampling=0):
    """Out of a JPEG file, as Pillow opens it."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(data)


def pair_of(before, after):
    return alignment.prepare(before, np.asarray(after))[0]


def analysed(before, after):
    return channels.through_jpeg(channels.arrange([pair_of(before, after)], 7))


def bars_off(found, true):
    """The largest error in error bars; where the kernel ends, its largest bar counts."""
    side = max(len(found.kernel), len(true))
    kernel, bars, true = (
        np.pad(v, (side - len(v)) // 2) for v in (found.kernel, found.standard_error, true)
    )
    return (np.abs(kernel - true) / np.where(bars > 0, bars, bars.max())).max()


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95])
@pytest.mark.parametrize("picture", [CAT, COFFEE], ids=["grey", "colour"])
def test_the_quantisation_is_read_off(quality, picture):
    """The steps found in the pixels are those written in the file, clipped pixels or not."""
    noisy = picture + np.random.default_rng(0).normal(0, 9, picture.shape)
    image = decoded(np.clip(noisy - 5, 0, 255).astype(np.uint8), quality)
    found = quantisation.compression(pair_of(picture, image))
    assert found.quality == quality
    assert np.array_equal(found.steps.ravel(), image.quantization[0])


def test_a_picture_compressed_twice_has_the_steps_of_the_second_time():
    """Sharpened multiples of the same steps are often even: no step of twice the size for that."""
    after = Image.fromarray(CAMERA).filter(ImageFilter.SHARPEN)
    image = decoded(np.asarray(after), 90)
    found = quantisation.compression(pair_of(CAMERA, image))
    assert found.quality == 90
    known = found.steps.ravel() > 0
    assert np.array_equal(found.steps.ravel()[known], np.array(image.quantization[0])[known])


def test_no_quantisation_where_there_was_none():
    """A photo with noise bears no marks of JPEG."""
    noisy = np.clip(CAT + np.random.default_rng(0).normal(0, 2, CAT.shape), 0, 255)
    assert quantisation.compression(pair_of(CAT, noisy.astype(np.uint8))) is None


def sky(seed):
    """A plain night sky with six stars: 120 x 160."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:120, :160]
    stars = np.zeros((120, 160))
    stars[rng.integers(0, 120, 6), rng.integers(0, 160, 6)] = rng.integers(200, 900, 6)
    values = 40 + down / 12 + 6 * np.sin(across / 60) + rng.normal(0, 1, stars.shape)
    return np.clip(np.rint(values + cv2.GaussianBlur(stars, (0, 0), 1)), 0, 255).astype(np.uint8)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("seed", range(3))
def test_losses_that_leave_too_little_to_tell_their_steps_are_losses(seed):
    """Where blocks were quantised nearly to nothing, what is missing is no other operation."""
    before = sky(seed)
    after = decoded(filtered(before, SHARPEN), 50)
    found = quantisation.compression(pair_of(before, after))
    assert not found.steps.any()
    result = recover(before, np.asarray(after), 9)
    assert result.verdict == Verdict.UNDETERMINED
    assert "JPEG" in result.explanation


def test_large_pixels_are_no_compression():
    """A mosaic of 8 x 8 tiles leaves no coefficient: that is no JPEG."""
    before = CAT[: CAT.shape[0] // 8 * 8, : CAT.shape[1] // 8 * 8]
    means = before.reshape(before.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))
    tiles = np.rint(np.kron(means, np.ones((8, 8)))).astype(np.uint8)
    assert quantisation.compression(pair_of(before, tiles)) is None


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    ("before", "kernel", "offset", "quality", "subsampling"),
    [
        (CAMERA, SHARPEN, 0, 95, 0),  # black and white cut off, in whole numbers
        (CAMERA, SHARPEN, 0, 60, 0),
        (CAMERA, SHARPEN, 0, 30, 0),
        (CAMERA, EMBOSS, 128, 75, 0),
        (CAMERA, GAUSSIAN, 0, 95, 0),  # with a rim of one hundredth
        (COFFEE, SHARPEN, 0, 90, 0),
        (COFFEE, SHARPEN, 0, 75, 2),
        (COFFEE, EMBOSS, 128, 50, 2),
    ],
)
def test_error_bars_hold(before, kernel, offset, quality, subsampling):
    """No weight is further than five bars from the truth, and the bars are small."""
    after = decoded(filtered(before, kernel, offset), quality, subsampling)
    found = analysed(before, after).censored
    assert bars_off(found, kernel) <= 5
    assert found.standard_error.max() <= 0.02 * np.abs(kernel).max()
    # Clipped blocks would bend the offset first.
    assert found.offset == pytest.approx(offset, abs=1)


def test_what_is_cut_away_has_no_weight():
    """A 3 x 3 kernel comes back as one, though a larger one was looked for."""
    found = analysed(CAMERA, decoded(filtered(CAMERA, SHARPEN), 75)).censored
    assert found.kernel.shape == (3, 3)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("origin", [(6, 3), (-6, -3)])
def test_blocks_begin_at_the_corner_of_after(origin):
    """Whichever of the two is larger: a cut elsewhere would know nothing of the steps."""
    after = np.asarray(decoded(filtered(CAMERA, SHARPEN), 75))
    y, x = origin
    inside = np.s_[abs(y) : -abs(y), abs(x) : -abs(x)]
    if y > 0:
        after = np.asarray(decoded(filtered(CAMERA, SHARPEN)[inside], 75))
        pair = pair_of(CAMERA, after)
    else:
        pair = pair_of(CAMERA[inside], after)
    assert pair.origin == origin
    found = channels.through_jpeg(channels.arrange([pair], 7)).censored
    assert bars_off(found, SHARPEN) <= 5


def test_pixels_that_do_not_count_are_left_out():
    """A stamp over the picture changes nothing where its pixels do not count."""
    after = filtered(CAMERA, SHARPEN)
    after[100:260, 100:300] = CAMERA[250:410, 200:400]
    outliers = np.zeros(after.shape, bool)
    outliers[100:260, 100:300] = True
    pair = replace(pair_of(CAMERA, decoded(after, 75)), outliers=outliers)
    found = channels.through_jpeg(channels.arrange([pair], 7)).censored
    assert bars_off(found, SHARPEN) <= 5


def gamma(picture):
    return np.rint(255 * (picture / 255) ** 1.1).astype(np.uint8)


def turned(picture):
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.1, 1)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)


def mosaic(picture):
    return np.kron(picture[::2, ::2], np.ones((2, 2), np.uint8))


def unsharp(picture):
    mask = ImageFilter.UnsharpMask(1.5, 150, 2)
    return np.asarray(Image.fromarray(picture).filter(mask))


@pytest.mark.sweep(4)
@pytest.mark.parametrize("quality", [95, 90, 75])
@pytest.mark.parametrize(
    "operation",
    [gamma, turned, mosaic, unsharp, lambda p: cv2.medianBlur(p, 3),
     lambda p: cv2.bilateralFilter(p, 5, 25, 2), lambda p: p & 0xF0],
    ids=["gamma", "turned", "mosaic", "unsharp", "median", "bilateral", "posterised"],
)  # fmt: skip
def test_what_is_no_convolution_has_no_kernel(operation, quality):
    """JPEG's rounding hides much, but not what no kernel can do."""
    before = CAMERA[100:356, 60:380]
    assert analysed(before, decoded(operation(before), quality)).censored is None


@pytest.mark.sweep(3)
@pytest.mark.parametrize("kernel", [SHARPEN, GAUSSIAN], ids=["sharpen", "Gaussian"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_filter_of_the_luminance_alone_is_not_told_of_all_channels(kernel, subsampling):
    """Tools that keep the colours leave a luminance that obeys, and channels that do not."""
    separate = cv2.cvtColor(COFFEE, cv2.COLOR_RGB2YCrCb)
    separate[..., 0] = filtered(separate[..., 0], kernel)
    after = cv2.cvtColor(separate, cv2.COLOR_YCrCb2RGB)
    assert analysed(COFFEE, decoded(after, 75, subsampling)).censored is None


@pytest.mark.sweep(3)
@pytest.mark.parametrize("quality", [50, 30])
@pytest.mark.parametrize("sigma", [0.8, 1.0])
def test_a_gaussian_is_told_by_its_sigma(quality, sigma):
    """Within 2 %, where the single weights are hardly in the file; and no bar is wrong."""
    line = np.exp(-0.5 * (np.arange(-4, 5) / sigma) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    found = analysed(CAMERA, decoded(filtered(CAMERA, kernel), quality)).censored
    assert found.smoothing.family == "Gaussian"
    assert abs(found.smoothing.width - sigma) <= min(0.02 * sigma, 3 * found.smoothing.bar)
    assert bars_off(found, kernel) <= 5


@pytest.mark.sweep(3)
@pytest.mark.parametrize("quality", [90, 50, 30])
def test_round_numbers_give_all_coefficients(quality):
    """Eighths come back as they were, proved by every coefficient of the file."""
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    found = analysed(CAMERA, decoded(filtered(CAMERA, sobel, 128), quality)).censored
    assert found.alike == 1
    assert np.array_equal(found.kernel[found.kernel != 0], sobel[sobel != 0])
    assert found.offset == 128


@pytest.mark.sweep(2)
@pytest.mark.parametrize("quality", [60, 90])
def test_webp_is_known_by_its_blocks(quality):
    """No kernel is told of what its losses bend; a PNG passes, and a before that was WebP, too."""
    after, data = filtered(COFFEE, SHARPEN), io.BytesIO()
    Image.fromarray(after).save(data, "WEBP", quality=quality)
    lossy = np.asarray(Image.open(data))
    assert quantisation.in_small_blocks(pair_of(COFFEE, lossy))
    assert not quantisation.in_small_blocks(pair_of(COFFEE, after))
    assert not quantisation.in_small_blocks(pair_of(lossy, lossy))
    found = recover(COFFEE, lossy, 5)
    assert found.verdict == Verdict.UNDETERMINED
    assert "WebP" in found.explanation


def test_webp_is_known_by_the_middle_of_a_large_picture():
    """Of any size by four: the blocks of what is looked at need not begin where the file's do."""
    before = cv2.copyMakeBorder(COFFEE, 601, 601, 703, 703, cv2.BORDER_REFLECT)
    after, data = filtered(before, SHARPEN), io.BytesIO()
    Image.fromarray(after).save(data, "WEBP", quality=60)
    assert quantisation.in_small_blocks(pair_of(before, np.asarray(Image.open(data))))
    assert not quantisation.in_small_blocks(pair_of(before, after))


def test_the_record_holds_the_share_of_the_coefficients():
    """It goes with the kernel: a file without kernel, or without JPEG, has none."""
    through = recover(CAMERA, np.asarray(decoded(filtered(CAMERA, SHARPEN), 75)), 5)
    assert through.as_dict()["coefficients"] == 1
    assert recover(CAT, filtered(CAT, SHARPEN), 5).as_dict()["coefficients"] is None


def test_a_family_is_said_as_such():
    """The sentence names sigma with its bar, and that the single weights are not known."""
    found = recover(CAMERA, np.asarray(decoded(filtered(CAMERA, GAUSSIAN), 50)), 7)
    assert "known as a Gaussian of sigma 1.00" in found.explanation
    assert "the single weights are not in this file" in found.explanation


@pytest.mark.parametrize("seed", [0, 2, 6])
def test_few_blocks_make_no_blur_surer_than_rounding_lets_it_be(seed):
    """81 weights of 266 blocks: what an 8-bit result was rounded by is in the bars all the same."""
    rng = np.random.default_rng([1, seed])
    line = np.exp(-0.5 * (np.arange(-3, 4) / 1.37) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    noise = rng.integers(0, 256, (120, 160)).astype(np.uint8)
    after = decoded(filtered(noise, kernel), 45)
    found = channels.through_jpeg(channels.arrange([pair_of(noise, after)], 9))
    assert bars_off(found.censored, kernel) < 3
