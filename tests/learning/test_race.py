"""Methods in turns: same start, own clocks, goals noted when they are first reached."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named
from kernel_demo.learning import pairs
from kernel_demo.learning.exact import closed_form
from kernel_demo.learning.race import GOALS, RUNNERS, race, runners
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.training import Cause, Stop

SOBEL = named("sobel_x").values


@pytest.fixture(scope="module")
def pictures():
    noise = np.random.default_rng(0).normal(size=(100, 100))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2).astype(np.float32)
    before = (smooth - smooth.min()) / np.ptp(smooth)
    return [(before, correlate(before, SOBEL))]


@pytest.fixture(scope="module")
def tiles(pictures):
    return pairs.build([pictures[0][0]], [pictures[0][1]], 3, tile=32)


def made(errors, seconds=0.0):
    """A runner that shows these kernel errors, one a step, each after so many seconds."""
    flat = np.eye(9)
    blank = closed_form(Statistics.from_pair(flat, flat, 3), np.eye(3))
    for step, error in enumerate(errors):
        end = step == len(errors) - 1
        yield replace(
            blank,
            step=step,
            kernel_error=error,
            seconds=seconds * step,
            stop=Stop(Cause.SOLVED) if end else None,
        )


def test_all_kinds_run_from_one_start(pictures, tiles, device):
    """Mini-batch, exact and closed form in one race; all but the closed form start alike."""
    names = ("kfac", "adam", "exact_kfac", "exact_lbfgs", "closed_form")
    running = runners(names, tiles, pictures, SOBEL, seed=4, steps=60, device=device)
    snapshots = list(race(running, limit=5.0, turn=0.02))
    final = snapshots[-1]
    assert final.done
    assert tuple(lane.name for lane in final.lanes) == names
    lanes = {lane.name: lane for lane in final.lanes}
    first = [lanes[name].kernel_error[0] for name in names[:4]]
    assert np.ptp(first) < 1e-6  # float32 weights against float64 ones
    for name in ("kfac", "exact_kfac", "exact_lbfgs", "closed_form"):
        assert [a.goal for a in lanes[name].arrivals][:2] == [1e-2, 1e-4]
    assert lanes["adam"].kernel_error[-1] > lanes["kfac"].kernel_error[-1]
    for lane in final.lanes:
        assert lane.done
        assert lane.stopped_because
        assert len(lane.steps) == len(lane.seconds) == len(lane.kernel_error)
        assert (np.diff(lane.steps) > 0).all()
        assert (np.diff(lane.seconds) >= 0).all()


def test_goals_are_noted_at_the_first_progress_that_reaches_them():
    """Worked by hand: 1e-2 at step 1, 1e-4 and 1e-6 together at step 3; a relapse is no news."""
    errors = [1.0, 5e-3, 0.5, 1e-7, 0.5]
    *_, final = race({"one": made(errors, seconds=2.0)})
    arrivals = final.lanes[0].arrivals
    assert [(a.goal, a.step, a.seconds) for a in arrivals] == [
        (GOALS[0], 1, 2.0),
        (GOALS[1], 3, 6.0),
        (GOALS[2], 3, 6.0),
    ]


def test_turns_alternate_and_snapshots_do_not_change():
    """A turn of no time is one Progress: the lanes grow one by one, earlier snapshots stay."""
    snapshots = list(race({"a": made([1, 0.5, 0.1]), "b": made([1, 0.2])}, turn=0.0))
    lengths = [tuple(len(lane.steps) for lane in s.lanes) for s in snapshots]
    assert lengths == [(1, 0), (1, 1), (2, 1), (2, 2), (3, 2)]
    assert [s.done for s in snapshots] == [False] * 4 + [True]
    assert snapshots[0].lanes[1].kernel is None


def test_a_limit_takes_the_slow_ones_out():
    """A runner that has spent its seconds is done, with the reason."""
    *_, final = race({"slow": made([1.0] * 50, seconds=1.0)}, limit=3.0)
    lane = final.lanes[0]
    assert lane.seconds[-1] == 3.0
    assert lane.stopped_because == "The time is up: 3 seconds."


def test_to_stop_is_to_stop_iterating():
    """Closing the race closes every runner."""
    closed = []

    def endless():
        try:
            while True:
                yield next(made([1.0, 1.0]))
        finally:
            closed.append(True)

    running = race({"a": endless(), "b": endless()}, turn=0.0)
    next(running)
    next(running)
    running.close()
    assert closed == [True, True]


def test_unknown_runners_are_refused(pictures, tiles):
    """With the list of those there are."""
    with pytest.raises(DemoError, match=", ".join(RUNNERS)):
        runners(["newton"], tiles, pictures, SOBEL)
