"""What differs from place to place is not called one kernel, nor JPEG in few pixels noise."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.explanations import Reason
from kernel_demo.sources.bundled import FOLDER
from tests.recovery.test_borne_out import filtered, gaussian, photo

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0.0]])
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg"))[:300, :400]


def resized(picture: np.ndarray, percent: int, how: Image.Resampling) -> np.ndarray:
    """To another size and back, by Pillow: a filter of its own at each place."""
    height, width = picture.shape[:2]
    other = width * percent // 100, height * percent // 100
    return np.asarray(Image.fromarray(picture).resize(other, how).resize((width, height), how))


@pytest.mark.sweep(5)
@pytest.mark.parametrize("percent", [99, 101, 102, 97, 104, 110])
@pytest.mark.parametrize("how", [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("picture", [photo("cat"), COFFEE], ids=["grey", "colour"])
def test_another_size_and_back_is_no_convolution(picture, percent, how):
    """Nothing is certified of it, though one kernel leaves what looks like noise."""
    found = recover(picture, resized(picture, percent, how), 7)
    assert not found.verdict.linear


def grows(picture: np.ndarray) -> np.ndarray:
    """A Gaussian of sigma 0.80 at the left that is one of 0.82 at the right."""
    left, right = (cv2.GaussianBlur(picture, (9, 9), sigma) for sigma in (0.8, 0.82))
    return left + np.linspace(0, 1, picture.shape[1]) * (right - left)


def slopes(picture: np.ndarray) -> np.ndarray:
    """A Gaussian, and 0.2 grey levels less at the left, 0.2 more at the right."""
    return cv2.GaussianBlur(picture, (5, 5), 0.8) + 0.2 * np.linspace(-1, 1, picture.shape[1])


def fades(picture: np.ndarray) -> np.ndarray:
    """A Gaussian, and 0.2 % darker towards the left and the right edge."""
    fading = 1 - 0.002 * np.linspace(-1, 1, picture.shape[1]) ** 2
    return cv2.GaussianBlur(picture, (5, 5), 0.8) * fading


def turned(picture: np.ndarray) -> np.ndarray:
    """By a twentieth of a degree."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.05, 1)
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC,
                          borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip


def bulges(picture: np.ndarray) -> np.ndarray:
    """As by a lens: 0.2 % larger at a picture's width from the middle."""
    height, width = picture.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    y, x = rows - height / 2, columns - width / 2
    scale = 1 + 0.002 * (x**2 + y**2) / width**2
    return cv2.remap(picture, x * scale + width / 2, y * scale + height / 2, cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["cat", "gravel"])
@pytest.mark.parametrize("filter_", [grows, slopes, fades, turned, bulges])
def test_what_varies_slowly_is_no_convolution(name, filter_):
    """Though one kernel leaves no more than rounding does of the first three."""
    made = filter_(photo(name).astype(np.float64))
    after = np.clip(np.floor(made + 0.5), 0, 255).astype(np.uint8)
    assert not recover(photo(name), after, 7).verdict.linear


@pytest.mark.sweep(3)
@pytest.mark.parametrize("kernel", [SHARPEN, gaussian(5, 0.8)], ids=["sharpen", "Gaussian"])
@pytest.mark.parametrize("sigma", [1, 4])
def test_one_kernel_and_noise_are_told(kernel, sigma):
    """White noise in the picture after does not differ from place to place."""
    found = recover(photo("cat"), filtered(photo("cat"), kernel, sigma), 7)
    assert found.verdict == Verdict.NOISY


@pytest.mark.parametrize(
    ("name", "top", "left", "quality"),
    [("cat", 100, 100, 95), ("cat", 60, 150, 90), ("gravel", 100, 100, 80), ("rocket", 30, 40, 95)],
)
def test_losses_of_few_pixels_are_not_called_noise(name, top, left, quality):
    """48 x 48 pixels do not show that they were a JPEG, whose losses bend kernels by ten bars."""
    before = photo(name)[top : top + 48, left : left + 48].copy()
    file = io.BytesIO()
    Image.fromarray(filtered(before, gaussian(5, 0.8))).save(file, "JPEG", quality=quality)
    assert not recover(before, np.asarray(Image.open(file)), 5).verdict.linear


@pytest.mark.parametrize(
    ("name", "side", "kernel", "quality"),
    [("camera", 32, gaussian(5, 0.8), 60), ("rocket", 64, SHARPEN, 30)],
)
def test_losses_of_few_pixels_are_not_called_another_operation(name, side, kernel, quality):
    """What follows the picture there may be JPEG's, of a kernel's result."""
    top, left = (100, 100) if side == 32 else (30, 40)
    before = photo(name)[top : top + side, left : left + side].copy()
    file = io.BytesIO()
    Image.fromarray(filtered(before, kernel)).save(file, "JPEG", quality=quality, subsampling=0)
    found = recover(before, np.asarray(Image.open(file)), 5)
    assert found.verdict == Verdict.UNDETERMINED


@pytest.mark.parametrize("colours", [32, 64])
def test_a_palette_is_not_called_another_operation(colours):
    """A sharpened photo in so many greys, by Pillow: that it was no convolution is not told."""
    made = Image.fromarray(filtered(photo("cat"), SHARPEN)).convert("RGB")
    after = made.quantize(colours, dither=Image.Dither.NONE).convert("L")
    assert recover(photo("cat"), np.asarray(after), 7).verdict == Verdict.UNDETERMINED


def test_noise_of_few_pixels_is_told_as_such():
    """Where it may be losses, the reason says so."""
    before = photo("cat")[100:150, 100:150].copy()
    found = recover(before, filtered(before, SHARPEN, 2.0), 5)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.FEW)


