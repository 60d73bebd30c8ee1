"""What happens in the tab "Learn": each function takes values and returns updates."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.sources import bundled
from kernel_demo.ui import kernel_editor, learn_controls, learn_result, live_view, pictures
from kernel_demo.ui.learn_cards import FilterCard, LearnCard, PictureCard, Stage, components
from kernel_demo.ui.learn_controls import FREE_SIZES, size_choices
from kernel_demo.ui.learning_run import run
from kernel_demo.ui.markup import problem, quiet
from kernel_demo.ui.session import Session
from kernel_demo.ui.wording import learn as wording

RUNS_AT_ONCE = 2
DEVICE_QUEUE = "device"  # everything that holds the device waits in one queue
# The page's own events; scripts use the endpoints of api.py.
QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def connect(
    picture_card: PictureCard, filter_card: FilterCard, learn_card: LearnCard, stage: Stage
) -> None:
    """Connect every event of the tab."""
    _connect_pictures(picture_card)
    _connect_filter(filter_card, stage)
    learn_card.controls.method.input(
        lambda method: quiet(wording.METHOD_PURPOSE[method]),
        learn_card.controls.method, learn_card.purpose, **QUIET,
    )  # fmt: skip
    _connect_learning(picture_card, filter_card, learn_card, stage)
    _connect_result(filter_card, stage)


# ---------------------------------------------------------------- pictures


def _connect_pictures(card: PictureCard) -> None:
    controls = card.controls
    controls.source.input(
        source_chosen,
        controls.source, [controls.dataset_id, controls.uploads, card.load, controls.count],
        queue=False, **QUIET,
    )  # fmt: skip
    gr.on(
        [controls.source.input, controls.count.release, controls.uploads.change, card.load.click,
         controls.dataset_id.input],
        show_gallery, components(controls), [card.gallery, card.notice],
        trigger_mode="always_last", concurrency_limit=8, api_visibility="private",
        show_progress="minimal",
    )  # fmt: skip


def source_chosen(source: str):
    """The inputs that this source of pictures needs: dataset, files, Load, how many."""
    most = bundled.COUNT if source == "bundled" else pictures.MAX_PICTURES
    return (
        gr.update(visible=source == "hub"),
        gr.update(visible=source == "mine"),
        gr.update(visible=source == "hub"),
        gr.update(visible=source != "mine", maximum=most),
    )


def show_gallery(*values):
    """Card 1's values -> its gallery and its notice. A problem leaves the gallery as it is."""
    try:
        choice = learn_controls.choice(*values)
        if choice.source == "mine" and not choice.uploads:
            return quiet(wording.NO_UPLOAD_YET), ""
        gathered = pictures.gather(choice)
    except DemoError as error:
        return gr.skip(), problem(error)
    return pictures.gallery(gathered.photos), quiet(gathered.note)


# ---------------------------------------------------------------- filter


def _connect_filter(card: FilterCard, stage: Stage) -> None:
    controls = card.controls
    values = components(controls)
    shown = [stage.live, stage.session, card.problem]
    fitting = [
        controls.size, controls.angle, controls.seed, controls.editor, card.paste, card.purpose,
    ]  # fmt: skip

    def then_show(event, fit: bool = True) -> None:
        if fit:
            event = event.then(
                kernel_chosen, [controls.kernel, controls.size], fitting, queue=False, **QUIET
            )
        event.then(show_truth, [stage.session, *values], shown, **QUIET)

    then_show(
        controls.kernel.input(
            kernel_chosen, [controls.kernel, controls.size], fitting, queue=False, **QUIET
        ),
        fit=False,
    )
    resized = controls.size.input(
        kernel_editor.fitted, [controls.editor, controls.size], controls.editor, **QUIET
    )
    then_show(resized, fit=False)
    then_show(
        card.random.click(
            another_random, [controls.kernel, controls.seed], [controls.kernel, controls.seed],
            **QUIET,
        )
    )  # fmt: skip
    gr.on(
        [controls.angle.release, controls.seed.input, controls.editor.edit],
        show_truth, [stage.session, *values], shown, **QUIET,
    )  # fmt: skip
    own = [controls.kernel, controls.size, controls.editor, card.problem]
    then_show(card.edit.click(edit_current, values, own, **QUIET))
    then_show(card.use.click(use_pasted, [card.text, card.divisor], own, **QUIET), fit=False)


