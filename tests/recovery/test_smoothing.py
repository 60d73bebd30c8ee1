"""Smoothing kernels by their family: the right one or none."""

import numpy as np
import pytest
from scipy import ndimage

from kernel_demo.recovery.smoothing import smoothing

UNIT = np.pad(np.ones((1, 1)), 4)


def seen(kernel, error=0.0005):
    """A kernel as it is measured, with the covariance of its errors (neighbours go together)."""
    count = kernel.size
    near = np.exp(-np.abs(np.subtract.outer(np.arange(count), np.arange(count))))
    covariance = error**2 * near * (-1.0) ** np.add.outer(np.arange(count), np.arange(count))
    noise = np.random.default_rng(0).multivariate_normal(np.zeros(count), covariance)
    return kernel + noise.reshape(kernel.shape), covariance


@pytest.mark.parametrize(
    ("kernel", "family", "width"),
    [
        (ndimage.gaussian_filter(UNIT, 1.0, truncate=4), "Gaussian", 1.0),
        (ndimage.gaussian_filter(0.7 * UNIT, 1.3, truncate=3), "Gaussian", 1.3),
        (ndimage.uniform_filter(UNIT, 3), "box", 3),
        (ndimage.uniform_filter(UNIT, 5), "box", 5),
    ],
)
def test_the_width_is_found(kernel, family, width):
    """Within its bar and 2 %, and no weight of the family's kernel is beyond five of its bars."""
    found = smoothing(*seen(kernel))
    assert found.family == family
    assert abs(found.width - width) <= min(3 * found.bar, 0.02 * width)
    assert (np.abs(found.kernel - kernel) <= 5 * found.standard_error + 1e-6).all()


@pytest.mark.parametrize(
    "kernel",
    [
        ndimage.gaussian_filter(UNIT, (0.8, 1.4)),  # wider than high
        ndimage.uniform_filter(UNIT, (1, 5)),  # motion
        UNIT - 0.5 * ndimage.laplace(UNIT),  # a sharpening
        ndimage.uniform_filter(ndimage.uniform_filter(UNIT, 3), 2),
    ],
)
def test_no_family_for_what_is_none(kernel):
    """What is of no family is not forced into one."""
    assert smoothing(*seen(kernel)) is None


def test_no_family_where_two_fit():
    """A box and a Gaussian that the errors do not tell apart are not told at all."""
    assert smoothing(*seen(ndimage.uniform_filter(UNIT, 3), 0.5)) is None
