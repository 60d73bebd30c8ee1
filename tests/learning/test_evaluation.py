"""Kernel error, PSNR and SSIM against scikit-image."""

import math

import numpy as np
import pytest

from kernel_demo.learning.evaluation import compare, kernel_error, psnr, ssim

metrics = pytest.importorskip("skimage.metrics")  # a machine lent for its GPU may lack it


def noisy_pair(*shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.standard_normal(shape), axis=1)
    a = (smooth - smooth.min()) / np.ptp(smooth)
    return a, a + 0.05 * rng.standard_normal(shape)


@pytest.mark.parametrize("shape", [(11, 11), (64, 48), (40, 90, 3), (600, 20)])
def test_ssim_is_that_of_the_paper(shape):
    """SSIM equals scikit-image's with the paper's window; 1e-12: both are float64."""
    a, b = noisy_pair(*shape)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    axis = 2 if len(shape) == 3 else None
    expected = metrics.structural_similarity(a, b, data_range=1.0, channel_axis=axis, **settings)
    assert ssim(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shape", [(30, 40), (600, 40, 3)])
def test_psnr_is_the_usual_one(shape):
    """PSNR equals scikit-image's."""
    a, b = noisy_pair(*shape)
    expected = metrics.peak_signal_noise_ratio(a, b, data_range=1.0)
    assert psnr(a, b) == pytest.approx(expected, rel=1e-12)


def test_equal_pictures():
    """Equal pictures have infinite PSNR, SSIM 1 and no difference."""
    a, _ = noisy_pair(32, 32)
    result = compare(a, a)
    assert result.psnr == math.inf
    assert result.ssim == pytest.approx(1.0, abs=1e-12)
    assert result.largest == 0.0


def test_ssim_of_a_tiny_picture_is_unknown():
    """Where no window fits there is no SSIM, and no failure either."""
    assert math.isnan(ssim(np.zeros((10, 50)), np.ones((10, 50))))


@pytest.mark.parametrize("row", [0, 255, 256, 599])
def test_the_largest_difference_is_found_wherever_it_is(row):
    """A difference of 0.2 is 51 grey levels; the first and last rows of a strip count too."""
    true = np.zeros((600, 16), np.float32)
    learned = true.copy()
    learned[row, 3] = -0.2
    assert compare(true, learned).largest == pytest.approx(51.0, rel=1e-6)


def test_kernel_error_is_the_largest_difference():
    """max |learned - true|, by hand."""
    learned = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9.0]])
    true = learned.copy()
    true[0, 2], true[2, 1] = 3.25, 7.5
    assert kernel_error(learned, true) == 0.5


def test_kernel_error_of_different_sizes():
    """A smaller kernel counts as surrounded by zeros: the same filter in 5 x 5 has no error."""
    small = np.arange(9.0).reshape(3, 3)
    large = np.pad(small, 1)
    assert kernel_error(small, large) == kernel_error(large, small) == 0.0
    large[0, 4] = -2.0
    assert kernel_error(small, large) == 2.0