def kernel_chosen(kernel: str, size: int):
    """The inputs that this kernel needs, and the line that says what it is for."""
    named = CATALOGUE.get(kernel)
    sizes = named.sizes if named else FREE_SIZES
    size = size if size in sizes else min(sizes, key=lambda other: abs(other - int(size or 3)))
    purposes = {"random": wording.RANDOM_PURPOSE, "own": wording.OWN_PURPOSE}
    return (
        gr.update(choices=size_choices(sizes), value=size, interactive=len(sizes) > 1),
        gr.update(visible=bool(named and named.takes_angle)),
        gr.update(visible=kernel == "random"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel == "own"),
        quiet(named.purpose if named else purposes[kernel]),
    )


def show_truth(session: Session, *values):
    """Draw the kernel that is set up now, unless a run is under way: that one stays in view."""
    if session.running:
        return gr.skip(), gr.skip(), ""
    try:
        truth = learn_controls.truth(*values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    if session.progress is not None and np.array_equal(truth, session.truth):
        return gr.skip(), gr.skip(), ""
    return live_view.idle(truth, session.patch), gr.skip(), ""


def another_random(kernel: str, seed: float | None) -> tuple[str, int]:
    """A random kernel; the next one where there is one already. The seed brings it back."""
    return "random", int(seed or 0) + (kernel == "random")


def edit_current(*values):
    """Put the kernel that is set up now into the grid, to be changed by hand."""
    try:
        truth = learn_controls.truth(*values)
    except DemoError as error:
        return gr.skip(), gr.skip(), gr.skip(), problem(error)
    return "own", len(truth), kernel_editor.editor_value(truth), ""


def use_pasted(text: str, divisor: float | None):
    """Put a pasted matrix into the grid."""
    try:
        values = kernels.parse(text or "", 1.0 if divisor is None else divisor).values
    except DemoError as error:
        return gr.skip(), gr.skip(), gr.skip(), problem(error)
    size = gr.update(choices=size_choices(tuple({*FREE_SIZES, len(values)})), value=len(values))
    return "own", size, kernel_editor.editor_value(values), ""


# ---------------------------------------------------------------- learning


def _connect_learning(
    picture_card: PictureCard, filter_card: FilterCard, card: LearnCard, stage: Stage
) -> None:
    pieces = (picture_card.controls, filter_card.controls, card.controls)
    lengths = [len(components(piece)) for piece in pieces]
    values = [component for piece in pieces for component in components(piece)]
    outputs = [stage.live, stage.session, *_buttons(card)]

    def set_up(session: Session, *values) -> Session:
        first, second = lengths[0], lengths[0] + lengths[1]
        return replace(
            Session(number=session.number + 1, frame=session.frame),
            choice=learn_controls.choice(*values[:first]),
            truth=learn_controls.truth(*values[first:second]),
            settings=learn_controls.settings(*values[second:]),
        )

    def updates(session: Session, live: dict) -> dict:
        return {stage.live: live, stage.session: session, **_button_updates(card, session)}

    def stream(session: Session, single_step: bool = False) -> Iterator[dict]:
        yield updates(replace(session, running=True), live_view.idle(session.truth, session.patch))
        try:
            with closing(run(session, single_step)) as sessions:
                for number, latest in enumerate(sessions):
                    session = latest
                    live = drawn(session)
                    if number == 0 or not session.running:
                        yield updates(session, live)
                    else:
                        yield {stage.live: live, stage.session: session}
        except DemoError as error:
            stopped = replace(session, running=False)
            yield updates(stopped, live_view.failed(str(error)))

    def learn(session: Session, *values) -> Iterator[dict]:
        try:
            session = set_up(session, *values)
        except DemoError as error:
            yield updates(session, live_view.failed(str(error)))
            return
        yield from stream(session)

    def step(session: Session, *values) -> Iterator[dict]:
        try:
            wanted = set_up(session, *values)
        except DemoError as error:
            yield updates(session, live_view.failed(str(error)))
            return
        same = session.same_experiment(wanted.choice, wanted.truth, wanted.settings)
        yield from stream(session if same else wanted, single_step=True)

    def pause(session: Session) -> dict:
        session = replace(session, running=False, frame=session.frame + 1)
        return updates(session, drawn(session))

    def stop(session: Session) -> dict:
        session = session.stopped(wording.STOPPED_BY_YOU)
        return updates(session, drawn(session))

    run_options = {
        "concurrency_id": DEVICE_QUEUE, "concurrency_limit": RUNS_AT_ONCE, "trigger_mode": "once",
        **QUIET,
    }  # fmt: skip
    learning = card.learn.click(learn, [stage.session, *values], outputs, **run_options)
    resuming = card.resume.click(stream, stage.session, outputs, **run_options)
    stepping = card.step.click(step, [stage.session, *values], outputs, **run_options)
    running = [learning, resuming, stepping]
    halt = {"cancels": running, "queue": False, **QUIET}
    pausing = card.pause.click(pause, stage.session, outputs, **halt)
    stopping = card.stop.click(stop, stage.session, outputs, **halt)
    for event in (*running, pausing, stopping):
        event.then(
            learned_result, [stage.session, filter_card.edges, stage.own_path],
            _result_outputs(stage), **QUIET,
        )  # fmt: skip


def drawn(session: Session) -> dict:
    """The live view's value for a run as it stands."""
    if session.progress is None:
        return live_view.idle(session.truth, session.patch)
    return live_view.frame(
        session.number, session.frame, session.progress, session.truth, session.history,
        session.patch, paused=session.paused,
    )  # fmt: skip


def _buttons(card: LearnCard) -> list[gr.Button]:
    return [card.learn, card.pause, card.resume, card.step, card.stop]


def _button_updates(card: LearnCard, session: Session) -> dict:
    paused = session.paused
    return {
        card.learn: gr.update(visible=not session.running and not paused),
        card.pause: gr.update(visible=session.running),
        card.resume: gr.update(visible=paused),
        card.step: gr.update(interactive=not session.running),
        card.stop: gr.update(interactive=session.running or paused),
    }


# ---------------------------------------------------------------- result


def _result_outputs(stage: Stage) -> list:
    return [stage.picture, stage.try_own, stage.empty, stage.result]


def learned_result(session: Session, border: str, own_path: str | None):
    """The result of a run that ended: the visitor's own picture first, else the first one."""
    if session.progress is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    photos = pictures.gather(session.choice).photos
    first = learn_result.OWN_PICTURE if own_path else 0
    value = learn_result.render(session, first, border, own_path)
    choices = learn_result.picture_choices(photos, own=bool(own_path))
    return (
        gr.update(choices=choices, value=first, visible=True),
        gr.update(visible=True),
        "",
        value,
    )


def _connect_result(filter_card: FilterCard, stage: Stage) -> None:
    def again(session: Session, picture: int, border: str, own_path: str | None):
        try:
            return learn_result.render(session, picture, border, own_path), ""
        except DemoError as error:
            return gr.skip(), problem(error)

    def own(session: Session, border: str, path: str, before: str | None):
        try:
            value = learn_result.render(session, learn_result.OWN_PICTURE, border, path)
        except DemoError as error:
            return gr.skip(), gr.skip(), problem(error), before
        choices = learn_result.picture_choices(pictures.gather(session.choice).photos, own=True)
        picture = gr.update(choices=choices, value=learn_result.OWN_PICTURE)
        return picture, value, "", path

    gr.on(
        [stage.picture.input, filter_card.edges.input], again,
        [stage.session, stage.picture, filter_card.edges, stage.own_path],
        [stage.result, stage.empty], trigger_mode="always_last", concurrency_limit=2, **QUIET,
    )  # fmt: skip
    stage.try_own.upload(
        own, [stage.session, filter_card.edges, stage.try_own, stage.own_path],
        [stage.picture, stage.result, stage.empty, stage.own_path],
        concurrency_limit=2, api_visibility="private", show_progress="minimal",
    )  # fmt: skip