def test_a_gradient_behind_jpeg_ends_in_a_verdict():
    """A picture of one slope leaves all weights but one open, and its noise."""
    rows, columns = np.mgrid[:200, :240]
    before = np.rint(0.9 * columns + 0.1 * rows).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(cv2.GaussianBlur(before, (5, 5), 0.8)).save(file, "JPEG", quality=90)
    assert not recover(before, np.asarray(Image.open(file)), 5).verdict.linear


def out_of_jpeg(values: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    whole = np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
    Image.fromarray(whole).save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file)).copy()


def scene(name: str) -> np.ndarray:
    top, left = {"camera": (150, 150), "coffee": (120, 250), "cat": (80, 110)}[name]
    return photo(name)[top : top + 192, left : left + 256].copy()


def sharper(picture: np.ndarray, more: np.ndarray | float) -> np.ndarray:
    """Sharpened by OpenCV's Laplacian; by more of it, h x w or of all pixels."""
    wide = picture.astype(np.float64)
    return wide - (0.8 + more) / 4 * cv2.Laplacian(wide, cv2.CV_64F)


def corners(picture: np.ndarray) -> np.ndarray:
    """h x w: 1 in two of the corners, -1 in the others, 0 on the axes."""
    return np.outer(*(np.linspace(-1, 1, side) for side in picture.shape[:2]))


def barrel(picture: np.ndarray, most: float) -> np.ndarray:
    """Bent as by a lens, by so many pixels in the corners."""
    middle = (np.array(picture.shape[:2]) - 1) / 2
    rows, columns = (at.astype(np.float32) for at in np.indices(picture.shape[:2]))
    y, x = rows - middle[0], columns - middle[1]
    scale = 1 + most * (x**2 + y**2) / np.hypot(*middle) ** 3
    at = (x * scale + middle[1]).astype(np.float32), (y * scale + middle[0]).astype(np.float32)
    return cv2.remap(picture, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["camera", "cat"])
@pytest.mark.parametrize("quality", [80, 90])
def test_a_sharpening_that_grows_is_told_behind_jpeg(name, quality):
    """By a quarter of itself, towards two of the corners."""
    before = scene(name)
    after = out_of_jpeg(sharper(before, 0.24 * corners(before)), quality)
    assert not recover(before, after, 7).verdict.linear


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["cat", "coffee", "camera"])
def test_a_lens_is_told_behind_jpeg(name):
    """A sharpened picture, bent by up to 0.15 pixels."""
    before = scene(name)
    after = out_of_jpeg(barrel(sharper(before, 0.2), 0.15), 95)
    assert not recover(before, after, 7).verdict.linear


def test_the_reason_says_that_places_differ():
    """And is no more of a verdict than that."""
    before = scene("cat")
    found = recover(before, out_of_jpeg(sharper(before, 0.24 * corners(before)), 80), 7)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.UNSTEADY)
    assert "parts of it that lie apart" in found.explanation


@pytest.mark.sweep(3)
@pytest.mark.parametrize("name", ["camera", "cat", "coffee"])
@pytest.mark.parametrize("quality", [75, 90, 95])
@pytest.mark.parametrize("kernel", [gaussian(7, 1.0), None], ids=["Gaussian", "sharpen"])
def test_one_kernel_is_told_behind_jpeg(name, quality, kernel):
    """The same pictures, filtered alike everywhere."""
    before = scene(name)
    made = sharper(before, 0.03) if kernel is None else cv2.filter2D(before, cv2.CV_64F, kernel)
    assert recover(before, out_of_jpeg(made, quality), 7).verdict == Verdict.NOISY


@pytest.mark.sweep(3)
@pytest.mark.parametrize("sigma", [3, 4, 5])
@pytest.mark.parametrize("name", ["cat", "gravel"])
def test_a_sharpening_that_grows_is_told_behind_noise(name, sigma):
    """By a quarter of itself, towards two of the corners."""
    before = photo("gravel")[50:242, 50:306].copy() if name == "gravel" else scene(name)
    noise = np.random.default_rng(3).normal(0, sigma, before.shape)
    made = sharper(before, 0.24 * corners(before)) + noise
    after = np.clip(np.rint(made), 0, 255).astype(np.uint8)
    assert not recover(before, after, 7).verdict.linear


@pytest.mark.sweep(2)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sigma", [0, 1])
def test_lines_with_gains_of_their_own_are_told(seed, axis, sigma):
    """0.3 % apart, of rows or of columns, without noise and with it."""
    before, rng = scene("cat"), np.random.default_rng(seed)
    shape = [1, 1]
    shape[axis] = before.shape[axis]
    made = cv2.GaussianBlur(before.astype(np.float64), (7, 7), 1) * (
        1 + rng.normal(0, 0.003, shape)
    )
    after = np.clip(np.rint(made + rng.normal(0, sigma, made.shape)), 0, 255).astype(np.uint8)
    assert not recover(before, after, 7).verdict.linear


@pytest.mark.parametrize("sigma", [0.5, 2])
def test_lines_that_are_filtered_alike_are_told(sigma):
    """The same without gains; and sharper, with noise."""
    before = scene("cat")
    noise = np.random.default_rng(1).normal(0, sigma, before.shape)
    for made in (cv2.GaussianBlur(before.astype(np.float64), (7, 7), 1), sharper(before, 0.0)):
        after = np.clip(np.rint(made + noise), 0, 255).astype(np.uint8)
        assert recover(before, after, 7).verdict == Verdict.NOISY
