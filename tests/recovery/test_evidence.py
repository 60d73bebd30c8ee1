"""What goes with the picture a little is seen where nothing but rounding is left."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from kernel_demo.imaging.catalogue import identity
from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.explanations import Left, Other, Reason
from kernel_demo.sources.bundled import FOLDER

BARS = 5


def photo(name: str, top: int, left: int, height: int, width: int, mode: str = "L") -> np.ndarray:
    whole = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


def rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def blurred(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture.astype(np.float64), (5, 5), 0.8)


@pytest.mark.sweep(4)
@pytest.mark.parametrize("share", [0.01, 0.03])
@pytest.mark.parametrize("place", [("camera", 40, 60, 240, 320), ("cat", 30, 80, 120, 160)])
def test_a_hundredth_of_a_median_is_no_convolution(place, share):
    """Less than rounding is left of it, and no kernel is certified all the same."""
    before = photo(*place)
    after = rounded((1 - share) * blurred(before) + share * cv2.medianBlur(before, 3))
    assert not recover(before, after).verdict.linear
    assert recover(before, rounded(blurred(before))).verdict == Verdict.CONVOLUTION


def test_a_twentieth_of_a_median_after_a_blur_is_no_convolution():
    """More is left than one rounding makes, and goes with the median."""
    before = photo("cat", 20, 30, 180, 240)
    after = rounded(0.95 * blurred(before) + 0.05 * cv2.medianBlur(before, 3))
    assert not recover(before, after).verdict.linear


def test_a_little_saturation_after_a_blur_is_no_mixture():
    """The largest of a pixel's blurred colours is no sum of them."""
    before = photo("coffee", 100, 150, 240, 320, "RGB")
    colours = cv2.cvtColor((blurred(before) / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    colours[..., 1] = np.minimum(1.05 * colours[..., 1], 1)
    after = rounded(255.0 * cv2.cvtColor(colours, cv2.COLOR_HSV2RGB))
    assert not recover(before, after).verdict.linear


def test_bars_of_a_mixture_hold():
    """Rounding follows the colours of a photo: the matrix lies within the bars all the same."""
    matrix = np.array([[0.9, 0.08, 0.02], [0.05, 0.9, 0.05], [0.01, 0.09, 0.9]])
    before = photo("cat", 30, 80, 120, 160, "RGB")
    found = recover(before, rounded(before @ matrix.T))
    assert found.verdict == Verdict.CONVOLUTION
    middle = found.size // 2
    error = np.abs(found.kernel[:, :, middle, middle] - matrix)
    assert (error <= BARS * found.standard_error[:, :, middle, middle]).all()


TO_LUMA = np.array([
    [0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]
])  # fmt: skip
CHROMA = np.array([0, 128, 128])


@pytest.mark.sweep(7)
@pytest.mark.parametrize("whole", [(), (1,), (0, 1)], ids=["once", "chroma", "before and after"])
@pytest.mark.parametrize("name", ["cat", "astronaut"])
@pytest.mark.parametrize("sigma", [1.0, 20.0])
def test_colour_differences_that_are_blurred_lie_within_the_bars(name, whole, sigma):
    """By 7 x 7, in floats or as a file keeps them: rounded before and after, or after alone."""
    before = photo(name, 30, 80, 120, 160, "RGB")
    steps = before @ TO_LUMA.T + CHROMA
    steps = rounded(steps).astype(float) if 0 in whole else steps
    steps[..., 1:] = cv2.GaussianBlur(steps[..., 1:], (7, 7), sigma)
    steps = rounded(steps) if 1 in whole else steps
    back = np.linalg.inv(TO_LUMA)
    found = recover(before, rounded((steps - CHROMA) @ back.T))
    line = cv2.getGaussianKernel(7, sigma)
    blur, same = line @ line.T, np.zeros((7, 7))
    same[3, 3] = 1
    true = np.einsum("ac,cij,cb->abij", back, np.stack([same, blur, blur]), TO_LUMA)
    if found.verdict.linear:
        edge = (7 - found.size) // 2
        kernel, bars = (np.pad(v, [(0, 0), (0, 0), (edge, edge), (edge, edge)])
                        for v in (found.kernel, found.standard_error))  # fmt: skip
        error = np.abs(kernel - true)
        assert (error <= BARS * np.where(bars > 0, bars, bars.max())).all()


@pytest.mark.parametrize("ring", [3, 5])
@pytest.mark.parametrize("sharpened", [True, False])
def test_copied_rings_deeper_than_the_kernel_are_left_out(ring, sharpened):
    """A quarter of a small picture is as it was: the kernel of the rest is told."""
    before = photo("camera", 100, 200, 60, 80)
    kernel = (
        np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]) if sharpened else np.full((3, 3), 1 / 9)
    )
    after = before.copy()
    inner = np.s_[ring:-ring, ring:-ring]
    after[inner] = rounded(cv2.filter2D(before.astype(float), cv2.CV_64F, kernel))[inner]
    found = recover(before, after)
    assert found.bit_exact
    assert np.allclose(found.kernel, kernel)
    assert found.left_out.reasons == (Left.COPIED,)


