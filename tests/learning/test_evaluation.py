"""Kernel error, PSNR and SSIM against scikit-image, and the border told from the interior."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from kernel_demo.learning.evaluation import compare, kernel_error, psnr, ssim


def noisy_pair(*shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.standard_normal(shape), axis=1)
    a = (smooth - smooth.min()) / np.ptp(smooth)
    return a, a + 0.05 * rng.standard_normal(shape)


@pytest.mark.parametrize("shape", [(11, 11), (64, 48), (40, 90, 3)])
def test_ssim_is_that_of_the_paper(shape):
    """SSIM equals scikit-image's with the paper's window; 1e-12: both are float64."""
    a, b = noisy_pair(*shape)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    axis = 2 if len(shape) == 3 else None
    expected = structural_similarity(a, b, data_range=1.0, channel_axis=axis, **settings)
    assert ssim(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("peak", "shape"), [(1.0, (30, 40)), (255.0, (30, 40, 3))])
def test_psnr_is_the_usual_one(peak, shape):
    """PSNR equals scikit-image's."""
    a, b = noisy_pair(*shape)
    expected = peak_signal_noise_ratio(a * peak, b * peak, data_range=peak)
    assert psnr(a * peak, b * peak, peak) == pytest.approx(expected, rel=1e-12)


def test_equal_pictures():
    """Equal pictures have infinite PSNR, SSIM 1 and no difference."""
    a, _ = noisy_pair(32, 32)
    result = compare(a, a, radius=1)
    assert result.psnr == math.inf
    assert result.ssim == pytest.approx(1.0, abs=1e-12)
    assert result.largest == result.largest_interior == result.largest_border == 0.0


def test_ssim_of_a_tiny_picture_is_unknown():
    """Where no window fits there is no SSIM, and no failure either."""
    assert math.isnan(ssim(np.zeros((10, 50)), np.ones((10, 50))))


@pytest.mark.parametrize(
    ("where", "border", "interior"),
    [((0, 5), 51.0, 0.0), ((2, 2), 0.0, 51.0), ((1, 1), 51.0, 0.0), ((9, 13), 0.0, 51.0)],
)
def test_border_and_interior_are_told_apart(where, border, interior):
    """A difference of 0.2 is 51 grey levels, counted where the kernel's radius says."""
    true = np.zeros((12, 16), np.float32)
    learned = true.copy()
    learned[where] = 0.2
    result = compare(true, learned, radius=2)
    assert result.largest == pytest.approx(51.0, rel=1e-6)
    assert result.largest_border == pytest.approx(border, rel=1e-6)
    assert result.largest_interior == pytest.approx(interior, rel=1e-6)


def test_picture_that_is_all_border():
    """A picture no larger than the border has no interior, hence no difference there."""
    assert compare(np.zeros((3, 3)), np.ones((3, 3)), radius=2).largest_interior == 0.0


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
