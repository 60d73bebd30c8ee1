"""Learning on the page: one visitor's run as a stream of sessions.

Here is decided which of Learn, Pause, Resume, Step and Stop can be seen and pressed.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.learning.training import Progress, TrainSettings
from kernel_demo.ui import device, pictures
from kernel_demo.ui.components import stage
from kernel_demo.ui.components.history import Measured
from kernel_demo.ui.jobs import DEVICE, FAILED, Job, throttled
from kernel_demo.ui.learn.session import Session, Shown, prepare
from kernel_demo.ui.learn.settings import experiment, named

FRAME_SECONDS = 0.08  # about ten updates a second; Gradio's queue has no back-pressure of its own
LARGE = 15  # kernels beyond this size have so many cells that a browser takes its time over them
LARGE_FRAME_SECONDS = 0.2
SETTLE_SECONDS = 1.0  # so long at most the buttons show something else than the run under way


def run(session: Session, single_step: bool = False) -> Iterator[Session]:
    """The session after each update that is worth showing.

    Continues from `session.progress` where there is one, else starts. With `single_step` it makes
    one update of the weights and returns. Each session has the curves up to its own progress, so
    that a run can be paused at any of them and goes on from there.
    """
    wanted = session.experiment
    taught = prepare(wanted)
    session = replace(session, patch=pictures.patch(taught.pairs[0][0]))
    settings = wanted.settings
    if single_step and isinstance(settings, TrainSettings):
        settings = replace(settings, check_every=1)
    progresses = device.learn(taught.pairs, wanted.truth, settings, session.progress)
    since: list[Measured] = []  # since the last frame
    target = (session.progress.step if session.progress else 0) + 1
    large = len(wanted.weights) > LARGE
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


def _measured(progresses: Iterator[Progress], since: list[Measured]) -> Iterator[Progress]:
    """The same items; what the curves keep of each is put into `since`, shown or not."""
    with closing(progresses):
        for progress in progresses:
            since.append(Measured.of(progress))
            yield progress


def connect(
    buttons: Mapping[str, gr.Button], controls: Mapping, live: gr.HTML, session: gr.State,
    last: gr.State,
) -> tuple[list, list]:  # fmt: skip
    """Connect the buttons learn, pause, resume, step and stop.

    last: the `Shown` of the cards below. Returns the events that answer who asked for a run, and
    those that end one.
    """
    runs = Job([live, session, *buttons.values()], failed, [session, last])
    settings = [session, *controls.values()]
    for button, announce, inputs, function in (
        ("learn", named(learn), settings, go),
        ("resume", resume, [session], go),
        ("step", named(step), settings, partial(go, single_step=True)),
    ):
        runs.begin(buttons[button].click, announce, function, inputs, given=[session], **DEVICE)
    halts = [runs.halt(buttons["pause"], pause), runs.halt(buttons["stop"], stop)]
    return runs.heard, [*runs.events, *halts]


def learn(session: Session, values: Mapping) -> tuple:
    """A new run of what the page is set to was asked for: it begins when the device is free."""
    try:
        return _shown(_begun(session, values))
    except DemoError as error:
        return _told(session, str(error))


def resume(session: Session) -> tuple:
    """The paused run is to go on, with the settings that it began with."""
    return _shown(replace(session, running=True))


def step(session: Session, values: Mapping) -> tuple:
    """One update of the weights: of the paused run if the page is still set to it."""
    try:
        wanted = _begun(session, values)
    except DemoError as error:
        return _told(session, str(error))
    if not session.unfinished or session.experiment != wanted.experiment:
        return _shown(wanted)
    session = replace(session, running=True)
    return gr.skip(), session, *[gr.skip()] * 3, *_buttons(session)[3:]  # Resume stays in place


def go(session: Session, single_step: bool = False) -> Iterator[tuple]:
    """The run that was asked for, as updates of the stage, the session and the buttons."""
    if not session.running:  # it was refused, and told
        yield [gr.skip()] * 7
        return
    settled = time.monotonic()
    yield _shown(session)
    try:
        with closing(run(session, single_step)) as sessions:
            for latest in sessions:
                # Clicks that follow each other faster than their answers may leave the buttons of
                # one that came late.
                settle = not latest.running or time.monotonic() - settled >= SETTLE_SECONDS
                settled = time.monotonic() if settle else settled
                yield _shown(latest, buttons=settle)
    except DemoError as error:
        yield _told(session, str(error))


def pause(session: Session, last: Shown | None = None) -> tuple:
    """The run stands still; `resume` goes on from its last update."""
    return _shown(replace(_made(session, last), running=False))


def stop(session: Session, last: Shown | None = None) -> tuple:
    """The run ends here, with the kernel that it has."""
    return _shown(_made(session, last).stopped())


def failed(session: Session, last: Shown | None = None) -> tuple:
    """An unexpected error, or a full queue: what there is can be gone on with, and it is told."""
    if session.experiment is None:
        return _told(session, FAILED)
    drawn, *rest = pause(session, last)
    return drawn | {"error": FAILED}, *rest


def drawn(session: Session) -> dict:
    """The stage's value for the run as it stands."""
    truth = session.experiment.truth
    if session.progress is None:
        return stage.idle(truth, session.patch, preparing=session.running)
    return stage.frame(
        session.number,
        session.progress,
        truth,
        session.history,
        session.patch,
        paused=session.paused,
    )


def _made(session: Session, last: Shown | None) -> Session:
    """The run; in place of one that has made no step yet the last one, of the same settings."""
    if session.progress is not None or last is None:
        return session
    return last.session if last.session.experiment == session.experiment else session


def _begun(session: Session, values: Mapping) -> Session:
    return Session(
        number=session.number + 1,
        patch=session.patch,
        experiment=experiment(values),
        running=True,
    )


def _shown(session: Session, buttons: bool = True) -> tuple:
    """Updates of the stage, the session and (left alone where nothing changes) the buttons."""
    return drawn(session), session, *(_buttons(session) if buttons else [gr.skip()] * 5)


def _told(session: Session, sentence: str) -> tuple:
    session = replace(session, running=False)
    return stage.failed(sentence), session, *_buttons(session)


def _buttons(session: Session) -> tuple:
    """Learn, Pause and Resume share one place; Step and Stop are there when they make sense."""
    return (
        gr.update(visible=not session.running and not session.paused),
        gr.update(visible=session.running),
        gr.update(visible=session.paused),
        gr.update(interactive=not session.running),
        gr.update(interactive=session.running or session.paused),
    )
