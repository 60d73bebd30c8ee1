"""recover() on pictures in colour: which channels go into which, and what is no filter at all."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.recovery import Channels, Verdict
from kernel_demo.recovery import recover as search
from kernel_demo.sources.bundled import FOLDER

COLOUR = np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[20:220, 100:340]
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("RGB"))[50:250, 200:440]
SHARPEN = np.array([[-1, -1, -1], [-1, 16, -1], [-1, -1, -1]])


def recover(before: np.ndarray, after: np.ndarray):
    """The search up to 7 x 7, quick beside 15 x 15."""
    return search(before, after, max_size=7)


def sharpened(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.SHARPEN))


def as_file(values: np.ndarray) -> np.ndarray:
    """Rounded half up and clipped, uint8."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def test_one_kernel_for_three_channels():
    """A colour filter is one kernel if it is; all three channels are checked."""
    found = recover(COLOUR, sharpened(COLOUR))
    assert (found.channels, found.bit_exact) == (Channels.ONE, True)
    assert found.fractions[0].numerators.tolist() == SHARPEN.tolist()
    assert found.fractions[0].pixels == 3 * 198 * 238


def test_a_kernel_for_each_channel():
    """Channels filtered differently have three kernels, each with its fractions."""
    red, green, blue = np.moveaxis(COLOUR, -1, 0)
    after = np.dstack([cv2.blur(red, (3, 3)), cv2.GaussianBlur(green, (5, 5), 0), blue])
    found = recover(COLOUR, after)
    assert (found.channels, found.kernel.shape) == (Channels.EACH, (3, 1, 5, 5))
    assert [f.divisor for f in found.fractions] == [9, 256, 1]
    assert found.bit_exact
    # Only of the one that needs no rounding may it hide half a level over the brightest pixel, and
    # more where several weights change together.
    hidden = 1 / (12**0.5 * blue.max())
    assert found.standard_error[2].min() >= hidden
    assert found.standard_error[2].max() < 0.01
    assert found.standard_error[:2].max() < hidden / 2


@pytest.mark.parametrize("conversion", [cv2.COLOR_RGB2GRAY, None])
def test_grey_from_colour(conversion):
    """The channels' weights are found, and the filter that came after them."""
    grey = (
        np.asarray(Image.fromarray(COLOUR).convert("L"))
        if conversion is None
        else cv2.cvtColor(COLOUR, conversion)
    )
    found = recover(COLOUR, sharpened(grey))
    assert found.channels == Channels.GREY
    assert found.channel_weights == pytest.approx((0.299, 0.587, 0.114), abs=1e-3)
    assert found.bit_exact


def test_a_colour_matrix_is_a_mixture():
    """Sepia: nine numbers, one for each pair of channels."""
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    found = recover(COLOUR, as_file(COLOUR @ matrix.T))
    assert (found.verdict, found.channels) == (Verdict.CONVOLUTION, Channels.MIXTURE)
    assert np.allclose(found.kernel[..., 1, 1], matrix, atol=1e-3)


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    "function",
    [
        lambda p: p.max(axis=2),
        lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2HSV)[..., 1],
        lambda p: as_file(np.hypot(*(cv2.Sobel(grey(p), 5, i, 1 - i) for i in (0, 1)))),
        lambda p: cv2.threshold(grey(p), 0, 255, cv2.THRESH_OTSU)[1],
        lambda p: p - p.min(axis=2, keepdims=True),
        lambda p: cv2.Canny(grey(p), 100, 200),
    ],
    ids=["largest channel", "saturation", "magnitude", "Otsu", "less the grey", "Canny"],
)
def test_never_fails_on_what_is_made_of_colour(function):
    """Colour before and anything after have a verdict, with its sentences."""
    found = recover(COFFEE, function(COFFEE))
    assert found.verdict
    assert found.explanation.endswith(".")
    assert json.dumps(found.as_dict())


