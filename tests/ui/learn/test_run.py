"""The stream of one run, paced for a browser."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import device as gpu
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.learn import run as learning_run
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, Session
from kernel_demo.ui.pictures import PictureChoice


def session(source: str = "bundled", **settings) -> Session:
    experiment = Experiment(
        choice=PictureChoice(source=source, count=2),
        weights=tuple(map(tuple, kernels.named("sobel_x").values.tolist())),
        damage=Damage(),
        settings=TrainSettings(**settings),
    )
    return Session(experiment=experiment)


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


@pytest.fixture
def gate(monkeypatch):
    """A run that stands still before its step GATE, which is in the core and not on the page.

    (reached, opened): events; the first frame is shown, and after it only the last one.
    """
    reached, opened = threading.Event(), threading.Event()
    real = gpu.learn

    def gated(*arguments):
        for progress in real(*arguments):
            if progress.step == GATE and not opened.is_set():
                reached.set()
                assert opened.wait(60)
            yield progress

    monkeypatch.setattr(gpu, "learn", gated)
    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 1000)
    return reached, opened


GATE = 12


@pytest.mark.parametrize("settings", [ExactSettings(optimizer="adam", steps=24),
                                      TrainSettings(steps=24, check_every=2)])  # fmt: skip
def test_a_paused_run_goes_on_where_its_curve_ends(gate, settings):
    """Paused while the core is steps ahead of the page: the curve only ascends, and the weights
    are, bit for bit, those of a run that was never paused."""
    begun = replace(session(), experiment=replace(session().experiment, settings=settings))
    reached, opened = gate
    running = run(begun)
    shown = next(running)  # what the page has when Pause is pressed
    with ThreadPoolExecutor(1) as core:
        core.submit(next, running)
        assert reached.wait(60)
        paused = replace(shown, running=False)
        before = steps(paused)
        opened.set()
    assert steps(paused) == before == [0]  # and what the core did meanwhile is not in it
    *_, resumed = run(paused)
    *_, unbroken = run(begun)
    assert resumed.progress.step == unbroken.progress.step == 24
    np.testing.assert_array_equal(resumed.progress.kernel, unbroken.progress.kernel)
    assert (np.diff(steps(resumed)) > 0).all()
    assert steps(resumed)[-1] == 24


def steps(shown: Session) -> list[int]:
    """The steps of the curve of the loss, as the browser gets them."""
    raw = b"".join(base64.b64decode(chunk) for chunk in shown.history.encode()["loss"])
    return np.frombuffer(raw, "<f4")[::2].astype(int).tolist()


def test_each_frame_has_its_own_curve(monkeypatch):
    """A frame's curve ends at the frame's own step, also when later ones were made since."""
    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 0)
    frames = list(run(session(steps=30, check_every=2)))
    assert len(frames) > 10
    assert [steps(frame)[-1] for frame in frames] == [frame.progress.step for frame in frames]


def test_uploads_without_files_are_refused():
    """Learning from "my pictures" without any says so."""
    with pytest.raises(DemoError, match="at least one picture"):
        next(run(session(source="mine")))


@pytest.fixture(scope="module")
def begun():
    """A session after its first frame."""
    return next(run(replace(session(steps=5), number=1)))


def test_frames_ascend_whatever_the_clock_says(begun, monkeypatch):
    """Running, paused, resumed, the next run: each update has a number above the one before it,
    though the clock is set back an hour from each to the next."""
    hours = iter(range(100, 0, -1))
    clocks = {"time": 1, "monotonic": 1, "time_ns": 10**9, "monotonic_ns": 10**9}
    clock = SimpleNamespace(
        **{name: lambda unit=unit: 3600 * unit * next(hours) for name, unit in clocks.items()}
    )
    for module in (learning_run, live_view):  # not of the process: a server's loop lives by it
        monkeypatch.setattr(module, "time", clock, raising=False)
    again = Session(begun.number + 1, begun.experiment)
    values = [
        learning_run.resume(begun)[0],
        learning_run.pause(begun)[0],
        learning_run.resume(begun)[0],
        learning_run.stop(begun)[0],
        learning_run.resume(again)[0],
        live_view.idle(begun.experiment.truth),
        learning_run.pause(replace(begun, number=again.number))[0],
    ]
    numbers = [value["number"] for value in values]
    assert numbers == sorted(set(numbers))
    assert len({value["server"] for value in values}) == 1
