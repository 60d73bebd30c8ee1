"""The buttons of card 3: what each event shows, and in which order the browser takes it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kernel_demo.imaging import kernels
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.learn import run_events
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, PictureChoice, Session


@pytest.fixture(scope="module")
def begun():
    """A session after its first frame."""
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    settings = TrainSettings(steps=5)
    return next(run(Session(1, Experiment(PictureChoice(count=1), weights, Damage(), settings))))


def test_frames_ascend_whatever_the_clock_says(begun, monkeypatch):
    """Running, paused, resumed, the next run: each update has a number above the one before it,
    though the clock is set back an hour from each to the next."""
    hours = iter(range(100, 0, -1))
    clocks = {"time": 1, "monotonic": 1, "time_ns": 10**9, "monotonic_ns": 10**9}
    clock = SimpleNamespace(
        **{name: lambda unit=unit: 3600 * unit * next(hours) for name, unit in clocks.items()}
    )
    for module in (run_events, live_view):  # not of the process: a server's loop lives by it
        monkeypatch.setattr(module, "time", clock, raising=False)
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
