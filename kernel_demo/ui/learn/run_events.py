"""The buttons of card 3 in motion: one run, streamed to the live view."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui.components import stage as live_view
from kernel_demo.ui.html import quiet
from kernel_demo.ui.jobs import DEVICE, FAILED, QUIET, Job
from kernel_demo.ui.learn import form as experiment_form
from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import LearnCard, Stage
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Session


def connect(card: LearnCard, values: list, stage: Stage) -> list:
    """Connect card 3; values: `experiment_form.inputs`. Returns the events that end a run."""
    controls = card.controls
    controls.method.input(
        method_chosen, controls.method, [card.purpose, controls.optimizer, controls.steps],
        queue=False, **QUIET,
    )  # fmt: skip
    outputs = [stage.live, stage.session, card.learn, card.pause, card.resume, card.step, card.stop]
    runs = Job(outputs, failed, [stage.session])
    runs.begin(card.learn.click, announce, learn, [stage.session, *values], **DEVICE)
    runs.begin(card.resume.click, wait, resume, [stage.session], **DEVICE)
    runs.begin(card.step.click, hear, step, [stage.session, *values], **DEVICE)
    return [*runs.events, runs.halt(card.pause, pause), runs.halt(card.stop, stop)]


def arranging(card: LearnCard) -> dict:
    """The event that shows the inputs of the chosen method and leaves their values alone."""
    return {
        "fn": lambda method: (
            quiet(wording.METHOD_PURPOSE[method]),
            gr.update(visible=method == "exact"),
        ),
        "inputs": card.controls.method,
        "outputs": [card.purpose, card.controls.optimizer],
        "queue": False,
        **QUIET,
    }


def method_chosen(method: str):
    """What the method is, the optimizer that it needs, and the steps that suit it."""
    exact = method == "exact"
    most = learn_controls.MAX_EXACT_STEPS if exact else learn_controls.MAX_STEPS
    steps = 10_000 if exact else TrainSettings().steps
    return (
        quiet(wording.METHOD_PURPOSE[method]),
        gr.update(visible=exact),
        gr.update(maximum=most, value=steps, interactive=method != "closed_form"),
    )


def announce(session: Session, *values) -> tuple:
    """A new run was asked for: it begins when the device is free."""
    try:
        return _shown(replace(_set_up(session, *values), running=True))
    except DemoError as error:
        return _told(session, str(error))


def wait(session: Session) -> tuple:
    """The paused run goes on when the device is free."""
    return _shown(replace(session, running=True))


def hear(session: Session, *values) -> tuple:
    """A single update was asked for: the first one of a new run, or the next one."""
    if session.experiment is None:
        return announce(session, *values)
    return *[gr.skip()] * 5, gr.update(interactive=False), gr.update(interactive=True)


def learn(session: Session, *values) -> Iterator[tuple]:
    """A new run of what the page is set to."""
    try:
        yield from _stream(_set_up(session, *values))
    except DemoError as error:
        yield _told(session, str(error))


def resume(session: Session) -> Iterator[tuple]:
    """The paused run goes on, with the settings that it began with."""
    try:
        yield from _stream(session)
    except DemoError as error:
        yield _told(session, str(error))


def step(session: Session, *values) -> Iterator[tuple]:
    """One update of the weights: of the paused run if the page is still set to it."""
    try:
        wanted = _set_up(session, *values)
        goes_on = session.paused and session.experiment == wanted.experiment
        yield from _stream(session if goes_on else wanted, single_step=True)
    except DemoError as error:
        yield _told(session, str(error))


def pause(session: Session) -> tuple:
    """The run stands still; `resume` goes on from its last update."""
    return _shown(replace(session, running=False))


def stop(session: Session) -> tuple:
    """The run ends here, with the kernel that it has."""
    return _shown(session.stopped())


def failed(session: Session) -> tuple:
    """An unexpected error, or a full queue: what there is can be gone on with, and it is told."""
    if session.experiment is None:
        return _told(session, FAILED)
    drawn, *rest = pause(session)
    return drawn | {"error": FAILED}, *rest


def _set_up(session: Session, *values) -> Session:
    return Session(
        number=session.number + 1,
        patch=session.patch,
        experiment=experiment_form.experiment(*values),
    )


def _stream(session: Session, single_step: bool = False) -> Iterator[tuple]:
    session = replace(session, running=True)
    yield _shown(session)
    buttons_shown = False
    with closing(run(session, single_step)) as sessions:
        for latest in sessions:
            yield _shown(latest, buttons=not buttons_shown or not latest.running)
            buttons_shown = True


def _shown(session: Session, buttons: bool = True) -> tuple:
    """Updates of the live view, the session and (left alone where nothing changes) the buttons."""
    if not buttons:
        return (_drawn(session), session, *[gr.skip()] * 5)
    return (_drawn(session), session, *_button_updates(session))


def _told(session: Session, sentence: str) -> tuple:
    session = replace(session, running=False)
    return (live_view.failed(sentence), session, *_button_updates(session))


def _drawn(session: Session) -> dict:
    truth = session.experiment.truth
    if session.progress is None:
        return live_view.idle(truth, session.patch, preparing=session.running)
    return live_view.frame(
        session.number,
        session.progress,
        truth,
        session.history,
        session.patch,
        paused=session.paused,
    )


def _button_updates(session: Session) -> tuple:
    """Learn, Pause and Resume share one place; Step and Stop are there when they make sense."""
    return (
        gr.update(visible=not session.running and not session.paused),
        gr.update(visible=session.running),
        gr.update(visible=session.paused),
        gr.update(interactive=not session.running),
        gr.update(interactive=session.running or session.paused),
    )
