"""The hidden kernel, and what a guess is worth."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import random
from kernel_demo.lab.challenge import SIZES, hidden, score
from kernel_demo.learning.statistics import Statistics

BEFORE = to_uint8(np.cumsum(np.random.default_rng(0).normal(0, 0.02, (90, 120)), axis=1) + 0.5)
TRUTH = hidden(3, 7).values
SUMS = Statistics.from_pair(BEFORE.astype(float), correlate(BEFORE.astype(float), TRUTH), 3)


@pytest.mark.parametrize("size", SIZES)
def test_a_link_hides_one_kernel(size):
    """Equal seeds hide equal kernels, of halves from -2 to 2 and never all zero; others differ."""
    assert np.array_equal(hidden(size, 3).values, hidden(size, 3).values)
    assert not np.array_equal(hidden(size, 3).values, hidden(size, 4).values)
    for seed in range(50):
        values = hidden(size, seed).values
        assert np.array_equal(values * 2, np.rint(values * 2))
        assert 0 < np.abs(values).max() <= 2


def test_points():
    """The truth scores 100, zero scores 0, and a better guess more than a worse one."""
    near, far = TRUTH.copy(), TRUTH.copy()
    near[0, 0] += 0.1
    far[0, 0] += 0.5
    assert score(TRUTH, TRUTH, SUMS).points == 100
    assert score(TRUTH, TRUTH, SUMS).exact
    assert score(np.zeros((3, 3)), TRUTH, SUMS).points == 0
    assert 0 < score(far, TRUTH, SUMS).points < score(near, TRUTH, SUMS).points < 100


def test_the_best_fit_to_rounded_pictures_scores_nearly_full():
    """Least squares on whole grey levels is what 100 points stand for, within a few."""
    truth = random(3, 1).values  # no simple fractions: rounding is then like noise
    before = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)
    after = np.rint(correlate(before.astype(float), truth))
    statistics = Statistics.from_pair(before, after, 3)
    found = score(statistics.solve(offset=False).kernel, truth, statistics)
    assert found.points > 85
    assert not found.exact
    assert found.kernel_error < 10 * found.best_kernel_error


def test_output_error_is_what_the_pictures_show():
    """The output error from the sums is the RMS difference of the two filtered pictures."""
    guess = TRUTH + 0.1
    made = [correlate(BEFORE.astype(float), kernel)[1:-1, 1:-1] for kernel in (guess, TRUTH)]
    rms = np.sqrt(np.mean((made[0] - made[1]) ** 2))
    assert score(guess, TRUTH, SUMS).output_error == pytest.approx(rms, rel=1e-9)


def test_bad_input_is_told():
    """A guess of another size, a gap in it and an unknown size raise DemoError."""
    gap = TRUTH.copy()
    gap[1, 1] = np.nan
    for guess in (np.zeros((5, 5)), gap):
        with pytest.raises(DemoError):
            score(guess, TRUTH, SUMS)
    with pytest.raises(DemoError):
        hidden(4, 0)
