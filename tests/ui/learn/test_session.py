"""What a layer is shown, and what is kept of a run so that it can be taken up again."""

from dataclasses import replace

import numpy as np
import pytest

from kernel_demo.imaging import kernels
from kernel_demo.learning.training import Progress, TrainSettings
from kernel_demo.ui.learn import session as sessions
from kernel_demo.ui.learn.session import Damage, Experiment, Marks, Session, prepare
from kernel_demo.ui.pictures import PictureChoice

SOBEL = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))


@pytest.mark.parametrize(
    "damage", [Damage(), Damage(noise=2.0), Damage(eight_bit=True)], ids=["none", "noise", "file"]
)
def test_nobody_can_write_into_a_shared_lesson(damage):
    """The lesson of the bundled photos is everybody's: each of its arrays is read-only."""
    experiment = Experiment(PictureChoice(count=2), SOBEL, damage, TrainSettings())
    taught = prepare(experiment)
    assert prepare(experiment) is taught
    arrays = [array for pair in taught.pairs for array in pair if array is not None]
    arrays += [photo.pixels for photo in taught.photos]
    assert len(arrays) >= 6
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            np.copyto(array, 0)


def progress(step, numbers=0):
    """A Progress whose state holds so many numbers of eight bytes."""
    return Progress(
        step=step, steps=400, loss=0.1, validation_loss=0.1, kernel=np.zeros((3, 3)), offset=0.0,
        kernel_error=2.0, excess_loss=None, seconds=float(step), device="CPU", stop=None,
        state={"optimizer": {0: {"moment": np.zeros(numbers), "steps": (3, 4)}}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "least"),
    [(10, 399), (10_000, 50), (400_000, 1), (961**2, 1), (2 * 961**2, 0)],
)
def test_marks_are_bounded_and_even(numbers, least):
    """However large the state of an optimizer: never more than MARKED_BYTES, and as many as fit,
    evenly; one that does not fit at all is left out, as the start is made anew for nothing."""
    marks = Marks()
    for step in range(400):
        marks = marks.add(step, progress(step, numbers))
        held = sum(8 * numbers for mark in marks.all)
        assert held <= sum(mark.bytes for mark in marks.all) <= sessions.MARKED_BYTES
    assert len(marks.all) >= least
    steps = [0, *(mark.progress.step for mark in marks.all)]
    if least > 1:
        assert np.ptp(np.diff(steps)) == 0
        assert steps[-1] > 350
    assert [mark.progress.step for mark in marks.until(200).all] == [
        step for step in steps[1:] if step <= 200
    ]


def test_a_cut_forgets_what_is_beyond():
    """Records, marks and where computing stood; a rate that came later has not been, but the one
    that the page is set to counts from the cut on."""
    experiment = Experiment(
        PictureChoice(count=2), SOBEL, Damage(), TrainSettings("adam", learning_rate=0.1, steps=400)
    )
    run = Session(1, experiment, rates=((0, 0.3), (20, 0.2), (40, 0.1)), running=True)
    run = replace(run, kept=sessions.Kept(400, 25).add(progress(0), experiment.truth))
    for step in range(51):
        run = run.after(progress(step))
    cut = run.cut(30)
    assert (cut.kept.steps[-1], cut.progress.step, cut.stand.step) == (30, 30, 30)
    assert cut.marks.all[-1].progress.step == 30
    assert cut.rates == ((0, 0.3), (20, 0.2), (30, 0.1))
    assert run.cut(20).rates == ((0, 0.3), (20, 0.1))
    assert run.cut(45).rates == run.rates
    assert replace(run, marks=Marks()).cut(30).stand is None
    assert (cut.running, cut.paused) == (False, True)
    assert run.kept.steps[-1] == 50
