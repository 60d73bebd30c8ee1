"""Learning by the sums alone: the same path as over all pictures, to the same best kernel."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning.exact import (
    MEMORY,
    OPTIMIZERS,
    ExactSettings,
    Quadratic,
    closed_form,
    next_shown,
    train_exact,
)
from kernel_demo.learning.statistics import Statistics, accumulate
from kernel_demo.learning.training import Cause
from tests.learning.explicit import loss, picture

SOBEL = named("sobel_x").values


def photo_like(seed=0, side=80):
    """Smoothed noise in 0..1: natural enough, and no file is needed."""
    noise = np.random.default_rng(seed).normal(size=(side, side))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return (smooth - smooth.min()) / np.ptp(smooth)


def sums(kernel=SOBEL, noise=0.0, offset=0.0, scale=1.0):
    before = photo_like()
    after = correlate(before, kernel) + offset
    after += np.random.default_rng(1).normal(0, noise, after.shape) if noise else 0
    return Statistics.from_pair(before * scale, after * scale, len(kernel))


def last(iterator):
    *_, progress = iterator
    return progress


@pytest.mark.parametrize("name", OPTIMIZERS)
class TestEveryOptimizer:
    def test_black_pictures_end_cleanly(self, name):
        """Nothing to learn from is no failure: the run ends with finite weights."""
        black = np.zeros((40, 40))
        progress = last(train_exact(Statistics.from_pair(black, black, 3), ExactSettings(name)))
        assert np.isfinite(progress.kernel).all()

    def test_goes_downhill_and_tells_the_truth(self, name):
        """Losses fall; the last Progress has the figures of its own kernel."""
        statistics = sums(noise=0.01)
        shown = list(train_exact(statistics, ExactSettings(name, steps=300), SOBEL))
        assert [p.step for p in shown[:3]] == [0, 1, 2]
        assert shown[-1].loss < 0.1 * shown[0].loss
        final = shown[-1]
        assert final.done
        assert final.stopped_because
        assert not any(p.done for p in shown[:-1])
        assert final.loss == pytest.approx(loss(statistics, final.kernel), rel=1e-9)
        assert final.kernel_error == np.abs(final.kernel - SOBEL).max()
        best = statistics.solve(offset=False)
        assert final.excess_loss == pytest.approx(
            final.loss - loss(statistics, best.kernel), abs=1e-12
        )

    def test_resuming_is_never_having_stopped(self, name):
        """From any Progress on, the weights are the same to the last bit."""
        statistics = sums(noise=0.01, offset=0.1)
        settings = ExactSettings(name, steps=120, seed=3, offset=True)
        whole = list(train_exact(statistics, settings))
        paused = whole[len(whole) // 2]
        again = list(train_exact(statistics, settings, resume=paused))
        assert again[0].step == paused.step
        assert again[-1].step == whole[-1].step
        np.testing.assert_array_equal(again[-1].kernel, whole[-1].kernel)
        assert again[-1].offset == whole[-1].offset

    def test_a_report_changes_neither_weights_nor_end(self, name):
        """A Progress at the steps that are wanted, beside those there are anyhow: same weights,
        same end; and from a step that was only reported it goes on as if it had never stopped."""
        statistics, wanted = sums(noise=0.01), {23, 40, 41, 101, 119}
        settings = ExactSettings(name, steps=120, seed=3)
        alone = list(train_exact(statistics, settings))
        told = list(train_exact(statistics, settings, report=wanted.__contains__))
        end = alone[-1].step
        assert [p.step for p in told] == sorted(
            {p.step for p in alone} | {step for step in wanted if step < end}
        )
        same = {p.step: p for p in told}
        for progress in alone:
            np.testing.assert_array_equal(same[progress.step].kernel, progress.kernel)
        assert told[-1].stop == alone[-1].stop
        assert told[0].allowed == statistics.solve(offset=False).standard_error.max()
        for step in wanted & set(same):
            again = last(train_exact(statistics, settings, resume=same[step]))
            np.testing.assert_array_equal(again.kernel, alone[-1].kernel)
            assert (again.step, again.stop) == (end, alone[-1].stop)

    def test_is_the_same_in_grey_levels(self, name):
        """Pictures in 0..255 instead of 0..1 change the offset's unit, and no kernel."""
        kwargs = {"noise": 0.01, "offset": 0.1}
        unit, levels = sums(**kwargs), sums(**kwargs, scale=255.0)
        levels = Statistics(**{**vars(levels), "peak": 255.0})
        settings = ExactSettings(name, steps=30, offset=True)
        one, two = last(train_exact(unit, settings)), last(train_exact(levels, settings))
        np.testing.assert_allclose(two.kernel, one.kernel, atol=1e-6)
        assert two.offset == pytest.approx(255 * one.offset, abs=1e-4)


