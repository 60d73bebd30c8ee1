"""The least-squares kernel and its error bars, against lstsq and against simulation."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.statistics import Statistics
from tests.learning.explicit import photo_like

SOBEL = named("sobel_x").values


def least_squares(before, after, size, offset):
    """numpy.linalg.lstsq on explicit patches: weights, offset, RMS, X (n, k*k + offset)."""
    edge = size // 2
    patches = sliding_window_view(before, (size, size)).reshape(-1, size * size)
    columns = np.c_[patches, np.ones(len(patches))] if offset else patches
    answers = after[edge:-edge, edge:-edge].ravel()
    found = np.linalg.lstsq(columns, answers, rcond=None)[0]
    rms = np.sqrt(np.mean((columns @ found - answers) ** 2))
    kernel = found[: size * size].reshape(size, size)
    return kernel, float(found[-1]) if offset else 0.0, rms, columns


class TestSolve:
    @pytest.mark.parametrize("offset", [True, False])
    @pytest.mark.parametrize("size", [3, 5, 7])
    def test_agrees_with_lstsq_on_explicit_patches(self, size, offset):
        """Kernel, offset, residual, rank, condition and error bars are those of plain lstsq."""
        before = photo_like()
        after = correlate(before, random(size, 1).values) + 7
        after += np.random.default_rng(2).normal(0, 1.5, after.shape)
        solution = Statistics.from_pair(before, after, size).solve(offset)
        kernel, shift, rms, columns = least_squares(before, after, size, offset)
        np.testing.assert_allclose(solution.kernel, kernel, atol=1e-8)  # lstsq's own rounding
        assert solution.offset == pytest.approx(shift, abs=1e-6)
        assert solution.residual == pytest.approx(rms, rel=1e-9)
        assert solution.rank == size**2
        assert not solution.singular
        assert (solution.cause, solution.remedy) == ("", "")
        patches = columns[:, : size * size]
        assert solution.condition == pytest.approx(np.linalg.cond(patches) ** 2, rel=1e-5)
        variance = rms**2 * len(columns) / (len(columns) - columns.shape[1])
        error = np.sqrt(variance * np.diag(np.linalg.inv(columns.T @ columns)))
        np.testing.assert_allclose(solution.standard_error.ravel(), error[: size**2], rtol=1e-6)

    def test_an_exact_pair_is_solved_to_the_last_digits(self):
        """8-bit before, whole-number kernel: the sums are exact, and so is the answer."""
        before = np.round(photo_like()).astype(np.uint8)
        kernel = np.arange(25.0).reshape(5, 5) - 12
        after = correlate(before.astype(np.float64), kernel) + 128
        solution = Statistics.from_pair(before, after, 5).solve()
        np.testing.assert_allclose(solution.kernel, kernel, atol=1e-10)
        assert solution.offset == pytest.approx(128, abs=1e-7)

    def test_fewer_pixels_than_unknowns(self):
        """A 4 x 4 picture has 4 patches for 10 unknowns: a value with its cause, no exception."""
        tiny = photo_like(4, 4)
        solution = Statistics.from_pair(tiny, tiny, 3).solve()
        assert solution.singular
        assert solution.cause == "There are 4 usable pixels for 10 unknowns."
        assert "more or larger pictures" in solution.remedy
        assert np.isfinite(solution.kernel).all()


class TestErrorBars:
    def test_hold_over_two_hundred_simulations(self):
        """68 % +- 5 of the weights within one standard error of the truth, 95 % +- 2 within two."""
        before, kernel = photo_like(64, 64), random(5, 1).values
        clean, inside = correlate(before, kernel) + 3, []
        for seed in range(200):
            after = clean + np.random.default_rng(seed).normal(0, 2, clean.shape)
            solution = Statistics.from_pair(before, after, 5).solve()
            inside.append(np.abs(solution.kernel - kernel) / solution.standard_error)
        assert np.mean(np.array(inside) < 1) == pytest.approx(0.68, abs=0.05)
        assert np.mean(np.array(inside) < 2) == pytest.approx(0.95, abs=0.02)

    def test_rounding_to_eight_bits_is_foretold(self):
        """The bars for rounding noise, told before learning, are those found after rounding."""
        before = photo_like(200, 200)
        after = np.round(correlate(before, SOBEL / 8) + 128)
        statistics = Statistics.from_pair(before.astype(np.float32), after, 3)
        foretold = Optimum(statistics).error_bars(1 / np.sqrt(12))
        np.testing.assert_allclose(statistics.solve().standard_error, foretold, rtol=0.05)
