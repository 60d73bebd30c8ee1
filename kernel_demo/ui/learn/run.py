"""Learning on the page: one visitor's run as a stream of sessions.

The browser decides what is shown, and at what pace; here is only computed, at full speed. Whatever
a visitor changes on the way counts from the step shown: what is beyond it is dropped.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace

import gradio as gr

from kernel_demo.errors import DemoError, whole
from kernel_demo.learning.training import MAX_RATE, Progress
from kernel_demo.ui import device, pictures
from kernel_demo.ui.learn import showing
from kernel_demo.ui.learn.session import Session, Shown, prepare
from kernel_demo.ui.learn.settings import experiment, learning_rate, most_steps, named
from kernel_demo.ui.serving.jobs import (
    DEVICE,
    LATER,
    LINE,
    UNQUEUED,
    Job,
    failure,
    hearing,
    throttled,
)

# Ten messages a second, of a long run two: its steps are shown later than they come anyway, and
# each message costs the browser as much as a step that it shows. (Gradio's queue has no
# back-pressure of its own.)
FRAME_SECONDS = 0.1
RATED = ("adam", "sgd")  # methods whose rate can be changed on the way
GONE = "This run is not on the server any more. Learn again."


def run(session: Session) -> Iterator[Session]:
    """The session after each update that is worth showing.

    Goes on from `session.stand`, or starts; pauses at `session.goal` where there is one. Each
    session has the records up to its own progress: a run can be paused at any of them.
    """
    wanted = session.experiment
    taught = prepare(wanted)
    settings, rate = wanted.settings, getattr(wanted.settings, "learning_rate", None)
    session = replace(
        session,
        kept=session.kept or showing.start(wanted),
        rates=session.rates or ((0, rate),),
        look=showing.with_photos(session.look, wanted, taught.photos),
    )
    if session.extra:
        settings = replace(settings, steps=session.most)
    told = [step for step in (session.kept.steps[-1], session.goal) if step is not None]
    progresses = device.learn(
        taught.pairs, wanted.truth, settings, session.stand, session.rates, told,
        bool(wanted.damage.offset),
    )  # fmt: skip
    followed = _followed(session, progresses)
    with closing(throttled(followed, FRAME_SECONDS, LATER * FRAME_SECONDS)) as sessions:
        yield from sessions


def _followed(session: Session, progresses: Iterator[Progress]) -> Iterator[Session]:
    """The session after each Progress, until it is over."""
    with closing(progresses):
        for progress in progresses:
            session = session.after(progress)
            yield session
            if not session.running:
                return


def connect(
    live: gr.HTML, controls: Mapping, session: gr.State, last: gr.State
) -> tuple[list, list]:
    """Connect the events of the stage: what begins a run, or ends it; arrived; picture.

    last: the `Shown` of the cards below. Returns the events that answer who asked for a run, and
    those that come when a show rests: then the session may still be `running`, by another turn.
    """
    runs = Job([live, session], failed, [session, last])
    settings = [session, *controls.values()]
    for trigger, announce, inputs in (
        (live.learn, named(learn), settings),
        (live.resume, resume, [session]),
        (live.step, named(step), settings),
        (live.rate, rate, [session]),
        (live.more, more, [session]),
    ):
        runs.begin(
            trigger, announce, go, inputs, given=[session], data=True, waiting=waits, **DEVICE
        )
    halts = [runs.halt(live.pause, pause, data=True), runs.halt(live.stop, stop, data=True)]
    came = live.arrived(hearing(arrived), session, session, trigger_mode="always_last", **UNQUEUED)
    live.picture(
        hearing(named(picture)), [runs.turn, *settings], [live, session],
        trigger_mode="always_last", **UNQUEUED,
    )  # fmt: skip
    return runs.heard, [came, *halts]


# ---- What asks for a run: each gets what the browser says, and returns the stage and the session


def learn(said: Mapping, session: Session, values: Mapping) -> tuple:
    """A new run of what the page is set to: it begins when the device is free."""
    try:
        return _announced(said, _begun(session, values))
    except DemoError as error:
        return _declined(session, error, values)


def resume(said: Mapping, session: Session) -> tuple:
    """The run goes on from where computing stood; if it had ended, its end is in view again."""
    if session.progress is None:
        return _told(session)
    latest = session.seen(session.kept.steps[-1])
    return _told(_asked(latest) if latest.unfinished else latest)


def step(said: Mapping, session: Session, values: Mapping) -> tuple:
    """One update from the step shown; of a new run where none is in view."""
    try:
        wanted, at = experiment(values), _step(said)
        if session.progress is None or session.experiment != wanted or at == 0:
            return _announced(said, replace(_begun(session, values), goal=1))
        cut = session.cut(at)
        if not cut.unfinished:
            return _told(cut)
        return _told(replace(_asked(cut), goal=cut.progress.step + 1))
    except DemoError as error:
        return _declined(session, error, values)


def rate(said: Mapping, session: Session) -> tuple:
    """Another learning rate with effect from the step shown; a run that stands still, does."""
    try:
        changed = _with_rate(session, learning_rate("learning rate", said.get("rate"), 0, MAX_RATE))
        on = session.running or session.at_end
        if changed is None or session.progress is None:
            return _told(changed or session)
        cut = changed.cut(_step(said))
        if not cut.unfinished:  # nothing is left to be learned by that rate
            return _told(session)
        return _told(_asked(cut) if on else cut)
    except DemoError as error:
        return _refused(session, error)


def more(said: Mapping, session: Session) -> tuple:
    """A run that has ended goes on from its end by so many more steps."""
    if session.progress is None or session.experiment.settings is None:
        return _told(session)
    try:
        wanted, end = session.experiment.settings, session.kept.steps[-1]
        most = end + whole("steps", said.get("steps"), 1, most_steps(showing.method(wanted)))
        replace(wanted, steps=most)  # a DemoError where there is no such run
        longer = replace(session.cut(end), extra=most - wanted.steps)
        return _told(_asked(replace(longer, kept=longer.kept.longer(most))))
    except DemoError as error:
        return _refused(session, error)


def go(notes: Callable[[], Mapping], session: Session) -> Iterator[tuple]:
    """The run that was asked for, as updates of the stage and the session."""
    if not session.running:  # it was refused, or has nothing to do
        yield gr.skip(), gr.skip()
        return
    known = _piece(session)
    if not known:  # its pictures are read first; who stops meanwhile is where they were
        yield showing.frame(session, waiting=showing.READING, pixels=False), session
    session = replace(session, waits=False)
    if known:
        yield _told(session)
    try:
        with closing(run(session)) as sessions:
            for session in sessions:
                latest = replace(session, look=replace(session.look, **notes()))
                yield _told(latest, pixels=_piece(latest) != known)
    except DemoError as error:
        yield _refused(session, error)


# ---- What ends it, or changes nothing of it


def pause(said: Mapping, session: Session, last: Shown | None = None) -> tuple:
    """Computing stops; in view is the step shown."""
    made = _made(session, last)
    return _told(made.seen(_step(said)) if made is session else made.still())


def stop(said: Mapping, session: Session, last: Shown | None = None) -> tuple:
    """Who waits leaves the queue, and all is as before; else the run ends with what it has."""
    made = _made(session, last)
    return _told(made.still() if session.waits else made.stopped())


def arrived(said: Mapping, session: Session) -> Session | dict:
    """The session at the step that the show came to, which may have gone on from a pause."""
    at = _step(said)
    if session.running or session.place is None or session.progress.step == at:
        return gr.skip()
    return session.seen(at)


def failed(session: Session, last: Shown | None = None) -> tuple:
    """An unexpected error, or a full queue: what there is can be gone on with, and it is told."""
    still = _made(session, last).still()
    return showing.failed(failure(), still), still


def waits(place: int, session: Session) -> tuple:
    """The place of a run in the queue."""
    return showing.frame(session, waiting=place, pixels=False), gr.skip()


def picture(said: Mapping, turn: int, session: Session, values: Mapping) -> tuple:
    """Another of the pictures learned from is shown."""
    try:
        number, wanted = whole("picture", said.get("index"), 0, 10**6), experiment(values)
        in_view = session.progress is not None and session.experiment == wanted
        if session.running:
            wanted = session.experiment
        photos = pictures.gather(wanted.choice).photos
        piece = showing.piece_of(photos, number, wanted.choice.channel)
    except DemoError as error:
        return showing.failed(str(error)), gr.skip()
    look = replace(session.look, piece=piece, picture=number)
    if session.running:  # which shows it with its next update: by now this session is an old one
        LINE.note(turn, piece=piece, picture=number)
        return gr.skip(), gr.skip()
    session = replace(session, look=look)
    return (showing.frame(session) if in_view else showing.idle(values, number)), session


def _begun(session: Session, values: Mapping) -> Session:
    """A new run. Its pictures, where they are not at hand, come when it begins."""
    wanted = experiment(values)
    at_hand = wanted.choice.source == "bundled" or showing.unchosen(wanted.choice)
    photos = pictures.gather(wanted.choice).photos if at_hand else ()
    look = showing.look(values, wanted, photos, session.look.picture)
    return Session(
        number=session.number + 1,
        experiment=wanted,
        kept=showing.first(wanted),
        rates=((0, getattr(wanted.settings, "learning_rate", None)),),
        filter=look.chips["filter"]["text"],
        look=look,
        running=True,
        waits=True,
    )


def _asked(session: Session) -> Session:
    return replace(session, running=True, waits=True, goal=None)


def _with_rate(session: Session, rate: float) -> Session | None:
    """The session with that rate (0: the method's own); None where it cannot be changed."""
    wanted = session.experiment
    if wanted is None or showing.optimizer(wanted.settings) not in RATED:
        return None
    settings = replace(wanted.settings, learning_rate=rate or None)
    chips = (session.look.chips or {}) | {"method": showing.method_chip(settings)}
    return replace(
        session,
        experiment=replace(wanted, settings=settings),
        rates=session.rates if session.progress else ((0, settings.learning_rate),),
        look=replace(session.look, chips=chips),
    )


def _made(session: Session, last: Shown | None) -> Session:
    """The run; in place of one that has made no step yet the last one, of the same settings."""
    if session.progress is not None or last is None:
        return session
    return last.session if last.session.experiment == session.experiment else session


def _step(said: Mapping) -> int:
    """The step shown; a browser that says none shows the latest."""
    return whole("step", said.get("step", 10**9), 0, 10**9)


def _told(session: Session, pixels: bool = False) -> tuple:
    """Updates of the stage and of the session. pixels: as in `showing.frame`."""
    if session.experiment is None:  # forgotten, or the server began anew
        return showing.failed(GONE), session
    return showing.frame(session, pixels=pixels), session


def _piece(session: Session) -> str:
    """Which piece of a picture it shows."""
    return (session.look.piece or {}).get("key", "")


def _announced(said: Mapping, begun: Session) -> tuple:
    """Updates for a run that has begun: with its picture, unless the browser says it holds it."""
    held = said.get("held")
    return _told(begun, pixels=not isinstance(held, list) or _piece(begun) not in held)


def _declined(session: Session, error: DemoError, values: Mapping) -> tuple:
    """There is no such run: what is in view stays, which may be the start of another one."""
    if session.running:
        return _refused(session, error)
    return showing.failed(str(error), chips=showing.chips(values)), session


def _refused(session: Session, error: DemoError) -> tuple:
    """The run in view cannot be gone on with as asked; it stands still."""
    still = session.still()
    return showing.failed(str(error), still), still
