"""The hidden kernel, and what a guess is worth."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import random
from kernel_demo.lab.challenge import SIZES, hidden, impossible, score
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


def off(*errors: float) -> np.ndarray:
    """The truth with its first weights off by so much."""
    guess = TRUTH.copy()
    guess.flat[: len(errors)] += errors
    return guess


def test_points_fall_with_every_rise_of_the_kernel_error():
    """Strictly, whatever the other weights are and however small the rise, down to 0 and no less.

    On the scale of the largest weight: half of it off are 50 points, all of it 0.
    """
    largest = np.abs(TRUTH).max()
    errors = [*np.geomspace(1e-6, 0.99 * largest, 40), largest / 2]
    guesses = [off(0, error) for error in errors]
    guesses += [off(*[-error] * 8) for error in np.array(errors) * 1.0001]  # eight wrong, not one
    scored = [score(guess, TRUTH, SUMS) for guess in guesses]
    true_error = [np.abs(guess - TRUTH).max() for guess in guesses]
    points = np.array([one.points for one in scored])[np.argsort(true_error)]
    distinct = np.diff(np.sort(true_error)) > 1e-12
    assert (np.diff(points)[distinct] < 0).all()
    assert score(off(largest / 2), TRUTH, SUMS).points == pytest.approx(50)
    for far in (np.zeros((3, 3)), off(largest), off(100)):
        assert score(far, TRUTH, SUMS).points == 0


def test_eight_of_nine_weights_are_worth_more_than_none():
    """One weight off by a half beats a flat guess, though that has the sum, and so the output."""
    truth = -0.5 + np.array([[0.5, -1, 0.5]] * 3)
    near, flat = truth.copy(), np.full((3, 3), -0.5)
    near[1, 1] += 0.5
    one_wrong, all_wrong = score(near, truth, SUMS), score(flat, truth, SUMS)
    assert one_wrong.output_error > all_wrong.output_error
    assert one_wrong.points > all_wrong.points


@pytest.mark.parametrize("error", [5e-324, 1e-17, 1e-9, 0.004])
def test_only_the_exact_kernel_has_100_points(error):
    """However near a guess is, its points stay below 100 and are not rounded up to it."""
    truth = np.where(TRUTH == 0, TRUTH, 0) + np.eye(3)  # zeros, where the least error is not lost
    guess = truth.copy()
    guess[0, 1] = error
    found = score(guess, truth, SUMS)
    assert found.points < 100
    assert found.whole_points == 99
    assert not found.exact
    assert found.nearest_exact
    right = score(truth, truth, SUMS)
    assert (right.points, right.whole_points, right.exact) == (100, 100, True)


def test_the_best_fit_to_rounded_pictures_scores_nearly_full():
    """Least squares on whole grey levels errs by hundredths of the largest weight."""
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


@pytest.mark.parametrize("size", SIZES)
def test_no_hidden_weight_is_impossible(size):
    """Of a thousand kernels none has a weight that a guess is told cannot be right."""
    kernels = [hidden(size, seed).values for seed in range(1000)]
    assert not any(impossible(kernel).any() for kernel in kernels)
    guess = np.array([[7.5, 0.3, -2.5], [2, -2, 0.5], [0, -0.5, 1.5]])
    np.testing.assert_array_equal(impossible(guess), [[True] * 3, [False] * 3, [False] * 3])