@pytest.mark.parametrize("blur", [False, True])
def test_a_replaced_colour_is_no_convolution(blur):
    """All pixels of one level are white: no caption lies over these and no others."""
    before = photo("cat", 30, 80, 120, 160)
    after = rounded(blurred(before)) if blur else before.copy()
    after[after == 100] = 255
    assert not recover(before, after).verdict.linear


def test_the_same_picture_twice_is_said_to_be_so():
    """The verdict is that of an identity, and its sentence says why."""
    before, said = photo("cat", 30, 80, 120, 160), "Before and after are the same"
    found = recover(before, before)
    assert found.bit_exact
    assert said in found.explanation
    changed = before.copy()
    changed[50, 50] ^= 1
    assert said not in recover(before, changed).explanation


def test_pixels_strewn_over_an_unchanged_picture_are_an_edit():
    """One in twenty is grey: the others are as they were, which is no noise, and no filter."""
    before = photo("camera", 100, 200, 60, 80)
    after = before.copy()
    after[np.random.default_rng(3).random(before.shape) < 0.05] = 128
    found = recover(before, after)
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.EDIT
    assert np.abs(found.kernel[0, 0] - identity(found.size)).max() < 1e-3


def test_what_clips_a_picture_of_two_levels_is_not_said_to_be_no_filter():
    """Sharpened, black and white stay so: only noise is seen, and nothing told of the filter."""
    before = rounded(255.0 * (photo("camera", 0, 0, 200, 240) > 110))
    sharp = cv2.filter2D(
        before.astype(float), cv2.CV_64F, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    )
    after = rounded(sharp + np.random.default_rng(0).normal(0, 2, sharp.shape))
    assert recover(before, after).verdict == Verdict.UNDETERMINED


def test_a_small_kernel_on_text_is_not_said_to_be_larger():
    """Its few patches repeat their errors of rounding, which any ring explains."""
    image = Image.new("L", (800, 800), 40)
    for line in range(12):
        ImageDraw.Draw(image).text(
            (40, 60 * line + 30), "Which filter was it? " * 4, 220, font_size=48
        )
    before = np.asarray(image.resize((200, 200), Image.Resampling.BOX))
    line = cv2.getGaussianKernel(7, 1.0)
    after = rounded(cv2.filter2D(before.astype(float), cv2.CV_64F, line @ line.T))
    found = recover(before, after)
    assert found.reason is None or found.reason.code != Reason.LARGER
    assert found.size == 7


@pytest.mark.sweep(2)
@pytest.mark.parametrize("side", [9, 13])
def test_a_wide_median_is_named(side):
    """Through a JPEG, too, though its window is not to the pixel one of those that are tried."""
    before = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("L"))[:220, :300]
    data = io.BytesIO()
    Image.fromarray(cv2.medianBlur(before, side)).save(data, "JPEG", quality=95)
    found = recover(before, np.asarray(Image.open(data)))
    assert found.verdict == Verdict.NOT
    assert "a median filter" in found.explanation


@pytest.mark.sweep(2)
@pytest.mark.parametrize("radius", [8, 12])
def test_a_blur_that_is_wider_than_searched_is_no_median(radius):
    """A disc of more than 15 pixels is not denied for a median that comes near it."""
    before = np.asarray(Image.open(FOLDER / "gravel.jpg").convert("L"))[:300, :300]
    disc = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius + 0.3
    found = recover(before, rounded(cv2.filter2D(before.astype(float), -1, disc / disc.sum())))
    assert found.verdict != Verdict.NOT


def test_a_little_of_a_median_has_no_faint_ring():
    """A further ring explains some of a hundredth of a median, which leaves 0.509: no kernel."""
    grey = np.asarray(Image.open(FOLDER / "gravel.jpg").convert("L"))[20:140, 30:190]
    before = cv2.GaussianBlur(grey, (0, 0), 2.5)
    mixed = 0.99 * cv2.GaussianBlur(before.astype(float), (5, 5), 0.8)
    after = np.floor(mixed + 0.01 * cv2.medianBlur(before, 3) + 0.5).astype(np.uint8)
    assert not recover(before, after).verdict.linear
