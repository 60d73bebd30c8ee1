"""What a button starts: heard at once, runs in its turn, is stopped or fails, and ends.

Scripts use the endpoints of `api`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.html import alert

Item = TypeVar("Item")

RUNS_AT_ONCE = 2
# Everything that holds the device waits in one queue; what sums on the processor in another; and
# whole pictures are drawn two at a time (of 40 Mpx, 2.5 GB each).
DEVICE = {"concurrency_id": "device", "concurrency_limit": RUNS_AT_ONCE}
SUMS = {"concurrency_id": "sums", "concurrency_limit": 2}
RENDERING = {"concurrency_id": "result", "concurrency_limit": 2}
RECOVERING = {"concurrency_id": "recover", "concurrency_limit": 2}  # the button and the endpoint
PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}
UNQUEUED = {"queue": False, **QUIET}  # who presses a button is answered before all who wait
FAILED = (
    "This did not work: the page is busy, or something in it went wrong. "
    "Wait a moment, then press again."
)


def throttled(items: Iterator[Item], seconds: float) -> Iterator[Item]:
    """At most one item each `seconds`; the first and the last are always among them.

    Closing this iterator closes the one below, which frees the device.
    """
    shown, nothing = float("-inf"), object()
    waiting = nothing
    with closing(items):
        for waiting in items:
            if time.monotonic() - shown >= seconds:
                shown = time.monotonic()
                yield waiting
                waiting = nothing
    if waiting is not nothing:
        yield waiting


def buttons(running: bool) -> tuple:
    """Updates of a button that starts something, and of the one that ends it."""
    return gr.update(interactive=not running), gr.update(interactive=running)


class Job:
    """What some buttons start and others halt, all of it shown in the same components.

    Whatever ends it, the buttons are as before: the function itself ends with them enabled, and
    where it cannot (an unexpected error, a full queue), `failed` puts them back and says so.
    """

    def __init__(self, outputs: Sequence, failed: Callable, held: Sequence = ()) -> None:
        """failed: what the outputs show then, of the values of `held`; it says `FAILED`."""
        self.heard: list[gr.events.Dependency] = []  # those that answer a trigger
        self.events: list[gr.events.Dependency] = []  # those that stream
        self._outputs, self._failed, self._held = [*outputs], failed, [*held]
        # Gradio tells the failure of a run that a visitor halts, too.
        self._halted = gr.State(False)

    def begin(
        self,
        trigger: Callable,
        announce: Callable,
        function: Callable,
        inputs: Any,
        shown: Sequence | None = None,
        given: Sequence | None = None,
        **queue,
    ) -> gr.events.Dependency:
        """Let a trigger show at once what `announce` returns, and stream `function` in its turn.

        While others hold the device, a visitor thus sees that the click was heard, and can stop.
        What was halted before its turn came does not begin: a halt may be faster than the queue.
        trigger: `button.click`, or `then` of an event before. shown: what `function` updates, by
        default the outputs. given: what it gets, by default the inputs. queue: options of the event
        that streams, which is returned.
        """
        shown = self._outputs if shown is None else shown

        def in_turn(halted: bool, *values):
            if halted:
                yield [gr.skip()] * len(shown)
            else:
                yield from function(*values)

        heard = trigger(
            lambda *values: (*announce(*values), False), inputs, [*self._outputs, self._halted],
            trigger_mode="once", **UNQUEUED,
        )  # fmt: skip
        runs = heard.then(
            in_turn, [self._halted, *(inputs if given is None else given)], shown,
            trigger_mode="once", **queue, **QUIET,
        )  # fmt: skip
        for event in (heard, runs):
            event.failure(
                lambda halted, *held: self._left() if halted else self._failed(*held),
                [self._halted, *self._held], self._outputs, **UNQUEUED,
            )  # fmt: skip
        self.heard.append(heard)
        self.events.append(runs)
        return runs

    def halt(self, button: gr.Button, function: Callable) -> gr.events.Dependency:
        """Let a button end what was begun and show what `function` returns, of `held`.

        Not queued: who stops must not wait for others. Said twice: an update that was under way
        when it was said first would have the last word, in the browser or in the session. Not said
        again to who has begun anew meanwhile.
        """
        said = button.click(
            lambda *held: (*function(*held), True), self._held, [*self._outputs, self._halted],
            cancels=self.events, **UNQUEUED,
        )  # fmt: skip
        return said.then(
            lambda halted, *held: function(*held) if halted else self._left(),
            [self._halted, *self._held], self._outputs, **UNQUEUED,
        )  # fmt: skip

    def _left(self) -> list:
        """The outputs, as they are."""
        return [gr.skip()] * len(self._outputs)


@contextmanager
def in_words() -> Iterator[None]:
    """Tell a client what can be put right as an error with its sentence."""
    try:
        yield
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None


def tell_failure(event: gr.events.Dependency, place: gr.HTML) -> None:
    """Say in `place` that an event failed which disables nothing."""
    event.failure(lambda: alert(FAILED), None, place, **UNQUEUED)