class TestAgainstTorchOverAllPictures:
    @pytest.mark.parametrize(
        ("name", "rate", "make"),
        [
            ("adam", 0.03, torch.optim.Adam),
            ("adam", 0.2, torch.optim.Adam),
            ("sgd", 1.8 / 9, partial(torch.optim.SGD, momentum=0.9)),
        ],
    )
    def test_the_same_steps(self, name, rate, make):
        """Fifty steps are those of torch's optimizer on the full-batch loss of a real Conv2d."""
        before, steps = photo_like(), 50
        after = correlate(before, SOBEL)
        conv = torch.nn.Conv2d(1, 1, 3, bias=False, dtype=torch.float64)
        shown = train_exact(sums(), ExactSettings(name, rate, steps=steps, seed=5))
        start = next(shown)
        with torch.no_grad():
            conv.weight.copy_(torch.tensor(start.kernel))
        optimizer = make(conv.parameters(), lr=rate)
        target = torch.tensor(after[1:-1, 1:-1])
        for _ in range(steps):
            optimizer.zero_grad()
            (conv(torch.tensor(before)[None])[0] - target).square().mean().backward()
            optimizer.step()
        expected = conv.weight.detach().numpy()[0, 0]
        np.testing.assert_allclose(last(shown).kernel, expected, atol=1e-7)


