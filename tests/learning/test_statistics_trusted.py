"""Clipped and noisy pictures."""

import cv2
import numpy as np
import pytest

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.statistics import accumulate, trusted

SEEDS = 60


@pytest.fixture(scope="module")
def photo():
    """A quarter of a bundled photo, grey, 0..1."""
    grey = cv2.imread("examples/coffee.jpg", cv2.IMREAD_GRAYSCALE)
    return (grey[:200, :300] / 255).astype(np.float32)


def deviations(photo, choose) -> np.ndarray:
    """(estimated - true) / error bar of every weight, over many draws of the noise."""
    truth = named("sobel_x").values
    clean = correlate(photo, truth)
    found = []
    for seed in range(SEEDS):
        after, mask = degrade(clean, 3.0, eight_bit=True, seed=seed)
        masks = choose([photo], [after], [mask], 3)
        best = accumulate([(photo, after, masks[0])], 3)[0].solve(offset=False)
        found.append((best.kernel - truth) / best.standard_error)
    return np.abs(found)


def test_error_bars_hold_on_clipped_and_noisy_pictures(photo):
    """68 +- 6 % of weights inside one error bar and 95 +- 3 % inside two, clipping and all."""
    off = deviations(photo, trusted)
    assert abs((off < 1).mean() - 0.683) < 0.06
    assert abs((off < 2).mean() - 0.954) < 0.03


def test_leaving_out_clipped_pixels_alone_is_biased(photo):
    """The reason for all this: with the plain mask the bars do not hold."""
    off = deviations(photo, lambda befores, afters, masks, size: masks)
    assert (off < 2).mean() < 0.9


def test_without_noise_the_kernel_is_exact(photo):
    """Clipped but not noisy or rounded: what is trusted gives the kernel to 1e-6."""
    truth = named("sobel_x").values
    after = np.clip(correlate(photo, truth), 0, 1)
    masks = trusted([photo], [after], [(after > 0) & (after < 1)], 3)
    best = accumulate([(photo, after, masks[0])], 3)[0].solve(offset=False)
    np.testing.assert_allclose(best.kernel, truth, atol=1e-6)


def test_too_few_pixels_leave_the_masks_alone():
    """Where next to nothing is inside the range, the masks come back as they were."""
    before = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    mask = np.zeros((9, 9), bool)
    mask[3:6, 3:6] = True
    assert trusted([before], [before + 2], [mask], 3)[0] is mask
