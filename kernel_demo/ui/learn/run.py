"""One visitor's run as a stream of sessions, paced for a browser."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from kernel_demo.learning.training import Progress, TrainSettings
from kernel_demo.ui import device as gpu
from kernel_demo.ui import pictures
from kernel_demo.ui.components.history import Measured
from kernel_demo.ui.jobs import throttled
from kernel_demo.ui.learn import lesson
from kernel_demo.ui.learn.session import Session

FRAME_SECONDS = 0.08  # about ten updates a second; Gradio's queue has no back-pressure of its own
LARGE = 15  # kernels beyond this size have so many cells that a browser takes its time over them
LARGE_FRAME_SECONDS = 0.2


def _measured(progresses: Iterator[Progress], since: list[Measured]) -> Iterator[Progress]:
    """The same items; what the curves keep of each is put into `since`, shown or not."""
    with closing(progresses):
        for progress in progresses:
            since.append(Measured.of(progress))
            yield progress


def run(session: Session, single_step: bool = False) -> Iterator[Session]:
    """The session after each update that is worth showing.

    Continues from `session.progress` where there is one, else starts. With `single_step` it makes
    one update of the weights and returns. Each session has the curves up to its own progress, so
    that a run can be paused at any of them and goes on from there.
    """
    experiment = session.experiment
    taught = lesson.prepare(experiment)
    session = replace(session, patch=pictures.patch(taught.befores[0]))
    settings = experiment.settings
    if single_step and isinstance(settings, TrainSettings):
        settings = replace(settings, check_every=1)
    progresses = gpu.learn(taught, experiment.truth, settings, session.progress)
    since: list[Measured] = []  # since the last frame
    target = (session.progress.step if session.progress else 0) + 1
    large = len(experiment.weights) > LARGE
    seconds = 0.0 if single_step else LARGE_FRAME_SECONDS if large else FRAME_SECONDS
    with closing(throttled(_measured(progresses, since), seconds)) as stream:
        for progress in stream:
            paused = single_step and progress.step >= target
            session = replace(
                session,
                progress=progress,
                history=session.history.add(since),
                running=not (progress.done or paused),
            )
            since.clear()
            yield session
            if paused:
                return
