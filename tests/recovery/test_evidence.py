"""What goes with the picture a little is seen where nothing but rounding is left."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.sources.bundled import FOLDER

BARS = 5


def photo(name: str, top: int, left: int, height: int, width: int, mode: str = "L") -> np.ndarray:
    whole = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


def rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def blurred(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture.astype(np.float64), (5, 5), 0.8)


@pytest.mark.parametrize("share", [0.01, 0.03])
@pytest.mark.parametrize("place", [("camera", 40, 60, 240, 320), ("cat", 30, 80, 120, 160)])
def test_a_hundredth_of_a_median_is_no_convolution(place, share):
    """Less than rounding is left of it, and no kernel is certified all the same."""
    before = photo(*place)
    after = rounded((1 - share) * blurred(before) + share * cv2.medianBlur(before, 3))
    assert not recover(before, after).verdict.linear
    assert recover(before, rounded(blurred(before))).verdict == Verdict.CONVOLUTION


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


def test_a_mixture_is_as_large_as_the_pixels_say():
    """Colour differences blurred with 7 x 7: no weight of the smaller kernel passes for sure."""
    to_luma = np.array([
        [0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]
    ])  # fmt: skip
    before = photo("cat", 30, 80, 120, 160, "RGB")
    luma = before @ to_luma.T
    luma[..., 1:] = cv2.GaussianBlur(luma[..., 1:], (7, 7), 1.0)
    back = np.linalg.inv(to_luma)
    found = recover(before, rounded(luma @ back.T))
    line = cv2.getGaussianKernel(7, 1.0)
    blur, same = line @ line.T, np.zeros((7, 7))
    same[3, 3] = 1
    true = np.einsum("ac,cij,cb->abij", back, np.stack([same, blur, blur]), to_luma)
    if found.verdict.linear:
        edge = (7 - found.size) // 2
        kernel, bars = (np.pad(v, [(0, 0), (0, 0), (edge, edge), (edge, edge)])
                        for v in (found.kernel, found.standard_error))  # fmt: skip
        error = np.abs(kernel - true)
        assert (error <= BARS * np.where(bars > 0, bars, bars.max())).all()
