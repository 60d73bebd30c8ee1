"""Kernels behind JPEG that reach beyond the largest size searched, and weights told as 0."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.sources.bundled import FOLDER


def photo(name: str) -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("RGB"))[60:316, 60:316]


def through_jpeg(values: np.ndarray, quality: int) -> np.ndarray:
    """Rounded half up, cut off, and through a JPEG file in 4:4:4."""
    whole, file = np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8), io.BytesIO()
    Image.fromarray(whole).save(file, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.sweep(5)
@pytest.mark.parametrize("threshold", [0, 1])
@pytest.mark.parametrize("largest", [5, 7])
@pytest.mark.parametrize("name", ["coffee", "cat"])
def test_an_unsharp_mask_wider_than_what_is_searched(name, largest, threshold):
    """OpenCV's Gaussian of sigma 2 is 17 x 17 (float64), and 9 x 9 of it would do: up to 5 or 7
    nothing is known, with a threshold (no convolution at all) or without."""
    before = photo(name).astype(np.float64)
    detail = before - cv2.GaussianBlur(before, (0, 0), 2)
    after = before + 1.2 * np.where(np.abs(detail) >= threshold, detail, 0)
    found = recover(photo(name), through_jpeg(after, 95), largest)
    assert found.verdict == Verdict.UNDETERMINED


def test_a_weight_that_a_fit_went_without_has_a_bar():
    """An unsharp mask of 7 x 7 whose outer weights are lost in JPEG: where one is told as 0, the
    truth is within five of its bars all the same."""
    x = np.arange(7) - 3
    gauss = np.exp(-(x**2) / 8)
    blur = np.outer(gauss, gauss) / gauss.sum() ** 2
    true = -1.2 * blur
    true[3, 3] += 2.2
    before = photo("rocket")
    after = cv2.filter2D(before.astype(float), -1, true, borderType=cv2.BORDER_REPLICATE)
    found = recover(before, through_jpeg(after, 85), 7)
    assert found.verdict.linear
    assert (found.kernel[0, 0] == 0).any()
    bars = found.standard_error[0, 0]
    assert (np.abs(found.kernel[0, 0] - true) < 5 * bars).all()
