"""The buttons of card 3: what each event shows, and in which order the browser takes it."""

import time
from dataclasses import replace

import pytest

from kernel_demo.imaging import kernels
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import live_view, run_events
from kernel_demo.ui.learning_run import run
from kernel_demo.ui.session import Damage, Experiment, PictureChoice, Session


@pytest.fixture(scope="module")
def begun():
    """A session after its first frame."""
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    settings = TrainSettings(steps=5)
    return next(run(Session(1, Experiment(PictureChoice(count=1), weights, Damage(), settings))))


@pytest.mark.parametrize("name", ["time", "time_ns", "monotonic", "monotonic_ns"])
def test_frames_ascend_whatever_the_clock_says(begun, monkeypatch, name):
    """Running, paused, resumed, the next run: each update has a number above the one before it,
    though the clock is set back an hour from each to the next."""
    hours = iter(range(100, 0, -1))
    scale = 3600 * (10**9 if name.endswith("_ns") else 1)
    monkeypatch.setattr(time, name, lambda: next(hours) * scale)
    again = Session(begun.number + 1, begun.experiment)
    values = [
        run_events.wait(begun)[0],
        run_events.pause(begun)[0],
        run_events.wait(begun)[0],
        run_events.stop(begun)[0],
        run_events.wait(again)[0],
        live_view.idle(begun.experiment.truth),
        run_events.pause(replace(begun, number=again.number))[0],
    ]
    numbers = [value["number"] for value in values]
    assert numbers == sorted(set(numbers))
    assert len({value["server"] for value in values}) == 1
