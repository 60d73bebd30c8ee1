"""The patterns of pictures: against NumPy's eigh of explicit patches, closed forms, the loss."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.learning.patterns import MOST, Patterns, patterns
from kernel_demo.learning.statistics import Statistics
from tests.learning.explicit import loss, photo_like, picture

UNEVEN = np.array([[0.0, 1, -2], [3, 0.5, 0], [-1, 4, 0.25]])


def summed(before, size, after=None):
    return Statistics.from_pair(before, before if after is None else after, size)


def rows_of(before, size):
    """X: every patch that lies inside, one a row."""
    patches = np.lib.stride_tricks.sliding_window_view(before, (size, size))
    return patches.reshape(-1, size * size).astype(np.float64)


@pytest.mark.parametrize("size", [3, 5])
def test_they_are_numpys_eigenvectors_of_the_patches(size):
    """Shares and, up to their sign, vectors of X'X, of patches laid out one by one."""
    before = photo_like()
    found = patterns(summed(before, size), most=size * size)
    x = rows_of(before, size)
    values, vectors = np.linalg.eigh(x.T @ x)
    np.testing.assert_allclose(found.shares, values[::-1] / values.sum(), rtol=1e-6)
    overlap = found.vectors.reshape(size**2, -1) @ vectors[:, ::-1]
    np.testing.assert_allclose(np.abs(overlap), np.eye(size**2), atol=1e-6)


def pixel_pair(rho):
    """The sums of patches of which two pixels count, both of variance 1, correlated by rho."""
    gram = np.zeros((9, 9))
    gram[np.ix_([3, 4], [3, 4])] = [[1, rho], [rho, 1]]
    zero = Statistics.zero(3)
    return Statistics(3, gram, zero.cross, zero.patch_sum, 0.0, 0.0, 100)


@pytest.mark.parametrize("rho", [0.99, 0.5])
def test_two_neighbours_worked_by_hand(rho):
    """[[1, r], [r, 1]]: their sum with 1 + r, their difference with 1 - r; the rest is unseen."""
    found = patterns(pixel_pair(rho))
    np.testing.assert_allclose(found.shares[:2], [(1 + rho) / 2, (1 - rho) / 2], rtol=1e-12)
    assert not found.shares[2:].any()
    half = np.sqrt(0.5)
    expected = np.zeros((2, 3, 3))
    expected[0, 1, :2], expected[1, 1, :2] = [half, half], [half, -half]
    np.testing.assert_allclose(found.vectors[:2], expected, atol=1e-12)
    # One weight a too large, its neighbour a too small: all of it lies along the difference.
    wrong = np.zeros((3, 3))
    wrong[1, :2] = 0.3, -0.3
    np.testing.assert_allclose(
        found.error(UNEVEN + wrong, UNEVEN)[:2], [0, 0.3 * np.sqrt(2)], atol=1e-12
    )


def test_errors_along_them_times_their_shares_are_the_loss():
    """The mean squared error of a wrong kernel, counted over the pixels, is what they add up to."""
    before = photo_like() / 255
    after = correlate(before.astype(np.float32), UNEVEN)
    learned = UNEVEN + np.random.default_rng(1).normal(size=(3, 3))
    sums = summed(before, 3, after)
    found = patterns(sums)
    energy = found.shares * np.trace(sums.gram) / sums.count
    made = energy @ found.error(learned, UNEVEN) ** 2
    assert made == pytest.approx(loss(sums, learned), rel=1e-5)  # after is float32
    wrong = rows_of(before, 3) @ (learned - UNEVEN).ravel()
    assert made == pytest.approx((wrong**2).mean(), rel=1e-9)


def test_of_a_photo_the_smooth_ones_come_first():
    """Its mean is nearly everything; the last ones change sign from pixel to pixel."""
    found = patterns(summed(photo_like(), 3))
    assert found.shares[0] > 0.9
    assert (found.vectors[0] > 0).all()
    steps = [np.abs(np.diff(v, axis=0)).sum() + np.abs(np.diff(v)).sum() for v in found.vectors]
    assert steps[-1] > 3 * steps[0]


