"""Training that knows how far its optimum still is."""

import numpy as np
import pytest

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.pairs import build
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.training import Cause, TrainSettings, train


@pytest.fixture
def lesson():
    """A picture of white noise, Sobel of it with noise of two grey levels, and Sobel."""
    rng = np.random.default_rng(2)
    before = rng.random((96, 96)).astype(np.float32)
    truth = named("sobel_x").values
    noise = rng.normal(0, 2 / 255, before.shape)
    return before, (correlate(before, truth) + noise).astype(np.float32), truth


def run(lesson, optimum, steps=400):
    before, after, truth = lesson
    settings = TrainSettings(learning_rate=0.5, steps=steps, batch=64, tile=32, patience=steps)
    pairs = build([before], [after], 3, tile=32)
    return list(train(SingleConv(3), pairs, settings, truth=truth, optimum=optimum)), pairs


def test_excess_loss_is_the_loss_above_the_best(lesson):
    """The excess is loss(kernel) - loss(best), by numpy.linalg.lstsq on the explicit patches."""
    before, after, _ = lesson
    statistics = Statistics.from_pair(before, after, 3)
    progresses, _ = run(lesson, lambda: Optimum(statistics, offset=False), steps=5)
    patches = np.lib.stride_tricks.sliding_window_view(before.astype(float), (3, 3))
    x, y = patches.reshape(-1, 9), after[1:-1, 1:-1].ravel().astype(float)
    best = np.linalg.lstsq(x, y, rcond=None)[0]

    def loss(weights):
        return np.mean((x @ weights - y) ** 2)

    assert progresses[0].excess_loss is None  # nobody waits for the sums
    for progress in progresses[1:]:
        oracle = loss(progress.kernel.ravel()) - loss(best)
        assert progress.excess_loss == pytest.approx(oracle, rel=1e-6, abs=1e-12)


def test_it_stops_when_nothing_is_left_to_learn(lesson):
    """At the optimum of the tiles it trains on, it says so and stops before the last step."""
    before, after, _ = lesson
    _, pairs = run(lesson, None, steps=1)
    total = Statistics.zero(3)
    for index in pairs.training.tolist():
        mask = np.zeros((34, 34), bool)
        mask[1:-1, 1:-1] = pairs.weight[index, 0].numpy() > 0
        target = np.zeros((34, 34), np.float32)
        target[1:-1, 1:-1] = pairs.after[index, 0].numpy()
        total = total + Statistics.from_pair(pairs.before[index, 0].numpy(), target, 3, mask)
    progresses, _ = run(lesson, lambda: Optimum(total, offset=False))
    last = progresses[-1]
    assert last.stop.cause is Cause.OPTIMUM
    assert last.step < last.steps
    best = total.solve(offset=False)
    assert np.all(np.abs(last.kernel - best.kernel) < 0.1 * best.standard_error)
