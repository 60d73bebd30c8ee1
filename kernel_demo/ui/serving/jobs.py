"""What a button starts: heard at once, runs in its turn, is stopped or fails, and ends.

Scripts use the endpoints of `api`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, TypeVar

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.html import alert
from kernel_demo.ui.serving import draining
from kernel_demo.ui.serving.journal import told
from kernel_demo.ui.serving.line import Line

Item = TypeVar("Item")

RUNS_AT_ONCE = 2
CHOICES = (gr.Dropdown, gr.Slider, gr.Radio, gr.Number, gr.Checkbox)  # whose values a log tells
# Everything that holds the device waits in one queue; what sums on the processor in another; and
# whole pictures are drawn two at a time (of 40 Mpx, 2.5 GB each).
DEVICE = {"concurrency_id": "device", "concurrency_limit": RUNS_AT_ONCE}
SUMS = {"concurrency_id": "sums", "concurrency_limit": 2}
RENDERING = {"concurrency_id": "result", "concurrency_limit": 2}
RECOVERING = {"concurrency_id": "recover", "concurrency_limit": 2}  # the button and the endpoint
PROVING = {"concurrency_id": "proof", "concurrency_limit": 2}  # what follows a recovery
PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}
UNQUEUED = {"queue": False, **QUIET}  # who presses a button is answered before all who wait
LINE = Line()
LATER = 5  # times as long are the pauses of a long run: see `throttled`
TELL_FIRST, TELL_AGAIN = 0.3, 1.0  # seconds: who begins sooner never waited
ON_ITS_WAY, LOOK_AGAIN = 3.0, 0.25  # seconds that an event takes from the browser, at most
FAILED = (
    "This did not work: the page is busy, or something in it went wrong. "
    "Wait a moment, then press again."
)


def throttled(items: Iterator[Item], seconds: float, longest: float = 0) -> Iterator[Item]:
    """At most one item each `seconds`; the first and the last are always among them.

    longest: where that is more, the pauses grow to it with a tenth of the time that has passed.
    Closing this iterator closes the one below, which frees the device.
    """
    begun, shown, nothing = time.monotonic(), float("-inf"), object()
    waiting = nothing
    with closing(items):
        for waiting in items:
            draining.end_late_runs()
            now = time.monotonic()
            if now - shown >= max(seconds, min(longest, (now - begun) / 10)):
                shown = now
                yield waiting
                waiting = nothing
    if waiting is not nothing:
        yield waiting


def failure() -> str:
    """What a visitor is told when something fails."""
    return draining.SENTENCE if draining.begun() else FAILED


def buttons(running: bool) -> tuple:
    """Updates of a button that starts something, and of the one that ends it."""
    return gr.update(interactive=not running), gr.update(interactive=running)


class Job:
    """What some triggers start and others halt, all of it shown in the same components.

    Whatever ends it, the buttons are as before: the function itself ends with them enabled, and
    where it cannot (an unexpected error, a full queue), `failed` puts them back and says so.
    Of one visitor's turns the latest alone counts: one that was given up makes no more updates.
    """

    def __init__(self, outputs: Sequence, failed: Callable, held: Sequence = ()) -> None:
        """failed: what the outputs show then, of the values of `held`; it says `failure()`."""
        self.heard: list[gr.events.Dependency] = []  # those that answer a trigger
        self.events: list[gr.events.Dependency] = []  # those that stream
        # The number of the turn in `LINE`; 0: halted; None: none yet, or it was another server's.
        self.turn = gr.State(None)
        self._outputs, self._failed, self._held = [*outputs], failed, [*held]
        self._data = gr.State({})  # of the event that halted

    def begin(
        self,
        trigger: Callable,
        announce: Callable,
        function: Callable,
        inputs: Any,
        shown: Sequence | None = None,
        given: Sequence | None = None,
        data: bool = False,
        waiting: Callable | None = None,
        goes_on: bool = False,
        **queue,
    ) -> gr.events.Dependency:
        """Let a trigger show at once what `announce` returns, and stream `function` in its turn.

        While others hold the device, a visitor thus sees that the click was heard, and can stop.
        What was halted before its turn came does not begin: a halt may be faster than the queue.
        trigger: `button.click`, or `then` of an event before. shown: what `function` updates, by
        default the outputs. given: outputs; it gets what was announced for them, and before that a
        function that returns what `LINE.note` was told meanwhile; by default it gets the inputs.
        (Whoever was at work before may write into a state at any time: what is handed over goes
        another way.) data: whether `announce` wants those of the event, first. waiting: what
        the outputs show while it waits, of the place and of what was handed over. goes_on: whether
        it belongs to a run before, and is no new one. queue: options of the event that streams,
        which is returned.
        """
        shown = self._outputs if shown is None else shown
        handed = [self._outputs.index(each) for each in given or ()]
        inputs, where = _listed(inputs), queue.get("concurrency_id", "")
        held = len(self._held)

        def answer(event: gr.EventData, request: gr.Request, before: int, *values):
            LINE.leave(before)
            if draining.begun() and not goes_on:
                return *self._failed(*values[:held]), 0
            values = values[held:]
            updates = announce(*[said(event)] * data, *values)
            over = [updates[i] for i in handed], _settings(inputs, values)
            return *updates, LINE.join(where, over, request.session_hash, runs["id"])

        def in_turn(turn: int, *values):
            begun, announced = LINE.begin(turn)
            if not begun:
                yield [gr.skip()] * len(shown)
                return
            over, settings = announced
            asked = values if given is None else [partial(LINE.notes, turn), *over]
            with told(name, settings) as run:
                if (yield from _while_held(turn, function, asked)):
                    run.outcome = "stopped"

        heard = trigger(
            answer, [self.turn, *self._held, *inputs], [*self._outputs, self.turn],
            trigger_mode="once", **UNQUEUED,
        )  # fmt: skip
        name = _name(heard["targets"]) or where
        # One that was given up may still be at work when the next one begins.
        runs = heard.then(
            in_turn, [self.turn, *(inputs if given is None else [])], shown,
            trigger_mode="multiple", **queue, **QUIET,
        )  # fmt: skip
        if where == DEVICE["concurrency_id"]:
            self._tell_place(heard, waiting)
        self._follow(heard, runs)
        return runs

    def _follow(self, heard: gr.events.Dependency, runs: gr.events.Dependency) -> None:
        """Tell their failures, and know them."""
        for event in (heard, runs):
            event.failure(self._fail, [self.turn, *self._held], self._outputs, **UNQUEUED)
        self.heard.append(heard)
        self.events.append(runs)

    def halt(
        self, trigger: Callable, function: Callable, data: bool = False
    ) -> gr.events.Dependency:
        """Let a trigger end what was begun and show what `function` returns, of `held`.

        Not queued: who stops must not wait for others. Said twice: an update that was under way
        when it was said first would have the last word, in the browser or in the session. Not said
        again to who has begun anew meanwhile. data: whether `function` wants those of the event.
        """

        def stop(event: gr.EventData, turn: int, *held):
            LINE.leave(turn)
            return *function(*[said(event)] * data, *held), 0, said(event)

        def again(turn: int, first: dict, *held):
            return self._left() if turn else function(*[first] * data, *held)

        halted = trigger(
            stop, [self.turn, *self._held], [*self._outputs, self.turn, self._data],
            cancels=self.events, **UNQUEUED,
        )  # fmt: skip
        return halted.then(again, [self.turn, self._data, *self._held], self._outputs, **UNQUEUED)

    def _tell_place(self, heard: gr.events.Dependency, shown: Callable | None) -> None:
        """Show who waits the place, in an event that waits for nothing; and say who still does."""
        outputs = self._outputs if shown else []

        async def tell(turn: int) -> AsyncIterator:
            await asyncio.sleep(TELL_FIRST)
            while waiting := LINE.waiting(turn):
                place, (handed, _) = waiting
                yield shown(place, *handed) if shown else None
                await asyncio.sleep(TELL_AGAIN)
            yield self._left() if shown else None

        heard.then(
            tell, [self.turn], outputs,
            trigger_mode="multiple", concurrency_limit=None, **QUIET,
        )  # fmt: skip

    async def _fail(self, turn: int, *held):
        """What the outputs show of a failure.

        Gradio tells that of a run which a visitor halts, too, and it may come when the next one
        waits or is at work: that is none. What fails or is refused has left the line by itself;
        but for what was refused on its way here, by a proxy, which nobody but the browser knows.
        """
        waited = 0.0
        while LINE.lacks_event(turn) and waited < ON_ITS_WAY:
            await asyncio.sleep(LOOK_AGAIN)
            waited += LOOK_AGAIN
        if LINE.lacks_event(turn):
            LINE.leave(turn)
        return self._left() if turn == 0 or LINE.holds(turn) else self._failed(*held)

    def _left(self) -> list:
        """The outputs, as they are."""
        return [gr.skip()] * len(self._outputs)


def _while_held(turn: int, function: Callable, asked: Sequence) -> Generator[Any, None, bool]:
    """The updates of a function, until its turn is given up; returns whether it was."""
    try:
        draining.end_late_runs()
        with closing(function(*asked)) as updates:
            for update in updates:
                if not LINE.holds(turn):
                    break
                yield update
    except Exception:
        if LINE.holds(turn):  # else nobody waits for it any more
            raise
    finally:
        held = LINE.holds(turn)
        LINE.leave(turn)
    return not held


def _name(targets: Sequence[tuple[int, str]]) -> str:
    """What a log calls a run: the button that began it; empty for what follows another event."""
    context = gr.context.get_blocks_context()
    blocks = context.blocks if context else {}
    names = [(blocks[block].elem_id, event) for block, event in targets if block in blocks]
    return next((f"{name or 'page'} {event}" for name, event in names), "")


def _settings(inputs: Sequence, values: Sequence) -> Mapping[str, Any]:
    """The values of those inputs from which a visitor chooses, by the names of their places."""
    chosen = zip(inputs, values, strict=True)
    return {
        part.elem_id: value for part, value in chosen if part.elem_id and isinstance(part, CHOICES)
    }


def _listed(inputs: Any) -> list:
    if inputs is None:
        return []
    return [*inputs] if isinstance(inputs, (list, tuple)) else [inputs]


def said(event: gr.EventData) -> dict:
    """What the browser says with an event; whatever else a client sends counts as nothing."""
    return event._data if isinstance(event._data, dict) else {}


def hearing(function: Callable) -> Callable:
    """`function` as gradio calls it: it wants what is said with an event, first."""

    def heard(event: gr.EventData, *values):
        return function(said(event), *values)

    return heard


@contextmanager
def in_words() -> Iterator[None]:
    """Tell a client what can be put right as an error with its sentence."""
    draining.refuse_new_runs()
    try:
        yield
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None


def tell_failure(event: gr.events.Dependency, place: gr.HTML) -> None:
    """Say in `place` that an event failed which disables nothing."""
    event.failure(lambda: alert(failure()), None, place, **UNQUEUED)