@pytest.mark.parametrize(("size", "offset"), [(3, 0.0), (5, 0.25)])
def test_the_gradient_is_that_of_all_pictures(size, offset):
    """Both its parts are autograd's, of the mean over every valid pixel of every picture."""
    pictures = [
        (picture(shape, np.float64, i), picture(shape, np.float64, i + 9))
        for i, shape in enumerate([(30, 40), (25, 33)])
    ]
    kernel = torch.tensor(np.random.default_rng(0).standard_normal((size, size)))
    kernel.requires_grad_()
    bias = torch.tensor([offset], dtype=torch.float64, requires_grad=True)
    edge, errors = size // 2, []
    for before, after in pictures:
        out = torch.nn.functional.conv2d(torch.tensor(before)[None, None], kernel[None, None], bias)
        target = torch.tensor(after[edge:-edge, edge:-edge])
        errors.append((out[0, 0] - target).square().ravel())
    torch.cat(errors).mean().backward()
    quadratic = Quadratic(accumulate(pictures, size)[0], offset=True)
    found = quadratic.gradient(quadratic.point(kernel.detach().numpy(), offset))
    expected = np.append(kernel.grad.numpy().ravel(), bias.grad.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


class TestMethods:
    @pytest.mark.parametrize("name", ["kfac", "lbfgs"])
    @pytest.mark.parametrize("size", [3, 7])
    def test_second_order_reaches_the_best_and_says_so(self, name, size):
        """K-FAC and L-BFGS come within a tenth of an error bar, long before the last step."""
        kernel = random(size, 1).values
        statistics = sums(kernel, noise=0.01)
        final = last(train_exact(statistics, ExactSettings(name), kernel))
        assert final.stop.cause is Cause.OPTIMUM
        assert final.step < 5000
        error_bars = statistics.solve(offset=False).standard_error
        assert (np.abs(final.kernel - kernel) < 5 * error_bars).all()

    def test_without_noise_it_goes_down_to_rounding(self):
        """Exact pictures: the floor of the arithmetic is the end, far below any error bar."""
        final = last(train_exact(sums(), ExactSettings("lbfgs"), SOBEL))
        assert final.stop.cause is Cause.OPTIMUM
        assert final.kernel_error < 1e-9

    def test_lbfgs_is_conjugate_gradients(self):
        """With exact line searches it solves n unknowns in about n steps (Nocedal & Wright)."""
        quadratic = Quadratic(sums(), offset=False)
        update, point = OPTIMIZERS["lbfgs"](quadratic, None), np.zeros(9)
        for _ in range(MEMORY):
            point = update(point)
        np.testing.assert_allclose(point, SOBEL.ravel(), atol=1e-8)

    def test_kfac_at_rate_one_is_newton(self):
        """Undamped, one step would land on the best kernel; damping by 1e-6 needs another."""
        settings = ExactSettings("kfac", learning_rate=1.0, steps=2)
        assert last(train_exact(sums(), settings, SOBEL)).kernel_error < 1e-4

    def test_the_closed_form_is_one_progress(self):
        """One solve: done, at step 1 of 1, with nothing in excess."""
        progress = closed_form(sums(offset=0.2), SOBEL, offset=True, spent=1.5)
        assert (progress.step, progress.steps, progress.done) == (1, 1, True)
        assert progress.kernel_error < 1e-10
        assert progress.offset == pytest.approx(0.2)
        assert progress.excess_loss == 0
        assert progress.seconds > 1.5
        assert progress.stop.cause is Cause.SOLVED

    def test_a_constant_picture_gets_cause_and_remedy(self):
        """Where no kernel can be told, the closed form says why and what to do."""
        flat = np.full((30, 30), 0.5)
        told = closed_form(Statistics.from_pair(flat, flat, 3)).stopped_because
        assert "only 1 of the 9" in told
        assert "probe picture" in told


class TestStopping:
    def test_at_the_last_step(self):
        """Plain gradients on smooth pictures are not done after 40 steps, and say so."""
        final = last(train_exact(sums(), ExactSettings("sgd", steps=40), SOBEL))
        assert (final.step, final.stopped_because) == (40, "All 40 steps are done.")

    def test_when_it_diverges(self):
        """A rate that is too high ends with the reason, not with NaN for ever."""
        final = last(train_exact(sums(), ExactSettings("sgd", learning_rate=50.0)))
        assert "diverged" in final.stopped_because
        assert final.step < 1000

    def test_at_the_deadline(self):
        """A deadline of no time leaves step 0, with the reason."""
        shown = list(train_exact(sums(), ExactSettings("adam"), deadline=0.0))
        assert [p.step for p in shown] == [0]
        assert "time is up" in shown[0].stopped_because

    def test_what_is_shown_depends_on_steps_alone(self):
        """Each of the first 40 steps, then 5 % apart, never more than 500."""
        steps = [0]
        while steps[-1] < 30_000:
            steps.append(next_shown(steps[-1]))
        assert steps[:41] == list(range(41))
        gaps = np.diff(steps)
        assert (gaps <= 500).all()
        assert len(steps) < 300


def test_numbers_of_numpy_and_json_are_numbers():
    """What a script or a client sends counts as the number that it is."""
    settings = ExactSettings(steps=np.int64(3), seed=2.0, learning_rate=np.float32(0.5))
    assert (settings.steps, settings.seed, settings.learning_rate) == (3, 2, 0.5)


class TestBadInput:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"optimizer": "newton"},
            {"init": "ones"},
            {"steps": 0},
            {"steps": 10**9},
            {"steps": 2.5},
            {"steps": "many"},
            {"seed": -1},
            {"learning_rate": 0.0},
            {"learning_rate": float("nan")},
            {"learning_rate": 1e9},
        ],
    )
    def test_settings_are_checked(self, wrong):
        """A value out of its bounds is refused with what is allowed."""
        with pytest.raises(DemoError):
            ExactSettings(**wrong)

    def test_no_pixels_and_foreign_progress_are_refused_at_the_call(self):
        """Before anything is yielded."""
        with pytest.raises(DemoError, match="no pixel"):
            train_exact(Statistics.zero(3))
        with pytest.raises(DemoError, match="no pixel"):
            closed_form(Statistics.zero(3))
        adam = next(train_exact(sums(), ExactSettings("adam")))
        with pytest.raises(DemoError, match="kfac after adam"):
            train_exact(sums(), ExactSettings("kfac"), resume=adam)
        with pytest.raises(DemoError, match="another size"):
            train_exact(sums(np.eye(5)), ExactSettings("adam"), resume=adam)
