"""The stream of one run, paced for a browser."""

from dataclasses import dataclass

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui.learning_run import paced, run
from kernel_demo.ui.session import Damage, Experiment, PictureChoice, Session


@dataclass(frozen=True)
class Item:
    number: int
    done: bool = False


def session(source: str = "bundled", **settings) -> Session:
    experiment = Experiment(
        choice=PictureChoice(source=source, count=2),
        weights=tuple(map(tuple, kernels.named("sobel_x").values.tolist())),
        damage=Damage(),
        settings=TrainSettings(**settings),
    )
    return Session(experiment=experiment)


def test_pace_keeps_the_first_and_the_last():
    """A fast source is thinned, and neither its start nor its end is lost."""
    shown = list(paced((Item(n, done=n == 999) for n in range(1000)), seconds=60))
    assert [item.number for item in shown] == [0, 999]


def test_an_end_without_done_is_shown_too():
    """A source that just ends still shows its last item."""
    assert [item.number for item in paced((Item(n) for n in range(5)), 60)] == [0, 4]


def test_closing_the_stream_closes_its_source():
    """Who stops looking frees the device."""
    closed = []

    def source():
        try:
            yield from map(Item, range(10**9))
        finally:
            closed.append(True)

    stream = paced(source(), 0)
    next(stream)
    stream.close()
    assert closed == [True]


def test_a_run_ends_with_the_true_kernel():
    """The page's own way through the core recovers Sobel from bundled photos."""
    last = list(run(session()))[-1]
    assert last.progress.done
    assert not last.running
    assert np.abs(last.progress.kernel - last.experiment.truth).max() < 1e-5


def test_single_steps_arrive_where_a_run_does():
    """Step, Step, Step is the same as a run of three steps: the same weights, bit for bit."""
    stepped = session(steps=3)
    for _ in range(3):
        *_, stepped = run(stepped, single_step=True)
    *_, ran = run(session(steps=3))
    assert stepped.progress.step == ran.progress.step == 3
    np.testing.assert_array_equal(stepped.progress.kernel, ran.progress.kernel)


def test_uploads_without_files_are_refused():
    """Learning from "my pictures" without any says so."""
    with pytest.raises(DemoError, match="at least one picture"):
        next(run(session(source="mine")))
