"""Solving, error bars, what pictures cannot tell, and the distance from the best kernel."""

import cv2
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning.certificate import MAX_PATTERNS, NEAR, Optimum, certify, probe
from kernel_demo.learning.statistics import Statistics

SOBEL = named("sobel_x").values


def photo_like(height=96, width=96, seed=0):
    """Smoothed noise with an edge, in grey levels: natural enough, and no file is needed."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2)
    smooth[:, width // 3 :] += 0.5
    smooth -= smooth.min()
    return smooth * 255 / smooth.max()


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
        if offset:
            assert solution.offset_error == pytest.approx(error[-1], rel=1e-6)

    def test_an_exact_pair_is_solved_to_the_last_digits(self):
        """8-bit before, whole-number kernel: the sums are exact, and so is the answer."""
        before = np.round(photo_like()).astype(np.uint8)
        kernel = np.arange(25.0).reshape(5, 5) - 12
        after = correlate(before.astype(np.float64), kernel) + 128
        solution = Statistics.from_pair(before, after, 5).solve()
        np.testing.assert_allclose(solution.kernel, kernel, atol=1e-10)
        assert solution.offset == pytest.approx(128, abs=1e-7)

    def test_ridge_is_that_of_the_textbook(self):
        """ridge = 0.01 solves (X'X + 0.01 mean eigenvalue I) w = X'y."""
        before = photo_like()
        s = Statistics.from_pair(before, correlate(before, SOBEL), 3)
        penalty = 0.01 * np.trace(s.gram) / 9 * np.eye(9)
        expected = np.linalg.solve(s.gram + penalty, s.cross).reshape(3, 3)
        np.testing.assert_allclose(s.solve(False, 0.01).kernel, expected, rtol=1e-9)

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


ramp = np.mgrid[:60, :80][1]
board = np.add(*np.mgrid[:60, :80]) % 2
blurred = cv2.GaussianBlur(photo_like(200, 200) / 255, (0, 0), 6)


class TestWhatThePicturesCannotTell:
    @pytest.mark.parametrize(
        ("name", "before", "rank", "rank_without_offset"),
        [
            ("constant", np.full((60, 80), 0.3, np.float32), 0, 1),
            ("constant, 8-bit", np.full((60, 80), 77, np.uint8), 0, 1),
            ("horizontal ramp", (ramp / 80).astype(np.float32), 1, 2),
            ("horizontal ramp, 8-bit", (ramp * 3).astype(np.uint8), 1, 2),
            ("checkerboard", (board * 255).astype(np.uint8), 1, 2),
        ],
    )
    def test_degenerate_pictures(self, name, before, rank, rank_without_offset):
        """Rank and the undetermined patterns; the kernel is free along each of these."""
        statistics = Statistics.from_pair(before, before, 3)
        for offset, expected in ((True, rank), (False, rank_without_offset)):
            certificate = certify(statistics, fit_offset=offset)
            solution = certificate.solution
            assert (solution.rank, certificate.undetermined_count) == (expected, 9 - expected)
            assert solution.singular
            assert f"only {expected} of the 9" in solution.cause
            assert "probe picture" in solution.remedy
            assert np.isinf(solution.condition)
            assert len(certificate.undetermined) == 9 - expected
            patches = sliding_window_view(before, (3, 3)).astype(np.float64)
            for pattern in certificate.undetermined:
                response = (patches * pattern).sum((2, 3))
                assert np.ptp(response) < 1e-5 * before.max()  # float32's own rounding
                assert np.linalg.norm(pattern) == pytest.approx(1)

    def test_a_ramp_leaves_single_weights_open(self):
        """Every weight takes part in some free combination: no error bar can be given."""
        statistics = Statistics.from_pair(ramp.astype(np.float64), ramp.astype(np.float64), 3)
        solution = statistics.solve()
        assert np.isinf(solution.standard_error).all()
        assert np.isinf(solution.offset_error)

    @pytest.mark.parametrize(
        "before",
        [blurred, np.round(blurred * 255).astype(np.uint8)],
        ids=["float", "8-bit"],
    )
    def test_a_strongly_blurred_photo_is_weak(self, before):
        """Fine combinations move the result by less than half a grey level, and are named."""
        certificate = certify(Statistics.from_pair(before, before, 3))
        assert certificate.weak_count >= 5
        assert len(certificate.weak) == certificate.weak_count
        unit = 255 if before.dtype == np.uint8 else 1
        patches = sliding_window_view(before, (3, 3)).astype(np.float64)
        for pattern, told in zip(certificate.weak, certificate.weak_response, strict=True):
            response = (patches * pattern).sum((2, 3)).std()
            assert response == pytest.approx(told, rel=1e-2, abs=1e-6)
            assert response < 0.5 / 255 * unit

    def test_a_sharp_photo_has_no_weak_pattern(self):
        """What can be learned is not called weak."""
        certificate = certify(Statistics.from_pair(photo_like(), photo_like(), 3))
        assert (certificate.weak_count, certificate.undetermined_count) == (0, 0)

    def test_patterns_are_counted_but_not_all_listed(self):
        """A 7 x 7 kernel on a constant picture: 49 free patterns, the first of them listed."""
        certificate = certify(Statistics.from_pair(np.ones((20, 20)), np.ones((20, 20)), 7))
        assert certificate.undetermined_count == 49
        assert len(certificate.undetermined) == MAX_PATTERNS

    @pytest.mark.parametrize("size", [3, 7])
    def test_the_probe_picture_tells_all_weights_apart(self, size):
        """Binary noise: condition k^2 + 1 (10 at 3 x 3), and any kernel comes back."""
        picture = probe(256, 200, seed=3)
        assert set(np.unique(picture)) == {0, 255}
        kernel = random(size, 2).values
        after = correlate(picture.astype(np.float64), kernel)
        certificate = certify(Statistics.from_pair(picture, after, size))
        assert certificate.solution.condition == pytest.approx(size**2 + 1, rel=0.2)
        np.testing.assert_allclose(certificate.solution.kernel, kernel, atol=1e-9)

    def test_the_probe_is_a_function_of_its_seed(self):
        """The same seed gives the same picture; sides out of bounds are refused."""
        assert (probe(9, 8, 1) == probe(9, 8, 1)).all()
        assert (probe(9, 8, 1) != probe(9, 8, 2)).any()
        for sides in [(0, 5), (5, 10_000)]:
            with pytest.raises(DemoError, match="sides from 1"):
                probe(*sides)


class TestDistanceFromTheBest:
    @pytest.fixture
    def noisy(self):
        before = photo_like()
        after = correlate(before, SOBEL) + 5
        return Statistics.from_pair(
            before, after + np.random.default_rng(0).normal(0, 2, after.shape), 3
        )

    def test_is_in_standard_errors(self, noisy):
        """Three standard errors away in one weight is a distance of 3; the best itself is 0."""
        optimum = Optimum(noisy)
        solution = optimum.solution
        away = solution.kernel.copy()
        away[0, 2] -= 3 * solution.standard_error[0, 2]
        balanced = solution.offset + 3 * solution.standard_error[0, 2] * noisy.patch_sum[2] / (
            noisy.count
        )
        assert optimum.distance(solution.kernel, solution.offset) == pytest.approx(0, abs=1e-9)
        assert optimum.distance(away, balanced) == pytest.approx(3, rel=1e-6)
        assert optimum.reached(solution.kernel, solution.offset)
        assert not optimum.reached(away, balanced)

    def test_sees_a_wrong_offset(self, noisy):
        """The right kernel with an offset two levels off is not done."""
        optimum = Optimum(noisy)
        assert optimum.distance(optimum.solution.kernel, optimum.solution.offset + 2) > 10

    def test_excess_is_loss_above_the_least_loss(self, noisy):
        """The difference of two losses, but without its cancellation."""
        optimum = Optimum(noisy)
        best, kernel = optimum.solution, random(3, 4).values
        expected = noisy.loss(kernel, 1.5) - noisy.loss(best.kernel, best.offset)
        assert optimum.excess(kernel, 1.5) == pytest.approx(expected, rel=1e-9)
        certificate = certify(noisy, kernel, 1.5)
        assert certificate.excess_loss == optimum.excess(kernel, 1.5)
        assert certificate.distance == optimum.distance(kernel, 1.5)

    def test_without_noise_the_floor_of_the_arithmetic_counts(self):
        """The true kernel is done, though the error bars of a noise-free pair are almost zero."""
        before = photo_like()
        optimum = Optimum(Statistics.from_pair(before, correlate(before, SOBEL), 3), offset=False)
        assert optimum.distance(SOBEL) < NEAR
        assert optimum.distance(SOBEL + 1e-3) > 1
        assert Optimum(optimum.statistics, False, floor=1e-2).reached(SOBEL + 1e-3)

    def test_free_directions_do_not_count(self):
        """On a constant picture any kernel with the right sum is as good as any other."""
        flat = np.full((30, 30), 0.5)
        optimum = Optimum(Statistics.from_pair(flat, flat, 3), offset=False)
        assert optimum.reached(named("identity").values)
        assert optimum.reached(named("box").values)
        assert not optimum.reached(SOBEL)

    def test_with_no_pixel_to_spare_the_arithmetic_decides(self):
        """As many pixels as unknowns: no error bar, yet a distance that is a number."""
        tiny = photo_like(5, 5)
        optimum = Optimum(Statistics.from_pair(tiny, tiny, 3), offset=False)
        assert optimum.reached(optimum.solution.kernel)
        assert optimum.distance(SOBEL) > 1

    def test_another_size_is_refused(self, noisy):
        """A kernel of another size is no question for these sums."""
        with pytest.raises(DemoError, match="a 3 x 3 kernel"):
            certify(noisy, np.zeros((5, 5)))