def saturated(picture: np.ndarray, share: float) -> np.ndarray:
    """HSV saturation: each channel's distance from the largest, times a share."""
    largest = picture.max(axis=2, keepdims=True).astype(float)
    return as_file(largest - share * (largest - picture))


def turned(picture: np.ndarray, hue: int) -> np.ndarray:
    """Hue turned by so many 256ths of a circle, by OpenCV."""
    full = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL)
    full[..., 0] += np.uint8(hue)
    return cv2.cvtColor(full, cv2.COLOR_HSV2RGB_FULL)


NONLINEAR = {
    "saturation 0.7": lambda p: saturated(p, 0.7),
    "saturation 1.05": lambda p: saturated(p, 1.05),
    "hue 3": lambda p: turned(p, 3),
    "hue 40": lambda p: turned(p, 40),
    "Lab": lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2LAB),
    "largest channel": lambda p: p.max(axis=2),
    "hue alone": lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2HSV)[..., 0],
}


@pytest.mark.slow
@pytest.mark.parametrize("picture", [COLOUR, COFFEE], ids=["cat", "coffee"])
@pytest.mark.parametrize("name", NONLINEAR)
def test_no_colour_operation_is_called_a_convolution(name, picture):
    """Whatever is not linear in the colours is found out, even where it moves few pixels."""
    assert search(picture, NONLINEAR[name](picture), max_size=5).verdict == Verdict.NOT


def through_luma(picture: np.ndarray, function) -> np.ndarray:
    """A filter of the luma alone, as cameras and television do it: rounded twice on the way."""
    parts = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    parts[..., 0] = function(np.ascontiguousarray(parts[..., 0]))
    return cv2.cvtColor(parts, cv2.COLOR_YCrCb2RGB)


def test_channels_in_another_order():
    """Red and blue changed places: a mixture of ones and zeros, of which nothing is left."""
    found = recover(COFFEE, COFFEE[..., ::-1])
    assert (found.verdict, found.channels) == (Verdict.CONVOLUTION, Channels.MIXTURE)
    middle = found.size // 2
    expected = np.zeros(found.kernel.shape)
    expected[:, :, middle, middle] = np.eye(3)[::-1]
    np.testing.assert_allclose(found.kernel, expected, atol=1e-9)
    assert found.reproduced == 1


@pytest.mark.parametrize("function", [lambda p: cv2.blur(p, (3, 3)), sharpened])
def test_a_filter_of_the_luma_is_a_mixture(function):
    """Linear in the colours: found as such in spite of its several roundings."""
    found = recover(COFFEE, through_luma(COFFEE, function))
    assert (found.verdict, found.channels) == (Verdict.CONVOLUTION, Channels.MIXTURE)


@pytest.mark.parametrize(
    ("channel", "weights"), [(1, (0.5, -0.419, -0.081)), (2, (-0.169, -0.331, 0.5))]
)
def test_colour_differences_have_their_weights(channel, weights):
    """Cr and Cb: weights that add up to nothing stay what they are (Rec. 601), the kernel is 1."""
    found = recover(COLOUR, cv2.cvtColor(COLOUR, cv2.COLOR_RGB2YCrCb)[..., channel].copy())
    assert found.channels == Channels.GREY
    sign = np.sign(np.dot(found.channel_weights, weights))
    assert np.allclose(np.array(found.channel_weights) * sign, weights, atol=0.01)
    assert np.abs(found.kernel).max() == pytest.approx(1, abs=0.1)


def test_kernels_that_differ_in_noise_are_not_taken_for_one():
    """A kernel for each channel is looked for where a sample says that it leaves less."""
    noise = np.random.default_rng(2).normal(0, 2, COLOUR.shape)
    blurred = np.dstack([cv2.GaussianBlur(COLOUR[..., c], (5, 5), 0.5 + 0.5 * c) for c in range(3)])
    after = np.clip(np.rint(blurred + noise), 0, 255).astype(np.uint8)
    assert recover(COLOUR, after).channels == Channels.EACH
