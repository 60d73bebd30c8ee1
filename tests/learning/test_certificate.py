"""What pictures cannot tell, and the distance from the best kernel they allow."""

import cv2
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning.certificate import (
    MAX_PATTERNS,
    NEAR,
    Optimum,
    certify,
    distinct_share,
)
from kernel_demo.learning.statistics import Statistics
from tests.learning.explicit import loss, photo_like

SOBEL = named("sobel_x").values


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
        for pattern in certificate.weak:
            assert (patches * pattern).sum((2, 3)).std() < 0.5 / 255 * unit

    def test_a_sharp_photo_has_no_weak_pattern(self):
        """What can be learned is not called weak."""
        certificate = certify(Statistics.from_pair(photo_like(), photo_like(), 3))
        assert (certificate.weak_count, certificate.undetermined_count) == (0, 0)

    def test_patterns_are_counted_but_not_all_listed(self):
        """A 7 x 7 kernel on a constant picture: 49 free patterns, the first of them listed."""
        certificate = certify(Statistics.from_pair(np.ones((20, 20)), np.ones((20, 20)), 7))
        assert certificate.undetermined_count == 49
        assert len(certificate.undetermined) == MAX_PATTERNS


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
        expected = loss(noisy, kernel, 1.5) - loss(noisy, best.kernel, best.offset)
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
        with pytest.raises(DemoError, match="a 3 × 3 kernel"):
            certify(noisy, np.zeros((5, 5)))


squares = (np.indices((128, 160)) // 8).sum(axis=0) % 2 * 200 / 255 + 20 / 255


class TestEqualPatches:
    @pytest.mark.parametrize("size", [3, 5])
    def test_are_counted_once(self, size):
        """As many as NumPy finds among all patches of the pixels that count."""
        rng = np.random.default_rng(0)
        befores = [rng.integers(0, 2, (30, 40)).astype(np.float32) for _ in range(2)]
        mask = rng.random((30, 40)) < 0.5
        patches = [sliding_window_view(one, (size, size)).reshape(-1, size**2) for one in befores]
        edge = size // 2
        patches[1] = patches[1][mask[edge:-edge, edge:-edge].ravel()]
        together = np.concatenate(patches)
        share = len(np.unique(together, axis=0)) / len(together)
        pairs = [(befores[0], None, None), (befores[1], None, mask)]
        assert distinct_share(pairs, size) == share

    def test_no_picture_large_enough_has_none_twice(self):
        """Pictures smaller than the kernel say nothing against independent rounding."""
        assert distinct_share([(np.zeros((2, 9), np.float32), None, None)], 3) == 1

    @pytest.mark.parametrize(
        ("before", "told"), [(photo_like(128, 160) / 255, True), (squares, False)]
    )
    def test_make_the_error_of_rounding_larger_than_told(self, before, told):
        """Rounded results give kernels as far off as foretold, but where patches are the same."""
        kernel = random(3, 5).values
        after = np.rint(correlate(before.astype(np.float32), kernel).astype(float) * 255) / 255
        found = certify(Statistics.from_pair(before, after, 3), fit_offset=False)
        off = np.abs(found.solution.kernel - kernel).max() / found.rounding_error.max()
        assert (off < 4) == told
        assert (distinct_share([(before, after, None)], 3) > 0.5) == told