def test_the_sign_is_the_same_on_every_machine():
    """The first of the largest entries is above zero, whichever way LAPACK has turned it."""
    found = patterns(summed(photo_like(), 3))
    for vector in found.vectors.reshape(9, -1):
        largest = np.abs(vector).max()
        first = np.flatnonzero(np.abs(vector) > (1 - 1e-6) * largest)[0]
        assert vector[first] > 0


@pytest.mark.parametrize("size", [5, 9])
def test_of_many_the_telling_ones(size):
    """First and last are among them, in their order; each is one of the whole set."""
    sums = summed(photo_like(), size)
    every, some = patterns(sums, most=size * size), patterns(sums)
    assert (len(some.shares), some.of) == (MOST, size * size)
    places = every.telling(MOST)
    assert (places[0], places[-1]) == (0, size**2 - 1)
    assert (np.diff(places) > 0).all()
    np.testing.assert_array_equal(some.shares, every.shares[places])
    np.testing.assert_array_equal(some.vectors, every.vectors[places])


def test_the_telling_ones_worked_by_hand():
    """1, 0.1, 0.09, 0.0001: the ends, then 0.09, nearer to the middle of the gap, 0.1 last."""
    made = Patterns(np.zeros((4, 3, 3)), np.array([1, 0.1, 0.09, 1e-4]), 9, 1.0)
    assert [made.telling(n).tolist() for n in (2, 3, 4, 9)] == [
        [0, 3], [0, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]
    ]  # fmt: skip


def test_patterns_that_a_flat_picture_lacks_have_no_share():
    """Of one grey alone there is one pattern, the mean; the others are not there at all."""
    found = patterns(summed(np.full((20, 20), 100, np.uint8), 3))
    np.testing.assert_allclose(found.vectors[0], 1 / 3, atol=1e-9)
    assert found.shares[0] == pytest.approx(1)
    assert not found.shares[1:].any()


def test_black_pictures_hold_no_pattern():
    """A sentence, not a division by zero."""
    with pytest.raises(DemoError, match="black"):
        patterns(summed(np.zeros((9, 9)), 3))


def test_noise_holds_all_patterns_but_the_mean_alike():
    """White noise of mean m and variance s^2: s^2 along all, and 9 m^2 more along the mean."""
    found = patterns(summed(picture((400, 400), np.float64), 3))
    total = 9 * (1 / 12 + 1 / 4)
    np.testing.assert_allclose(found.shares[0], (1 / 12 + 9 / 4) / total, rtol=0.02)
    np.testing.assert_allclose(found.shares[1:], 1 / 12 / total, rtol=0.05)


def board():
    """A checkerboard of 0 and 1 on a ground of 0.1."""
    return np.indices((40, 40)).sum(axis=0) % 2 * 1.0 + 0.1


@pytest.mark.parametrize(
    ("before", "alike", "smooth"),
    [
        (np.full((20, 20), 0.5), 1, True),
        (picture((400, 400), np.float64), 3 / 4, None),  # m^2 / (m^2 + s^2), of 1/4 and 1/12
        (board(), 0.1 * 1.1 / ((0.1**2 + 1.1**2) / 2), None),
    ],
)
def test_how_alike_neighbours_are(before, alike, smooth):
    """Of one grey all of it; of noise the mean alone; of a checkerboard little."""
    found = patterns(summed(before, 3))
    assert found.alike == pytest.approx(alike, rel=0.02)
    assert smooth is None or found.smooth_first is smooth


def test_only_pictures_whose_neighbours_are_alike_go_from_smooth_to_fine():
    """A photo does; a bare checkerboard, whose most frequent pattern is the finest, does not."""
    assert patterns(summed(photo_like(), 3)).smooth_first
    assert not patterns(summed(board() - 0.6, 3)).smooth_first
