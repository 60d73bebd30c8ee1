"""A weight is written to the digits that its error bar supports."""

import numpy as np
import pytest

from kernel_demo.export.digits import supported


@pytest.mark.parametrize(
    ("value", "bar", "written"),
    [
        (-1.8987e-08, 2.4e-7, 0.0),  # a zero
        (1.99999998, 2.4e-7, 2.0),
        (-1.0947660213, 2.4e-7, -1.094766),
        (0.123456, 0.0004, 0.1235),  # 0.123 is 0.000456 off
        (0.0003, 0.0004, 0.0),
        (0.1 + 0.2, 0.0, 0.1 + 0.2),  # exact
        (1 / 3, np.nan, 1 / 3),
    ],
)
def test_as_few_digits_as_keep_it_within(value, bar, written):
    """Worked by hand; a bar that is none keeps every digit."""
    assert supported(np.array([[value]]), np.array([[bar]])) == written


@pytest.mark.parametrize("bar", [1e-9, 1e-6, 1e-3, 0.05])
@pytest.mark.parametrize("size", [3, 9, 31])
def test_no_picture_is_moved_by_half_a_grey_level(size, bar):
    """Within each bar, and the sum of all changes below half a level of 255, however wide they are;
    no weight can lose a digit of those it has."""
    kernel = np.random.default_rng(size).normal(size=(size, size)) / size
    written = supported(kernel, np.full(kernel.shape, bar))
    assert np.abs(written - kernel).max() <= bar
    assert 255 * np.abs(written - kernel).sum() < 0.5
    longest = max(len(repr(float(value)).partition(".")[2]) for value in written.ravel())
    assert longest < 12


def test_what_is_known_exactly_stays():
    """Bars of nothing change nothing; "-0.0" is written by nobody."""
    kernel = np.random.default_rng(0).normal(size=(5, 5))
    assert np.array_equal(supported(kernel, np.zeros((5, 5))), kernel)
    assert not np.signbit(supported(np.array([[-1e-9]]), np.array([[1e-8]]))).any()
